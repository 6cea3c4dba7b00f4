//! Roles without any of a role's folders: Ansible brings in nothing, and says nothing.

use std::path::Path;

use crate::{diagnostic::Diagnostic, files::Span, words::closest};

const FOLDERS: [&str; 9] = [
    "defaults",
    "files",
    "handlers",
    "library",
    "meta",
    "module_utils",
    "tasks",
    "templates",
    "vars",
];

/// What is odd about such a role.
pub(super) fn warning(name: &str, role: &Path, at: Span) -> Option<Diagnostic> {
    let entries = std::fs::read_dir(role).ok()?.flatten();
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort();
    let belongs = |name: &String| FOLDERS.contains(&name.as_str()) || name.ends_with("_plugins");
    if names.iter().any(belongs) {
        return None;
    }
    let misspelled = names
        .iter()
        .find_map(|name| Some((name, closest(name, FOLDERS)?)));
    let help = match misspelled {
        Some((name, folder)) => {
            format!("`{name}` in it is not looked at: is it meant as `{folder}`?")
        }
        None => "its tasks stand in `tasks/main.yml`".to_owned(),
    };
    let message = format!(
        "the role `{name}` (`{}`) brings in nothing: it has no `tasks`, and no other folder of roles",
        role.display()
    );
    Some(
        Diagnostic::error("empty_role", at, message)
            .warning()
            .help(help),
    )
}
