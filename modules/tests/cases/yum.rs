//! `yum`.

use std::sync::Arc;

use evenkeel_engine::{
    event::Outcome,
    fake::{self, Call, FakeHost, World},
};
use evenkeel_modules::yum::{Evr, Matching, Nevra, Package, Provides, Resolve, Said, Unless, Yum};

use crate::support::{Expect, case, joined};

/// Together, these set every argument there is, none to its default.
pub(crate) const SAMPLES: &[&str] = &[
    "yum: {name: [gcc], state: latest, update_cache: true, update_only: true, enablerepo: [a], \
     disablerepo: [b], exclude: [c], disable_excludes: all, disable_plugin: [d], \
     enable_plugin: [e], disable_gpg_check: true, allow_downgrade: true, autoremove: true, \
     allowerasing: true, security: true, bugfix: true, cacheonly: true, install_weak_deps: false, \
     nobest: true, skip_broken: true, conf_file: /c, releasever: '9', validate_certs: false, \
     lock_timeout: 5, download_only: true, download_dir: /dl, use_backend: dnf4}",
];

fn key(name: &str) -> String {
    format!("rpm {name}")
}

/// Version 1 of everything is in its repository, and 2 of `apple`; what is `@fruit` is `apple` and `berry`.
fn newest(name: &str) -> &'static str {
    if name == "apple" { "2" } else { "1" }
}

/// The packages that a word means, each with its version.
fn meant(world: &World, word: &str) -> Vec<(String, String)> {
    let whole = |name: &str| vec![(name.to_owned(), newest(name).to_owned())];
    match word.split_once('-') {
        _ if word == "@fruit" => [whole("apple"), whole("berry")].concat(),
        _ if word == "app*" => whole("apple"),
        _ if word.starts_with('/') => whole("labtool"),
        Some((name, version)) if world.noted(&key(word)).is_none() => {
            let version = version.split('-').next().unwrap_or(version);
            vec![(name.to_owned(), version.to_owned())]
        }
        _ => whole(word),
    }
}

/// What dnf would do with these words.
fn due(world: &World, verb: &str, words: &[&str]) -> Vec<(String, Option<String>)> {
    let mut all = Vec::new();
    for word in words {
        for (name, version) in meant(world, word) {
            let there = world.noted(&key(&name));
            match verb {
                "remove" if there.is_some() => all.push((name, None)),
                "upgrade" if there.is_some_and(|there| *there < *version) => {
                    all.push((name, Some(version)));
                }
                "install" if there != Some(&version) => all.push((name, Some(version))),
                _ => {}
            }
        }
    }
    all
}

/// A dnf that does what it is told.
fn dnf(world: &mut World, call: &Call) -> evenkeel_engine::Done {
    let args = call.args();
    let words: Vec<&str> = args
        .into_iter()
        .filter(|word| !word.starts_with('-'))
        .collect();
    if words.contains(&"nosuch") {
        return fake::failed(1, "Error: Unable to find a match: nosuch\n");
    }
    for (name, version) in due(world, words[0], &words[1..]) {
        match version {
            Some(version) => world.note(key(&name), version),
            None => world.forget(&key(&name)),
        }
    }
    fake::ok("Installed:\n  something-1-1.noarch\n\nComplete!\n")
}

/// What it says when it only resolves.
fn resolved(world: &World, question: &Resolve) -> Said {
    let verb = question.head.last().map_or("", String::as_str);
    let words: Vec<&str> = question.names.iter().map(String::as_str).collect();
    let said = |status, text: String| Said {
        status,
        merged: false,
        text,
    };
    let there = |label: &String| {
        world.noted(&key(label)).is_some()
            || meant(world, label)
                .iter()
                .all(|(name, version)| world.noted(&key(name)) == Some(version))
    };
    match question.unless {
        Unless::Installed if question.labels.iter().all(there) => return Said::nothing(),
        Unless::Gone if !question.labels.iter().any(there) => return Said::nothing(),
        _ => {}
    }
    if words.contains(&"nosuch") {
        return said(2, "Error: Unable to find a match: nosuch".to_owned());
    }
    let due = due(world, verb, &words);
    if due.is_empty() {
        return Said::nothing();
    }
    let row = |(name, version): &(String, Option<String>)| match version {
        None => format!("Removing:\n {name} noarch 1-1 @shop 1 k\n"),
        Some(version) if world.noted(&key(name)).is_some() => {
            format!("Upgrading:\n {name} noarch {version}-1 shop 1 k\n")
        }
        Some(version) => format!("Installing:\n {name} noarch {version}-1 shop 1 k\n"),
    };
    said(
        1,
        due.iter().map(row).collect::<Vec<_>>().concat() + "\nOperation aborted.",
    )
}

pub(crate) fn host(packages: &[&str]) -> FakeHost {
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
        .model::<Provides>(|world, Provides(name)| {
            let there = |name: &str| world.noted(&key(name)).is_some();
            Ok(match name.as_str() {
                "/usr/bin/labtool" if there("labtool") => vec!["labtool".to_owned()],
                name if there(name) => vec![name.to_owned()],
                _ => Vec::new(),
            })
        })
        .model::<Matching>(|world, Matching(pattern)| {
            let apple = pattern == "app*" && world.noted(&key("apple")).is_some();
            Ok(if apple {
                vec!["apple".to_owned()]
            } else {
                Vec::new()
            })
        })
        .model::<Resolve>(|world, question| Ok(resolved(world, question)));
    host.change(|world| packages.iter().for_each(|name| world.note(key(name), "1")));
    host
}

pub(crate) fn cases() -> Vec<Expect> {
    let asks = "what is there decides whether dnf is asked";
    vec![
        case(
            "DNF-01 missing packages are one transaction",
            "dnf: {name: [gcc, make]}",
        )
        .on(host(&[]))
        .changes(["package `gcc`: null -> \"1-1\"", "package `make`"])
        .gives("packages.gcc", "\"1-1\"")
        .gives("results", "[\"Installed: something-1-1.noarch\"]"),
        case(
            "DNF-01 in its state",
            "yum: {name: 'gcc, make', state: present}",
        )
        .on(host(&["gcc", "make"]))
        .gives("msg", "\"Nothing to do\"")
        .gives("results", "[]"),
        case(
            "DNF-02 what is there goes",
            "yum: {name: gcc, state: absent}",
        )
        .on(host(&["gcc"]))
        .changes(["package `gcc`: \"1-1\" -> null"])
        .gives("packages", "{}"),
        case(
            "DNF-05 a name that no repository knows",
            "yum: {name: [gcc, nosuch]}",
        )
        .on(host(&[]))
        .refused("no repository that is on has `nosuch`"),
        case(
            "DNF-06 what is not there need not go",
            "yum: {name: gcc, state: absent}",
        )
        .on(host(&[])),
        case(
            "DNF-07 a pattern that nothing matches",
            "yum: {name: 'app*', state: absent}",
        )
        .on(host(&[])),
        case("DNF-07 a pattern", "yum: {name: 'app*', state: absent}")
            .on(host(&["apple"]))
            .changes(["package `app*`: true -> null", "package `apple`"]),
        case("DNF-08 present never upgrades", "yum: {name: apple}").on(host(&["apple"])),
        case(
            "DNF-08 latest does",
            "yum: {name: [apple, gcc], state: latest}",
        )
        .on(host(&["apple"]))
        .changes([
            "package `apple`: \"1-1\" -> \"2-1\"",
            "package `gcc`: null -> \"1-1\"",
        ]),
        case(
            "DNF-14 only what is there",
            "yum: {name: [apple, gcc], state: latest, update_only: true}",
        )
        .on(host(&["apple"]))
        .changes(["package `apple`: \"1-1\" -> \"2-1\""])
        .rounds(2, asks),
        case(
            "DNF-16 a group and a package",
            "yum: {name: ['@fruit', gcc]}",
        )
        .on(host(&[]))
        .changes([
            "package `gcc`",
            "package `@fruit`",
            "package `apple`",
            "package `berry`",
        ]),
        case(
            "DNF-20 `download_dir` is for `download_only`",
            "yum: {name: gcc, download_dir: /srv}",
        )
        .refused("`download_dir` needs `download_only`"),
        case("DNF-23 a file", "yum: {name: /usr/bin/labtool}")
            .on(host(&[]))
            .changes(["package `/usr/bin/labtool`: null -> \"labtool-1-1\""]),
    ]
}

/// A host whose dnf also notes how it was called, and fails where there is no such package.
fn shop() -> Arc<FakeHost> {
    Arc::new(host(&["old"]).program("dnf", |world, call| {
        let words: Vec<&str> = call
            .args()
            .into_iter()
            .filter(|w| !w.starts_with('-'))
            .collect();
        let calls = world.noted("calls").unwrap_or_default().to_owned();
        let line = words.join(" ");
        world.note("calls", format!("{calls}{line}\n"));
        if words.contains(&"bad") {
            return fake::failed(
                1,
                "error: %prein(bad-1-1.noarch) scriptlet failed, exit status 1\n",
            );
        }
        dnf(world, call)
    }))
}

#[tokio::test]
async fn tasks_of_one_kind_are_one_transaction() {
    let tasks = [
        ("gcc", "present"),
        ("make", "present"),
        ("rpm-build", "present"),
        ("old", "absent"),
    ];
    let host = shop();
    let (calls, told) = joined::<Yum>(&tasks, &host).await;
    assert_eq!(calls, ["install gcc make rpm-build", "remove old"]);
    assert_eq!(told, [Outcome::Changed; 4]);
    let (calls, told) = joined::<Yum>(&tasks, &host).await;
    assert_eq!(calls.len(), 2, "nothing more was called");
    assert_eq!(told, [Outcome::Unchanged; 4]);
}

#[tokio::test]
async fn where_the_transaction_fails_each_fails_for_itself() {
    let host = shop();
    let tasks = [("gcc", "present"), ("bad", "present"), ("make", "present")];
    let (calls, told) = joined::<Yum>(&tasks, &host).await;
    assert_eq!(
        calls,
        ["install gcc bad make", "install gcc", "install bad"]
    );
    assert_eq!(told, [Outcome::Changed, Outcome::Failed, Outcome::Blocked]);
}
