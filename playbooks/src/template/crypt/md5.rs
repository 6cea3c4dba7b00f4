//! `$1$`: crypt of MD5.

use super::put;

/// MD5 crypt.
pub(in crate::template) fn md5(password: &str, salt: &str) -> String {
    let (key, salt) = (password.as_bytes(), salt.as_bytes());
    let digest = |parts: &[&[u8]]| ::md5::compute(parts.concat()).0;
    let first = digest(&[key, salt, key]);
    let mut text = [key, b"$1$", salt].concat();
    text.extend(first.iter().cycle().take(key.len()));
    let mut length = key.len();
    while length > 0 {
        text.push(if length & 1 == 1 {
            0
        } else {
            key.first().copied().unwrap_or(0)
        });
        length >>= 1;
    }
    let mut sum = digest(&[&text]);
    for round in 0..1000 {
        let odd = round % 2 == 1;
        let mut parts: Vec<&[u8]> = vec![if odd { key } else { &sum }];
        if round % 3 != 0 {
            parts.push(salt);
        }
        if round % 7 != 0 {
            parts.push(key);
        }
        parts.push(if odd { &sum } else { key });
        sum = digest(&parts);
    }
    let mut out = String::new();
    for (a, b, c) in [(0, 6, 12), (1, 7, 13), (2, 8, 14), (3, 9, 15), (4, 10, 5)] {
        put(&mut out, [sum[a], sum[b], sum[c]], 4);
    }
    put(&mut out, [0, 0, sum[11]], 2);
    let salt = String::from_utf8_lossy(salt);
    format!("$1${salt}${out}")
}
