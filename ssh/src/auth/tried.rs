//! What was tried at a login, and what that means for whoever has to mend it.

use std::path::PathBuf;

use russh::{MethodKind, MethodSet};

use crate::trouble::Trouble;

/// What was tried so far.
#[derive(Debug, Default)]
pub(super) struct Tried {
    /// What the host said it takes, at last.
    pub(super) takes: Option<MethodSet>,
    /// What it took without letting anybody in: it wants more.
    taken: Vec<String>,
    /// Keys that it refused.
    refused: Vec<String>,
    /// Key files that nobody opened.
    pub(super) locked: Vec<PathBuf>,
    /// What went wrong on this side.
    pub(super) notes: Vec<String>,
    /// How often the host was asked to let somebody in.
    pub(super) attempts: usize,
    pub(super) password_refused: bool,
}

const PASSWORD: &str = "the password";

impl Tried {
    /// Says something once.
    pub(super) fn note(&mut self, text: String) {
        if !self.notes.contains(&text) {
            self.notes.push(text);
        }
    }

    /// A key is refused, until the host says otherwise.
    pub(super) fn key_is_refused(&mut self, shown: &str) {
        if !self.refused.iter().any(|known| known == shown) {
            self.refused.push(shown.to_owned());
        }
    }

    /// A key was right, and not enough.
    pub(super) fn key_was_taken(&mut self, shown: String) {
        self.refused.retain(|known| *known != shown);
        self.taken.push(shown);
    }

    /// The password was right, and not enough.
    pub(super) fn password_was_taken(&mut self) {
        self.password_refused = false;
        self.taken.push(PASSWORD.to_owned());
    }

    /// What it refused.
    fn all_refused(&self) -> String {
        let password = self.password_refused.then_some(PASSWORD);
        let all = self.refused.iter().map(String::as_str).chain(password);
        all.collect::<Vec<_>>().join(", ")
    }

    /// The host ended the connection before it had judged, with these words.
    pub(super) fn cut_off(&self, user: &str, why: Option<String>) -> Trouble {
        let why = why.unwrap_or_else(|| "it closed the connection".to_owned());
        // It names no method that is left.
        if why == russh::Error::NoAuthMethod.to_string() {
            return self.failed(user);
        }
        if !why.contains("oo many authentication failures") {
            return Trouble::passing(format!("the login broke off: {why}"));
        }
        Trouble::lasting(
            format!(
                "`{user}` was not let in: the host takes no more than {} attempts. Refused: {}",
                self.attempts,
                self.all_refused()
            ),
            "name the one key that is right (`--private-key`, `ansible_ssh_private_key_file`), and \
             `IdentitiesOnly yes` in the configuration of ssh if the agent holds many",
        )
    }

    /// Nothing is left to try.
    pub(super) fn failed(&self, user: &str) -> Trouble {
        let takes = self.takes.clone().unwrap_or_else(MethodSet::empty);
        let names: Vec<&str> = takes.iter().map(<&str>::from).collect();
        let mut names = names.join(", ");
        if names.is_empty() {
            "nothing that evenkeel knows".clone_into(&mut names);
        }
        let stand = if self.taken.is_empty() {
            format!("takes {names}")
        } else {
            let taken = self.taken.join(", ");
            format!("has taken {taken}, and wants {names} as well")
        };
        let mut why = format!("`{user}` was not let in. The host {stand}");
        let refused = self.all_refused();
        if !refused.is_empty() {
            why += "; refused: ";
            why += &refused;
        } else if self.taken.is_empty() {
            why += "; there was nothing to log in with";
        }
        for note in &self.notes {
            why += "; ";
            why += note;
        }
        Trouble::lasting(why, self.advice(&takes))
    }

    fn advice(&self, takes: &MethodSet) -> String {
        let keys = takes.contains(&MethodKind::PublicKey);
        let words = takes.contains(&MethodKind::Password)
            || takes.contains(&MethodKind::KeyboardInteractive);
        let user = "the user (`ansible_user`, `--user`)";
        if self.password_refused {
            return format!("correct the password (`ansible_password`) or {user}");
        }
        if let (true, [file, ..]) = (keys, self.locked.as_slice()) {
            return format!(
                "open the key for the agent: `ssh-add {}`; at a terminal, evenkeel asks for the \
                 passphrase",
                file.display()
            );
        }
        match (keys, words) {
            (true, _) if !self.taken.is_empty() => {
                "name another key as well (`IdentityFile` in the configuration of ssh), or load it \
                 into the agent"
                    .to_owned()
            }
            (true, _) if self.refused.is_empty() => format!(
                "name a key (`--private-key`, `ansible_ssh_private_key_file`), load it into the \
                 agent, or correct {user}{}",
                if words {
                    "; the host also takes a password: `ansible_password`"
                } else {
                    ""
                }
            ),
            (true, _) => format!(
                "put one of these keys into the user's `~/.ssh/authorized_keys` on the host, name \
                 another (`--private-key`, `ansible_ssh_private_key_file`), or correct {user}"
            ),
            (false, true) => {
                "this host wants a password: set `ansible_password`, or say `--ask-pass`".to_owned()
            }
            (false, false) => {
                "reach it with the system's ssh: `ansible_connection: openssh`".to_owned()
            }
        }
    }
}
