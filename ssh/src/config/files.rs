//! The files of a configuration.

use std::{fs, io};

use crate::pattern;

/// Where files are read from.
pub trait Files {
    /// A file's text; nothing if there is no such file.
    fn read(&self, path: &str) -> io::Result<Option<String>>;

    /// The files that a pattern with `*` and `?` in it names, sorted; none if it names none.
    fn glob(&self, pattern: &str) -> io::Result<Vec<String>>;
}

/// Those of this machine. A file that is larger than a mebibyte is refused.
#[derive(Clone, Copy, Debug, Default)]
pub struct DiskFiles;

const MAX_BYTES: u64 = 1 << 20;

impl Files for DiskFiles {
    fn read(&self, path: &str) -> io::Result<Option<String>> {
        let file = match fs::File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file?,
        };
        let mut bytes = Vec::new();
        io::Read::read_to_end(&mut io::Read::take(file, MAX_BYTES + 1), &mut bytes)?;
        if bytes.len() as u64 > MAX_BYTES {
            return Err(io::Error::new(
                io::ErrorKind::FileTooLarge,
                "it is too large",
            ));
        }
        // Comments may be in any encoding.
        Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
    }

    fn glob(&self, pattern: &str) -> io::Result<Vec<String>> {
        let mut found = vec![if pattern.starts_with('/') { "/" } else { "" }.to_owned()];
        for part in pattern.split('/').filter(|part| !part.is_empty()) {
            let mut next = Vec::new();
            for dir in found {
                if part.contains(['*', '?']) {
                    next.extend(children(&dir, part)?);
                } else {
                    next.push(joined(&dir, part));
                }
            }
            found = next;
        }
        found.retain(|path| fs::metadata(path).is_ok());
        found.sort();
        Ok(found)
    }
}

/// What is in a directory under a name that the pattern covers. One that cannot be looked into has
/// nothing in it, as for a shell.
fn children(dir: &str, part: &str) -> io::Result<Vec<String>> {
    let Ok(entries) = fs::read_dir(if dir.is_empty() { "." } else { dir }) else {
        return Ok(Vec::new());
    };
    let mut found = Vec::new();
    for entry in entries {
        let name = entry?.file_name();
        let Some(name) = name.to_str() else { continue };
        let hidden = name.starts_with('.') && !part.starts_with('.');
        if !hidden && pattern::matches(part, name) {
            found.push(joined(dir, name));
        }
    }
    Ok(found)
}

fn joined(dir: &str, name: &str) -> String {
    if dir.is_empty() || dir.ends_with('/') {
        format!("{dir}{name}")
    } else {
        format!("{dir}/{name}")
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{DiskFiles, Files as _};

    #[test]
    fn patterns_name_files_in_order() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
        fs::create_dir(at("x")).unwrap();
        for name in ["x/b.conf", "x/a.conf", "x/.hidden.conf", "x/c.txt"] {
            fs::write(at(name), name).unwrap();
        }
        let glob = |pattern: &str| DiskFiles.glob(&at(pattern)).unwrap();
        assert_eq!(glob("?/*.conf"), [at("x/a.conf"), at("x/b.conf")]);
        assert_eq!(glob("x/c.txt"), [at("x/c.txt")]);
        assert_eq!(glob("y/*"), Vec::<String>::new());
        assert_eq!(DiskFiles.read(&at("none")).unwrap(), None);
        assert_eq!(DiskFiles.read(&at("x/c.txt")).unwrap().unwrap(), "x/c.txt");
    }
}
