//! The passwords that are given, each with its id, and what they opened so far.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use evenkeel_engine::{Secret, sha256};

use super::{
    Origin,
    envelope::{Envelope, Misfit},
};
use crate::words::list;

/// The id of a password that is given without one.
pub const DEFAULT: &str = "default";

/// Asks a person for a password; gets the words that say which.
pub type Asker = Arc<dyn Fn(&str) -> Result<Secret, String> + Send + Sync>;

/// One password: its id, and where it comes from.
pub struct Identity {
    id: String,
    origin: Origin,
    asked: OnceLock<Result<Secret, String>>,
}

/// The passwords of a run, in the order in which they are tried.
#[derive(Default)]
pub struct Keyring {
    identities: Vec<Identity>,
    opened: Mutex<BTreeMap<[u8; 32], Result<Secret, Trouble>>>,
    closed: bool,
}

/// Why a vault stays closed, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
}

/// What stands as the code of such an error.
pub(crate) const CODE: &str = "vault";

impl Identity {
    /// A password of this id.
    pub fn new(id: impl Into<String>, origin: Origin) -> Self {
        Self {
            id: id.into(),
            origin,
            asked: OnceLock::new(),
        }
    }

    /// Whose password it is.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The password; whoever has to be asked is asked once.
    pub fn password(&self) -> Result<&Secret, &str> {
        let asked = self.asked.get_or_init(|| self.origin.password(&self.id));
        asked.as_ref().map_err(String::as_str)
    }
}

impl Keyring {
    /// With these passwords.
    pub fn new(identities: Vec<Identity>) -> Self {
        Self {
            identities,
            ..Self::default()
        }
    }

    /// The same, for who shows variables and no secrets: values that are encrypted stay closed, files are opened.
    #[must_use]
    pub fn closed(self) -> Self {
        Self {
            closed: true,
            ..self
        }
    }

    /// The passwords.
    pub fn identities(&self) -> &[Identity] {
        &self.identities
    }

    /// Whether single values stay closed.
    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Gets all passwords, so that nobody is asked later on, in the middle of a run.
    pub fn prepare(&self) {
        for identity in &self.identities {
            // What is wrong with one is said where it is missed.
            identity.password().ok();
        }
    }

    /// What is in a vault. It is opened once, however often it is met.
    pub fn open(&self, envelope: &Envelope) -> Result<Secret, Trouble> {
        let key = sha256(envelope.text().as_bytes());
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        let found = opened
            .entry(key)
            .or_insert_with(|| self.find(envelope).map(|(_, plain)| plain));
        found.clone()
    }

    /// The password that opens a vault, and what is in it.
    pub fn find(&self, envelope: &Envelope) -> Result<(&Identity, Secret), Trouble> {
        if self.identities.is_empty() {
            return Err(no_password(envelope));
        }
        let (of_id, others): (Vec<_>, Vec<_>) = self
            .identities
            .iter()
            .partition(|identity| envelope.id() == Some(&identity.id));
        let (mut tried, mut failed) = (Vec::new(), Vec::new());
        for identity in of_id.iter().chain(&others) {
            let password = match identity.password() {
                Ok(password) => password,
                Err(why) => {
                    failed.push((*identity, why));
                    continue;
                }
            };
            match envelope.open(password) {
                Ok(plain) => return Ok((*identity, Secret::new(&*plain))),
                Err(Misfit::Padding) => {
                    return Err(Trouble {
                        message: format!("the password of `{}` fits, and what it gives does not end as it should", identity.id),
                        help: "it was made by a program that does not keep to the format: encrypt the text anew".to_owned(),
                    });
                }
                Err(Misfit::Seal) => tried.push(identity.id.as_str()),
            }
        }
        if let Some((identity, why)) = failed.first() {
            return Err(Trouble {
                message: format!(
                    "the password of the vault id `{}` is not to be had: {why}",
                    identity.id
                ),
                help: format!("it is to come from {}", identity.origin),
            });
        }
        Err(no_fit(envelope, &tried, of_id.is_empty()))
    }
}

/// No password is there at all.
fn no_password(envelope: &Envelope) -> Trouble {
    let id = envelope.id().map(|id| format!(" (its id is `{id}`)"));
    let way = match envelope.id() {
        Some(id) => format!("`--vault-id {id}@FILE`"),
        None => "`--vault-password-file FILE`".to_owned(),
    };
    Trouble {
        message: format!(
            "this is encrypted{}, and no password of a vault is given",
            id.unwrap_or_default()
        ),
        help: format!("give it: {way}, or `--ask-vault-pass` to be asked"),
    }
}

/// None of the passwords opens it.
fn no_fit(envelope: &Envelope, tried: &[&str], unknown: bool) -> Trouble {
    let mut ids: Vec<&str> = Vec::new();
    for id in tried {
        if !ids.contains(id) {
            ids.push(id);
        }
    }
    let tried = if ids == [DEFAULT] {
        "the password that is given does not open it".to_owned()
    } else {
        format!("no password opens it: tried those of {}", list(&ids, "and"))
    };
    match envelope.id() {
        Some(id) if unknown => Trouble {
            message: format!("{tried}; it wants that of the id `{id}`"),
            help: format!("give that: `--vault-id {id}@FILE`"),
        },
        _ => Trouble {
            message: tried,
            help: "check the password; where it is the right one, the text was damaged: \
                   take it from where it was encrypted"
                .to_owned(),
        },
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} from {}", self.id, self.origin)
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.identities).finish()
    }
}
