//! The graph for Graphviz.

use std::fmt::Write as _;

use super::picture::Picture;
use crate::printable;

/// A digraph, each host a cluster.
pub fn dot(picture: &Picture) -> String {
    let mut out = String::from(
        "digraph evenkeel {\n  graph [rankdir=TB, fontname=\"sans-serif\"];\n  \
         node [shape=box, style=rounded, fontname=\"sans-serif\"];\n  \
         edge [fontname=\"sans-serif\", fontsize=10];\n",
    );
    for (number, host) in picture.hosts.iter().enumerate() {
        out += &format!(
            "  subgraph cluster_{number} {{\n    label={};\n",
            quoted(host)
        );
        for (row, node) in picture.nodes.iter().enumerate() {
            if node.host != number {
                continue;
            }
            let source = node.source.as_deref().unwrap_or_default();
            let style = match (node.silent || !node.selected, node.handler) {
                (true, _) => ", style=\"rounded,dashed\"",
                (false, true) => ", style=\"rounded,bold\"",
                (false, false) => "",
            };
            writeln!(
                out,
                "    t{row} [label={}, tooltip={}{style}];",
                quoted(&format!("{}\n{}", printable::line(&node.name), node.module)),
                quoted(source),
            )
            .expect("a string takes all");
        }
        out += "  }\n";
    }
    for edge in picture.drawn() {
        let style = if edge.is_loose() {
            ", style=dashed"
        } else {
            ""
        };
        writeln!(
            out,
            "  t{} -> t{} [label={}, class={}{style}];",
            edge.from,
            edge.to,
            quoted(&edge.text()),
            quoted(edge.kind()),
        )
        .expect("a string takes all");
    }
    out + "}\n"
}

/// A string of DOT: its backslashes would begin escapes.
fn quoted(text: &str) -> String {
    let text = printable::block(text).replace('\\', "\\\\");
    format!("\"{}\"", text.replace('"', "\\\"").replace('\n', "\\n"))
}
