//! Files of hosts that are kept here: whole, once, whatever happens on the way.

use std::{
    fmt, io,
    sync::{Arc, Mutex},
};

use evenkeel_engine::{
    Action, Content, Module, Plan, Probes, Seen, Sha, Source, Stop, Task, TaskList, Write, ask,
    event::Outcome,
    fake::FakeHost,
    host::Host,
    keep::{Incoming, Keep, KeptFile, KeptPlace},
    probes::Digest,
    run::{Cancel, Options},
};
use evenkeel_modules::fetch::{Args, Fetch};

use crate::{
    kit::{Ran, cell, cells, go_list, go_with, host, list, path, put},
    survive::losses,
};

const MIB: usize = 1024 * 1024;

fn fetch(name: &str, src: &str) -> Task {
    let args = Args {
        src: src.to_owned(),
        dest: "/kept".to_owned(),
        host: Some("box".to_owned()),
        fail_on_missing: true,
        ..Args::default()
    };
    Task::new::<Fetch>(name, args)
}

fn flat(name: &str, src: &str, dest: &str) -> Task {
    let args = Args {
        src: src.to_owned(),
        dest: dest.to_owned(),
        flat: true,
        fail_on_missing: true,
        ..Args::default()
    };
    Task::new::<Fetch>(name, args)
}

fn place(name: &str) -> KeptPlace {
    KeptPlace {
        dir: "/kept".to_owned(),
        name: name.to_owned(),
    }
}

fn kept(host: &FakeHost, name: &str) -> Option<Vec<u8>> {
    host.world().kept(&place(name)).map(<[u8]>::to_vec)
}

fn keeping(host: &Arc<FakeHost>) -> Options {
    with(host.keeper())
}

fn with(keep: Arc<dyn Keep>) -> Options {
    Options {
        keep,
        ..Options::new()
    }
}

fn large() -> Vec<u8> {
    (0..=250).cycle().take(20 * MIB + 3).collect()
}

fn error(ran: &Ran, task: &str) -> String {
    let error = ran.of(task).and_then(|task| task.error.clone());
    error.map(|error| error.message).unwrap_or_default()
}

#[test]
fn a_large_file_comes_in_parts_and_once() {
    let host = Arc::new(host().file("/srv/large", large()));
    let first = go_with(&host, vec![fetch("get", "/srv/large")], keeping(&host));
    assert_eq!(first.told(), ["get: Changed /kept/box/srv/large"]);
    assert!(kept(&host, "box/srv/large").unwrap() == large());
    // A look, the intent, three parts, the end.
    assert_eq!(first.exchanges, 6);
    let second = go_with(&host, vec![fetch("get", "/srv/large")], keeping(&host));
    assert_eq!(second.told(), ["get: Unchanged "]);
    assert_eq!(second.exchanges, 1);
}

#[test]
fn a_check_says_it_and_keeps_nothing() {
    let host = Arc::new(host().file("/cells/a", "old"));
    let tasks = || {
        vec![
            fetch("first", &path("a")),
            cell("write", "a", "new"),
            fetch("again", &path("a")),
        ]
    };
    let mut check = keeping(&host);
    check.mode = evenkeel_engine::run::Mode::Check;
    let check = go_with(&host, tasks(), check);
    assert_eq!(kept(&host, "box/cells/a"), None);
    let run = go_with(&host, tasks(), keeping(&host));
    assert_eq!(check.told(), run.told());
    assert_eq!(
        run.told(),
        [
            "first: Changed /kept/box/cells/a",
            "write: Changed value",
            "again: Changed /kept/box/cells/a"
        ]
    );
    assert_eq!(kept(&host, "box/cells/a").unwrap(), b"new");
}

#[test]
fn it_waits_for_who_writes_the_file_and_they_for_it() {
    for (one, other) in [
        (cell as fn(_, _, _) -> _, put as fn(_, _, _) -> _),
        (put, cell),
    ] {
        let host = Arc::new(host().file("/cells/a", "old"));
        let tasks = vec![
            one("one", "a", "first"),
            fetch("get", &path("a")),
            other("other", "a", "second"),
            cell("beside", "b", "b"),
        ];
        let ran = go_with(&host, tasks, keeping(&host));
        assert!(ran.report.ok, "{:?}", ran.told());
        assert_eq!(kept(&host, "box/cells/a").unwrap(), b"first");
        assert_eq!(host.world().text("/cells/a").unwrap(), "second");
    }
}

#[test]
fn a_lost_connection_costs_nothing() {
    let tasks = || {
        let get = fetch("get", "/srv/f");
        vec![cell("a", "a", "1"), get, cell("b", "b", "2")]
    };
    // Of a large file in several parts, only the exchanges in its middle.
    for (bytes, large) in [(b"small".to_vec(), false), (large(), true)] {
        let fresh = || host().file("/srv/f", &bytes);
        let whole = Arc::new(fresh());
        let calm = go_with(&whole, tasks(), keeping(&whole));
        assert!(calm.report.ok, "{:?}", calm.told());
        for (exchange, seen) in (1..=calm.exchanges as u64).zip(whole.exchanges()) {
            if large && exchange != 4 {
                continue;
            }
            for loss in losses(seen.ops.len()) {
                let what = format!("{exchange} {loss:?}");
                let host = Arc::new(loss.on(fresh(), exchange));
                let ran = go_with(&host, tasks(), keeping(&host));
                assert!(ran.report.ok, "{what}: {:?}", ran.told());
                assert!(kept(&host, "box/srv/f").unwrap() == bytes, "{what}");
                assert_eq!(cells(&host), cells(&whole), "{what}");
                let second = go_with(&host, tasks(), keeping(&host));
                assert_eq!(second.report.hosts["box"].changed, 0, "{what}");
            }
        }
    }
}

#[test]
fn who_listens_hears_of_it_after_a_run_that_died() {
    let tasks = |host: &Arc<FakeHost>| {
        let mut list = TaskList::new("kit");
        list.host("box", Arc::clone(host) as Arc<dyn Host>);
        let get = list.task(fetch("get", "/srv/large").id("get"));
        list.task(
            put("told", "told", "yes")
                .id("told")
                .triggered_by(get)
                .handler(),
        );
        list
    };
    let calm = Arc::new(host().file("/srv/large", large()));
    let calm = go_list(tasks(&calm), keeping(&calm), &Cancel::new(), &calm);
    assert!(calm.report.ok);
    for exchange in 2..=calm.exchanges as u64 {
        let host = Arc::new(
            host()
                .file("/srv/large", large())
                .breaks_connection(exchange),
        );
        let dies = Options {
            reconnect: std::time::Duration::ZERO,
            ..keeping(&host)
        };
        go_list(tasks(&host), dies, &Cancel::new(), &host);
        // With its connection the lock is gone.
        host.dies();
        let next = go_list(tasks(&host), keeping(&host), &Cancel::new(), &host);
        assert!(next.report.ok, "{exchange}: {:?}", next.told());
        assert!(kept(&host, "box/srv/large").is_some());
        assert_eq!(
            host.world().text("/cells/told").unwrap(),
            "yes",
            "{exchange}"
        );
    }
}

type Before = Arc<dyn Fn(&str) -> io::Result<()> + Send + Sync>;

/// Does something before each of its operations; fails where that fails.
struct Meddling {
    inner: Arc<dyn Keep>,
    before: Before,
}

impl fmt::Debug for Meddling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Meddling")
    }
}

impl Keep for Meddling {
    fn digest(&self, place: &KeptPlace) -> io::Result<Option<Sha>> {
        (self.before)("digest")?;
        self.inner.digest(place)
    }

    fn source(&self, place: &KeptPlace) -> io::Result<Option<Source>> {
        (self.before)("source")?;
        self.inner.source(place)
    }

    fn begin(&self, place: &KeptPlace, secret: bool) -> io::Result<Box<dyn Incoming>> {
        (self.before)(if secret { "secret" } else { "begin" })?;
        Ok(Box::new(MeddlingFile {
            inner: self.inner.begin(place, secret)?,
            before: Arc::clone(&self.before),
        }))
    }
}

struct MeddlingFile {
    inner: Box<dyn Incoming>,
    before: Before,
}

impl Incoming for MeddlingFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        (self.before)("write")?;
        self.inner.write(bytes)
    }

    fn finish(self: Box<Self>) -> io::Result<()> {
        (self.before)("finish")?;
        self.inner.finish()
    }
}

fn meddling(
    host: &Arc<FakeHost>,
    before: impl Fn(&str) -> io::Result<()> + Send + Sync + 'static,
) -> Options {
    with(Arc::new(Meddling {
        inner: host.keeper(),
        before: Arc::new(before),
    }))
}

#[test]
fn where_nothing_can_be_kept_the_task_fails_and_the_rest_goes_on() {
    for (broken, message) in [
        (
            "digest",
            "nothing can be kept at `/kept/box/srv/f`: no space is left",
        ),
        (
            "begin",
            "cannot fetch `/srv/f`: `/kept/box/srv/f`: no space is left",
        ),
        (
            "write",
            "cannot fetch `/srv/f`: `/kept/box/srv/f`: no space is left",
        ),
        (
            "finish",
            "cannot fetch `/srv/f`: `/kept/box/srv/f`: no space is left",
        ),
    ] {
        let host = Arc::new(host().file("/srv/f", "x"));
        let fails = move |now: &str| {
            if now == broken {
                return Err(io::Error::other("no space is left"));
            }
            Ok(())
        };
        let options = Options {
            keep_going: true,
            ..meddling(&host, fails)
        };
        let ran = go_with(
            &host,
            vec![fetch("get", "/srv/f"), cell("a", "a", "1")],
            options,
        );
        assert_eq!(error(&ran, "get"), message);
        assert_eq!(kept(&host, "box/srv/f"), None);
        assert_eq!(ran.of("a").unwrap().outcome, Outcome::Changed);
        let next = go_with(&host, vec![fetch("get", "/srv/f")], keeping(&host));
        assert!(next.report.ok);
    }
}

#[test]
fn a_program_without_a_place_says_so() {
    let host = Arc::new(host().file("/srv/f", "x"));
    let ran = go_with(&host, vec![fetch("get", "/srv/f")], Options::new());
    assert_eq!(
        error(&ran, "get"),
        "nothing can be kept at `/kept/box/srv/f`: this program keeps no files of hosts (it would say where in `Options::keep`)"
    );
}

type Change = fn(&FakeHost);

#[test]
fn what_changes_while_it_is_read_is_not_kept() {
    let changed = "cannot fetch `/srv/large`: it changed while it was being read: run again when nothing writes to it";
    let gone = "cannot fetch `/srv/large`: it is gone, or no file any more";
    let all: [(Change, &str); 4] = [
        (
            |host| host.change(|world| world.write("/srv/large", vec![1; 20 * MIB + 3])),
            changed,
        ),
        (
            |host| host.change(|world| world.write("/srv/large", vec![1; 9 * MIB])),
            changed,
        ),
        (
            |host| host.change(|world| world.write("/srv/large", "")),
            changed,
        ),
        (|host| host.change(|world| world.remove("/srv/large")), gone),
    ];
    for (change, message) in all {
        let host = Arc::new(host().file("/srv/large", large()));
        let (there, done) = (Arc::clone(&host), Mutex::new(false));
        let meddles = move |now: &str| {
            if now == "write" && !std::mem::replace(&mut *done.lock().unwrap(), true) {
                change(&there);
            }
            Ok(())
        };
        let options = meddling(&host, meddles);
        let ran = go_with(&host, vec![fetch("get", "/srv/large")], options);
        assert_eq!(error(&ran, "get"), message);
        assert_eq!(kept(&host, "box/srv/large"), None);
    }
}

#[test]
fn what_is_added_to_it_meanwhile_is_left_for_later() {
    let host = Arc::new(host().file("/srv/log", large()));
    let longer = [large(), b"more".to_vec()].concat();
    let (there, more) = (Arc::clone(&host), longer.clone());
    let meddles = move |now: &str| {
        if now == "begin" {
            there.change(|world| world.write("/srv/log", &more));
        }
        Ok(())
    };
    let options = meddling(&host, meddles);
    let ran = go_with(&host, vec![fetch("get", "/srv/log")], options);
    assert!(ran.report.ok, "{:?}", ran.told());
    assert!(kept(&host, "box/srv/log").unwrap() == large());
    go_with(&host, vec![fetch("get", "/srv/log")], keeping(&host));
    assert!(kept(&host, "box/srv/log").unwrap() == longer);
}

#[test]
fn what_is_hidden_is_for_its_owner_alone() {
    for hidden in [true, false] {
        let host = Arc::new(host().file("/srv/f", "x"));
        let (said, begun) = (Arc::new(Mutex::new(Vec::new())), ["secret", "begin"]);
        let note = {
            let said = Arc::clone(&said);
            move |now: &str| {
                said.lock().unwrap().push(now.to_owned());
                Ok(())
            }
        };
        let mut task = fetch("get", "/srv/f");
        task.no_log = hidden;
        let options = meddling(&host, note);
        go_with(&host, vec![task], options);
        let said = said.lock().unwrap();
        assert!(said.contains(&begun[usize::from(!hidden)].to_owned()));
    }
}

#[test]
fn two_hosts_have_no_place_in_common() {
    for (other, fails) in [("the same", false), ("another", true)] {
        let one = Arc::new(host().machine("one").file("/srv/f", "the same"));
        let two = Arc::new(host().machine("two").file("/srv/f", other));
        let mut tasks = list(&one, vec![flat("get", "/srv/f", "/kept/f")]);
        let second = tasks.host("other", Arc::clone(&two) as Arc<dyn Host>);
        tasks.task(flat("get too", "/srv/f", "/kept/f").on(second));
        let options = Options {
            forks: 1,
            ..keeping(&one)
        };
        let ran = go_list(tasks, options, &Cancel::new(), &one);
        let failed: Vec<_> = ran
            .finished()
            .filter_map(|task| task.error.as_ref())
            .collect();
        assert_eq!(failed.len(), usize::from(fails), "{:?}", ran.told());
        if let Some(error) = failed.first() {
            assert!(
                error.message.contains("is already what was fetched from `"),
                "{}",
                error.message
            );
        }
    }
}

#[test]
fn a_run_that_is_stopped_keeps_nothing() {
    let host = Arc::new(host().file("/srv/large", large()));
    let cancel = Cancel::new();
    let stops = {
        let cancel = cancel.clone();
        move |now: &str| {
            if now == "write" {
                cancel.stop();
            }
            Ok(())
        }
    };
    let options = meddling(&host, stops);
    let ran = go_list(
        list(&host, vec![fetch("get", "/srv/large")]),
        options,
        &cancel,
        &host,
    );
    assert!(ran.report.interrupted);
    assert_eq!(kept(&host, "box/srv/large"), None);
    let next = go_with(&host, vec![fetch("get", "/srv/large")], keeping(&host));
    assert!(next.report.ok, "{:?}", next.told());
    assert!(kept(&host, "box/srv/large").is_some());
}

/// Has what is kept on this machine, else makes its own: as one build does for all hosts.
struct Shared;

impl Module for Shared {
    const NAME: &'static str = "shared";
    const ABOUT: &'static str = "has what another made";
    const EXAMPLE: &'static str = "";
    type Args = String;
    type Output = ();

    fn observe(name: &String, _: &Seen) -> Probes {
        vec![ask(KeptFile(place(name))), ask(Digest(path("shared")))]
    }

    fn plan(name: &String, seen: &Seen) -> Result<Plan, Stop> {
        let kept = seen.get(&KeptFile(place(name)))?;
        if seen.get(&Digest(path("shared")))?.is_some() {
            return Ok(Plan::nothing());
        }
        let content = match kept {
            Ok(Some(kept)) => Content::from(kept),
            _ => Content::from("its own"),
        };
        let write = Write {
            path: path("shared"),
            content,
            ..Write::default()
        };
        Ok(evenkeel_engine::Change::new("shared", "", "")
            .step(Action::Write(write))
            .into())
    }

    fn output(_: &String, _: &Seen, _: &[evenkeel_engine::Done]) -> Result<(), Stop> {
        Ok(())
    }

    fn touches(_: &String) -> evenkeel_engine::Touches {
        evenkeel_engine::Touches::writes([evenkeel_engine::Thing::Path(path("shared"))])
    }

    fn subject(name: &String) -> String {
        name.clone()
    }
}

#[test]
fn who_waits_for_another_host_sees_what_that_one_has_brought() {
    let first = Arc::new(host().file("/srv/f", "built"));
    let second = Arc::new(host().machine("another"));
    let mut list = TaskList::new("kit");
    let one = list.host("box", Arc::clone(&first) as Arc<dyn Host>);
    let other = list.host("other", Arc::clone(&second) as Arc<dyn Host>);
    let get = list.task(fetch("get", "/srv/f").on(one));
    let shared = Task::new::<Shared>("shared", "box/srv/f".to_owned());
    list.task(shared.on(other).after(get));
    let ran = go_list(list, keeping(&first), &Cancel::new(), &first);
    assert!(ran.report.ok, "{:?}", ran.told());
    assert_eq!(second.world().text(&path("shared")).unwrap(), "built");
}
