//! The page itself.

use evenkeel_engine::event::{ChangeShown, Forgiven, Outcome, Recap, TaskError};

use super::{End, Html, Timed, critical, timeline};
use crate::{
    printable, prose,
    report::{
        json,
        xml::{escaped, line},
    },
};

const STYLE: &str = "\
body{font:15px/1.45 system-ui,sans-serif;color:#1f2328;background:#fff;margin:2rem auto;max-width:75rem;padding:0 1rem}\
h1{font-size:1.5rem;margin:0}h2{font-size:1.15rem;margin:2rem 0 .5rem;border-bottom:1px solid #d1d9e0}\
table{border-collapse:collapse}th,td{text-align:left;padding:.2rem .8rem .2rem 0;vertical-align:top}\
td.n,th.n{text-align:right}tr{border-bottom:1px solid #eaeef2}\
pre{background:#f6f8fa;padding:.6rem;overflow-x:auto;margin:.4rem 0;font:13px/1.4 ui-monospace,monospace}\
.changed,.ignored,.rescued{color:#9a6700}.unchanged,.assumed{color:#1a7f37}.failed,.blocked,.unreachable{color:#cf222e}\
.skipped,.dim{color:#59636e}.unknown{color:#0969da}.add{color:#1a7f37}.del{color:#cf222e}\
.wide{overflow-x:auto;border:1px solid #d1d9e0}summary{cursor:pointer}";

/// The whole page.
pub(super) fn page(all: &Html, end: &End) -> String {
    let title = line(&all.playbooks.join(" "));
    let mut out = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>evenkeel: {title}</title>\n\
         <style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n"
    );
    out += &head(all, end);
    out += &summary(all, end);
    out += &failures(all);
    out += &differences(all);
    out += &warnings(all);
    out += "<h2 id=\"timeline\">Timeline</h2>\n<div class=\"wide\">\n";
    out += &timeline::timeline(all, end);
    out += "</div>\n";
    out += &critical::section(all, end);
    out += "<h2 id=\"graph\">Graph</h2>\n";
    if !all.graph.note.is_empty() {
        out += &format!("<p class=\"dim\">{}</p>\n", line(&all.graph.note));
    }
    out += &format!("<div class=\"wide\">\n{}</div>\n", all.graph.drawing);
    out += &tasks(all);
    out + "</body>\n</html>\n"
}

fn head(all: &Html, end: &End) -> String {
    let (class, verdict) = match (end.interrupted, end.ok, all.check) {
        (true, ..) => ("failed", "interrupted: the next run goes on from here"),
        (_, false, true) => (
            "failed",
            "the plan is not whole: something would fail, or a host cannot be reached",
        ),
        (_, false, false) => ("failed", "not all hosts are in their state"),
        (_, true, true) => ("unchanged", "nothing was changed: this was a check"),
        (_, true, false) => ("unchanged", "all hosts are in their state"),
    };
    let begun = all.begun.map(json::time).unwrap_or_default();
    format!(
        "<p><strong class=\"{class}\">{verdict}</strong> <span class=\"dim\">{begun}, {}, {}, evenkeel {}</span></p>\n",
        prose::duration(end.duration_ms),
        prose::count(end.hosts.len() as u64, "host"),
        env!("CARGO_PKG_VERSION"),
    )
}

/// A column of the summary: title, class, number.
type Column = (&'static str, &'static str, fn(&Recap) -> u64);

fn summary(all: &Html, end: &End) -> String {
    let changed = if all.check { "would change" } else { "changed" };
    let columns: [Column; 11] = [
        (changed, "changed", |host| host.changed),
        ("unchanged", "unchanged", |host| host.unchanged),
        ("assumed", "assumed", |host| host.assumed),
        ("skipped", "skipped", |host| host.skipped),
        ("unknown", "unknown", |host| host.unknown),
        ("failed", "failed", |host| host.failed),
        ("blocked", "blocked", |host| host.blocked),
        ("rescued", "rescued", |host| host.rescued),
        ("ignored", "ignored", |host| host.ignored),
        ("unguarded", "changed", |host| host.unguarded),
        ("exchanges", "dim", |host| host.exchanges),
    ];
    let mut out = String::from("<h2 id=\"summary\">Summary</h2>\n<table>\n<tr><th>host</th>");
    for (title, ..) in columns {
        out += &format!("<th class=\"n\">{title}</th>");
    }
    out += "</tr>\n";
    for (name, host) in &end.hosts {
        let gone = if host.unreachable {
            " <span class=\"unreachable\">unreachable</span>"
        } else {
            ""
        };
        out += &format!("<tr><td>{}{gone}</td>", line(name));
        for (_, class, number) in columns {
            out += &match number(host) {
                0 => "<td class=\"n dim\">0</td>".to_owned(),
                number => format!("<td class=\"n {class}\">{number}</td>"),
            };
        }
        out += "</tr>\n";
    }
    out + "</table>\n"
}

fn failures(all: &Html) -> String {
    let mut out = String::new();
    for gone in &all.unreachable {
        let help = gone.help.as_ref().map(|help| format!("\nhelp: {help}"));
        let text = format!("{}{}", gone.error, help.unwrap_or_default());
        out += &format!(
            "<p><strong>{}</strong> <span class=\"unreachable\">unreachable</span></p>\n{}",
            line(&gone.host),
            pre(&text),
        );
    }
    for timed in all
        .tasks
        .iter()
        .filter(|timed| timed.task.outcome == Outcome::Failed)
    {
        let task = &timed.task;
        out += &format!(
            "<p>{} <span class=\"{}\">{}</span></p>\n",
            named(timed),
            class(timed),
            word(timed, all.check)
        );
        if let Some(error) = &task.error {
            out += &failure(error);
        }
        for item in &task.items {
            if let Some(error) = &item.error {
                out += &format!("<p>{}</p>\n{}", line(&item.item), failure(error));
            }
        }
    }
    if out.is_empty() {
        return out;
    }
    format!("<h2 id=\"failures\">Failures</h2>\n{out}")
}

fn failure(error: &TaskError) -> String {
    let mut text = error.message.clone();
    let status = error.status.map(|status| status.to_string());
    for (title, part) in [
        ("help", &error.help),
        ("command", &error.command),
        ("status", &status),
        ("stdout", &error.stdout),
        ("stderr", &error.stderr),
    ] {
        if let Some(part) = part.as_ref().filter(|part| !part.is_empty()) {
            text += &format!("\n{title}: {}", part.trim_end());
        }
    }
    pre(&text)
}

fn differences(all: &Html) -> String {
    let mut out = String::new();
    for timed in &all.tasks {
        let task = &timed.task;
        let mut changes: String = task.changes.iter().map(change).collect();
        for item in &task.items {
            let own: String = item.changes.iter().map(change).collect();
            if !own.is_empty() {
                changes += &format!("<p>{}</p>\n{own}", line(&item.item));
            }
        }
        if !changes.is_empty() && task.outcome != Outcome::Unchanged {
            let reason = line(&task.reason.to_string());
            out += &format!(
                "<details open><summary>{} <span class=\"{}\">{}</span> <span class=\"dim\">({reason})</span></summary>\n{changes}</details>\n",
                named(timed),
                class(timed),
                word(timed, all.check),
            );
        }
    }
    if out.is_empty() {
        out = String::from("<p class=\"dim\">none</p>\n");
    }
    format!("<h2 id=\"differences\">Differences</h2>\n{out}")
}

fn change(change: &ChangeShown) -> String {
    if let Some(diff) = change.diff.as_ref().filter(|diff| !diff.is_empty()) {
        let text = printable::block(diff);
        let lines = text.lines().map(|line| {
            let class = match line.as_bytes().first() {
                Some(b'+') => "add",
                Some(b'-') => "del",
                Some(b'@') => "dim",
                _ => return format!("{}\n", escaped(line)),
            };
            format!("<span class=\"{class}\">{}</span>\n", escaped(line))
        });
        let lines: String = lines.collect();
        return format!("<p>{}</p>\n<pre>{lines}</pre>\n", line(&change.what));
    }
    let value = |value: &serde_json::Value| match value {
        serde_json::Value::String(text) => line(text),
        serde_json::Value::Null => "nothing".to_owned(),
        other => line(&other.to_string()),
    };
    let (before, after) = (value(&change.before), value(&change.after));
    let what = line(&change.what);
    if before == after {
        return format!("<p>{what}</p>\n");
    }
    format!(
        "<p>{what}: <span class=\"del\">{before}</span> → <span class=\"add\">{after}</span></p>\n"
    )
}

fn warnings(all: &Html) -> String {
    let lines = all.warnings.iter().map(|warning| {
        let task = warning
            .task
            .as_ref()
            .map(|task| format!(", {}", line(task)));
        let (host, message) = (line(&warning.host), pre(&warning.message));
        format!(
            "<p><strong>{host}</strong>{}</p>\n{message}",
            task.unwrap_or_default()
        )
    });
    let lines: String = lines.collect();
    if lines.is_empty() {
        return lines;
    }
    format!("<h2 id=\"warnings\">Warnings</h2>\n{lines}")
}

fn tasks(all: &Html) -> String {
    let mut out = String::from(
        "<h2 id=\"tasks\">Tasks</h2>\n<details><summary>all of them, in the order in which they ended</summary>\n<table>\n\
         <tr><th>host</th><th>task</th><th>module</th><th>place</th><th></th><th>why</th><th class=\"n\">from</th>\
         <th class=\"n\">took</th></tr>\n",
    );
    for timed in &all.tasks {
        let task = &timed.task;
        let message = task.message.as_ref().map(|message| match message {
            serde_json::Value::String(text) => pre(text),
            other => pre(&other.to_string()),
        });
        out += &format!(
            "<tr><td>{}</td><td>{}{}</td><td>{}</td><td>{}</td><td class=\"{}\">{}</td><td>{}</td>\
             <td class=\"n\">{}</td><td class=\"n\">{}</td></tr>\n",
            line(&task.name.host),
            line(&task.name.task),
            message.unwrap_or_default(),
            line(&task.name.module),
            line(task.name.source.as_deref().unwrap_or_default()),
            class(timed),
            word(timed, all.check),
            line(&task.reason.to_string()),
            prose::duration(timed.from),
            prose::duration(task.duration_ms),
        );
    }
    out + "</table>\n</details>\n"
}

/// Host, name and place of a task.
fn named(timed: &Timed) -> String {
    let name = &timed.task.name;
    let place = name
        .source
        .as_ref()
        .map(|place| format!(", {}", line(place)));
    format!(
        "<strong>{}</strong> {} <span class=\"dim\">({}{})</span>",
        line(&name.host),
        line(&name.task),
        line(&name.module),
        place.unwrap_or_default(),
    )
}

pub(super) fn class(timed: &Timed) -> &'static str {
    match (timed.task.forgiven, timed.task.outcome) {
        (Some(Forgiven::Ignored), _) => "ignored",
        (Some(Forgiven::Rescued), _) => "rescued",
        (None, Outcome::Changed) => "changed",
        (None, Outcome::Unchanged) => "unchanged",
        (None, Outcome::Assumed) => "assumed",
        (None, Outcome::Skipped) => "skipped",
        (None, Outcome::Unknown) => "unknown",
        (None, Outcome::Failed) => "failed",
        (None, Outcome::Blocked) => "blocked",
    }
}

pub(super) fn word(timed: &Timed, check: bool) -> &'static str {
    match class(timed) {
        "changed" if check => "would change",
        word => word,
    }
}

fn pre(text: &str) -> String {
    let text = printable::block(text.trim_end());
    let lines: Vec<_> = text.lines().map(escaped).collect();
    format!("<pre>{}</pre>\n", lines.join("\n"))
}
