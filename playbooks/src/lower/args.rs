//! Arguments of one task on one host: rendered, with local files opened, given to the module.

use std::path::Path;
use std::{os::unix::fs::PermissionsExt as _, sync::Arc};

use evenkeel_engine::{AnyModule, BindError, Bound, Map, Value};

use super::{
    include, label, named,
    program::{Arg, Condition, Form, Program},
    rest,
    store::{self, Store},
};
use crate::{
    files::Span,
    parse,
    template::{Fault, Marks, Reading, Template, Variable, Variables, about},
    vars::{Scope, without_omitted},
    words::{did_you_mean, list},
    yaml::{Kind, Node},
};

/// The modules whose `src` is a template: what it gives is their `content`.
pub(super) const TEMPLATES: [&str; 2] = ["file-template", "systemd-unit"];

/// The modules that keep files of hosts on this machine, and the argument that says where.
pub(super) const KEEPS: [(&str, &str); 2] = [("fetch", "dest"), ("compile-python", "share_build")];

/// What rendering needs.
pub(crate) struct Making<'a> {
    /// The task.
    pub(crate) program: Arc<Program>,
    /// Its module.
    pub(crate) module: &'a dyn AnyModule,
    /// Local files.
    pub(crate) store: &'a Store,
    /// Variables.
    pub(crate) scope: &'a Scope,
    /// Whether what cannot be had counts as not known yet: the task may never be reached.
    pub(crate) lenient: bool,
}

/// What a module says to an argument that it has not, whatever its value is.
fn unknown(module: &dyn AnyModule, name: &str) -> Option<BindError> {
    let alone: Map = [(name.to_owned(), Value::Null)].into_iter().collect();
    let error = module.bind(&Value::Map(alone)).err()?;
    let unknown =
        matches!(&error, BindError::Wrong { unknown: Some(_), path, .. } if !path.contains('.'));
    unknown.then_some(error)
}

/// The fault of an argument that a module has not.
pub(super) fn unknown_argument(module: &dyn AnyModule, written: &str, name: &str) -> Option<Fault> {
    let BindError::Wrong {
        message,
        unknown: Some((field, known)),
        ..
    } = unknown(module, name)?
    else {
        return None;
    };
    Some(no_argument(written, &message, &field, &known))
}

fn no_argument(written: &str, message: &str, field: &str, known: &[String]) -> Fault {
    let message = format!("{message} of `{written}`");
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let help = parse::outside(field, written)
        .or_else(|| did_you_mean(field, known.iter().copied()))
        .unwrap_or_else(|| format!("there are {}", list(&known, "and")));
    Fault::new("unknown_argument", message).help(help)
}

/// Why there is no module with arguments.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Something comes later.
    NotYet(evenkeel_engine::NotYet),
    /// Something is wrong.
    Faults(Vec<Fault>),
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Faults(vec![fault])
    }
}

impl Making<'_> {
    /// The module with its arguments.
    pub(crate) fn bound(&self) -> Result<Arc<dyn Bound>, Failure> {
        let mut args = self.values()?;
        self.open(&mut args)?;
        if TEMPLATES.contains(&self.module.name()) {
            self.template(&mut args)?;
        }
        if self.module.name() == include::MODULE {
            self.include(&mut args)?;
        }
        for (_, name) in KEEPS
            .iter()
            .filter(|(module, _)| *module == self.module.name())
        {
            self.kept_here(&mut args, name);
        }
        let label = label::take(&mut args, self.module, |name| self.span_of(name))?;
        let bound = match self.module.bind(&Value::Map(args)) {
            Ok(bound) => label::labelled(bound, label),
            Err(BindError::NotYet(what)) => return Err(Failure::NotYet(what)),
            Err(error) => return Err(self.misfit(&error).into()),
        };
        bound.check().map_err(|refusal| {
            let fault = Fault::new("wrong_arguments", refusal.message.clone());
            let fault = match &refusal.help {
                Some(help) => fault.help(help.clone()),
                None => fault,
            };
            fault.or_at(self.named_in(&refusal.message))
        })?;
        Ok(bound)
    }

    /// Arguments that the module has not, whatever the values of the others are.
    pub(crate) fn unknown_names(&self) -> Vec<Fault> {
        let mut found = Vec::new();
        for arg in &self.program.args {
            let name = match arg.form {
                Form::Named(_) | Form::Rest(_) => continue,
                _ => arg.name.value.clone(),
            };
            if let Some(error) = unknown(self.module, &name) {
                found.push(self.misfit(&error));
            }
        }
        found
    }

    /// The arguments as they are rendered.
    pub(crate) fn values(&self) -> Result<Map, Failure> {
        let mut args = Map::new();
        for arg in &self.program.args {
            if matches!(arg.form, Form::Rest(_)) {
                continue;
            }
            let value = match self.value(arg) {
                Ok(value) => value,
                Err(_) if self.lenient => later(),
                Err(fault) => return Err(fault.or_at(arg.node.span).into()),
            };
            let Some(value) = without_omitted(value) else {
                continue;
            };
            let name = match &arg.form {
                Form::Named(template) => {
                    let text = template.source().trim();
                    args.insert("of".to_owned(), text.into());
                    "msg".to_owned()
                }
                _ if self.module.name() == named::MODULE => {
                    named::name_of(arg, self.scope)?.map_err(Failure::NotYet)?
                }
                _ => arg.name.value.clone(),
            };
            args.insert(name, value);
        }
        for arg in &self.program.args {
            if let Form::Rest(tree) = &arg.form {
                rest::add(&mut args, self, (tree, arg.node.span))?;
            }
        }
        Ok(args)
    }

    fn value(&self, arg: &Arg) -> Result<Value, Fault> {
        let variables = self.scope.variables();
        match &arg.form {
            Form::Tree(tree) => {
                let mut value = tree.render(&variables)?;
                // `mode: 0644` is octal however YAML reads it.
                if arg.node.plain
                    && matches!(arg.node.kind, Kind::Int(_))
                    && is_mode(&arg.name.value)
                {
                    value = Value::from(arg.node.text.as_str());
                }
                Ok(value)
            }
            Form::Conditions(all) => match &all[..] {
                [one] => Ok(Value::Seq(judged_all(one, &variables)?)),
                all => all.iter().map(|one| judged(one, &variables)).collect(),
            },
            Form::Named(template) => Ok(named(template, &variables)?),
            // Its parts are arguments by themselves.
            Form::Rest(tree) => tree.render(&variables),
        }
    }

    /// Opens the files that arguments name.
    fn open(&self, args: &mut Map) -> Result<(), Failure> {
        if args.get("remote_src").is_some_and(is_yes) {
            return Ok(());
        }
        let line = self.script(args);
        let decrypt = args.get("decrypt").is_none_or(is_yes);
        for &name in self.module.files() {
            let Some(Value::Str(path)) = args.get(name) else {
                continue;
            };
            let at = if line { "cmd" } else { name };
            // An address is fetched by the host.
            if path.contains("://") {
                continue;
            }
            let source = self
                .store
                .source(path, "files", self.scope.search_folders(), decrypt);
            let source = source.map_err(|fault| fault.or_at(self.span_of(at)))?;
            args.insert(name.to_owned(), Value::Source(source));
        }
        Ok(())
    }

    /// Where a file of the host is kept on this machine: below the directory of the playbook, unless
    /// the argument says all of it; `fetch` keeps it under the host's name.
    fn kept_here(&self, args: &mut Map, name: &str) {
        if let Some(Value::Str(dest)) = args.get(name) {
            let whole = in_playbook(dest, self.scope);
            args.insert(name.to_owned(), whole.into());
        }
        if name == "dest" && !args.contains_key("host") {
            args.insert("host".to_owned(), self.scope.host().into());
        }
    }

    /// The first word of the line of `script` is a file of this machine: its `src`. Whether there is such a line.
    fn script(&self, args: &mut Map) -> bool {
        if self.module.name() != "script" || args.get("src").is_some() {
            return false;
        }
        let line = match args.get("cmd").or_else(|| args.get("_raw_params")) {
            Some(Value::Str(line)) => line.clone(),
            Some(Value::Secret(line)) => String::from_utf8_lossy(line.reveal()).into_owned(),
            _ => return false,
        };
        if let Some(first) = shlex::Shlex::new(&line).next() {
            args.insert("src".to_owned(), first.into());
        }
        true
    }

    /// Renders the template that `src` names into `content`.
    fn template(&self, args: &mut Map) -> Result<(), Failure> {
        let its_own = self.module.name() == "file-template";
        let reading = reading(|name| its_own.then(|| args.shift_remove(name)).flatten())
            .map_err(|(name, fault)| fault.or_at(self.span_of(name)))?;
        let src = match args.get("src") {
            Some(Value::Str(src)) => src.clone(),
            Some(Value::NotYet(what)) => {
                let what = Value::NotYet(what.clone());
                args.insert("content".to_owned(), what);
                return Ok(());
            }
            _ => return Ok(()),
        };
        let at = self.span_of("src");
        let found = self
            .store
            .template(&src, self.scope.search_folders(), reading);
        let (template, path) = found.map_err(|faults| {
            Failure::Faults(faults.into_iter().map(|fault| fault.or_at(at)).collect())
        })?;
        if args.get("mode").and_then(Value::as_str) == Some("preserve") {
            if let Ok(meta) = std::fs::metadata(&path) {
                let mode = format!("0{:o}", meta.permissions().mode() & 0o7777);
                args.insert("mode".to_owned(), mode.into());
            }
        }
        let scope = self.scope.with_locals(about(&path, template.uses()));
        let scope = scope.with_locals([
            (
                "template_destpath".to_owned(),
                args.get("dest").cloned().unwrap_or_default(),
            ),
            ("ansible_managed".to_owned(), "Ansible managed".into()),
        ]);
        let content = match template.render(&scope.variables()) {
            Ok(content) => content,
            Err(_) if self.lenient => later(),
            Err(fault) => return Err(fault.or_at(at).into()),
        };
        args.insert("content".to_owned(), content);
        Ok(())
    }

    /// Renders what the files of an `include_vars` hold.
    fn include(&self, args: &mut Map) -> Result<(), Failure> {
        let folders = self.scope.search_folders();
        let (at, paths) = match (args.get("file"), args.get("dir")) {
            (Some(Value::Str(file)), None) => {
                let at = self.span_of("file");
                let path = store::find(file, include::FOLDER, folders);
                (at, path.map(|path| vec![path]))
            }
            (None, Some(Value::Str(_))) => (self.span_of("dir"), include::of_folder(args, folders)),
            // A name that is not known yet is what the module waits for; both are refused by it.
            _ => return Ok(()),
        };
        let (mut map, mut included) = (Map::new(), Vec::new());
        let mut scope = self.scope.clone();
        for path in paths.map_err(|fault| fault.or_at(at))? {
            self.one_included(&path, at, &mut scope, &mut map)?;
            included.push(Value::from(path.to_string_lossy().as_ref()));
        }
        if let Some(Value::Str(name)) = args.get("name") {
            map = [(name.clone(), Value::Map(map))].into_iter().collect();
        }
        args.insert("variables".to_owned(), Value::Map(map));
        args.insert("included".to_owned(), included.into_iter().collect());
        Ok(())
    }

    /// Renders what one of them holds.
    fn one_included(
        &self,
        path: &Path,
        at: Span,
        scope: &mut Scope,
        map: &mut Map,
    ) -> Result<(), Failure> {
        let all = |faults: Vec<Fault>| {
            Failure::Faults(faults.into_iter().map(|fault| fault.or_at(at)).collect())
        };
        let included = self.store.include(path).map_err(all)?;
        if !self.store.foresees(self.program.module.span, path) {
            let message = format!(
                "`{}` is none of the files that were told from the task when the playbook was read",
                path.display()
            );
            let help = "write folder and ending as text: `os/{{ ansible_os_family }}.yml`";
            return Err(Fault::new("unforeseen_file", message)
                .help(help)
                .or_at(at)
                .into());
        }
        // Its variables may be made of each other.
        *scope = scope.over(&included.layer);
        let variables = scope.variables();
        for name in &included.names {
            let value = included.layer.get(name).map(|tree| tree.render(&variables));
            let value = match value.transpose() {
                Ok(value) => value.unwrap_or_default(),
                Err(_) if self.lenient => later(),
                Err(fault) => return Err(fault.or_at(at).into()),
            };
            map.insert(name.clone(), value);
        }
        Ok(())
    }

    /// The span of an argument's value; of the module if there is none.
    fn span_of(&self, name: &str) -> Span {
        self.program
            .arg(name)
            .map_or(self.program.module.span, |arg| arg.node.span)
    }

    /// The first argument that a message names.
    fn named_in(&self, message: &str) -> Span {
        let quoted = || message.split('`').skip(1).step_by(2);
        if let Some(arg) = quoted().find_map(|text| self.program.arg(text)) {
            return arg.name.span;
        }
        let words =
            quoted().flat_map(|text| text.split(|c: char| !c.is_alphanumeric() && c != '_'));
        words
            .filter_map(|word| self.program.arg(word))
            .map(|arg| arg.name.span)
            .next()
            .unwrap_or(self.program.module.span)
    }

    /// A tree that does not fit the module's type, at the key or value that is wrong.
    fn misfit(&self, error: &BindError) -> Fault {
        let BindError::Wrong {
            path,
            message,
            unknown,
        } = error
        else {
            return Fault::new("wrong_arguments", error.to_string())
                .or_at(self.program.module.span);
        };
        let (key, value) = self.at_path(path);
        if let Some((field, known)) = unknown {
            let fault = no_argument(&self.program.module.value, message, field, known);
            let span = if path.is_empty() || path == field {
                self.program.arg(field).map(|arg| arg.name.span)
            } else {
                key
            };
            return fault.or_at(span.unwrap_or(self.program.module.span));
        }
        let missing = message.starts_with("the argument `");
        let code = if missing {
            "missing_argument"
        } else {
            "wrong_argument"
        };
        let message = match (missing, path.is_empty()) {
            (true, _) => format!("{message}: `{}` wants it", self.program.module.value),
            (false, true) => message.clone(),
            (false, false) => format!("`{path}`: {message}"),
        };
        let fault = Fault::new(code, message.clone());
        let fault = match remedy(path, &message).or_else(|| {
            let name = message.split('`').nth(1).filter(|_| missing)?;
            Some(format!(
                "write `{name}: …` below `{}`",
                self.program.module.value
            ))
        }) {
            Some(help) => fault.help(help),
            None => fault,
        };
        fault.or_at(value.unwrap_or(self.program.module.span))
    }

    /// Where the tree is written to which a path like `a.b[2]` leads.
    fn at_path(&self, path: &str) -> (Option<Span>, Option<Span>) {
        let mut parts = path.split(['.', '[', ']']).filter(|part| !part.is_empty());
        let Some(arg) = parts.next().and_then(|first| self.program.arg(first)) else {
            return (None, None);
        };
        let (mut key, mut node): (Span, &Node) = (arg.name.span, &arg.node);
        for part in parts {
            let next = match &node.kind {
                Kind::Seq(items) => part
                    .parse()
                    .ok()
                    .and_then(|index: usize| items.get(index))
                    .map(|item| (item.span, item)),
                Kind::Map(entries) => entries
                    .iter()
                    .find(|(name, _)| name.text == part)
                    .map(|(name, value)| (name.span, value)),
                _ => None,
            };
            let Some((at, inner)) = next else { break };
            (key, node) = (at, inner);
        }
        (Some(key), Some(node.span))
    }
}

/// What to write instead of a value that does not fit.
fn remedy(path: &str, message: &str) -> Option<String> {
    let (expected, found) = message.split_once(", found ")?;
    let quoted = |text: &str| -> Vec<String> {
        let parts = text.split('`').skip(1).step_by(2);
        parts.map(str::to_owned).collect()
    };
    if path == "cmd" && found.starts_with("a list") {
        return Some("a program and its arguments as a list are `argv`".to_owned());
    }
    if expected.ends_with("expected a boolean") {
        return Some("write `true` or `false`".to_owned());
    }
    let (known, wrong) = (quoted(expected.rsplit("expected ").next()?), quoted(found));
    did_you_mean(wrong.first()?, known.iter().map(String::as_str))
}

/// A path of this machine as tasks have it: below the directory of the playbook unless it says all of it.
pub(super) fn in_playbook(path: &str, scope: &Scope) -> String {
    let path = match (path.strip_prefix("~/"), std::env::var("HOME")) {
        (Some(rest), Ok(home)) => format!("{home}/{rest}"),
        _ => path.to_owned(),
    };
    if path.is_empty() || path.starts_with('/') {
        return path;
    }
    let folder = scope.value("playbook_dir").ok().flatten();
    let folder = folder.as_ref().and_then(Value::as_str).unwrap_or(".");
    format!("{}/{path}", folder.trim_end_matches('/'))
}

pub(super) fn later() -> Value {
    Value::NotYet(evenkeel_engine::NotYet::new(
        "what this part of the playbook gives",
    ))
}

fn is_mode(name: &str) -> bool {
    matches!(name, "mode" | "directory_mode")
}

/// How a template is read, by the arguments of its task.
pub(super) fn reading(
    mut given: impl FnMut(&str) -> Option<Value>,
) -> Result<Reading, (&'static str, Fault)> {
    let mut reading = Reading::default();
    if let Some(value) = given("trim_blocks") {
        reading.trim = is_yes(&value);
    }
    if let Some(value) = given("lstrip_blocks") {
        reading.lstrip = is_yes(&value);
    }
    for name in Marks::NAMES {
        let mark = given(name).and_then(|value| value.as_text());
        if mark.is_some_and(|mark| !reading.marks.set(name, &mark)) {
            let fault = Fault::new("wrong_argument", format!("`{name}` is empty"));
            return Err((name, fault.help("write a mark, as `[[`")));
        }
    }
    Ok(reading)
}

/// Whether a value says yes.
pub(crate) fn is_yes(value: &Value) -> bool {
    match value {
        Value::Bool(value) => *value,
        Value::Int(number) => *number == 1,
        Value::Str(text) => matches!(
            text.to_ascii_lowercase().as_str(),
            "yes" | "true" | "on" | "1" | "y" | "t"
        ),
        _ => false,
    }
}

/// A condition and whether it holds, for `assert`.
pub(super) fn judged(
    condition: &Condition,
    variables: &Arc<dyn Variables>,
) -> Result<Value, Fault> {
    let holds = match condition {
        Condition::Is(value) => Value::Bool(*value),
        Condition::Expr(template) => match template.holds(variables)? {
            Ok(holds) => Value::Bool(holds),
            Err(what) => Value::NotYet(what),
        },
    };
    Ok(check(condition.text(), holds))
}

/// The same for one condition that may be a list of them, which a variable holds.
fn judged_all(condition: &Condition, variables: &Arc<dyn Variables>) -> Result<Vec<Value>, Fault> {
    let told = condition.template().map(|one| one.all_told(variables));
    let Some(all) = told.transpose()?.flatten() else {
        return Ok(vec![judged(condition, variables)?]);
    };
    if all.is_empty() {
        return Ok(vec![check(condition.text(), Value::Bool(true))]);
    }
    let all = all.into_iter();
    Ok(all
        .map(|(text, holds)| check(text, holds.map_or_else(Value::NotYet, Value::Bool)))
        .collect())
}

/// What `assert` takes.
fn check(text: String, holds: Value) -> Value {
    let pairs = [("text", text.into()), ("holds", holds)];
    Value::Map(pairs.map(|(name, value)| (name.to_owned(), value)).into())
}

/// An expression's value under its text, for `debug: var`.
pub(super) fn named(template: &Template, variables: &Arc<dyn Variables>) -> Result<Value, Fault> {
    let text = template.source().trim();
    let value = match variables.get(text) {
        Ok(Some(Variable::Open(_, what))) => Value::NotYet(what),
        _ => match template.evaluate(variables) {
            Err(fault) if fault.code == "undefined_variable" => "VARIABLE IS NOT DEFINED!".into(),
            other => other?,
        },
    };
    Ok(Value::Map([(text.to_owned(), value)].into_iter().collect()))
}
