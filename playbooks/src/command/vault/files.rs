//! Files that are read whole and replaced whole.

use std::{
    fmt, fs,
    io::{self, Read as _, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, chown},
    path::{Path, PathBuf},
};

use evenkeel_engine::hex;
use zeroize::Zeroizing;

use super::{Wrong, is_dash, wrong};

/// The largest file that is encrypted.
const LIMIT: u64 = 64 * 1024 * 1024;

/// Where a text comes from.
#[derive(Debug)]
pub(super) enum From {
    Stdin,
    File(PathBuf),
}

/// Where a text goes.
#[derive(Debug)]
pub(super) enum To {
    Stdout,
    File(PathBuf),
}

/// From where to where.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) from: From,
    pub(super) to: To,
}

impl From {
    pub(super) fn of(path: &Path) -> Self {
        if is_dash(path) {
            Self::Stdin
        } else {
            Self::File(path.to_owned())
        }
    }
}

impl fmt::Display for From {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdin => f.write_str("stdin"),
            Self::File(path) => write!(f, "`{}`", path.display()),
        }
    }
}

impl Place {
    /// Files as the command line names them: each replaces itself, unless another output is named.
    pub(super) fn all(files: &[PathBuf], output: Option<&Path>) -> Result<Vec<Self>, Wrong> {
        let stdin = [PathBuf::from("-")];
        let files = if files.is_empty() { &stdin } else { files };
        if output.is_some() && files.len() > 1 {
            return Err(wrong(
                "`--output` takes one file only",
                "leave it out, so that each file is replaced, or name one file",
            ));
        }
        let place = |path: &PathBuf| Self {
            from: From::of(path),
            to: To::of(output.unwrap_or(path)),
        };
        Ok(files.iter().map(place).collect())
    }
}

impl To {
    pub(super) fn of(path: &Path) -> Self {
        if is_dash(path) {
            Self::Stdout
        } else {
            Self::File(path.to_owned())
        }
    }

    /// Writes all of it. A file is replaced at once, or not at all.
    pub(super) fn write(&self, bytes: &[u8]) -> Result<(), Wrong> {
        match self {
            Self::Stdout => {
                let mut stdout = io::stdout().lock();
                let written = stdout.write_all(bytes).and_then(|()| stdout.flush());
                match written {
                    // Who reads it has seen enough.
                    Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
                    other => other.map_err(|error| {
                        wrong(
                            format!("stdout takes nothing: {error}"),
                            "look where it leads to",
                        )
                    }),
                }
            }
            Self::File(path) => replace(path, bytes).map_err(|error| {
                wrong(
                    format!("`{}` cannot be written: {error}", path.display()),
                    "it is as it was before",
                )
            }),
        }
    }
}

/// All of a file.
pub(super) fn read(from: &From) -> Result<Zeroizing<Vec<u8>>, Wrong> {
    let mut bytes = Zeroizing::new(Vec::new());
    let read = match from {
        From::Stdin => io::stdin().lock().take(LIMIT + 1).read_to_end(&mut bytes),
        From::File(path) => {
            fs::File::open(path).and_then(|file| file.take(LIMIT + 1).read_to_end(&mut bytes))
        }
    };
    read.map_err(|error| {
        wrong(
            format!("{from} cannot be read: {error}"),
            "nothing was changed",
        )
    })?;
    if bytes.len() as u64 > LIMIT {
        return Err(wrong(
            format!("{from} is larger than 64 MiB"),
            "variables and small files belong in a vault; encrypt large ones with another tool",
        ));
    }
    Ok(bytes)
}

/// Puts a file in the place of another, with its mode and owner; a new one is for its owner alone.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // Where a link leads, so that it stays one.
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let before = match fs::metadata(&path) {
        Ok(meta) if !meta.is_file() => return Err(io::Error::other("it is no file")),
        Ok(meta) => Some(meta),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let beside = folder.join(format!(".evenkeel-{}", random()?));
    let written = write_new(&beside, bytes, before.as_ref());
    let moved = written.and_then(|()| fs::rename(&beside, &path));
    if moved.is_err() {
        // It may hold what nobody else may see.
        drop(fs::remove_file(&beside));
    }
    moved?;
    fs::File::open(folder)?.sync_all()
}

fn write_new(path: &Path, bytes: &[u8], before: Option<&fs::Metadata>) -> io::Result<()> {
    let mut file = private(path)?;
    file.write_all(bytes)?;
    if let Some(before) = before {
        let now = file.metadata()?;
        if (now.uid(), now.gid()) != (before.uid(), before.gid()) {
            chown(path, Some(before.uid()), Some(before.gid()))?;
        }
        file.set_permissions(fs::Permissions::from_mode(before.mode() & 0o7777))?;
    }
    file.sync_all()
}

/// A new file that only its owner can read.
pub(in crate::command) fn private(path: &Path) -> io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true).mode(0o600).open(path)
}

/// A part of a name that nobody can guess.
pub(in crate::command) fn random() -> io::Result<String> {
    let mut bytes = [0; 12];
    getrandom::fill(&mut bytes).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(hex(&bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_with_its_mode_and_a_new_one_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o7777;
        To::of(&path).write(b"one").unwrap();
        assert_eq!(mode(&path), 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink("a", &link).unwrap();
        To::of(&link).write(b"two").unwrap();
        assert_eq!(
            (fs::read(&path).unwrap(), mode(&path)),
            (b"two".to_vec(), 0o640)
        );
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert!(To::of(folder.path()).write(b"x").is_err());
        // Nothing else is left behind.
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn where_texts_go() {
        let shown = |files: &[&str], output: Option<&str>| {
            let files: Vec<PathBuf> = files.iter().map(PathBuf::from).collect();
            Place::all(&files, output.map(Path::new))
                .map(|all| format!("{all:?}"))
                .map_err(|error| error.message)
        };
        assert_eq!(
            shown(&[], None).unwrap(),
            "[Place { from: Stdin, to: Stdout }]"
        );
        assert_eq!(
            shown(&["a"], Some("-")).unwrap(),
            "[Place { from: File(\"a\"), to: Stdout }]"
        );
        assert_eq!(
            shown(&["a", "b"], Some("c")).unwrap_err(),
            "`--output` takes one file only"
        );
    }
}
