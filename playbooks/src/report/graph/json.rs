//! The graph for programs: what drawings leave out too, but for what plays and hosts imply.

use serde_json::{Value, json};

use super::picture::{Edge, Node, Picture};
use crate::printable;

/// One object, in lines for people.
pub fn json(picture: &Picture) -> String {
    let tasks: Vec<_> = (picture.nodes.iter().enumerate())
        .map(|(row, node)| task(row, node, &picture.hosts[node.host]))
        .collect();
    // Of n tasks that wait for m others all n times m pairs would be a file that nobody can read.
    let plain = |edge: &&Edge| !edge.implied || edge.why.iter().any(|why| !why.is_wide());
    let edges = picture.edges.iter().filter(plain).map(edge);
    let object = json!({
        "tasks": tasks,
        "edges": edges.collect::<Vec<_>>(),
        "gave_way": picture.dropped.iter().map(edge).collect::<Vec<_>>(),
    });
    let text = serde_json::to_string_pretty(&object).expect("a value is JSON");
    let lines = text
        .lines()
        .map(|line| format!("{}\n", printable::json(line)));
    lines.collect()
}

fn task(row: usize, node: &Node, host: &str) -> Value {
    json!({
        "key": row,
        "host": host,
        "task": node.name,
        "id": node.id,
        "module": node.module,
        "source": node.source,
        "play": node.play,
        "handler": node.handler,
        "silent": node.silent,
        "selected": node.selected,
    })
}

fn edge(edge: &Edge) -> Value {
    let why: Vec<_> = (edge.why.iter())
        .map(|why| json!({"kind": why.kind, "text": why.text, "condition": why.condition}))
        .collect();
    json!({"from": edge.from, "to": edge.to, "why": why, "implied": edge.implied})
}
