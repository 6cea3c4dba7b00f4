//! `$6$` password hashes, as crypt(3) makes them.

use sha2::{Digest as _, Sha512};

const LETTERS: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// SHA-512 crypt. Without `rounds`: the algorithm's own 5000, as `openssl passwd -6` has it.
pub(super) fn sha512(password: &str, salt: &str, rounds: Option<u32>) -> String {
    let mut end = salt.len().min(16);
    while !salt.is_char_boundary(end) {
        end -= 1;
    }
    let (key, salt) = (password.as_bytes(), &salt[..end]);
    let count = rounds.unwrap_or(5000).clamp(1000, 999_999_999);
    let first = digest(&[key, salt.as_bytes(), key]);
    let mut a = Sha512::new();
    a.update(key);
    a.update(salt);
    a.update(repeated(&first, key.len()));
    let mut length = key.len();
    while length > 0 {
        a.update(if length & 1 == 1 { &first[..] } else { key });
        length >>= 1;
    }
    let mut sum: Vec<u8> = a.finalize().to_vec();
    let p = repeated(&digest(&vec![key; key.len()]), key.len());
    let times = 16 + usize::from(sum[0]);
    let s = repeated(&digest(&vec![salt.as_bytes(); times]), salt.len());
    for round in 0..count {
        let mut c = Sha512::new();
        c.update(if round % 2 == 1 { &p } else { &sum });
        if round % 3 != 0 {
            c.update(&s);
        }
        if round % 7 != 0 {
            c.update(&p);
        }
        c.update(if round % 2 == 1 { &sum } else { &p });
        sum = c.finalize().to_vec();
    }
    let rounds = rounds.map_or(String::new(), |_| format!("rounds={count}$"));
    format!("$6${rounds}{salt}${}", encoded(&sum))
}

fn digest(parts: &[&[u8]]) -> Vec<u8> {
    let mut hasher = Sha512::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().to_vec()
}

fn repeated(bytes: &[u8], length: usize) -> Vec<u8> {
    bytes.iter().copied().cycle().take(length).collect()
}

/// The algorithm's own order of bytes: each triple is the one before, 21 on and turned.
fn encoded(sum: &[u8]) -> String {
    let (mut a, mut b, mut c) = (0, 21, 42);
    let mut out = String::new();
    for _ in 0..21 {
        put(&mut out, [sum[a], sum[b], sum[c]], 4);
        (a, b, c) = (b + 1, c + 1, a + 1);
    }
    put(&mut out, [0, 0, sum[63]], 2);
    out
}

fn put(out: &mut String, bytes: [u8; 3], letters: u32) {
    let mut word = u32::from(bytes[0]) << 16 | u32::from(bytes[1]) << 8 | u32::from(bytes[2]);
    for _ in 0..letters {
        out.push(char::from(LETTERS[(word & 63) as usize]));
        word >>= 6;
    }
}

#[cfg(test)]
mod tests {
    use super::sha512;

    #[test]
    fn as_crypt_makes_them() {
        // From the specification of the algorithm.
        assert_eq!(
            sha512("Hello world!", "saltstring", None),
            "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1"
        );
        assert_eq!(
            sha512("Hello world!", "saltstringsaltstring", Some(10000)),
            "$6$rounds=10000$saltstringsaltst$OW1/O6BYHV6BcXZu8QVeXbDWra3Oeqh0sbHbbMCVNSnCM/UrjmM0Dp8vOuZeHBy/YTBmSK6H9qs/y3RnOaw5v."
        );
    }
}
