//! From YAML to the syntax tree. Every mistake is found, each with its place; nothing is ignored.

mod args;
mod common;
mod defaults;
mod freeform;
mod items;
mod keywords;
mod loops;
mod module;
mod play;
mod references;
mod tags;
mod task;
mod values;

use crate::{
    ast::Playbook,
    diagnostic::Diagnostic,
    files::{FileId, Files, Span},
    yaml::{self, Kind, Node},
};

pub use references::check_references;

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
            reader.plays(document, file)
        }
    };
    let mut out = reader.out;
    out.sort_by_key(|diagnostic| diagnostic.at);
    // What an alias repeats is wrong once.
    out.dedup();
    (Playbook { file, plays }, out)
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

    fn plays(&mut self, document: &Node, file: FileId) -> Vec<crate::ast::Play> {
        match &document.kind {
            Kind::Null => self.empty(file),
            Kind::Seq(items) if items.is_empty() => self.empty(file),
            Kind::Seq(items) => return items.iter().filter_map(|item| self.play(item)).collect(),
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
