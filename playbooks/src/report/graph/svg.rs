//! The graph drawn: a line for each task, indented by how many stand before it on its longest way, and at the left
//! tracks for what waits for what, as programs of version control draw their history. So hundreds of tasks stay
//! readable, and what is at the same indentation does not wait for each other.

mod tracks;

use std::fmt::Write as _;

use tracks::Track;
use unicode_width::UnicodeWidthStr as _;

use super::picture::Picture;
use crate::{
    printable,
    report::xml::{escaped, line},
};

/// Height of a line.
const LINE: usize = 26;
/// Between two tracks.
const TRACK: usize = 9;
/// How far a task is indented for each that stands before it.
const STEP: usize = 16;
/// Deeper ones are indented like this one.
const DEEPEST: usize = 24;
/// Letters of a name, and of the reasons.
const NAME: usize = 60;
const REASONS: usize = 110;
/// Width of a letter.
const LETTER: usize = 8;
const SMALL: usize = 7;

const STYLE: &str = "\
.ek{font-family:ui-monospace,Menlo,Consolas,monospace;font-size:13px;background:#fff}\
.ek text{fill:#1f2328}.ek .ek-host{font-weight:bold}.ek .ek-dim{fill:#59636e;font-size:11px}\
.ek rect{fill:#f6f8fa;stroke:#8c959f}.ek .ek-handler{fill:#fff8c5}.ek .ek-quiet{stroke-dasharray:3 3;fill:#fff}\
.ek path{fill:none;stroke-width:1.5}.ek polygon{stroke:none}.ek .ek-loose path{stroke-dasharray:4 3}\
.ek g:hover>path{stroke-width:3}";

/// Colours of kinds, with what they mean.
const KINDS: [(&str, &str, &[&str]); 5] = [
    ("#0969da", "after", &["after", "block"]),
    ("#1a7f37", "reads a result", &["data"]),
    ("#bc4c00", "notify, triggered_by", &["trigger"]),
    ("#8c959f", "touch the same", &["conflict", "everything"]),
    (
        "#cf222e",
        "other plays and hosts, ends",
        &["control", "hosts", "play", "in_order"],
    ),
];

/// Which colour a kind has.
fn family(kind: &str) -> usize {
    let has = KINDS.iter().position(|(_, _, kinds)| kinds.contains(&kind));
    has.expect("BUG: every kind has a colour")
}

/// A picture that needs nothing else: no script, no font, no other file.
pub fn svg(picture: &Picture) -> String {
    let lines = lines(picture);
    let tracks = tracks::tracks(picture);
    let left = 12 + TRACK * (tracks.iter().map(|track| track.lane + 1).max().unwrap_or(0) + 1);
    let depths = picture.depths();
    let reasons = reasons(picture);
    let top = LINE * 2;
    let y = |row: usize| top + LINE * lines[row] + LINE / 2;
    let mut body = String::new();
    let mut width = 900;
    let mut host = None;
    for (row, node) in picture.nodes.iter().enumerate() {
        if host != Some(node.host) {
            host = Some(node.host);
            let name = line(&picture.hosts[node.host]);
            let at = y(row) + 4 - LINE;
            writeln!(
                body,
                "<text class=\"ek-host\" x=\"8\" y=\"{at}\">{name}</text>"
            )
            .expect("a string takes all");
        }
        let name = clipped(
            &format!("{} {}", row + 1, printable::line(&node.name)),
            NAME,
        );
        let x = left + STEP * depths[row].min(DEEPEST);
        let wide = name.width() * LETTER + 16;
        let class = match (node.silent || !node.selected, node.handler) {
            (true, _) => " class=\"ek-quiet\"",
            (false, true) => " class=\"ek-handler\"",
            (false, false) => "",
        };
        let place = node.source.as_deref().map(|place| format!(", {place}"));
        let title = format!(
            "{} ({}{})",
            node.name,
            node.module,
            place.unwrap_or_default()
        );
        let small = clipped(&format!("{}{}", node.module, reasons[row]), REASONS);
        let after = x + wide + 8;
        width = width.max(after + small.width() * SMALL + 12);
        writeln!(
            body,
            "<g><title>{}</title><rect{class} x=\"{x}\" y=\"{}\" width=\"{wide}\" height=\"{}\" rx=\"4\"/>\
             <text x=\"{}\" y=\"{}\">{}</text><text class=\"ek-dim\" x=\"{after}\" y=\"{}\">{}</text></g>",
            line(&title),
            y(row) - LINE / 2 + 2,
            LINE - 4,
            x + 8,
            y(row) + 4,
            escaped(&name),
            y(row) + 4,
            escaped(&small),
        )
        .expect("a string takes all");
    }
    for track in &tracks {
        let node = |row: usize| (left + STEP * depths[row].min(DEEPEST), y(row));
        body += &drawn(track, picture, left - TRACK * (track.lane + 1), &node);
    }
    let height = top + LINE * (lines.last().map_or(0, |last| last + 1)) + 12;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"ek\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" role=\"img\">\n<title>The graph of tasks</title>\n<style>{STYLE}</style>\n"
    );
    out += &legend();
    out + &body + "</svg>\n"
}

/// On which line each task stands; the name of a host takes one.
fn lines(picture: &Picture) -> Vec<usize> {
    let (mut next, mut host) = (0, None);
    let line = |node: &super::Node| {
        if host != Some(node.host) {
            host = Some(node.host);
            next += 1;
        }
        next += 1;
        next - 1
    };
    picture.nodes.iter().map(line).collect()
}

fn legend() -> String {
    let mut out = String::new();
    let mut x = 8;
    for (colour, meaning, _) in KINDS {
        let at = x + 28;
        writeln!(
            out,
            "<path d=\"M{x} 16H{}\" stroke=\"{colour}\"/><text class=\"ek-dim\" x=\"{at}\" y=\"20\">{meaning}</text>",
            x + 22,
        )
        .expect("a string takes all");
        x = at + meaning.len() * SMALL + 16;
    }
    out
}

/// A track: up and down in its lane, to each of its tasks at one side, with arrows where somebody waits.
fn drawn(
    track: &Track,
    picture: &Picture,
    x: usize,
    node: &dyn Fn(usize) -> (usize, usize),
) -> String {
    let (colour, ..) = KINDS[track.family];
    let ends = |rows: &[usize]| rows.iter().map(|row| node(*row)).collect::<Vec<_>>();
    // Arrows come in a little below the middle, and what leaves does so above it: both can be told apart.
    let (from, to) = (ends(&track.from), ends(&track.to));
    let heights = from
        .iter()
        .map(|(_, y)| y - 4)
        .chain(to.iter().map(|(_, y)| y + 4));
    let (high, low) = heights.fold((usize::MAX, 0), |(high, low), y| (high.min(y), low.max(y)));
    let mut path = format!("M{x} {high}V{low}");
    let mut heads = String::new();
    for (end, y) in from {
        write!(path, "M{x} {}H{end}", y - 4).expect("a string takes all");
    }
    for (end, y) in to {
        write!(path, "M{x} {}H{}", y + 4, end - 4).expect("a string takes all");
        let (tip, back, y) = (end - 1, end - 7, y + 4);
        write!(
            heads,
            "<polygon points=\"{tip},{y} {back},{} {back},{}\" fill=\"{colour}\"/>",
            y - 3,
            y + 3
        )
        .expect("a string takes all");
    }
    let class = if track.loose {
        " class=\"ek-loose\""
    } else {
        ""
    };
    let title: Vec<_> = (track.edges.iter().take(20))
        .map(|edge| {
            let edge = &picture.edges[*edge];
            format!(
                "{} waits for {}: {}",
                edge.to + 1,
                edge.from + 1,
                printable::line(&edge.text())
            )
        })
        .collect();
    let title = escaped(&title.join("\n"));
    format!("<g{class}><title>{title}</title><path d=\"{path}\" stroke=\"{colour}\"/>{heads}</g>\n")
}

/// For each task, what it waits for, in words.
fn reasons(picture: &Picture) -> Vec<String> {
    let mut all: Vec<Vec<(String, Vec<String>)>> = vec![Vec::new(); picture.nodes.len()];
    for edge in picture.drawn() {
        let text = printable::line(&edge.text()).into_owned();
        let number = (edge.from + 1).to_string();
        let said = &mut all[edge.to];
        match said.iter_mut().find(|(why, _)| *why == text) {
            Some((_, numbers)) => numbers.push(number),
            None => said.push((text, vec![number])),
        }
    }
    let said = |reasons: Vec<(String, Vec<String>)>| {
        let reasons = reasons
            .iter()
            .map(|(why, numbers)| format!("{} ({why})", numbers.join(", ")));
        let reasons: Vec<_> = reasons.collect();
        if reasons.is_empty() {
            return String::new();
        }
        format!(", after {}", reasons.join("; "))
    };
    all.into_iter().map(said).collect()
}

/// The beginning of a text, where it is too long.
fn clipped(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let mut out: String = text.chars().take(most - 1).collect();
    out.push('…');
    out
}
