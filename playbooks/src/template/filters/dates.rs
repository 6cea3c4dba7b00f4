//! Dates: `to_datetime`, `strftime`, `now`, and what Python's dates can do.
//!
//! `now` is one moment for the whole of a run, so that a template gives the same each time it is evaluated.

use std::{cmp::Ordering, fmt, sync::Arc, sync::LazyLock};

use jiff::{
    SignedDuration, Timestamp, Zoned,
    civil::DateTime,
    fmt::strtime::{self, BrokenDownTime},
    tz::{Offset, TimeZone},
};
use minijinja::{
    Environment, Error, ErrorKind, State,
    value::{DynObject, Kwargs, Object, ObjectRepr, Rest, Value as Jinja, from_args},
};

use super::{given, refuse};
use crate::template::session;

/// Adds or takes away where a date may be: [`crate::template::rewrite`] puts it there.
pub(in crate::template) const FUNCTION: &str = "evenkeel_dated";

/// When the run began.
static NOW: LazyLock<Timestamp> = LazyLock::new(Timestamp::now);

/// When the run began.
pub(in crate::template) fn begun() -> Timestamp {
    *NOW
}

pub(super) fn add(env: &mut Environment<'static>) {
    env.add_filter("to_datetime", to_datetime);
    env.add_filter("strftime", strftime);
    env.add_function("now", now);
    env.add_function(FUNCTION, dated);
}

/// What Python calls the type of a date or a span.
pub(in crate::template) fn kind(value: &Jinja) -> Option<&'static str> {
    let moment = value.downcast_object_ref::<Moment>();
    let moment = moment.map(|moment| if moment.day { "date" } else { "datetime" });
    moment.or_else(|| value.downcast_object_ref::<Span>().map(|_| "timedelta"))
}

/// A date and a time, with the offset of its zone if that is known; or a day alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Moment {
    at: DateTime,
    offset: Option<Offset>,
    day: bool,
}

/// What is between two moments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span(SignedDuration);

impl Moment {
    fn value(at: DateTime, offset: Option<Offset>) -> Jinja {
        Jinja::from_object(Self {
            at,
            offset,
            day: false,
        })
    }

    /// With its zone: that of this machine if it has none.
    fn zoned(self) -> Result<Zoned, Error> {
        let zone = self.offset.map_or_else(TimeZone::system, TimeZone::fixed);
        let zoned = self.at.to_zoned(zone);
        zoned.map_err(|error| refuse(format!("the date is out of range: {error}")))
    }

    fn printed(self, between: char) -> String {
        let date = self.at.date();
        let date = format!("{:04}-{:02}-{:02}", date.year(), date.month(), date.day());
        if self.day {
            return date;
        }
        let time = self.at.time();
        let mut out = format!(
            "{date}{between}{:02}:{:02}:{:02}",
            time.hour(),
            time.minute(),
            time.second()
        );
        let micros = time.subsec_nanosecond() / 1000;
        if micros > 0 {
            out.extend([".", &format!("{micros:06}")]);
        }
        if let Some(offset) = self.offset {
            let seconds = offset.seconds();
            let (sign, seconds) = (if seconds < 0 { '-' } else { '+' }, seconds.abs());
            let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
            return format!("{out}{sign}{hours:02}:{minutes:02}");
        }
        out
    }

    fn shifted(self, by: SignedDuration) -> Result<Jinja, Error> {
        let at = self.at.checked_add(by);
        let at = at.map_err(|_| refuse("the date is out of range"))?;
        Ok(Jinja::from_object(Self { at, ..self }))
    }

    /// `replace(year=…)` and its like.
    fn replaced(self, kwargs: &Kwargs) -> Result<Jinja, Error> {
        let mut with = self.at.with();
        let small = |name| kwargs.get::<Option<i8>>(name);
        if let Some(year) = kwargs.get::<Option<i16>>("year")? {
            with = with.year(year);
        }
        if let Some(month) = small("month")? {
            with = with.month(month);
        }
        if let Some(day) = small("day")? {
            with = with.day(day);
        }
        if let Some(hour) = small("hour")? {
            with = with.hour(hour);
        }
        if let Some(minute) = small("minute")? {
            with = with.minute(minute);
        }
        if let Some(second) = small("second")? {
            with = with.second(second);
        }
        if let Some(micros) = kwargs.get::<Option<i32>>("microsecond")? {
            with = with.subsec_nanosecond(micros.saturating_mul(1000));
        }
        kwargs.assert_all_used()?;
        let at = with.build();
        let at =
            at.map_err(|error| refuse(format!("`replace`: there is no such date: {error}")))?;
        Ok(Jinja::from_object(Self { at, ..self }))
    }
}

impl Object for Moment {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Jinja) -> Option<Jinja> {
        let (date, time) = (self.at.date(), self.at.time());
        let name = key.as_str()?;
        match name {
            "year" => return Some(Jinja::from(date.year())),
            "month" => return Some(Jinja::from(date.month())),
            "day" => return Some(Jinja::from(date.day())),
            _ if self.day => return None,
            _ => {}
        }
        Some(match name {
            "hour" => Jinja::from(time.hour()),
            "minute" => Jinja::from(time.minute()),
            "second" => Jinja::from(time.second()),
            "microsecond" => Jinja::from(time.subsec_nanosecond() / 1000),
            _ => return None,
        })
    }

    fn call_method(
        self: &Arc<Self>,
        _: &mut State<'_, '_>,
        method: &str,
        args: &[Jinja],
    ) -> Result<Jinja, Error> {
        let date = self.at.date();
        let week = date.iso_week_date();
        match method {
            "strftime" => {
                let (format,): (String,) = from_args(args)?;
                return written(&format, &(**self).zoned()?, self.offset.is_some())
                    .map(Jinja::from);
            }
            "isoformat" => {
                let (mark,): (Option<String>,) = from_args(args)?;
                let mark = mark.and_then(|mark| mark.chars().next()).unwrap_or('T');
                return Ok(Jinja::from(self.printed(mark)));
            }
            "replace" => {
                let (kwargs,): (Kwargs,) = from_args(args)?;
                return self.replaced(&kwargs);
            }
            _ => {}
        }
        let (): () = from_args(args)?;
        Ok(match method {
            "weekday" => Jinja::from(date.weekday().to_monday_zero_offset()),
            "isoweekday" => Jinja::from(date.weekday().to_monday_one_offset()),
            "toordinal" => {
                let first = jiff::civil::date(1, 1, 1);
                let days = date.duration_since(first).as_hours() / 24 + 1;
                Jinja::from(days)
            }
            "isocalendar" => Jinja::from(vec![
                Jinja::from(week.year()),
                Jinja::from(week.week()),
                Jinja::from(week.weekday().to_monday_one_offset()),
            ]),
            "date" if !self.day => Jinja::from_object(Self {
                at: date.to_datetime(jiff::civil::Time::midnight()),
                offset: None,
                day: true,
            }),
            "timestamp" if !self.day => {
                let since = (**self).zoned()?.timestamp().as_duration();
                Jinja::from(since.as_secs_f64())
            }
            _ => return Err(Error::from(ErrorKind::UnknownMethod)),
        })
    }

    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<Ordering> {
        let other = other.downcast_ref::<Self>()?;
        Some(match (self.offset, other.offset) {
            (Some(_), Some(_)) => {
                let instants = ((**self).zoned().ok()?, other.zoned().ok()?);
                instants.0.timestamp().cmp(&instants.1.timestamp())
            }
            _ => self.at.cmp(&other.at),
        })
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.printed(' '))
    }
}

impl Span {
    /// Whole days, the seconds after them, and the millionths of a second after those.
    fn parts(self) -> (i64, i64, i64) {
        let micros = self.0.as_micros();
        let day = 86_400_000_000;
        let (days, rest) = (micros.div_euclid(day), micros.rem_euclid(day));
        let whole = |number: i128| i64::try_from(number).unwrap_or(i64::MAX);
        (
            whole(days),
            whole(rest / 1_000_000),
            whole(rest % 1_000_000),
        )
    }
}

impl Object for Span {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Jinja) -> Option<Jinja> {
        let (days, seconds, micros) = self.parts();
        Some(Jinja::from(match key.as_str()? {
            "days" => days,
            "seconds" => seconds,
            "microseconds" => micros,
            _ => return None,
        }))
    }

    fn call_method(
        self: &Arc<Self>,
        _: &mut State<'_, '_>,
        method: &str,
        args: &[Jinja],
    ) -> Result<Jinja, Error> {
        let (): () = from_args(args)?;
        match method {
            "total_seconds" => Ok(Jinja::from(self.0.as_secs_f64())),
            _ => Err(Error::from(ErrorKind::UnknownMethod)),
        }
    }

    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<Ordering> {
        Some(self.0.cmp(&other.downcast_ref::<Self>()?.0))
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, seconds, micros) = self.parts();
        if days != 0 {
            write!(f, "{days} day{}, ", if days.abs() == 1 { "" } else { "s" })?;
        }
        let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
        write!(f, "{hours}:{minutes:02}:{:02}", seconds % 60)?;
        if micros > 0 {
            write!(f, ".{micros:06}")?;
        }
        Ok(())
    }
}

/// A moment by a format. Where it has no zone, `%Z` and `%z` give nothing.
fn written(format: &str, at: &Zoned, zoned: bool) -> Result<String, Error> {
    let mut out = String::new();
    let mut letters = format.chars();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            out.push(letter);
            continue;
        }
        let mut directive = String::from("%");
        for next in letters.by_ref() {
            directive.push(next);
            if !matches!(next, '-' | '_' | '0' | '^' | '#' | 'E' | 'O') {
                break;
            }
        }
        let directive = directive.replace(['E', 'O'], "");
        match directive.as_str() {
            "%" => out.push('%'),
            "%c" => out.push_str(&written("%a %b %e %H:%M:%S %Y", at, zoned)?),
            "%x" => out.push_str(&written("%m/%d/%y", at, zoned)?),
            "%X" => out.push_str(&written("%H:%M:%S", at, zoned)?),
            "%f" => {
                let micros = format!("{:06}", at.subsec_nanosecond() / 1000);
                out.push_str(&micros);
            }
            "%Z" | "%z" if !zoned => {}
            "%Z" if at.offset() == Offset::UTC => out.push_str("UTC"),
            known => {
                let made = strtime::format(known, at)
                    .map_err(|error| refuse(format!("`{known}` is no part of a date: {error}")))?;
                out.push_str(&made);
            }
        }
    }
    Ok(out)
}

/// `text | to_datetime(format)`.
fn to_datetime(text: String, args: Rest<Jinja>, kwargs: Kwargs) -> Result<Jinja, Error> {
    session::derived();
    let [format] = given("to_datetime", &args, &kwargs, ["format"])?;
    let format = format.map_or_else(
        || "%Y-%m-%d %H:%M:%S".to_owned(),
        |format| format.to_string(),
    );
    let (mut text, mut wanted) = (text, format.clone());
    // The zones that every machine knows.
    if wanted.contains("%Z") {
        let zone = ["UTC", "GMT"].into_iter().find(|zone| text.contains(zone));
        if let Some(zone) = zone {
            text = text.replacen(zone, "", 1);
            wanted = wanted.replacen("%Z", "", 1);
        }
    }
    let wrong = |error: jiff::Error| {
        refuse(format!(
            "`to_datetime`: `{text}` is not as `{format}` says: {error}"
        ))
    };
    let wanted = wanted.replace("%f", "%N").replace(".%N", "%.f");
    let found = BrokenDownTime::parse(wanted.trim(), text.trim()).map_err(wrong)?;
    let date = jiff::civil::Date::new(
        found.year().unwrap_or(1900),
        found.month().unwrap_or(1),
        found.day().unwrap_or(1),
    );
    let date = found.to_date().or(date).map_err(wrong)?;
    let time = found.to_time().unwrap_or(jiff::civil::Time::midnight());
    Ok(Moment::value(date.to_datetime(time), found.offset()))
}

/// `format | strftime(seconds, utc)`; without seconds, when the run began.
fn strftime(format: String, args: Rest<Jinja>, kwargs: Kwargs) -> Result<String, Error> {
    let [second, utc] = given("strftime", &args, &kwargs, ["second", "utc"])?;
    let at = match second {
        None => *NOW,
        Some(second) => {
            let number = match second.as_str() {
                Some(text) => text.trim().parse::<f64>().ok(),
                None => f64::try_from(second.clone()).ok(),
            };
            let whole = number.filter(|number| number.is_finite()).map(f64::trunc);
            #[expect(
                clippy::cast_possible_truncation,
                reason = "a moment that is too far away is told below; a float saturates"
            )]
            let at = whole.map(|whole| Timestamp::from_second(whole as i64));
            match at {
                Some(Ok(at)) => at,
                Some(Err(_)) => {
                    return Err(refuse(format!(
                        "`strftime`: {second} seconds are too far away"
                    )));
                }
                None => {
                    return Err(refuse(format!(
                        "`strftime`: `{second}` is no number of seconds"
                    )));
                }
            }
        }
    };
    let utc = utc.is_some_and(|utc| utc.is_true());
    if utc {
        let zoned = at.to_zoned(TimeZone::UTC);
        // C calls it so.
        return written(&format.replace("%Z", "GMT"), &zoned, true);
    }
    written(&format, &at.to_zoned(TimeZone::system()), true)
}

/// `now(utc, fmt)`: when the run began.
fn now(args: Rest<Jinja>, kwargs: Kwargs) -> Result<Jinja, Error> {
    let [utc, format] = given("now", &args, &kwargs, ["utc", "fmt"])?;
    let utc = utc.is_some_and(|utc| utc.is_true());
    let zone = if utc {
        TimeZone::UTC
    } else {
        TimeZone::system()
    };
    let zoned = NOW.to_zoned(zone);
    match format {
        Some(format) => written(&format.to_string(), &zoned, false).map(Jinja::from),
        None => Ok(Moment::value(zoned.datetime(), None)),
    }
}

/// `a - b` and `a + b`, of dates too.
fn dated(
    state: &mut State<'_, '_>,
    left: Jinja,
    right: Jinja,
    sign: String,
) -> Result<Jinja, Error> {
    let moment = |value: &Jinja| value.downcast_object_ref::<Moment>().copied();
    let span = |value: &Jinja| value.downcast_object_ref::<Span>().copied();
    let minus = sign == "-";
    match (moment(&left), moment(&right), span(&left), span(&right)) {
        (Some(a), Some(b), ..) if minus && a.offset.is_some() == b.offset.is_some() => {
            let between = match a.offset {
                Some(_) => {
                    let (a, b) = (a.zoned()?.timestamp(), b.zoned()?.timestamp());
                    a.duration_since(b)
                }
                None => a.at.duration_since(b.at),
            };
            Ok(Jinja::from_object(Span(between)))
        }
        (Some(_), Some(_), ..) if minus => Err(refuse(
            "one of the dates has a zone, and the other has none: they cannot be compared",
        )),
        (Some(a), None, _, Some(by)) => a.shifted(if minus { -by.0 } else { by.0 }),
        (None, Some(b), Some(by), _) if !minus => b.shifted(by.0),
        (None, None, Some(a), Some(b)) => {
            let sum = if minus {
                a.0.checked_sub(b.0)
            } else {
                a.0.checked_add(b.0)
            };
            let sum = sum.ok_or_else(|| refuse("the span is out of range"))?;
            Ok(Jinja::from_object(Span(sum)))
        }
        (None, None, None, None) => {
            let expression = if minus { "a - b" } else { "a + b" };
            let compiled = state.env().compile_expression(expression)?;
            let both = minijinja::context! { a => left, b => right };
            compiled.eval(both)
        }
        _ => Err(refuse(format!(
            "`{sign}` has no meaning between a date and something else: `to_datetime` makes dates"
        ))),
    }
}
