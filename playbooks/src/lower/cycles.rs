//! Tasks that wait for each other by `after` and `triggered_by`.

use std::collections::BTreeSet;

use evenkeel_engine::run::{RunError, graph};

use super::Lowering;
use crate::diagnostic::Diagnostic;

impl Lowering<'_> {
    /// The first cycle of what was written, whole.
    pub(crate) fn cycle(&self) -> Option<Diagnostic> {
        // Only these can close one: everything that is inferred goes forward.
        if self.ties.is_empty() {
            return None;
        }
        let Err(RunError::Cycle(cycle)) = graph(&self.list, false) else {
            return None;
        };
        let hosts: BTreeSet<&str> = cycle.links.iter().map(|link| link.host.as_str()).collect();
        let name = |at: usize| {
            let link = &cycle.links[at % cycle.links.len()];
            match hosts.len() {
                1 => format!("`{}`", link.name),
                _ => format!("`{}` on {}", link.name, link.host),
            }
        };
        let mut places = Vec::new();
        let mut said = Vec::new();
        for (at, link) in cycle.links.iter().enumerate() {
            let next = &cycle.links[(at + 1) % cycle.links.len()];
            let waits = format!("{} waits for {}", name(at), name(at + 1));
            match self.ties.get(&(link.task, next.task)) {
                Some(span) => places.push((*span, waits)),
                None => said.push(format!("{waits}: {}", link.kind)),
            }
        }
        let mut message = "tasks wait for each other, so none of them can start".to_owned();
        let mut places = places.into_iter();
        let first = places.next();
        if let Some((_, waits)) = &first {
            said.insert(0, waits.clone());
        }
        if !said.is_empty() {
            message = format!("{message}: {}", said.join("; "));
        }
        let found = match first {
            Some((at, _)) => Diagnostic::error("cycle", at, message),
            None => Diagnostic::nowhere("cycle", message),
        };
        let found = places.fold(found, |found, (at, waits)| found.also(at, waits));
        Some(found.help("remove one of these ties"))
    }
}
