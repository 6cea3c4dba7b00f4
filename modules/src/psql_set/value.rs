//! Values of settings, compared as the server compares them.

use evenkeel_engine::Refusal;

use crate::psql::{Setting, guc};

/// Units that a number may be followed by, each with how many of the smallest it is.
const MEMORY: [(&str, f64); 5] = [
    ("B", 1.0),
    ("kB", 1024.0),
    ("MB", 1_048_576.0),
    ("GB", 1_073_741_824.0),
    ("TB", 1_099_511_627_776.0),
];
const TIME: [(&str, f64); 6] = [
    ("us", 0.001),
    ("ms", 1.0),
    ("s", 1000.0),
    ("min", 60_000.0),
    ("h", 3_600_000.0),
    ("d", 86_400_000.0),
];

fn units(of: &str) -> Option<&'static [(&'static str, f64)]> {
    [&MEMORY[..], &TIME[..]]
        .into_iter()
        .find(|units| units.iter().any(|(name, _)| *name == of))
}

fn factor(units: &[(&str, f64)], name: &str) -> Option<f64> {
    units
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, factor)| *factor)
}

/// A number in the unit of its setting, which may be a multiple, as `8kB`.
fn number(text: &str, unit: Option<&str>, whole: bool) -> Option<f64> {
    let text = text.trim();
    let hex = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let (value, suffix) = if let Some(hex) = hex {
        let end = hex
            .find(|c: char| !c.is_ascii_hexdigit())
            .unwrap_or(hex.len());
        (
            i32::from_str_radix(&hex[..end], 16).ok().map(f64::from)?,
            &hex[end..],
        )
    } else {
        let part = |c: char| c.is_ascii_digit() || matches!(c, '.' | '-' | '+');
        let mut end = text.find(|c: char| !part(c)).unwrap_or(text.len());
        // `1e3`, but not `1ms`.
        if text[end..].starts_with(['e', 'E']) {
            let power = &text[end + 1..];
            let digits = power.find(|c: char| !part(c)).unwrap_or(power.len());
            end += if digits > 0 { 1 + digits } else { 0 };
        }
        let octal = text[..end].strip_prefix('0').filter(|rest| {
            whole && !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit())
        });
        let value = match octal {
            Some(octal) => i32::from_str_radix(octal, 8).ok().map(f64::from)?,
            None => text[..end].parse::<f64>().ok()?,
        };
        (value, &text[end..])
    };
    let suffix = suffix.trim_start();
    let value = if suffix.is_empty() {
        value
    } else {
        let unit = unit?;
        let digits = unit
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(unit.len());
        let multiple = unit[..digits].parse::<f64>().unwrap_or(1.0);
        let units = units(&unit[digits..])?;
        value * factor(units, suffix)? / (multiple * factor(units, &unit[digits..])?)
    };
    Some(if whole {
        value.round_ties_even()
    } else {
        value
    })
}

/// Any beginning of these words that is of one alone.
fn truth(text: &str) -> Option<bool> {
    let text = text.trim().to_ascii_lowercase();
    let begins = |word: &str, least: usize| text.len() >= least && word.starts_with(&text);
    let yes = begins("true", 1) || begins("yes", 1) || text == "on" || text == "1";
    let no = begins("false", 1) || begins("no", 1) || begins("off", 2) || text == "0";
    (yes || no).then_some(yes)
}

/// Whether two texts are one value.
pub(super) fn same(setting: &Setting, one: &str, other: &str) -> bool {
    if one == other {
        return true;
    }
    let numbers = |whole| {
        let number = |text| number(text, setting.unit.as_deref(), whole);
        match (number(one), number(other)) {
            (Some(one), Some(other)) => (one - other).abs() <= 1e-9 * one.abs().max(other.abs()),
            _ => false,
        }
    };
    match setting.kind.as_str() {
        "bool" => matches!((truth(one), truth(other)), (Some(one), Some(other)) if one == other),
        "integer" => numbers(true),
        "real" => numbers(false),
        "enum" => one.eq_ignore_ascii_case(other),
        _ => guc::same(&setting.name, one, other),
    }
}

/// Refuses what the server would; it knows better only of texts and of words that it hides.
pub(super) fn check(setting: &Setting, text: &str) -> Result<(), Refusal> {
    let name = &setting.name;
    let whole = setting.kind == "integer";
    match setting.kind.as_str() {
        "bool" if truth(text).is_none() => Err(Refusal::new(format!(
            "`{name}` is on or off, and `{text}` is neither"
        ))),
        "integer" | "real" => {
            let unit = setting.unit.as_deref();
            let Some(value) = number(text, unit, whole) else {
                let help =
                    match unit.map(|unit| unit.trim_start_matches(|c: char| c.is_ascii_digit())) {
                        None => "it has no unit".to_owned(),
                        Some(plain) => {
                            let names = units(plain)
                                .unwrap_or_default()
                                .iter()
                                .map(|(name, _)| *name);
                            format!(
                                "a number and one of {}",
                                names.collect::<Vec<_>>().join(", ")
                            )
                        }
                    };
                let what = format!("`{name}` is a number, and `{text}` is none");
                return Err(Refusal::new(what).help(help));
            };
            let limit =
                |text: &Option<String>| text.as_deref().and_then(|text| text.parse::<f64>().ok());
            let below = limit(&setting.min).is_some_and(|min| value < min);
            let above = limit(&setting.max).is_some_and(|max| value > max);
            if below || above {
                let or = |text: &Option<String>| text.clone().unwrap_or_default();
                let unit = unit.map(|unit| format!(" (in {unit})")).unwrap_or_default();
                return Err(Refusal::new(format!(
                    "`{name}: {text}` is out of its range: {} to {}{unit}",
                    or(&setting.min),
                    or(&setting.max)
                )));
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(kind: &str, unit: Option<&str>) -> Setting {
        Setting {
            name: "x".to_owned(),
            kind: kind.to_owned(),
            unit: unit.map(ToOwned::to_owned),
            min: Some("-1".to_owned()),
            max: Some("100000".to_owned()),
            ..Setting::default()
        }
    }

    #[test]
    fn numbers_are_compared_in_their_unit() {
        let pages = of("integer", Some("8kB"));
        assert!(same(&pages, "128MB", "16384"));
        assert!(same(&pages, "0.5 GB", "512MB"));
        assert!(!same(&pages, "128MB", "128"));
        let time = of("integer", Some("ms"));
        assert!(same(&time, "5min", "300s"));
        assert!(same(&time, "1e3", "1s"));
        assert!(!same(&time, "5min", "5MB"));
        assert!(same(&of("integer", None), "0x10", "16"));
        assert!(same(&of("integer", None), "010", "8"));
        assert!(same(&of("real", None), "1.10", "1.1"));
        assert!(same(&of("real", Some("ms")), "1500us", "1.5"));
    }

    #[test]
    fn words_are_compared_as_words() {
        for (one, other) in [("on", "TRUE"), ("1", "y"), ("of", "no")] {
            assert!(same(&of("bool", None), one, other), "{one}");
        }
        assert!(!same(&of("bool", None), "o", "on"));
        assert!(same(&of("enum", None), "Replica", "replica"));
        assert!(!same(&of("string", None), "A", "a"));
        let list = Setting {
            name: "search_path".to_owned(),
            ..of("string", None)
        };
        assert!(same(&list, "\"$user\", public", "\"$user\",public"));
    }

    #[test]
    fn what_the_server_would_not_take_is_refused() {
        let why = |kind, unit, text| check(&of(kind, unit), text).unwrap_err();
        assert_eq!(
            why("bool", None, "maybe").message,
            "`x` is on or off, and `maybe` is neither"
        );
        let wrong = why("integer", Some("8kB"), "1 MiB");
        assert_eq!(wrong.help.unwrap(), "a number and one of B, kB, MB, GB, TB");
        let range = why("integer", Some("8kB"), "1TB");
        assert_eq!(
            range.message,
            "`x: 1TB` is out of its range: -1 to 100000 (in 8kB)"
        );
        assert!(check(&of("integer", None), "-1").is_ok());
        assert!(check(&of("string", None), "anything").is_ok());
    }
}
