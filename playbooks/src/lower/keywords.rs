//! Keywords of a task on one host, with what blocks, play, inventory and command line say.

use evenkeel_engine::{Identity, Method, Nature, Secret, Thing, Value};

use super::{args::is_yes, listing::Entry};
use crate::{
    ast::{Commands, Common, Flag, OrTemplate},
    files::Spanned,
    load::Privilege,
    settings::Settings,
    template::{Fault, Template, is_template},
    vars::{OMIT, Scope, Tree},
};

/// What a keyword is that reads what only the run tells.
pub(super) const LATE: &str = "known_too_late";

/// What to do about it.
const EARLIER: &str = "write a value, or a variable of the inventory, the play or the command line";

/// A value that must be known when the playbook is read.
fn known(text: &str, at: crate::files::Span, scope: &Scope) -> Result<Value, Fault> {
    let mut faults = Vec::new();
    let tree = Tree::text(text, at, &mut faults);
    if let Some(fault) = faults.into_iter().next() {
        return Err(fault);
    }
    match tree.render(&scope.variables())? {
        Value::NotYet(what) => Err(Fault::new(
            LATE,
            format!("this must be known before the run: it reads {}", what.0),
        )
        .help(EARLIER)
        .or_at(at)),
        value => Ok(value),
    }
}

/// A keyword's text, rendered.
pub(crate) fn text(keyword: &Spanned<String>, scope: &Scope) -> Result<String, Fault> {
    let value = known(&keyword.value, keyword.span, scope)?;
    value.as_text().ok_or_else(|| {
        Fault::new(
            "wrong_type",
            format!("expected a text, found {}", value.kind()),
        )
        .or_at(keyword.span)
    })
}

/// Texts of a keyword; a template may give a list of them.
pub(crate) fn texts(keyword: &Spanned<String>, scope: &Scope) -> Result<Vec<String>, Fault> {
    match known(&keyword.value, keyword.span, scope)? {
        Value::Seq(items) => Ok(items.iter().filter_map(Value::as_text).collect()),
        _ => Ok(vec![text(keyword, scope)?]),
    }
}

/// A whole number that is known when the playbook is read; parts of one are left out, and a `%`.
fn number(text: &str, at: crate::files::Span, scope: &Scope) -> Result<u32, Fault> {
    let value = known(text, at, scope)?;
    let text = value.as_text().unwrap_or_default();
    let whole = text.trim().trim_end_matches('%').split('.').next();
    whole.and_then(|whole| whole.parse().ok()).ok_or_else(|| {
        let what = format!("expected a whole number, found `{text}`");
        Fault::new("wrong_type", what).or_at(at)
    })
}

/// A port that is known when the playbook is read.
pub(super) fn port(found: &Spanned<OrTemplate<u32>>, scope: &Scope) -> Result<u32, Fault> {
    match &found.value {
        OrTemplate::Is(port) => Ok(*port),
        OrTemplate::Template(text) => number(text, found.span, scope),
    }
}

/// A yes or no that is known when the playbook is read; `omit` is a no.
pub(crate) fn flag(found: &Flag, scope: &Scope) -> Result<bool, Fault> {
    Ok(said(found, scope)?.unwrap_or(false))
}

/// A keyword's text, rendered; nothing where a template leaves it out (`omit`).
pub(super) fn text_unless_omitted(
    keyword: &Spanned<String>,
    scope: &Scope,
) -> Result<Option<String>, Fault> {
    Ok(Some(text(keyword, scope)?).filter(|text| text != OMIT))
}

/// A yes or no that is known when the playbook is read; nothing where a template leaves it out (`omit`).
fn said(found: &Flag, scope: &Scope) -> Result<Option<bool>, Fault> {
    match &found.value {
        OrTemplate::Is(value) => Ok(Some(*value)),
        OrTemplate::Template(text) => {
            // An expression: `"{{ x }}"` and texts of booleans both count.
            let template =
                Template::text(text, found.span).map_err(|mut faults| faults.remove(0))?;
            match template.evaluate(&scope.variables())? {
                Value::NotYet(what) => Err(Fault::new(
                    LATE,
                    format!("this must be known before the run: it reads {}", what.0),
                )
                .help(EARLIER)
                .or_at(found.span)),
                Value::Str(text) if text == OMIT => Ok(None),
                value => Ok(Some(is_yes(&value))),
            }
        }
    }
}

/// Keywords around a task, the innermost first.
pub(crate) struct Keywords<'a> {
    commons: &'a [&'a Common],
    once: Option<&'a Flag>,
    scope: &'a Scope,
    /// The machine's variables, where that is another one than the host's.
    machine: Option<&'a Scope>,
}

impl<'a> Keywords<'a> {
    /// Of an entry on a host.
    pub(crate) fn new(entry: &'a Entry<'a>, scope: &'a Scope) -> Self {
        Self {
            commons: &entry.commons,
            once: entry.task.once.as_ref(),
            scope,
            machine: None,
        }
    }

    /// Done on a machine with these variables.
    pub(crate) fn on(self, machine: Option<&'a Scope>) -> Self {
        Self { machine, ..self }
    }

    /// Of what stands around no task of its own, the outermost first.
    pub(crate) fn around(commons: &'a [&'a Common], scope: &'a Scope) -> Self {
        Self {
            commons,
            once: None,
            scope,
            machine: None,
        }
    }

    fn find<T>(&self, get: impl Fn(&'a Common) -> Option<T>) -> Option<T> {
        self.commons.iter().rev().find_map(|common| get(common))
    }

    /// A yes or no.
    pub(crate) fn flag(
        &self,
        get: impl Fn(&'a Common) -> Option<&'a Flag>,
    ) -> Result<Option<bool>, Fault> {
        self.first(get, |found| said(found, self.scope))
    }

    /// The innermost that is said, and that no template leaves out.
    fn first<T, V>(
        &self,
        get: impl Fn(&'a Common) -> Option<T>,
        read: impl Fn(T) -> Result<Option<V>, Fault>,
    ) -> Result<Option<V>, Fault> {
        for found in self.commons.iter().rev().filter_map(|common| get(common)) {
            if let Some(value) = read(found)? {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }

    /// `throttle`; 0: as many as there are.
    pub(crate) fn throttle(&self) -> Result<u32, Fault> {
        let Some(found) = self.find(|common| common.throttle.as_ref()) else {
            return Ok(0);
        };
        match &found.value {
            OrTemplate::Is(number) => Ok(*number),
            OrTemplate::Template(text) => number(text, found.span, self.scope),
        }
    }

    /// A percentage.
    pub(crate) fn percent(&self, found: Option<&Spanned<String>>) -> Result<Option<u32>, Fault> {
        found
            .map(|found| number(&found.value, found.span, self.scope))
            .transpose()
    }

    fn text(
        &self,
        get: impl Fn(&'a Common) -> Option<&'a Spanned<String>>,
    ) -> Result<Option<String>, Fault> {
        self.first(get, |found| text_unless_omitted(found, self.scope))
    }

    fn var(&self, names: &[&str]) -> Result<Option<Value>, Fault> {
        for name in names {
            let scope = self.machine.unwrap_or(self.scope);
            match scope.value(name)? {
                None | Some(Value::Null) => {}
                // Only a task of which nobody knows what it sets may set it.
                Some(Value::NotYet(_)) if !scope.is_named(name) => {}
                Some(Value::NotYet(what)) => {
                    let message =
                        format!("`{name}` must be known before the run: it reads {}", what.0);
                    return Err(Fault::new(LATE, message).help(EARLIER));
                }
                Some(value) => return Ok(Some(value)),
            }
        }
        Ok(None)
    }

    /// As whom. Variables (`ansible_become` …) win over keywords, these over settings and the
    /// command line.
    pub(crate) fn identity(
        &self,
        privilege: &Privilege,
        settings: &Settings,
    ) -> Result<Identity, Fault> {
        let on = match self.var(&["ansible_become"])? {
            Some(value) => is_yes(&value),
            None => match self.flag(|common| common.become_.as_ref())? {
                Some(on) => on,
                None => privilege.on || settings.become_.unwrap_or(false),
            },
        };
        if !on {
            return Ok(Identity::login());
        }
        let text_of = |value: Option<Value>| value.and_then(|value| value.as_text());
        let method = match text_of(self.var(&["ansible_become_method"])?) {
            Some(method) => Some(method),
            None => self.text(|common| common.become_method.as_ref())?,
        };
        let method = match method.as_deref() {
            Some(name) => method_of(name)?,
            None => match privilege.method {
                Some(method) => method,
                None => settings
                    .become_method
                    .as_deref()
                    .map_or(Ok(Method::Sudo), method_of)?,
            },
        };
        let of = Names::of(method);
        let user = match text_of(self.var(&[of.user, "ansible_become_user"])?) {
            Some(user) => Some(user),
            None => self.text(|common| common.become_user.as_ref())?,
        };
        let user = user
            .or_else(|| privilege.user.clone())
            .or_else(|| settings.become_user.clone())
            .unwrap_or_else(|| "root".to_owned());
        if let Some(exe) = text_of(self.var(&[of.exe, "ansible_become_exe"])?)
            && exe.rsplit('/').next() != Some(of.program)
        {
            return Err(Fault::new(
                "unsupported",
                format!("`{exe}` cannot stand in for `{}`", of.program),
            )
            .help("leave `ansible_become_exe` out, and set `become_method` to sudo, su or doas"));
        }
        let secret = match self.var(&[of.pass, "ansible_become_pass", "ansible_become_password"])? {
            Some(Value::Secret(secret)) => Some(secret),
            Some(value) => value.as_text().map(Secret::new),
            None => privilege.password.clone(),
        };
        let secret = secret.as_ref().map(one_line).transpose()?.flatten();
        let flags = match text_of(self.var(&[of.flags, "ansible_become_flags"])?) {
            Some(flags) => Some(flags),
            None => self.text(|common| common.become_flags.as_ref())?,
        };
        let flags = match flags {
            None => Vec::new(),
            Some(flags) => shlex::split(&flags).ok_or_else(|| {
                Fault::new(
                    "wrong_value",
                    format!("a quote is open in the `become_flags` `{flags}`"),
                )
                .help("close it, or put a backslash before it")
            })?,
        };
        Ok(Identity {
            user: Some(user),
            method,
            secret,
            flags,
        })
    }

    /// Whether a command runs once for each checksum.
    pub(crate) fn once(&self, nature: Nature, settings: &Settings) -> Result<bool, Fault> {
        if nature != Nature::Command {
            return Ok(false);
        }
        if let Some(once) = self.once {
            return flag(once, self.scope);
        }
        let commands = self.find(|common| common.commands.as_ref().map(|found| found.value));
        Ok(commands.or(settings.commands) == Some(Commands::Once))
    }

    /// All tags of the task.
    pub(crate) fn tags(&self) -> Result<Vec<String>, Fault> {
        let mut all = Vec::new();
        for tag in self.commons.iter().flat_map(|common| &common.tags) {
            if is_template(&tag.value) {
                all.extend(texts(tag, self.scope).map_err(|fault| fault.or_at(tag.span))?);
            } else {
                all.push(tag.value.clone());
            }
        }
        Ok(all)
    }

    /// `reads` or `writes`.
    pub(crate) fn things(
        &self,
        list: Option<&Vec<Spanned<String>>>,
    ) -> Result<Option<Vec<Thing>>, Fault> {
        let Some(list) = list else { return Ok(None) };
        let thing = |written: &Spanned<String>| Ok(thing(&text(written, self.scope)?));
        list.iter().map(thing).collect::<Result<_, _>>().map(Some)
    }
}

/// What a method calls its variables, beside those of all methods. The special ones win.
struct Names {
    program: &'static str,
    user: &'static str,
    pass: &'static str,
    flags: &'static str,
    exe: &'static str,
}

impl Names {
    fn of(method: Method) -> Self {
        match method {
            Method::Sudo => Self {
                program: "sudo",
                user: "ansible_sudo_user",
                pass: "ansible_sudo_pass",
                flags: "ansible_sudo_flags",
                exe: "ansible_sudo_exe",
            },
            Method::Su => Self {
                program: "su",
                user: "ansible_su_user",
                pass: "ansible_su_pass",
                flags: "ansible_su_flags",
                exe: "ansible_su_exe",
            },
            Method::Doas => Self {
                program: "doas",
                user: "ansible_doas_user",
                pass: "ansible_doas_pass",
                flags: "ansible_doas_flags",
                exe: "ansible_doas_exe",
            },
        }
    }
}

/// A password as it is typed: what a file ends with is no part of it. `None`: there is none.
fn one_line(secret: &Secret) -> Result<Option<Secret>, Fault> {
    let all = secret.reveal();
    let ends = all.iter().rposition(|byte| !matches!(byte, b'\n' | b'\r'));
    let line = &all[..ends.map_or(0, |at| at + 1)];
    if line.iter().any(|byte| matches!(byte, b'\n' | b'\r' | 0)) {
        return Err(Fault::new(
            "wrong_value",
            "the password to become another user has more than one line",
        )
        .help("give one line"));
    }
    if line.is_empty() {
        return Ok(None);
    }
    Ok(Some(Secret::new(line)))
}

fn method_of(name: &str) -> Result<Method, Fault> {
    match name.strip_prefix("ansible.builtin.").unwrap_or(name) {
        "sudo" => Ok(Method::Sudo),
        "su" => Ok(Method::Su),
        "doas" => Ok(Method::Doas),
        other => Err(Fault::new(
            "unsupported",
            format!("there is no way `{other}` to become another user"),
        )
        .help("there are `sudo`, `su` and `doas`")),
    }
}

/// `/path`, `/tree/`, `user:x`, `group:x`, `unit:x`, `lock:x`, else a name of the user's own.
fn thing(text: &str) -> Thing {
    match text.split_once(':') {
        Some(("user", name)) => Thing::User(name.to_owned()),
        Some(("group", name)) => Thing::Group(name.to_owned()),
        Some(("unit", name)) => Thing::Unit(name.to_owned()),
        Some(("lock", name)) => Thing::Lock(name.to_owned()),
        Some(("object", name)) => Thing::Object(name.to_owned()),
        _ if text.starts_with('/') => {
            match text.strip_suffix('/').filter(|path| !path.is_empty()) {
                Some(tree) => Thing::Tree(tree.to_owned()),
                None if text == "/" => Thing::Everything,
                None => Thing::Path(text.to_owned()),
            }
        }
        _ => Thing::Object(text.to_owned()),
    }
}

/// Whether tags select a task.
pub(crate) fn selected(tags: &[&str], wanted: &[String], skipped: &[String]) -> bool {
    let has = |list: &[String], word: &str| list.iter().any(|tag| tag == word);
    let tagged = tags.iter().any(|tag| *tag != "always");
    let any = |list: &[String]| tags.iter().any(|tag| has(list, tag));
    let (always, never) = (tags.contains(&"always"), tags.contains(&"never"));
    let run = if wanted.is_empty() {
        !never
    } else {
        always
            || any(wanted)
            || (has(wanted, "all") && !never)
            || (has(wanted, "tagged") && tagged && !never)
            || (has(wanted, "untagged") && !tagged)
    };
    let skip = any(skipped)
        || (has(skipped, "all") && (!always || has(skipped, "always")))
        || (has(skipped, "tagged") && tagged)
        || (has(skipped, "untagged") && tags.is_empty());
    run && !skip
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_by_their_spelling() {
        assert_eq!(thing("/etc/x"), Thing::Path("/etc/x".to_owned()));
        assert_eq!(thing("/srv/app/"), Thing::Tree("/srv/app".to_owned()));
        assert_eq!(thing("unit:nginx"), Thing::Unit("nginx".to_owned()));
        assert_eq!(thing("/"), Thing::Everything);
    }

    #[test]
    fn tags_select() {
        let list =
            |words: &[&str]| -> Vec<String> { words.iter().map(|&word| word.to_owned()).collect() };
        for (tags, wanted, skipped, expected) in [
            (&["a"][..], &[][..], &[][..], true),
            (&["never"], &[], &[], false),
            (&["never", "a"], &["a"], &[], true),
            (&["b"], &["a"], &[], false),
            (&["always"], &["a"], &[], true),
            (&["always"], &["a"], &["always"], false),
            (&["a"], &[], &["a"], false),
            (&[], &["untagged"], &[], true),
            (&["a"], &["tagged"], &[], true),
            (&["a"], &["a"], &["a"], false),
        ] {
            assert_eq!(
                selected(tags, &list(wanted), &list(skipped)),
                expected,
                "{tags:?} {wanted:?} {skipped:?}"
            );
        }
    }
}
