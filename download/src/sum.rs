//! Checksums of files.

use std::{fs::File, io, path::Path};

use evenkeel_engine::{download::Algorithm, hex};
use sha2::Digest;

/// The checksum of a file, in hexadecimal.
pub(crate) fn of(algorithm: Algorithm, path: &Path) -> io::Result<String> {
    match algorithm {
        Algorithm::Md5 => {
            let mut context = md5::Context::new();
            io::copy(&mut File::open(path)?, &mut context)?;
            Ok(hex(&context.finalize().0))
        }
        Algorithm::Sha1 => digest::<sha1::Sha1>(path),
        Algorithm::Sha224 => digest::<sha2::Sha224>(path),
        Algorithm::Sha256 => digest::<sha2::Sha256>(path),
        Algorithm::Sha384 => digest::<sha2::Sha384>(path),
        Algorithm::Sha512 => digest::<sha2::Sha512>(path),
    }
}

fn digest<D: Digest>(path: &Path) -> io::Result<String> {
    let (mut file, mut hasher) = (File::open(path)?, D::new());
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match io::Read::read(&mut file, &mut buffer)? {
            0 => return Ok(hex(&hasher.finalize())),
            count => hasher.update(&buffer[..count]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sums_of_abc() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("abc");
        std::fs::write(&path, "abc").unwrap();
        for (algorithm, begins) in [
            (Algorithm::Md5, "900150983cd24fb0"),
            (Algorithm::Sha1, "a9993e364706816a"),
            (Algorithm::Sha224, "23097d223405d822"),
            (Algorithm::Sha256, "ba7816bf8f01cfea"),
            (Algorithm::Sha384, "cb00753f45a35e8b"),
            (Algorithm::Sha512, "ddaf35a193617aba"),
        ] {
            let digits = of(algorithm, &path).unwrap();
            assert!(digits.starts_with(begins), "{algorithm:?}: {digits}");
            assert_eq!(digits.len(), algorithm.digits());
        }
    }
}
