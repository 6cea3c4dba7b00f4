//! Working copies of git, with the real program: repositories of the host, and of another through ssh.

use evenkeel_integration_tests::{Host, Lab, need_lab};

fn tasks(text: &str) -> String {
    format!("become: true\ntasks:\n{text}")
}

/// Who commits, and when: commits of two hosts are the same, in whichever second they are made.
const ME: &str = "export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b \
                  GIT_AUTHOR_DATE='1700000000 +0000' GIT_COMMITTER_DATE='1700000000 +0000'; cd /srv/work &&";

#[test]
#[ignore = "needs root and a lab"]
fn working_copies_of_git() {
    if !need_lab() {
        return;
    }
    let lab = Lab::plan().tools().host("copy").host("far").boot();
    for host in lab.hosts() {
        host.sh(&format!(
            "git init -q --bare -b main /srv/r.git && git init -q -b main /srv/work && {ME} echo one >f && git add f \
             && git commit -qm one && git tag v1 && git remote add origin /srv/r.git && git push -q origin main v1 \
             && git checkout -q -b 'we\"ird$(touch${{IFS}}pwned)' && echo odd >f && git commit -qam odd \
             && git push -q origin HEAD && git checkout -q main && git tag -am two v2 && git push -q origin v2"
        ));
    }
    settles(&lab);
    goes_on(&lab);
    fails(&lab);
    through_ssh(&lab);
}

fn head(host: &Host, path: &str) -> String {
    host.sh(&format!("git -C {path} rev-parse HEAD"))
}

fn settles(lab: &Lab) {
    let one = head(lab.host("copy"), "/srv/work");
    let one = one.trim();
    let text = format!(
        "- git: {{repo: /srv/r.git, dest: /srv/a/b/head}}
- git: {{repo: 'file:///srv/r.git', dest: /srv/main, version: main, depth: 1}}
- git: {{repo: /srv/r.git, dest: /srv/v1, version: v1}}
- git: {{repo: /srv/r.git, dest: /srv/v2, version: v2, single_branch: true}}
- git: {{repo: /srv/r.git, dest: /srv/bare.git, bare: true}}
- git: {{repo: /srv/r.git, dest: \"/srv/-o 'x' $(touch pwned)\", version: 'we\"ird$(touch${{IFS}}pwned)', umask: '0077'}}
- git: {{repo: /srv/r.git, dest: /srv/sha, version: '{one}'}}
"
    );
    lab.settles(&tasks(&text));
    for host in lab.hosts() {
        assert_eq!(
            host.sh("cat /srv/a/b/head/f /srv/main/f /srv/v1/f /srv/v2/f"),
            "one\n".repeat(4)
        );
        assert_eq!(
            host.sh("cat \"/srv/-o 'x' $(printf '$(touch pwned)')/f\""),
            "odd\n"
        );
        assert_eq!(
            host.sh("stat -c %a \"/srv/-o 'x' $(printf '$(touch pwned)')/f\""),
            "600\n"
        );
        assert_eq!(host.sh("git -C /srv/main rev-list --count HEAD"), "1\n");
        assert_eq!(
            host.sh("git -C /srv/a/b/head status -sb | head -n 1"),
            "## main...origin/main\n"
        );
        assert_eq!(head(host, "/srv/bare.git"), head(host, "/srv/r.git"));
        assert!(
            host.is("! find / -xdev -name pwned -not -path '/proc/*' | grep ."),
            "{}",
            host.name()
        );
    }
    assert_eq!(head(lab.host("copy"), "/srv/sha").trim(), one);
}

/// What is pushed arrives; what the host changed is refused, or thrown away.
fn goes_on(lab: &Lab) {
    let text = "- git: {repo: /srv/r.git, dest: /srv/main, version: main, depth: 1}\n\
                - git: {repo: /srv/r.git, dest: /srv/bare.git, bare: true}\n\
                - git: {repo: /srv/r.git, dest: /srv/v1, version: v1}\n";
    for host in lab.hosts() {
        host.sh(&format!(
            "{ME} echo two >f && git commit -qam two && git push -q origin main"
        ));
    }
    lab.tasks(&tasks(text));
    // Its address changes too.
    let plan = lab.plan(&[]).ok();
    let run = lab.run(&[]).ok().changed(4);
    plan.foretells(&run);
    lab.run(&[]).ok().changed(0).exchanges(2);
    for host in lab.hosts() {
        assert_eq!(host.sh("cat /srv/main/f"), "two\n");
        assert_eq!(head(host, "/srv/bare.git"), head(host, "/srv/r.git"));
        host.sh("echo mine >/srv/main/f; echo new >/srv/main/untracked");
    }
    lab.run(&[])
        .status(2)
        .says("`/srv/main` has 1 file changed and not committed");
    for host in lab.hosts() {
        assert_eq!(host.sh("cat /srv/main/f"), "mine\n");
    }
    lab.settles(&tasks(
        "- git: {repo: /srv/r.git, dest: /srv/main, version: main, force: true}\n",
    ));
    for host in lab.hosts() {
        assert_eq!(host.sh("cat /srv/main/f /srv/main/untracked"), "two\nnew\n");
    }
    // Back, and to another branch.
    lab.settles(&tasks(
        "- git: {repo: /srv/r.git, dest: /srv/main, version: v1}\n",
    ));
    // A submodule is brought along.
    for host in lab.hosts() {
        host.sh(&format!(
            "git config --system protocol.file.allow always; {ME} git submodule --quiet add /srv/r.git sub && git -C sub checkout -q v1 \
             && git commit -qam sub && git push -q origin main"
        ));
    }
    lab.settles(&tasks(
        "- git: {repo: /srv/r.git, dest: /srv/main, version: main}\n",
    ));
    for host in lab.hosts() {
        assert_eq!(host.sh("cat /srv/main/sub/f"), "one\n");
    }
}

fn fails(lab: &Lab) {
    let failing = |args: &str| {
        lab.tasks(&tasks(&format!("- git: {args}\n")));
        lab.run(&[]).status(2)
    };
    failing("{repo: /srv/r.git, dest: /srv/none, version: nope}")
        .says("the repository `/srv/r.git` has no branch and no tag `nope`");
    failing("{repo: /srv/none.git, dest: /srv/none}").says("what the repository `/srv/none.git` has: '/srv/none.git' does not appear to be a git repository");
    failing("{repo: /srv/r.git, dest: /etc}")
        .says("`/etc` is there, and is no working copy of git");
    let lost = "f".repeat(40);
    failing(&format!(
        "{{repo: /srv/r.git, dest: /srv/none, version: '{lost}'}}"
    ))
    .says(&format!("the repository has no commit {lost}"));
    for host in lab.hosts() {
        host.sh("rm -rf /srv/none; chown -R nobody /srv/v1");
    }
    lab.tasks(&tasks(
        "- git: {repo: /srv/r.git, dest: /srv/v1, version: v1}\n",
    ));
    lab.run(&[])
        .status(2)
        .says("git does not read `/srv/v1`: detected dubious ownership");
}

/// With a key, from a host that was not known.
fn through_ssh(lab: &Lab) {
    let (copy, far) = (lab.host("copy"), lab.host("far"));
    copy.sh("ssh-keygen -q -t ed25519 -N '' -f \"/root/the 'key'\"");
    let key = copy.sh("cat \"/root/the 'key'.pub\"");
    far.sh("mkdir -p -m 700 /root/.ssh");
    far.sh(&format!(
        "echo '{}' >>/root/.ssh/authorized_keys",
        key.trim()
    ));
    let repo = format!("ssh://root@{}/srv/r.git", far.address());
    let task = |more: &str| {
        tasks(&format!(
            "- git: {{repo: '{repo}', dest: /srv/ssh, key_file: \"/root/the 'key'\"{more}}}\n"
        ))
    };
    lab.tasks(&task(""));
    lab.run(&["--limit", "copy"])
        .status(2)
        .says("Host key verification failed");
    lab.tasks(&task(", accept_newhostkey: true"));
    lab.run(&["--limit", "copy"]).ok().changed(1);
    lab.run(&["--limit", "copy"]).ok().changed(0).exchanges(1);
    assert_eq!(head(copy, "/srv/ssh"), head(far, "/srv/r.git"));
}
