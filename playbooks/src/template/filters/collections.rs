//! Filters of `community.general` and `ansible.utils` that playbooks use.

use evenkeel_engine::{Map, Value};
use minijinja::{
    Environment, Error,
    value::{Kwargs, Rest, Value as Jinja, ValueKind},
};

use super::{
    data::{combined, items, map_of, named},
    given, refuse,
};
use crate::template::{
    lookups::{csv, ini},
    predicates::version,
    session,
    value::{from_jinja, read, to_jinja},
};

pub(super) fn add(env: &mut Environment<'static>) {
    env.add_filter("counter", counter);
    env.add_filter("dict", pairs);
    env.add_filter("dict_kv", |value: &Jinja, key: String| {
        Jinja::from_pairs([(key, value.clone())])
    });
    env.add_filter("groupby_as_dict", by_attribute);
    env.add_filter("lists_mergeby", merge_by);
    env.add_filter("version_sort", version_sort);
    env.add_filter("from_csv", from_csv);
    env.add_filter("from_ini", from_ini);
    env.add_filter("to_ini", to_ini);
    env.add_filter("accumulate", accumulate);
}

/// A key of a map: a text, or what it is as one.
fn key_of(filter: &str, value: &Jinja) -> Result<String, Error> {
    match from_jinja(value)? {
        Value::NotYet(what) => Err(session::not_yet(&what)),
        value => value
            .as_text()
            .ok_or_else(|| refuse(format!("`{filter}`: {} is no key", value.kind()))),
    }
}

/// How often each item is there.
fn counter(value: &Jinja) -> Result<Jinja, Error> {
    let all = match value.as_str() {
        Some(text) => text.chars().map(Jinja::from).collect(),
        None => items("counter", value)?,
    };
    let mut found = Map::new();
    for item in all {
        let count = found
            .entry(key_of("counter", &item)?)
            .or_insert(Value::Int(0));
        if let Value::Int(count) = count {
            *count += 1;
        }
    }
    Ok(to_jinja(&Value::Map(found)))
}

/// A list of pairs as a map.
fn pairs(list: &Jinja) -> Result<Jinja, Error> {
    let mut found = Vec::new();
    for pair in items("dict", list)? {
        match <[Jinja; 2]>::try_from(items("dict", &pair)?) {
            Ok([key, value]) => found.push((key, value)),
            Err(_) => return Err(refuse("`dict` wants a list of pairs")),
        }
    }
    Ok(Jinja::from_pairs(found))
}

/// Maps by what each has under a key, which has to differ.
fn by_attribute(list: &Jinja, attribute: String) -> Result<Jinja, Error> {
    let name = "groupby_as_dict";
    let mut found = Map::new();
    for item in items(name, list)? {
        let map = map_of(name, &item)?;
        let value = item.get_attr(&attribute)?;
        if value.is_undefined() {
            return Err(refuse(format!("`{name}`: an item has no `{attribute}`")));
        }
        let key = key_of(name, &value)?;
        if found.contains_key(&key) {
            return Err(refuse(format!(
                "`{name}`: two items have the `{attribute}` `{key}`"
            )));
        }
        found.insert(key, Value::Map(map));
    }
    Ok(to_jinja(&Value::Map(found)))
}

/// Maps of several lists that have the same value of a key become one; in the order of those values.
fn merge_by(first: &Jinja, args: Rest<Jinja>, kwargs: Kwargs) -> Result<Jinja, Error> {
    let name = "lists_mergeby";
    let recursive = kwargs.get::<Option<bool>>("recursive")?.unwrap_or(false);
    let lists = kwargs.get::<Option<String>>("list_merge")?;
    let index = kwargs.get::<Option<String>>("index")?;
    kwargs.assert_all_used()?;
    let mut terms = vec![first.clone()];
    terms.extend(args.iter().cloned());
    let index = match index {
        Some(index) => index,
        None => match terms.pop() {
            Some(last) if last.as_str().is_some() => last.to_string(),
            _ => return Err(refuse(format!("`{name}` wants the name of a key"))),
        },
    };
    let mut found: Vec<(Jinja, Jinja)> = Vec::new();
    let mut add = |map: &Jinja| {
        let key = map.get_attr(&index)?;
        if map.kind() != ValueKind::Map {
            return Err(refuse(format!(
                "`{name}` wants lists of maps, found {}",
                named(map.kind())
            )));
        }
        if key.is_undefined() {
            return Ok(());
        }
        match found.iter_mut().find(|(known, _)| *known == key) {
            Some((_, old)) => {
                let both = [old.clone(), map.clone()];
                *old = combined(&both, recursive, lists.as_deref().unwrap_or("replace"))?;
            }
            None => found.push((key, map.clone())),
        }
        Ok::<_, Error>(())
    };
    for term in &terms {
        for item in items(name, term)? {
            match item.kind() {
                // A list of lists is several lists.
                ValueKind::Seq | ValueKind::Iterable => {
                    for map in items(name, &item)? {
                        add(&map)?;
                    }
                }
                _ => add(&item)?,
            }
        }
    }
    found.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(found.into_iter().map(|(_, map)| map).collect())
}

/// Versions in their order.
fn version_sort(list: &Jinja, args: Rest<Jinja>, kwargs: Kwargs) -> Result<Jinja, Error> {
    let [reverse] = given("version_sort", &args, &kwargs, ["reverse"])?;
    let mut all = items("version_sort", list)?;
    let mut wrong = None;
    all.sort_by(|a, b| {
        let order = version::loose(&a.to_string(), &b.to_string());
        order.unwrap_or_else(|error| {
            wrong.get_or_insert(error);
            std::cmp::Ordering::Equal
        })
    });
    if let Some(error) = wrong {
        return Err(error);
    }
    if reverse.is_some_and(|reverse| reverse.is_true()) {
        all.reverse();
    }
    Ok(all.into())
}

/// A table as a list of maps.
fn from_csv(text: String, args: Rest<Jinja>, kwargs: Kwargs) -> Result<Jinja, Error> {
    session::derived();
    let names = [
        "dialect",
        "fieldnames",
        "delimiter",
        "skipinitialspace",
        "strict",
    ];
    let [dialect, names, delimiter, skip, strict] = given("from_csv", &args, &kwargs, names)?;
    let dialect = dialect.map_or_else(|| "excel".to_owned(), |name| name.to_string());
    let usual = match dialect.as_str() {
        "excel" | "unix" => ",",
        "excel-tab" => "\t",
        other => {
            return Err(refuse(format!(
                "`from_csv` knows no dialect `{other}`: there are excel, excel-tab and unix"
            )));
        }
    };
    if [skip, strict].into_iter().flatten().any(|it| it.is_true()) {
        return Err(refuse(
            "`from_csv`: `skipinitialspace` and `strict` are not there",
        ));
    }
    let delimiter = delimiter.map_or_else(|| usual.to_owned(), |it| it.to_string());
    let [delimiter] = delimiter.as_bytes() else {
        return Err(refuse(format!(
            "`from_csv`: a delimiter is one letter, not `{delimiter}`"
        )));
    };
    let rows = csv::rows(&text, *delimiter);
    let rows = rows.map_err(|error| refuse(format!("`from_csv`: {error}")))?;
    let mut rows = rows.into_iter();
    let names = match names {
        Some(names) => items("from_csv", &names)?
            .iter()
            .map(ToString::to_string)
            .collect(),
        None => rows.next().unwrap_or_default(),
    };
    let map = |row: Vec<String>| {
        let cells = names.iter().enumerate().map(|(index, name)| {
            let cell = row.get(index).cloned();
            (name.clone(), cell.map_or(Value::Null, Value::from))
        });
        Value::Map(cells.collect())
    };
    Ok(to_jinja(&rows.map(map).collect()))
}

/// A file of settings as a map of sections.
fn from_ini(text: String) -> Result<Jinja, Error> {
    session::derived();
    let ways = ini::Ways {
        case_sensitive: true,
        ..ini::Ways::default()
    };
    let found = ini::Ini::read(&text, ways);
    let found = found.map_err(|error| refuse(format!("`from_ini`: {error}")))?;
    Ok(to_jinja(&found.tree()))
}

/// A map of sections as a file of settings.
fn to_ini(map: &Jinja) -> Result<String, Error> {
    session::derived();
    let Value::Map(sections) = read(map)? else {
        return Err(refuse("`to_ini` wants a map of sections"));
    };
    let mut out = Vec::new();
    for (name, settings) in &sections {
        let Value::Map(settings) = settings else {
            return Err(refuse(format!(
                "`to_ini`: the section `{name}` is {}, not a map",
                settings.kind()
            )));
        };
        let mut section = format!("[{name}]\n");
        for (key, value) in settings {
            let value = to_jinja(value).to_string().replace('\n', "\n\t");
            section.extend([key, " = ", &value, "\n"]);
        }
        out.push(section);
    }
    Ok(out.join("\n"))
}

/// Each item with all before it, summed up.
fn accumulate(list: &Jinja) -> Result<Jinja, Error> {
    let mut sum = 0_i128;
    let mut found = Vec::new();
    for item in items("accumulate", list)? {
        let number = i128::try_from(item.clone())
            .ok()
            .filter(|_| item.is_integer());
        let number = number.ok_or_else(|| refuse("`accumulate` wants whole numbers"))?;
        sum = sum
            .checked_add(number)
            .ok_or_else(|| refuse("`accumulate`: the sum is too large"))?;
        found.push(Jinja::from(sum));
    }
    Ok(found.into())
}
