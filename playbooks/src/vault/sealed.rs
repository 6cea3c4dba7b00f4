//! A value of a playbook that is still closed.

use std::{fmt, sync::Arc};

use evenkeel_engine::Secret;

use super::{
    envelope::{Damage, Envelope},
    keyring::{Keyring, Trouble},
};

/// An encrypted value and the passwords that may open it.
#[derive(Clone)]
pub struct Sealed {
    envelope: Envelope,
    keys: Arc<Keyring>,
}

impl Sealed {
    /// What stands under `!vault`.
    pub fn new(text: &str, keys: &Arc<Keyring>) -> Result<Self, Damage> {
        Ok(Self {
            envelope: Envelope::parse(text.trim_start().as_bytes())?,
            keys: Arc::clone(keys),
        })
    }

    /// The value. For who shows no secrets it is nothing.
    pub fn open(&self) -> Result<Secret, Trouble> {
        if self.keys.is_closed() {
            return Ok(Secret::new(""));
        }
        self.keys.open(&self.envelope)
    }
}

impl PartialEq for Sealed {
    fn eq(&self, other: &Self) -> bool {
        self.envelope == other.envelope
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.envelope.fmt(f)
    }
}
