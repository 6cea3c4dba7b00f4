//! Filters that read and write JSON, YAML and sizes.

use evenkeel_engine::Value;
use minijinja::{
    Environment, Error,
    value::{Kwargs, Rest, Value as Jinja},
};

use super::refuse;
use crate::{
    files::Files,
    template::{
        dump, session,
        value::{read, to_jinja},
    },
    yaml,
};

pub(super) fn add(env: &mut Environment<'static>) {
    env.add_filter("to_json", to_json);
    env.add_filter("to_nice_json", to_nice_json);
    env.add_filter("tojson", tojson);
    env.add_filter("from_json", from_json);
    env.add_filter("to_yaml", |value: &Jinja, kwargs: Kwargs| {
        to_yaml(value, &kwargs, (2, None))
    });
    env.add_filter("to_nice_yaml", |value: &Jinja, kwargs: Kwargs| {
        to_yaml(value, &kwargs, (4, Some(false)))
    });
    env.add_filter("json_query", json_query);
    env.add_filter("from_yaml", from_yaml);
    env.add_filter("from_yaml_all", from_yaml_all);
    env.add_filter("human_readable", human_readable);
    env.add_filter("human_to_bytes", human_to_bytes);
}

fn options(
    kwargs: &Kwargs,
    indent: usize,
    sort: bool,
) -> Result<(dump::Options, Option<(String, String)>), Error> {
    let options = dump::Options {
        indent: kwargs.get::<Option<usize>>("indent")?.unwrap_or(indent),
        sort: kwargs.get::<Option<bool>>("sort_keys")?.unwrap_or(sort),
        ascii: kwargs.get::<Option<bool>>("ensure_ascii")?.unwrap_or(true),
    };
    let marks = kwargs.get::<Option<Jinja>>("separators")?;
    let marks = marks.map(|marks| {
        let marks = super::data::items("separators", &marks)?;
        match <[Jinja; 2]>::try_from(marks) {
            Ok([item, key]) => Ok((item.to_string(), key.to_string())),
            Err(_) => Err(refuse("`separators` are two: `(',', ': ')`")),
        }
    });
    let marks = marks.transpose()?;
    // What these would change does not occur here: keys are texts, and a value does not hold itself.
    for name in [
        "preprocess_unsafe",
        "vault_to_text",
        "skipkeys",
        "check_circular",
    ] {
        kwargs.get::<Option<Jinja>>(name)?;
    }
    kwargs.assert_all_used()?;
    Ok((options, marks))
}

fn to_json(value: &Jinja, kwargs: Kwargs) -> Result<String, Error> {
    let (options, marks) = options(&kwargs, 0, false)?;
    Ok(dump::json(&read(value)?, options, marks.as_ref()))
}

/// `separators` have no effect, as in Ansible.
fn to_nice_json(value: &Jinja, kwargs: Kwargs) -> Result<String, Error> {
    let (options, _) = options(&kwargs, 4, true)?;
    Ok(dump::json(&read(value)?, options, None))
}

/// For a script within HTML.
fn tojson(value: &Jinja, args: Rest<Jinja>, kwargs: Kwargs) -> Result<Jinja, Error> {
    let [indent] = super::given("tojson", &args, &kwargs, ["indent"])?;
    let options = dump::Options {
        indent: indent.map_or(Ok(0), usize::try_from)?,
        sort: true,
        ascii: true,
    };
    let text = dump::json(&read(value)?, options, None);
    let text = text.replace('<', "\\u003c").replace('>', "\\u003e");
    let text = text.replace('&', "\\u0026").replace('\'', "\\u0027");
    Ok(Jinja::from_safe_string(text))
}

/// With blanks a level, and whether on one line, where nothing is said.
fn to_yaml(
    value: &Jinja,
    kwargs: &Kwargs,
    (indent, flow): (usize, Option<bool>),
) -> Result<String, Error> {
    let is = |name: &str, usual: bool| {
        kwargs
            .get::<Option<bool>>(name)
            .map(|is| is.unwrap_or(usual))
    };
    let flow = if kwargs.has("default_flow_style") {
        kwargs.get::<Option<bool>>("default_flow_style")?
    } else {
        flow
    };
    let layout = dump::Layout {
        indent: kwargs.get::<Option<usize>>("indent")?.unwrap_or(indent),
        width: kwargs.get::<Option<usize>>("width")?.unwrap_or(80),
        flow,
        sort: is("sort_keys", true)?,
        unicode: is("allow_unicode", true)?,
        start: is("explicit_start", false)?,
        end: is("explicit_end", false)?,
    };
    kwargs.assert_all_used()?;
    Ok(dump::yaml(&read(value)?, layout))
}

fn from_json(text: String) -> Result<Jinja, Error> {
    session::derived();
    let json: serde_json::Value =
        serde_json::from_str(&text).map_err(|error| refuse(format!("not JSON: {error}")))?;
    Ok(to_jinja(&Value::from(json)))
}

/// What an expression of `JMESPath` finds.
fn json_query(value: &Jinja, query: String) -> Result<Jinja, Error> {
    session::derived();
    let value = read(value)?;
    // Its secrets are marked in the result, so they may be looked at.
    let json = serde_json::to_value(Open(&value)).map_err(|error| refuse(error.to_string()))?;
    let wrong = |error: jmespath::JmespathError| {
        let first = error.to_string();
        let first = first.lines().next().unwrap_or_default().to_owned();
        refuse(format!("`json_query`: `{query}` is not right: {first}"))
    };
    let found = jmespath::compile(&quoted(&query)).and_then(|query| query.search(json));
    let found = serde_json::to_value(&*found.map_err(wrong)?);
    let found = found.map_err(|error| refuse(error.to_string()))?;
    Ok(to_jinja(&Value::from(found)))
}

/// A literal that is no JSON is a text, as it is to Python: `` [?name==`web`] ``.
fn quoted(query: &str) -> String {
    let (mut out, mut rest) = (String::new(), query);
    while let Some(at) = rest.find(['`', '\'', '"']) {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let sign = from.chars().next().unwrap_or('`');
        let mut inner = from[1..].char_indices();
        let mut end = None;
        while let Some((index, letter)) = inner.next() {
            match letter {
                '\\' => {
                    inner.next();
                }
                letter if letter == sign => {
                    end = Some(index);
                    break;
                }
                _ => {}
            }
        }
        let Some(end) = end else {
            return out + from;
        };
        let literal = &from[1..=end];
        if sign == '`' && serde_json::from_str::<serde_json::Value>(literal).is_err() {
            let text = serde_json::Value::from(literal.trim_start()).to_string();
            out.extend(["`", &text, "`"]);
        } else {
            out.push_str(&from[..end + 2]);
        }
        rest = &from[end + 2..];
    }
    out + rest
}

/// A value with its secrets in the open.
struct Open<'a>(&'a Value);

impl serde::Serialize for Open<'_> {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Secret(secret) => to.serialize_str(&String::from_utf8_lossy(secret.reveal())),
            Value::Seq(items) => to.collect_seq(items.iter().map(Open)),
            Value::Map(map) => to.collect_map(map.iter().map(|(key, value)| (key, Open(value)))),
            other => other.to_json().serialize(to),
        }
    }
}

/// The documents of a text, as `PyYAML` reads them.
fn documents(text: &str) -> Result<Vec<Value>, Error> {
    session::derived();
    let mut files = Files::new();
    let file = files.add("YAML", text);
    let (documents, wrong) = yaml::read(&files, file);
    if let Some(error) = wrong.iter().find(|found| found.is_error()) {
        let at = error.at.map(|span| files.place(span));
        let at = at.map_or(String::new(), |at| {
            format!("line {}, column {}: ", at.line, at.column)
        });
        return Err(refuse(format!("not YAML: {at}{}", error.message)));
    }
    Ok(documents.iter().map(yaml::Node::to_value).collect())
}

/// What is no text is left as it is.
fn from_yaml(value: &Jinja) -> Result<Jinja, Error> {
    let Some(text) = text(value)? else {
        return Ok(value.clone());
    };
    match &documents(&text)?[..] {
        [] => Ok(Jinja::from(())),
        [one] => Ok(to_jinja(one)),
        _ => Err(refuse(
            "not one YAML document, but several: `from_yaml_all` reads them",
        )),
    }
}

fn from_yaml_all(value: &Jinja) -> Result<Jinja, Error> {
    let Some(text) = text(value)? else {
        return Ok(value.clone());
    };
    Ok(to_jinja(&Value::Seq(documents(&text)?)))
}

fn text(value: &Jinja) -> Result<Option<String>, Error> {
    if value.is_undefined() {
        return Err(Error::from(minijinja::ErrorKind::UndefinedError));
    }
    Ok(value.as_str().map(str::to_owned))
}

const UNITS: &[(&str, u32)] = &[
    ("Y", 80),
    ("Z", 70),
    ("E", 60),
    ("P", 50),
    ("T", 40),
    ("G", 30),
    ("M", 20),
    ("K", 10),
];

fn human_readable(
    size: f64,
    bits: Option<bool>,
    unit: Option<String>,
    kwargs: Kwargs,
) -> Result<String, Error> {
    let bits = bits.or(kwargs.get("isbits")?);
    let unit = unit.or(kwargs.get("unit")?);
    kwargs.assert_all_used()?;
    let base = if bits.unwrap_or(false) {
        "bits"
    } else {
        "Bytes"
    };
    let found = UNITS.iter().find(|(name, power)| match &unit {
        Some(unit) => unit.to_ascii_uppercase().starts_with(name),
        None => size >= 2_f64.powi(i32::try_from(*power).unwrap_or(0)),
    });
    Ok(match found {
        Some((name, power)) => {
            let letter = if base == "bits" { "b" } else { "B" };
            format!(
                "{:.2} {name}{letter}",
                size / 2_f64.powi(i32::try_from(*power).unwrap_or(0))
            )
        }
        None => format!("{size:.2} {base}"),
    })
}

/// A size for machines: `default_unit` where none is written, bits (`Gb`) only with `isbits`.
fn human_to_bytes(text: String, args: Rest<Jinja>, kwargs: Kwargs) -> Result<Jinja, Error> {
    let names = ["default_unit", "isbits"];
    let [default, bits] = super::given("human_to_bytes", &args, &kwargs, names)?;
    let bits = bits.is_some_and(|bits| bits.is_true());
    let text = text.trim();
    let split = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let number: f64 = number
        .parse()
        .map_err(|_| refuse(format!("`{text}` is not a size")))?;
    let unit = match unit.trim() {
        "" => default.map_or_else(String::new, |unit| unit.to_string()),
        unit => unit.to_owned(),
    };
    let power = power(&unit, bits).map_err(|why| refuse(format!("`{text}`: {why}")))?;
    let bytes = (number * 2_f64.powi(i32::try_from(power).unwrap_or(0))).round_ties_even();
    #[expect(
        clippy::cast_possible_truncation,
        reason = "sizes are whole bytes; a float saturates"
    )]
    Ok(Jinja::from(bytes as i64))
}

/// Which power of two a unit is: `M`, `MB` or `megabyte`; of bits `Mb` or `megabit`.
fn power(unit: &str, bits: bool) -> Result<u32, String> {
    let mut letters = unit.chars();
    let Some(first) = letters.next() else {
        return Ok(0);
    };
    let (letter, short, long) = (
        first.to_ascii_uppercase(),
        letters.as_str(),
        ["byte", "bit"],
    );
    let (sign, word) = if bits { ('b', long[1]) } else { ('B', long[0]) };
    if matches!(letter, 'B') {
        let fits = unit == sign.to_string() || unit.eq_ignore_ascii_case(word);
        return if fits {
            Ok(0)
        } else {
            Err(format!("`{unit}` is no unit here: `{sign}` or `{word}` is"))
        };
    }
    let found = UNITS.iter().zip(PREFIXES);
    let mut found = found.filter(|((name, _), _)| name.starts_with(letter));
    let Some(((name, power), prefix)) = found.next() else {
        return Err(format!(
            "there is no unit `{unit}`: there are K, M, G, T, P, E, Z and Y"
        ));
    };
    let whole = format!("{prefix}{word}");
    if short.is_empty() || short == sign.to_string() || unit.to_ascii_lowercase() == whole {
        Ok(*power)
    } else {
        Err(format!(
            "`{unit}` is no unit here: `{name}`, `{name}{sign}` or `{whole}` is"
        ))
    }
}

/// The names of the units.
const PREFIXES: [&str; 8] = [
    "yotta", "zetta", "exa", "peta", "tera", "giga", "mega", "kilo",
];
