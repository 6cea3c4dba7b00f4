//! Maps as they are written: merge keys are merged, doubled keys are refused.

use std::collections::BTreeMap;

use super::{Kind, Node};
use crate::diagnostic::Diagnostic;

type Entries = Vec<(Node, Node)>;

/// Entries and where each key stands among them. Keys are the same if they are the same text:
/// variables have no other names.
#[derive(Default)]
struct Index {
    entries: Entries,
    places: BTreeMap<String, usize>,
}

impl Index {
    fn get(&self, key: &Node) -> Option<usize> {
        self.places.get(&key.text).copied()
    }

    fn push(&mut self, key: Node, value: Node) {
        self.places.insert(key.text.clone(), self.entries.len());
        self.entries.push((key, value));
    }

    fn set(&mut self, key: Node, value: Node) {
        match self.get(&key) {
            Some(at) => self.entries[at] = (key, value),
            None => self.push(key, value),
        }
    }
}

/// The entries of a map with `<<` resolved: own keys win over merged ones, the first map of a
/// merged list over the next.
pub(super) fn flatten(entries: Entries, errors: &mut Vec<Diagnostic>) -> Entries {
    let mut own = Index::default();
    let mut merged: Vec<Node> = Vec::new();
    for (key, value) in entries {
        if key.plain && key.text == "<<" {
            merged.push(value);
        } else if let Some(at) = own.get(&key) {
            errors.push(doubled(&own.entries[at].0, &key));
        } else {
            own.push(key, value);
        }
    }
    if merged.is_empty() {
        return own.entries;
    }
    let mut all = Index::default();
    // A later `<<` wins over an earlier one, as in PyYAML.
    let layers = merged.into_iter().flat_map(|source| layers(source, errors));
    for (key, value) in layers.flatten().chain(own.entries) {
        all.set(key, value);
    }
    all.entries
}

fn layers(source: Node, errors: &mut Vec<Diagnostic>) -> Vec<Entries> {
    let sources = match source.kind {
        Kind::Seq(items) => items,
        _ => vec![source],
    };
    let mut layers = Vec::new();
    for source in sources.into_iter().rev() {
        let (span, name) = (source.span, source.kind_name());
        match source.kind {
            Kind::Map(entries) => layers.push(entries),
            _ => errors.push(
                Diagnostic::error("yaml_merge", span, format!("`<<` merges maps, not {name}"))
                    .help("`<<: *name` or `<<: [*one, *two]`"),
            ),
        }
    }
    layers
}

fn doubled(first: &Node, second: &Node) -> Diagnostic {
    Diagnostic::error(
        "duplicate_key",
        second.span,
        format!("`{}` stands twice in this map", second.text),
    )
    .also(first.span, "first here")
    .help("one of them would be lost: remove one, or put them together")
}
