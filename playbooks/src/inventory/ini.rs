//! Inventories in INI.

use evenkeel_engine::Value;

use super::{Inventory, literal, range, split_port};
use crate::{
    diagnostic::Diagnostic,
    files::{FileId, Files, Span},
    vars::hidden,
    words::did_you_mean,
};

#[derive(Clone, Copy, PartialEq)]
enum Section {
    Hosts,
    Children,
    Vars,
}

struct Reader<'a> {
    inventory: &'a mut Inventory,
    out: &'a mut Vec<Diagnostic>,
    file: FileId,
    /// Whether the file was encrypted.
    secret: bool,
    /// Groups that are only referred to so far, and where.
    pending: Vec<(String, Span, Section)>,
    /// Groups that this or an earlier file writes.
    written: Vec<String>,
    /// Children that are not written yet, with the groups that have them.
    awaited: Vec<(String, String)>,
}

/// What a line of hosts consists of.
struct Words {
    words: Vec<String>,
    /// Where a comment begins, if that is within a word.
    cut: Option<usize>,
}

/// Adds what a file says.
pub(super) fn read(
    inventory: &mut Inventory,
    files: &Files,
    file: FileId,
    out: &mut Vec<Diagnostic>,
) {
    let written = inventory.groups.keys().cloned().collect();
    let mut reader = Reader {
        inventory,
        out,
        file,
        secret: files.is_secret(file),
        pending: Vec::new(),
        written,
        awaited: Vec::new(),
    };
    // `None` after a header that is wrong: what follows would make no sense.
    let mut section = Some(("ungrouped".to_owned(), Section::Hosts));
    let mut start = 0;
    for line in files.text(file).split_inclusive('\n') {
        let indent = line.len() - line.trim_start().len();
        let text = line.trim();
        let at = reader.span(start + indent, text.len());
        start += line.len();
        if text.is_empty() || text.starts_with(['#', ';']) {
            continue;
        }
        if text.starts_with('[') && !text.contains("]:") && is_header(text) {
            section = reader.header(text, at);
            continue;
        }
        match &section {
            Some((group, Section::Hosts)) => reader.host(group, text, at),
            Some((group, Section::Children)) => reader.child(group, text, at),
            Some((group, Section::Vars)) => reader.variable(group, text, at),
            None => {}
        }
    }
    reader.check_pending();
}

/// `[web]`, and not a line of hosts that begins with a range: `[a:c].example.com`.
fn is_header(text: &str) -> bool {
    text.find(']').is_none_or(|close| {
        let rest = text[close + 1..].trim_start();
        rest.is_empty() || rest.starts_with(['#', ';'])
    })
}

impl Reader<'_> {
    fn span(&self, start: usize, length: usize) -> Span {
        let small = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Span {
            file: self.file,
            start: small(start),
            end: small(start + length),
        }
    }

    fn value(&self, text: &str) -> Value {
        let value = literal::value(text);
        if self.secret { hidden(value) } else { value }
    }

    fn error(&mut self, at: Span, message: impl Into<String>, help: &str) {
        self.out
            .push(Diagnostic::error("inventory", at, message).help(help));
    }

    fn header(&mut self, text: &str, at: Span) -> Option<(String, Section)> {
        let Some(close) = text.find(']') else {
            self.error(at, "this section's `[` is never closed", "`[group]`");
            return None;
        };
        let inner = text[1..close].trim();
        let (name, section) = match inner.split_once(':') {
            None => (inner, Section::Hosts),
            Some((name, "children")) => (name, Section::Children),
            Some((name, "vars")) => (name, Section::Vars),
            Some((name, "hosts")) => (name, Section::Hosts),
            Some((_, other)) => {
                let help = did_you_mean(other, ["children", "vars", "hosts"])
                    .unwrap_or_else(|| "`:children` and `:vars` are there".to_owned());
                self.error(at, format!("nobody knows sections `:{other}`"), &help);
                return None;
            }
        };
        if name.is_empty() || name.contains(char::is_whitespace) {
            self.error(
                at,
                format!("`{name}` cannot be the name of a group"),
                "`[web]`",
            );
            return None;
        }
        if section == Section::Vars {
            self.pending.push((name.to_owned(), at, section));
        } else {
            self.written.push(name.to_owned());
            self.inventory.group(name, Some(at));
            // Children stand in the order in which they are written themselves.
            let here = self.awaited.extract_if(.., |(child, _)| child == name);
            let parents: Vec<String> = here.map(|(_, parent)| parent).collect();
            for parent in parents {
                self.add_child(&parent, name);
            }
        }
        Some((name.to_owned(), section))
    }

    fn host(&mut self, group: &str, text: &str, at: Span) {
        let Some(Words { words, cut }) = words(text) else {
            self.error(
                at,
                "a quote is opened in this line and never closed",
                "close it",
            );
            return;
        };
        let Some((first, rest)) = words.split_first() else {
            return;
        };
        if let Some(cut) = cut {
            let message = "a comment begins within a word".to_owned();
            let at = Span {
                start: at.start + u32::try_from(cut).unwrap_or_default(),
                ..at
            };
            self.out.push(
                Diagnostic::error("inventory_comment", at, message)
                    .warning()
                    .help("put quotes around a value with `#`, or a space before a comment"),
            );
        }
        let (mut vars, mut places) = (Vec::new(), Vec::new());
        if let Some(sign) = rest.iter().position(|word| word == "=") {
            // Each of the three words would be told.
            let name = sign.checked_sub(1).map_or(first, |before| &rest[before]);
            let value = rest.get(sign + 1).map_or("value", String::as_str);
            self.error(
                at,
                "a `=` stands alone: it has no blanks around it in the line of a host",
                &format!("write `{name}={value}`"),
            );
            return;
        }
        for word in rest {
            match word.split_once('=') {
                Some((name, value)) if !name.is_empty() => {
                    places.push((name.to_owned(), part(text, name, at)));
                    vars.push((name.to_owned(), self.value(value)));
                }
                _ => self.error(
                    at,
                    format!("`{word}` is no `variable=value`"),
                    "one host on a line, then its variables; put quotes around values with spaces",
                ),
            }
        }
        if first.contains('=') {
            self.error(
                at,
                format!("`{first}` cannot be the name of a host"),
                "variables of a group stand in a section `[group:vars]`",
            );
            return;
        }
        let names = match range::expand(first) {
            Ok(names) => names,
            Err(why) => {
                self.error(at, why, "`web[01:20].example.com`");
                return;
            }
        };
        for name in names {
            let (name, port) = split_port(&name);
            let entry = self.inventory.hosts.entry(name.to_owned()).or_default();
            entry.at = entry.at.or(Some(at));
            if let Some(port) = port {
                entry
                    .vars
                    .insert("ansible_port".to_owned(), Value::Int(port.into()));
                entry.written.push(("ansible_port".to_owned(), at));
            }
            entry.written.extend(places.iter().cloned());
            entry.vars.extend(vars.iter().cloned());
            if group != "ungrouped" {
                self.inventory.add_to(group, name);
            }
        }
    }

    fn child(&mut self, group: &str, text: &str, at: Span) {
        let name = text.split(['#', ';']).next().unwrap_or_default().trim();
        if name.contains(char::is_whitespace) {
            self.error(
                at,
                format!("`{name}` cannot be the name of a group"),
                "one group on a line",
            );
            return;
        }
        self.pending.push((name.to_owned(), at, Section::Children));
        if self.written.iter().any(|written| written == name) {
            self.add_child(group, name);
        } else {
            self.awaited.push((name.to_owned(), group.to_owned()));
        }
    }

    fn add_child(&mut self, group: &str, name: &str) {
        let children = &mut self.inventory.group(group, None).children;
        if !children.iter().any(|child| child == name) {
            children.push(name.to_owned());
        }
    }

    fn variable(&mut self, group: &str, text: &str, at: Span) {
        match text.split_once('=') {
            Some((name, value)) if !name.trim().is_empty() => {
                let value = self.value(value.trim());
                let group = self.inventory.group(group, None);
                group.written.push((name.trim().to_owned(), at));
                group.vars.insert(name.trim().to_owned(), value);
            }
            _ => self.error(
                at,
                format!("`{text}` is no `variable=value`"),
                "`name=value`, one on a line",
            ),
        }
    }

    fn check_pending(&mut self) {
        for (name, group) in std::mem::take(&mut self.awaited) {
            self.add_child(&group, &name);
        }
        for (name, at, section) in std::mem::take(&mut self.pending) {
            if matches!(name.as_str(), "all" | "ungrouped") || self.written.contains(&name) {
                continue;
            }
            let help = did_you_mean(&name, self.written.iter().map(String::as_str))
                .unwrap_or_else(|| format!("write the section `[{name}]`; it may be empty"));
            let what = if section == Section::Vars {
                format!("variables are given to a group `{name}` that does not exist")
            } else {
                format!("the group `{name}` does not exist")
            };
            self.error(at, what, &help);
        }
    }
}

/// Where `NAME=` stands in a line; the whole line if it is written in another way.
fn part(text: &str, name: &str, at: Span) -> Span {
    let set = format!("{name}=");
    let mut found = text.match_indices(&set).filter(|(start, _)| {
        let before = text[..*start].chars().next_back();
        before.is_none_or(|letter| letter.is_whitespace() || matches!(letter, '"' | '\''))
    });
    found.next().map_or(at, |(start, _)| {
        let small = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Span {
            start: at.start + small(start),
            end: at.start + small(start + name.len()),
            ..at
        }
    })
}

/// The words of a line as a shell has them; nothing where a quote is never closed.
fn words(text: &str) -> Option<Words> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '#' => {
                let cut = word.is_some().then_some(at);
                words.extend(word);
                return Some(Words { words, cut });
            }
            '\'' | '"' => {
                let inner = word.get_or_insert_default();
                loop {
                    match letters.next()?.1 {
                        close if close == letter => break,
                        '\\' if letter == '"' => {
                            let next = letters.next()?.1;
                            if !matches!(next, '"' | '\\') {
                                inner.push('\\');
                            }
                            inner.push(next);
                        }
                        other => inner.push(other),
                    }
                }
            }
            '\\' => word.get_or_insert_default().push(letters.next()?.1),
            space if space.is_whitespace() => words.extend(word.take()),
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    Some(Words { words, cut: None })
}
