//! `date_time`.

use evenkeel_engine::{Map, Value};

use super::section::{Raw, Section, map, trimmed};

/// Year, month and day of a day since 1970-01-01.
fn civil(days: i64) -> (i64, i64, i64) {
    // Years begin in March here, so that the leap day is the last.
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

/// A moment as `2026-01-31T10:20:30`, in UTC.
fn utc(epoch: i64) -> String {
    let (year, month, day) = civil(epoch.div_euclid(86_400));
    let second = epoch.rem_euclid(86_400);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
}

pub(super) fn date_time(raw: &Raw) -> Map {
    let Some(text) = trimmed(raw.of(Section::DateTime), "date") else {
        return Map::new();
    };
    let parts: Vec<&str> = text.split('|').collect();
    let [
        year,
        month,
        weekday,
        weekday_number,
        weeknumber,
        day,
        hour,
        minute,
        second,
        epoch,
        nano,
        tz,
        offset,
    ] = parts[..]
    else {
        return Map::new();
    };
    let utc = utc(epoch.parse().unwrap_or_default());
    // Not every `date` knows parts of seconds.
    let digits = nano.len() == 9 && nano.bytes().all(|byte| byte.is_ascii_digit());
    let micro = if digits { &nano[..6] } else { "000000" };
    let short = format!("{year}{month}{day}T{hour}{minute}{second}");
    let all = map([
        ("year", year.into()),
        ("month", month.into()),
        ("weekday", weekday.into()),
        ("weekday_number", weekday_number.into()),
        ("weeknumber", weeknumber.into()),
        ("day", day.into()),
        ("hour", hour.into()),
        ("minute", minute.into()),
        ("second", second.into()),
        ("epoch", epoch.into()),
        ("epoch_int", epoch.into()),
        ("date", format!("{year}-{month}-{day}").into()),
        ("time", format!("{hour}:{minute}:{second}").into()),
        ("iso8601_micro", format!("{utc}.{micro}Z").into()),
        ("iso8601", format!("{utc}Z").into()),
        ("iso8601_basic", format!("{short}{micro}").into()),
        ("iso8601_basic_short", short.into()),
        ("tz", tz.into()),
        ("tz_dst", tz.into()),
        ("tz_offset", offset.into()),
    ]);
    map([("date_time", Value::Map(all))])
}

#[cfg(test)]
mod tests {
    use super::utc;

    #[test]
    fn days_of_the_calendar() {
        assert_eq!(utc(0), "1970-01-01T00:00:00");
        assert_eq!(utc(951_782_399), "2000-02-28T23:59:59");
        assert_eq!(utc(951_782_400), "2000-02-29T00:00:00");
        assert_eq!(utc(1_795_838_246), "2026-11-28T03:57:26");
        assert_eq!(utc(4_107_542_400), "2100-03-01T00:00:00");
    }
}
