//! Begins a module: a file that works, its cases, and the lines that make them known.

use std::{fs, path::Path};

use evenkeel::words;

/// What a file below the root is to become.
#[derive(Clone)]
struct Edit {
    path: String,
    text: String,
}

/// Begins the module of this name.
pub(crate) fn begin(root: &Path, name: &str) -> Result<String, String> {
    let named = Named::new(name)?;
    let read = |path: &str| {
        let text = fs::read_to_string(root.join(path));
        text.map_err(|error| format!("{path} cannot be read: {error}"))
    };
    let known = [
        ("modules/src/lib.rs", "modules! {\n", named.known()),
        (
            "modules/tests/cases.rs",
            "cases_of! {\n",
            named.file.clone(),
        ),
    ];
    let mut edits = named.files().to_vec();
    for (path, list, line) in known {
        let text = listed(&read(path)?, list, &line)
            .ok_or_else(|| format!("{path} has no list that begins with `{}`", list.trim()))?;
        edits.push(Edit {
            path: path.to_owned(),
            text,
        });
    }
    if let Some(there) = named
        .files()
        .iter()
        .find(|edit| root.join(&edit.path).exists())
    {
        return Err(format!("{} is there already", there.path));
    }
    for edit in &edits {
        fs::write(root.join(&edit.path), &edit.text)
            .map_err(|error| format!("{} cannot be written: {error}", edit.path))?;
    }
    let paths: Vec<_> = edits
        .iter()
        .map(|edit| format!("  {}", edit.path))
        .collect();
    Ok(format!(
        "`{name}` keeps a line in a file, until you make it do what it is for:\n{}\n\
         Its cases: cargo test -p evenkeel-modules --test cases\n\
         Its manual: cargo xtask manuals\n\
         How a module is written: docs/modules.md",
        paths.join("\n")
    ))
}

/// The names of a module.
struct Named {
    /// In playbooks.
    name: String,
    /// Of its file.
    file: String,
    /// Of its type.
    kind: String,
}

impl Named {
    fn new(name: &str) -> Result<Self, String> {
        let word = |word: &str| {
            word.starts_with(|c: char| c.is_ascii_lowercase())
                && word
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        };
        if !name.split('-').all(word) {
            return Err(format!(
                "`{name}` is no name for a module: words of a-z and 0-9, joined by `-`"
            ));
        }
        Ok(Self {
            name: name.to_owned(),
            file: name.replace('-', "_"),
            kind: name.split('-').map(words::sentence).collect(),
        })
    }

    /// Its line in the list of modules.
    fn known(&self) -> String {
        format!("{} => {}", self.file, self.kind)
    }

    fn files(&self) -> [Edit; 2] {
        let fill = |text: &str| {
            (text.replace("NAME", &self.name).replace("KIND", &self.kind))
                .replace("FILE", &self.file)
        };
        [
            Edit {
                path: format!("modules/src/{}.rs", self.file),
                text: fill(include_str!("new_module/module.txt")),
            },
            Edit {
                path: format!("modules/tests/cases/{}.rs", self.file),
                text: fill(include_str!("new_module/cases.txt")),
            },
        ]
    }
}

/// The text with one line more in the list that begins so, in its place by the alphabet.
fn listed(text: &str, list: &str, line: &str) -> Option<String> {
    let begin = text.find(list)? + list.len();
    let end = begin + text[begin..].find('}')?;
    let line = format!("    {line},\n");
    let before: usize = (text[begin..end].split_inclusive('\n'))
        .take_while(|other| **other < *line)
        .map(str::len)
        .sum();
    let (head, tail) = text.split_at(begin + before);
    Some(format!("{head}{line}{tail}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_finds_its_place() {
        let text = "of! {\n    a => A,\n    c => C,\n}\nrest {}\n";
        let with = |line| listed(text, "of! {\n", line).unwrap();
        assert_eq!(
            with("b => B"),
            "of! {\n    a => A,\n    b => B,\n    c => C,\n}\nrest {}\n"
        );
        assert_eq!(
            with("d => D"),
            "of! {\n    a => A,\n    c => C,\n    d => D,\n}\nrest {}\n"
        );
        assert_eq!(listed(text, "none! {\n", "b"), None);
    }

    #[test]
    fn names_that_a_module_cannot_have() {
        for name in ["", "-a", "a-", "a_b", "A", "1a", "a--b", "../a"] {
            assert!(Named::new(name).is_err(), "`{name}`");
        }
        let named = Named::new("ini-file2").unwrap();
        assert_eq!(named.known(), "ini_file2 => IniFile2");
    }

    #[test]
    fn what_is_there_is_not_written_over() {
        let root = tempfile::tempdir().unwrap();
        for dir in ["modules/src", "modules/tests/cases"] {
            fs::create_dir_all(root.path().join(dir)).unwrap();
        }
        let write = |path: &str, text: &str| fs::write(root.path().join(path), text).unwrap();
        write("modules/src/lib.rs", "modules! {\n}\n");
        write("modules/tests/cases.rs", "cases_of! {\n}\n");
        begin(root.path(), "new-one").unwrap();
        let lib = fs::read_to_string(root.path().join("modules/src/lib.rs")).unwrap();
        assert_eq!(lib, "modules! {\n    new_one => NewOne,\n}\n");
        let again = begin(root.path(), "new-one").unwrap_err();
        assert_eq!(again, "modules/src/new_one.rs is there already");
    }
}
