//! `yum`.

use evenkeel_engine::fake::{self, Call, FakeHost, World};
use evenkeel_modules::yum::{Evr, Nevra, Package, Provides};

use crate::support::{Expect, case};

fn key(name: &str) -> String {
    format!("rpm {name}")
}

/// A dnf that installs version 1-1 of what it is told.
fn dnf(world: &mut World, call: &Call) -> evenkeel_engine::Done {
    let words: Vec<_> = call
        .args()
        .into_iter()
        .filter(|word| !word.starts_with('-'))
        .collect();
    for name in &words[1..] {
        match words[0] {
            "remove" => world.forget(&key(name)),
            _ => world.note(key(name), "1"),
        }
    }
    fake::ok("Complete!\n")
}

fn host(packages: &[&str]) -> FakeHost {
    let host = FakeHost::new()
        .program("dnf", dnf)
        .model::<Package>(|world, Package(name)| {
            let nevra = |version: &str| Nevra {
                name: name.clone(),
                evr: Evr {
                    epoch: 0,
                    version: version.to_owned(),
                    release: "1".to_owned(),
                },
                arch: "noarch".to_owned(),
            };
            Ok(world.noted(&key(name)).map(nevra).into_iter().collect())
        })
        .model::<Provides>(|_, _| Ok(Vec::new()));
    host.change(|world| packages.iter().for_each(|name| world.note(key(name), "1")));
    host
}

pub(crate) fn cases() -> Vec<Expect> {
    vec![
        case(
            "DNF-01 missing packages are one transaction",
            "dnf: {name: [gcc, make]}",
        )
        .on(host(&[]))
        .changes(["package `gcc`: null -> \"installed\"", "package `make`"])
        .gives("packages.gcc", "\"1-1\""),
        case(
            "DNF-01 in its state",
            "package: {name: 'gcc, make', state: present}",
        )
        .on(host(&["gcc", "make"])),
        case(
            "DNF-02 what is there goes",
            "yum: {name: gcc, state: absent}",
        )
        .on(host(&["gcc"]))
        .changes(["package `gcc`: \"1-1\" -> null"])
        .gives("packages", "{}"),
        case(
            "DNF-06 what is not there need not go",
            "yum: {name: gcc, state: absent}",
        )
        .on(host(&[])),
        case(
            "DNF-20 arguments that are not supported are refused",
            "yum: {name: gcc, download_only: true}",
        )
        .refused("there is no argument `download_only`"),
    ]
}
