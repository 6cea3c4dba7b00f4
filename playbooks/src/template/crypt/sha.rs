//! `$5$` and `$6$`: crypt of SHA-256 and SHA-512.

use sha2::{Digest, Sha256, Sha512};

use super::put;

/// The algorithm's own number of rounds, which is not written down.
const USUAL: u32 = 5000;

/// SHA-512 crypt.
pub(in crate::template) fn sha512(password: &str, salt: &str, rounds: u32) -> String {
    let sum = sum::<Sha512>(password.as_bytes(), salt.as_bytes(), rounds);
    let (mut a, mut b, mut c) = (0, 21, 42);
    let mut out = String::new();
    for _ in 0..21 {
        put(&mut out, [sum[a], sum[b], sum[c]], 4);
        (a, b, c) = (b + 1, c + 1, a + 1);
    }
    put(&mut out, [0, 0, sum[63]], 2);
    format!("$6${}{salt}${out}", shown(rounds))
}

/// SHA-256 crypt.
pub(in crate::template) fn sha256(password: &str, salt: &str, rounds: u32) -> String {
    let sum = sum::<Sha256>(password.as_bytes(), salt.as_bytes(), rounds);
    let (mut a, mut b, mut c) = (0, 10, 20);
    let mut out = String::new();
    for _ in 0..10 {
        put(&mut out, [sum[a], sum[b], sum[c]], 4);
        (a, b, c) = (c + 1, a + 1, b + 1);
    }
    put(&mut out, [0, sum[31], sum[30]], 3);
    format!("$5${}{salt}${out}", shown(rounds))
}

fn shown(rounds: u32) -> String {
    if rounds == USUAL {
        String::new()
    } else {
        format!("rounds={rounds}$")
    }
}

/// What is made of a password, in the order of the digest.
fn sum<D: Digest>(key: &[u8], salt: &[u8], rounds: u32) -> Vec<u8> {
    let first = digest::<D>(&[key, salt, key]);
    let mut a = D::new();
    a.update(key);
    a.update(salt);
    a.update(repeated(&first, key.len()));
    let mut length = key.len();
    while length > 0 {
        a.update(if length & 1 == 1 { &first[..] } else { key });
        length >>= 1;
    }
    let mut sum: Vec<u8> = a.finalize().to_vec();
    let p = repeated(&digest::<D>(&vec![key; key.len()]), key.len());
    let times = 16 + usize::from(sum[0]);
    let s = repeated(&digest::<D>(&vec![salt; times]), salt.len());
    for round in 0..rounds {
        let mut c = D::new();
        c.update(if round % 2 == 1 { &p } else { &sum });
        if round % 3 != 0 {
            c.update(&s);
        }
        if round % 7 != 0 {
            c.update(&p);
        }
        c.update(if round % 2 == 1 { &sum } else { &p });
        sum.copy_from_slice(&c.finalize());
    }
    sum
}

fn digest<D: Digest>(parts: &[&[u8]]) -> Vec<u8> {
    let mut hasher = D::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().to_vec()
}

fn repeated(bytes: &[u8], length: usize) -> Vec<u8> {
    bytes.iter().copied().cycle().take(length).collect()
}
