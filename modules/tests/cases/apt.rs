//! `apt`.

use std::sync::Arc;

use evenkeel_engine::{
    event::Outcome,
    fake::{self, Call, FakeHost, World},
};
use evenkeel_modules::apt::{Age, Apt, Begun, Deb, Found, Lists, Matching, Package, Resolve, Said};

use crate::support::{Expect, case, joined};

/// Together, these set every argument there is, none to its default.
pub(crate) const SAMPLES: &[&str] = &[
    "apt: {name: [gcc], state: latest, update_cache: true, cache_valid_time: 60, update_cache_retries: 2, \
     purge: true, autoremove: true, autoclean: true, clean: true, install_recommends: false, only_upgrade: true, \
     default_release: stable, dpkg_options: [force-confnew], allow_downgrade: true, \
     allow_change_held_packages: true, allow_unauthenticated: true, force: true, fail_on_autoremove: true, \
     lock_timeout: 9, policy_rc_d: 101, force_apt_get: true, auto_install_module_deps: true, deb: /x.deb}",
    "apt: {upgrade: dist}",
];

fn key(name: &str) -> String {
    format!("deb {name}")
}

/// Version 1 of everything is in its source, and 2 of `apple`, whose 3 is in no list so far.
fn newest(world: &World, name: &str) -> &'static str {
    match name {
        "apple" if world.noted("lists") == Some("fresh") => "3",
        "apple" => "2",
        _ => "1",
    }
}

/// What apt would do with these words: name, version before, version after.
fn due(world: &World, verb: &str, words: &[&str]) -> Vec<(String, Option<String>, Option<String>)> {
    let mut all = Vec::new();
    let words: Vec<&str> = if verb == "upgrade" {
        vec!["apple"]
    } else {
        words.to_vec()
    };
    for word in words {
        let word = if word == "app*" { "apple" } else { word };
        let (name, version) = word.split_once('=').unwrap_or((word, newest(world, word)));
        let there = world.noted(&key(name)).map(str::to_owned);
        let after = Some(version.to_owned());
        match verb {
            "remove" | "purge" if there.is_some() => all.push((name.to_owned(), there, None)),
            "upgrade" if there.is_some() && there != after => {
                all.push((name.to_owned(), there, after));
            }
            "install" if there != after => all.push((name.to_owned(), there, after)),
            _ => {}
        }
    }
    all
}

fn apt(world: &mut World, call: &Call) -> evenkeel_engine::Done {
    let args = call.args();
    let words: Vec<&str> = args
        .into_iter()
        .filter(|word| !word.starts_with('-'))
        .collect();
    if words[0] == "update" || world.noted("stale") == Some("yes") {
        world.note("lists", "fresh");
    }
    for (name, _, after) in due(world, words[0], &words[1..]) {
        match after {
            Some(version) => world.note(key(&name), version),
            None => world.forget(&key(&name)),
        }
    }
    if words[0] == "purge" {
        words[1..]
            .iter()
            .for_each(|name| world.forget(&format!("conf {name}")));
    }
    fake::ok("Setting up something (1) ...\n")
}

fn resolved(world: &World, question: &Resolve) -> Said {
    let words: Vec<&str> = question.names.iter().map(String::as_str).collect();
    let verbs = ["install", "remove", "purge", "upgrade"];
    let verb = question
        .head
        .iter()
        .find(|word| verbs.contains(&word.as_str()));
    if words.contains(&"nosuch") {
        return Said::new(
            100,
            "x\nE: Unable to locate package nosuch\n!near nosuchy\n",
        );
    }
    let line = |(name, before, after): &(String, Option<String>, Option<String>)| {
        let before = before
            .as_ref()
            .map_or(String::new(), |before| format!(" [{before}]"));
        match after {
            Some(after) => format!(
                "Inst {name}{before} ({after} Shop [all])\nConf {name} ({after} Shop [all])\n"
            ),
            None => format!("Remv {name}{before}\n"),
        }
    };
    let due = due(world, verb.map_or("", String::as_str), &words);
    Said::new(0, due.iter().map(line).collect::<String>())
}

pub(crate) fn host(packages: &[&str]) -> FakeHost {
    let host = FakeHost::new()
        .program("apt-get", apt)
        .model::<Package>(|world, Package(name)| {
            let deb = |version: &str| Deb {
                state: if world.noted("held") == Some(name) {
                    "hi"
                } else {
                    "ii"
                }
                .to_owned(),
                arch: "all".to_owned(),
                version: version.to_owned(),
                native: true,
            };
            let there = world.noted(&key(name));
            let provided =
                name == "fruit" && world.noted(&key("apple")).is_some() && there.is_none();
            Ok(Found {
                debs: there.map(deb).into_iter().collect(),
                providers: if provided {
                    vec!["apple".to_owned()]
                } else {
                    Vec::new()
                },
                sold: provided.then(|| world.noted("fruit is sold").is_some()),
            })
        })
        .model::<Begun>(|world, _| Ok(world.noted("begun").is_some()))
        .model::<Matching>(|world, Matching { pattern, leftovers }| {
            let name = if pattern == "app*" { "apple" } else { pattern };
            let noted = if *leftovers {
                format!("conf {name}")
            } else {
                key(name)
            };
            Ok(world
                .noted(&noted)
                .map(|_| name.to_owned())
                .into_iter()
                .collect())
        })
        .model::<Lists>(|world, Lists(seconds)| {
            Ok(match (world.noted("lists"), seconds) {
                (Some("old"), Some(_)) => Age::Old,
                (Some("never"), _) => Age::Never,
                _ => Age::Fresh,
            })
        })
        .model::<Resolve>(|world, question| Ok(resolved(world, question)));
    host.change(|world| packages.iter().for_each(|name| world.note(key(name), "1")));
    host
}

fn noted(host: FakeHost, notes: &[(&str, &str)]) -> FakeHost {
    host.change(|world| {
        for (key, value) in notes {
            world.note(*key, *value);
        }
    });
    host
}

pub(crate) fn cases() -> Vec<Expect> {
    [names(), lists(), others()].concat()
}

fn names() -> Vec<Expect> {
    vec![
        case(
            "APT-01 missing packages are one transaction",
            "apt: {pkg: [gcc, make]}",
        )
        .on(host(&[]))
        .changes(["package `gcc`: null -> \"1\"", "package `make`"])
        .gives("packages.gcc", "\"1\"")
        .gives("results", "[\"Installed: something (1)\"]"),
        case(
            "APT-01 in its state",
            "apt: {name: 'gcc, make', state: installed}",
        )
        .on(host(&["gcc", "make"]))
        .gives("results", "[]"),
        case(
            "APT-02 what is there goes",
            "apt: {name: gcc, state: absent}",
        )
        .on(host(&["gcc"]))
        .changes(["package `gcc`: \"1\" -> null"])
        .gives("packages", "{}"),
        case(
            "APT-02 what is not there need not go",
            "apt: {name: gcc, state: absent}",
        )
        .on(host(&[])),
        case("APT-03 present never upgrades", "apt: {name: apple}").on(host(&["apple"])),
        case(
            "APT-04 latest does",
            "apt: {name: [apple, gcc], state: latest}",
        )
        .on(host(&["apple"]))
        .changes([
            "package `apple`: \"1\" -> \"2\"",
            "package `gcc`: null -> \"1\"",
        ]),
        case("APT-05 another version", "apt: {name: apple=2}")
            .on(host(&["apple"]))
            .changes(["package `apple=2`: \"1\" -> \"2\""]),
        case(
            "APT-05 a version that is there",
            "apt: {name: ['apple=1*', 'apple>=0.9']}",
        )
        .on(host(&["apple"])),
        case("APT-06 who provides it counts", "apt: {name: fruit}").on(host(&["apple"])),
        case(
            "APT-06 unless it is a package of its own",
            "apt: {name: fruit}",
        )
        .on(noted(host(&["apple"]), &[("fruit is sold", "yes")]))
        .changes(["package `fruit`: null -> \"1\""]),
        case(
            "APT-07 a name that no source has",
            "apt: {name: [gcc, nosuch]}",
        )
        .on(host(&[]))
        .refused("no source of packages has `nosuch`"),
        case(
            "APT-07 a name that apt would take for something else",
            "apt: {name: gcc-}",
        )
        .refused("an order to remove it"),
    ]
}

/// Patterns, and lists of packages.
fn lists() -> Vec<Expect> {
    vec![
        case("APT-08 a pattern", "apt: {name: 'app*', state: absent}")
            .on(host(&["apple"]))
            .changes(["package `apple`: true -> null"]),
        case(
            "APT-08 a pattern that nothing matches",
            "apt: {name: 'app*', state: absent}",
        )
        .on(host(&[])),
        case(
            "APT-08 a pattern of what is to be there",
            "apt: {name: 'app*'}",
        )
        .on(host(&[]))
        .changes(["package `app*`", "package `apple`: null -> \"2\""]),
        case(
            "APT-09 lists that are too old",
            "apt: {cache_valid_time: 60}",
        )
        .on(noted(host(&[]), &[("lists", "old")]))
        .changes(["lists of packages: \"too old\" -> \"fetched\""]),
        case(
            "APT-09 lists that are good",
            "apt: {update_cache: true, cache_valid_time: 60}",
        )
        .on(host(&[])),
        case(
            "APT-09 they are old, and all is there",
            "apt: {name: gcc, cache_valid_time: 60}",
        )
        .on(noted(host(&["gcc"]), &[("lists", "old")]))
        .changes(["lists of packages: \"too old\" -> \"fetched\""]),
        case(
            "APT-10 lists are fetched before something is installed",
            "apt: {name: gcc, update_cache: true}",
        )
        .on(noted(host(&[]), &[("lists", "never"), ("stale", "yes")]))
        .changes([
            "lists of packages: \"never fetched\" -> \"fetched\"",
            "package `gcc`",
        ]),
        case(
            "APT-10 nothing is to be installed",
            "apt: {name: gcc, update_cache: true}",
        )
        .on(host(&["gcc"])),
        case("APT-10 alone, they always are", "apt: {update_cache: true}")
            .on(host(&[]))
            .changes(["lists of packages: null -> \"fetched\""]),
    ]
}

fn others() -> Vec<Expect> {
    vec![
        case(
            "APT-11 configuration goes",
            "apt: {name: gcc, state: absent, purge: true}",
        )
        .on(noted(host(&[]), &[("conf gcc", "yes")]))
        .changes(["package `gcc`: \"configuration\" -> null"]),
        case("APT-12 all that is newer", "apt: {upgrade: yes}")
            .on(host(&["apple"]))
            .changes(["package `apple`: \"1\" -> \"2\""]),
        case("APT-12 nothing is newer", "apt: {name: '*', state: latest}").on(host(&["gcc"])),
        case("APT-12 it names none", "apt: {upgrade: dist, name: gcc}")
            .refused("it excludes `name`"),
        case(
            "APT-13 only what is there",
            "apt: {name: gcc, only_upgrade: true}",
        )
        .on(host(&[])),
        case(
            "APT-14 what is held stays",
            "apt: {name: apple, state: latest}",
        )
        .on(noted(host(&["apple"]), &[("held", "apple")]))
        .refused("`apple` is held"),
        case(
            "APT-14 unless it may not",
            "apt: {name: apple, state: latest, allow_change_held_packages: true}",
        )
        .on(noted(host(&["apple"]), &[("held", "apple")]))
        .changes(["package `apple`: \"1\" -> \"2\""]),
        case("APT-17 what dpkg has begun comes first", "apt: {name: gcc}")
            .on(noted(host(&[]), &[("begun", "yes")]))
            .refused("dpkg was interrupted"),
        case(
            "APT-15 an older version is refused",
            "apt: {name: apple=0.5}",
        )
        .on(host(&["apple"]))
        .refused("`apple` is there in version 1, which is newer than 0.5"),
        case(
            "APT-15 unless it is wanted",
            "apt: {name: apple=0.5, allow_downgrade: true}",
        )
        .on(host(&["apple"]))
        .changes(["package `apple=0.5`: \"1\" -> \"0.5\""]),
    ]
}

#[tokio::test]
async fn tasks_of_apt_are_one_transaction() {
    let host = Arc::new(host(&["old"]).program("apt-get", |world, call| {
        let words: Vec<&str> = call
            .args()
            .into_iter()
            .filter(|word| !word.starts_with('-'))
            .collect();
        let calls = world.noted("calls").unwrap_or_default().to_owned();
        world.note("calls", format!("{calls}{}\n", words.join(" ")));
        apt(world, call)
    }));
    let tasks = [
        ("gcc", "present"),
        ("make", "present"),
        ("rpm", "present"),
        ("old", "absent"),
    ];
    let (calls, told) = joined::<Apt>(&tasks, &host).await;
    assert_eq!(calls, ["install gcc make rpm", "remove old"]);
    assert_eq!(told, [Outcome::Changed; 4]);
    let (calls, told) = joined::<Apt>(&tasks, &host).await;
    assert_eq!(calls.len(), 2, "nothing more was called");
    assert_eq!(told, [Outcome::Unchanged; 4]);
}
