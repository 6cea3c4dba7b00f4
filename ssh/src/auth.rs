//! Logging in: keys that were named, the agent's, those that lie about, then the password.

mod candidates;

use std::sync::Arc;

use russh::{
    MethodKind, MethodSet,
    client::{AuthResult, Handle, KeyboardInteractiveAuthResponse},
    keys::{
        Certificate, HashAlg, PrivateKey, PrivateKeyWithHashAlg, PublicKey, agent::AgentIdentity,
    },
};

use self::candidates::{Agent, Candidate};
use crate::{
    key_files::KeyFiles,
    route::Endpoint,
    session::{Guard, Told},
    trouble::Trouble,
};

/// How many questions of a host are answered in one login.
const QUESTIONS: usize = 8;

/// How many methods a host may want one after the other.
const ROUNDS: usize = 4;

/// Logs in, or says all that was tried.
pub(crate) async fn log_in(
    handle: &mut Handle<Guard>,
    to: &Endpoint,
    key_files: &Arc<KeyFiles>,
    told: &Told,
) -> Result<(), Trouble> {
    let mut login = Login {
        handle,
        to,
        told,
        takes: None,
        refused: Vec::new(),
        notes: Vec::new(),
        partly: false,
        password_refused: false,
    };
    let (mut agent, candidates) = candidates::of(to, key_files, &mut login.notes).await;
    if candidates.is_empty() {
        let result = login.handle.authenticate_none(&to.user).await;
        if login.ended(result.map_err(|error| error.to_string()))? {
            return Ok(());
        }
    }
    for _ in 0..ROUNDS {
        login.partly = false;
        if login.keys(&candidates, agent.as_mut()).await?
            || login.password().await?
            || login.questions().await?
        {
            return Ok(());
        }
        // A host that wants several methods takes one and asks for the next.
        if !login.partly {
            break;
        }
    }
    Err(login.failed())
}

struct Login<'a> {
    handle: &'a mut Handle<Guard>,
    to: &'a Endpoint,
    told: &'a Told,
    /// What the host said it takes.
    takes: Option<MethodSet>,
    refused: Vec<String>,
    notes: Vec<String>,
    partly: bool,
    password_refused: bool,
}

impl Login<'_> {
    fn may(&self, method: MethodKind) -> bool {
        let takes = self.takes.as_ref();
        takes.is_none_or(|takes| takes.contains(&method))
    }

    /// Whether that was the last word.
    fn ended(&mut self, result: Result<AuthResult, String>) -> Result<bool, Trouble> {
        match result {
            Ok(AuthResult::Success) => Ok(true),
            Ok(AuthResult::Failure {
                remaining_methods,
                partial_success,
            }) => {
                if self.handle.is_closed() || remaining_methods.is_empty() {
                    return Err(self.cut_off());
                }
                self.partly |= partial_success;
                self.takes = Some(remaining_methods);
                Ok(false)
            }
            Err(_) if self.handle.is_closed() => Err(self.cut_off()),
            Err(error) => {
                self.notes.push(error);
                Ok(false)
            }
        }
    }

    async fn keys(
        &mut self,
        candidates: &[Candidate],
        mut agent: Option<&mut Agent>,
    ) -> Result<bool, Trouble> {
        for candidate in candidates {
            if !self.may(MethodKind::PublicKey) || self.partly {
                break;
            }
            self.refused.push(candidate.shown());
            let user = self.to.user.as_str();
            let result = match candidate {
                Candidate::File { key, .. } => self.by_key(key).await,
                Candidate::Certified {
                    key, certificate, ..
                } => self
                    .handle
                    .authenticate_openssh_cert(user, Arc::clone(key), certificate.as_ref().clone())
                    .await
                    .map_err(|error| error.to_string()),
                Candidate::Agent(identity) => match agent.as_deref_mut() {
                    Some(agent) => self.by_agent(identity, agent).await,
                    None => continue,
                },
            };
            if self.ended(result)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn by_key(&mut self, key: &Arc<PrivateKey>) -> Result<AuthResult, String> {
        let hash = self.hash(key.public_key()).await;
        let key = PrivateKeyWithHashAlg::new(Arc::clone(key), hash);
        let result = self.handle.authenticate_publickey(&self.to.user, key);
        result.await.map_err(|error| error.to_string())
    }

    async fn by_agent(
        &mut self,
        identity: &AgentIdentity,
        agent: &mut Agent,
    ) -> Result<AuthResult, String> {
        let user = self.to.user.as_str();
        let result = match identity {
            AgentIdentity::PublicKey { key, .. } => {
                let hash = self.hash(key).await;
                self.handle
                    .authenticate_publickey_with(user, key.clone(), hash, agent)
                    .await
            }
            AgentIdentity::Certificate { certificate, .. } => {
                let hash = self.hash(&of_certificate(certificate)).await;
                self.handle
                    .authenticate_certificate_with(user, certificate.clone(), hash, agent)
                    .await
            }
        };
        result.map_err(|error| format!("the agent did not sign with {}: {error}", print(identity)))
    }

    /// What a signature by an RSA key is hashed with. Only they are asked about: an old host lets
    /// us wait for the answer.
    async fn hash(&self, key: &PublicKey) -> Option<HashAlg> {
        if !key.algorithm().is_rsa() {
            return None;
        }
        match self.handle.best_supported_rsa_hash().await {
            Ok(Some(best)) => best,
            _ => Some(HashAlg::Sha256),
        }
    }

    async fn password(&mut self) -> Result<bool, Trouble> {
        if !self.to.methods.password || !self.may(MethodKind::Password) || self.partly {
            return Ok(false);
        }
        let Some(password) = self.words() else {
            return Ok(false);
        };
        self.password_refused = true;
        let result = self.handle.authenticate_password(&self.to.user, password);
        let result = result.await.map_err(|error| error.to_string());
        self.ended(result)
    }

    fn words(&mut self) -> Option<String> {
        let password = self.to.password.as_ref()?;
        if self.told.is_doubtful() {
            let note = "the password was kept back: the host's key has changed".to_owned();
            if !self.notes.contains(&note) {
                self.notes.push(note);
            }
            return None;
        }
        String::from_utf8(password.reveal().to_vec()).ok()
    }

    /// `keyboard-interactive`: one hidden question is answered with the password.
    async fn questions(&mut self) -> Result<bool, Trouble> {
        if !self.to.methods.questions || !self.may(MethodKind::KeyboardInteractive) || self.partly {
            return Ok(false);
        }
        let Some(password) = self.words() else {
            return Ok(false);
        };
        let user = self.to.user.as_str();
        let mut asked = self
            .handle
            .authenticate_keyboard_interactive_start(user, None::<String>)
            .await;
        for _ in 0..QUESTIONS {
            match asked {
                Ok(KeyboardInteractiveAuthResponse::Success) => return Ok(true),
                Ok(KeyboardInteractiveAuthResponse::Failure {
                    remaining_methods,
                    partial_success,
                }) => {
                    return self.ended(Ok(AuthResult::Failure {
                        remaining_methods,
                        partial_success,
                    }));
                }
                Ok(KeyboardInteractiveAuthResponse::InfoRequest { prompts, .. }) => {
                    if let Some(open) = prompts.iter().find(|prompt| prompt.echo) {
                        self.notes.push(format!(
                            "it asks `{}`, which nobody answers here",
                            open.prompt.trim()
                        ));
                        return Ok(false);
                    }
                    self.password_refused |= !prompts.is_empty();
                    let answers = prompts.iter().map(|_| password.clone()).collect();
                    asked = self
                        .handle
                        .authenticate_keyboard_interactive_respond(answers)
                        .await;
                }
                Err(_) => return Err(self.cut_off()),
            }
        }
        self.notes.push("it asks without end".to_owned());
        Ok(false)
    }

    /// The host ended the connection before it had judged.
    fn cut_off(&self) -> Trouble {
        let why = self.told.ended();
        let why = why.unwrap_or_else(|| "it closed the connection".to_owned());
        // It names no method that is left.
        if why == russh::Error::NoAuthMethod.to_string() {
            return self.failed();
        }
        if !why.contains("oo many authentication failures") {
            return Trouble::passing(format!("the login broke off: {why}"));
        }
        Trouble::lasting(
            format!(
                "`{}` was not let in: the host takes no more than {} attempts. Refused: {}",
                self.to.user,
                self.refused.len(),
                self.refused.join(", ")
            ),
            "name the one key that is right (`--private-key`, `ansible_ssh_private_key_file`), and \
             `IdentitiesOnly yes` in the configuration of ssh if the agent holds many",
        )
    }

    fn failed(&self) -> Trouble {
        let takes = self.takes.clone().unwrap_or_else(MethodSet::empty);
        let names: Vec<&str> = takes.iter().map(<&str>::from).collect();
        let mut why = format!(
            "`{}` was not let in. The host takes {}",
            self.to.user,
            if names.is_empty() {
                "nothing that evenkeel knows".to_owned()
            } else {
                names.join(", ")
            }
        );
        let mut tried = self.refused.clone();
        if self.password_refused {
            tried.push("the password".to_owned());
        }
        if tried.is_empty() {
            why += "; there was nothing to log in with";
        } else {
            why += "; refused: ";
            why += &tried.join(", ");
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
        match (keys, words) {
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

fn of_certificate(certificate: &Certificate) -> PublicKey {
    certificate.public_key().clone().into()
}

/// A key as people know it.
fn print(identity: &AgentIdentity) -> String {
    match identity {
        AgentIdentity::PublicKey { key, .. } => key.fingerprint(HashAlg::Sha256).to_string(),
        AgentIdentity::Certificate { certificate, .. } => {
            format!("the certificate `{}`", certificate.key_id())
        }
    }
}
