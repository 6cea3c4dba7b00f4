//! `ScriptHost` against the real thing: this machine, in dash and in bash.
#![expect(clippy::unwrap_used, reason = "helpers of tests may")]

#[path = "script_host/batch.rs"]
mod batch;
#[path = "script_host/lock.rs"]
mod lock;
#[path = "script_host/long.rs"]
mod long;
#[path = "script_host/privilege.rs"]
mod privilege;
#[path = "script_host/probes.rs"]
mod probes;
#[path = "script_host/real_become.rs"]
mod real_become;
#[path = "script_host/runs.rs"]
mod runs;
#[path = "script_host/scale.rs"]
mod scale;
#[path = "script_host/sections.rs"]
mod sections;
#[path = "script_host/steps.rs"]
mod steps;
#[path = "script_host/support.rs"]
mod support;
