//! Values of INI inventories: a literal of Python is what it says, anything else is a text.

use evenkeel_engine::{Map, Value};

/// The value of a text.
pub(super) fn value(text: &str) -> Value {
    let mut parser = Parser {
        rest: text.trim_start(),
        depth: 0,
    };
    let found = parser.whole();
    let rest = parser.rest.trim_start();
    match found {
        Some(value) if rest.is_empty() || rest.starts_with('#') => value,
        _ => Value::Str(text.to_owned()),
    }
}

struct Parser<'t> {
    rest: &'t str,
    depth: usize,
}

impl Parser<'_> {
    /// A value; several with commas between them are a tuple, as in `80,443`.
    fn whole(&mut self) -> Option<Value> {
        let first = self.value()?;
        if !self.eat(',') {
            return Some(first);
        }
        let mut items = vec![first];
        let ends = |rest: &str| rest.is_empty() || rest.starts_with('#');
        while !ends(self.rest.trim_start()) {
            items.push(self.value()?);
            if !self.eat(',') {
                break;
            }
        }
        Some(Value::Seq(items))
    }

    fn value(&mut self) -> Option<Value> {
        self.rest = self.rest.trim_start();
        match self.rest.chars().next()? {
            '\'' | '"' => self.strings().map(Value::Str),
            '[' => self.list(']'),
            '(' => self.list(')'),
            '{' => self.map(),
            '0'..='9' | '-' | '+' | '.' => self.number(),
            _ => self.word(),
        }
    }

    fn word(&mut self) -> Option<Value> {
        let end = self
            .rest
            .find(|c: char| !c.is_alphanumeric() && c != '_')
            .unwrap_or(self.rest.len());
        let value = match &self.rest[..end] {
            "True" => Value::Bool(true),
            "False" => Value::Bool(false),
            "None" => Value::Null,
            _ => return None,
        };
        self.rest = &self.rest[end..];
        Some(value)
    }

    fn number(&mut self) -> Option<Value> {
        let end = self
            .rest
            .char_indices()
            .find(|(at, c)| {
                let sign =
                    matches!(c, '+' | '-') && (*at == 0 || self.rest[..*at].ends_with(['e', 'E']));
                !(c.is_ascii_alphanumeric() || matches!(c, '.' | '_') || sign)
            })
            .map_or(self.rest.len(), |(at, _)| at);
        let text = &self.rest[..end];
        self.rest = &self.rest[end..];
        number(text)
    }

    /// Texts beside each other are one.
    fn strings(&mut self) -> Option<String> {
        let mut text = self.string()?;
        while self.rest.trim_start().starts_with(['\'', '"']) {
            self.rest = self.rest.trim_start();
            text += &self.string()?;
        }
        Some(text)
    }

    fn string(&mut self) -> Option<String> {
        let quote = self.rest.chars().next()?;
        let mut out = String::new();
        let mut letters = self.rest[1..].char_indices();
        while let Some((at, letter)) = letters.next() {
            match letter {
                c if c == quote => {
                    self.rest = &self.rest[1 + at + 1..];
                    return Some(out);
                }
                '\n' => return None,
                '\\' => match letters.next()?.1 {
                    'n' => out.push('\n'),
                    't' => out.push('\t'),
                    'r' => out.push('\r'),
                    '0' => out.push('\0'),
                    c @ ('\\' | '\'' | '"') => out.push(c),
                    kind @ ('x' | 'u' | 'U') => {
                        let digits = match kind {
                            'x' => 2,
                            'u' => 4,
                            _ => 8,
                        };
                        let code: String = letters.by_ref().take(digits).map(|(_, c)| c).collect();
                        let code = u32::from_str_radix(&code, 16).ok();
                        out.push(code.and_then(char::from_u32)?);
                    }
                    other => {
                        out.push('\\');
                        out.push(other);
                    }
                },
                c => out.push(c),
            }
        }
        None
    }

    fn deeper(&mut self) -> Option<()> {
        self.depth += 1;
        (self.depth < 64).then_some(())
    }

    /// Past one letter, if it comes next.
    fn eat(&mut self, letter: char) -> bool {
        self.rest = self.rest.trim_start();
        self.rest.strip_prefix(letter).is_some_and(|rest| {
            self.rest = rest;
            true
        })
    }

    /// A list, or a tuple: `(x)` is just `x`.
    fn list(&mut self, close: char) -> Option<Value> {
        self.deeper()?;
        self.rest = &self.rest[1..];
        let mut items = Vec::new();
        let mut comma = true;
        while !self.eat(close) {
            if !comma {
                return None;
            }
            items.push(self.value()?);
            comma = self.eat(',');
        }
        self.depth -= 1;
        if close == ')' && items.len() == 1 && !comma {
            return items.pop();
        }
        Some(Value::Seq(items))
    }

    fn map(&mut self) -> Option<Value> {
        self.deeper()?;
        self.rest = &self.rest[1..];
        let mut map = Map::new();
        let mut comma = true;
        while !self.eat('}') {
            if !comma {
                return None;
            }
            let key = self.value()?.as_text()?;
            if !self.eat(':') {
                return None;
            }
            map.insert(key, self.value()?);
            comma = self.eat(',');
        }
        self.depth -= 1;
        Some(Value::Map(map))
    }
}

fn number(text: &str) -> Option<Value> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    // `1_000` but neither `_1` nor `1__0`.
    if digits.starts_with('_') || digits.ends_with('_') || digits.contains("__") {
        return None;
    }
    let plain = digits.replace('_', "");
    let lower = plain.to_lowercase();
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        if let Some(body) = lower.strip_prefix(prefix) {
            let number = i64::from_str_radix(body, radix).ok()?;
            return Some(Value::Int(if negative { -number } else { number }));
        }
    }
    if plain.bytes().all(|byte| byte.is_ascii_digit()) {
        // `0644` is not a number to Python.
        if plain.len() > 1 && plain.starts_with('0') && plain.bytes().any(|byte| byte != b'0') {
            return None;
        }
        let number: i128 = plain.parse().ok()?;
        let number = if negative { -number } else { number };
        return i64::try_from(number)
            .map(Value::Int)
            .or_else(|_| u64::try_from(number).map(Value::UInt))
            .ok();
    }
    let shaped = plain
        .bytes()
        .all(|byte| byte.is_ascii_digit() || b".eE+-".contains(&byte))
        && plain.bytes().any(|byte| byte.is_ascii_digit());
    let number: f64 = shaped.then(|| plain.parse().ok()).flatten()?;
    Some(Value::Float(if negative { -number } else { number }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_of_python() {
        let json = |text: &str| value(text).to_json().to_string();
        for (text, wanted) in [
            ("80", "80"),
            ("-1", "-1"),
            ("0644", "\"0644\""),
            ("00", "0"),
            ("0x1f", "31"),
            ("1_000", "1000"),
            ("1.5", "1.5"),
            ("1e3", "1000.0"),
            ("1.2.3", "\"1.2.3\""),
            ("10.0.0.1", "\"10.0.0.1\""),
            ("True", "true"),
            ("true", "\"true\""),
            ("yes", "\"yes\""),
            ("None", "null"),
            ("'a b'", "\"a b\""),
            ("\"80\"", "\"80\""),
            ("[1, 'x', True,]", "[1,\"x\",true]"),
            ("(1, 2)", "[1,2]"),
            ("{'a': 1, 'b': [2]}", "{\"a\":1,\"b\":[2]}"),
            ("80,443", "[80,443]"),
            ("80,", "[80]"),
            ("80, # web", "[80]"),
            ("80,http", "\"80,http\""),
            ("80,,", "\"80,,\""),
            ("'a' \"b\"", "\"ab\""),
            ("80 # web", "80"),
            ("web # 80", "\"web # 80\""),
            ("[1, 2", "\"[1, 2\""),
            ("{{ x }}", "\"{{ x }}\""),
            ("1 2", "\"1 2\""),
            ("'a", "\"'a\""),
            ("e", "\"e\""),
            ("-", "\"-\""),
            ("", "\"\""),
        ] {
            assert_eq!(json(text), wanted, "{text}");
        }
        let deep = "[".repeat(100_000);
        assert_eq!(value(&deep), Value::Str(deep.clone()));
    }
}
