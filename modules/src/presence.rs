//! `state` of what is there or not, and nothing else.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whether something is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It is.
    #[default]
    Present,
    /// It is not.
    Absent,
}
