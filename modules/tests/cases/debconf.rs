//! `debconf`: what it decides. What debconf then says is in the lab's tests.

use evenkeel_engine::{Secret, Value, fake::FakeHost, hex, probes::Answered, sha256};
use evenkeel_modules::debconf::now;

use crate::support::{Expect, case};

/// Together, these set every argument there is.
pub(crate) const SAMPLES: &[&str] =
    &["debconf: {name: a, question: a/b, vtype: string, value: c, unseen: true}"];

fn host(what: &str, status: i32, stdout: &str) -> FakeHost {
    let answer = Answered {
        status,
        stdout: stdout.to_owned(),
    };
    FakeHost::new().answers(now("tz", "tz/Areas", what), answer)
}

pub(crate) fn cases() -> Vec<Expect> {
    let task = "debconf: {name: tz, question: tz/Areas, vtype: select, value: Etc}";
    let password = "debconf: {pkg: tz, selection: tz/Areas, vtype: password}";
    let sum = |text: &str| {
        let sum = sha256(format!("tz/Areas\0{text}").as_bytes());
        format!("{}  -", hex(&sum))
    };
    let secret = || Value::Secret(Secret::new("it is me"));
    vec![
        case("DCF-01 never answered", task)
            .on(host("value", 10, ""))
            .changes(["tz/Areas: null -> \"Etc\""])
            .gives("question", "\"tz/Areas\""),
        case("DCF-01 answered otherwise", task)
            .on(host("value", 0, "Europe"))
            .changes(["tz/Areas: \"Europe\" -> \"Etc\""]),
        case("DCF-02 in its state", task).on(host("value", 0, "Etc")),
        case(
            "DCF-02 a truth as YAML has it",
            "debconf: {name: tz, setting: tz/Areas, vtype: boolean, answer: yes}",
        )
        .on(host("value", 0, "true")),
        case("DCF-03 another password", password)
            .arg("value", secret())
            .on(host("sum", 0, &sum("old")))
            .changes(["tz/Areas"]),
        case("DCF-03 the same password", password)
            .arg("value", secret())
            .on(host("sum", 0, &sum("it is me"))),
        case(
            "DCF-04 it counts as seen",
            "debconf: {name: tz, question: tz/Areas, vtype: seen, value: true}",
        )
        .on(host("seen", 0, "false"))
        .changes(["tz/Areas: \"false\" -> \"true\""]),
        case("DCF-05 there is no debconf", task)
            .on(host("value", 2, ""))
            .not_yet("what debconf knows"),
        case(
            "DCF-06 more than a line",
            "debconf: {name: tz, question: tz/Areas, vtype: string, value: \"a\\nb\"}",
        )
        .refused("more than one line"),
        case(
            "DCF-06 no truth",
            "debconf: {name: tz, question: tz/Areas, vtype: boolean, value: maybe}",
        )
        .refused("`maybe` is neither `true` nor `false`"),
        case(
            "DCF-06 no question",
            "debconf: {name: tz, question: a b, vtype: string, value: c}",
        )
        .refused("is no word"),
    ]
}
