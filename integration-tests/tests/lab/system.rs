//! Small modules against what they are about: sshd, cron, the kernel, the name of a host.

use evenkeel_integration_tests::{Lab, need_lab};

const SITE: &str = "
become: true
tasks:
- name: who logs in
  useradd: {name: app}
- name: a key
  authorized_key:
    user: app
    key: KEY
    key_options: 'environment=\"A=$(touch /pwned) \\\" b\",no-pty'
    comment: \"it's $(touch /pwned); é\"
- name: a job
  cron: {name: \"old $(touch /pwned) 'logs'\", user: app, minute: '*/5', job: \"echo \\\"it's $HOME\\\" >/tmp/x; true\"}
- name: a variable
  cron: {name: MAILTO, user: app, env: true, value: nobody}
- name: a file of jobs
  cron: {name: root's, cron_file: app-jobs, user: root, special_time: reboot, job: 'true'}
- name: packets are passed on
  sysctl: {name: net.ipv4.ip_forward, value: true, sysctl_set: true, sysctl_file: /etc/sysctl.d/90-test.conf}
- name: several numbers
  sysctl: {name: net.ipv4.ip_local_port_range, value: '32000  60000', sysctl_set: true, sysctl_file: /etc/sysctl.d/90-test.conf}
- name: in the file only
  sysctl: {name: net.ipv4.ip_default_ttl, value: 61, reload: false, sysctl_file: /etc/sysctl.d/91-test.conf}
- name: its name
  hostname: {name: renamed.example}
- name: it answers
  ping:
- name: a file is read
  slurp: {src: /etc/sysctl.d/90-test.conf}
  register: file
- name: a user is asked for
  getent: {database: passwd, key: app}
  register: users
- name: all of it is right
  assert:
    that:
    - ansible_hostname == 'renamed' and ansible_facts.nodename == 'renamed.example'
    - file.content | b64decode == 'net.ipv4.ip_forward=1\\nnet.ipv4.ip_local_port_range=32000 60000\\n'
    - users.ansible_facts.getent_passwd.app[4] == '/home/app'
";

const GONE: &str = "
become: true
tasks:
- name: a key
  authorized_key: {user: app, key: KEY, state: absent}
- name: a job
  cron: {name: \"old $(touch /pwned) 'logs'\", user: app, state: absent}
- name: a variable
  cron: {name: MAILTO, user: app, env: true, state: absent}
- name: a file of jobs
  cron: {name: root's, cron_file: app-jobs, state: absent}
- name: packets are passed on
  sysctl: {name: net.ipv4.ip_forward, state: absent, sysctl_file: /etc/sysctl.d/90-test.conf}
";

fn fails(lab: &Lab, task: &str, says: &[&str]) {
    lab.tasks(&format!("\nbecome: true\ntasks:\n- name: it\n  {task}\n"));
    let mut ended = lab.run(&[]).status(2);
    for text in says {
        ended = ended.says(text);
    }
}

/// Now and after the next start; the name that the kernel has is looked at, not only the file.
fn named(lab: &Lab) {
    let host = lab.host("one");
    assert_eq!(
        host.sh("uname -n; cat /etc/hostname"),
        "renamed.example\nrenamed.example\n"
    );
    host.sh("hostname other");
    let again = lab.run(&[]).ok().changed(1);
    assert_eq!(again.task("its name").whats(), ["name"], "{again}");
}

#[test]
#[ignore = "needs root and a lab"]
fn keys_jobs_and_parameters_are_what_programs_take() {
    if !need_lab() {
        return;
    }
    let lab = Lab::plan().host("one").boot();
    let host = lab.host("one");
    let mut keygen = lab.within("ssh-keygen");
    keygen.arg("-y").arg("-f").arg(lab.path(".ssh/id_ed25519"));
    let public = lab.ended(&mut keygen).ok().stdout;
    let public = public.split(' ').take(2).collect::<Vec<_>>().join(" ");
    let site = |text: &str| text.replace("KEY", public.trim());
    lab.settles(&site(SITE));
    assert_eq!(lab.ssh("app@one", "id -un").ok().stdout, "app\n");
    assert_eq!(
        host.sh("stat -c '%a %U:%G' /home/app/.ssh /home/app/.ssh/authorized_keys"),
        "700 app:app\n600 app:app\n"
    );
    assert_eq!(
        host.sh("crontab -u app -l"),
        "MAILTO=\"nobody\"\n#Ansible: old $(touch /pwned) 'logs'\n*/5 * * * * echo \"it's $HOME\" >/tmp/x; true\n"
    );
    assert_eq!(
        host.sh("cat /etc/cron.d/app-jobs"),
        "#Ansible: root's\n@reboot root true\n"
    );
    assert_eq!(
        host.sh("sysctl -n net.ipv4.ip_forward net.ipv4.ip_local_port_range"),
        "1\n32000\t60000\n"
    );
    named(&lab);
    assert!(!host.is("test -e /pwned"));

    // The kernel's own value is looked at.
    host.sh("sysctl -qw net.ipv4.ip_forward=0");
    let again = lab.run(&[]).ok().changed(1);
    assert_eq!(
        again.task("packets are passed on").whats(),
        ["kernel"],
        "{again}"
    );

    fails(
        &lab,
        "sysctl: {name: net.ipv4.nonsense, value: 1, sysctl_file: /etc/sysctl.d/90-test.conf}",
        &["net/ipv4/nonsense"],
    );
    fails(
        &lab,
        "sysctl: {name: net.ipv4.ip_forward, value: x, sysctl_file: /etc/sysctl.d/90-test.conf}",
        &["Invalid argument"],
    );
    assert!(!host.is("grep -q 'nonsense\\|=x' /etc/sysctl.d/90-test.conf"));
    fails(
        &lab,
        "cron: {name: x, user: nobody-of-that-name, job: x}",
        &["nobody-of-that-name"],
    );
    fails(
        &lab,
        &site("authorized_key: {user: nobody-of-that-name, key: KEY}"),
        &["the user `nobody-of-that-name`"],
    );
    fails(
        &lab,
        "getent: {database: passwd, key: nobody-of-that-name}",
        &["the entry `nobody-of-that-name` of `passwd`"],
    );
    host.sh("ln -sf /etc/shadow /home/app/.ssh/linked");
    fails(
        &lab,
        &site("authorized_key: {user: app, key: KEY, path: /home/app/.ssh/linked}"),
        &["`/home/app/.ssh/linked` is a link to `/etc/shadow`"],
    );
    assert_eq!(host.sh("stat -c '%U' /etc/shadow"), "root\n");

    lab.settles(&site(GONE));
    assert_eq!(
        host.sh("crontab -u app -l; cat /home/app/.ssh/authorized_keys"),
        ""
    );
    assert!(!host.is("test -e /etc/cron.d/app-jobs"));
    assert_eq!(
        host.sh("cat /etc/sysctl.d/90-test.conf"),
        "net.ipv4.ip_local_port_range=32000 60000\n"
    );
}
