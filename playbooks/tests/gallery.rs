//! Every line that the reports of a run can print, in one file to read: `gallery.txt`.
//!
//! `EVENKEEL_BLESS=1 cargo test --test gallery` writes the file anew; the difference is the review.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[expect(
    clippy::too_many_lines,
    reason = "lists of events, one after the other"
)]
mod gallery {
    pub(crate) mod events;
}

use std::{collections::BTreeMap, fmt::Write as _, path::Path};

use evenkeel::report::{
    Report, Said, explain::Explain, human::Human, json::Json, junit::Junit, progress::Progress,
};
use evenkeel_engine::event::Event;
use jiff::Timestamp;

fn second(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

/// A report over events, one a second; talk is marked.
fn told(report: &mut dyn Report, events: &[Event]) -> String {
    let mut out = String::new();
    for (event, at) in events.iter().zip(0..) {
        let Said { report, talk } = report.fold(event, second(at));
        out += &report;
        for line in talk.lines() {
            writeln!(out, "[stderr] {line}").unwrap();
        }
    }
    anstream::adapter::strip_str(&out).to_string()
}

fn section(out: &mut String, title: &str, text: &str) {
    writeln!(out, "\n======== {title}\n\n{}", text.trim_end()).unwrap();
}

#[test]
fn gallery() {
    let mut page = "Every line that the reports of a run can print.\n".to_owned();
    for (title, events) in gallery::events::runs() {
        for (verbose, flag) in [(0, ""), (1, " -v"), (3, " -vvv")] {
            let text = told(&mut Human::new(verbose), &events);
            section(&mut page, &format!("{title}{flag}"), &text);
        }
    }
    let (_, run) = &gallery::events::runs()[0];
    let mut progress = Progress::default();
    for event in run.iter().take(4) {
        progress.fold(event, second(0));
    }
    section(
        &mut page,
        "progress on a terminal",
        &progress.lines(second(12)).join("\n"),
    );
    section(
        &mut page,
        "progress elsewhere",
        &progress.overdue(second(45)),
    );
    let edges = BTreeMap::from([(
        (
            "web1".to_owned(),
            "write the configuration".to_owned(),
            Some("site.yml:12:7".to_owned()),
        ),
        vec!["`make the directory`: both touch `/srv/app`".to_owned()],
    )]);
    let (_, check) = &gallery::events::runs()[1];
    section(
        &mut page,
        "explain",
        &told(&mut Explain::new(edges, None), check),
    );
    let only = Some("nothing of that name".to_owned());
    let none = told(&mut Explain::new(BTreeMap::new(), only), check);
    section(&mut page, "explain, nothing to say", &none);
    section(
        &mut page,
        "--output junit",
        &told(&mut Junit::default(), run),
    );
    section(&mut page, "--output json", &told(&mut Json, run));
    let page = anstream::adapter::strip_str(&page).to_string();

    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/gallery.txt");
    if std::env::var_os("EVENKEEL_BLESS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let wanted = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        wanted == page,
        "the reports have changed; see what with EVENKEEL_BLESS=1 and git diff:\n{page}"
    );
}

#[test]
fn no_escape_of_a_host_reaches_the_terminal() {
    for (title, events) in gallery::events::runs() {
        for report in [
            &mut Human::new(3) as &mut dyn Report,
            &mut Explain::default(),
            &mut Json,
            &mut Junit::default(),
        ] {
            let text = told(report, &events);
            let bad = text
                .chars()
                .find(|c| c.is_control() && *c != '\n' && *c != '\t');
            assert_eq!(bad, None, "{title}: {text}");
        }
    }
}
