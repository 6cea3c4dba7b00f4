//! What the clients of simulated hosts need.

use std::{fmt::Write as _, fs, os::unix::fs::PermissionsExt as _, path::Path};

use russh::keys::ssh_key::LineEnding;

use super::{Fleet, key};

/// Writes it.
pub(super) fn write(dir: &Path, ports: &[u16]) {
    let shown = dir.display().to_string();
    let shown = shown.trim_end_matches('/');
    let (mut known, mut inventory, mut config) = (String::new(), String::new(), String::new());
    for (at, port) in ports.iter().enumerate() {
        let number = at + 1;
        writeln!(known, "[127.0.0.1]:{port} {}", Fleet::host_key(number)).unwrap();
        writeln!(inventory, "h{number} host_home={shown}/homes/h{number}").unwrap();
        writeln!(config, "Host h{number}\n  Port {port}").unwrap();
    }
    write!(
        config,
        "Host *\n  HostName 127.0.0.1\n  User ada\n  IdentityFile {shown}/.ssh/key\n  IdentitiesOnly yes\n  \
         UserKnownHostsFile {shown}/.ssh/known_hosts\n  GlobalKnownHostsFile none\n"
    )
    .unwrap();
    let ssh = dir.join(".ssh");
    fs::create_dir_all(&ssh).unwrap();
    let text = key("user", 0).to_openssh(LineEnding::LF).unwrap();
    fs::write(ssh.join("key"), text.as_bytes()).unwrap();
    fs::set_permissions(ssh.join("key"), fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(ssh.join("known_hosts"), known).unwrap();
    fs::write(ssh.join("config"), config).unwrap();
    fs::write(dir.join("inventory.ini"), inventory).unwrap();
}
