//! Local files that tasks carry to a host: known by digest before planning, read when sent.

use std::{
    fmt, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use crate::{secret::Secret, value::Value};

/// A SHA-256.
pub type Sha = [u8; 32];

/// The SHA-256 of bytes.
pub fn sha256(bytes: &[u8]) -> Sha {
    Sha256::digest(bytes).into()
}

/// Lower-case hexadecimal, as `sha256sum` prints it.
pub fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            write!(text, "{byte:02x}").expect("writing to a String cannot fail");
            text
        })
}

/// The SHA-256 of its hexadecimal digits.
pub fn unhex(digits: &str) -> Option<Sha> {
    let mut sha = [0; 32];
    if digits.len() != 64 || !digits.is_ascii() {
        return None;
    }
    for (byte, at) in sha.iter_mut().zip((0..).step_by(2)) {
        *byte = u8::from_str_radix(digits.get(at..at + 2)?, 16).ok()?;
    }
    Some(sha)
}

/// One file on the controller: inline bytes, or a file known by digest, length and mode.
#[derive(Clone, PartialEq, Eq)]
pub struct Source(Arc<Inner>);

#[derive(PartialEq, Eq)]
struct Inner {
    name: String,
    digest: Sha,
    /// SHA-1, of a file: what tools of others tell.
    sha1: Option<[u8; 20]>,
    len: u64,
    mode: u32,
    body: Body,
    /// The bytes, where they must not be shown.
    secret: Option<Secret>,
}

#[derive(PartialEq, Eq)]
enum Body {
    Inline(Vec<u8>),
    File(PathBuf),
    /// The files below a directory, by relative path, sorted; directories themselves end in `/`.
    Tree(Vec<(String, Source)>),
}

impl Source {
    /// Bytes made by a program; `name` is what messages call them.
    pub fn inline(name: impl Into<String>, bytes: Vec<u8>) -> Self {
        Self(Arc::new(Inner {
            name: name.into(),
            digest: sha256(&bytes),
            sha1: Some(Sha1::digest(&bytes).into()),
            len: bytes.len() as u64,
            mode: 0o644,
            body: Body::Inline(bytes),
            secret: None,
        }))
    }

    /// Bytes that must not be shown, in the place of a file of this machine whose permission bits are `mode`.
    pub fn secret(name: impl Into<String>, secret: Secret, mode: u32) -> Self {
        Self(Arc::new(Inner {
            name: name.into(),
            digest: sha256(secret.reveal()),
            sha1: None,
            len: secret.reveal().len() as u64,
            mode,
            body: Body::Inline(secret.reveal().to_vec()),
            secret: Some(secret),
        }))
    }

    /// The bytes, where they must not be shown.
    pub fn as_secret(&self) -> Option<&Secret> {
        self.0.secret.as_ref()
    }

    /// Reads a file or a directory tree of this machine: digests now, bytes again when they are
    /// sent. `name` is what messages and reasons call it.
    pub fn open(name: impl Into<String>, path: &Path) -> io::Result<Self> {
        let (name, meta) = (name.into(), std::fs::metadata(path)?);
        let mode = mode_of(&meta);
        if meta.is_dir() {
            let mut entries = Vec::new();
            list(path, "", &mut entries)?;
            let mut hasher = Sha256::new();
            for (relative, source) in &entries {
                hasher.update((relative.len() as u64).to_be_bytes());
                hasher.update(relative);
                hasher.update(source.digest());
                hasher.update(source.mode().to_be_bytes());
            }
            let digest = hasher.finalize().into();
            let len = entries.iter().map(|(_, source)| source.len()).sum();
            return Ok(Self(Arc::new(Inner {
                name,
                digest,
                sha1: None,
                len,
                mode,
                body: Body::Tree(entries),
                secret: None,
            })));
        }
        let (digest, sha1, len) = digests_of(path)?;
        Ok(Self(Arc::new(Inner {
            name,
            digest,
            sha1: Some(sha1),
            len,
            mode,
            body: Body::File(path.to_owned()),
            secret: None,
        })))
    }

    /// What messages call it.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// SHA-256 of the bytes; of a tree, over its names, digests and modes.
    pub fn digest(&self) -> Sha {
        self.0.digest
    }

    /// SHA-1 of the bytes of a file that may be shown: for what is compared with what other tools tell.
    pub fn sha1(&self) -> Option<[u8; 20]> {
        self.0.sha1
    }

    /// Length in bytes.
    pub fn len(&self) -> u64 {
        self.0.len
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.0.len == 0
    }

    /// Permission bits on this machine; 0644 for inline bytes.
    pub fn mode(&self) -> u32 {
        self.0.mode
    }

    /// The entries of a directory tree; nothing for a file. Names that end in `/` are directories.
    pub fn tree(&self) -> Option<&[(String, Self)]> {
        match &self.0.body {
            Body::Tree(entries) => Some(entries),
            Body::Inline(_) | Body::File(_) => None,
        }
    }

    /// The bytes; an error if the file is gone or no longer the one whose digest was taken.
    pub fn read(&self) -> io::Result<Vec<u8>> {
        let (mut reader, mut bytes) = (self.reader()?, Vec::new());
        loop {
            let chunk = reader.next()?;
            if chunk.is_empty() {
                return Ok(bytes);
            }
            bytes.extend(chunk);
        }
    }

    /// The bytes, some at a time.
    pub(crate) fn reader(&self) -> io::Result<Reader> {
        let file: Box<dyn io::Read + Send> = match &self.0.body {
            Body::Inline(bytes) => Box::new(io::Cursor::new(bytes.clone())),
            Body::File(path) => Box::new(std::fs::File::open(path)?),
            Body::Tree(_) => return Err(io::Error::other("is a directory")),
        };
        Ok(Reader {
            file,
            left: self.0.len,
            hasher: Sha256::new(),
            digest: self.0.digest,
        })
    }
}

/// Reads a [`Source`] some bytes at a time. It never gives more than the length that was seen, and
/// keeps the last bytes back until the digest was found to be the one that was taken.
pub(crate) struct Reader {
    file: Box<dyn io::Read + Send>,
    left: u64,
    hasher: Sha256,
    digest: Sha,
}

impl Reader {
    /// The next bytes; none at the end. An error if it is no longer the file that was seen.
    pub(crate) fn next(&mut self) -> io::Result<Vec<u8>> {
        use io::Read as _;
        const CHUNK: u64 = 256 * 1024;
        let changed = || io::Error::other("changed on this machine while the run was going on");
        let mut chunk = Vec::new();
        let want = self.left.min(CHUNK);
        (&mut self.file).take(want).read_to_end(&mut chunk)?;
        self.left -= want;
        self.hasher.update(&chunk);
        let short = (chunk.len() as u64) < want;
        if short || self.left == 0 && !self.is_whole()? {
            return Err(changed());
        }
        Ok(chunk)
    }

    /// Whether the file ends here, and its bytes have the digest.
    fn is_whole(&mut self) -> io::Result<bool> {
        use io::Read as _;
        let ends = self.file.read(&mut [0])? == 0;
        Ok(ends && self.hasher.clone().finalize()[..] == self.digest)
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Source({:?}, {})",
            self.0.name,
            &hex(&self.0.digest)[..12]
        )
    }
}

impl Serialize for Source {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        crate::value::leaf(&Value::Source(self.clone()), serializer)
    }
}

impl<'de> Deserialize<'de> for Source {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Source(source) => Ok(source),
            value => Err(de::Error::custom(format_args!(
                "expected a local file, found {}",
                value.kind()
            ))),
        }
    }
}

impl schemars::JsonSchema for Source {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "LocalFile".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        String::json_schema(generator)
    }
}

pub(crate) fn digest_of(path: &Path) -> io::Result<Sha> {
    Ok(digests_of(path)?.0)
}

/// SHA-256, SHA-1 and length of a file.
fn digests_of(path: &Path) -> io::Result<(Sha, [u8; 20], u64)> {
    use io::Read as _;
    let (mut file, mut hasher, mut len) = (std::fs::File::open(path)?, Sha256::new(), 0);
    let mut sha1 = Sha1::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            return Ok((hasher.finalize().into(), sha1.finalize().into(), len));
        }
        hasher.update(&buffer[..count]);
        sha1.update(&buffer[..count]);
        len += count as u64;
    }
}

fn mode_of(meta: &std::fs::Metadata) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    meta.permissions().mode() & 0o7777
}

fn list(dir: &Path, prefix: &str, into: &mut Vec<(String, Source)>) -> io::Result<()> {
    let mut names = std::fs::read_dir(dir)?
        .map(|entry| entry.map(|e| e.file_name()))
        .collect::<io::Result<Vec<_>>>()?;
    names.sort();
    for name in names {
        let path = dir.join(&name);
        let text = name.to_str().ok_or_else(|| {
            io::Error::other(format!("the name of `{}` is not UTF-8", path.display()))
        })?;
        let relative = format!("{prefix}{text}");
        if path.is_dir() {
            let mode = mode_of(&std::fs::metadata(&path)?);
            let here = Inner {
                name: relative.clone(),
                digest: sha256(b""),
                sha1: None,
                len: 0,
                mode,
                body: Body::Inline(Vec::new()),
                secret: None,
            };
            into.push((format!("{relative}/"), Source(Arc::new(here))));
            list(&path, &format!("{relative}/"), into)?;
        } else {
            let source = Source::open(relative.as_str(), &path).map_err(|error| {
                let what = if path.is_symlink() { "link" } else { "file" };
                io::Error::new(
                    error.kind(),
                    format!("the {what} `{relative}` in it: {error}"),
                )
            })?;
            into.push((relative, source));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(bytes: &[u8]) -> (tempfile::TempDir, PathBuf, Source) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        std::fs::write(&path, bytes).unwrap();
        let source = Source::open("file", &path).unwrap();
        (dir, path, source)
    }

    #[test]
    fn a_file_is_read_as_it_was_or_not_at_all() {
        for len in [0, 1, 256 * 1024, 600_000] {
            let bytes: Vec<u8> = (0..=250).cycle().take(len).collect();
            let (_dir, path, source) = opened(&bytes);
            assert!(source.read().unwrap() == bytes, "{len}");
            let longer = [&bytes[..], b"x"].concat();
            let mut other = bytes.clone();
            other.pop();
            let shorter = other.clone();
            other.push(255);
            for changed in [longer, shorter, other] {
                if changed == bytes {
                    continue;
                }
                std::fs::write(&path, &changed).unwrap();
                let error = source.read().unwrap_err();
                assert!(
                    error.to_string().contains("changed on this machine"),
                    "{error}"
                );
            }
        }
    }

    #[test]
    fn no_more_is_read_than_was_seen() {
        let (_dir, path, source) = opened(b"seen");
        std::fs::write(&path, vec![b'x'; 1_000_000]).unwrap();
        assert!(source.reader().unwrap().next().is_err());
    }
}
