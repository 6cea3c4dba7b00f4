//! The graph for Mermaid, as Markdown viewers draw it.

use super::picture::Picture;
use crate::printable;

/// A flowchart, each host a subgraph.
pub fn mermaid(picture: &Picture) -> String {
    let mut out = String::from("flowchart TD\n");
    for (number, host) in picture.hosts.iter().enumerate() {
        out += &format!("  subgraph h{number}[\"{}\"]\n", escaped(host));
        for (row, node) in picture.nodes.iter().enumerate() {
            if node.host == number {
                let (open, close) = if node.handler {
                    ("([", "])")
                } else {
                    ("[", "]")
                };
                let (name, module) = (escaped(&node.name), escaped(&node.module));
                out += &format!("    t{row}{open}\"{name}<br/>{module}\"{close}\n");
            }
        }
        out += "  end\n";
    }
    for edge in picture.drawn() {
        let arrow = if edge.is_loose() { "-.->" } else { "-->" };
        out += &format!(
            "  t{} {arrow}|\"{}\"| t{}\n",
            edge.from,
            escaped(&edge.text()),
            edge.to
        );
    }
    out
}

/// A text in quotes: all but letters, digits and harmless marks as their numbers, which Mermaid shows.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in printable::line(text).chars() {
        if c.is_alphanumeric() || " .,/-_:".contains(c) {
            out.push(c);
        } else {
            out += &format!("#{};", u32::from(c));
        }
    }
    out
}
