//! Folders that belong to playbooks and inventories.

use std::path::{Path, PathBuf};

/// The folder of a file.
pub(crate) fn of_file(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// The folders of inventories that are files.
pub(crate) fn of_inventories(sources: &[String]) -> Vec<PathBuf> {
    let files = sources.iter().filter(|source| !source.contains(','));
    let mut found: Vec<PathBuf> = files.map(|source| of_file(Path::new(source))).collect();
    found.dedup();
    found
}
