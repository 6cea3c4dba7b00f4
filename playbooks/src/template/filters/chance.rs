//! Filters that leave something to chance. With a seed they give what Python gives for it.

use minijinja::{
    Environment, Error,
    value::{Kwargs, Rest, Value as Jinja, ValueKind},
};

use super::{data::items, data::named, given, refuse};
use crate::template::{
    random::{Random, Seed},
    session,
};

pub(super) fn add(env: &mut Environment<'static>) {
    env.add_filter("random", random);
    env.add_filter("shuffle", shuffle);
}

/// Where the numbers come from: a seed, or the system.
pub(in crate::template) fn source(filter: &str, seed: Option<&Jinja>) -> Result<Random, Error> {
    let Some(seed) = seed else {
        return Ok(Random::System);
    };
    if let Some(text) = seed.as_str() {
        return Ok(Random::seeded(&Seed::Text(text)));
    }
    match i128::try_from(seed.clone()) {
        Ok(number) if seed.is_integer() => Ok(Random::seeded(&Seed::Number(number))),
        _ => Err(refuse(format!(
            "`{filter}`: a seed is a text or a whole number, not {}",
            named(seed.kind())
        ))),
    }
}

fn whole(name: &str, value: Option<&Jinja>, default: i64) -> Result<i64, Error> {
    let Some(value) = value.filter(|value| value.is_true()) else {
        return Ok(default);
    };
    match i64::try_from(value.clone()) {
        Ok(number) if value.is_integer() => Ok(number),
        _ => Err(refuse(format!(
            "`random`: `{name}` is a whole number, not {}",
            named(value.kind())
        ))),
    }
}

/// A number below another one, an item of a list, or a letter of a text.
fn random(value: &Jinja, args: Rest<Jinja>, kwargs: Kwargs) -> Result<Jinja, Error> {
    let [start, step, seed] = given("random", &args, &kwargs, ["start", "step", "seed"])?;
    let mut random = source("random", seed.as_ref())?;
    if value.kind() == ValueKind::Number {
        let Some(end) = i64::try_from(value.clone())
            .ok()
            .filter(|_| value.is_integer())
        else {
            return Err(refuse(format!(
                "`random` wants a whole number, found {value}: `int` before it makes one"
            )));
        };
        let (start, step) = (
            whole("start", start.as_ref(), 0)?,
            whole("step", step.as_ref(), 1)?,
        );
        let found = random.range(start, end, step)?;
        return found.map(Jinja::from).ok_or_else(|| {
            refuse(format!(
                "`random`: there is no number from {start} to below {end} in steps of {step}"
            ))
        });
    }
    if start.is_some_and(|it| it.is_true()) || step.is_some_and(|it| it.is_true()) {
        return Err(refuse(
            "`random`: `start` and `step` are for numbers: `int` before it makes one of a text",
        ));
    }
    let mut all = match value.as_str() {
        Some(text) => {
            session::derived();
            text.chars().map(Jinja::from).collect()
        }
        None => items("random", value)?,
    };
    if all.is_empty() {
        return Err(refuse("`random`: there is nothing to take one of"));
    }
    let index = random.index(all.len())?;
    Ok(all.swap_remove(index))
}

/// The items in another order.
fn shuffle(list: &Jinja, args: Rest<Jinja>, kwargs: Kwargs) -> Result<Jinja, Error> {
    let [seed] = given("shuffle", &args, &kwargs, ["seed"])?;
    let mut list = items("shuffle", list)?;
    source("shuffle", seed.as_ref())?.shuffle(&mut list)?;
    Ok(list.into())
}
