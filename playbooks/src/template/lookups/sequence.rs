//! `with_sequence`: numbers as texts.

use evenkeel_engine::Value;

use super::Trouble;

const HELP: &str = "as in `start=1 end=5 stride=2 format=host%02d`, `count=5`, or `1-5/2:host%02d`";
/// More than this is a mistake.
const MOST: i64 = 1_000_000;

/// What a term asks for.
#[derive(Debug)]
struct Sequence {
    start: i64,
    end: Option<i64>,
    count: Option<i64>,
    stride: i64,
    format: String,
}

impl Default for Sequence {
    fn default() -> Self {
        Self {
            start: 1,
            end: None,
            count: None,
            stride: 1,
            format: "%d".to_owned(),
        }
    }
}

fn wrong(message: impl Into<String>) -> Trouble {
    Trouble::wrong(message, HELP)
}

/// The numbers that a term asks for.
pub(super) fn of(term: &str) -> Result<Vec<Value>, Trouble> {
    match shortcut(term) {
        Some(sequence) => sequence,
        None => pairs(term)?,
    }
    .values()
}

/// A number as it is written: decimal, or `0x…`.
fn number(text: &str) -> Option<i64> {
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => i64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

/// `[START-]END[/STRIDE][:FORMAT]`.
fn shortcut(term: &str) -> Option<Sequence> {
    let plain = |text: &str| number(text).filter(|_| !text.starts_with(['-', '+']));
    let (numbers, format) = match term.split_once(':') {
        Some((numbers, format)) if !format.is_empty() => (numbers, Some(format)),
        Some(_) => return None,
        None => (term, None),
    };
    let (range, stride) = match numbers.split_once('/') {
        Some((range, stride)) => (range, Some(plain(stride)?)),
        None => (numbers, None),
    };
    let (start, end) = match range.split_once('-') {
        Some((start, end)) => (Some(plain(start)?), plain(end)?),
        None => (None, plain(range)?),
    };
    let default = Sequence::default();
    Some(Sequence {
        start: start.unwrap_or(default.start),
        end: Some(end),
        count: None,
        stride: stride.unwrap_or(default.stride),
        format: format.map_or(default.format, str::to_owned),
    })
}

/// `start=1 end=5 …`.
fn pairs(term: &str) -> Result<Sequence, Trouble> {
    let mut sequence = Sequence::default();
    let words = shlex::split(term).ok_or_else(|| wrong(format!("a quote is open in `{term}`")))?;
    for word in &words {
        let Some((key, value)) = word.split_once('=') else {
            return Err(wrong(format!("`with_sequence` cannot read `{word}`")));
        };
        let whole = || {
            let message = format!("`{key}` of `with_sequence` is a whole number, not `{value}`");
            number(value).ok_or_else(|| wrong(message))
        };
        match key {
            "start" => sequence.start = whole()?,
            "end" => sequence.end = Some(whole()?),
            "count" => sequence.count = Some(whole()?),
            "stride" => sequence.stride = whole()?,
            "format" => value.clone_into(&mut sequence.format),
            other => return Err(wrong(format!("`with_sequence` has no `{other}`"))),
        }
    }
    Ok(sequence)
}

impl Sequence {
    fn values(&self) -> Result<Vec<Value>, Trouble> {
        let end = match (self.end, self.count) {
            (Some(end), None) => end,
            (None, Some(0)) => return Ok(Vec::new()),
            (None, Some(count)) => {
                let length = count.checked_mul(self.stride);
                let end = length.and_then(|length| self.start.checked_add(length)?.checked_sub(1));
                end.ok_or_else(|| wrong("these numbers are too large"))?
            }
            (None, None) => return Err(wrong("`with_sequence` wants an `end` or a `count`")),
            (Some(_), Some(_)) => {
                return Err(wrong(
                    "`with_sequence` wants an `end` or a `count`, not both",
                ));
            }
        };
        if self.stride == 0 {
            return Ok(Vec::new());
        }
        if (end - self.start).signum() * self.stride.signum() < 0 {
            let message = format!(
                "from {} by {} it never comes to {end}",
                self.start, self.stride
            );
            return Err(wrong(message));
        }
        if (end - self.start) / self.stride >= MOST {
            return Err(wrong("these are too many numbers"));
        }
        let mut values = Vec::new();
        let mut at = self.start;
        while (end - at) * self.stride.signum() >= 0 {
            values.push(formatted(&self.format, at)?.into());
            at += self.stride;
        }
        Ok(values)
    }
}

/// A number as `printf` writes it.
fn formatted(format: &str, number: i64) -> Result<String, Trouble> {
    let bad = || wrong(format!("`{format}` is no format for one number"));
    if format.matches('%').count() != 1 {
        return Err(bad());
    }
    let (before, after) = format.split_once('%').ok_or_else(bad)?;
    let digits = after.trim_start_matches(['0', '-', '+', ' ', '#']);
    let flags = &after[..after.len() - digits.len()];
    let rest = digits.trim_start_matches(|c: char| c.is_ascii_digit());
    let width = &digits[..digits.len() - rest.len()];
    let width: usize = match width {
        "" => 0,
        width => width.parse().ok().filter(|w| *w <= 1000).ok_or_else(bad)?,
    };
    let mut letters = rest.chars();
    let kind = letters.next().ok_or_else(bad)?;
    let plain = number.unsigned_abs();
    let (prefix, digits) = match kind {
        'd' | 'i' | 'u' | 's' => ("", plain.to_string()),
        'x' => ("0x", format!("{plain:x}")),
        'X' => ("0X", format!("{plain:X}")),
        'o' => ("0o", format!("{plain:o}")),
        _ => return Err(bad()),
    };
    let prefix = if flags.contains('#') { prefix } else { "" };
    let sign = match (number < 0, flags.contains('+'), flags.contains(' ')) {
        (true, ..) => "-",
        (false, true, _) => "+",
        (false, false, true) => " ",
        _ => "",
    };
    let left = flags.contains('-');
    let room = width.saturating_sub(sign.len() + prefix.len() + digits.len());
    let written = if left {
        format!("{sign}{prefix}{digits}{}", " ".repeat(room))
    } else if flags.contains('0') && kind != 's' {
        format!("{sign}{prefix}{}{digits}", "0".repeat(room))
    } else {
        format!("{}{sign}{prefix}{digits}", " ".repeat(room))
    };
    Ok(format!("{before}{written}{}", letters.as_str()))
}
