//! Hashes of passwords, as crypt(3) makes them.

mod bcrypt;
mod md5;
mod sha;

pub(super) use bcrypt::{bcrypt, decoded as salt_of_bcrypt};
pub(super) use md5::md5;
pub(super) use sha::{sha256, sha512};

pub(super) const LETTERS: &[u8; 64] =
    b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Three bytes as letters, the last bits first.
fn put(out: &mut String, bytes: [u8; 3], letters: u32) {
    let mut word = u32::from(bytes[0]) << 16 | u32::from(bytes[1]) << 8 | u32::from(bytes[2]);
    for _ in 0..letters {
        out.push(char::from(LETTERS[(word & 63) as usize]));
        word >>= 6;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_crypt_makes_them() {
        // From the specifications of the algorithms.
        assert_eq!(
            sha512("Hello world!", "saltstring", 5000).unwrap(),
            "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1"
        );
        assert_eq!(
            sha512("Hello world!", "saltstringsaltst", 10000).unwrap(),
            "$6$rounds=10000$saltstringsaltst$OW1/O6BYHV6BcXZu8QVeXbDWra3Oeqh0sbHbbMCVNSnCM/UrjmM0Dp8vOuZeHBy/YTBmSK6H9qs/y3RnOaw5v."
        );
    }
}
