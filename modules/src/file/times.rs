//! Times of paths.

use std::str::FromStr;

use evenkeel_engine::{Action, Attrs, Cause, Change, NotYet, Value, probes::Times};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{Args, State};
use crate::look::Look;

/// When a file was changed or read: as it is, now, or a time in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// As it is.
    Preserve,
    /// The moment of the step.
    Now,
    /// Seconds since 1970.
    At(i64),
}

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "preserve" => Ok(Self::Preserve),
            "now" => Ok(Self::Now),
            _ => seconds(text).map(Self::At).ok_or_else(|| {
                format!("`{text}` is no time: write `preserve`, `now` or `YYYYMMDDhhmm.ss`")
            }),
        }
    }
}

/// Reads `YYYYMMDDhhmm.ss` as seconds since 1970.
fn seconds(text: &str) -> Option<i64> {
    let digits = text.replacen('.', "", 1);
    if digits.len() != 14 || text.as_bytes().get(12) != Some(&b'.') {
        return None;
    }
    let part = |from: usize, to: usize| digits.get(from..to)?.parse::<u32>().ok().map(i64::from);
    let (year, month, day) = (part(0, 4)?, part(4, 6)?, part(6, 8)?);
    let (hour, minute, second) = (part(8, 10)?, part(10, 12)?, part(12, 14)?);
    let valid = (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    valid.then(|| days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second)
}

/// Days since 1970 in the Gregorian calendar; the year is taken to start in March.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + of_year
        - 719_468
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Preserve => serializer.serialize_str("preserve"),
            Self::Now => serializer.serialize_str("now"),
            Self::At(seconds) => serializer.serialize_str(&written(*seconds)),
        }
    }
}

/// The opposite of [`seconds`].
fn written(at: i64) -> String {
    let (day, rest) = (at.div_euclid(86_400), at.rem_euclid(86_400));
    let mut year = 1969 + day.div_euclid(if day < 0 { 365 } else { 366 });
    while days(year + 1, 1, 1) <= day {
        year += 1;
    }
    let mut month = 1;
    while month < 12 && days(year, month + 1, 1) <= day {
        month += 1;
    }
    let of_month = day - days(year, month, 1) + 1;
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!("{year:04}{month:02}{of_month:02}{hour:02}{minute:02}.{second:02}")
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        // `202001010000.00` without quotes is a number with a fraction.
        let text = match &value {
            Value::Float(number) => format!("{number:.2}"),
            other => other.as_text().unwrap_or_default(),
        };
        text.parse().map_err(de::Error::custom)
    }
}

impl schemars::JsonSchema for Moment {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Moment".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        String::json_schema(generator)
    }
}

/// The times wanted: access, modification.
fn wanted(args: &Args) -> (Moment, Moment) {
    let default = if args.state == Some(State::Touch) {
        Moment::Now
    } else {
        Moment::Preserve
    };
    (
        args.access_time.unwrap_or(default),
        args.modification_time.unwrap_or(default),
    )
}

/// Whether a task says anything about times.
pub(super) fn named(args: &Args) -> bool {
    let other = |moment: Option<Moment>| moment.is_some_and(|moment| moment != Moment::Preserve);
    other(args.access_time) || other(args.modification_time)
}

fn is_at(moment: Moment) -> bool {
    matches!(moment, Moment::At(_))
}

pub(super) fn ask(args: &Args, look: &Look<'_>, path: &str) {
    let (access, modification) = wanted(args);
    if is_at(access) || is_at(modification) {
        look.ask(&Times(path.to_owned()));
    }
}

/// What differs in the times of what an existing path leads to.
pub(super) fn changes(args: &Args, look: &Look<'_>, path: &str) -> Result<Vec<Change>, NotYet> {
    let (access, modification) = wanted(args);
    let now = if is_at(access) || is_at(modification) {
        *look.get(&Times(path.to_owned()))?
    } else {
        None
    };
    let (was_access, was_modification) = now.unzip();
    let one = |what: &str, moment: Moment, was: Option<i64>, attrs: &dyn Fn(String) -> Attrs| {
        let (after, cause) = match moment {
            Moment::Preserve => return None,
            Moment::At(seconds) if was == Some(seconds) => return None,
            Moment::At(seconds) => (seconds.to_string(), Cause::Differs),
            Moment::Now => ("now".to_owned(), Cause::Act),
        };
        let step = Action::Attrs {
            path: path.to_owned(),
            attrs: attrs(after.clone()),
            follow: true,
            recurse: false,
        };
        Some(Change::new(what, was, after).step(step).because(cause))
    };
    let access = one("access time", access, was_access, &|atime| Attrs {
        atime: Some(atime),
        ..Attrs::default()
    });
    let modification = one(
        "modification time",
        modification,
        was_modification,
        &|mtime| Attrs {
            mtime: Some(mtime),
            ..Attrs::default()
        },
    );
    Ok(access.into_iter().chain(modification).collect())
}

/// Sets the times of a file just made, unless they are to be now.
pub(super) fn of_new(args: &Args, path: &str) -> Option<Action> {
    let (access, modification) = wanted(args);
    let text = |moment: Moment| match moment {
        Moment::At(seconds) => Some(seconds.to_string()),
        Moment::Preserve | Moment::Now => None,
    };
    let attrs = Attrs {
        atime: text(access),
        mtime: text(modification),
        ..Attrs::default()
    };
    (!attrs.is_empty()).then(|| Action::Attrs {
        path: path.to_owned(),
        attrs,
        follow: false,
        recurse: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments() {
        for (text, seconds) in [
            ("197001010000.00", 0),
            ("202002291234.56", 1_582_979_696),
            ("200001010000.00", 946_684_800),
            ("196912312359.59", -1),
        ] {
            assert_eq!(text.parse(), Ok(Moment::At(seconds)), "{text}");
            assert_eq!(written(seconds), text);
        }
        assert!("20200101".parse::<Moment>().is_err());
        assert!("202013010000.00".parse::<Moment>().is_err());
    }
}
