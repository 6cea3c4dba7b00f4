//! Patterns of hosts: `web:db`, `all,!old`, `web:&eu`, `*.example.com`, `~web\d+`, `web[0:2]`.

use std::collections::BTreeSet;

use regex::Regex;

use super::Inventory;
use crate::words::did_you_mean;

/// What a pattern selects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// The hosts, in the order of the pattern, then of the inventory.
    pub hosts: Vec<String>,
    /// Parts that match nothing, in words.
    pub warnings: Vec<String>,
}

/// The hosts that a pattern selects; the error says what is wrong with the pattern. `localhost` is
/// there even if no inventory says so.
pub fn select(inventory: &Inventory, pattern: &str) -> Result<Selection, String> {
    select_all(inventory, &split(pattern))
}

/// The hosts that `--limit` leaves: a pattern, whose parts may be `@FILE` with a part on each line.
pub fn limit(inventory: &Inventory, limit: &str) -> Result<Selection, String> {
    let mut parts = Vec::new();
    for part in split(limit) {
        let Some(path) = part.strip_prefix('@') else {
            parts.push(part);
            continue;
        };
        let text = std::fs::read_to_string(path)
            .map_err(|error| format!("cannot read `{path}`: {error}"))?;
        let lines = text.lines().map(str::trim);
        let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
        parts.extend(lines.map(str::to_owned));
    }
    select_all(inventory, &parts)
}

fn select_all(inventory: &Inventory, parts: &[String]) -> Result<Selection, String> {
    let kind = |part: &&String| match part.as_bytes().first() {
        Some(b'!') => 2,
        Some(b'&') => 1,
        _ => 0,
    };
    let mut sorted: Vec<&String> = parts.iter().collect();
    sorted.sort_by_key(kind);
    let mut selection = Selection::default();
    if sorted.first().is_some_and(|part| kind(part) > 0) {
        selection.hosts = names(inventory.hosts_in("all"));
    }
    for part in sorted {
        let (kind, bare) = match kind(&part) {
            0 => (0, part.as_str()),
            kind => (kind, &part[1..]),
        };
        let found = if kind == 0 && inventory.hosts.contains_key(bare) {
            vec![bare.to_owned()]
        } else {
            matches(inventory, bare)?
        };
        if found.is_empty() && !inventory.has_group(bare) {
            selection.warnings.push(nothing(inventory, bare));
        }
        match kind {
            0 => {
                let mut known: BTreeSet<String> = selection.hosts.iter().cloned().collect();
                let new = found.into_iter().filter(|host| known.insert(host.clone()));
                selection.hosts.extend(new);
            }
            1 => {
                let found: BTreeSet<String> = found.into_iter().collect();
                selection.hosts.retain(|host| found.contains(host));
            }
            _ => {
                let found: BTreeSet<String> = found.into_iter().collect();
                selection.hosts.retain(|host| !found.contains(host));
            }
        }
    }
    Ok(selection)
}

fn nothing(inventory: &Inventory, part: &str) -> String {
    let known = inventory
        .hosts
        .keys()
        .chain(inventory.groups.keys())
        .map(String::as_str);
    let what = format!("`{part}` matches no host and no group");
    match did_you_mean(part, known) {
        Some(help) => format!("{what}: {help}"),
        None => what,
    }
}

fn names(hosts: Vec<&str>) -> Vec<String> {
    hosts.into_iter().map(str::to_owned).collect()
}

/// The parts of a pattern: at commas, else at colons that stand neither in brackets nor in an
/// address.
fn split(pattern: &str) -> Vec<String> {
    let clean = |part: &str| Some(part.trim().to_owned()).filter(|part| !part.is_empty());
    if pattern.contains(',') {
        return pattern.split(',').filter_map(clean).collect();
    }
    // An address of IPv6 is full of colons.
    if pattern.trim().parse::<std::net::Ipv6Addr>().is_ok() {
        return clean(pattern).into_iter().collect();
    }
    let (mut depth, mut before) = (0_usize, ' ');
    let parts = pattern.split(|letter| {
        match letter {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        // `(?:` belongs to an expression.
        let inside = depth > 0 || before == '?' && pattern.contains("(?:");
        before = letter;
        letter == ':' && !inside
    });
    parts.filter_map(clean).collect()
}

/// The hosts of one part.
fn matches(inventory: &Inventory, part: &str) -> Result<Vec<String>, String> {
    if let Some((base, pick)) = subscript(part) {
        let hosts = named(inventory, base)?;
        // Where it is a position for Ansible, it is one here, even of nothing: `web0[13]` is no glob.
        if !hosts.is_empty() || inventory.has_group(base) || pick.is_usual(part) {
            return Ok(pick.of(hosts));
        }
    }
    named(inventory, part)
}

fn named(inventory: &Inventory, part: &str) -> Result<Vec<String>, String> {
    let test: Box<dyn Fn(&str) -> bool> = if let Some(expression) = part.strip_prefix('~') {
        let regex = fancy_regex::Regex::new(&format!("^(?:{expression})"))
            .map_err(|error| format!("`{part}` is no regular expression: {error}"))?;
        Box::new(move |name| regex.is_match(name).unwrap_or(false))
    } else if part.contains(['*', '?', '[']) {
        let regex = glob(part).ok_or_else(|| format!("`{part}` is no pattern"))?;
        Box::new(move |name| regex.is_match(name))
    } else {
        Box::new(move |name| name == part)
    };
    // A host is there as often as it is found: positions count so.
    let mut found = Vec::new();
    let mut grouped = false;
    let written = inventory.groups.keys().map(String::as_str);
    let written = written.filter(|name| !matches!(*name, "all" | "ungrouped"));
    for group in ["all", "ungrouped"].into_iter().chain(written) {
        if test(group) {
            grouped = true;
            found.extend(inventory.hosts_in(group));
        }
    }
    // A word that is the name of a group means that alone.
    if !grouped || part.starts_with('~') || part.contains(['.', '?', '*', '[']) {
        let hosts = inventory.hosts.keys().map(String::as_str);
        found.extend(hosts.filter(|host| test(host)));
    }
    if found.is_empty() && part == "localhost" {
        found.push(part);
    }
    Ok(names(found))
}

/// A glob as a regular expression.
fn glob(pattern: &str) -> Option<Regex> {
    let mut out = "^(?s:".to_owned();
    let mut rest = pattern;
    while let Some(letter) = rest.chars().next() {
        rest = &rest[letter.len_utf8()..];
        match letter {
            '*' => out.push_str(".*"),
            '?' => out.push('.'),
            '[' => {
                let close = rest.char_indices().skip(1).find(|(_, c)| *c == ']');
                let Some((close, _)) = close else {
                    out.push_str("\\[");
                    continue;
                };
                let class = rest[..close].replace('\\', "\\\\").replace('[', "\\[");
                let (not, class) = class
                    .strip_prefix('!')
                    .map_or(("", &*class), |class| ("^", class));
                out.extend(["[", not, class, "]"]);
                rest = &rest[close + 1..];
            }
            other => out.push_str(&regex::escape(&other.to_string())),
        }
    }
    out.push_str(")$");
    Regex::new(&out).ok()
}

/// Some of a group's hosts, by position. The end of a range belongs to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pick {
    One(i64),
    Range(i64, Option<i64>),
}

impl Pick {
    /// Whether Ansible knows it too: a range of its has a beginning, which counts from the front.
    fn is_usual(self, part: &str) -> bool {
        match self {
            Self::One(_) => true,
            Self::Range(from, to) => {
                let written = part.rsplit('[').next().unwrap_or_default();
                from >= 0 && to.is_none_or(|to| to >= 0) && !written.starts_with([':', '-'])
            }
        }
    }

    fn of(self, hosts: Vec<String>) -> Vec<String> {
        let count = i64::try_from(hosts.len()).unwrap_or(i64::MAX);
        let place = |at: i64| if at < 0 { at + count } else { at };
        let (from, to) = match self {
            Self::One(at) => (place(at), place(at)),
            Self::Range(from, to) => (place(from), to.map_or(count - 1, place)),
        };
        let inside =
            |(at, _): &(usize, String)| i64::try_from(*at).is_ok_and(|at| from <= at && at <= to);
        hosts
            .into_iter()
            .enumerate()
            .filter(inside)
            .map(|(_, host)| host)
            .collect()
    }
}

/// `web[0]`, `web[-1]`, `web[1:3]`, `web[1-3]`, `web[2:]`.
fn subscript(part: &str) -> Option<(&str, Pick)> {
    let (name, rest) = part.rsplit_once('[')?;
    let inner = rest.strip_suffix(']')?;
    if name.is_empty() || name.starts_with('~') {
        return None;
    }
    if let Ok(at) = inner.parse() {
        return Some((name, Pick::One(at)));
    }
    let (from, to) = inner.split_once(':').or_else(|| inner.split_once('-'))?;
    let from = if from.is_empty() {
        0
    } else {
        from.parse().ok()?
    };
    let to = if to.is_empty() {
        None
    } else {
        Some(to.parse().ok()?)
    };
    Some((name, Pick::Range(from, to)))
}
