//! Which mistakes may only follow from others: those wait until these are mended.

use crate::{
    ast::{Item, Play},
    diagnostic::Diagnostic,
    files::{FileId, Files, Span},
    vars::WRONG,
    vault,
};

/// What is not refused for itself, but means that variables and handlers may come from elsewhere.
const ELSEWHERE: [&str; 14] = [
    "roles",
    "there is no role",
    "the role has no file",
    "is outside of the role",
    "vars_files",
    "vars_prompt",
    "include_",
    "import_",
    "`include`",
    "encrypted",
    "extra-vars",
    "cannot read",
    "no such file",
    "on this machine",
];

/// What errors that were found first leave open.
pub(super) struct Doubts<'a> {
    /// Texts of files with errors: whatever is named there may be defined there.
    texts: Vec<&'a str>,
    /// Where the errors are.
    spans: Vec<Span>,
    /// Lines with a keyword that nobody knows: it may be a misspelled `register`.
    lines: Vec<&'a str>,
    /// Whether anything may be defined where it could not be read.
    anything: bool,
    /// All tasks, to tell which mistakes are of one task.
    tasks: Vec<Span>,
}

impl<'a> Doubts<'a> {
    /// After these errors.
    pub(super) fn new(errors: &[Diagnostic], files: &'a Files, plays: &[&Play]) -> Self {
        let errors: Vec<&Diagnostic> = errors.iter().filter(|error| error.is_error()).collect();
        let mut with_errors: Vec<FileId> = errors
            .iter()
            .filter_map(|error| Some(error.at?.file))
            .collect();
        with_errors.sort_unstable();
        with_errors.dedup();
        let elsewhere = |error: &&Diagnostic| {
            let message = &error.message;
            matches!(error.code, "extra_vars" | vault::CODE)
                || ELSEWHERE.iter().any(|word| message.contains(word))
        };
        let mut tasks = Vec::new();
        if !errors.is_empty() {
            for play in plays {
                for items in [&play.pre_tasks, &play.tasks, &play.post_tasks] {
                    collect(items, &mut tasks);
                }
                collect(&play.handlers, &mut tasks);
            }
        }
        Self {
            texts: with_errors
                .iter()
                .map(|file| &**files.text(*file))
                .collect(),
            spans: errors.iter().filter_map(|error| error.at).collect(),
            lines: errors
                .iter()
                .filter(|error| error.code == "unknown_key")
                .filter_map(|error| Some(line(files, error.at?)))
                .collect(),
            anything: errors.iter().any(elsewhere),
            tasks,
        }
    }

    /// Whether a mistake is one whatever is done about the errors.
    pub(super) fn is_sure(&self, found: &Diagnostic) -> bool {
        if self.spans.is_empty() && !self.anything {
            return true;
        }
        match found.code {
            "undefined_variable" | "facts_later" | "unknown_handler" | "unknown_id"
            | "unknown_task" => !self.anything && !self.may_be_defined(&found.message),
            "missing_argument" | "wrong_argument" | "wrong_arguments" => !self.is_beside(found),
            "pattern" => !self.anything,
            // The text itself is told.
            "known_too_late" | "not_known_yet" => !found.message.contains(WRONG),
            _ => true,
        }
    }

    /// Whether a file with errors has the name that a message is about as a key, an id or a name.
    fn may_be_defined(&self, message: &str) -> bool {
        let Some(named) = message.split('`').nth(1) else {
            return true;
        };
        let name = named.split(['.', '[', '@']).next().unwrap_or(named);
        if name.is_empty() {
            return true;
        }
        let words = |line: &&str| {
            let mut words = line.split(|c: char| !c.is_alphanumeric() && c != '_');
            words.any(|word| word == name)
        };
        self.texts.iter().any(|text| defines(text, name)) || self.lines.iter().any(words)
    }

    /// Whether the same task has an error already.
    fn is_beside(&self, found: &Diagnostic) -> bool {
        let Some(at) = found.at else { return false };
        let holds = |task: &Span, at: Span| {
            task.file == at.file && task.start <= at.start && at.start <= task.end
        };
        self.tasks
            .iter()
            .filter(|task| holds(task, at))
            .any(|task| self.spans.iter().any(|error| holds(task, *error)))
    }
}

/// Those of the mistakes found that are mistakes whatever is done about the others.
pub(super) fn sure(
    mut found: Vec<Diagnostic>,
    out: &[Diagnostic],
    files: &Files,
    plays: &[&Play],
) -> Vec<Diagnostic> {
    // What could not be read at all comes first, whoever found it.
    let unread = found.iter().filter(|found| is_unread(found));
    let first: Vec<Diagnostic> = out.iter().chain(unread).cloned().collect();
    let doubts = Doubts::new(&first, files, plays);
    found.retain(|found| doubts.is_sure(found));
    // A reference to nothing is found twice: as it is written, and on each host.
    let all = out.iter().chain(&found);
    let ids = all.filter(|found| found.code == "unknown_id");
    let ids: Vec<Span> = ids.filter_map(|found| found.at).collect();
    found.retain(|found| {
        found.code != "unknown_task" || found.at.is_none_or(|at| !ids.contains(&at))
    });
    found
}

/// Whether a file could not be read, or nothing of it counts.
fn is_unread(found: &Diagnostic) -> bool {
    found.is_error()
        && (found.code.starts_with("yaml_")
            || [
                "cannot_read",
                "not_a_map",
                "not_utf8",
                "unquoted_template",
                vault::CODE,
            ]
            .contains(&found.code))
}

/// The line on which a span begins.
fn line(files: &Files, at: Span) -> &str {
    let text = &**files.text(at.file);
    let start = text[..at.start as usize]
        .rfind('\n')
        .map_or(0, |end| end + 1);
    text[start..].lines().next().unwrap_or_default()
}

fn collect(items: &[Item], tasks: &mut Vec<Span>) {
    for item in items {
        match item {
            Item::Task(task) => tasks.push(task.span),
            Item::Block(block) => {
                for items in [&block.body, &block.rescue, &block.always] {
                    collect(items, tasks);
                }
            }
            Item::Part(part) => collect(&part.body, tasks),
            Item::Meta(_) | Item::Include(_) => {}
        }
    }
}

/// Whether a text looks as if it defined a name: `name:`, `name=`, or the name behind `register:`,
/// `id:`, `name:`, `listen:` and the like.
fn defines(text: &str, name: &str) -> bool {
    const BEFORE: [&str; 6] = ["register", "id", "name", "listen", "loop_var", "index_var"];
    let mut from = 0;
    while let Some(found) = text[from..].find(name) {
        let (start, end) = (from + found, from + found + name.len());
        from = end;
        let word = |c: char| c.is_alphanumeric() || c == '_';
        if text[..start].ends_with(word) || text[end..].starts_with(word) {
            continue;
        }
        let after = text[end..].trim_start_matches(['"', '\'', ' ']);
        if after.starts_with(':') || after.starts_with('=') && !after.starts_with("==") {
            return true;
        }
        let line = text[..start].rsplit('\n').next().unwrap_or_default();
        let keys = BEFORE.iter().any(|key| {
            line.rsplit_once(key).is_some_and(|(_, rest)| {
                rest.trim_start().starts_with(':') || rest.starts_with('=')
            })
        });
        if keys {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::defines;

    #[test]
    fn keys_and_registers_define() {
        let text = "- hosts: a\n  vars: {port: 1, 'x y': 2}\n  tasks:\n    - command: a\n      register: out\n      when: not_me == 1\n";
        for name in ["port", "out", "x y", "hosts"] {
            assert!(defines(text, name), "{name}");
        }
        for name in ["not_me", "ou", "command a"] {
            assert!(!defines(text, name), "{name}");
        }
    }
}
