//! Who touched a thing last: the index behind inferred edges.

use std::mem;

use petgraph::graph::NodeIndex;

use super::{Kind, Web, anchor};

/// How a task takes part in a [`Track`]. Two tasks of the same mode go well together, unless it is
/// [`Mode::Alone`]; those of different modes do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// With nobody.
    Alone,
    /// With all others who read.
    Reading,
    /// With all others who write below, each its own thing.
    Below,
    /// With those of the same word.
    Commuting(&'static str),
    /// With the copies of the same task, by its number, that other hosts have.
    Visiting(usize),
}

impl Mode {
    /// What one task does that takes part in both ways.
    pub(super) fn and(self, other: Self) -> Self {
        match (self, other) {
            (one, two) if one == two => one,
            (Self::Commuting(word), Self::Reading) | (Self::Reading, Self::Commuting(word)) => {
                Self::Commuting(word)
            }
            _ => Self::Alone,
        }
    }
}

/// Tasks in batches: those of one batch go well together, and each of them waits for all of the
/// batch before. What is older follows from that.
#[derive(Clone, Debug, Default)]
pub(super) struct Track {
    before: Vec<NodeIndex>,
    batch: Vec<NodeIndex>,
    mode: Option<Mode>,
}

impl Track {
    /// Takes the next task in; pushes what it waits for.
    pub(super) fn enter(
        &mut self,
        node: NodeIndex,
        mode: Mode,
        kind: &Kind,
        web: &mut Web,
        waits: &mut Vec<(NodeIndex, Kind)>,
    ) {
        if self.mode == Some(mode) && mode != Mode::Alone {
            if self.before.len() > 1 {
                // Many would wait for many.
                self.before = vec![anchor(web, mem::take(&mut self.before), kind)];
            }
        } else {
            self.before = mem::take(&mut self.batch);
            self.mode = Some(mode);
        }
        self.batch.push(node);
        waits.extend(self.before.iter().map(|&from| (from, kind.clone())));
    }
}
