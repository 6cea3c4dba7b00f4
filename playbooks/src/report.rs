//! Reports: pure folds over the events of a run.

use evenkeel_engine::event::Event;
use jiff::Timestamp;

pub mod explain;
pub mod graph;
pub mod html;
pub mod human;
pub mod json;
pub mod junit;
pub mod out;
pub mod progress;
mod recap;
mod style;
mod xml;

/// What a report has to say about an event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// For stdout: the report itself.
    pub report: String,
    /// For stderr: talk.
    pub talk: String,
}

/// A fold over the events of a run. It knows no clock and prints nothing.
pub trait Report: Send {
    /// What there is to say about the next event, which happened at that time.
    fn fold(&mut self, event: &Event, at: Timestamp) -> Said;
}
