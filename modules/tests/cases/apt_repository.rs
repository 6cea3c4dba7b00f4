//! `apt-repository`.

use std::collections::BTreeMap;

use evenkeel_engine::fake::{self, FakeHost, World};
use evenkeel_modules::{
    apt::{Age, Lists},
    apt_repository::Sources,
};

use crate::support::{Expect, case};

fn sources(world: &World) -> BTreeMap<String, String> {
    let paths = world
        .paths()
        .filter(|path| path.starts_with("/etc/apt/sources.list") && world.text(path).is_some());
    let read = |path: &str| Some((path.to_owned(), world.text(path)?));
    paths.filter_map(read).collect()
}

/// A host with these files below /etc/apt, whose lists are as good as they.
fn host(files: &[(&str, &str)]) -> FakeHost {
    let host = files.iter().fold(
        FakeHost::new().dir("/etc/apt/sources.list.d"),
        |host, (path, text)| host.file(&format!("/etc/apt/{path}"), *text),
    );
    let host = host
        .model::<Sources>(|world, _| Ok(sources(world)))
        .model::<Lists>(|world, _| {
            let fetched = world.noted("fetched").map(str::to_owned);
            Ok(if fetched == Some(format!("{:?}", sources(world))) {
                Age::Fresh
            } else {
                Age::Sources
            })
        })
        .program("apt-get", |world, _| {
            let now = format!("{:?}", sources(world));
            world.note("fetched", now);
            fake::ok("")
        });
    host.change(|world| {
        let now = format!("{:?}", sources(world));
        world.note("fetched", now);
    });
    host
}

const TOOLS: &str = "/etc/apt/sources.list.d/tools.list";
const LISTS: &str = "lists of packages: \"older than the sources\" -> \"fetched\"";

const LINE: &str = "deb https://x.example/debian stable main";

/// A task about it, with more arguments.
fn one(more: &str) -> String {
    format!("apt_repository: {{repo: '{LINE}'{more}}}")
}

pub(crate) fn cases() -> Vec<Expect> {
    [there(), gone_and_others()].concat()
}

fn there() -> Vec<Expect> {
    let line = LINE;
    vec![
        case("AR-01 a new source", &one(", filename: tools"))
            .on(host(&[]))
            .changes(["content", LISTS])
            .then(TOOLS, &format!("file 0644 root:root = {line}\n"))
            .gives("paths", &format!("[\"{TOOLS}\"]")),
        case(
            "AR-01 its file has a name of its address",
            &one(", update_cache: false"),
        )
        .on(host(&[]))
        .changes(["content"])
        .then(
            "/etc/apt/sources.list.d/x_example_debian.list",
            &format!("file = {line}\n"),
        ),
        case(
            "AR-01 beside another",
            &one(", filename: tools, update_cache: false"),
        )
        .on(host(&[(
            "sources.list.d/tools.list",
            "deb http://y s main",
        )]))
        .changes(["content"])
        .then(TOOLS, &format!("file = deb http://y s main\n{line}\n")),
        case("AR-02 the same in other words", &one("")).on(host(&[(
            "sources.list",
            "# all\ndeb   https://x.example/debian/  stable main # mine\n",
        )])),
        case(
            "AR-03 other options take their place",
            "apt_repository: {repo: 'deb [signed-by=/k] https://x.example/debian stable main'}",
        )
        .on(host(&[("sources.list.d/x.list", &format!("{line}\n"))]))
        .changes(["content", LISTS])
        .then(
            "/etc/apt/sources.list.d/x.list",
            "file = deb [signed-by=/k] https://x.example/debian stable main\n",
        ),
        case("AR-04 one that is off is put on", &one(""))
            .on(host(&[("sources.list.d/x.list", &format!("# {line}\n"))]))
            .changes(["content", LISTS])
            .then(
                "/etc/apt/sources.list.d/x.list",
                &format!("file = {line}\n"),
            ),
    ]
}

fn gone_and_others() -> Vec<Expect> {
    let line = LINE;
    vec![
        case("AR-05 gone with its file", &one(", state: absent"))
            .on(host(&[("sources.list.d/x.list", &format!("{line}\n"))]))
            .changes(["file", LISTS])
            .then("/etc/apt/sources.list.d/x.list", "nothing")
            .gives("paths", "[]"),
        case("AR-05 others stay", &one(", state: absent"))
            .on(host(&[(
                "sources.list",
                &format!("deb http://y s main\n{line}\n"),
            )]))
            .changes(["content", LISTS])
            .then("/etc/apt/sources.list", "file = deb http://y s main\n"),
        case("AR-05 it is not there", &one(", state: absent")).on(host(&[])),
        case("AR-06 in a file of stanzas", &one("")).on(host(&[(
            "sources.list.d/x.sources",
            "Types: deb\nURIs: https://x.example/debian\nSuites: stable\nComponents: main\n",
        )])),
        case("AR-06 that is not written", &one(", state: absent"))
            .on(host(&[(
                "sources.list.d/x.sources",
                "Types: deb\nURIs: https://x.example/debian\nSuites: stable\nComponents: main\n",
            )]))
            .refused("the source is in `/etc/apt/sources.list.d/x.sources`, a file of stanzas"),
        case(
            "AR-07 what is short for a source",
            "apt_repository: {repo: 'ppa:owner/name'}",
        )
        .refused("`ppa:owner/name` is short for a source that Launchpad knows"),
        case("AR-08 lists are older than the sources", &one(""))
            .on({
                let host = host(&[("sources.list.d/x.list", &format!("{line}\n"))]);
                host.change(|world| world.note("fetched", "before"));
                host
            })
            .changes([LISTS]),
        case(
            "AR-09 the mode counts",
            &one(", filename: tools, mode: '0600'"),
        )
        .on(host(&[("sources.list.d/tools.list", &format!("{line}\n"))]))
        .changes(["mode"]),
    ]
}
