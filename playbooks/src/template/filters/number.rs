//! Filters of numbers.

use minijinja::{
    Environment, Error, State,
    filters::{float as jinja_float, int as jinja_int},
    value::{Kwargs, Value as Jinja},
};

use super::refuse;

pub(super) fn add(env: &mut Environment<'static>) {
    env.add_filter("int", int);
    env.add_filter("float", float);
    env.add_filter("log", |number: f64, base: Option<f64>| {
        finite(
            "log",
            base.map_or_else(|| number.ln(), |base| log(number, base)),
        )
    });
    env.add_filter("pow", |number: f64, power: f64| {
        finite("pow", number.powf(power))
    });
    env.add_filter("root", |number: f64, base: Option<f64>| {
        let base = base.unwrap_or(2.0);
        finite("root", number.powf(base.recip()))
    });
}

fn log(number: f64, base: f64) -> f64 {
    // Exact where `f64::log` is not: `100 | log(10)` is 2.
    if (base - 10.0).abs() < f64::EPSILON {
        number.log10()
    } else {
        number.log(base)
    }
}

fn finite(name: &str, number: f64) -> Result<f64, Error> {
    if number.is_finite() {
        Ok(number)
    } else {
        Err(refuse(format!("`{name}`: there is no such number")))
    }
}

/// What is no number is 0, or the default.
fn int(
    state: &State<'_, '_>,
    value: &Jinja,
    default: Option<Jinja>,
    base: Option<u32>,
    kwargs: Kwargs,
) -> Result<Jinja, Error> {
    let default = or_zero(default, &kwargs, Jinja::from(0))?;
    let trimmed = value.as_str().map(|text| Jinja::from(plain(text)));
    jinja_int(
        state,
        trimmed.as_ref().unwrap_or(value),
        Some(default),
        base,
        kwargs,
    )
}

/// Without white space around it, and without `_` between digits.
fn plain(text: &str) -> String {
    let text = text.trim();
    let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    let apart = text.split('_').collect::<Vec<_>>();
    let between = apart
        .windows(2)
        .all(|pair| digit(pair[0].chars().last()) && digit(pair[1].chars().next()));
    if between {
        apart.concat()
    } else {
        text.to_owned()
    }
}

/// What is no number is 0.0, or the default.
fn float(
    state: &State<'_, '_>,
    value: &Jinja,
    default: Option<Jinja>,
    kwargs: Kwargs,
) -> Result<Jinja, Error> {
    let default = or_zero(default, &kwargs, Jinja::from(0.0))?;
    let trimmed = value.as_str().map(|text| Jinja::from(text.trim()));
    jinja_float(
        state,
        trimmed.as_ref().unwrap_or(value),
        Some(default),
        kwargs,
    )
}

fn or_zero(default: Option<Jinja>, kwargs: &Kwargs, zero: Jinja) -> Result<Jinja, Error> {
    match default {
        Some(default) => Ok(default),
        None => Ok(kwargs.get::<Option<Jinja>>("default")?.unwrap_or(zero)),
    }
}
