//! `pause`, `wait_for_connection`.

use evenkeel_engine::{Done, fake::FakeHost};

use crate::support::{Expect, case};

/// Together, these set every argument there is, none to its default.
pub(crate) const SAMPLES: &[&str] = &[
    "pause: {seconds: 3, prompt: so long, echo: false}",
    "pause: {minutes: 2}",
    "wait_for_connection: {timeout: 300, delay: 5, sleep: 2, connect_timeout: 9}",
];

fn host() -> FakeHost {
    FakeHost::new().program("sleep", |_, call| {
        // A real one takes any number of seconds, and nothing else.
        let known = call
            .args()
            .last()
            .is_some_and(|word| word.parse::<u64>().is_ok());
        Done {
            status: i32::from(!known),
            ..Done::default()
        }
    })
}

pub(crate) fn cases() -> Vec<Expect> {
    vec![
        case("a host that answers", "wait_for_connection:").gives("elapsed", "0"),
        case(
            "a host that is about to go down",
            "wait_for_connection: {delay: 5, timeout: 60}",
        )
        .on(host())
        .changes(["pause for 5 s"]),
        case("seconds", "pause: {seconds: 3}")
            .on(host())
            .changes(["pause for 3 s"])
            .gives("delta", "0")
            .gives("rc", "0")
            .gives("stdout", "\"Paused for 0.0 seconds\"")
            .gives("user_input", "\"\""),
        case("minutes", "pause: {minutes: '1'}")
            .on(host())
            .changes(["pause for 1 min"])
            .gives("stdout", "\"Paused for 0.0 minutes\""),
        case("beside the connection", "pause: {minutes: 10}")
            .on(host())
            .changes(["pause for 10 min"]),
        case("never less than a second", "pause: {minutes: 0}")
            .on(host())
            .changes(["pause for 1 s"]),
        case(
            "a prompt is shown",
            "pause: {seconds: 3, prompt: \"watch the lights\\n\", echo: false}",
        )
        .on(host())
        .changes(["pause for 3 s (watch the lights)"])
        .gives("echo", "false"),
        case("nobody is asked", "pause: {prompt: 'Really?'}").refused(
            "`prompt` without `seconds` or `minutes` asks somebody, and a run asks nobody",
        ),
        case("nobody presses a key", "pause: {}")
            .refused("without `seconds` or `minutes` it waits for somebody"),
        case("two lengths", "pause: {seconds: 1, minutes: 1}")
            .refused("`seconds` and `minutes` exclude each other"),
        case("for ever", "pause: {minutes: 18446744073709551615}")
            .refused("`minutes` is longer than thirty days"),
    ]
}
