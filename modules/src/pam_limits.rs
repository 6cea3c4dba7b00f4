//! Limits of users: lines of `limits.conf`, which PAM sets at each login.

use evenkeel_engine::{Done, Module, Plan, Probes, Refusal, Seen, Stop, Text, Touches};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    args::is_default,
    look::Look,
    rewrite::{Missing, Rewrite, Rewritten},
};

/// The module `pam_limits`.
#[derive(Debug)]
pub struct PamLimits;

/// Arguments of `pam_limits`.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// Whom it is for: a user, `@group`, `*` for all.
    pub domain: String,
    /// Which of the two limits it is.
    pub limit_type: Kind,
    /// What is limited.
    pub limit_item: Item,
    /// The limit: a number, or `unlimited`.
    pub value: Text,
    /// A higher limit that is there stays.
    #[serde(default, skip_serializing_if = "is_default")]
    pub use_max: bool,
    /// A lower limit that is there stays.
    #[serde(default, skip_serializing_if = "is_default")]
    pub use_min: bool,
    /// Whether the file as it was is kept beside it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub backup: bool,
    /// The file; `/etc/security/limits.conf` if unset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dest: Option<String>,
    /// What is written behind the line, where the line is written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

/// Which of the two limits it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// That which users cannot raise.
    Hard,
    /// That which holds, and which users may raise up to the other.
    Soft,
    /// Both.
    #[serde(rename = "-")]
    Both,
}

/// What is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Item {
    /// The size of core files, in KB.
    Core,
    /// The size of data, in KB.
    Data,
    /// The size of files, in KB.
    Fsize,
    /// Memory that is locked, in KB.
    Memlock,
    /// Open files.
    Nofile,
    /// Resident memory, in KB.
    Rss,
    /// The stack, in KB.
    Stack,
    /// Time of the processor, in minutes.
    Cpu,
    /// Processes.
    Nproc,
    /// Addresses, in KB.
    As,
    /// Logins of a user.
    Maxlogins,
    /// Logins in all.
    Maxsyslogins,
    /// The priority with which processes begin.
    Priority,
    /// Files that are locked.
    Locks,
    /// Signals that wait.
    Sigpending,
    /// Memory of queues of messages, in bytes.
    Msgqueue,
    /// How far `nice` may go.
    Nice,
    /// The priority of processes in real time.
    Rtprio,
}

/// A word as it is written in YAML, which is that of the file.
fn word(value: &impl Serialize) -> String {
    let json = serde_json::to_value(value).unwrap_or_default();
    json.as_str().unwrap_or_default().to_owned()
}

impl Item {
    /// What a text comes to: no limit is the highest number.
    fn number(self, text: &str) -> Option<i64> {
        let number = text.parse::<i64>().ok();
        match self {
            Self::Nice => number.filter(|number| (-20..=19).contains(number)),
            Self::Priority => number,
            _ if matches!(text, "unlimited" | "infinity" | "-1") => Some(i64::MAX),
            _ => number.filter(|number| *number >= 0),
        }
    }
}

impl Module for PamLimits {
    const NAME: &'static str = "pam_limits";
    const ALIASES: &'static [&'static str] = &["community.general.pam_limits"];
    const ABOUT: &'static str = "keeps limits of users, which hold from their next login";
    const EXAMPLE: &'static str = "\
- name: many files
  pam_limits:
    domain: airflow
    limit_type: '-'
    limit_item: nofile
    value: 65536
    dest: /etc/security/limits.d/airflow.conf
";
    const CHANGED_WHEN: &'static str = "\
        The file has no line for the domain, the type and the item, or one with another value that `use_max` and `use_min` do \
        not let stay.";
    const LIMITS: &'static str = "\
        Who is logged in keeps the limits of his login, and units of systemd have theirs from `LimitNOFILE=` and the like, not \
        from here. Lines are not taken away: `lineinfile` with `state: absent` does that.";
    type Args = Args;
    type Output = Rewritten;

    fn check(args: &Args) -> Result<(), Refusal> {
        let odd = |text: &str| text.is_empty() || text.contains([' ', '\t', '\n', '#']);
        if odd(&args.domain) {
            let message = format!("`{}` is no domain", args.domain.escape_debug());
            return Err(Refusal::new(message).help("a user, `@group`, or `*` for all"));
        }
        if args.use_max && args.use_min {
            return Err(Refusal::new("`use_max` and `use_min` exclude each other"));
        }
        if args
            .comment
            .as_ref()
            .is_some_and(|text| text.contains('\n'))
        {
            return Err(Refusal::new("`comment` is more than one line"));
        }
        let value = args.value.shown();
        if args.limit_item.number(value).is_none() {
            let item = word(&args.limit_item);
            let help = match args.limit_item {
                Item::Nice => "a number from -20 to 19",
                Item::Priority => "a number",
                _ => "a number from 0 on, or `unlimited`",
            };
            let message = format!("`{}` is no limit of `{item}`", value.escape_debug());
            return Err(Refusal::new(message).help(help));
        }
        Ok(())
    }

    fn observe(args: &Args, seen: &Seen) -> Probes {
        Look::observe(seen, |look| decide(args, look))
    }

    fn plan(args: &Args, seen: &Seen) -> Result<Plan, Stop> {
        decide(args, &Look::new(seen))
    }

    fn output(args: &Args, seen: &Seen, done: &[Done]) -> Result<Rewritten, Stop> {
        args.rewrite().output(seen, done)
    }

    fn touches(args: &Args) -> Touches {
        args.rewrite().touches()
    }

    fn subject(args: &Args) -> String {
        args.domain.clone()
    }
}

impl Args {
    fn rewrite(&self) -> Rewrite<'_> {
        let file = self.dest.as_deref();
        Rewrite {
            missing: Missing::Create,
            backup: self.backup,
            ..Rewrite::new(file.unwrap_or("/etc/security/limits.conf"))
        }
    }

    /// What a line is to say that says this now.
    fn value<'a>(&'a self, now: &'a str) -> &'a str {
        let wanted = self.value.shown();
        let number = |text| self.limit_item.number(text);
        let (Some(is), Some(told)) = (number(now), number(wanted)) else {
            return wanted;
        };
        let stays = is == told || self.use_max && is > told || self.use_min && is < told;
        if stays { now } else { wanted }
    }

    fn line(&self, value: &str, comment: Option<&str>) -> String {
        let (kind, item) = (word(&self.limit_type), word(&self.limit_item));
        let comment = comment.map(str::trim).filter(|text| !text.is_empty());
        let comment = comment.map_or_else(String::new, |text| format!("\t# {text}"));
        format!("{}\t{kind}\t{item}\t{value}{comment}\n", self.domain)
    }

    /// The text with the lines as they are to be, or one at its end.
    fn edit(&self, before: &[u8]) -> Option<Vec<u8>> {
        let mut after = Vec::new();
        let mut found = false;
        for bytes in before.split_inclusive(|byte| *byte == b'\n') {
            // Other lines stay as they are, whatever they are written in.
            let line = String::from_utf8_lossy(bytes);
            let (entry, comment) = match line.split_once('#') {
                Some((entry, comment)) => (entry, Some(comment)),
                None => (&*line, None),
            };
            let fields: Vec<&str> = entry.split_whitespace().collect();
            let [domain, kind, item, now] = fields[..] else {
                after.extend_from_slice(bytes);
                continue;
            };
            let mine = domain == self.domain
                && kind == word(&self.limit_type)
                && item == word(&self.limit_item);
            found |= mine;
            let value = self.value(now);
            if mine && value != now {
                let comment = self.comment.as_deref().or(comment);
                after.extend(self.line(value, comment).into_bytes());
            } else {
                after.extend_from_slice(bytes);
            }
        }
        if !found {
            if !after.is_empty() && !after.ends_with(b"\n") {
                after.push(b'\n');
            }
            let line = self.line(self.value.shown(), self.comment.as_deref());
            after.extend(line.into_bytes());
        }
        (after != before).then_some(after)
    }
}

fn decide(args: &Args, look: &Look<'_>) -> Result<Plan, Stop> {
    args.rewrite().plan(look, |before| Ok(args.edit(before)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_lines_stay_whatever_they_are_written_in() {
        let args: Args = serde_json::from_value(serde_json::json!({
            "domain": "@adm", "limit_type": "-", "limit_item": "nproc", "value": 30
        }))
        .unwrap();
        let before = b"# \xfcber\n@adm - nproc 20\nb - nproc 1";
        let after = b"# \xfcber\n@adm\t-\tnproc\t30\nb - nproc 1";
        assert_eq!(args.edit(before).as_deref(), Some(&after[..]));
        assert_eq!(args.edit(after), None);
    }
}
