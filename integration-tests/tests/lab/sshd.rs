//! How an sshd may be set up, and how a login may be.

use std::process::Command;

use evenkeel_integration_tests::{Lab, need_lab};

const SITE: &str = "
tasks:
- name: who
  command: id -un
  changed_when: false
- name: file
  copy: {dest: /srv/file, content: \"one\\ntwo\\n\", mode: '0644'}
  become: true
- name: again
  lineinfile: {path: /srv/lines, line: three, create: true, mode: '0644'}
  become: true
- name: own
  copy: {dest: own, content: own, mode: '0600'}
";

/// A change, and a run after it that finds nothing to do.
#[track_caller]
fn works(lab: &Lab, how: &str, args: &[&str]) {
    let host = lab.host("one");
    host.sh("rm -rf /srv/file /srv/lines /home/*/own");
    let first = lab.run(args);
    assert_eq!(first.status, 0, "{how}\n{first}");
    assert_eq!(
        host.sh("cat /srv/file /srv/lines"),
        "one\ntwo\nthree\n",
        "{how}"
    );
    let again = lab.run(args);
    assert_eq!(again.status, 0, "{how}\n{again}");
    assert_eq!(again.count("changed"), 0, "{how}\n{again}");
    println!("{how}: works");
}

/// The run ends with this status, and says this.
#[track_caller]
fn refused(lab: &Lab, how: &str, args: &[&str], status: i32, words: &[&str]) {
    let run = lab.run(args);
    assert_eq!(run.status, status, "{how}\n{run}");
    for word in words {
        let said = run.stdout.contains(word) || run.stderr.contains(word);
        assert!(said, "{how}: it does not say `{word}`\n{run}");
    }
    println!(
        "{how}: {}",
        run.stdout
            .lines()
            .find(|line| line.contains("unreachable"))
            .unwrap_or_default()
    );
}

fn booted() -> Lab {
    let lab = Lab::plan().host("one").boot();
    lab.tasks(SITE);
    lab
}

#[test]
#[ignore = "needs root and a lab"]
fn any_sshd_will_do() {
    if !need_lab() {
        return;
    }
    let lab = booted();
    let host = lab.host("one");
    for lines in [
        "",
        "MaxSessions 1",
        "AcceptEnv none",
        "PermitTTY no\nAllowTcpForwarding no\nX11Forwarding no\nAllowAgentForwarding no",
        "Compression no\nRekeyLimit 1M",
        "Ciphers aes256-gcm@openssh.com\nKexAlgorithms curve25519-sha256",
        "PasswordAuthentication no\nAuthenticationMethods publickey",
        "MaxAuthTries 1",
    ] {
        host.sshd(&format!("{lines}\n"));
        works(&lab, lines, &[]);
    }
    host.write("/etc/banner", "Only for those who may.\n\u{1b}[2J\n");
    host.sshd("Banner /etc/banner\nPrintMotd yes\n");
    host.sh(
        "printf 'echo noise\\necho more noise >&2\\n' | tee /home/deploy/.bashrc >/root/.bashrc",
    );
    works(&lab, "a banner and a noisy .bashrc", &[]);

    host.sh("ln -sf bash /bin/sh");
    works(&lab, "bash as sh", &[]);
    host.sh("ln -sf dash /bin/sh");
    for shell in ["/bin/dash", "/bin/bash"] {
        host.sh(&format!("chsh -s {shell} deploy"));
        works(&lab, shell, &[]);
    }

    // A command that is forced, and runs what was asked for.
    let logged = "#!/bin/sh\necho asked >>/tmp/asked\nexec sh -c \"$SSH_ORIGINAL_COMMAND\"\n";
    host.write("/usr/local/bin/logged", logged);
    host.sh("chmod +x /usr/local/bin/logged");
    host.sshd("ForceCommand /usr/local/bin/logged\n");
    works(&lab, "a command that is forced", &[]);
    assert!(host.is("test -s /tmp/asked && rm /tmp/asked"));
}

#[test]
#[ignore = "needs root and a lab"]
fn logins_with_a_password_and_with_a_certificate() {
    if !need_lab() {
        return;
    }
    let lab = booted();
    let host = lab.host("one");
    let with = "one ansible_host=10.77.0.11 ansible_user=oper ansible_password=oper-pw ansible_become_password=oper-pw\n";
    lab.file("password.ini", with);
    host.sshd("AuthenticationMethods password\n");
    works(&lab, "a password alone", &["-i", "password.ini"]);
    lab.file("wrong.ini", &with.replace("oper-pw", "wrong-pw"));
    refused(
        &lab,
        "a wrong password",
        &["-i", "wrong.ini"],
        4,
        &["one", "password"],
    );
    refused(&lab, "no password", &[], 4, &["one", "password"]);

    host.sshd("AuthenticationMethods keyboard-interactive\nKbdInteractiveAuthentication yes\n");
    works(&lab, "questions of the keyboard", &["-i", "password.ini"]);

    lab.file(
        "become.ini",
        &with.replace("become_password=oper-pw", "become_password=wrong-pw"),
    );
    host.sshd("");
    refused(
        &lab,
        "a wrong password for sudo",
        &["-i", "become.ini"],
        4,
        &["password is wrong", "ansible_become_password"],
    );
}

fn keygen(lab: &Lab, line: &str) {
    let mut keygen = Command::new("ssh-keygen");
    lab.set(keygen.arg("-q").args(line.split(' ')));
    assert!(keygen.status().unwrap().success());
}

#[test]
#[ignore = "needs root and a lab"]
fn certificates_of_a_user_and_of_a_host() {
    if !need_lab() {
        return;
    }
    let lab = booted();
    let host = lab.host("one");
    for name in ["ca", "other", "certified"] {
        keygen(&lab, &format!("-t ed25519 -N  -f {name}"));
    }
    keygen(&lab, "-s ca -I test -n deploy -V +1h certified.pub");
    let inventory =
        "one ansible_host=10.77.0.11 ansible_user=deploy ansible_ssh_private_key_file=certified\n";
    lab.file("certified.ini", inventory);
    let certified = ["-i", "certified.ini"];
    host.write("/etc/ssh/ca.pub", &lab.read("ca.pub"));
    host.sshd("TrustedUserCAKeys /etc/ssh/ca.pub\nAuthorizedKeysFile none\n");
    works(&lab, "a user's certificate", &certified);
    refused(
        &lab,
        "a key without a certificate",
        &[],
        4,
        &["one", "publickey"],
    );

    // The host's key itself is not known any more, only who speaks for it.
    lab.file(
        "host.pub",
        &host.sh("cat /etc/ssh/ssh_host_ed25519_key.pub"),
    );
    keygen(&lab, "-s ca -h -I one -n 10.77.0.11 -V +1h host.pub");
    host.write("/etc/ssh/host-cert.pub", &lab.read("host-cert.pub"));
    host.sshd("HostCertificate /etc/ssh/host-cert.pub\nTrustedUserCAKeys /etc/ssh/ca.pub\n");
    let authority = |name: &str| {
        let key = lab.read(&format!("{name}.pub"));
        lab.file(
            ".ssh/known_hosts",
            &format!("@cert-authority 10.77.* {key}"),
        );
    };
    authority("ca");
    works(&lab, "a host's certificate", &certified);
    authority("other");
    refused(
        &lab,
        "a host's certificate by somebody else",
        &certified,
        4,
        &["one", "not known"],
    );
}

#[test]
#[ignore = "needs root and a lab"]
fn a_host_that_runs_no_sh_is_named() {
    if !need_lab() {
        return;
    }
    let lab = booted();
    let host = lab.host("one");
    host.sshd("Match User deploy\n  ForceCommand /bin/date\n");
    refused(
        &lab,
        "another command is forced",
        &[],
        4,
        &["one", "ForceCommand"],
    );
    host.sshd("");
    host.sh("chsh -s /usr/sbin/nologin deploy");
    refused(&lab, "nobody may log in", &[], 4, &["one", "nologin"]);
    host.sh("chsh -s /bin/rbash deploy");
    // A shell that may not even `exec` is left alone.
    host.sh("chsh -s /bin/rbash deploy");
    refused(
        &lab,
        "a restricted bash",
        &[],
        4,
        &["one", "exec: restricted", "restricted shell"],
    );
    host.sh("chsh -s /bin/false deploy");
    refused(
        &lab,
        "a shell that does nothing",
        &[],
        4,
        &["one", "said nothing"],
    );
    host.sh("chsh -s /bin/bash deploy && touch /run/nologin");
    host.sh("rm /run/nologin");
    works(&lab, "as before", &[]);
}

#[test]
#[ignore = "needs root and a lab"]
fn a_slow_name_service_is_waited_for() {
    if !need_lab() {
        return;
    }
    let lab = booted();
    let host = lab.host("one");
    host.write(
        "/etc/resolv.conf",
        "nameserver 10.77.0.200\noptions timeout:2 attempts:1\n",
    );
    host.sshd("UseDNS yes\n");
    works(&lab, "UseDNS without a name service", &[]);
}
