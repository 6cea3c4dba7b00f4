//! The one environment in which everything is compiled.

use std::{fmt, sync::Arc, sync::LazyLock};

use minijinja::{
    Environment, Error, ErrorKind, Output, State, UndefinedBehavior,
    syntax::SyntaxConfig,
    value::{Enumerator, Kwargs, Object, Rest, Value as Jinja, ValueKind},
};

use super::{
    Entries, Fault, UseKind, Uses, Variable, Variables, dump, filters, growing, methods,
    predicates, session, syntax,
    value::{Leaf, ListObject, MapObject},
};
use crate::{files::Span, words::closest};

/// How much one evaluation may do.
const FUEL: u64 = 20_000_000;

/// minijinja's own filters.
const FILTERS: &[&str] = &[
    "abs",
    "attr",
    "batch",
    "bool",
    "capitalize",
    "chain",
    "count",
    "d",
    "default",
    "dictsort",
    "e",
    "escape",
    "first",
    "float",
    "format",
    "groupby",
    "indent",
    "int",
    "items",
    "join",
    "last",
    "length",
    "lines",
    "list",
    "lower",
    "map",
    "max",
    "min",
    "pprint",
    "reject",
    "rejectattr",
    "replace",
    "reverse",
    "round",
    "safe",
    "select",
    "selectattr",
    "slice",
    "sort",
    "split",
    "string",
    "sum",
    "title",
    "tojson",
    "trim",
    "unique",
    "upper",
    "urlencode",
    "zip",
];

/// minijinja's own tests.
pub(super) const TESTS: &[&str] = &[
    "!=",
    "<",
    "<=",
    "==",
    ">",
    ">=",
    "boolean",
    "defined",
    "divisibleby",
    "endingwith",
    "eq",
    "equalto",
    "escaped",
    "even",
    "false",
    "filter",
    "float",
    "ge",
    "greaterthan",
    "gt",
    "in",
    "int",
    "integer",
    "iterable",
    "le",
    "lessthan",
    "lower",
    "lt",
    "mapping",
    "ne",
    "none",
    "number",
    "odd",
    "safe",
    "sameas",
    "sequence",
    "startingwith",
    "string",
    "test",
    "true",
    "undefined",
    "upper",
];

/// Functions.
const FUNCTIONS: &[&str] = &[
    "cycler",
    "dict",
    "joiner",
    "lookup",
    "namespace",
    "now",
    "q",
    "query",
    "range",
    "undef",
];

/// Whether templates have a function of this name, and so no variable.
pub(crate) fn is_function(name: &str) -> bool {
    FUNCTIONS.contains(&name)
}

/// Filters that leave texts as they are, so that a secret can be found again.
const KEEPING: &[&str] = &[
    "bool",
    "combine",
    "count",
    "d",
    "default",
    "dict2items",
    "dictsort",
    "difference",
    "extract",
    "first",
    "flatten",
    "groupby",
    "intersect",
    "items",
    "items2dict",
    "join",
    "last",
    "length",
    "list",
    "mandatory",
    "map",
    "max",
    "min",
    "product",
    "reject",
    "rejectattr",
    "select",
    "selectattr",
    "sort",
    "subelements",
    "ternary",
    "union",
    "unique",
    "zip",
    "zip_longest",
];

pub(super) static JINJA: LazyLock<Environment<'static>> = LazyLock::new(environment);

/// A fresh environment; files get one each, because they include others by name.
pub(super) fn environment() -> Environment<'static> {
    let mut env = Environment::new();
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    env.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    env.set_fuel(Some(FUEL));
    env.set_recursion_limit(200);
    env.set_debug(true);
    env.set_syntax(syntax(true, false));
    env.set_formatter(print);
    env.set_unknown_method_callback(methods::call);
    env.remove_global("debug");
    filters::add(&mut env);
    predicates::add(&mut env);
    growing::add(&mut env);
    env.add_function("cycler", |items: Rest<Jinja>| {
        minijinja_contrib::globals::cycler(items.to_vec())
    });
    env.add_function("joiner", minijinja_contrib::globals::joiner);
    env.add_function("dict", growing::dict);
    env.add_function("undef", |args: Rest<Jinja>, kwargs: Kwargs| {
        let [hint] = filters::given("undef", &args, &kwargs, ["hint"])?;
        if let Some(hint) = hint {
            session::hint(hint.to_string());
        }
        Ok::<_, Error>(Jinja::UNDEFINED)
    });
    env
}

/// Ansible's syntax, with what a task may switch. A newline at the end of a text is left out, also of what
/// is included; see [`super::ending`].
pub(super) fn syntax(trim: bool, lstrip: bool) -> SyntaxConfig {
    SyntaxConfig::builder()
        .trim_blocks(trim)
        .lstrip_blocks(lstrip)
        .keep_trailing_newline(false)
        .build()
        .unwrap_or_default()
}

/// What `{{ }}` prints: nothing for nothing, and never an undefined value.
fn print(out: &mut Output<'_>, _: &mut State<'_, '_>, value: &Jinja) -> Result<(), Error> {
    if value.is_undefined() {
        return Err(Error::from(ErrorKind::UndefinedError));
    }
    if !value.is_none() {
        session::emitted(value);
        write!(out, "{}", finished(value)?)?;
    }
    Ok(())
}

/// The same, to a text.
pub(super) fn printed(value: &Jinja) -> Result<String, Error> {
    if value.is_undefined() {
        return Err(Error::from(ErrorKind::UndefinedError));
    }
    Ok(if value.is_none() {
        String::new()
    } else {
        finished(value)?.to_string()
    })
}

/// The same within a list or a map.
fn listed(value: &Jinja) -> Result<Jinja, Error> {
    match value.kind() {
        ValueKind::Number => Ok(value.clone()),
        _ => finished(value),
    }
}

/// A value as it is printed: what is a tuple to Python is a list there.
fn finished(value: &Jinja) -> Result<Jinja, Error> {
    let ours = value.downcast_object_ref::<MapObject>().is_some()
        || value.downcast_object_ref::<ListObject>().is_some();
    match value.kind() {
        _ if ours => Ok(value.clone()),
        ValueKind::Seq | ValueKind::Iterable => value
            .try_iter()?
            .map(|item| listed(&item))
            .collect::<Result<Vec<_>, _>>()
            .map(Jinja::from),
        ValueKind::Map => {
            let pairs = value.try_iter()?.map(|key| {
                let inner = value.get_item(&key)?;
                Ok((key, listed(&inner)?))
            });
            let pairs = pairs.collect::<Result<Vec<_>, Error>>()?;
            Ok(Jinja::from_pairs(pairs))
        }
        ValueKind::Number if !value.is_integer() => {
            let number = f64::try_from(value.clone())?;
            Ok(Jinja::from(dump::float(number)))
        }
        _ => Ok(value.clone()),
    }
}

/// Whether a filter may make something of a secret in which it can no longer be found.
pub(super) fn transforms(uses: &Uses) -> bool {
    uses.all
        .iter()
        .any(|used| used.kind == UseKind::Filter && !KEEPING.contains(&used.name.as_str()))
}

/// Filters, tests and functions that do not exist.
pub(super) fn unknown(uses: &Uses, text: &str, span: Span) -> Vec<Fault> {
    let mut faults = Vec::new();
    for used in &uses.all {
        let (code, what, known): (_, _, Vec<&str>) = match used.kind {
            UseKind::Filter => (
                "unknown_filter",
                "filter",
                FILTERS.iter().chain(filters::NAMES).copied().collect(),
            ),
            UseKind::Test => (
                "unknown_test",
                "test",
                TESTS
                    .iter()
                    .chain(predicates::NAMES)
                    .chain(&filters::NETWORKS)
                    .copied()
                    .collect(),
            ),
            UseKind::Function if !uses.guarded.contains(&used.name) => {
                ("unknown_function", "function", FUNCTIONS.to_vec())
            }
            UseKind::Function | UseKind::Name => continue,
        };
        let name = used.name.as_str();
        if known.contains(&name) {
            continue;
        }
        let fault = Fault::new(code, format!("there is no {what} `{}`", used.name));
        let fault = match closest(name, known) {
            _ if used.kind == UseKind::Filter && syntax::is_test(name) => fault.help(format!(
                "`{name}` is a test: write `is {name}` in place of `| {name}`"
            )),
            Some(other) => fault.help(format!("did you mean `{other}`?")),
            None => match name.rsplit_once('.') {
                Some((collection, _)) => fault.help(format!(
                    "it is a plugin of the collection `{collection}`, written in Python, which is not run here"
                )),
                None => fault,
            },
        };
        faults.push(fault.at(span, text, used.at));
    }
    faults
}

/// The variables of an evaluation, as minijinja's context.
pub(super) struct Root(Arc<dyn Variables>);

impl fmt::Debug for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("variables")
    }
}

impl Root {
    pub(super) fn value(variables: &Arc<dyn Variables>) -> Jinja {
        Jinja::from_object(Self(Arc::clone(variables)))
    }

    pub(super) fn shared(&self) -> Arc<dyn Variables> {
        Arc::clone(&self.0)
    }
}

/// Where a filter or function finds the variables again.
pub(super) const VARIABLES: &str = "$evenkeel::variables";

/// A variable as minijinja has it.
fn shown(found: Result<Option<Variable>, Fault>) -> Option<Jinja> {
    match found {
        Ok(Some(Variable::Value(value))) => Some(Leaf::new(&value).touch()),
        Ok(Some(Variable::Open(map, rest))) => Some(Leaf::open(&map, rest).touch()),
        Ok(Some(Variable::Lazy(entries))) => Some(Jinja::from_object(Lazy(entries))),
        Ok(None) => None,
        Err(fault) => Some(session::fault(fault).into()),
    }
}

/// A map whose values are made when they are looked at.
#[derive(Debug)]
struct Lazy(Arc<dyn Entries>);

impl Object for Lazy {
    fn get_value(self: &Arc<Self>, key: &Jinja) -> Option<Jinja> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Jinja> {
        shown(self.0.get(key))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let keys: Vec<Jinja> = self.0.keys().into_iter().map(Jinja::from).collect();
        Enumerator::Iter(Box::new(keys.into_iter()))
    }
}

impl Object for Root {
    fn get_value(self: &Arc<Self>, key: &Jinja) -> Option<Jinja> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, name: &str) -> Option<Jinja> {
        if name == VARIABLES {
            return Some(Jinja::from_dyn_object(Arc::clone(self)));
        }
        shown(self.0.get(name))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let names: Vec<Jinja> = self.0.names().into_iter().map(Jinja::from).collect();
        Enumerator::Iter(Box::new(names.into_iter()))
    }
}
