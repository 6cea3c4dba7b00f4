//! Filters of lists and maps.

use evenkeel_engine::{Map, Value};
use minijinja::{
    Environment, Error,
    value::{Kwargs, Rest, Value as Jinja, ValueKind},
};

use super::refuse;
use crate::template::{
    truth,
    value::{from_jinja, to_jinja},
};

pub(super) fn add(env: &mut Environment<'static>) {
    env.add_filter("combine", combine);
    env.add_filter("d", default);
    env.add_filter("default", default);
    env.add_filter("dict2items", dict2items);
    env.add_filter("items2dict", items2dict);
    env.add_filter("flatten", flatten);
    env.add_filter("subelements", subelements);
    env.add_filter("extract", extract);
    env.add_filter("mandatory", mandatory);
    env.add_filter("ternary", ternary);
    env.add_filter("bool", boolean);
    env.add_filter("type_debug", type_debug);
    env.add_filter("rekey_on_member", rekey_on_member);
}

/// The items of a value that must be a list.
pub(in crate::template) fn items(filter: &str, value: &Jinja) -> Result<Vec<Jinja>, Error> {
    match value.kind() {
        ValueKind::Seq | ValueKind::Iterable => Ok(value.try_iter()?.collect()),
        ValueKind::Undefined => Err(Error::from(minijinja::ErrorKind::UndefinedError)),
        kind => Err(refuse(format!(
            "`{filter}` wants a list, found {}",
            named(kind)
        ))),
    }
}

/// As Jinja has it: arguments by their names too.
fn default(value: &Jinja, args: Rest<Jinja>, kwargs: Kwargs) -> Result<Jinja, Error> {
    // Not as `Option`: `None` and what is undefined are values here.
    let [other, lax] = ["default_value", "boolean"].map(|name| {
        if kwargs.has(name) {
            kwargs.get::<Jinja>(name).map(Some)
        } else {
            Ok(None)
        }
    });
    let (other, lax) = match &args[..] {
        [] => (other?, lax?),
        [first] => (Some(first.clone()), lax?),
        [first, second] => (Some(first.clone()), Some(second.clone())),
        _ => return Err(refuse("`default` takes 2 arguments at most")),
    };
    kwargs.assert_all_used()?;
    let lax = lax.is_some_and(|lax| lax.is_true());
    Ok(if value.is_undefined() || lax && !value.is_true() {
        other.unwrap_or_else(|| Jinja::from(""))
    } else {
        value.clone()
    })
}

pub(super) fn named(kind: ValueKind) -> &'static str {
    match kind {
        ValueKind::Undefined => "an undefined value",
        ValueKind::None => "nothing",
        ValueKind::Bool => "a boolean",
        ValueKind::Number => "a number",
        ValueKind::String | ValueKind::Bytes => "a text",
        ValueKind::Seq | ValueKind::Iterable => "a list",
        ValueKind::Map => "a map",
        _ => "something else",
    }
}

pub(super) fn map_of(filter: &str, value: &Jinja) -> Result<Map, Error> {
    if value.is_undefined() {
        return Err(Error::from(minijinja::ErrorKind::UndefinedError));
    }
    match from_jinja(value)? {
        Value::Map(map) => Ok(map),
        Value::NotYet(what) => Err(crate::template::session::not_yet(&what)),
        other => Err(refuse(format!(
            "`{filter}` wants a map, found {}",
            other.kind()
        ))),
    }
}

/// The later map wins; `recursive` goes into maps, `list_merge` says what becomes of lists.
fn combine(first: &Jinja, others: Rest<Jinja>, kwargs: Kwargs) -> Result<Jinja, Error> {
    let recursive = kwargs.get::<Option<bool>>("recursive")?.unwrap_or(false);
    let lists = kwargs.get::<Option<String>>("list_merge")?;
    let lists = lists.as_deref().unwrap_or("replace");
    kwargs.assert_all_used()?;
    known_merge("combine", lists)?;
    let mut all = Vec::new();
    for maps in std::iter::once(first).chain(others.iter()) {
        match maps.kind() {
            ValueKind::Seq | ValueKind::Iterable => all.extend(items("combine", maps)?),
            _ => all.push(maps.clone()),
        }
    }
    let mut out = Map::new();
    for map in all.into_iter().filter(|map| !map.is_none()) {
        merge(&mut out, map_of("combine", &map)?, recursive, lists)?;
    }
    Ok(to_jinja(&Value::Map(out)))
}

/// Whether it is known what becomes of lists.
fn known_merge(filter: &str, lists: &str) -> Result<(), Error> {
    let known = [
        "replace",
        "keep",
        "append",
        "prepend",
        "append_rp",
        "prepend_rp",
    ];
    if known.contains(&lists) {
        return Ok(());
    }
    Err(refuse(format!(
        "`{filter}` knows no `list_merge` `{lists}`"
    )))
}

/// Maps as one, of which the later win.
pub(super) fn combined(maps: &[Jinja], recursive: bool, lists: &str) -> Result<Jinja, Error> {
    known_merge("lists_mergeby", lists)?;
    let mut out = Map::new();
    for map in maps {
        merge(&mut out, map_of("lists_mergeby", map)?, recursive, lists)?;
    }
    Ok(to_jinja(&Value::Map(out)))
}

fn merge(into: &mut Map, from: Map, recursive: bool, lists: &str) -> Result<(), Error> {
    for (key, new) in from {
        let merged = match (into.get_mut(&key), new) {
            (Some(Value::Map(old)), Value::Map(new)) if recursive => {
                merge(old, new, recursive, lists)?;
                continue;
            }
            (Some(Value::Seq(old)), Value::Seq(new)) => Value::Seq(match lists {
                "keep" => old.clone(),
                "append" => [old.clone(), new].concat(),
                "prepend" => [new, old.clone()].concat(),
                "append_rp" => {
                    let kept = old.iter().filter(|item| !new.contains(item)).cloned();
                    kept.chain(new.iter().cloned()).collect()
                }
                "prepend_rp" => {
                    let kept = old.iter().filter(|item| !new.contains(item)).cloned();
                    new.iter().cloned().chain(kept).collect()
                }
                _ => new,
            }),
            (_, new) => new,
        };
        into.insert(key, merged);
    }
    Ok(())
}

fn pair(keys: (&str, &str), key: &str, value: Value) -> Value {
    Value::Map(
        [
            (keys.0.to_owned(), Value::from(key)),
            (keys.1.to_owned(), value),
        ]
        .into_iter()
        .collect(),
    )
}

/// A map as a list of `{key, value}`.
pub(crate) fn dict_to_items(map: &Map) -> Value {
    map.iter()
        .map(|(key, value)| pair(("key", "value"), key, value.clone()))
        .collect()
}

/// What the two keys are called.
fn pair_names(filter: &str, args: &[Jinja], kwargs: &Kwargs) -> Result<(String, String), Error> {
    let [key, value] = super::given(filter, args, kwargs, ["key_name", "value_name"])?;
    let name = |given: Option<Jinja>, usual: &str| {
        given.map_or_else(|| usual.to_owned(), |name| name.to_string())
    };
    Ok((name(key, "key"), name(value, "value")))
}

fn dict2items(map: &Jinja, args: Rest<Jinja>, kwargs: Kwargs) -> Result<Jinja, Error> {
    let (key, value) = pair_names("dict2items", &args, &kwargs)?;
    let map = map_of("dict2items", map)?;
    let list = map.into_iter();
    let list = list.map(|(name, inner)| pair((&key, &value), &name, inner));
    Ok(to_jinja(&list.collect()))
}

fn items2dict(list: &Jinja, args: Rest<Jinja>, kwargs: Kwargs) -> Result<Jinja, Error> {
    let (key, value) = pair_names("items2dict", &args, &kwargs)?;
    let mut map = Map::new();
    for item in items("items2dict", list)? {
        let mut item = map_of("items2dict", &item)?;
        let (Some(name), Some(value)) = (
            item.get(&key).and_then(Value::as_text),
            item.swap_remove(&value),
        ) else {
            return Err(refuse(format!(
                "`items2dict`: an item has no `{key}` or no `{value}`"
            )));
        };
        map.insert(name, value);
    }
    Ok(to_jinja(&Value::Map(map)))
}

fn flatten(list: &Jinja, levels: Option<usize>, kwargs: Kwargs) -> Result<Jinja, Error> {
    let depth = levels.or(kwargs.get::<Option<usize>>("levels")?);
    let keep_none = !kwargs.get::<Option<bool>>("skip_nulls")?.unwrap_or(true);
    kwargs.assert_all_used()?;
    let mut out = Vec::new();
    flatten_into(items("flatten", list)?, depth, keep_none, &mut out)?;
    Ok(out.into())
}

fn flatten_into(
    list: Vec<Jinja>,
    depth: Option<usize>,
    keep_none: bool,
    out: &mut Vec<Jinja>,
) -> Result<(), Error> {
    for item in list {
        match item.kind() {
            ValueKind::Seq | ValueKind::Iterable if depth != Some(0) => {
                let below = depth.map(|depth| depth - 1);
                flatten_into(items("flatten", &item)?, below, keep_none, out)?;
            }
            ValueKind::None if !keep_none => {}
            ValueKind::String if !keep_none && matches!(item.as_str(), Some("None" | "null")) => {}
            _ => out.push(item),
        }
    }
    Ok(())
}

/// Each element of a list in each item, beside its item.
fn subelements(
    list: &Jinja,
    key: &Jinja,
    args: Rest<Jinja>,
    kwargs: Kwargs,
) -> Result<Jinja, Error> {
    let [skip] = super::given("subelements", &args, &kwargs, ["skip_missing"])?;
    let skip = skip.is_some_and(|skip| skip.is_true());
    let outer = match list.kind() {
        ValueKind::Map => {
            let keys: Vec<Jinja> = list.try_iter()?.collect();
            keys.iter()
                .map(|key| list.get_item(key))
                .collect::<Result<_, _>>()?
        }
        _ => items("subelements", list)?,
    };
    let path: Vec<String> = match key.as_str() {
        Some(text) => text.split('.').map(str::to_owned).collect(),
        None => key.try_iter()?.map(|part| part.to_string()).collect(),
    };
    let mut out = Vec::new();
    for item in outer {
        let mut inner = item.clone();
        for part in &path {
            inner = inner.get_attr(part)?;
        }
        if inner.is_undefined() {
            if skip {
                continue;
            }
            return Err(refuse(format!(
                "`subelements`: an item has no `{}`",
                path.join(".")
            )));
        }
        for element in items("subelements", &inner)? {
            out.push(Jinja::from(vec![item.clone(), element]));
        }
    }
    Ok(out.into())
}

/// `key | extract(container, more…)`.
fn extract(key: &Jinja, container: &Jinja, more: Option<Jinja>) -> Result<Jinja, Error> {
    let mut value = container.get_item(key)?;
    for key in more.iter().flat_map(|more| match more.kind() {
        ValueKind::Seq => more.try_iter().map(Iterator::collect).unwrap_or_default(),
        _ => vec![more.clone()],
    }) {
        value = value.get_item(&key)?;
    }
    Ok(value)
}

fn mandatory(value: &Jinja, message: Option<String>) -> Result<Jinja, Error> {
    if value.is_undefined() {
        return Err(refuse(
            message.unwrap_or_else(|| "a mandatory variable is undefined".to_owned()),
        ));
    }
    Ok(value.clone())
}

/// `condition | ternary(yes, no)`; `none` may have a value of its own.
fn ternary(value: &Jinja, args: Rest<Jinja>, kwargs: Kwargs) -> Result<Jinja, Error> {
    let by_name = |index: usize, name: &str| match args.get(index) {
        Some(given) => Ok::<_, Error>(Some(given.clone())),
        None if kwargs.has(name) => kwargs.get::<Jinja>(name).map(Some),
        None => Ok(None),
    };
    let (yes, no) = (by_name(0, "true_val")?, by_name(1, "false_val")?);
    let none = by_name(2, "none_val")?.filter(|none| !none.is_none());
    kwargs.assert_all_used()?;
    let (Some(yes), Some(no)) = (yes, no) else {
        return Err(refuse(
            "`ternary` wants a value for true, and one for false",
        ));
    };
    match (value.kind(), none) {
        (ValueKind::Undefined, _) => Err(Error::from(minijinja::ErrorKind::UndefinedError)),
        (ValueKind::None, Some(none)) => Ok(none),
        _ if value.is_true() => Ok(yes),
        _ => Ok(no),
    }
}

fn boolean(value: &Jinja) -> Result<Jinja, Error> {
    Ok(match from_jinja(value)? {
        Value::NotYet(what) => return Err(crate::template::session::not_yet(&what)),
        Value::Str(text) => matches!(
            text.to_ascii_lowercase().as_str(),
            "yes" | "on" | "1" | "true" | "y" | "t"
        )
        .into(),
        Value::Int(number) => (number == 1).into(),
        other => truth(&other).into(),
    })
}

/// Python's name of a value's type.
fn type_debug(value: &Jinja) -> &'static str {
    match value.kind() {
        ValueKind::Undefined => "AnsibleUndefined",
        ValueKind::None => "NoneType",
        ValueKind::Bool => "bool",
        ValueKind::Number if value.is_integer() => "int",
        ValueKind::Number => "float",
        ValueKind::String => "str",
        ValueKind::Bytes => "bytes",
        ValueKind::Map => "dict",
        ValueKind::Plain => super::dates::kind(value).unwrap_or("object"),
        _ if value.is_tuple() => "tuple",
        _ => "list",
    }
}

/// Maps by what each has under a key.
fn rekey_on_member(
    data: &Jinja,
    key: &Jinja,
    args: Rest<Jinja>,
    kwargs: Kwargs,
) -> Result<Jinja, Error> {
    let [duplicates] = super::given("rekey_on_member", &args, &kwargs, ["duplicates"])?;
    let overwrite = match duplicates.as_ref().and_then(Jinja::as_str) {
        None if duplicates.is_none() => false,
        Some("error") => false,
        Some("overwrite") => true,
        _ => {
            return Err(refuse(
                "`rekey_on_member`: `duplicates` is `error` or `overwrite`",
            ));
        }
    };
    let all: Vec<Jinja> = match data.kind() {
        ValueKind::Map => data
            .try_iter()?
            .map(|key| data.get_item(&key))
            .collect::<Result<_, _>>()?,
        _ => items("rekey_on_member", data)?,
    };
    let key = key.to_string();
    let mut out = Map::new();
    for item in all {
        let map = map_of("rekey_on_member", &item)?;
        let name = match map.get(&key) {
            None => {
                return Err(refuse(format!("`rekey_on_member`: an item has no `{key}`")));
            }
            Some(Value::NotYet(what)) => return Err(crate::template::session::not_yet(what)),
            Some(value) => value.as_text().ok_or_else(|| {
                refuse(format!(
                    "`rekey_on_member`: `{key}` of an item is {}, which is no key",
                    value.kind()
                ))
            })?,
        };
        if !overwrite && out.contains_key(&name) {
            return Err(refuse(format!(
                "`rekey_on_member`: two items have the `{key}` `{name}`; `duplicates='overwrite'` takes the last"
            )));
        }
        out.insert(name, Value::Map(map));
    }
    Ok(to_jinja(&Value::Map(out)))
}
