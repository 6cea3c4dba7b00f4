//! Which of a task's keys is its module.

use super::{
    Reader,
    keywords::{self, On},
    later,
    values::{Fields, is_template, shorten},
};
use crate::{
    diagnostic::Diagnostic,
    files::Spanned,
    words::{closest, did_you_mean},
    yaml::{Kind, Node},
};

/// Collections whose modules we have under their last name.
pub(crate) const COLLECTIONS: [&str; 8] = [
    "ansible.builtin",
    "ansible.legacy",
    "ansible.posix",
    "community.general",
    "community.postgresql",
    "community.rabbitmq",
    "community.crypto",
    "community.docker",
];

/// Collections of which some modules have something that does the same.
const OTHERS: [&str; 1] = ["community.mysql"];

/// A module and what is given to it.
pub(super) struct Found<'n> {
    /// The name by which the module is known.
    pub(super) module: Spanned<String>,
    pub(super) args: Args<'n>,
}

/// How arguments are written.
pub(super) enum Args<'n> {
    /// A value of the task.
    Node(&'n Node),
    /// The rest of `action: module …`.
    Made(Node),
}

impl Reader<'_> {
    /// The name by which a module is known, if it is.
    pub(super) fn known(&self, name: &str) -> Option<String> {
        if self.modules.contains(&name) {
            return Some(name.to_owned());
        }
        let (collection, short) = name.rsplit_once('.').unwrap_or(("", name));
        let builtin = matches!(collection, "" | "ansible.builtin" | "ansible.legacy");
        if builtin && matches!(short, "add_host" | "group_by") {
            return Some(short.to_owned());
        }
        // One of Ansible's own is of no other collection.
        let own = format!("ansible.builtin.{short}");
        let foreign = !builtin && self.modules.contains(&own.as_str());
        (COLLECTIONS.contains(&collection) && !foreign && self.modules.contains(&short))
            .then(|| short.to_owned())
    }

    fn later(&self, name: &str) -> Option<&'static str> {
        if self.known(name).is_some() {
            return None;
        }
        let short = match name.rsplit_once('.') {
            Some((collection, short))
                if COLLECTIONS.contains(&collection) || OTHERS.contains(&collection) =>
            {
                short
            }
            _ => name,
        };
        later::instead(short)
    }

    /// The module of a task. What is wrong has been said.
    pub(super) fn module<'n>(
        &mut self,
        fields: &Fields<'n>,
        task: &Node,
        on: On,
    ) -> Option<Found<'n>> {
        let mut candidates: Vec<(Spanned<&'n str>, &'n Node)> = fields
            .iter()
            .filter(|(key, _)| {
                keywords::elsewhere(key.value).is_none() && !keywords::is_with(key.value)
            })
            .cloned()
            .collect();
        if let Some((key, node)) = fields
            .entry("action")
            .or_else(|| fields.entry("local_action"))
        {
            let found = self.action(&key, node);
            for (other, _) in &candidates {
                match &found {
                    Some(found) if self.known(other).is_some() => {
                        let first = Spanned::new(found.module.value.as_str(), key.span);
                        self.two(&first, other);
                    }
                    _ => self.no_keyword(other, on),
                }
            }
            return found;
        }
        let is_module = |name: &str| self.known(name).is_some() || self.later(name).is_some();
        let at = candidates
            .iter()
            .position(|(key, _)| is_module(key))
            .or_else(|| self.likely(&candidates, on));
        let Some(at) = at else {
            self.none(fields, task, &candidates, on);
            return None;
        };
        let (key, node) = candidates.remove(at);
        for (other, _) in &candidates {
            if self.known(other).is_some() || self.later(other).is_some() {
                self.two(&key, other);
            } else {
                self.no_keyword(other, on);
                if node.is_null() {
                    self.not_indented(&key, other, on);
                }
            }
        }
        // One that nothing of ours is near to may be for other hosts: that is told where it is known.
        let guarded = fields.entry("when").is_some() && self.is_foreign(&key);
        let module = if guarded {
            Spanned::new(key.value.to_owned(), key.span)
        } else {
            self.resolve(&key)?
        };
        Some(Found {
            module,
            args: Args::Node(node),
        })
    }

    /// Whether a module of this name is known to nobody, and is no slip of the pen.
    fn is_foreign(&self, name: &str) -> bool {
        let short = name.rsplit('.').next().unwrap_or_default();
        let known = || self.modules.iter().copied();
        self.known(name).is_none()
            && self.later(name).is_none()
            && !known().any(|module| module == short)
            && did_you_mean(short, known()).is_none()
            && did_you_mean(name, keywords::names(On::Task)).is_none()
    }

    /// Among keys that nobody knows, the one that is meant as a module.
    fn likely(&self, candidates: &[(Spanned<&str>, &Node)], on: On) -> Option<usize> {
        let near = |name: &str| closest(name, self.modules.iter().copied()).is_some();
        let keyword = |name: &str| closest(name, keywords::names(on)).is_some();
        candidates
            .iter()
            .position(|(key, _)| key.contains('.'))
            .or_else(|| {
                candidates
                    .iter()
                    .position(|(key, _)| near(key) && !keyword(key))
            })
            .or_else(|| candidates.iter().position(|(key, _)| near(key)))
            .or_else(|| candidates.iter().position(|(key, _)| !keyword(key)))
    }

    /// A module by its name; says so if there is none.
    pub(super) fn resolve(&mut self, key: &Spanned<&str>) -> Option<Spanned<String>> {
        if let Some(instead) = self.later(key) {
            self.error_help(
                "unsupported",
                key.span,
                format!("`{}` is not supported yet", key.value),
                instead,
            );
            return None;
        }
        if let Some(name) = self.known(key) {
            return Some(Spanned::new(name, key.span));
        }
        let short = key.rsplit('.').next().unwrap_or_default();
        let known = || self.modules.iter().copied();
        let help = if is_template(key) {
            Some(format!(
                "a module that a template names stands in `action: {{module: \"{}\", …}}`",
                key.value
            ))
        } else if short != key.value && self.modules.contains(&short) {
            Some(format!(
                "there is a `{short}` of ours, but not of this collection: write `{short}` if you mean it"
            ))
        } else {
            did_you_mean(short, known())
                .or_else(|| did_you_mean(key, keywords::names(On::Task)))
                .or_else(|| Some("`evenkeel modules` lists all there are".to_owned()))
        };
        let what = format!("there is no module `{}`", shorten(key.value));
        let error = Diagnostic::error("unknown_module", key.span, what);
        self.out.push(match help {
            Some(help) => error.help(help),
            None => error,
        });
        None
    }

    fn no_keyword(&mut self, key: &Spanned<&str>, on: On) {
        let help = did_you_mean(key, keywords::names(on))
            .or_else(|| did_you_mean(key, self.modules.iter().copied()))
            .or_else(|| {
                Some("if it is an argument of the module, indent it below the module".to_owned())
            });
        let what = format!("{} has no keyword `{}`", on.name(), shorten(key.value));
        self.unknown_key(key, what, help);
    }

    /// Where nothing is given to the module, what nobody knows is most likely meant for it.
    fn not_indented(&mut self, module: &Spanned<&str>, key: &Spanned<&str>, on: On) {
        if did_you_mean(key, keywords::names(on)).is_some() {
            return;
        }
        if let Some(last) = self.out.last_mut().filter(|last| last.at == Some(key.span)) {
            last.help = Some(format!(
                "if it is an argument of `{}`, indent it below that",
                module.value
            ));
        }
    }

    fn two(&mut self, first: &Spanned<&str>, second: &Spanned<&str>) {
        self.out.push(
            Diagnostic::error(
                "two_modules",
                second.span,
                format!(
                    "this task has two modules: `{}` and `{}`",
                    first.value, second.value
                ),
            )
            .also(first.span, "the first is here")
            .help("make two tasks of it: each begins with `- `"),
        );
    }

    fn none(
        &mut self,
        fields: &Fields<'_>,
        task: &Node,
        candidates: &[(Spanned<&str>, &Node)],
        on: On,
    ) {
        for (key, _) in candidates {
            self.no_keyword(key, on);
        }
        if candidates.is_empty() {
            let at = fields.iter().next().map_or(task.span, |(key, _)| key.span);
            self.error_help(
                "missing_module",
                at,
                "this task has no module: it says nothing to do",
                "a module's name is a key of the task: `file:`, `command:` …",
            );
        }
    }

    /// A module by its name, or the template that gives it.
    fn resolve_or_template(&mut self, key: &Spanned<&str>) -> Option<Spanned<String>> {
        if is_template(key.value) {
            return Some(Spanned::new(key.value.to_owned(), key.span));
        }
        self.resolve(key)
    }

    /// `action: module key=value`, or a map with `module`.
    fn action<'n>(&mut self, key: &Spanned<&str>, node: &'n Node) -> Option<Found<'n>> {
        match &node.kind {
            Kind::Str(text) => {
                let text = text.trim_start();
                let (name, rest) = first_word(text);
                let module = self.resolve_or_template(&Spanned::new(name, node.span))?;
                let args = Node::str(rest, node.span);
                Some(Found {
                    module,
                    args: Args::Made(args),
                })
            }
            Kind::Map(entries) => {
                let Some(name) = node.get("module") else {
                    self.error(
                        "missing_key",
                        node.span,
                        format!("`{}` wants a `module`", key.value),
                    );
                    return None;
                };
                let name = self.text("module", name)?;
                let module = self.resolve_or_template(&Spanned::new(name.as_str(), name.span))?;
                let mut rest: Vec<(Node, Node)> = Vec::new();
                for (key, value) in entries.iter().filter(|(key, _)| key.text != "module") {
                    match (key.as_str(), value.as_map()) {
                        (Some("args"), Some(args)) => rest.extend(args.iter().cloned()),
                        _ => rest.push((key.clone(), value.clone())),
                    }
                }
                Some(Found {
                    module,
                    args: Args::Made(Node::map(rest, node.span)),
                })
            }
            _ => {
                self.wrong_type(key, "a module and its arguments", node);
                None
            }
        }
    }
}

/// A text up to the first space that is not within `{{ }}`, and what comes after it.
fn first_word(text: &str) -> (&str, &str) {
    let mut from = 0;
    loop {
        let space = text[from..].find(char::is_whitespace);
        let opens = text[from..].find("{{");
        let closed = opens
            .filter(|opens| space.is_some_and(|space| *opens < space))
            .and_then(|opens| Some(from + opens + text[from + opens..].find("}}")? + 2));
        match (closed, space) {
            (Some(closed), _) => from = closed,
            (None, Some(space)) => {
                let at = from + space;
                return (&text[..at], text[at..].trim_start());
            }
            (None, None) => return (text, ""),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::first_word;

    #[test]
    fn templates_are_one_word() {
        for (text, first, rest) in [
            ("ping", "ping", ""),
            ("debug msg=a b", "debug", "msg=a b"),
            ("{{ a }} x=1", "{{ a }}", "x=1"),
            (
                "{{ a }}_{{ b c }}file x={{ d }}",
                "{{ a }}_{{ b c }}file",
                "x={{ d }}",
            ),
            ("{{ a", "{{", "a"),
        ] {
            assert_eq!(first_word(text), (first, rest), "{text}");
        }
    }
}
