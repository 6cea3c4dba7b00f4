//! The conditions of `Match`.

use super::words;
use crate::pattern;

/// Conditions that must all hold.
pub(super) type Criteria = Vec<Criterion>;

#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Criterion {
    negated: bool,
    what: What,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum What {
    All,
    /// Whether the files are read for the second time; `final` asks for it, `canonical` does not.
    Second {
        asks: bool,
    },
    Host(String),
    OriginalHost(String),
    User(String),
    LocalUser(String),
    /// One that only ssh can judge.
    Foreign(String),
}

/// What conditions are held against.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts<'a> {
    /// The host to connect to, as far as is known.
    pub(super) host: &'a str,
    /// As it was named.
    pub(super) original: &'a str,
    /// The user to log in as, as far as is known.
    pub(super) user: &'a str,
    /// Who runs us.
    pub(super) local_user: &'a str,
    /// Whether the files are read for the second time.
    pub(super) second: bool,
}

/// What came of conditions.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Answer {
    Holds,
    Fails,
    /// Everything holds that can be judged here; this cannot.
    Cannot(String),
}

/// Reads what follows `Match`.
pub(super) fn criteria(rest: &str) -> Result<Criteria, String> {
    let words = words::split(rest).ok_or("a quote is not closed")?;
    let mut words = words.into_iter();
    let mut criteria = Criteria::new();
    while let Some(word) = words.next() {
        let (negated, name) = match word.strip_prefix('!') {
            Some(name) => (true, name),
            None => (false, word.as_str()),
        };
        let (name, value) = match name.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (name, None),
        };
        let name = name.to_ascii_lowercase();
        let mut value = || {
            let value = value.clone().or_else(|| words.next());
            value
                .filter(|value| !value.is_empty())
                .ok_or_else(|| format!("`match {name}` needs a value"))
        };
        let what = match name.as_str() {
            "all" => What::All,
            "canonical" => What::Second { asks: false },
            "final" => What::Second { asks: true },
            "host" => What::Host(value()?.to_ascii_lowercase()),
            "originalhost" => What::OriginalHost(value()?.to_ascii_lowercase()),
            "user" => What::User(value()?),
            "localuser" => What::LocalUser(value()?),
            "exec" | "localnetwork" | "tagged" | "command" | "version" | "sessiontype" => {
                value()?;
                What::Foreign(name)
            }
            _ => return Err(format!("`{name}` is no condition of `match`")),
        };
        criteria.push(Criterion { negated, what });
    }
    let all = |criterion: &Criterion| criterion.what == What::All;
    let beside_all =
        |criterion: &Criterion| !matches!(criterion.what, What::All | What::Second { .. });
    if criteria.is_empty() {
        return Err("`match` needs a condition".into());
    }
    if criteria.iter().any(all) && (criteria.iter().any(beside_all) || criteria.len() > 2) {
        return Err("`match all` cannot be joined with other conditions".into());
    }
    Ok(criteria)
}

/// Whether one of the conditions asks for a second reading.
pub(super) fn ask_again(criteria: &[Criterion]) -> bool {
    let asks = |criterion: &Criterion| matches!(criterion.what, What::Second { asks: true });
    criteria.iter().any(asks)
}

/// Whether all conditions hold.
pub(super) fn judge(criteria: &[Criterion], facts: &Facts<'_>) -> Answer {
    let mut cannot = None;
    for criterion in criteria {
        let lower = |text: &str| text.to_ascii_lowercase();
        let listed = |patterns: &str, text: &str| pattern::list_matches(patterns.split(','), text);
        let holds = match &criterion.what {
            What::All => true,
            What::Second { .. } => facts.second,
            What::Host(patterns) => listed(patterns, &lower(facts.host)),
            What::OriginalHost(patterns) => listed(patterns, &lower(facts.original)),
            What::User(patterns) => listed(patterns, facts.user),
            What::LocalUser(patterns) => listed(patterns, facts.local_user),
            What::Foreign(name) => {
                cannot = Some(name.clone());
                continue;
            }
        };
        if holds == criterion.negated {
            return Answer::Fails;
        }
    }
    cannot.map_or(Answer::Holds, Answer::Cannot)
}
