//! `lookup('template', …)`: what a template file of this machine gives.

use std::{
    cell::{Cell, RefCell},
    path::PathBuf,
    sync::Arc,
};

use evenkeel_engine::{Map, Value};
use minijinja::{
    Error, State,
    value::{Kwargs, Value as Jinja},
};

use super::{path, refuse, variables};
use crate::{
    files::{Files, is_vault},
    template::{
        Fault, Marks, Reading, Template, TemplateFile, Variable, Variables, about, session,
        value::{read, to_jinja},
    },
    vault::Keyring,
};

/// How many templates one lookup may render, with those that look up others.
const LIMIT: usize = 10_000;

/// How deep templates may look up others.
const DEPTH: usize = 20;

thread_local! {
    /// Templates that are being rendered just now.
    static BUSY: RefCell<Vec<PathBuf>> = const { RefCell::new(Vec::new()) };
    /// How many were rendered by the lookup that is not within another.
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

pub(super) fn of(
    state: &State<'_, '_>,
    terms: &[Jinja],
    kwargs: &Kwargs,
) -> Result<Vec<Jinja>, Error> {
    let mut marks = Marks::default();
    for name in Marks::NAMES {
        let given = kwargs.get::<Option<String>>(name)?;
        if given.is_some_and(|mark| !marks.set(name, &mark)) {
            return Err(refuse(format!(
                "`lookup('template', …)`: `{name}` is empty"
            )));
        }
    }
    // What they were for is done in any case: a lone expression gives its value.
    kwargs.get::<Option<Jinja>>("convert_data")?;
    kwargs.get::<Option<Jinja>>("jinja2_native")?;
    let flag = |name| kwargs.get::<Option<bool>>(name);
    let reading = Reading {
        trim: flag("trim_blocks")?.unwrap_or(true),
        lstrip: flag("lstrip_blocks")?.unwrap_or(false),
        marks,
    };
    let given = match kwargs.get::<Option<Jinja>>("template_vars")? {
        None => Map::new(),
        Some(given) => match read(&given)? {
            Value::Map(given) => given,
            other => {
                return Err(refuse(format!(
                    "`lookup('template', …)`: `template_vars` is a map of variables, not {}",
                    other.kind()
                )));
            }
        },
    };
    let Some(others) = variables(state) else {
        return Err(refuse(
            "`lookup('template', …)`: there are no variables here",
        ));
    };
    terms
        .iter()
        .map(|term| {
            let name = term.to_string();
            let path = path(state, "template", "templates", &name)?;
            let over = Over {
                given: given.clone(),
                about: Map::new(),
                others: Arc::clone(&others),
            };
            one(&name, path, reading.clone(), over)
        })
        .collect()
}

/// One template, unless it is being rendered already.
fn one(name: &str, path: PathBuf, reading: Reading, over: Over) -> Result<Jinja, Error> {
    let circle = BUSY.with_borrow(|busy| {
        let at = busy.iter().position(|other| *other == path)?;
        let names = busy[at..].iter().chain([&path]);
        let names: Vec<String> = names.map(|path| path.display().to_string()).collect();
        Some(names.join(" -> "))
    });
    if let Some(circle) = circle {
        return Err(refuse(format!(
            "`lookup('template', …)`: the template is made of itself: {circle}"
        )));
    }
    let depth = BUSY.with_borrow(Vec::len);
    let count = if depth == 0 { 0 } else { COUNT.get() };
    if depth >= DEPTH || count >= LIMIT {
        return Err(refuse(format!(
            "`lookup('template', …)`: templates look up others more than {DEPTH} deep, or more than {LIMIT} of them"
        )));
    }
    COUNT.set(count + 1);
    BUSY.with_borrow_mut(|busy| busy.push(path.clone()));
    let mut files = Files::apart(over.keys());
    let rendered = render(&path, reading, over, &mut files);
    BUSY.with_borrow_mut(Vec::pop);
    let value = rendered.map_err(|fault| refuse(told(name, &fault, &files)))?;
    Ok(match &value {
        Value::NotYet(what) => return Err(session::not_yet(what)),
        value => to_jinja(value),
    })
}

fn render(
    path: &std::path::Path,
    reading: Reading,
    over: Over,
    files: &mut Files,
) -> Result<Value, Fault> {
    let mut folders = Vec::new();
    for folder in over.folders() {
        folders.extend([folder.join("templates"), folder]);
    }
    let shown = path.to_string_lossy();
    let template = TemplateFile::read(path, &shown, &folders, reading, files)
        .map_err(|mut faults| faults.swap_remove(0))?;
    let variables: Arc<dyn Variables> = Arc::new(Over {
        about: about(path, template.uses()),
        ..over
    });
    if !is_vault(path) {
        if let Some(value) = template.lone(&variables) {
            return value;
        }
    }
    template.render(&variables)
}

/// What is wrong within a template, with its place.
fn told(name: &str, fault: &Fault, files: &Files) -> String {
    let found = fault.diagnostic(files);
    let place = found
        .at
        .map(|at| files.place(at))
        .map_or_else(|| format!("in `{name}`"), |place| place.to_string());
    let help = found.help.map_or(String::new(), |help| format!(": {help}"));
    format!("`lookup('template', …)`: {} ({place}){help}", found.message)
}

/// Variables of the lookup above all others.
struct Over {
    given: Map,
    /// What the template says of itself.
    about: Map,
    others: Arc<dyn Variables>,
}

/// What `{{ ansible_managed }}` says.
const MANAGED: &str = "Ansible managed";

impl Variables for Over {
    fn get(&self, name: &str) -> Result<Option<Variable>, Fault> {
        if let Some(value) = self.given.get(name).or_else(|| self.about.get(name)) {
            return Ok(Some(Variable::Value(value.clone())));
        }
        let found = self.others.get(name)?;
        let managed = || (name == "ansible_managed").then(|| Variable::Value(MANAGED.into()));
        Ok(found.or_else(managed))
    }

    fn names(&self) -> Vec<String> {
        let mut names = self.others.names();
        names.extend(self.given.keys().cloned());
        names
    }

    fn is_of_people(&self, template: &Template) -> bool {
        self.others.is_of_people(template)
    }

    fn folders(&self) -> Vec<PathBuf> {
        self.others.folders()
    }

    fn keys(&self) -> Arc<Keyring> {
        self.others.keys()
    }
}
