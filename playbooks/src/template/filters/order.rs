//! Jinja's filters that order lists and maps, with arguments by place too.

use minijinja::{
    Environment, Error, State,
    filters::{
        dictsort as jinja_dictsort, list as jinja_list, sort as jinja_sort, unique as jinja_unique,
    },
    value::{Kwargs, Rest, Value as Jinja, ValueKind},
};

use super::{data::named, given, refuse};

pub(super) fn add(env: &mut Environment<'static>) {
    env.add_filter("dictsort", dictsort);
    env.add_filter("list", list);
    env.add_filter("sort", sort);
    env.add_filter("unique", unique);
}

/// Those that are given, by name.
fn pairs<const N: usize>(names: [&'static str; N], values: [Option<Jinja>; N]) -> Kwargs {
    let all = names.into_iter().zip(values);
    let given = all.filter_map(|(name, value)| Some((name, value?)));
    given.collect()
}

/// An attribute may be a number: a place in a list.
fn attribute(value: Option<Jinja>) -> Option<Jinja> {
    value.map(|value| match value.kind() {
        ValueKind::Number => Jinja::from(value.to_string()),
        _ => value,
    })
}

fn list(state: &State<'_, '_>, value: Jinja) -> Result<Jinja, Error> {
    if value.is_none() {
        return Err(refuse(
            "`list` wants a list, a map or a text, found nothing",
        ));
    }
    jinja_list(state, value)
}

/// What stands below other kinds in no order.
fn group(value: &Jinja) -> ValueKind {
    match value.kind() {
        ValueKind::Bool => ValueKind::Number,
        ValueKind::Iterable => ValueKind::Seq,
        other => other,
    }
}

/// Whether all can be put in an order.
fn comparable(filter: &str, all: &[Jinja]) -> Result<(), Error> {
    let Some(first) = all.first().filter(|_| all.len() > 1) else {
        return Ok(());
    };
    let none = all.iter().find(|value| {
        matches!(group(value), ValueKind::None | ValueKind::Map) || group(value) != group(first)
    });
    match none {
        Some(other) if group(other) == group(first) => Err(refuse(format!(
            "`{filter}`: there is no order of {}s",
            named(other.kind()).trim_start_matches("a ")
        ))),
        Some(other) => Err(refuse(format!(
            "`{filter}`: there is no order between {} and {}",
            named(first.kind()),
            named(other.kind())
        ))),
        None => Ok(()),
    }
}

fn sort(
    state: &State<'_, '_>,
    value: Jinja,
    args: Rest<Jinja>,
    kwargs: Kwargs,
) -> Result<Jinja, Error> {
    let names = ["reverse", "case_sensitive", "attribute"];
    let [reverse, case, by] = given("sort", &args, &kwargs, names)?;
    let by = attribute(by);
    if by.is_none() && matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable) {
        let all: Vec<Jinja> = value.try_iter()?.collect();
        comparable("sort", &all)?;
        return jinja_sort(state, Jinja::from(all), pairs(names, [reverse, case, by]));
    }
    jinja_sort(state, value, pairs(names, [reverse, case, by]))
}

fn unique(
    state: &State<'_, '_>,
    value: Jinja,
    args: Rest<Jinja>,
    kwargs: Kwargs,
) -> Result<Jinja, Error> {
    let names = ["case_sensitive", "attribute"];
    let [case, by] = given("unique", &args, &kwargs, names)?;
    jinja_unique(state, value, pairs(names, [case, attribute(by)]))
}

fn dictsort(value: &Jinja, args: Rest<Jinja>, kwargs: Kwargs) -> Result<Jinja, Error> {
    let names = ["case_sensitive", "by", "reverse"];
    let given = given("dictsort", &args, &kwargs, names)?;
    jinja_dictsort(value, pairs(names, given))
}
