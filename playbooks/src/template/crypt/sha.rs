//! `$5$` and `$6$`: crypt of SHA-256 and SHA-512.

use sha_crypt::{Error, Params, sha256_crypt, sha512_crypt};

use super::put;

/// The algorithm's own number of rounds, which is not written down.
const USUAL: u32 = 5000;

/// SHA-512 crypt.
pub(in crate::template) fn sha512(
    password: &str,
    salt: &str,
    rounds: u32,
) -> Result<String, Error> {
    let sum = sha512_crypt(password.as_bytes(), salt.as_bytes(), Params::new(rounds)?);
    let (mut a, mut b, mut c) = (0, 21, 42);
    let mut out = String::new();
    for _ in 0..21 {
        put(&mut out, [sum[a], sum[b], sum[c]], 4);
        (a, b, c) = (b + 1, c + 1, a + 1);
    }
    put(&mut out, [0, 0, sum[63]], 2);
    Ok(format!("$6${}{salt}${out}", shown(rounds)))
}

/// SHA-256 crypt.
pub(in crate::template) fn sha256(
    password: &str,
    salt: &str,
    rounds: u32,
) -> Result<String, Error> {
    let sum = sha256_crypt(password.as_bytes(), salt.as_bytes(), Params::new(rounds)?);
    let (mut a, mut b, mut c) = (0, 10, 20);
    let mut out = String::new();
    for _ in 0..10 {
        put(&mut out, [sum[a], sum[b], sum[c]], 4);
        (a, b, c) = (c + 1, a + 1, b + 1);
    }
    put(&mut out, [0, sum[31], sum[30]], 3);
    Ok(format!("$5${}{salt}${out}", shown(rounds)))
}

fn shown(rounds: u32) -> String {
    if rounds == USUAL {
        String::new()
    } else {
        format!("rounds={rounds}$")
    }
}
