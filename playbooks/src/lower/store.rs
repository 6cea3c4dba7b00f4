//! The controller's files that tasks carry: each is read once.

use std::{
    collections::{BTreeMap, BTreeSet},
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use evenkeel_engine::Source;

use super::include::Included;
use crate::{
    files::{self, Files, Span},
    looked,
    template::{Fault, Reading, TemplateFile},
    vault::{self, Envelope},
};

type Inclusions = BTreeMap<(PathBuf, Stamp), (Arc<Included>, Vec<Fault>)>;
type Templates = BTreeMap<(PathBuf, Stamp, Reading), Result<Arc<TemplateFile>, Vec<Fault>>>;

/// Texts for messages, opened sources, compiled templates.
#[derive(Default)]
pub(crate) struct Store {
    /// The texts of all files that were read.
    pub(crate) files: RwLock<Files>,
    sources: Mutex<BTreeMap<(PathBuf, Stamp, String, bool), Source>>,
    templates: Mutex<Templates>,
    inclusions: Mutex<Inclusions>,
    /// Files of variables that the task at a place may read.
    foreseen: Mutex<BTreeSet<(Span, PathBuf)>>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Store")
    }
}

impl Store {
    /// With files that were read already.
    pub(crate) fn new(files: Files) -> Self {
        Self {
            files: RwLock::new(files),
            ..Self::default()
        }
    }

    /// Does something with the texts.
    pub(crate) fn with_files<T>(&self, with: impl FnOnce(&Files) -> T) -> T {
        with(&self.files.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The texts, to add more of them.
    pub(crate) fn writing(&self) -> std::sync::RwLockWriteGuard<'_, Files> {
        self.files.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// A file or folder, looked for in `folders` and below `kind` in each of them.
    pub(crate) fn source(
        &self,
        name: &str,
        kind: &str,
        folders: &[PathBuf],
        decrypt: bool,
    ) -> Result<Source, Fault> {
        let path = find(name, kind, folders)?;
        let stamp = Stamp::of(&path);
        let mut sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        // Whether a folder's name ends in a slash means something, and is no part of a path.
        let key = (path, stamp, name.to_owned(), decrypt);
        if let Some(source) = sources.get(&key) {
            return Ok(source.clone());
        }
        if decrypt && files::is_vault(&key.0) {
            let source = self.open(name, &key.0)?;
            sources.insert(key, source.clone());
            return Ok(source);
        }
        let source = Source::open(name, &key.0).map_err(|error| {
            Fault::new(
                "unreadable_file",
                format!("cannot read `{}`: {error}", key.0.display()),
            )
        })?;
        sources.insert(key, source.clone());
        Ok(source)
    }

    /// A file that is encrypted, opened.
    fn open(&self, name: &str, path: &Path) -> Result<Source, Fault> {
        let unreadable = |why: String| {
            let message = format!("cannot read `{}`: {why}", path.display());
            Fault::new("unreadable_file", message)
        };
        let bytes = std::fs::read(path).map_err(|error| unreadable(error.to_string()))?;
        let meta = std::fs::metadata(path).map_err(|error| unreadable(error.to_string()))?;
        let closed = |message: String, help: &str| {
            let message = format!("`{}`: {message}", path.display());
            Fault::new(vault::CODE, message).help(help)
        };
        let envelope =
            Envelope::parse(&bytes).map_err(|damage| closed(damage.to_string(), damage.help()))?;
        let keys = self.with_files(|files| Arc::clone(files.keys()));
        let plain = keys.open(&envelope);
        let plain = plain.map_err(|trouble| closed(trouble.message, &trouble.help))?;
        Ok(Source::secret(
            name,
            plain,
            meta.permissions().mode() & 0o7777,
        ))
    }

    /// A template, compiled; and where it is.
    pub(crate) fn template(
        &self,
        name: &str,
        folders: &[PathBuf],
        reading: Reading,
    ) -> Result<(Arc<TemplateFile>, PathBuf), Vec<Fault>> {
        let path = find(name, "templates", folders).map_err(|fault| vec![fault])?;
        let stamp = Stamp::of(&path);
        let key = (path.clone(), stamp, reading.clone());
        let mut templates = self
            .templates
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let found = templates.entry(key).or_insert_with(|| {
            let mut files = self.files.write().unwrap_or_else(PoisonError::into_inner);
            let shown = path.to_string_lossy();
            let mut all = Vec::new();
            for folder in folders {
                all.extend([folder.join("templates"), folder.clone()]);
            }
            TemplateFile::read(&path, &shown, &all, reading, &mut files).map(Arc::new)
        });
        found.clone().map(|template| (template, path))
    }

    /// A file of variables, compiled.
    pub(crate) fn include(&self, path: &Path) -> Result<Arc<Included>, Vec<Fault>> {
        match self.as_far(path) {
            (included, faults) if faults.is_empty() => Ok(included),
            (_, faults) => Err(faults),
        }
    }

    /// The same as far as it is right: who knows of what is wrong need not miss the rest.
    pub(crate) fn as_far(&self, path: &Path) -> (Arc<Included>, Vec<Fault>) {
        let mut inclusions = self
            .inclusions
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let read = || {
            let mut files = self.files.write().unwrap_or_else(PoisonError::into_inner);
            let (included, faults) = Included::read(path, &mut files);
            (Arc::new(included), faults)
        };
        inclusions
            .entry((path.to_owned(), Stamp::of(path)))
            .or_insert_with(read)
            .clone()
    }

    /// Notes that the task at a place may read a file of variables.
    pub(super) fn foresee(&self, task: Span, path: &Path) {
        let mut foreseen = self.foreseen.lock().unwrap_or_else(PoisonError::into_inner);
        foreseen.insert((task, looked::whole(path)));
    }

    /// Notes that the task at a place may read any.
    pub(super) fn foresee_any(&self, task: Span) {
        let mut foreseen = self.foreseen.lock().unwrap_or_else(PoisonError::into_inner);
        foreseen.insert((task, PathBuf::new()));
    }

    /// Whether that was noted.
    pub(super) fn foresees(&self, task: Span, path: &Path) -> bool {
        let foreseen = self.foreseen.lock().unwrap_or_else(PoisonError::into_inner);
        foreseen.contains(&(task, looked::whole(path)))
            || foreseen.contains(&(task, PathBuf::new()))
    }
}

/// Which state of a file was read: one that has changed since is read again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Stamp {
    inode: u64,
    len: u64,
    seconds: i64,
    nanoseconds: i64,
}

impl Stamp {
    fn of(path: &Path) -> Self {
        let Ok(meta) = std::fs::metadata(path) else {
            return Self::default();
        };
        Self {
            inode: meta.ino(),
            len: meta.len(),
            seconds: meta.mtime(),
            nanoseconds: meta.mtime_nsec(),
        }
    }
}

/// Where a file is.
pub(crate) fn find(name: &str, kind: &str, folders: &[PathBuf]) -> Result<PathBuf, Fault> {
    let trimmed = name.trim_end_matches('/');
    let bare = Path::new(if trimmed.is_empty() { name } else { trimmed });
    let candidates: Vec<PathBuf> = if bare.is_absolute() {
        vec![bare.to_owned()]
    } else {
        let below = |folder: &PathBuf| [folder.join(kind).join(bare), folder.join(bare)];
        folders.iter().flat_map(below).collect()
    };
    first(name, &candidates)
}

/// The first of some paths that is there.
pub(crate) fn first(name: &str, candidates: &[PathBuf]) -> Result<PathBuf, Fault> {
    if let Some(found) = looked::first_there(candidates, Path::exists) {
        return Ok(found.clone());
    }
    let fault = Fault::new(
        "no_such_file",
        format!("there is no file `{name}` on this machine"),
    );
    Err(fault.help(looked::instead(name, candidates)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_keeps_the_slash_that_it_is_named_with() {
        let temp = tempfile::tempdir().unwrap();
        std::fs::create_dir(temp.path().join("tree")).unwrap();
        let store = Store::default();
        for name in ["tree", "tree/", "tree"] {
            let folders = [temp.path().to_owned()];
            let source = store.source(name, "files", &folders, true).unwrap();
            assert_eq!(source.name(), name);
        }
    }
}
