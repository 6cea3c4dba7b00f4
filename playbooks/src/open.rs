//! Names of which not all is known.

use std::path::{Path, PathBuf};

/// What stands for a part of a name that is not known: no name of a file holds it.
pub(crate) const ANY: char = '\0';

/// Whether a file's name fits a part of a pattern.
pub(crate) fn fits(name: &str, part: &str) -> bool {
    if name.starts_with('.') && !part.starts_with('.') {
        return false;
    }
    let mut pieces = part.split(ANY);
    let Some(mut rest) = pieces.next().and_then(|first| name.strip_prefix(first)) else {
        return false;
    };
    let middle: Vec<&str> = pieces.collect();
    let Some((last, middle)) = middle.split_last() else {
        return rest.is_empty();
    };
    for piece in middle {
        let Some((_, after)) = rest.split_once(piece) else {
            return false;
        };
        rest = after;
    }
    rest.ends_with(last)
}

/// So many folders down, a name that begins with what is not known may lead.
const DEEPEST: usize = 4;

/// What fits one part of a name, in a folder.
pub(crate) fn below(folder: &Path, part: &str) -> Vec<PathBuf> {
    if !part.contains(ANY) {
        return vec![folder.join(part)];
    }
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let mut names: Vec<String> = names.filter(|name| fits(name, part)).collect();
    names.sort_unstable();
    names.iter().map(|name| folder.join(name)).collect()
}

/// The files that a name may mean in a folder, in order. `deep`: what is not known of its last part may lead into
/// folders.
pub(crate) fn files(folder: &Path, name: &str, deep: bool) -> Vec<PathBuf> {
    let parts: Vec<&str> = name.split('/').filter(|part| !part.is_empty()).collect();
    let Some((last, parts)) = parts.split_last() else {
        return Vec::new();
    };
    let mut folders = vec![folder.to_owned()];
    for part in parts {
        folders = folders.iter().flat_map(|path| below(path, part)).collect();
    }
    let mut found = Vec::new();
    let more = if deep && last.starts_with(ANY) {
        DEEPEST
    } else {
        0
    };
    for depth in 0..=more {
        if depth > 0 {
            let inner = folders.iter().flat_map(|path| below(path, "\0"));
            folders = inner.filter(|path| path.is_dir()).collect();
        }
        found.extend(folders.iter().flat_map(|path| below(path, last)));
    }
    found.retain(|path| path.is_file());
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_fits_what_is_known_of_it() {
        for (name, part, wanted) in [
            ("Debian.yml", "\0.yml", true),
            ("Debian.yml", "\0.json", false),
            ("os-Debian-12.yml", "os-\0-\0.yml", true),
            ("os-Debian.yml", "os-\0-\0.yml", false),
            (".hidden.yml", "\0.yml", false),
            ("main.yaml", "\0", true),
            ("a.yml", "a\0.yml", true),
            ("aba.yml", "a\0ba\0ba.yml", false),
        ] {
            assert_eq!(fits(name, part), wanted, "{name} {part:?}");
        }
    }
}
