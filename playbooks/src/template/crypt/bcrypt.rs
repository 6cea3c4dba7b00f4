//! `$2b$`: bcrypt.

use base64::{
    Engine as _, alphabet,
    engine::{GeneralPurpose, general_purpose::NO_PAD},
};
use bcrypt::{BcryptError, Version};

/// As Python takes a salt: what is left of the last bits does not matter.
const LETTERS: GeneralPurpose = GeneralPurpose::new(
    &alphabet::BCRYPT,
    NO_PAD.with_decode_allow_trailing_bits(true),
);

/// bcrypt with 2 to the power of `cost` rounds.
pub(in crate::template) fn bcrypt(
    password: &str,
    salt: [u8; 16],
    cost: u32,
    version: Version,
) -> Result<String, BcryptError> {
    let parts = bcrypt::hash_with_salt(password, cost, salt)?;
    Ok(parts.format_for_version(version))
}

/// The salt that 22 letters mean.
pub(in crate::template) fn decoded(text: &str) -> Option<[u8; 16]> {
    LETTERS.decode(text).ok()?.try_into().ok()
}
