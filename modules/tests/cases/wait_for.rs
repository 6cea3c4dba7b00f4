//! `wait_for`.

use evenkeel_engine::{
    Done,
    fake::{Call, FakeHost, World},
    testing::Law,
};
use evenkeel_modules::wait_for::Reached;

use crate::support::{Expect, case};

/// Together, these set every argument there is, none to its default.
pub(crate) const SAMPLES: &[&str] = &[
    "wait_for: {host: 10.0.0.1, port: 80, state: drained, timeout: 7, delay: 2, sleep: 3, \
     connect_timeout: 4, msg: m, active_connection_states: [TIME_WAIT], exclude_hosts: [10.0.0.2]}",
    "wait_for: {path: /f, search_regex: r}",
];

/// What the host finds when it looks.
fn found(world: &World, kind: &str, operands: &[String]) -> Option<Vec<u8>> {
    let path = operands.first()?;
    match kind {
        "there" => world.stat(path).map(|_| Vec::new()),
        "gone" => world.stat(path).is_none().then(Vec::new),
        "line" => {
            let text = world.text(path)?;
            let line = text.lines().find(|line| line.starts_with("ready"))?;
            Some(line.as_bytes().to_vec())
        }
        kind => {
            let port = if kind == "drained" {
                path
            } else {
                &operands[1]
            };
            let up = world.noted(&format!("port {port}")).is_some();
            (up == (kind == "open" || kind == "says")).then(Vec::new)
        }
    }
}

/// A host on which what is waited for comes if it is noted, or has a file of its name.
fn host() -> FakeHost {
    let waits = |world: &mut World, call: &Call| {
        let words = call.args();
        let Some(at) = words.iter().position(|word| *word == "wait_for") else {
            return Done::default();
        };
        let words: Vec<String> = words[at + 4..]
            .iter()
            .map(|word| (*word).to_owned())
            .collect();
        if let Some(what) = world.noted("comes").map(str::to_owned) {
            match what.split_once(' ') {
                Some(("write", path)) => world.write(path, "ready: 7\n"),
                Some(("remove", path)) => world.remove(path),
                Some(("close", port)) => world.forget(&format!("port {port}")),
                _ => world.note(what, "up"),
            }
        }
        if words[0] == "says" && world.noted("bash").is_none() {
            return Done {
                status: 3,
                ..Done::default()
            };
        }
        match found(world, &words[0], &words[1..]) {
            Some(line) => Done {
                stdout: [line, b"\n".to_vec()].concat(),
                ..Done::default()
            },
            None => Done {
                status: 1,
                ..Done::default()
            },
        }
    };
    FakeHost::new()
        .dir("/run")
        .program("/bin/sh", waits)
        .program("sleep", |_, _| Done::default())
        .model(|world, probe: &Reached| Ok(found(world, probe.kind, &probe.operands)))
}

/// A host on which this comes while it waits.
fn comes(what: &str) -> FakeHost {
    noted(&[("comes", what)])
}

fn noted(notes: &[(&str, &str)]) -> FakeHost {
    let host = host();
    host.change(|world| {
        for (key, value) in notes {
            world.note(*key, *value);
        }
    });
    host
}

fn with_file(path: &str, text: &str) -> FakeHost {
    let host = host();
    host.change(|world| world.write(path, text));
    host
}

pub(crate) fn cases() -> Vec<Expect> {
    let mut cases = ports();
    cases.extend(paths());
    cases.extend(refusals());
    cases
}

fn ports() -> Vec<Expect> {
    vec![
        case("WF-01 a port that opens", "wait_for: {port: 5432}")
            .on(comes("port 5432"))
            .changes(["wait for 127.0.0.1:5432 to open"])
            .gives("state", "\"started\"")
            .gives("port", "5432")
            .gives("elapsed", "0"),
        case(
            "WF-01 an open port costs nothing",
            "wait_for: {port: '5432', host: localhost}",
        )
        .on(noted(&[("port 5432", "up")])),
        case("WF-01 after a delay", "wait_for: {port: 5432, delay: 2}")
            .on(noted(&[("port 5432", "up")]))
            .changes(["wait for 127.0.0.1:5432 to open"]),
        case(
            "WF-01 longer than five minutes, beside the connection",
            "wait_for: {port: 1, timeout: 900}",
        )
        .on(comes("port 1"))
        .changes(["wait for 127.0.0.1:1 to open"]),
        case("WF-01 nothing but time", "wait_for: {timeout: 3}")
            .on(host())
            .changes(["wait for 3 s"]),
        case(
            "WF-02 in vain",
            "wait_for: {host: db.example.org, port: 5432, timeout: 7}",
        )
        .on(host())
        .fails("Timeout when waiting for db.example.org:5432"),
        case(
            "WF-02 in vain, in words of one's own",
            "wait_for: {port: 80, msg: the web is down}",
        )
        .on(host())
        .fails("the web is down"),
        case(
            "WF-01 a closed port",
            "wait_for: {port: 80, state: stopped}",
        )
        .on(host()),
        case(
            "WF-01 a port that closes",
            "wait_for: {port: 80, state: absent}",
        )
        .on(noted(&[("port 80", "up"), ("comes", "close 80")]))
        .changes(["wait for 127.0.0.1:80 to close"]),
        case(
            "WF-04 nobody is connected",
            "wait_for: {port: 80, state: drained}",
        )
        .on(host()),
        case(
            "WF-04 connections end",
            "wait_for: {port: 80, state: drained, exclude_hosts: '10.0.0.1,10.0.0.2'}",
        )
        .on(noted(&[("port 80", "up"), ("comes", "close 80")]))
        .changes(["wait for nobody to be connected to 127.0.0.1:80"]),
        case("WF-04 they do not", "wait_for: {port: 80, state: drained}")
            .on(noted(&[("port 80", "up")]))
            .fails("Timeout when waiting for 127.0.0.1:80 to drain"),
        case(
            "WF-03 a server that says something",
            "wait_for: {port: 22, search_regex: OpenSSH}",
        )
        .on(noted(&[("port 22", "up"), ("bash", "there")]))
        .changes(["wait for 127.0.0.1:22 to say `OpenSSH`"]),
        case(
            "WF-03 only bash can listen",
            "wait_for: {port: 22, search_regex: OpenSSH}",
        )
        .on(noted(&[("port 22", "up")]))
        .fails("what a port says cannot be read: this host has no `bash`"),
    ]
}

fn paths() -> Vec<Expect> {
    let ready = "wait_for: {path: /run/app.log, search_regex: '^ready. (?P<n>.)'}";
    vec![
        case("WF-03 a file that comes", "wait_for: {path: /run/app.pid}")
            .on(comes("write /run/app.pid"))
            .without(Law::Touches, "somebody else makes it while it waits")
            .changes(["wait for `/run/app.pid`"])
            .gives("path", "\"/run/app.pid\""),
        case(
            "WF-03 a file that is there",
            "wait_for: {path: /run/app.pid, state: present}",
        )
        .on(with_file("/run/app.pid", "7")),
        case(
            "WF-03 a file that goes",
            "wait_for: {path: /run/lock, state: absent}",
        )
        .on({
            let host = comes("remove /run/lock");
            host.change(|world| world.write("/run/lock", ""));
            host
        })
        .without(Law::Touches, "somebody else removes it while it waits")
        .changes(["wait for `/run/lock` to go"]),
        case(
            "WF-03 a file that does not come",
            "wait_for: {path: /run/app.pid, timeout: 1}",
        )
        .on(host())
        .fails("Timeout when waiting for file /run/app.pid"),
        case("WF-03 a line with groups", ready)
            .on(with_file("/run/app.log", "starting\nready: 7\n"))
            .gives("match_groups", "[\"7\"]")
            .gives("match_groupdict", "{\"n\":\"7\"}"),
        case("WF-03 a line that comes", ready)
            .on(comes("write /run/app.log"))
            .without(Law::Touches, "somebody else makes it while it waits")
            .changes(["wait for a line like `^ready. (?P<n>.)` in `/run/app.log`"])
            .gives("match_groupdict.n", "\"7\""),
        case("WF-03 a line that does not come", ready)
            .on(with_file("/run/app.log", "starting\n"))
            .fails("Timeout when waiting for search string ^ready"),
    ]
}

fn refusals() -> Vec<Expect> {
    vec![
        case("WF-02 a port and a path", "wait_for: {port: 1, path: /a}")
            .refused("`port` and `path` exclude each other"),
        case(
            "WF-02 a path is not stopped",
            "wait_for: {path: /a, state: stopped}",
        )
        .refused("`state: stopped` is about a port"),
        case("WF-02 what is drained", "wait_for: {state: drained}")
            .refused("neither `port` nor `path`"),
        case(
            "WF-04 a name has no connections",
            "wait_for: {host: db, port: 1, state: drained}",
        )
        .refused("`db` is no address"),
        case(
            "WF-04 a state that there is not",
            "wait_for: {port: 1, state: drained, active_connection_states: LISTEN}",
        )
        .refused("`LISTEN` is no state"),
        case(
            "WF-03 a pattern that looks ahead",
            "wait_for: {path: /a, search_regex: 'a(?=b)'}",
        )
        .refused("cannot be searched for"),
    ]
}
