//! Permission bits as playbooks write them: `"0644"`, `u=rwX,g-w,o=`, `preserve`.

use std::{fmt, str::FromStr};

use evenkeel_engine::Value;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// What a new file's bits are where nothing else is said, and what `umask` leaves to symbolic modes
/// that name nobody.
pub(crate) const UMASK: u32 = 0o022;

/// Permission bits: octal, symbolic, or those of the source.
#[derive(Clone, PartialEq, Eq)]
pub struct Mode {
    text: String,
    rule: Rule,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Rule {
    Bits(u32),
    Clauses(Vec<Clause>),
    Preserve,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Clause {
    /// Some of `ugo`; whether the umask applies because none was named.
    who: Vec<char>,
    umask: bool,
    /// `+`, `-` or `=`, each with its letters.
    actions: Vec<(char, String)>,
}

impl Mode {
    /// These bits exactly.
    pub fn bits(bits: u32) -> Self {
        let bits = bits & 0o7777;
        Self {
            text: format!("{bits:04o}"),
            rule: Rule::Bits(bits),
        }
    }

    /// Those of the source of a copy.
    pub fn preserve() -> Self {
        Self {
            text: "preserve".to_owned(),
            rule: Rule::Preserve,
        }
    }

    /// Whether the bits of the source are wanted.
    pub fn is_preserve(&self) -> bool {
        self.rule == Rule::Preserve
    }

    /// As it was written.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The bits, if they do not depend on what is there.
    pub(crate) fn exact(&self) -> Option<u32> {
        match self.rule {
            Rule::Bits(bits) => Some(bits),
            _ => None,
        }
    }

    /// The bits wanted of something that has the bits `now`.
    pub(crate) fn apply(&self, now: u32, directory: bool) -> u32 {
        match &self.rule {
            Rule::Bits(bits) => *bits,
            Rule::Preserve => now,
            Rule::Clauses(clauses) => clauses.iter().fold(now, |bits, clause| {
                clause.actions.iter().fold(bits, |bits, (sign, letters)| {
                    clause.who.iter().fold(bits, |before, who| {
                        let add = clause.meant(*who, letters, bits, directory);
                        match sign {
                            '+' => before | add,
                            '-' => before & !add,
                            _ => (before & !all_of(*who)) | add,
                        }
                    })
                })
            }),
        }
    }
}

impl Clause {
    /// The bits that letters mean for one of `u`, `g` and `o`.
    fn meant(&self, who: char, letters: &str, now: u32, directory: bool) -> u32 {
        let shift = shift_of(who);
        letters.chars().fold(0, |bits, letter| {
            let rwx = match letter {
                'r' => 4,
                'w' => 2,
                'x' => 1,
                'X' if directory || now & 0o111 != 0 => 1,
                'u' | 'g' | 'o' => now >> shift_of(letter) & 7,
                's' if who == 'u' => return bits | 0o4000,
                's' if who == 'g' => return bits | 0o2000,
                't' if who == 'o' => return bits | 0o1000,
                _ => 0,
            };
            let masked = if self.umask { UMASK } else { 0 };
            bits | (rwx << shift & !masked)
        })
    }
}

fn shift_of(who: char) -> u32 {
    match who {
        'u' => 6,
        'g' => 3,
        _ => 0,
    }
}

/// What `=` takes away.
fn all_of(who: char) -> u32 {
    match who {
        'u' => 0o4700,
        'g' => 0o2070,
        _ => 0o1007,
    }
}

impl FromStr for Mode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let rule = if text == "preserve" {
            Rule::Preserve
        } else if text.starts_with(|first: char| first.is_ascii_digit()) {
            let digits = text.strip_prefix("0o").unwrap_or(text);
            match u32::from_str_radix(digits, 8) {
                Ok(bits) if bits <= 0o7777 => Rule::Bits(bits),
                _ => return Err(format!("`{text}` is not an octal mode")),
            }
        } else {
            Rule::Clauses(text.split(',').map(clause).collect::<Result<_, _>>()?)
        };
        Ok(Self {
            text: text.to_owned(),
            rule,
        })
    }
}

fn clause(text: &str) -> Result<Clause, String> {
    let wrong = || format!("`{text}` is not a symbolic mode: write it like `u=rwX,g-w,o=`");
    let signs = text.find(['+', '-', '=']).ok_or_else(wrong)?;
    let (named, mut rest) = text.split_at(signs);
    if !named.chars().all(|who| "ugoa".contains(who)) {
        return Err(wrong());
    }
    let who = match named {
        "" => "ugo".chars().collect(),
        named if named.contains('a') => "ugo".chars().collect(),
        named => named.chars().collect(),
    };
    let mut actions = Vec::new();
    while let Some(sign) = rest.chars().next() {
        let end = rest[1..]
            .find(['+', '-', '='])
            .map_or(rest.len(), |at| at + 1);
        let letters = &rest[1..end];
        if !letters.chars().all(|letter| "rwxXstugo".contains(letter)) {
            return Err(wrong());
        }
        actions.push((sign, letters.to_owned()));
        rest = &rest[end..];
    }
    Ok(Clause {
        who,
        umask: named.is_empty(),
        actions,
    })
}

impl fmt::Debug for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for Mode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

/// Of a number whose digits are not seen any more: `0644` is 420 then, and so is a variable that has it. It
/// counts where it cannot be meant as it is written.
fn of_number(number: i64) -> Result<Mode, String> {
    let bits = u32::try_from(number).ok().filter(|bits| *bits <= 0o7777);
    let written = u32::from_str_radix(&number.to_string(), 8).ok();
    match bits {
        Some(bits) if likely(bits) && !written.is_some_and(likely) => Ok(Mode {
            text: format!("{bits:04o}"),
            rule: Rule::Bits(bits),
        }),
        _ => Err(format!(
            "the number {number} could be octal or decimal: quote it, as in `\"0644\"`"
        )),
    }
}

/// Whether somebody may want such a mode: the owner reads, and nobody may more than who is nearer.
fn likely(bits: u32) -> bool {
    let [owner, group, others] = [6, 3, 0].map(|shift| (bits >> shift) & 0o7);
    bits <= 0o7777 && owner & 0o4 != 0 && group & !owner == 0 && others & !group == 0
}

impl<'de> Deserialize<'de> for Mode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Str(text) => text.trim().parse().map_err(de::Error::custom),
            Value::Int(number) => of_number(number).map_err(de::Error::custom),
            other => Err(de::Error::custom(format_args!(
                "expected a mode like `\"0644\"` or `u=rw,go=r`, found {}",
                other.kind()
            ))),
        }
    }
}

impl schemars::JsonSchema for Mode {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Mode".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        String::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use evenkeel_engine::bind;

    use super::*;

    fn applied(text: &str, now: u32) -> u32 {
        text.parse::<Mode>().unwrap().apply(now, false)
    }

    #[test]
    fn numbers_count_where_they_can_mean_one_thing_only() {
        let number = |number: i64| {
            bind::<Mode>(&Value::from(number))
                .map_or_else(|error| error.to_string(), |mode| mode.text)
        };
        for bits in [
            0o644, 0o755, 0o640, 0o600, 0o700, 0o750, 0o664, 0o440, 0o1777, 0o2775,
        ] {
            assert_eq!(number(bits), format!("{bits:04o}"));
        }
        for other in [644, 755, 640, 600, 777, 0o777, 0, -1, 1777, 99999] {
            assert!(
                number(other).contains("octal or decimal"),
                "{other}: {}",
                number(other)
            );
        }
    }

    #[test]
    fn octal_as_text_only() {
        for (text, bits) in [
            ("0644", 0o644),
            ("644", 0o644),
            ("0o2755", 0o2755),
            ("0", 0),
        ] {
            assert_eq!(applied(text, 0o777), bits, "{text}");
        }
        for text in ["0888", "77777", "rwx", "u~x", "z+x", "u=q", ""] {
            assert!(text.parse::<Mode>().is_err(), "{text}");
        }
        let error = bind::<Mode>(&Value::Int(644)).unwrap_err().to_string();
        assert!(error.contains("quote it"), "{error}");
    }

    #[test]
    fn symbolic() {
        for (text, now, bits) in [
            ("u=rwx,g=rwx,o=rwx", 0o600, 0o777),
            ("a=r", 0o777, 0o444),
            ("u+w", 0o444, 0o644),
            ("o-wx", 0o777, 0o774),
            ("o+t", 0o444, 0o1444),
            ("g+s", 0o444, 0o2444),
            ("u+s", 0o444, 0o4444),
            ("u-s", 0o4444, 0o444),
            ("u=rwX,go=rX", 0o600, 0o644),
            ("u=rwX,go=rX", 0o700, 0o755),
            ("g=u", 0o640, 0o660),
            ("+w", 0o444, 0o644),
            ("u+x-w", 0o600, 0o500),
            ("o=", 0o777, 0o770),
            ("g=rx", 0o2770, 0o750),
        ] {
            assert_eq!(applied(text, now), bits, "{text} on {now:o}");
        }
        assert_eq!("a=rX".parse::<Mode>().unwrap().apply(0o600, true), 0o555);
    }
}
