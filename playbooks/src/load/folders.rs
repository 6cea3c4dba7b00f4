//! Folders that belong to playbooks and inventories.

use std::path::{Path, PathBuf};

/// The folder of a file.
pub(crate) fn of_file(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// The folders of inventories: those that they are, or stand in.
pub(crate) fn of_inventories(sources: &[String]) -> Vec<PathBuf> {
    let paths = sources.iter().filter(|source| !source.contains(','));
    let folder = |source: &String| {
        let path = Path::new(source);
        if path.is_dir() {
            path.to_owned()
        } else {
            of_file(path)
        }
    };
    let mut found: Vec<PathBuf> = paths.map(folder).collect();
    found.dedup();
    found
}
