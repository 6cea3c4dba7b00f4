//! Values in the places that a query leaves for them: `%s`, `%(name)s`.

use evenkeel_engine::{Map, NotYet, Refusal, Stop, Value};

use super::{
    super::quote::literal,
    lex::{Kind, Token, tokens},
};

/// SQL with its values, which may be secrets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Filled {
    pub(super) sql: String,
    pub(super) secret: bool,
}

/// The values for a query.
#[derive(Clone, Copy, Debug)]
pub(super) enum Values<'a> {
    None,
    List(&'a [Value]),
    Named(&'a Map),
}

/// A place for a value.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Next,
    Named(String),
    Percent,
}

/// What a query is made of.
enum Part<'s> {
    As(&'s str),
    Place(Place),
}

/// The place that a text begins with, and how long that is.
fn place(rest: &str) -> Option<(Place, usize)> {
    let after = rest.strip_prefix('%')?;
    if after.starts_with('%') {
        return Some((Place::Percent, 2));
    }
    if after.starts_with('s') {
        return Some((Place::Next, 2));
    }
    let name = after.strip_prefix('(')?;
    let (name, end) = name.split_once(')')?;
    end.starts_with('s')
        .then(|| (Place::Named(name.to_owned()), name.len() + 4))
}

/// The parts of a query. In texts only `%%` is one: a value is never put into quotes.
fn parts<'s>(sql: &'s str, values: &Values<'_>) -> Result<Vec<Part<'s>>, Refusal> {
    let mut all = Vec::new();
    let mut skip = 0;
    for Token { kind, at } in tokens(sql)? {
        if at.end <= skip {
            continue;
        }
        let (mut from, end) = (at.start.max(skip), at.end);
        let mut here = from;
        while here < end {
            let found = match kind {
                Kind::Comment => None,
                _ => place(&sql[here..]),
            };
            let found = match (found, kind) {
                (Some((place, _)), Kind::Text | Kind::Name) if place != Place::Percent => {
                    within_quotes(&sql[at.clone()], &place, values)?;
                    None
                }
                (found, _) => found,
            };
            if let Some((place, length)) = found {
                all.push(Part::As(&sql[from..here]));
                all.push(Part::Place(place));
                here += length;
                from = here;
            } else {
                here += sql[here..].chars().next().map_or(1, char::len_utf8);
            }
        }
        // A place may be longer than the token it begins in.
        skip = here;
        if from < end {
            all.push(Part::As(&sql[from..end]));
        }
    }
    Ok(all)
}

/// Refuses what is written as if a value could stand in quotes.
fn within_quotes(text: &str, place: &Place, values: &Values<'_>) -> Result<(), Refusal> {
    let meant = match (place, values) {
        (Place::Named(name), Values::Named(map)) => map.contains_key(name),
        (Place::Next, Values::List(_)) => text[1..].strip_suffix(&text[..1]) == Some("%s"),
        _ => false,
    };
    if !meant {
        return Ok(());
    }
    let word = match place {
        Place::Named(name) => format!("%({name})s"),
        _ => "%s".to_owned(),
    };
    Err(
        Refusal::new(format!("`{word}` stands within quotes: `{text}`")).help(
            "leave the quotes out: a value gets those it needs, and can be no name (`{{ … }}` can)",
        ),
    )
}

/// How many places for unnamed values a query has, and the names of the others.
pub(super) fn places(sql: &str, values: Values<'_>) -> Result<(usize, Vec<String>), Refusal> {
    if matches!(values, Values::None) {
        return Ok((0, Vec::new()));
    }
    let (mut count, mut names) = (0, Vec::new());
    for part in parts(sql, &values)? {
        match part {
            Part::Place(Place::Next) => count += 1,
            Part::Place(Place::Named(name)) => names.push(name),
            _ => {}
        }
    }
    Ok((count, names))
}

/// A query with its values. Without any, it is taken as it stands.
pub(super) fn fill(sql: &str, values: Values<'_>) -> Result<Filled, Stop> {
    let mut filled = Filled::default();
    if matches!(values, Values::None) {
        sql.clone_into(&mut filled.sql);
        return Ok(filled);
    }
    let mut next = 0;
    for part in parts(sql, &values)? {
        let value = match (part, values) {
            (Part::As(text), _) => {
                filled.sql += text;
                continue;
            }
            (Part::Place(Place::Percent), _) => {
                filled.sql.push('%');
                continue;
            }
            (Part::Place(Place::Next), Values::List(list)) => {
                next += 1;
                list.get(next - 1).ok_or_else(|| {
                    let what = format!(
                        "`positional_args` has {} values, and the query more `%s`",
                        list.len()
                    );
                    Refusal::new(what).help("give a value for each `%s`")
                })?
            }
            (Part::Place(Place::Named(name)), Values::Named(map)) => {
                filled.secret |= sounds_secret(&name);
                map.get(&name).ok_or_else(|| missing(&name))?
            }
            (Part::Place(Place::Next), _) => {
                return Err(mixed("`%s`", "positional_args").into());
            }
            (Part::Place(Place::Named(name)), _) => {
                return Err(mixed(&format!("`%({name})s`"), "named_args").into());
            }
        };
        put(value, &mut filled)?;
    }
    Ok(filled)
}

/// Whether a value of this name is best kept out of the server's log.
fn sounds_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["password", "passwd", "secret", "token"]
        .iter()
        .any(|word| name.contains(word))
}

/// A name without a value.
pub(super) fn missing(name: &str) -> Refusal {
    Refusal::new(format!(
        "the query asks for `%({name})s`, and `named_args` has no `{name}`"
    ))
    .help("add it there; a `%` that is meant as it is, is written `%%`")
}

/// A place without values of its kind.
pub(super) fn mixed(place: &str, argument: &str) -> Refusal {
    Refusal::new(format!(
        "the query has {place}, and there is no `{argument}`"
    ))
    .help(format!(
        "give its value in `{argument}`; a `%` that is meant as it is, is written `%%`"
    ))
}

/// A value as SQL.
fn put(value: &Value, to: &mut Filled) -> Result<(), Stop> {
    let text = |to: &mut Filled, text: &str| {
        if text.contains('\0') {
            return Err(Stop::refused(
                "a value contains a NUL, and PostgreSQL keeps none",
            ));
        }
        to.sql += &literal(text);
        Ok(())
    };
    match value {
        Value::Null => to.sql += "NULL",
        Value::Bool(truth) => to.sql += if *truth { "true" } else { "false" },
        Value::Int(number) if *number < 0 => in_parens(&number.to_string(), to),
        Value::Int(number) => to.sql += &number.to_string(),
        Value::UInt(number) => to.sql += &number.to_string(),
        Value::Float(number) if !number.is_finite() => {
            let name = match number {
                number if number.is_nan() => "NaN",
                number if *number > 0.0 => "Infinity",
                _ => "-Infinity",
            };
            text(to, name)?;
            to.sql += "::float8";
        }
        // `1.0`, not `1`.
        Value::Float(_) => in_parens(&value.as_text().unwrap_or_default(), to),
        Value::Str(plain) => text(to, plain)?,
        Value::Secret(secret) => {
            to.secret = true;
            let plain = std::str::from_utf8(secret.reveal())
                .map_err(|_| Stop::refused("a secret value is no text in UTF-8"))?;
            text(to, plain)?;
        }
        Value::Seq(items) if items.is_empty() => to.sql += "'{}'",
        Value::Seq(items) => {
            to.sql += "ARRAY[";
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    to.sql += ", ";
                }
                put(item, to)?;
            }
            to.sql.push(']');
        }
        Value::Map(_) => {
            to.secret |= !value.secrets().is_empty();
            text(to, &json(value)?.to_string())?;
            to.sql += "::jsonb";
        }
        Value::NotYet(what) => return Err(NotYet(what.0.clone()).into()),
        Value::Source(source) => {
            return Err(Stop::refused(format!(
                "`{}` is a file, and no value",
                source.name()
            )));
        }
    }
    Ok(())
}

/// A number; a minus behind another would begin a comment.
fn in_parens(number: &str, to: &mut Filled) {
    to.sql.push('(');
    to.sql += number;
    to.sql.push(')');
}

/// A tree as JSON, with the secrets in it.
fn json(value: &Value) -> Result<serde_json::Value, Stop> {
    Ok(match value {
        Value::Secret(secret) => std::str::from_utf8(secret.reveal())
            .map_err(|_| Stop::refused("a secret value is no text in UTF-8"))?
            .into(),
        Value::Seq(items) => items.iter().map(json).collect::<Result<_, _>>()?,
        Value::Map(map) => {
            let pair = |(key, value): (&String, &Value)| Ok::<_, Stop>((key.clone(), json(value)?));
            serde_json::Value::Object(map.iter().map(pair).collect::<Result<_, _>>()?)
        }
        Value::NotYet(what) => return Err(what.clone().into()),
        plain => plain.to_json(),
    })
}

#[cfg(test)]
mod tests {
    use evenkeel_engine::Secret;

    use super::*;

    fn list(sql: &str, yaml: &str) -> Result<String, String> {
        let values: Vec<Value> = serde_yaml::from_str(yaml).unwrap();
        said(fill(sql, Values::List(&values)))
    }

    fn named(sql: &str, yaml: &str) -> Result<String, String> {
        let values: Map = serde_yaml::from_str(yaml).unwrap();
        said(fill(sql, Values::Named(&values)))
    }

    fn said(filled: Result<Filled, Stop>) -> Result<String, String> {
        match filled {
            Ok(filled) => Ok(filled.sql),
            Err(Stop::Refused(why)) => Err(why.message),
            Err(Stop::NotYet(what)) => Err(what.0),
        }
    }

    #[test]
    fn values_are_quoted_by_what_they_are() {
        for (yaml, sql) in [
            ("[a]", "'a'"),
            ("[\"it's\"]", "'it''s'"),
            ("['a\\b']", "E'a\\\\b'"),
            ("['$$; --']", "'$$; --'"),
            ("[1]", "1"),
            ("[-1]", "(-1)"),
            ("[1.5]", "(1.5)"),
            ("[-2.0]", "(-2.0)"),
            ("[.nan]", "'NaN'::float8"),
            ("[true]", "true"),
            ("[null]", "NULL"),
            ("['']", "''"),
            ("[[]]", "'{}'"),
            ("[[1, null, 2]]", "ARRAY[1, NULL, 2]"),
            ("[[[a], [\"b'\"]]]", "ARRAY[ARRAY['a'], ARRAY['b''']]"),
            ("[{a: [1, \"b'c\"]}]", "'{\"a\":[1,\"b''c\"]}'::jsonb"),
            ("[{a: 'b\\c'}]", "E'{\"a\":\"b\\\\\\\\c\"}'::jsonb"),
        ] {
            assert_eq!(
                list("SELECT %s", yaml),
                Ok(format!("SELECT {sql}")),
                "{yaml}"
            );
        }
        assert_eq!(
            list("SELECT 1 -%s", "[-1]"),
            Ok("SELECT 1 -(-1)".to_owned())
        );
        assert!(
            list("SELECT %s", "[\"a\\0b\"]")
                .unwrap_err()
                .contains("NUL")
        );
    }

    #[test]
    fn places_are_outside_of_texts_and_comments() {
        assert_eq!(
            named(
                "SELECT %(a)s::int,%(b c)s -- %(x)s\n/* %s */, %(a)s",
                "{a: 1, b c: x}"
            ),
            Ok("SELECT 1::int,'x' -- %(x)s\n/* %s */, 1".to_owned())
        );
        assert_eq!(
            list(
                "SELECT 'a%%', 5 %% 2, 5 % 3, '%sales' WHERE a=%s;--%%",
                "[1]"
            ),
            Ok("SELECT 'a%', 5 % 2, 5 % 3, '%sales' WHERE a=1;--%%".to_owned())
        );
        assert_eq!(
            said(fill("SELECT '%%', 5 %% 2, %s", Values::None)),
            Ok("SELECT '%%', 5 %% 2, %s".to_owned())
        );
        // What a value holds is not looked at again.
        assert_eq!(
            list("SELECT %s, %s", "['%s', '%(a)s']"),
            Ok("SELECT '%s', '%(a)s'".to_owned())
        );
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for (found, why) in [
            (
                list("%s, %s", "[1]"),
                "`positional_args` has 1 values, and the query more `%s`",
            ),
            (
                named("%(b)s", "{a: 1}"),
                "the query asks for `%(b)s`, and `named_args` has no `b`",
            ),
            (
                named("%s", "{a: 1}"),
                "the query has `%s`, and there is no `positional_args`",
            ),
            (
                list("%(b)s", "[1]"),
                "the query has `%(b)s`, and there is no `named_args`",
            ),
            (
                named("'%(a)s'", "{a: 1}"),
                "`%(a)s` stands within quotes: `'%(a)s'`",
            ),
            (
                named("\"%(a)s\"", "{a: 1}"),
                "`%(a)s` stands within quotes: `\"%(a)s\"`",
            ),
            (list("'%s'", "[1]"), "`%s` stands within quotes: `'%s'`"),
        ] {
            assert_eq!(found, Err(why.to_owned()));
        }
    }

    #[test]
    fn secrets_are_known_to_be_some() {
        let filled = |value| fill("SELECT %s", Values::List(&[value])).unwrap();
        let secret = Value::Secret(Secret::new("o'x"));
        assert!(!filled(Value::from("a")).secret);
        assert_eq!(
            filled(secret.clone()),
            Filled {
                sql: "SELECT 'o''x'".to_owned(),
                secret: true
            }
        );
        let within = filled(Value::Map(Map::from_iter([(
            "a".to_owned(),
            secret.clone(),
        )])));
        assert_eq!(within.sql, "SELECT '{\"a\":\"o''x\"}'::jsonb");
        assert!(within.secret);
        assert!(filled(Value::Seq(vec![secret])).secret);
        let by_name = |name: &str| {
            let map = Map::from_iter([(name.to_owned(), Value::from("a"))]);
            fill(&format!("SELECT %({name})s"), Values::Named(&map)).unwrap()
        };
        assert!(by_name("db_password").secret && !by_name("pass").secret);
    }
}
