//! Ansible itself in the network of a lab, to compare with.

use std::{path::Path, process::Stdio};

use super::{Lab, boot::script};
use crate::{Ended, need};

/// Whether this machine has Ansible.
pub fn need_ansible() -> bool {
    need("ansible-playbook", "command -v ansible-playbook")
}

/// Whether its Ansible has a collection, such as `community.postgresql`.
pub fn need_collection(name: &str) -> bool {
    let listed = format!("ansible-galaxy collection list {name} | grep -q '^{name} '");
    need(&format!("collection {name} of Ansible"), &listed)
}

impl Lab {
    /// `ansible-playbook` with these arguments. All tasks share one connection for each host. What came of them is
    /// told by events as ours are; from now on it does not matter what is left on the hosts.
    pub fn ansible(&mut self, args: &[&str]) -> Ended {
        // What Ansible leaves behind is no matter of ours.
        self.quiet = true;
        let ssh = format!(
            "-F {} -o ControlPath=.tmp/%h",
            self.path(".ssh/config").display()
        );
        let persist = format!("{ssh} -o ControlMaster=auto -o ControlPersist=60");
        let mut ansible = self.within("ansible-playbook");
        ansible.args(args).args(["--forks", "10"]);
        ansible
            .env("ANSIBLE_SSH_ARGS", persist)
            .env("ANSIBLE_LOCAL_TEMP", self.path(".tmp/ansible"))
            .env("ANSIBLE_PIPELINING", "1")
            .env("ANSIBLE_STDOUT_CALLBACK", "told")
            .env("ANSIBLE_CALLBACK_PLUGINS", script("callbacks"))
            .env("LC_ALL", "C.UTF-8");
        let ended = self.ended(ansible.stdin(Stdio::null()));
        for host in self.hosts() {
            // Not all of them have one.
            if Path::new(&self.path(&format!(".tmp/{}", host.address()))).exists() {
                let mut exit = self.within("ssh");
                exit.args(ssh.split(' '))
                    .args(["-O", "exit", host.address()]);
                self.ended(&mut exit);
            }
        }
        ended
    }
}
