//! When which task ran: a bar for each, host by host.

use std::fmt::Write as _;

use indexmap::IndexMap;

use super::{End, Html, Timed, page};
use crate::{prose, report::xml::line};

/// Width of all bars together, and where they begin.
const WIDTH: u64 = 940;
const LEFT: u64 = 180;
const LINE: usize = 18;
/// How many letters of a host's name are shown.
const NAME: usize = 24;

/// The drawing.
pub(super) fn timeline(all: &Html, end: &End) -> String {
    let latest = all.tasks.iter().map(|timed| timed.to).max().unwrap_or(0);
    let length = latest.max(end.duration_ms).max(1);
    let mut hosts: IndexMap<&str, Vec<&Timed>> = end
        .hosts
        .keys()
        .map(|host| (host.as_str(), Vec::new()))
        .collect();
    for timed in &all.tasks {
        hosts.entry(&timed.task.name.host).or_default().push(timed);
    }
    let x = |at: u64| LEFT + at * WIDTH / length;
    let (mut body, mut y) = (String::new(), LINE + 6);
    for (host, tasks) in hosts {
        let shown: String = host.chars().take(NAME).collect();
        let at = y + 13;
        let name = line(&shown);
        writeln!(
            body,
            "<text x=\"4\" y=\"{at}\">{name}<title>{}</title></text>",
            line(host)
        )
        .expect("a string takes all");
        // What runs at the same time on a host stands in lines of its own.
        let mut lines: Vec<u64> = Vec::new();
        let mut tasks = tasks;
        tasks.sort_by_key(|timed| (timed.from, timed.to));
        for timed in tasks {
            let (from, to) = (x(timed.from), x(timed.to).max(x(timed.from) + 2));
            let free = lines.iter().position(|until| *until <= from);
            let lane = free.unwrap_or_else(|| {
                lines.push(0);
                lines.len() - 1
            });
            lines[lane] = to;
            let top = y + LINE * lane + 2;
            writeln!(
                body,
                "<rect class=\"t-{}\" x=\"{from}\" y=\"{top}\" width=\"{}\" height=\"{}\"><title>{}: {}, from {}, took {}</title></rect>",
                page::class(timed),
                to - from,
                LINE - 4,
                line(&timed.task.name.task),
                page::word(timed, all.check),
                prose::duration(timed.from),
                prose::duration(timed.to - timed.from),
            )
            .expect("a string takes all");
        }
        y += LINE * lines.len().max(1) + 4;
    }
    let (width, height) = (LEFT + WIDTH + 80, y + 6);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"tl\" width=\"{width}\" height=\"{height}\" role=\"img\">\n\
         <style>.tl{{font:12px ui-monospace,monospace}}.tl line{{stroke:#d1d9e0}}.t-changed,.t-ignored,.t-rescued{{fill:#d4a72c}}\
         .t-unchanged,.t-assumed{{fill:#4ac26b}}.t-failed,.t-blocked{{fill:#cf222e}}.t-skipped{{fill:#d1d9e0}}\
         .t-unknown{{fill:#54aeff}}</style>\n"
    );
    for part in 0..=4 {
        let (at, time) = (x(length * part / 4), prose::duration(length * part / 4));
        writeln!(
            out,
            "<line x1=\"{at}\" y1=\"{LINE}\" x2=\"{at}\" y2=\"{height}\"/><text x=\"{at}\" y=\"12\">{time}</text>"
        )
        .expect("a string takes all");
    }
    out + &body + "</svg>\n"
}
