//! Vaults: texts that a password encrypts, as `ansible-vault` writes and reads them.
//!
//! What comes out of one is a [`Secret`](evenkeel_engine::Secret) from then on. Deriving a key takes some
//! ten milliseconds, so a text is opened when its value is asked for, and once.

mod envelope;
mod keyring;
mod password;
mod sealed;

pub use envelope::{Damage, Envelope, Misfit, is_vault};
pub(crate) use keyring::CODE;
pub use keyring::{Asker, DEFAULT, Identity, Keyring, Trouble};
pub use password::{Origin, passwordless, program_output};
pub use sealed::Sealed;

#[cfg(test)]
mod tests;
