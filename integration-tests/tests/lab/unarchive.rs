//! Archives unpacked on a real host: what is left alone, what is put right, and what is refused before it is written.

use std::process::Command;

use evenkeel_integration_tests::{Lab, need_lab};

/// Makes the archives in its first argument.
const MAKE: &str = include_str!("unarchive/make.py");

#[test]
#[ignore = "needs root and a lab"]
fn archives_are_unpacked() {
    if !need_lab() {
        return;
    }
    let lab = Lab::plan().tools().host("one").boot();
    let dir = lab.path("made");
    std::fs::create_dir_all(&dir).unwrap();
    let made = Command::new("python3")
        .args(["-c", MAKE])
        .arg(&dir)
        .status()
        .unwrap();
    assert!(made.success());
    settles(&lab);
    restores(&lab);
    refuses(&lab);
    fails(&lab);
}

fn tasks(text: &str) -> String {
    format!("become: true\ntasks:\n{text}")
}

/// A task of an archive of this machine.
fn task(lab: &Lab, name: &str, more: &str) -> String {
    let path = lab.path("made").join(name);
    format!("- unarchive: {{src: '{}'{more}}}\n", path.display())
}

fn settles(lab: &Lab) {
    let host = lab.host("one");
    host.sh("mkdir /srv/gz /srv/xz /srv/bz2 /srv/zip /srv/tar /srv/only /srv/kept /srv/host; printf newer >/srv/kept/a");
    let all = [
        task(
            lab,
            "app.tar.gz",
            ", dest: /srv/gz, owner: deploy, group: '0', mode: 'u+rwX,go-rwx'",
        ),
        task(
            lab,
            "app.tar.xz",
            ", dest: /srv/xz, extra_opts: [--strip-components=1]",
        ),
        task(lab, "app.tar.bz2", ", dest: /srv/bz2, exclude: ['*/deep']"),
        task(lab, "app.tar", ", dest: /srv/tar"),
        task(lab, "app.zip", ", dest: /srv/zip"),
        task(lab, "app.tar.gz", ", dest: /srv/only, include: ['top/b']"),
        task(lab, "flat.tar.gz", ", dest: /srv/kept, keep_newer: true"),
        format!(
            "- copy: {{src: '{}', dest: /srv/host.tgz}}\n",
            lab.path("made/app.tar.gz").display()
        ),
    ];
    lab.settles(&tasks(&all.concat()));
    assert_eq!(host.sh("cat /srv/gz/top/b"), "bb\n");
    assert_eq!(
        host.sh("stat -c '%a %U %G' /srv/gz/top /srv/gz/top/b"),
        "700 deploy root\n600 deploy root\n"
    );
    assert_eq!(
        host.sh("cat /srv/xz/b /srv/zip/top/b /srv/bz2/top/b"),
        "bb\nbb\nbb\n"
    );
    assert!(host.is("test ! -e /srv/bz2/top/deep && test -d /srv/gz/top/deep"));
    assert_eq!(
        host.sh("find /srv/only -mindepth 1 | sort"),
        "/srv/only/top\n/srv/only/top/b\n"
    );
    assert_eq!(host.sh("cat /srv/kept/a"), "newer");
    assert!(host.is("test -f /srv/tar/absolute/name && test ! -e /absolute"));
    assert_eq!(host.sh("cat '/srv/gz/top/-x $(touch pwned) ü'"), "odd\n");
    assert_eq!(host.sh("cat '/srv/zip/top/ü'"), "odd\n");
    assert_eq!(host.sh("find / -xdev -name pwned | wc -l"), "0\n");
    assert_eq!(
        host.sh("ls -A /var/lib/evenkeel-unarchive | grep -c archive; ls -A /srv/gz"),
        "0\ntop\n"
    );
    lab.settles(&tasks(
        "- unarchive: {src: /srv/host.tgz, dest: /srv/host, remote_src: true}\n",
    ));
    let creates = task(
        lab,
        "app.tar.gz",
        ", dest: /srv/host, creates: /etc/hostname, mode: '0700'",
    );
    lab.tasks(&tasks(&creates));
    lab.run(&[]).ok().changed(0).exchanges(1);
}

fn restores(lab: &Lab) {
    let host = lab.host("one");
    lab.tasks(&tasks(&task(
        lab,
        "app.tar.gz",
        ", dest: /srv/gz, owner: deploy, group: '0', mode: 'u+rwX,go-rwx'",
    )));
    lab.run(&[]).ok().changed(0).exchanges(1);
    for edit in [
        "rm /srv/gz/top/b",
        "printf 'BB\\n' >/srv/gz/top/b",
        "touch -d 2001-01-01 /srv/gz/top/b; printf 'xx\\n' >/srv/gz/top/b; touch -d 2001-01-01 /srv/gz/top/b",
        "ln -sfn /etc /srv/gz/top/link",
        "chmod 0755 /srv/gz/top/deep",
        "chown 0 /srv/gz/top/b",
    ] {
        host.sh(edit);
        let plan = lab.plan(&[]).ok().changed(1);
        assert!(plan.to_string().contains("differ"), "{edit}: {plan}");
        lab.run(&[]).ok().changed(1);
        lab.run(&[]).ok().changed(0).exchanges(1);
        assert_eq!(
            host.sh("cat /srv/gz/top/b; readlink /srv/gz/top/link"),
            "bb\nb\n",
            "{edit}"
        );
    }
    // What only was touched is the same, and what is not of the archive is not looked at.
    host.sh("touch /srv/gz/top/b; touch /srv/gz/top/mine");
    lab.run(&[]).ok().changed(0).exchanges(1);
    assert!(host.is("test -e /srv/gz/top/mine"));
}

fn refuses(lab: &Lab) {
    let host = lab.host("one");
    host.sh("mkdir /srv/bad; ln -s /etc /srv/bad/etc");
    for (name, why) in [
        (
            "dots.tar",
            "the member `../out` leads out of the directory by `..`",
        ),
        (
            "dots.zip",
            "the member `../out` leads out of the directory by `..`",
        ),
        ("hard.tar", "Cannot hard link to"),
        ("device.tar", "the member `dev` is a device"),
        ("fifo.tar", "the member `pipe` is a named pipe"),
        ("setuid.tar", "the member `su` is setuid or setgid"),
        ("line.tar", "has a line end in its name"),
        ("through.tar", "it cannot be unpacked, nothing was changed"),
        ("bomb.tar.gz", "KiB free: nothing was changed"),
        (
            "link.tar",
            "would be written through the link `/srv/bad/etc`",
        ),
    ] {
        lab.tasks(&tasks(&task(lab, name, ", dest: /srv/bad")));
        lab.run(&[]).status(2).says(why);
        assert_eq!(host.sh("ls -A /srv/bad"), "etc\n", "{name}");
        assert!(
            host.is("test ! -e /srv/out && test ! -e /etc/evil && test ! -e /tmp/evil"),
            "{name}"
        );
    }
}

fn fails(lab: &Lab) {
    let host = lab.host("one");
    host.sh("mkdir /srv/f; mv /usr/bin/unzip /usr/bin/xz /root/");
    for (name, why) in [
        (
            "app.zip",
            "`unzip` is not on the host, nothing was changed; install the package `unzip`",
        ),
        ("app.tar.xz", "`xz` is not on the host"),
        ("cut.tar.gz", "it is truncated, nothing was changed"),
        ("text.tar.gz", "it is not an archive, nothing was changed"),
    ] {
        lab.tasks(&tasks(&task(lab, name, ", dest: /srv/f")));
        lab.run(&[]).status(2).says(why);
        assert_eq!(host.sh("ls -A /srv/f"), "", "{name}");
    }
    host.sh("mv /root/unzip /root/xz /usr/bin/");
    lab.tasks(&tasks(&task(lab, "app.tar.gz", ", dest: /srv/none")));
    lab.run(&[]).status(2).says("the directory `/srv/none`");
    // A disk that fills while it unpacks.
    host.sh("mkdir /srv/full; mount -t tmpfs -o size=64k,nr_inodes=4 none /srv/full");
    lab.tasks(&tasks(&task(lab, "app.tar.gz", ", dest: /srv/full")));
    lab.run(&[])
        .status(2)
        .says("the disk is full, nothing was changed");
    assert_eq!(host.sh("ls -A /srv/full; umount /srv/full"), "");
}
