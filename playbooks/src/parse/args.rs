//! Arguments of modules: maps, `key=value` texts, and the free text of commands.

use super::{
    Reader,
    freeform::{self, Word},
    values::{is_template, shorten},
};
use crate::{
    diagnostic::Diagnostic,
    files::{Span, Spanned},
    yaml::{Kind, Node},
};

/// Modules whose text is a command line.
const COMMANDS: [&str; 4] = ["command", "shell", "script", "raw"];
/// What may stand among the words of a command line.
const COMMAND_KEYS: [&str; 9] = [
    "creates",
    "removes",
    "chdir",
    "executable",
    "warn",
    "stdin",
    "stdin_add_newline",
    "strip_empty_ends",
    "argv",
];
/// Modules whose arguments are names that users choose.
const FREE_NAMES: [&str; 2] = ["set_fact", "add_host"];
/// Modules of which has to be known what is written which argument.
const LISTED: [&str; 3] = ["add_host", "group_by", "include_vars"];
/// The argument that stands for those that one template gives.
pub(crate) const REST: &str = "(one template)";

type Entries = Vec<(Node, Node)>;

impl Reader<'_> {
    /// The arguments of a module as one map.
    pub(super) fn arguments(
        &mut self,
        module: &Spanned<String>,
        node: &Node,
        extra: Option<&Node>,
    ) -> Node {
        let mut entries = match &node.kind {
            Kind::Null => Vec::new(),
            Kind::Map(entries) => entries.clone(),
            Kind::Str(text) => self.text_arguments(module, node, text),
            _ => {
                self.wrong_type(module, "a map of arguments", node);
                Vec::new()
            }
        };
        self.add_args(module, &mut entries, extra);
        if !FREE_NAMES.contains(&module.as_str()) {
            for (key, value) in &mut entries {
                if let Some("mode" | "directory_mode") = key.as_str() {
                    self.mode(key, value);
                }
            }
        }
        let span = if node.is_null() {
            module.span
        } else {
            node.span
        };
        Node::map(entries, span)
    }

    /// `args:`; what the module says itself wins.
    fn add_args(&mut self, module: &Spanned<String>, entries: &mut Entries, extra: Option<&Node>) {
        let Some(extra) = extra.filter(|extra| !extra.is_null()) else {
            return;
        };
        let Some(more) = extra.as_map() else {
            if extra.as_str().is_some_and(is_template) {
                self.rest(module, entries, extra);
            } else {
                self.wrong_type("args", "a map of arguments", extra);
            }
            return;
        };
        for (key, value) in more {
            match entries.iter().find(|(other, _)| other.text == key.text) {
                Some((first, _)) => self.out.push(
                    Diagnostic::error(
                        "duplicate_key",
                        key.span,
                        format!("the argument `{}` is given twice", key.text),
                    )
                    .also(first.span, "also here")
                    .help("remove one of them"),
                ),
                None => entries.push((key.clone(), value.clone())),
            }
        }
    }

    /// Arguments that one template gives: what is written beside it wins.
    fn rest(&mut self, module: &Spanned<String>, entries: &mut Entries, node: &Node) {
        let twice = entries.iter().any(|(key, _)| key.text == REST);
        if twice || LISTED.contains(&module.as_str()) {
            return self.whole_template(module, node);
        }
        entries.push((Node::str(REST, node.span), node.clone()));
    }

    pub(super) fn whole_template(&mut self, name: &str, node: &Node) {
        self.error_help(
            "unsupported",
            node.span,
            format!("the arguments of `{name}` are one template, so they cannot be checked"),
            "write each argument on a line of its own, with a template where its value varies",
        );
    }

    fn text_arguments(&mut self, module: &Spanned<String>, node: &Node, text: &str) -> Entries {
        // `ansible.builtin.shell` is `shell`.
        let short = module.rsplit('.').next().unwrap_or(module);
        let command = COMMANDS.contains(&short);
        // `include_vars: a.yml`: one word that is no pair names the file.
        let names_file = matches!(short, "include_vars" | "include-vars");
        let words = match freeform::words(text) {
            Ok(words) => words,
            Err(freeform::Unclosed(what)) => {
                self.error_help(
                    "args_text",
                    node.span,
                    format!("a {what} is opened in this text and never closed"),
                    "write the arguments as a map, one on a line",
                );
                return Vec::new();
            }
        };
        if command {
            return self.command(node, text, &words);
        }
        let mut entries: Entries = Vec::new();
        if !names_file && is_one_template(text) {
            if short == "set_fact" {
                self.error_help(
                    "args_text",
                    node.span,
                    "`set_fact` takes names with their values, and this is a value alone",
                    format!(
                        "`set_fact:`, and `args: \"{}\"` below it",
                        shorten(text.trim())
                    ),
                );
            } else {
                self.rest(module, &mut entries, node);
            }
            return entries;
        }
        for word in &words {
            if let Some((key, value)) = freeform::pair(word) {
                self.add_pair(&mut entries, node, &key, &value);
            } else if names_file && entries.iter().all(|(key, _)| key.text != "file") {
                let name = Word {
                    text: "file".to_owned(),
                    ..word.clone()
                };
                self.add_pair(&mut entries, node, &name, word);
            } else if word.text == "\\" {
                // The end of a line that goes on, where YAML has folded the lines.
            } else if words.len() == 1 && is_template(text) {
                self.whole_template(module, node);
            } else {
                self.error_help(
                    "args_text",
                    self.part(node, word),
                    format!(
                        "`{}` takes arguments, and `{}` is none",
                        module.value,
                        shorten(&word.text)
                    ),
                    "`key=value` words, or better a map, one argument on a line",
                );
                break;
            }
        }
        entries
    }

    /// A command line, in which `creates=` and the like are arguments and not words.
    fn command(&mut self, node: &Node, text: &str, words: &[Word]) -> Entries {
        let mut entries: Entries = Vec::new();
        let mut line = String::new();
        let mut from = 0;
        for word in words {
            let argument =
                freeform::pair(word).filter(|(key, _)| COMMAND_KEYS.contains(&key.text.as_str()));
            if let Some((key, value)) = argument {
                line.push_str(text[from..word.start].trim_end_matches(' '));
                from = word.end;
                self.add_pair(&mut entries, node, &key, &value);
            }
        }
        line.push_str(&text[from..]);
        let line = line.trim();
        if !line.is_empty() {
            entries.insert(
                0,
                (
                    Node::str("cmd", node.span),
                    Node {
                        tag: node.tag.clone(),
                        ..Node::str(line, node.span)
                    },
                ),
            );
        }
        entries
    }

    fn add_pair(&mut self, entries: &mut Entries, node: &Node, key: &Word, value: &Word) {
        let (key_span, value_span) = (self.part(node, key), self.part(node, value));
        if let Some((first, _)) = entries.iter().find(|(other, _)| other.text == key.text) {
            self.out.push(
                Diagnostic::error(
                    "duplicate_key",
                    key_span,
                    format!("the argument `{}` is given twice", key.text),
                )
                .also(first.span, "also here")
                .help("remove one of them"),
            );
            return;
        }
        entries.push((
            Node::str(key.text.clone(), key_span),
            Node::str(value.text.clone(), value_span),
        ));
    }

    /// Where a word of a text stands in the file: exactly, if the text is written as it is.
    fn part(&self, node: &Node, word: &Word) -> Span {
        if self.files.slice(node.span) != node.text {
            return node.span;
        }
        let small = |at: usize| u32::try_from(at).unwrap_or(0);
        Span {
            start: node.span.start + small(word.start),
            end: node.span.start + small(word.end),
            ..node.span
        }
    }

    /// `mode: 0644` is read as it is written; `644` is a trap.
    fn mode(&mut self, key: &Node, value: &mut Node) {
        if !matches!(value.kind, Kind::Int(_) | Kind::UInt(_) | Kind::Float(_)) {
            return;
        }
        let digits = &value.text;
        if digits.starts_with('0') && digits.bytes().all(|digit| (b'0'..=b'7').contains(&digit)) {
            value.kind = Kind::Str(digits.clone());
            return;
        }
        let octal = digits.len() <= 4 && digits.bytes().all(|digit| (b'0'..=b'7').contains(&digit));
        let help = if octal {
            format!("write `{}: \"0{digits}\"`", key.text)
        } else {
            format!(
                "write `{}: \"0644\"`, four octal digits in quotes",
                key.text
            )
        };
        self.error_help(
            "mode_integer",
            value.span,
            format!("`{digits}` without a leading zero is not an octal mode: YAML reads a decimal number"),
            help,
        );
    }
}

/// Whether a text is one expression, and nothing else.
fn is_one_template(text: &str) -> bool {
    let inner = text.trim().strip_prefix("{{");
    let inner = inner.and_then(|rest| rest.strip_suffix("}}"));
    inner.is_some_and(|inner| !inner.contains("{{") && !inner.contains("}}"))
}
