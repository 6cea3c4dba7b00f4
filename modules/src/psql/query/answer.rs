//! What psql prints of statements, and the values in it.
//!
//! It begins with a word that the host has drawn by lot. Lines that begin with that word say where a statement begins
//! (`at`), where its columns end and its rows begin (`rows`), and how many there were (`end`, `did`); the same word
//! stands between values, so that no value can be taken for what it is not.

use evenkeel_engine::{Map, Value};

/// How long the word is.
const LENGTH: usize = 24;

/// What one statement answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Set {
    /// Names and types of its columns.
    pub columns: Vec<(String, String)>,
    /// Its rows.
    pub rows: Vec<Vec<Option<String>>>,
    /// How many rows it answered or changed.
    pub count: u64,
    /// What the server says that it was.
    pub tag: String,
}

/// What statements answered, as psql printed it; nothing if that is not whole.
pub(super) fn read(text: &str) -> Option<Vec<Set>> {
    let (word, _) = text.split_once('\n')?;
    if word.len() != LENGTH || !word.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mark = format!("\n{word} ");
    let mut sets = Vec::new();
    let (mut whole, mut columns, mut rows) = (false, None, None);
    for part in text[word.len()..]
        .trim_end_matches('\n')
        .split(mark.as_str())
        .skip(1)
    {
        let (head, content) = match part.split_once('\n') {
            Some((head, content)) => (head, Some(content)),
            None => (part, None),
        };
        match head.split_once(' ').unwrap_or((head, "")) {
            ("at", _) => columns = content,
            ("rows", _) => rows = content,
            ("end" | "did", count) => {
                sets.push(set(word, columns.take(), rows.take(), count.parse().ok()?)?);
            }
            ("done", _) => whole = true,
            _ => return None,
        }
    }
    whole.then_some(sets)
}

fn set(word: &str, columns: Option<&str>, rows: Option<&str>, count: u64) -> Option<Set> {
    let (field, record, null) = (format!("{word}F"), format!("{word}R"), format!("{word}N"));
    let described = columns.filter(|text| text.contains(&field)).into_iter();
    let column = |text: &str| {
        let (name, kind) = text.split_once(&field)?;
        Some((name.to_owned(), kind.to_owned()))
    };
    let columns: Vec<_> = described
        .flat_map(|text| text.split(&record))
        .map(column)
        .collect::<Option<_>>()?;
    if columns.is_empty() {
        return Some(Set {
            count,
            tag: rows.unwrap_or_default().trim_end().to_owned(),
            ..Set::default()
        });
    }
    let value = |text: &str| (text != null).then(|| text.to_owned());
    let row = |text: &str| text.split(&field).map(value).collect::<Vec<_>>();
    // Of no rows nothing is printed; of one empty text there is an empty line.
    let rows: Vec<_> = match rows {
        Some(text) => text.split(&record).map(row).collect(),
        None => Vec::new(),
    };
    let found = rows.len() as u64;
    // psql counts none of `SHOW`, `EXPLAIN`, `CALL`.
    let whole = (found == count || count == 0) && rows.iter().all(|row| row.len() == columns.len());
    whole.then_some(Set {
        columns,
        rows,
        count: found,
        tag: String::new(),
    })
}

impl Set {
    /// Its rows as maps.
    pub(super) fn maps(&self) -> Vec<Map> {
        let map = |row: &Vec<Option<String>>| {
            let pairs = self.columns.iter().zip(row);
            pairs
                .map(|((name, kind), text)| {
                    let value = text.as_ref().map_or(Value::Null, |text| value(kind, text));
                    (name.clone(), value)
                })
                .collect()
        };
        self.rows.iter().map(map).collect()
    }

    /// Whether its first row says yes: with anything but null, false and 0 in its first column.
    pub(super) fn says_yes(&self) -> bool {
        let (Some((_, kind)), Some(row)) = (self.columns.first(), self.rows.first()) else {
            // Rows may have no columns at all: `SELECT FROM t`.
            return self.columns.is_empty() && self.count > 0;
        };
        match row.first() {
            Some(Some(text)) => match value(kind, text) {
                Value::Bool(truth) => truth,
                Value::Int(number) => number != 0,
                Value::Float(number) => number != 0.0,
                _ => true,
            },
            _ => false,
        }
    }
}

/// A value by its type.
fn value(kind: &str, text: &str) -> Value {
    let plain = || Value::from(text);
    if let Some(kind) = kind.strip_suffix("[]") {
        return array(kind, text).unwrap_or_else(plain);
    }
    match kind.split('(').next().unwrap_or(kind) {
        "boolean" => match text {
            "t" => true.into(),
            "f" => false.into(),
            _ => plain(),
        },
        "smallint" | "integer" | "bigint" | "oid" => {
            text.parse::<i64>().map_or_else(|_| plain(), Value::from)
        }
        "numeric" | "real" | "double precision" => number(text).unwrap_or_else(plain),
        "json" | "jsonb" => {
            serde_json::from_str::<serde_json::Value>(text).map_or_else(|_| plain(), Value::from)
        }
        _ => plain(),
    }
}

/// A number, unless it has more digits than are kept of one, or is none (`NaN`, `Infinity`).
fn number(text: &str) -> Option<Value> {
    if let Ok(whole) = text.parse::<i64>() {
        return Some(whole.into());
    }
    let mantissa = text.split(['e', 'E']).next().unwrap_or_default();
    let digits = mantissa.trim_start_matches(['-', '0', '.']);
    if digits.bytes().filter(u8::is_ascii_digit).count() > 17 {
        return None;
    }
    let number: f64 = text.parse().ok()?;
    number.is_finite().then_some(Value::Float(number))
}

/// An array as the server prints it: `{1,NULL,"a b"}`, before it perhaps its bounds, `[0:1]=`.
fn array(kind: &str, text: &str) -> Option<Value> {
    let text = match text.split_once("]={") {
        Some((_, rest)) if text.starts_with('[') => &text[text.len() - rest.len() - 1..],
        _ => text,
    };
    let mut chars = text.chars().peekable();
    let list = elements(kind, &mut chars)?;
    chars.next().is_none().then_some(list)
}

fn elements(kind: &str, chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<Value> {
    let delimiter = if kind == "box" { ';' } else { ',' };
    let mut list = Vec::new();
    chars.next_if_eq(&'{')?;
    if chars.next_if_eq(&'}').is_some() {
        return Some(Value::Seq(list));
    }
    loop {
        list.push(match chars.peek()? {
            '{' => elements(kind, chars)?,
            '"' => value(kind, &quoted(chars)?),
            _ => {
                let mut text = String::new();
                while let Some(c) = chars.next_if(|c| *c != delimiter && *c != '}') {
                    text.push(c);
                }
                match text.as_str() {
                    "NULL" => Value::Null,
                    text => value(kind, text),
                }
            }
        });
        match chars.next()? {
            '}' => return Some(Value::Seq(list)),
            c if c == delimiter => {}
            _ => return None,
        }
    }
}

fn quoted(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<String> {
    let mut text = String::new();
    chars.next_if_eq(&'"')?;
    loop {
        match chars.next()? {
            '"' => return Some(text),
            '\\' => text.push(chars.next()?),
            c => text.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const W: &str = "0123456789abcdef01234567";

    fn said(text: &str) -> Option<Vec<Set>> {
        read(&text.replace('@', W))
    }

    fn json(kind: &str, text: &str) -> String {
        value(kind, text).to_json().to_string()
    }

    #[test]
    fn statements_with_and_without_rows() {
        let sets = said(
            "@\n@ at 1\na@Finteger@Rb c@Ftext\n@ rows\n1@Fx\ny\n@R2@F@N\n@ end 2\n\
             @ at 2\n@ rows\nCREATE TABLE\n@ end 0\n@ at 3\n@ did 5\n@ done\n",
        )
        .unwrap();
        assert_eq!(sets.len(), 3);
        let maps = Value::from_typed(&sets[0].maps()).unwrap().to_json();
        assert_eq!(
            maps.to_string(),
            r#"[{"a":1,"b c":"x\ny\n"},{"a":2,"b c":null}]"#
        );
        assert_eq!((sets[1].tag.as_str(), sets[2].count), ("CREATE TABLE", 5));
    }

    #[test]
    fn empty_texts_and_no_rows() {
        let rows = |text: &str| said(text).unwrap().remove(0).rows;
        let head = "@\n@ at 1\na@Ftext\n@ rows\n";
        assert_eq!(
            rows(&format!("{head}@ end 0\n@ done\n")),
            Vec::<Vec<_>>::new()
        );
        assert_eq!(
            rows(&format!("{head}\n@ end 1\n@ done\n")),
            [[Some(String::new())]]
        );
        assert_eq!(
            rows(&format!("{head}@R\n@ end 2\n@ done\n")),
            [[Some(String::new())], [Some(String::new())]]
        );
        assert_eq!(
            rows(&format!("{head}\n\n\n@ end 1\n@ done\n")),
            [[Some("\n\n".to_owned())]]
        );
        // As of `SHOW`.
        assert_eq!(
            rows(&format!("{head}x\n@ end 0\n@ done\n")),
            [[Some("x".to_owned())]]
        );
    }

    #[test]
    fn what_is_not_whole_is_nothing() {
        assert_eq!(said(""), None);
        assert_eq!(said("x\nx done\n"), None);
        assert_eq!(said("@\n@ at 1\n"), None);
        assert_eq!(
            said("@\n@ at 1\na@Ftext\n@ rows\nx\n@ end 2\n@ done\n"),
            None
        );
        assert_eq!(
            said("@\n@ at 1\na@Ftext\n@ rows\nx@Fy\n@ end 1\n@ done\n"),
            None
        );
        assert_eq!(said("@\n@ done\n"), Some(Vec::new()));
    }

    #[test]
    fn values_by_their_types() {
        for (kind, text, wanted) in [
            ("boolean", "t", "true"),
            ("boolean", "f", "false"),
            ("bigint", "-9223372036854775808", "-9223372036854775808"),
            ("oid", "4294967295", "4294967295"),
            ("numeric", "5", "5"),
            ("numeric(10,2)", "1234.50", "1234.5"),
            (
                "numeric",
                "0.1234567890123456789",
                "\"0.1234567890123456789\"",
            ),
            (
                "numeric",
                "99999999999999999999",
                "\"99999999999999999999\"",
            ),
            ("double precision", "NaN", "\"NaN\""),
            ("double precision", "-Infinity", "\"-Infinity\""),
            ("real", "1e-10", "1e-10"),
            ("jsonb", "{\"a\": [1, null]}", "{\"a\":[1,null]}"),
            ("interval", "1 day 02:00:00", "\"1 day 02:00:00\""),
            ("text", "1", "\"1\""),
            ("integer[]", "{1,NULL,3}", "[1,null,3]"),
            ("integer[]", "[0:1]={1,2}", "[1,2]"),
            (
                "text[]",
                r#"{a,"b,\"c\\ }","NULL",NULL,""}"#,
                r#"["a","b,\"c\\ }","NULL",null,""]"#,
            ),
            ("text[]", "{{a,b},{c,d}}", r#"[["a","b"],["c","d"]]"#),
            ("text[]", "{}", "[]"),
            ("text[]", "[0:0]={\"]={\"}", r#"["]={"]"#),
            (
                "box[]",
                "{(1,1),(0,0);(2,2),(1,1)}",
                r#"["(1,1),(0,0)","(2,2),(1,1)"]"#,
            ),
            ("text[]", "{a", "\"{a\""),
        ] {
            assert_eq!(json(kind, text), wanted, "{kind} {text}");
        }
    }

    #[test]
    fn what_says_yes() {
        let set = |kind: &str, text: Option<&str>| Set {
            columns: vec![("a".to_owned(), kind.to_owned())],
            rows: vec![vec![text.map(str::to_owned)]],
            count: 1,
            tag: String::new(),
        };
        for (kind, text, wanted) in [
            ("boolean", Some("t"), true),
            ("boolean", Some("f"), false),
            ("boolean", None, false),
            ("bigint", Some("0"), false),
            ("bigint", Some("2"), true),
            ("numeric", Some("0.00"), false),
            ("text", Some("f"), true),
            ("text", Some(""), true),
        ] {
            assert_eq!(set(kind, text).says_yes(), wanted, "{kind} {text:?}");
        }
        assert!(!Set::default().says_yes());
        let bare = Set {
            count: 1,
            ..Set::default()
        };
        assert!(bare.says_yes());
    }
}
