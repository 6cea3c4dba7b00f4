//! `$2b$`: bcrypt.

use blowfish::Blowfish;

const LETTERS: &[u8; 64] = b"./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// How long a password counts.
const LONGEST: usize = 72;

/// bcrypt with 2 to the power of `cost` rounds; `ident` is `2a`, `2b` or `2y`.
pub(in crate::template) fn bcrypt(
    password: &str,
    salt: &[u8; 16],
    cost: u32,
    ident: &str,
) -> String {
    let mut key = password.as_bytes().to_vec();
    key.push(0);
    key.truncate(LONGEST);
    let mut state = Blowfish::bc_init_state();
    state.salted_expand_key(salt, &key);
    for _ in 0..1_u32 << cost {
        state.bc_expand_key(&key);
        state.bc_expand_key(salt);
    }
    let mut bytes = Vec::new();
    for pair in b"OrpheanBeholderScryDoubt".chunks_exact(8) {
        let word =
            |at: usize| u32::from_be_bytes([pair[at], pair[at + 1], pair[at + 2], pair[at + 3]]);
        let mut both = [word(0), word(4)];
        for _ in 0..64 {
            both = state.bc_encrypt(both);
        }
        bytes.extend(both.iter().flat_map(|word| word.to_be_bytes()));
    }
    let (salt, sum) = (encoded(salt), encoded(&bytes[..23]));
    format!("${ident}${cost:02}${salt}{sum}")
}

/// Bytes as bcrypt writes them.
fn encoded(bytes: &[u8]) -> String {
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let at = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let word = at(0) << 16 | at(1) << 8 | at(2);
        for index in 0..=chunk.len() {
            out.push(char::from(
                LETTERS[(word >> (18 - 6 * index) & 63) as usize],
            ));
        }
    }
    out
}

/// The salt that 22 letters mean; bits too many are left out.
pub(in crate::template) fn decoded(text: &str) -> Option<[u8; 16]> {
    let (mut bytes, mut word, mut bits) = (Vec::new(), 0_u32, 0_u32);
    for letter in text.bytes() {
        let value = LETTERS.iter().position(|known| *known == letter)?;
        word = word << 6 | u32::try_from(value).ok()?;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((word >> bits & 255) as u8);
        }
    }
    (text.len() == 22).then(|| bytes.try_into().ok()).flatten()
}
