//! Filters that read and write JSON, YAML and sizes.

use evenkeel_engine::Value;
use minijinja::{
    Environment, Error,
    value::{Kwargs, Value as Jinja},
};

use super::refuse;
use crate::template::{
    dump, session,
    value::{read, to_jinja},
};

pub(super) fn add(env: &mut Environment<'static>) {
    env.add_filter("to_json", to_json);
    env.add_filter("to_nice_json", to_nice_json);
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

fn options(kwargs: &Kwargs, indent: usize) -> Result<dump::Options, Error> {
    let options = dump::Options {
        indent: kwargs.get::<Option<usize>>("indent")?.unwrap_or(indent),
        sort: kwargs.get::<Option<bool>>("sort_keys")?.unwrap_or(true),
        ascii: kwargs.get::<Option<bool>>("ensure_ascii")?.unwrap_or(true),
    };
    // Accepted; what it would change does not occur here.
    kwargs.get::<Option<Jinja>>("separators")?;
    kwargs.assert_all_used()?;
    Ok(options)
}

fn to_json(value: &Jinja, kwargs: Kwargs) -> Result<String, Error> {
    let mut options = options(&kwargs, 0)?;
    options.sort = kwargs.get::<Option<bool>>("sort_keys")?.unwrap_or(false);
    Ok(dump::json(&read(value)?, options))
}

fn to_nice_json(value: &Jinja, kwargs: Kwargs) -> Result<String, Error> {
    let options = options(&kwargs, 4)?;
    Ok(dump::json(&read(value)?, options))
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

fn yaml_value(yaml: serde_yaml::Value) -> Result<Value, Error> {
    use serde_yaml::Value as Yaml;
    Ok(match yaml {
        Yaml::Null => Value::Null,
        Yaml::Bool(value) => value.into(),
        Yaml::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(int), _) => Value::Int(int),
            (None, Some(uint)) => Value::UInt(uint),
            (None, None) => Value::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        Yaml::String(text) => text.into(),
        Yaml::Sequence(items) => items
            .into_iter()
            .map(yaml_value)
            .collect::<Result<_, _>>()?,
        Yaml::Mapping(map) => Value::Map(
            map.into_iter()
                .map(|(key, value)| {
                    let key = yaml_value(key)?;
                    let key = key
                        .as_text()
                        .ok_or_else(|| refuse("a key of the YAML is not a text"))?;
                    Ok((key, yaml_value(value)?))
                })
                .collect::<Result<_, Error>>()?,
        ),
        Yaml::Tagged(tagged) => yaml_value(tagged.value)?,
    })
}

fn from_yaml(text: String) -> Result<Jinja, Error> {
    session::derived();
    let yaml = serde_yaml::from_str(&text).map_err(|error| refuse(format!("not YAML: {error}")))?;
    Ok(to_jinja(&yaml_value(yaml)?))
}

fn from_yaml_all(text: String) -> Result<Jinja, Error> {
    use serde::Deserialize as _;
    session::derived();
    let documents = serde_yaml::Deserializer::from_str(&text).map(|document| {
        let yaml = serde_yaml::Value::deserialize(document)
            .map_err(|error| refuse(format!("not YAML: {error}")))?;
        yaml_value(yaml)
    });
    Ok(to_jinja(&documents.collect::<Result<_, _>>()?))
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

fn human_to_bytes(text: String, default_unit: Option<String>) -> Result<Jinja, Error> {
    let text = text.trim();
    let split = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let number: f64 = number
        .parse()
        .map_err(|_| refuse(format!("`{text}` is not a size")))?;
    let unit = match unit.trim() {
        "" => default_unit.unwrap_or_default(),
        unit => unit.to_owned(),
    };
    let power = match unit
        .to_ascii_uppercase()
        .trim_end_matches("IB")
        .trim_end_matches('B')
    {
        "" => 0,
        letter => UNITS
            .iter()
            .find(|(name, _)| *name == letter)
            .map(|(_, power)| *power)
            .ok_or_else(|| refuse(format!("`{text}` has no unit that is known: K, M, G, T …")))?,
    };
    let bytes = number * 2_f64.powi(i32::try_from(power).unwrap_or(0));
    #[expect(
        clippy::cast_possible_truncation,
        reason = "sizes are whole bytes; a float saturates"
    )]
    Ok(Jinja::from(bytes as i64))
}
