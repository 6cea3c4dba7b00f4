//! The lines of a crontab.

/// What a job is found by: a line above it.
const MARK: &str = "#Ansible: ";

/// What is wanted of a crontab.
#[derive(Clone, Debug)]
pub(super) enum Wish {
    /// A job with its line; nothing if it is to be gone.
    Job { name: String, line: Option<Vec<u8>> },
    /// A variable with its line, and where a new one goes.
    Variable {
        name: String,
        line: Option<Vec<u8>>,
        place: Place,
    },
}

/// Where a new variable goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Begin,
    After(String),
    Before(String),
}

/// There is no such variable to put another beside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NoPlace(pub(super) String);

/// A new text, and the line before and after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Edited {
    pub(super) text: Vec<u8>,
    pub(super) before: Option<Vec<u8>>,
    pub(super) after: Option<Vec<u8>>,
}

/// The line that marks a job.
fn mark(name: &str) -> Vec<u8> {
    format!("{MARK}{name}").into_bytes()
}

fn sets(line: &[u8], name: &str) -> bool {
    let rest = line.trim_ascii_start().strip_prefix(name.as_bytes());
    rest.is_some_and(|rest| rest.trim_ascii_start().starts_with(b"="))
}

impl Wish {
    pub(super) fn edit(&self, text: &[u8]) -> Result<Edited, NoPlace> {
        let body = text.strip_suffix(b"\n").unwrap_or(text);
        let mut lines: Vec<Vec<u8>> = if text.is_empty() {
            Vec::new()
        } else {
            body.split(|byte| *byte == b'\n')
                .map(<[u8]>::to_vec)
                .collect()
        };
        let old = lines.clone();
        let before = match self {
            Self::Job { name, line } => job(&mut lines, name, line.as_ref()),
            Self::Variable { name, line, place } => {
                variable(&mut lines, name, line.as_ref(), place)?
            }
        };
        let (Self::Job { line, .. } | Self::Variable { line, .. }) = self;
        let text = if lines == old {
            text.to_vec()
        } else {
            lines
                .iter()
                .flat_map(|line| [line.as_slice(), b"\n"].concat())
                .collect()
        };
        Ok(Edited {
            text,
            before,
            after: line.clone(),
        })
    }
}

/// Does it to the lines, and gives the line that was there.
fn job(lines: &mut Vec<Vec<u8>>, name: &str, wanted: Option<&Vec<u8>>) -> Option<Vec<u8>> {
    let mark = mark(name);
    let is_job = |line: &Vec<u8>| !line.starts_with(MARK.as_bytes());
    if let Some(at) = lines.iter().position(|line| *line == mark) {
        let there = lines.get(at + 1).filter(|line| is_job(line)).cloned();
        let end = at + 1 + usize::from(there.is_some());
        let new = wanted.map(|line| [mark.clone(), line.clone()]);
        lines.splice(at..end, new.into_iter().flatten());
        // A second job of the name would be one that nobody can reach.
        let mut at = at + if wanted.is_some() { 2 } else { 0 };
        while let Some(next) = lines[at.min(lines.len())..]
            .iter()
            .position(|line| *line == mark)
        {
            at += next;
            let end = at + 1 + usize::from(lines.get(at + 1).is_some_and(is_job));
            lines.drain(at..end);
        }
        return there;
    }
    let wanted = wanted?;
    // One that was written by hand gets its mark.
    let by_hand = lines.iter().enumerate().position(|(at, line)| {
        line == wanted && at.checked_sub(1).is_none_or(|above| is_job(&lines[above]))
    });
    if let Some(at) = by_hand {
        lines.insert(at, mark);
        return Some(wanted.clone());
    }
    lines.extend([mark, wanted.clone()]);
    None
}

fn variable(
    lines: &mut Vec<Vec<u8>>,
    name: &str,
    wanted: Option<&Vec<u8>>,
    place: &Place,
) -> Result<Option<Vec<u8>>, NoPlace> {
    let find = |lines: &[Vec<u8>], name: &str| lines.iter().position(|line| sets(line, name));
    let Some(at) = find(lines, name) else {
        if let Some(wanted) = wanted {
            let beside = |other: &String| find(lines, other).ok_or_else(|| NoPlace(other.clone()));
            let at = match place {
                Place::Begin => 0,
                Place::After(other) => beside(other)? + 1,
                Place::Before(other) => beside(other)?,
            };
            lines.insert(at, wanted.clone());
        }
        return Ok(None);
    };
    let there = lines[at].clone();
    match wanted {
        Some(wanted) => lines[at].clone_from(wanted),
        None => lines.retain(|line| !sets(line, name)),
    }
    Ok(Some(there))
}

/// The times of a job.
pub(super) const FIELDS: [(&str, u32, u32, &[&str]); 5] = [
    ("minute", 0, 59, &[]),
    ("hour", 0, 23, &[]),
    ("day", 1, 31, &[]),
    (
        "month",
        1,
        12,
        &[
            "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
        ],
    ),
    (
        "weekday",
        0,
        7,
        &["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
    ),
];

/// Whether cron understands a field: one that it does not makes it pass over a whole file.
pub(super) fn is_field(text: &str, (_, least, most, names): (&str, u32, u32, &[&str])) -> bool {
    let number = |text: &str| {
        let named = names
            .iter()
            .position(|name| name.eq_ignore_ascii_case(text));
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = named.map_or_else(
            || text.parse().ok().filter(|_| digits),
            |at| u32::try_from(at).ok().map(|at| at + least),
        );
        number.filter(|number| (least..=most).contains(number))
    };
    let range = |text: &str| match text.split_once(['-', '~']) {
        Some((from, to)) => number(from)
            .zip(number(to))
            .is_some_and(|(from, to)| from <= to),
        None => text == "*" || number(text).is_some(),
    };
    text.split(',').all(|part| match part.split_once('/') {
        Some((front, step)) => {
            let digits = !step.is_empty() && step.bytes().all(|byte| byte.is_ascii_digit());
            range(front) && digits && step.parse::<u32>().is_ok_and(|step| step > 0)
        }
        None => range(part),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn fields() {
        for text in ["*", "*/5", "0", "1,2,50-59/3", "59"] {
            assert!(is_field(text, FIELDS[0]), "{text}");
        }
        for text in [
            "", "60", "-1", "*/0", "a", "1-", "5-1", "1 2", "*\n", "1,,2", "+1",
        ] {
            assert!(!is_field(text, FIELDS[0]), "{text}");
        }
        assert!(is_field("jan-MAR", FIELDS[3]) && is_field("7,mon", FIELDS[4]));
        assert!(!is_field("0", FIELDS[2]) && !is_field("mon", FIELDS[3]));
    }

    proptest! {
        #[test]
        fn a_job_comes_goes_and_leaves_the_rest(
            text in "((#Ansible: [ab]\n)?([*] x|A=1|# c|)\n){0,5}", name in "[ab]", line in "[*] [xy]",
        ) {
            let name_ = name.clone();
            let wish = |line: Option<&str>| Wish::Job {
                name: name_.clone(),
                line: line.map(|line| line.as_bytes().to_vec()),
            };
            let with = wish(Some(&line)).edit(text.as_bytes()).unwrap().text;
            prop_assert_eq!(&wish(Some(&line)).edit(&with).unwrap().text, &with);
            let marked = format!("#Ansible: {name}\n{line}\n");
            let shown = String::from_utf8(with.clone()).unwrap();
            prop_assert_eq!(shown.matches(&marked).count(), 1, "{}", shown);
            let gone = wish(None).edit(&with).unwrap().text;
            let mark = format!("#Ansible: {name}\n");
            prop_assert!(!String::from_utf8(gone.clone()).unwrap().contains(&mark));
            prop_assert_eq!(&wish(None).edit(&gone).unwrap().text, &gone);
        }
    }
}
