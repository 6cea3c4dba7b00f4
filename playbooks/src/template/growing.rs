//! Lists and maps that a template changes: `{% set _ = found.append(item) %}`.
//!
//! minijinja's own never change. Where a template calls a method that changes one, [`super::rewrite`] puts
//! [`FUNCTION`] around what may be changed.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use indexmap::IndexMap;
use minijinja::{
    Environment, Error, ErrorKind, State,
    value::{Enumerator, Kwargs, Object, ObjectRepr, Value as Jinja, ValueKind, from_args},
};

use super::filters::refuse;

/// Makes a list or a map one that can be changed; all else it leaves alone.
pub(super) const FUNCTION: &str = "evenkeel_growing";

/// Methods that change a list or a map.
pub(super) const METHODS: [&str; 11] = [
    "append",
    "clear",
    "extend",
    "insert",
    "pop",
    "popitem",
    "remove",
    "reverse",
    "setdefault",
    "sort",
    "update",
];

/// How many items one may come to have.
const MOST: usize = 1_000_000;

/// How deep they may lie in one another.
const DEEPEST: usize = 100;

#[derive(Debug, Default)]
struct List(Mutex<Vec<Jinja>>);

#[derive(Debug, Default)]
struct Dict(Mutex<IndexMap<Jinja, Jinja>>);

pub(super) fn add(env: &mut Environment<'static>) {
    env.add_function(FUNCTION, |value: Jinja| grown(&value));
}

/// The same, to be changed. One that can be changed already is itself, as Python has it.
fn grown(value: &Jinja) -> Result<Jinja, Error> {
    let changes = value.downcast_object_ref::<List>().is_some()
        || value.downcast_object_ref::<Dict>().is_some();
    Ok(match value.kind() {
        _ if changes => value.clone(),
        // A generator, or the result of a filter: nobody else has it.
        ValueKind::Seq | ValueKind::Iterable if !value.is_tuple() => {
            Jinja::from_object(List(Mutex::new(value.try_iter()?.collect())))
        }
        ValueKind::Map => Jinja::from_object(Dict(Mutex::new(entries(value)?))),
        _ => value.clone(),
    })
}

fn entries(map: &Jinja) -> Result<IndexMap<Jinja, Jinja>, Error> {
    let Some(object) = map.as_object().filter(|_| map.kind() == ValueKind::Map) else {
        return Err(refuse(format!(
            "`update` wants a map, found {}",
            map.kind()
        )));
    };
    let pairs = object.try_iter_pairs().into_iter().flatten();
    Ok(pairs.collect())
}

/// `dict(map)`, `dict(list of pairs)`, `dict(key=value)`.
#[expect(
    clippy::needless_pass_by_value,
    reason = "minijinja hands arguments over by value"
)]
pub(super) fn dict(more: Option<Jinja>, kwargs: Kwargs) -> Result<Jinja, Error> {
    given("dict", more, &kwargs).map(Jinja::from_pairs)
}

/// What a map is made of, or is to have more.
fn given(
    method: &str,
    more: Option<Jinja>,
    kwargs: &Kwargs,
) -> Result<IndexMap<Jinja, Jinja>, Error> {
    let mut new = match more {
        None => IndexMap::new(),
        Some(map) if map.kind() == ValueKind::Map => entries(&map)?,
        Some(pairs) => {
            let pairs = list_of(method, &pairs)?;
            let pair = |pair: &Jinja| {
                let both = list_of(method, pair)?;
                match <[Jinja; 2]>::try_from(both) {
                    Ok([key, value]) => Ok((key, value)),
                    Err(_) => Err(refuse(format!(
                        "`{method}` wants a map, or a list of pairs"
                    ))),
                }
            };
            pairs.iter().map(pair).collect::<Result<_, Error>>()?
        }
    };
    let names: Vec<String> = kwargs.args().map(str::to_owned).collect();
    for name in names {
        let value: Jinja = kwargs.get(&name)?;
        new.insert(Jinja::from(name), value);
    }
    Ok(new)
}

fn list_of(method: &str, value: &Jinja) -> Result<Vec<Jinja>, Error> {
    match value.kind() {
        ValueKind::Undefined => Err(Error::from(ErrorKind::UndefinedError)),
        ValueKind::String => {
            let letters = value.as_str().unwrap_or_default().chars();
            Ok(letters.map(|c| Jinja::from(c.to_string())).collect())
        }
        _ => match value.try_iter() {
            Ok(items) => Ok(items.collect()),
            Err(_) => Err(refuse(format!(
                "`{method}` wants a list, found {}",
                value.kind()
            ))),
        },
    }
}

/// Whether what is put in does not hold what it is put into, and is not too deep to be walked.
fn fits<T: Object + 'static>(into: &Arc<T>, value: &Jinja, deep: usize) -> Result<(), Error> {
    if value.is_undefined() {
        return Err(Error::from(ErrorKind::UndefinedError));
    }
    let Some(object) = value.as_object() else {
        return Ok(());
    };
    if let Some(same) = object.downcast_ref::<T>() {
        if std::ptr::eq(same, &raw const **into) {
            return Err(refuse("a list or map cannot be put into itself"));
        }
    }
    if deep == DEEPEST {
        return Err(refuse("lists and maps lie too deep in one another"));
    }
    let inner = match object.repr() {
        ObjectRepr::Map => object.try_iter_pairs().map(|pairs| {
            let values: Vec<Jinja> = pairs.map(|(_, value)| value).collect();
            values
        }),
        ObjectRepr::Seq => object.try_iter().map(Iterator::collect),
        _ => None,
    };
    let inner = inner.unwrap_or_default();
    let mut objects = inner.iter().filter(|value| value.as_object().is_some());
    objects.try_for_each(|value| fits(into, value, deep + 1))
}

fn room(len: usize) -> Result<(), Error> {
    if len > MOST {
        return Err(refuse(format!("a list or map of more than {MOST} items")));
    }
    Ok(())
}

/// The place that a number means, from the end if it is negative.
fn place(index: i64, len: usize) -> Option<usize> {
    let len = i64::try_from(len).ok()?;
    let index = if index < 0 { len + index } else { index };
    usize::try_from(index).ok()
}

impl List {
    fn items(&self) -> MutexGuard<'_, Vec<Jinja>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sorted(&self, args: &[Jinja]) -> Result<(), Error> {
        let (kwargs,): (Kwargs,) = from_args(args)?;
        let reverse = kwargs.get::<Option<bool>>("reverse")?.unwrap_or(false);
        kwargs.assert_all_used()?;
        let mut items = self.items().clone();
        items.sort();
        if reverse {
            items.reverse();
        }
        *self.items() = items;
        Ok(())
    }
}

impl Object for List {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Jinja) -> Option<Jinja> {
        let index = i64::try_from(key.clone()).ok()?;
        let items = self.items();
        items.get(place(index, items.len())?).cloned()
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        // What is changed while somebody walks over it is not seen by him.
        Enumerator::Values(self.items().clone())
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(self.items().len())
    }

    fn call_method(
        self: &Arc<Self>,
        _: &mut State<'_, '_>,
        method: &str,
        args: &[Jinja],
    ) -> Result<Jinja, Error> {
        match method {
            "append" => {
                let (item,): (Jinja,) = from_args(args)?;
                fits(self, &item, 0)?;
                room(self.items().len() + 1)?;
                self.items().push(item);
            }
            "extend" => {
                let (more,): (Jinja,) = from_args(args)?;
                let more = list_of("extend", &more)?;
                more.iter().try_for_each(|item| fits(self, item, 0))?;
                room(self.items().len() + more.len())?;
                self.items().extend(more);
            }
            "insert" => {
                let (index, item): (i64, Jinja) = from_args(args)?;
                fits(self, &item, 0)?;
                let len = self.items().len();
                room(len + 1)?;
                let at = place(index, len).unwrap_or(0).min(len);
                self.items().insert(at, item);
            }
            "pop" => {
                let (index,): (Option<i64>,) = from_args(args)?;
                let mut items = self.items();
                let at = place(index.unwrap_or(-1), items.len()).filter(|at| *at < items.len());
                return match at {
                    Some(at) => Ok(items.remove(at)),
                    None => Err(refuse("`pop`: there is no such item in the list")),
                };
            }
            "remove" => {
                let (item,): (Jinja,) = from_args(args)?;
                let found = self.items().iter().position(|other| *other == item);
                let at = found
                    .ok_or_else(|| refuse(format!("`remove`: `{item}` is not in the list")))?;
                self.items().remove(at);
            }
            "index" => {
                let (item,): (Jinja,) = from_args(args)?;
                let found = self.items().iter().position(|other| *other == item);
                let at =
                    found.ok_or_else(|| refuse(format!("`index`: `{item}` is not in the list")))?;
                return Ok(Jinja::from(at));
            }
            "copy" => return Ok(Jinja::from_object(Self(Mutex::new(self.items().clone())))),
            "clear" => self.items().clear(),
            "reverse" => self.items().reverse(),
            "sort" => self.sorted(args)?,
            _ => return Err(Error::from(ErrorKind::UnknownMethod)),
        }
        Ok(Jinja::from(()))
    }
}

impl Dict {
    fn entries(&self) -> MutexGuard<'_, IndexMap<Jinja, Jinja>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn update(self: &Arc<Self>, args: &[Jinja]) -> Result<(), Error> {
        let (more, kwargs): (Option<Jinja>, Kwargs) = from_args(args)?;
        let new = given("update", more, &kwargs)?;
        new.values().try_for_each(|value| fits(self, value, 0))?;
        room(self.entries().len() + new.len())?;
        self.entries().extend(new);
        Ok(())
    }

    fn pop(&self, args: &[Jinja]) -> Result<Jinja, Error> {
        let (key, default): (Jinja, Option<Jinja>) = from_args(args)?;
        let found = self.entries().shift_remove(&key).or(default);
        found.ok_or_else(|| refuse(format!("`pop`: there is no key `{key}`")))
    }
}

impl Object for Dict {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Map
    }

    fn get_value(self: &Arc<Self>, key: &Jinja) -> Option<Jinja> {
        self.entries().get(key).cloned()
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.entries().keys().cloned().collect())
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(self.entries().len())
    }

    fn call_method(
        self: &Arc<Self>,
        _: &mut State<'_, '_>,
        method: &str,
        args: &[Jinja],
    ) -> Result<Jinja, Error> {
        match method {
            "update" => self.update(args)?,
            "setdefault" => {
                let (key, value): (Jinja, Option<Jinja>) = from_args(args)?;
                if let Some(there) = self.get_value(&key) {
                    return Ok(there);
                }
                let value = value.unwrap_or_else(|| Jinja::from(()));
                fits(self, &value, 0)?;
                room(self.entries().len() + 1)?;
                self.entries().insert(key, value.clone());
                return Ok(value);
            }
            "pop" => return self.pop(args),
            "popitem" => {
                let last = self.entries().pop();
                let (key, value) = last.ok_or_else(|| refuse("`popitem`: the map is empty"))?;
                return Ok(Jinja::from(vec![key, value]));
            }
            "copy" => return Ok(Jinja::from_object(Self(Mutex::new(self.entries().clone())))),
            "clear" => self.entries().clear(),
            _ => return Err(Error::from(ErrorKind::UnknownMethod)),
        }
        Ok(Jinja::from(()))
    }
}
