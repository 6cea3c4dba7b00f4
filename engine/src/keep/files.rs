//! Files of hosts as files of this machine.

use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Component, Path, PathBuf},
};

use super::{Incoming, Keep, KeptPlace};
use crate::source::{Sha, Source, digest_of, hex};

/// Keeps files of hosts in the file system of this machine. Directories are made as needed; a file
/// that is there keeps its permission bits, a new one gets the usual ones, a secret one 0600.
#[derive(Clone, Copy, Debug, Default)]
pub struct LocalFiles;

impl Keep for LocalFiles {
    fn digest(&self, place: &KeptPlace) -> io::Result<Option<Sha>> {
        let path = inside(place)?;
        match fs::symlink_metadata(&path) {
            Ok(meta) if meta.is_dir() => Err(io::Error::other("it is a directory")),
            // A link is replaced, not followed.
            Ok(meta) if !meta.is_file() => Ok(None),
            Ok(_) => Ok(Some(digest_of(&path)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn source(&self, place: &KeptPlace) -> io::Result<Option<Source>> {
        if self.digest(place)?.is_none() {
            return Ok(None);
        }
        Source::open(place.path(), &inside(place)?).map(Some)
    }

    fn begin(&self, place: &KeptPlace, secret: bool) -> io::Result<Box<dyn Incoming>> {
        let path = inside(place)?;
        let dir = path.parent().unwrap_or(Path::new("/")).to_owned();
        fs::create_dir_all(&dir)?;
        // Made only now, it may lie elsewhere than it seemed.
        let path = inside(place)?;
        let mut random = [0; 8];
        getrandom::fill(&mut random).map_err(io::Error::other)?;
        // Nobody else looks into it: so the file in it can have its bits from the beginning.
        let hidden = dir.join(format!(".evenkeel-{}", hex(&random)));
        fs::DirBuilder::new().mode(0o700).create(&hidden)?;
        let mut coming = Coming {
            file: None,
            hidden,
            path,
            secret,
        };
        let mode = if secret { 0o600 } else { 0o666 };
        let file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(coming.file_in())?;
        coming.file = Some(file);
        Ok(Box::new(coming))
    }
}

/// A file in a directory of its own, beside its place.
struct Coming {
    file: Option<fs::File>,
    hidden: PathBuf,
    path: PathBuf,
    secret: bool,
}

impl Coming {
    fn file_in(&self) -> PathBuf {
        self.hidden.join("file")
    }
}

impl Incoming for Coming {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        use io::Write as _;
        match &mut self.file {
            Some(file) => file.write_all(bytes),
            None => Err(io::Error::other("it is closed")),
        }
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        let Some(file) = self.file.take() else {
            return Err(io::Error::other("it is closed"));
        };
        let old = fs::symlink_metadata(&self.path).ok();
        if let Some(old) = old.filter(|old| old.is_file() && !self.secret) {
            file.set_permissions(fs::Permissions::from_mode(old.permissions().mode() & 0o777))?;
        }
        file.sync_all()?;
        fs::rename(self.file_in(), &self.path)?;
        let dir = self.path.parent().unwrap_or(Path::new("/"));
        fs::File::open(dir)?.sync_all()
    }
}

impl Drop for Coming {
    fn drop(&mut self) {
        drop(self.file.take());
        // Once it has taken its place, only the directory is left.
        drop(fs::remove_file(self.file_in()));
        drop(fs::remove_dir(&self.hidden));
    }
}

/// The path of a place. An error if its name leads out of the directory: by `..`, or by a link that
/// stands in it.
fn inside(place: &KeptPlace) -> io::Result<PathBuf> {
    let dir = PathBuf::from(&place.dir);
    let mut path = dir.clone();
    let mut parts = Path::new(&place.name).components().peekable();
    if parts.peek().is_none() {
        return Err(io::Error::other("it has no name"));
    }
    while let Some(part) = parts.next() {
        let Component::Normal(name) = part else {
            let why = format!("`{}` leads out of `{}`", place.name, place.dir);
            return Err(io::Error::other(why));
        };
        path.push(name);
        // The last is replaced even if it is a link.
        if parts.peek().is_none() || !path.is_symlink() {
            continue;
        }
        let (real, home) = (path.canonicalize()?, dir.canonicalize()?);
        if !real.starts_with(&home) {
            let why = format!("the link `{}` leads out of `{}`", path.display(), place.dir);
            return Err(io::Error::other(why));
        }
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::source::sha256;

    fn place(dir: &tempfile::TempDir, name: &str) -> KeptPlace {
        KeptPlace {
            dir: dir.path().join("kept").to_str().unwrap().to_owned(),
            name: name.to_owned(),
        }
    }

    fn store(place: &KeptPlace, bytes: &[u8], secret: bool) -> io::Result<()> {
        let mut coming = LocalFiles.begin(place, secret)?;
        let (first, rest) = bytes.split_at(bytes.len() / 2);
        coming.write(first)?;
        coming.write(rest)?;
        coming.finish()
    }

    fn mode(path: &str) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    fn names(dir: &str) -> Vec<String> {
        let mut all: Vec<_> = fs::read_dir(dir)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        all.sort();
        all
    }

    #[test]
    fn a_file_is_there_whole_or_not_at_all() {
        let dir = tempfile::tempdir().unwrap();
        let place = place(&dir, "web1/etc/a b\n'");
        assert_eq!(LocalFiles.digest(&place).unwrap(), None);
        let mut coming = LocalFiles.begin(&place, false).unwrap();
        coming.write(b"half").unwrap();
        assert_eq!(LocalFiles.digest(&place).unwrap(), None);
        drop(coming);
        let folder = format!("{}/web1/etc", place.dir);
        assert!(names(&folder).is_empty());
        store(&place, b"whole", false).unwrap();
        assert_eq!(LocalFiles.digest(&place).unwrap(), Some(sha256(b"whole")));
        assert_eq!(names(&folder), ["a b\n'"]);
    }

    #[test]
    fn who_may_read_it() {
        let dir = tempfile::tempdir().unwrap();
        let (open, hidden) = (place(&dir, "open"), place(&dir, "hidden"));
        store(&hidden, b"s", true).unwrap();
        assert_eq!(mode(&hidden.path()), 0o600);
        store(&open, b"o", false).unwrap();
        fs::write(dir.path().join("usual"), "").unwrap();
        let usual = mode(dir.path().join("usual").to_str().unwrap());
        assert_eq!(mode(&open.path()), usual);
        fs::set_permissions(open.path(), fs::Permissions::from_mode(0o640)).unwrap();
        store(&open, b"p", false).unwrap();
        assert_eq!(mode(&open.path()), 0o640);
        store(&open, b"q", true).unwrap();
        assert_eq!(mode(&open.path()), 0o600);
    }

    #[test]
    fn no_name_leads_out() {
        let dir = tempfile::tempdir().unwrap();
        let kept = dir.path().join("kept");
        fs::create_dir_all(kept.join("web1")).unwrap();
        fs::create_dir(dir.path().join("else")).unwrap();
        symlink(dir.path().join("else"), kept.join("web1/out")).unwrap();
        fs::create_dir(kept.join("real")).unwrap();
        symlink("../real", kept.join("web1/in")).unwrap();
        for name in ["../x", "web1/../../x", "/etc/x", "", "web1/out/x"] {
            let place = place(&dir, name);
            assert!(LocalFiles.digest(&place).is_err(), "{name}");
            assert!(store(&place, b"x", false).is_err(), "{name}");
        }
        assert!(names(dir.path().join("else").to_str().unwrap()).is_empty());
        store(&place(&dir, "web1/in/x"), b"x", false).unwrap();
        assert_eq!(fs::read(kept.join("real/x")).unwrap(), b"x");
    }

    #[test]
    fn a_link_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let place = place(&dir, "file");
        fs::create_dir(dir.path().join("kept")).unwrap();
        fs::write(dir.path().join("other"), "other").unwrap();
        symlink("../other", place.path()).unwrap();
        assert_eq!(LocalFiles.digest(&place).unwrap(), None);
        store(&place, b"new", false).unwrap();
        assert_eq!(fs::read(place.path()).unwrap(), b"new");
        assert_eq!(fs::read(dir.path().join("other")).unwrap(), b"other");
    }

    #[test]
    fn where_none_can_be() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("kept/dir")).unwrap();
        let error = LocalFiles.digest(&place(&dir, "dir")).unwrap_err();
        assert_eq!(error.to_string(), "it is a directory");
        fs::write(dir.path().join("kept/file"), "").unwrap();
        assert!(store(&place(&dir, "file/x"), b"x", false).is_err());
    }
}
