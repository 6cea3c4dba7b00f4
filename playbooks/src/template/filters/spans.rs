//! Spans of time: `to_seconds` and its like.

use minijinja::{
    Environment, Error,
    value::{Kwargs, Value as Jinja},
};

use super::refuse;

pub(super) fn add(env: &mut Environment<'static>) {
    for (name, unit) in [
        ("to_milliseconds", "ms"),
        ("to_seconds", "s"),
        ("to_minutes", "min"),
        ("to_hours", "h"),
        ("to_days", "d"),
        ("to_weeks", "w"),
        ("to_months", "mo"),
        ("to_years", "y"),
    ] {
        env.add_filter(name, move |text: &Jinja, kwargs: Kwargs| {
            converted(name, &text.to_string(), unit, &kwargs)
        });
    }
    env.add_filter(
        "to_time_unit",
        |text: &Jinja, unit: Option<String>, kwargs: Kwargs| {
            let unit =
                unit.map_or_else(|| kwargs.get::<Option<String>>("unit"), |it| Ok(Some(it)))?;
            converted(
                "to_time_unit",
                &text.to_string(),
                unit.as_deref().unwrap_or("ms"),
                &kwargs,
            )
        },
    );
}

/// Names of a unit, and how many milliseconds it has; of months and years, how many days.
const UNITS: [(&[&str], f64); 8] = [
    (
        &[
            "ms",
            "msec",
            "msecs",
            "msecond",
            "mseconds",
            "millisecond",
            "milliseconds",
        ],
        1.0,
    ),
    (&["s", "sec", "secs", "second", "seconds"], 1e3),
    (&["m", "min", "mins", "minute", "minutes"], 6e4),
    (&["h", "hour", "hours"], 3.6e6),
    (&["d", "day", "days"], 8.64e7),
    (&["w", "week", "weeks"], 6.048e8),
    (&["mo", "month", "months"], MONTH),
    (&["y", "year", "years"], YEAR),
];

const DAY: f64 = 8.64e7;
const MONTH: f64 = 30.0 * DAY;
const YEAR: f64 = 365.0 * DAY;

fn millis(name: &str, month: f64, year: f64) -> Option<f64> {
    let found = UNITS.iter().position(|(names, _)| names.contains(&name))?;
    Some(match found {
        6 => month * DAY,
        7 => year * DAY,
        other => UNITS[other].1,
    })
}

fn converted(filter: &str, text: &str, unit: &str, kwargs: &Kwargs) -> Result<f64, Error> {
    let days = |name| kwargs.get::<Option<f64>>(name);
    let (month, year) = (
        days("month")?.unwrap_or(30.0),
        days("year")?.unwrap_or(365.0),
    );
    kwargs.assert_all_used()?;
    let wrong = |part: &str| {
        refuse(format!(
            "`{filter}`: `{part}` is no span of time, as `1h 30min` is"
        ))
    };
    let into = millis(&unit.to_lowercase(), month, year)
        .ok_or_else(|| refuse(format!("`{filter}`: there is no unit `{unit}`")))?;
    let mut sum = 0.0;
    for part in text.split_whitespace() {
        let digits = part.trim_start_matches('-');
        let letters = digits.find(|c: char| !c.is_ascii_digit() && c != '.' && c != '/');
        let (number, name) =
            part.split_at(part.len() - digits.len() + letters.ok_or_else(|| wrong(part))?);
        let number: f64 = number.parse().map_err(|_| wrong(part))?;
        let each = millis(&name.to_lowercase(), month, year).ok_or_else(|| wrong(part))?;
        sum += number * each;
    }
    // As there: twelve digits after the point.
    let found = sum / into;
    Ok((found * 1e12).round() / 1e12)
}
