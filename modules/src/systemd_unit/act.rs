//! The step that starts, restarts or reloads a unit, and sees whether it stays up.

use evenkeel_engine::Run;

use super::{Args, Health, State};

const ACT: &str = include_str!("act.sh");

/// For how many seconds a unit has to stay up after a start.
const STEADY: u32 = 5;

/// How long a start may take, and how long a unit may need until it answers, in seconds.
const LIMIT: u32 = 300;
const PATIENCE: u32 = 60;

/// The step; `check` only waits for the answer to the health check.
pub(super) fn run(args: &Args, verb: &str, unit: &str) -> Run {
    let steady = args.steady.unwrap_or(STEADY);
    let limit = args.timeout.unwrap_or(LIMIT);
    let [kind, a, b] = Health::words(args.health.as_ref());
    let patience = args
        .health
        .as_ref()
        .and_then(|health| health.timeout)
        .unwrap_or(PATIENCE);
    let words = [
        "sh".to_owned(),
        "-c".to_owned(),
        ACT.to_owned(),
        "systemd-unit".to_owned(),
        args.scope().to_owned(),
        verb.to_owned(),
        unit.to_owned(),
        if args.no_block { "no" } else { "yes" }.to_owned(),
        steady.to_string(),
        limit.to_string(),
        kind,
        a,
        b,
        patience.to_string(),
    ];
    let seconds = u64::from(limit) + u64::from(steady) + u64::from(patience) + 60;
    Run {
        seconds: Some(seconds),
        ..Run::new(words)
    }
}

/// The same words ask once whether a unit answers now. One that has to run and does not is not asked: that may take long.
pub(super) fn look(args: &Args, unit: &str) -> Vec<String> {
    let [kind, a, b] = Health::words(args.health.as_ref());
    let unit = if args.state == Some(State::Started) {
        unit
    } else {
        ""
    };
    [
        "sh",
        "-c",
        ACT,
        "systemd-unit",
        args.scope(),
        "ask",
        unit,
        "yes",
        "0",
        "0",
        &kind,
        &a,
        &b,
        "0",
    ]
    .map(str::to_owned)
    .to_vec()
}
