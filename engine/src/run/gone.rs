//! Hosts that an earlier run knew and this one does not: nothing is done there any more, and somebody should hear of it.

use std::sync::Mutex;

use super::Audit;
use crate::{
    event::Event,
    ledger::{Ledger, Line},
};

/// The newest of the earlier runs of this project that changed something on a host of this one.
#[derive(Debug, Default)]
pub(super) struct Before(Mutex<Option<Run>>);

#[derive(Debug)]
struct Run {
    /// On whose ledger it is.
    on: String,
    who: String,
    at: String,
    hosts: Vec<String>,
}

impl Before {
    /// Takes in what the ledger of a host says. `run` is this one, which does not count.
    pub(super) fn learn(&self, host: &str, ledger: &Ledger, project: &str, run: &str) {
        let is_earlier = |line: &&Line| matches!(line, Line::Run { run: it, project: of, hosts, .. } if it != run && of == project && !hosts.is_empty());
        let Some(Line::Run { who, at, hosts, .. }) = ledger.runs.iter().rfind(is_earlier) else {
            return;
        };
        let mut newest = self
            .0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        // Of two that began at once the one of the first host by name: whoever answers first has no say.
        let rank = |at: &str, on: &str| (at.to_owned(), std::cmp::Reverse(on.to_owned()));
        if newest
            .as_ref()
            .is_none_or(|it| rank(&it.at, &it.on) < rank(at, host))
        {
            *newest = Some(Run {
                on: host.to_owned(),
                who: who.clone(),
                at: at.clone(),
                hosts: hosts.clone(),
            });
        }
    }

    /// What is to be said of hosts that this run does not know.
    pub(super) fn warning(&self, now: &Audit) -> Option<Event> {
        let newest = self
            .0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let before = newest.as_ref().filter(|_| !now.hosts.is_empty())?;
        let gone = before.hosts.iter().filter(|host| !now.hosts.contains(host));
        let gone: Vec<String> = gone.map(|host| format!("`{host}`")).collect();
        if gone.is_empty() {
            return None;
        }
        let (are, them) = if gone.len() == 1 {
            ("is", "it")
        } else {
            ("are", "them")
        };
        let by = if before.who.is_empty() {
            String::new()
        } else {
            format!(" by {}", before.who)
        };
        Some(Event::Warning {
            host: before.on.clone(),
            task: None,
            source: None,
            message: format!(
                "{} {are} no longer managed: the run{by} of {} knew {them}, the inventory has {them} no more, and what was \
                 made there stays as it is",
                gone.join(", "),
                before.at,
            ),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ledger(runs: &[(&str, &str, &[&str])]) -> Ledger {
        let line = |&(run, at, hosts): &(&str, &str, &[&str])| Line::Run {
            run: run.to_owned(),
            project: "site".to_owned(),
            who: "ann".to_owned(),
            from: "ctl".to_owned(),
            commit: None,
            at: at.to_owned(),
            hosts: hosts.iter().map(|&host| host.to_owned()).collect(),
        };
        Ledger {
            runs: runs.iter().map(line).collect(),
            ..Ledger::default()
        }
    }

    fn now(hosts: &[&str]) -> Audit {
        Audit {
            hosts: hosts.iter().map(|&host| host.to_owned()).collect(),
            ..Audit::default()
        }
    }

    fn said(before: &Before, hosts: &[&str]) -> Option<String> {
        match before.warning(&now(hosts))? {
            Event::Warning { host, message, .. } => Some(format!("{host}: {message}")),
            _ => None,
        }
    }

    #[test]
    fn who_is_gone_since_the_newest_run_is_named() {
        let before = Before::default();
        let old = ledger(&[("1", "2026-01-01T00:00:00Z", &["a", "b", "old"])]);
        let new = ledger(&[
            ("1", "2026-01-01T00:00:00Z", &["a", "b", "old"]),
            ("2", "2026-02-01T00:00:00Z", &["a", "b", "c", "d"]),
        ]);
        before.learn("b", &new, "site", "3");
        before.learn("a", &old, "site", "3");
        assert_eq!(
            said(&before, &["a", "b"]).as_deref(),
            Some(
                "b: `c`, `d` are no longer managed: the run by ann of 2026-02-01T00:00:00Z knew them, the inventory has them \
                 no more, and what was made there stays as it is"
            )
        );
        assert_eq!(said(&before, &["a", "b", "c", "d", "e"]), None);
        assert_eq!(
            said(&before, &[]),
            None,
            "who knows no inventory says nothing"
        );
    }

    #[test]
    fn neither_this_run_nor_another_project_counts() {
        let before = Before::default();
        let ours = ledger(&[("1", "2026-01-01T00:00:00Z", &["a", "gone"])]);
        before.learn("a", &ours, "other", "2");
        before.learn("a", &ours, "site", "1");
        assert_eq!(said(&before, &["a"]), None);
        before.learn("a", &ours, "site", "2");
        assert!(
            said(&before, &["a"])
                .is_some_and(|said| said.starts_with("a: `gone` is no longer managed"))
        );
    }
}
