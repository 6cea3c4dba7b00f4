//! `dpkg_selections`: what it decides. What dpkg then says is in the lab's tests.

use evenkeel_engine::{fake::FakeHost, probes::Answered};
use evenkeel_modules::dpkg_selections::selected;

use crate::support::{Expect, case};

/// Together, these set every argument there is.
pub(crate) const SAMPLES: &[&str] = &["dpkg_selections: {name: a, selection: hold}"];

fn host(status: i32, stdout: &str) -> FakeHost {
    let answer = Answered {
        status,
        stdout: stdout.to_owned(),
    };
    FakeHost::new().answers(selected("pg"), answer)
}

pub(crate) fn cases() -> Vec<Expect> {
    let task = "dpkg_selections: {name: pg, selection: hold}";
    vec![
        case("DSL-01 it is held", task)
            .on(host(0, "install"))
            .changes(["selection: \"install\" -> \"hold\""])
            .gives("after", "\"hold\""),
        case("DSL-02 in its state", task).on(host(0, "hold")),
        case("DSL-03 dpkg does not know it", task)
            .on(host(1, ""))
            .not_yet("the package `pg`"),
        case("DSL-03 there is no dpkg", task)
            .on(host(127, ""))
            .not_yet("`dpkg-query`"),
        case(
            "DSL-04 no package",
            "dpkg_selections: {name: a b, selection: hold}",
        )
        .refused("`a b` is no name of a package"),
    ]
}
