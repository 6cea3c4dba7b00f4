//! Local files that tasks carry to a host: known by digest before planning, read when sent.

use std::{
    fmt, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest as _, Sha256};

use crate::value::Value;

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

/// One file on the controller: inline bytes, or a file known by digest, length and mode.
#[derive(Clone, PartialEq, Eq)]
pub struct Source(Arc<Inner>);

#[derive(PartialEq, Eq)]
struct Inner {
    name: String,
    digest: Sha,
    len: u64,
    mode: u32,
    body: Body,
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
            len: bytes.len() as u64,
            mode: 0o644,
            body: Body::Inline(bytes),
        }))
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
                len,
                mode,
                body: Body::Tree(entries),
            })));
        }
        let (digest, len) = digest_of(path)?;
        Ok(Self(Arc::new(Inner {
            name,
            digest,
            len,
            mode,
            body: Body::File(path.to_owned()),
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
        let bytes = match &self.0.body {
            Body::Inline(bytes) => return Ok(bytes.clone()),
            Body::File(path) => std::fs::read(path)?,
            Body::Tree(_) => return Err(io::Error::other("is a directory")),
        };
        if sha256(&bytes) != self.0.digest {
            return Err(io::Error::other(
                "changed on this machine while the run was going on",
            ));
        }
        Ok(bytes)
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

fn digest_of(path: &Path) -> io::Result<(Sha, u64)> {
    use io::Read as _;
    let (mut file, mut hasher, mut len) = (std::fs::File::open(path)?, Sha256::new(), 0);
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            return Ok((hasher.finalize().into(), len));
        }
        hasher.update(&buffer[..count]);
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
                len: 0,
                mode,
                body: Body::Inline(Vec::new()),
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
