//! The longest chain of tasks that waited for each other: a run cannot be shorter than that, however many do it.

use std::collections::BTreeMap;

use super::{End, Html, Timed, Waits, page};
use crate::{prose, report::xml::line};

/// What takes less than this share of the chain is not named.
const NAMED: u64 = 100;

/// The longest chain, in order, and how long it takes; `own` is how long a task takes by itself. Tasks come after those
/// that they wait for.
fn longest(waits: &[Waits], own: impl Fn(&Waits) -> u64) -> (Vec<usize>, u64) {
    // By task: how long a chain is that ends with it, and what comes before it there.
    let mut ends: Vec<(u64, Option<usize>)> = Vec::with_capacity(waits.len());
    for task in waits {
        let before = task.for_these.iter().copied();
        let last = before.max_by_key(|&at| (ends[at].0, std::cmp::Reverse(at)));
        ends.push((last.map_or(0, |at| ends[at].0) + own(task), last));
    }
    let last = (0..ends.len()).max_by_key(|&at| (ends[at].0, std::cmp::Reverse(at)));
    let before = |at: &usize| ends[*at].1;
    let mut chain: Vec<usize> = std::iter::successors(last, before).collect();
    chain.reverse();
    (chain, last.map_or(0, |at| ends[at].0))
}

/// The section, where anything took time.
pub(super) fn section(all: &Html, end: &End) -> String {
    let waits = &all.graph.waits;
    let by_name: BTreeMap<(&str, &str), &Timed> = all
        .tasks
        .iter()
        .map(|timed| {
            let name = &timed.task.name;
            ((name.host.as_str(), name.id.as_str()), timed)
        })
        .collect();
    let found = |of: &Waits| by_name.get(&(of.host.as_str(), of.id.as_str())).copied();
    let (chain, took) = longest(waits, |task| found(task).map_or(0, Timed::took));
    if took == 0 {
        return String::new();
    }
    let mut out = format!(
        "<h2 id=\"critical-path\" data-milliseconds=\"{took}\">Critical path</h2>\n\
         <p>Of {} the longest chain of tasks that wait for each other took {}, what they ask at their turns included:</p>\n<table>\n",
        prose::duration(end.duration_ms),
        prose::duration(took),
    );
    let tasks = chain.iter().filter_map(|&at| found(&waits[at]));
    for timed in tasks.filter(|timed| timed.took() * NAMED >= took) {
        let name = &timed.task.name;
        out += &format!(
            "<tr><td>{}</td><td class=\"{}\">{}</td><td class=\"n\">{}</td></tr>\n",
            line(&name.host),
            page::class(timed),
            line(&name.task),
            prose::duration(timed.took()),
        );
    }
    out + "</table>\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tasks `a`, `b` …, each with how long it takes and what it waits for.
    fn of(tasks: &[(u64, &[usize])]) -> (Vec<usize>, u64) {
        let waits: Vec<Waits> = (0..)
            .zip(tasks)
            .map(|(at, (_, for_these))| Waits {
                host: "h".to_owned(),
                id: at.to_string(),
                for_these: for_these.to_vec(),
            })
            .collect();
        longest(&waits, |task| tasks[task.id.parse::<usize>().unwrap()].0)
    }

    #[test]
    fn the_chain_that_takes_longest_is_found() {
        assert_eq!(of(&[]), (vec![], 0));
        assert_eq!(of(&[(5, &[]), (9, &[]), (3, &[0])]), (vec![1], 9));
        let wide: &[(u64, &[usize])] = &[(1, &[]), (7, &[0]), (4, &[0]), (5, &[2]), (1, &[1, 3])];
        assert_eq!(of(wide), (vec![0, 2, 3, 4], 11));
    }
}
