//! Where files are kept: a directory for each order, its name tells nothing of what was asked.
//!
//! ```text
//! ID/part       what has come of a file that is not whole
//! ID/part.json  which version of the file that is
//! ID/SHA256     a whole file; what a run sends never changes under it
//! ID/whole.json which of them is the last, and what the server says of it
//! ```

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufReader},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use evenkeel_engine::{download::Algorithm, hex, sha256};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::sum;

/// What nobody asked for in this time is removed.
const KEPT: Duration = Duration::from_secs(30 * 24 * 3600);

/// A run that sends an older version has this time to end.
const SENT: Duration = Duration::from_secs(24 * 3600);

/// The place of one order.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    dir: PathBuf,
    /// The part's name: another process may be at work on the usual one.
    part: String,
    /// Held for as long as this is there.
    _lock: std::sync::Arc<File>,
}

/// A file that is whole.
#[derive(Clone, Debug)]
pub(crate) struct Whole {
    pub(crate) path: PathBuf,
    pub(crate) name: Option<String>,
    pub(crate) tag: Tag,
}

/// Which version of a file the server says that it is.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct Tag {
    pub(crate) etag: Option<String>,
    pub(crate) modified: Option<String>,
}

impl Tag {
    /// What a request to go on with a part names; weak tags do not serve for that.
    pub(crate) fn strong(&self) -> Option<&str> {
        let etag = self.etag.as_deref().filter(|tag| !tag.starts_with("W/"));
        etag.or(self.modified.as_deref())
    }
}

#[derive(Deserialize, Serialize)]
struct Noted {
    sha256: String,
    name: Option<String>,
    tag: Tag,
}

impl Entry {
    pub(crate) fn open(cache: &Path, id: &str) -> io::Result<Self> {
        let dir = cache.join(id);
        private(cache)?;
        private(&dir)?;
        // Who uses it keeps it.
        let lock = new(&dir.join("lock"))?;
        lock.set_modified(SystemTime::now())?;
        prune(cache);
        let part = match lock.try_lock() {
            Ok(()) => "part".to_owned(),
            Err(fs::TryLockError::WouldBlock) => format!("part-{}", std::process::id()),
            Err(fs::TryLockError::Error(error)) => return Err(at(&dir, &error)),
        };
        let lock = std::sync::Arc::new(lock);
        Ok(Self {
            dir,
            part,
            _lock: lock,
        })
    }

    /// The file as it came last.
    pub(crate) fn whole(&self) -> Option<Whole> {
        let noted: Noted = read(&self.dir.join("whole.json"))?;
        let digits = noted.sha256.bytes().all(|byte| byte.is_ascii_hexdigit());
        let path = self.dir.join(&noted.sha256);
        // A file that has suffered is got again.
        let good = digits && sum::of(Algorithm::Sha256, &path).ok()? == noted.sha256;
        good.then_some(Whole {
            path,
            name: noted.name,
            tag: noted.tag,
        })
    }

    pub(crate) fn part(&self) -> Part {
        Part {
            path: self.part_path(),
        }
    }

    pub(crate) fn part_path(&self) -> PathBuf {
        self.dir.join(&self.part)
    }

    pub(crate) fn forget_part(&self) -> io::Result<()> {
        self.part().forget()
    }

    /// What came compressed is unpacked.
    pub(crate) fn unpack_part(&self) -> io::Result<()> {
        let (packed, plain) = (self.part_path(), self.dir.join("plain"));
        let unpacked = (|| {
            let mut from =
                flate2::bufread::MultiGzDecoder::new(BufReader::new(File::open(&packed)?));
            let mut to = new(&plain)?;
            to.set_len(0)?;
            io::copy(&mut from, &mut to)
        })();
        if let Err(why) = unpacked {
            let _gone = fs::remove_file(&plain);
            self.forget_part()?;
            return Err(io::Error::other(format!(
                "what came cannot be unpacked: {why}"
            )));
        }
        fs::rename(&plain, &packed)
    }

    /// The part is whole.
    pub(crate) fn finish(&self, tag: Tag, name: Option<String>) -> io::Result<Whole> {
        let part = self.part_path();
        let sha256 = sum::of(Algorithm::Sha256, &part)?;
        let path = self.dir.join(&sha256);
        fs::rename(&part, &path)?;
        self.forget_part()?;
        let noted = Noted {
            sha256,
            name: name.clone(),
            tag: tag.clone(),
        };
        write(&self.dir.join("whole.json"), &noted)?;
        self.forget_others(&path);
        Ok(Whole { path, name, tag })
    }

    fn forget_others(&self, but: &Path) {
        let files = fs::read_dir(&self.dir).into_iter().flatten().flatten();
        for file in files {
            let name = file.file_name();
            let is_whole = name.len() == Algorithm::Sha256.digits();
            let is_part = name.to_string_lossy().starts_with("part-");
            if (is_whole || is_part) && file.path() != but && is_older(&file.path(), SENT) {
                let _gone = fs::remove_file(file.path());
            }
        }
    }
}

/// What has come of a file that is not whole.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    path: PathBuf,
}

impl Part {
    /// How much has come, and can be gone on with.
    pub(crate) fn len(&self) -> u64 {
        let len = fs::metadata(&self.path).map_or(0, |meta| meta.len());
        self.tag()
            .and_then(|tag| tag.strong().map(|_| len))
            .unwrap_or(0)
    }

    pub(crate) fn tag(&self) -> Option<Tag> {
        read(&self.noted())
    }

    /// Begins it, or goes on at its end.
    pub(crate) fn open(&self, at: u64, tag: &Tag) -> io::Result<File> {
        let file = new(&self.path)?;
        file.set_len(at)?;
        write(&self.noted(), tag)?;
        let mut file = file;
        io::Seek::seek(&mut file, io::SeekFrom::End(0))?;
        Ok(file)
    }

    fn forget(&self) -> io::Result<()> {
        for path in [&self.path, &self.noted()] {
            match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(at(path, &error));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn noted(&self) -> PathBuf {
        let mut path = self.path.clone();
        path.set_extension("json");
        path
    }
}

/// A directory for its owner alone.
fn private(dir: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    let made = builder.recursive(true).mode(0o700).create(dir);
    made.map_err(|error| at(dir, &error))?;
    let meta = fs::metadata(dir).map_err(|error| at(dir, &error))?;
    let me = fs::metadata("/proc/self").map_or(meta.uid(), |me| me.uid());
    if meta.uid() != me || meta.mode() & 0o022 != 0 {
        return Err(io::Error::other(format!(
            "others can write to `{}`, where downloads are kept: remove it, or make it your own (`chmod go-w`)",
            dir.display()
        )));
    }
    Ok(())
}

fn prune(cache: &Path) {
    let entries = fs::read_dir(cache).into_iter().flatten().flatten();
    for entry in entries {
        let is_ours = entry.file_name().len() == hex(&sha256(b"")).len();
        if is_ours && is_older(&entry.path().join("lock"), KEPT) {
            let _gone = fs::remove_dir_all(entry.path());
        }
    }
}

fn is_older(path: &Path, than: Duration) -> bool {
    let modified = fs::metadata(path).and_then(|meta| meta.modified());
    let age = modified.ok().and_then(|time| time.elapsed().ok());
    age.is_some_and(|age| age > than)
}

fn new(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600);
    options.open(path).map_err(|error| at(path, &error))
}

fn at(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("`{}`: {error}", path.display()))
}

fn read<T: DeserializeOwned>(path: &Path) -> Option<T> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

/// At once, so that nobody reads half of it.
fn write<T: Serialize>(path: &Path, value: &T) -> io::Result<()> {
    let beside = path.with_extension("new");
    let file = new(&beside)?;
    file.set_len(0)?;
    serde_json::to_writer(&file, value)?;
    fs::rename(&beside, path)
}
