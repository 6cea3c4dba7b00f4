//! evenkeel's engine: brings machines to a described state, and keeps them there.

mod connection;
pub mod download;
pub mod effects;
pub mod event;
pub mod fake;
pub mod fingerprint;
mod graph;
mod here;
pub mod host;
mod identity;
pub mod keep;
mod late;
pub mod ledger;
mod module;
mod probe;
pub mod probes;
mod reason;
mod rehearsal;
pub mod run;
mod schedule;
mod script;
mod secret;
mod seen;
mod source;
mod step;
mod task;
pub mod testing;
mod thing;
mod value;
mod wrap;

pub use connection::{Channel, Connection, LocalConnection};
pub use graph::{Condition, Cycle, CycleLink, Edge, Graph, Kind, Order, Shape};
pub use identity::{Identity, Method};
pub use late::{Late, NotYet};
pub use module::{AnyModule, Bound, Module, Nature, Refusal, Registry, Stop, With};
pub use probe::{Answer, AnyProbe, Key, Probe, Probes, SECRET_OPERAND, ask};
pub use reason::Reason;
pub use rehearsal::Rehearsal;
pub use schedule::{Ended, FailureRule, Next, Schedule};
pub use script::ScriptHost;
pub use secret::{MASK, Secret, Text};
pub use seen::{Past, Seen};
pub use source::{Sha, Source, hex, sha256, unhex};
pub use step::{
    Action, Attrs, Cause, Change, Content, Diff, Done, Effect, Fetch, OUTPUT_LIMIT, Plan, Run,
    Step, Write,
};
pub use task::{
    BlockId, Calls, HostEntry, HostId, Judge, Judgement, Meets, Output, Outputs, Pace, Part, Place,
    Resolve, Resolved, Task, TaskId, TaskList, Tries, Turn,
};
pub use thing::{Thing, Touches};
pub use value::{BindError, Map, Value, bind};
pub use wrap::Wrap;
