//! Logging in: keys that were named, the agent's, those that lie about, then the password.

mod candidates;
mod certified;
mod tried;

use std::sync::Arc;

use russh::{
    MethodKind,
    client::{AuthResult, Handle, KeyboardInteractiveAuthResponse},
    keys::{
        Certificate, HashAlg, PrivateKey, PrivateKeyWithHashAlg, PublicKey, agent::AgentIdentity,
    },
};

use self::{
    candidates::{Agent, Candidate},
    certified::Signs,
    tried::Tried,
};
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
    let mut tried = Tried::default();
    let (mut agent, mut candidates) = candidates::of(to, key_files, &mut tried).await;
    let mut login = Login {
        handle,
        to,
        told,
        tried,
    };
    if candidates.is_empty() {
        let result = login.handle.authenticate_none(&to.user).await;
        if login.judged(result.map_err(|error| error.to_string()))? == Judged::In {
            return Ok(());
        }
    }
    // A host that wants several methods takes one and asks for the next.
    for _ in 0..ROUNDS {
        let keys = login.keys(&mut candidates, agent.as_mut()).await?;
        let password = login.unless(keys, Method::Password).await?;
        match login.unless(password, Method::Questions).await? {
            Judged::In => return Ok(()),
            Judged::Partly => {}
            Judged::Refused => break,
        }
    }
    Err(login.tried.failed(&to.user))
}

/// What a host says to an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Judged {
    /// Welcome.
    In,
    /// This was right, and something else is wanted as well.
    Partly,
    /// No, or nothing was tried.
    Refused,
}

#[derive(Clone, Copy, Debug)]
enum Method {
    Password,
    Questions,
}

struct Login<'a> {
    handle: &'a mut Handle<Guard>,
    to: &'a Endpoint,
    told: &'a Told,
    tried: Tried,
}

impl Login<'_> {
    fn may(&self, method: MethodKind) -> bool {
        let takes = self.tried.takes.as_ref();
        takes.is_none_or(|takes| takes.contains(&method))
    }

    /// What the host said; an error if it was its last word.
    fn judged(&mut self, result: Result<AuthResult, String>) -> Result<Judged, Trouble> {
        self.tried.attempts += 1;
        match result {
            Ok(AuthResult::Success) => Ok(Judged::In),
            Ok(AuthResult::Failure {
                remaining_methods,
                partial_success,
            }) => {
                if self.handle.is_closed() || remaining_methods.is_empty() {
                    return Err(self.cut_off());
                }
                self.tried.takes = Some(remaining_methods);
                Ok(if partial_success {
                    Judged::Partly
                } else {
                    Judged::Refused
                })
            }
            Err(_) if self.handle.is_closed() => Err(self.cut_off()),
            Err(error) => {
                self.tried.note(error);
                Ok(Judged::Refused)
            }
        }
    }

    /// Keys, each once: those that were judged are taken out.
    async fn keys(
        &mut self,
        candidates: &mut Vec<Candidate>,
        mut agent: Option<&mut Agent>,
    ) -> Result<Judged, Trouble> {
        let mut at = 0;
        while at < candidates.len() {
            if !self.may(MethodKind::PublicKey) {
                break;
            }
            let candidate = &candidates[at];
            let result = match candidate {
                Candidate::File { key, .. } => self.by_key(key).await,
                Candidate::Certified {
                    key, certificate, ..
                } => self.by_certificate(key, certificate).await,
                Candidate::Agent(identity) => match agent.as_deref_mut() {
                    Some(agent) => self.by_agent(identity, agent).await,
                    None => Err("the agent has gone".to_owned()),
                },
            };
            let shown = candidate.shown(&self.to.user);
            // Should this be the last word, it was about this key.
            self.tried.key_is_refused(&shown);
            let first = self.tried.takes.is_none();
            let judged = self.judged(result)?;
            match judged {
                Judged::In => return Ok(judged),
                Judged::Partly => {
                    self.tried.key_was_taken(shown);
                    candidates.remove(at);
                    return Ok(judged);
                }
                // Maybe it wants something else first and did not look at the key.
                Judged::Refused if first && !self.may(MethodKind::PublicKey) => at += 1,
                Judged::Refused => drop(candidates.remove(at)),
            }
        }
        Ok(Judged::Refused)
    }

    async fn by_key(&mut self, key: &Arc<PrivateKey>) -> Result<AuthResult, String> {
        let hash = self.hash(key.public_key()).await;
        let key = PrivateKeyWithHashAlg::new(Arc::clone(key), hash);
        let result = self.handle.authenticate_publickey(&self.to.user, key);
        result.await.map_err(|error| error.to_string())
    }

    async fn by_certificate(
        &mut self,
        key: &PrivateKey,
        certificate: &Certificate,
    ) -> Result<AuthResult, String> {
        let hash = self.hash(key.public_key()).await;
        let (user, certificate) = (self.to.user.as_str(), certificate.clone());
        let mut signs = Signs(key);
        let result = self
            .handle
            .authenticate_certificate_with(user, certificate, hash, &mut signs);
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

    /// Goes on with another method if those before were refused.
    async fn unless(&mut self, before: Judged, method: Method) -> Result<Judged, Trouble> {
        match (before, method) {
            (Judged::Refused, Method::Password) => self.password().await,
            (Judged::Refused, Method::Questions) => self.questions().await,
            (done, _) => Ok(done),
        }
    }

    async fn password(&mut self) -> Result<Judged, Trouble> {
        if !self.to.methods.password || !self.may(MethodKind::Password) {
            return Ok(Judged::Refused);
        }
        let Some(password) = self.words() else {
            return Ok(Judged::Refused);
        };
        let result = self.handle.authenticate_password(&self.to.user, password);
        let result = result.await.map_err(|error| error.to_string());
        self.judged_password(result)
    }

    /// What the host said of the password, which it was told by a method.
    fn judged_password(&mut self, result: Result<AuthResult, String>) -> Result<Judged, Trouble> {
        // Should this be the last word, it was about the password.
        self.tried.password_refused = true;
        let judged = self.judged(result)?;
        if judged == Judged::Partly {
            self.tried.password_was_taken();
        }
        Ok(judged)
    }

    fn words(&mut self) -> Option<String> {
        let password = self.to.password.as_ref()?;
        if self.told.is_doubtful() {
            let note = "the password was kept back: the host's key has changed";
            self.tried.note(note.to_owned());
            return None;
        }
        String::from_utf8(password.reveal().to_vec()).ok()
    }

    /// `keyboard-interactive`: hidden questions are answered with the password.
    async fn questions(&mut self) -> Result<Judged, Trouble> {
        if !self.to.methods.questions || !self.may(MethodKind::KeyboardInteractive) {
            return Ok(Judged::Refused);
        }
        let Some(password) = self.words() else {
            return Ok(Judged::Refused);
        };
        let user = self.to.user.as_str();
        let mut answered = false;
        let mut asked = self
            .handle
            .authenticate_keyboard_interactive_start(user, None::<String>)
            .await;
        for _ in 0..QUESTIONS {
            match asked {
                Ok(KeyboardInteractiveAuthResponse::Success) => return Ok(Judged::In),
                Ok(KeyboardInteractiveAuthResponse::Failure {
                    remaining_methods,
                    partial_success,
                }) => {
                    let result = Ok(AuthResult::Failure {
                        remaining_methods,
                        partial_success,
                    });
                    return if answered {
                        self.judged_password(result)
                    } else {
                        self.judged(result)
                    };
                }
                Ok(KeyboardInteractiveAuthResponse::InfoRequest { prompts, .. }) => {
                    if let Some(open) = prompts.iter().find(|prompt| prompt.echo) {
                        let question = open.prompt.trim();
                        self.tried
                            .note(format!("it asks `{question}`, which nobody answers here"));
                        return Ok(Judged::Refused);
                    }
                    answered |= !prompts.is_empty();
                    let answers = prompts.iter().map(|_| password.clone()).collect();
                    asked = self
                        .handle
                        .authenticate_keyboard_interactive_respond(answers)
                        .await;
                }
                Err(_) => return Err(self.cut_off()),
            }
        }
        self.tried.note("it asks without end".to_owned());
        Ok(Judged::Refused)
    }

    /// The host ended the connection before it had judged.
    fn cut_off(&self) -> Trouble {
        self.tried.cut_off(&self.to.user, self.told.ended())
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
