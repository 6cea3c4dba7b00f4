//! Where files of tasks are looked for.

use std::path::{Path, PathBuf};

use super::{Expander, Here};
use crate::{
    lower::first,
    open::{self, ANY},
    parse::For,
    template::Fault,
};

impl Expander<'_> {
    /// Folders in which a file of tasks may be, the nearest first.
    pub(super) fn places(&self, here: &Here) -> Vec<PathBuf> {
        let mut found = vec![here.folder.clone()];
        if let Some(role) = &here.role {
            if here.of == For::Handlers {
                found.push(role.path.join("handlers"));
            }
            // Handlers bring in files of tasks as well.
            found.extend([role.path.join("tasks"), role.path.clone()]);
        }
        found.push(self.stage.folder.clone());
        unique(found)
    }

    /// Folders in which a task's own files are looked for: those of roles, that of its file, that of the playbook.
    pub(super) fn folders(&self, here: &Here) -> Vec<PathBuf> {
        let mut found: Vec<PathBuf> = Vec::new();
        if let Some(role) = &here.role {
            found.push(role.path.clone());
            found.extend(role.parents.iter().rev().map(|role| role.path.clone()));
        }
        found.push(here.folder.clone());
        found.push(self.stage.folder.clone());
        let shown = unique(found);
        shown
            .iter()
            .map(|folder| super::shown_folder(folder))
            .collect()
    }

    /// A file of tasks by its name.
    pub(super) fn tasks_file(&self, name: &str, here: &Here) -> Result<PathBuf, Fault> {
        let bare = Path::new(name);
        let candidates: Vec<PathBuf> = if bare.is_absolute() {
            vec![bare.to_owned()]
        } else {
            let places = self.places(here);
            places
                .iter()
                .map(|folder| tidy(&folder.join(bare)))
                .collect()
        };
        first(name, &candidates)
    }
}

/// Names of files that fit what is known of a name, in some folders.
pub(super) fn fitting(pattern: &str, places: &[PathBuf]) -> Vec<String> {
    let (roots, rest) = match pattern.strip_prefix('/') {
        Some(rest) => (vec![PathBuf::from("/")], rest),
        None => (places.to_vec(), pattern),
    };
    let mut names: Vec<String> = Vec::new();
    for root in roots {
        let root = super::shown_folder(&root);
        let tasks = |path: &Path| {
            let ending = path.extension().and_then(|ending| ending.to_str());
            ending.is_some_and(|ending| ["yml", "yaml"].contains(&ending))
        };
        let paths = open::files(&root, rest, false);
        for path in paths.iter().filter(|path| tasks(path)) {
            let name = if pattern.starts_with('/') {
                path.as_path()
            } else {
                path.strip_prefix(&root).unwrap_or(path)
            };
            let name = name.display().to_string();
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    names
}

/// A pattern as people write it.
pub(super) fn shown(pattern: &str) -> String {
    pattern.replace(ANY, "*")
}

/// A path without `.` and `name/..` in it.
pub(crate) fn tidy(path: &Path) -> PathBuf {
    use std::path::Component;
    let mut tidy = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir
                if matches!(tidy.components().next_back(), Some(Component::Normal(_))) =>
            {
                tidy.pop();
            }
            part => tidy.push(part),
        }
    }
    tidy
}

fn unique(folders: Vec<PathBuf>) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = Vec::new();
    for folder in folders {
        if !found.contains(&folder) {
            found.push(folder);
        }
    }
    found
}
