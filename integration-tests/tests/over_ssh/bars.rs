//! What bars the way to a host: each is said with what, where, why and what to do.

use evenkeel_integration_tests::{Fleet, Scratch};

fn one() -> (Scratch, Fleet) {
    let scratch = Scratch::new();
    let fleet = Fleet::start(&scratch, 1);
    scratch.file(
        "site.yml",
        "
- name: greet
  hosts: all
  gather_facts: false
  tasks:
    - name: greeting
      copy: {dest: '{{ host_home }}/greeting', content: hello}
",
    );
    (scratch, fleet)
}

/// Runs it for people; the port of the host is `[PORT]`.
fn barred(scratch: &Scratch, fleet: &Fleet, why: &str) {
    let mut ended = scratch.evenkeel(&["run", "-i", "inventory.ini", "site.yml"]);
    let port = fleet.port(1).to_string();
    let plain = |text: &str| {
        text.replace(&port, "[PORT]")
            .replace(&Fleet::fingerprint(1), "[SHOWN]")
            .replace(&Fleet::fingerprint(2), "[OTHER]")
            .replace(
                "SHA256:FK0+xLTdgoCtOxuwvYvSJniYq7xVXQEhsrsGnc1IHPM",
                "[KEY]",
            )
    };
    ended.stdout = plain(&ended.stdout);
    ended.stderr = plain(&ended.stderr);
    let text = format!(
        "unreachable   h1  cannot be reached: {why}

host  changed  unchanged  failed
h1          0          0       0  unreachable

1 host: 0 changed, 1 host unreachable in [TIME], 1 exchange
"
    );
    let ended = ended.status(4).stdout_is(scratch, &text);
    assert_eq!(ended.stderr, "", "{ended}");
    assert!(!scratch.has("homes/h1/greeting"));
}

#[test]
fn a_changed_host_key() {
    let (scratch, fleet) = one();
    let other = Fleet::host_key(2);
    scratch.file(
        ".ssh/known_hosts",
        &format!("# mine\n[127.0.0.1]:{} {other}\n", fleet.port(1)),
    );
    barred(
        &scratch,
        &fleet,
        "127.0.0.1 port [PORT]: its key has CHANGED: it shows ssh-ed25519 [SHOWN], known is \
         ssh-ed25519 [OTHER] ([DIR]/.ssh/known_hosts:2). Either it was set up anew, or somebody else answers in \
         its place\n    help: ask whoever set it up; if the new key is right, take out the old one: `ssh-keygen -f \
         '[DIR]/.ssh/known_hosts' -R '[127.0.0.1]:[PORT]'`, and write the new one down",
    );
}

#[test]
fn a_revoked_host_key() {
    let (scratch, fleet) = one();
    let known = scratch.read(".ssh/known_hosts");
    let revoked = format!("{known}@revoked * {}\n", Fleet::host_key(1));
    scratch.file(".ssh/known_hosts", &revoked);
    barred(
        &scratch,
        &fleet,
        "127.0.0.1 port [PORT]: its key is REVOKED: ssh-ed25519 [SHOWN] ([DIR]/.ssh/known_hosts:2)\n    \
         help: give the host a new key and write that down; whoever revoked the old one knows why",
    );
}

#[test]
fn an_unknown_host_key() {
    let (scratch, fleet) = one();
    scratch.file(".ssh/known_hosts", "");
    barred(
        &scratch,
        &fleet,
        "127.0.0.1 port [PORT]: its key is not known: ssh-ed25519 [SHOWN]\n    help: compare it with \
         what `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` prints on the host, then add it: `ssh-keyscan -p \
         [PORT] 127.0.0.1 >> '[DIR]/.ssh/known_hosts'`; or have keys trusted at first sight: \
         `StrictHostKeyChecking accept-new` in the configuration of ssh",
    );
}

#[test]
fn a_wrong_password() {
    let (scratch, fleet) = one();
    let host = scratch.read("inventory.ini");
    scratch.file(
        "inventory.ini",
        &format!(
            "{} ansible_user=eve ansible_password='not that'\n",
            host.trim_end()
        ),
    );
    barred(
        &scratch,
        &fleet,
        "127.0.0.1 port [PORT]: `eve` was not let in. The host takes publickey; refused: key \
         `[DIR]/.ssh/key` ([KEY]), the password\n    help: correct the password (`ansible_password`) or the user \
         (`ansible_user`, `--user`)",
    );
}

#[test]
fn a_dead_gateway() {
    let (scratch, fleet) = one();
    let config = scratch.read(".ssh/config");
    // Port 1 of this machine: nobody listens there.
    scratch.file(
        ".ssh/config",
        &format!("Host h1\n  ProxyJump gate\nHost gate\n  Port 1\n{config}"),
    );
    barred(
        &scratch,
        &fleet,
        "gateway `127.0.0.1 port 1`: 127.0.0.1:1: connection refused\n    help: see whether that machine \
         is up and sshd listens there, or take another way: `ProxyJump` in the configuration of ssh; where the \
         host is, say `ansible_host` and `ansible_port`",
    );
}
