//! From YAML to the syntax tree. Every mistake is found, each with its place; nothing is ignored.

mod args;
mod common;
mod defaults;
mod freeform;
mod include;
mod items;
mod keywords;
mod later;
mod loops;
pub(crate) mod makes;
mod module;
mod play;
mod prompts;
mod references;
mod tags;
mod task;
mod values;
pub(crate) mod wanted;

use std::sync::Arc;

use crate::{
    ast::{Import, Include, Item, Playbook},
    diagnostic::Diagnostic,
    files::{FileId, Files, Span},
    yaml::{self, Kind, Node},
};

pub(crate) use args::REST;
pub(crate) use common::MOST_SECONDS;
pub(crate) use keywords::outside;
pub(crate) use module::COLLECTIONS;
pub(crate) use references::check_plays;
pub use references::check_references;
pub(crate) use values::seconds;

/// Reads a playbook. `modules` are the names (and aliases) of all modules there are. Without an
/// error among the diagnostics the playbook is there.
pub fn read_playbook(
    files: &Files,
    file: FileId,
    modules: &[&str],
) -> (Option<Playbook>, Vec<Diagnostic>) {
    let (playbook, out) = read_what_parses(files, file, modules);
    let is_whole = !out.iter().any(Diagnostic::is_error);
    (is_whole.then_some(playbook), out)
}

/// The same, with all that could be read of a playbook that has errors.
pub(crate) fn read_what_parses(
    files: &Files,
    file: FileId,
    modules: &[&str],
) -> (Playbook, Vec<Diagnostic>) {
    let mut imports = Vec::new();
    let (documents, out) = yaml::read(files, file);
    let syntax_errors = !out.is_empty();
    let mut reader = Reader {
        files,
        modules,
        out,
    };
    let plays = match documents.as_slice() {
        // After an error of syntax there is nothing to say about what is missing.
        [] if syntax_errors => Vec::new(),
        [] => {
            reader.empty(file);
            Vec::new()
        }
        [document, rest @ ..] => {
            if let Some(second) = rest.first() {
                reader.out.push(
                    Diagnostic::error(
                        "yaml_documents",
                        second.span,
                        "a second document begins in this file (`---`)",
                    )
                    .help("a playbook is one document, a list of plays: remove the `---`"),
                );
            }
            reader.check_tags(document);
            reader.plays(document, file, &mut imports)
        }
    };
    let playbook = Playbook {
        file,
        plays,
        imports,
    };
    (playbook, tidy(reader.out))
}

/// In the order of the file.
fn tidy(mut out: Vec<Diagnostic>) -> Vec<Diagnostic> {
    out.sort_by_key(|diagnostic| diagnostic.at);
    // What an alias repeats is wrong once.
    out.dedup();
    out
}

/// The code of the mistake that a file of tasks holds plays.
pub(crate) const PLAYS: &str = "plays_among_tasks";

/// All keywords: the name, where it stands (`p`lay, `b`lock, `t`ask, `h`andler), and what to do instead of those that
/// are refused.
pub(crate) fn keywords() -> impl Iterator<Item = (&'static str, &'static str, Option<&'static str>)>
{
    keywords::KEYWORDS.iter().map(|keyword| {
        let refused = match keyword.status {
            keywords::Status::Refused(instead) => Some(instead),
            _ => None,
        };
        (keyword.name, keyword.on, refused)
    })
}

/// What a file of tasks is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum For {
    /// Tasks.
    Tasks,
    /// Handlers.
    Handlers,
}

/// Reads a file of tasks; what of it could be read comes with its mistakes.
pub(crate) fn read_tasks(
    files: &Files,
    file: FileId,
    modules: &[&str],
    of: For,
) -> (Vec<Item>, Vec<Diagnostic>) {
    let (documents, out) = yaml::read(files, file);
    let mut reader = Reader {
        files,
        modules,
        out,
    };
    let items = documents.first().map_or_else(Vec::new, |document| {
        reader.check_tags(document);
        let plays = document.as_seq().unwrap_or_default();
        let play = plays.iter().find(|item| item.get("hosts").is_some());
        if let Some(play) = play {
            reader.error_help(
                PLAYS,
                play.span,
                "a play stands in a file of tasks",
                "a playbook is brought in by `import_playbook`, in the outermost list of a playbook",
            );
            return Vec::new();
        }
        if let Some(entries) = document.as_map() {
            let named = |name: &&str| entries.iter().any(|(key, _)| key.text == **name);
            let help = match ["tasks", "handlers"].into_iter().find(named) {
                Some(name) => format!("here the list stands alone, without `{name}:` above it"),
                None => "begin each task with `- `".to_owned(),
            };
            let message = "a file of tasks is a list of tasks: this is a map";
            reader.error_help("wrong_type", document.span, message, help);
            return Vec::new();
        }
        match of {
            For::Tasks => reader.items("a file of tasks", document),
            For::Handlers => reader.handlers(document),
        }
    });
    (items, tidy(reader.out))
}

/// Reads the dependencies of a role, as its `meta/main.yml` lists them.
pub(crate) fn read_dependencies(
    files: &Files,
    node: &Node,
    modules: &[&str],
) -> (Vec<Arc<Include>>, Vec<Diagnostic>) {
    let mut reader = Reader {
        files,
        modules,
        out: Vec::new(),
    };
    let roles = reader.roles("dependencies", node);
    (roles, tidy(reader.out))
}

/// What reading needs and finds.
struct Reader<'a> {
    files: &'a Files,
    modules: &'a [&'a str],
    out: Vec<Diagnostic>,
}

impl Reader<'_> {
    fn error(&mut self, code: &'static str, at: Span, message: impl Into<String>) {
        self.out.push(Diagnostic::error(code, at, message));
    }

    fn error_help(
        &mut self,
        code: &'static str,
        at: Span,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.out
            .push(Diagnostic::error(code, at, message).help(help));
    }

    fn empty(&mut self, file: FileId) {
        let start = Span {
            file,
            start: 0,
            end: 0,
        };
        self.error_help(
            "empty_playbook",
            start,
            "there is no play in this file",
            "a playbook is a list of plays: `- hosts: all`, then `tasks:`",
        );
    }

    fn plays(
        &mut self,
        document: &Node,
        file: FileId,
        imports: &mut Vec<(usize, Import)>,
    ) -> Vec<crate::ast::Play> {
        match &document.kind {
            Kind::Null => self.empty(file),
            Kind::Seq(items) if items.is_empty() => self.empty(file),
            Kind::Seq(items) => {
                let mut plays = Vec::new();
                for item in items {
                    match self.import_playbook(item) {
                        Some(import) => {
                            let before = plays.len();
                            imports.extend(import.map(|import| (before, import)));
                        }
                        None => plays.extend(self.play(item)),
                    }
                }
                return plays;
            }
            Kind::Map(_) => self.error_help(
                "wrong_type",
                document.span,
                "a playbook is a list of plays: this is a map",
                "begin each play with `- `",
            ),
            _ => self.error_help(
                "wrong_type",
                document.span,
                format!(
                    "a playbook is a list of plays: this is {}",
                    document.kind_name()
                ),
                "`- hosts: all`, then `tasks:`",
            ),
        }
        Vec::new()
    }
}

#[cfg(test)]
mod tests;
