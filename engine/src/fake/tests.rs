use std::sync::Arc;

use super::*;
use crate::{
    Action, Attrs, Identity, Run, Write, ask,
    host::{LedgerPlace, LedgerText, Lock, LongStep, Op, OpResult, StepEnd},
    probe::{Answer, Probes},
    probes::{Account, Answered, Ask, Digest, FileStat, RealPath, Stat, User, Which, Whoami},
};

fn lock(serial: u64) -> Lock {
    Lock {
        serial,
        wait_millis: 0,
        holder: "me".to_owned(),
    }
}

fn request(run: &str, lock: impl Into<Option<Lock>>, ops: Vec<Op>) -> Exchange {
    Exchange {
        run: run.to_owned(),
        place: LedgerPlace::User,
        lock: lock.into(),
        ops,
        tail: Vec::new(),
    }
}

fn ran(host: &FakeHost, ops: Vec<Op>) -> Vec<OpResult> {
    match host.exchange_now(&request("run", lock(serial(host)), ops)) {
        Ok(Reply::Ran { ops, .. }) => ops,
        reply => panic!("{reply:?}"),
    }
}

fn ledger(host: &FakeHost) -> LedgerText {
    host.state().ledger.text()
}

fn serial(host: &FakeHost) -> u64 {
    ledger(host).serial
}

fn step(action: impl Into<Action>) -> Op {
    Op::Step {
        who: Identity::login(),
        env: Vec::new(),
        action: Box::new(action.into()),
        effects: Vec::new(),
        long: None,
        on_failure: None,
    }
}

fn write(path: &str, text: &str) -> Op {
    step(Action::Write(Write {
        path: path.to_owned(),
        content: text.into(),
        ..Write::default()
    }))
}

fn run(argv: &[&str]) -> Action {
    Action::Run(Run::new(argv.iter().copied()))
}

fn journal(line: &str) -> Op {
    Op::Journal {
        lines: vec![line.to_owned()],
        sync: true,
    }
}

fn observed(host: &FakeHost, who: Identity, probes: Probes) -> Vec<Answer> {
    match ran(host, vec![Op::Observe { who, probes }]).remove(0) {
        OpResult::Observed(answers) => answers,
        result => panic!("{result:?}"),
    }
}

fn answer<P: Probe>(host: &FakeHost, probe: P) -> Result<P::Answer, NotYet> {
    let answers = observed(host, Identity::login(), vec![ask(probe)]);
    crate::probe::downcast::<P>(&answers[0]).cloned()
}

fn names(results: &[OpResult]) -> Vec<String> {
    let name = |result: &OpResult| match result {
        OpResult::Stepped(end) => format!("{end:?}").split('(').next().unwrap().to_owned(),
        result => format!("{result:?}"),
    };
    results.iter().map(name).collect()
}

#[test]
fn new_files_are_of_who_writes_and_of_the_group_of_a_setgid_directory() {
    let host = FakeHost::new()
        .user("app", 1000)
        .group("web", 33)
        .dir("/srv");
    let host = host.owned("/srv", "root", "web").mode("/srv", 0o2775);
    let mut op = write("/srv/a", "x");
    if let Op::Step { who, .. } = &mut op {
        *who = Identity::user("app");
    }
    assert_eq!(names(&ran(&host, vec![op])), ["Ok"]);
    let stat = host.world().stat("/srv/a").unwrap();
    let FileStat {
        owner, group, mode, ..
    } = stat;
    assert_eq!(
        (owner.as_str(), group.as_str(), mode),
        ("app", "web", 0o644)
    );
}

#[test]
fn nobody_becomes_a_user_that_does_not_exist() {
    let host = FakeHost::new();
    let answers = observed(&host, Identity::user("app"), vec![ask(Whoami)]);
    let why = answers[0].as_ref().err().unwrap();
    assert!(
        why.0.starts_with("cannot become app: no such user"),
        "{why}"
    );
    let mut op = write("/a", "x");
    if let Op::Step { who, .. } = &mut op {
        *who = Identity::user("app");
    }
    let reply = host.exchange_now(&request("run", lock(0), vec![op]));
    assert!(matches!(reply, Err(HostError::Privilege { user, .. }) if user == "app"));
}

#[test]
fn an_edited_file_is_not_written() {
    let host = FakeHost::new().file("/a", "theirs");
    let edit = |if_was| {
        step(Action::Write(Write {
            path: "/a".to_owned(),
            content: "ours".into(),
            if_was,
            ..Write::default()
        }))
    };
    let known = |text: &str| Some(Some(crate::sha256(text.as_bytes())));
    assert_eq!(names(&ran(&host, vec![edit(known("old"))])), ["Edited"]);
    assert_eq!(names(&ran(&host, vec![edit(Some(None))])), ["Edited"]);
    assert_eq!(host.world().text("/a").unwrap(), "theirs");
    assert_eq!(names(&ran(&host, vec![edit(known("theirs"))])), ["Ok"]);
    assert_eq!(host.world().text("/a").unwrap(), "ours");
}

#[test]
fn what_is_not_valid_takes_no_place() {
    let host = FakeHost::new()
        .file("/a", "old")
        .program("check", |world, call| {
            let text = world.text(call.args()[0]).unwrap();
            failed(i32::from(text != "good"), "bad line\n")
        });
    let before: Vec<_> = host.world().paths().map(str::to_owned).collect();
    let checked = |text: &str| {
        step(Action::Write(Write {
            path: "/a".to_owned(),
            content: text.into(),
            validate: Some(vec!["check".into(), "%s".into()]),
            ..Write::default()
        }))
    };
    assert_eq!(names(&ran(&host, vec![checked("worse")])), ["Failed"]);
    assert_eq!(host.world().text("/a").unwrap(), "old");
    assert_eq!(host.world().paths().collect::<Vec<_>>(), before);
    assert_eq!(names(&ran(&host, vec![checked("good")])), ["Ok"]);
    assert_eq!(host.world().text("/a").unwrap(), "good");
}

#[test]
fn a_failed_step_ends_the_list_or_goes_on_where_it_says() {
    let host = FakeHost::new().ends(["boom"], failed(3, "no\n"));
    let results = ran(&host, vec![step(run(&["boom"])), write("/a", "")]);
    assert_eq!(names(&results), ["Failed", "NotReached"]);
    assert!(!host.world().exists("/a"));
    let mut op = step(run(&["boom"]));
    if let Op::Step { on_failure, .. } = &mut op {
        *on_failure = Some(2);
    }
    let results = ran(&host, vec![op, write("/a", ""), write("/b", "")]);
    assert_eq!(names(&results), ["Failed", "NotReached", "Ok"]);
}

#[test]
fn a_guard_that_does_not_hold_ends_the_list() {
    let host = FakeHost::new().file("/a", "x");
    let guard = |text: &str| Op::Guard {
        who: Identity::login(),
        holds: vec![
            (
                ask(Stat("/none".into())),
                Ok(Arc::new(None::<FileStat>) as _),
            ),
            (
                ask(Digest("/a".into())),
                Ok(Arc::new(Some(crate::sha256(text.as_bytes()))) as _),
            ),
        ],
    };
    let results = ran(
        &host,
        vec![guard("x"), write("/b", ""), guard("y"), write("/c", "")],
    );
    let wanted = ["Guarded(None)", "Ok", "Guarded(Some(1))", "NotReached"];
    assert_eq!(names(&results), wanted);
}

#[test]
fn the_lock_is_of_one_run_until_it_gives_it_back_or_dies() {
    let host = FakeHost::new();
    ran(&host, vec![journal("one")]);
    let other = |serial| host.exchange_now(&request("other", lock(serial), Vec::new()));
    assert!(matches!(other(1), Ok(Reply::Held(who)) if who == "me"));
    let again = host.exchange_now(&request("run", lock(0), Vec::new()));
    assert!(
        matches!(again, Ok(Reply::Ran { .. })),
        "its own run has it already"
    );
    ran(&host, vec![Op::Release]);
    assert!(matches!(other(0), Ok(Reply::Stale)));
    assert!(matches!(other(1), Ok(Reply::Ran { .. })));
    host.dies();
    let run = host.exchange_now(&request("run", lock(1), Vec::new()));
    assert!(matches!(run, Ok(Reply::Ran { .. })));
}

#[test]
fn a_lock_of_others_can_be_waited_for() {
    let host = FakeHost::new().held_for(2, "other", "alice");
    let mut tries = (0..3).map(|_| host.exchange_now(&request("run", lock(0), Vec::new())));
    assert!(matches!(tries.next(), Some(Ok(Reply::Held(who))) if who == "alice"));
    assert!(matches!(tries.next(), Some(Ok(Reply::Held(_)))));
    assert!(matches!(tries.next(), Some(Ok(Reply::Ran { .. }))));
}

#[test]
fn the_ledger_counts_exchanges_that_write() {
    let host = FakeHost::new();
    ran(&host, vec![journal("a"), journal("b")]);
    let text = ledger(&host);
    assert_eq!((text.serial, text.journal.as_str()), (1, "a\nb\n"));
    let lines = vec!["all".to_owned()];
    ran(&host, vec![Op::Snapshot { lines }, journal("c")]);
    let text = ledger(&host);
    assert_eq!(
        (text.snapshot.as_str(), text.journal.as_str()),
        ("all\n", "c\n")
    );
    assert_eq!(text.serial, 2);
    ran(&host, vec![Op::Release]);
    let unlocked = host.exchange_now(&request("run", None, vec![journal("x")]));
    assert!(matches!(unlocked, Err(HostError::Garbled(_))));
}

#[test]
fn a_cut_leaves_what_was_done_until_then() {
    for (cut, there) in [(Cut::Before, false), (Cut::After, true)] {
        let host = FakeHost::new().break_at(2, cut);
        let ops = vec![
            write("/a", ""),
            journal("begun"),
            write("/b", ""),
            journal("ended"),
        ];
        let reply = host.exchange_now(&request("run", lock(0), ops));
        assert!(matches!(reply, Err(HostError::Lost(_))));
        let world = host.world();
        assert_eq!((world.exists("/a"), world.exists("/b")), (true, there));
        assert_eq!(ledger(&host).journal, "begun\n");
        let next = host.exchange_now(&request("next", lock(1), vec![write("/b", "")]));
        assert!(
            matches!(next, Ok(Reply::Ran { .. })),
            "the lock died with its run"
        );
    }
}

#[test]
fn requests_and_answers_can_be_lost() {
    let host = FakeHost::new().breaks_connection(1).loses_answer(2);
    let ops = || vec![write("/a", "")];
    assert!(host.exchange_now(&request("run", lock(0), ops())).is_err());
    assert!(!host.world().exists("/a"));
    assert!(host.exchange_now(&request("run", lock(0), ops())).is_err());
    assert!(host.world().exists("/a"));
    assert_eq!(host.traffic().exchanges, 2);
}

#[test]
fn steps_fail_time_out_and_stop_as_told() {
    let host = FakeHost::new().fails_step(1).times_out_step(2).stops_at(3);
    let one = |path: &str| names(&ran(&host, vec![write(path, ""), write("/z", "")]));
    assert_eq!(one("/a"), ["Failed", "NotReached"]);
    assert_eq!(one("/a"), ["TimedOut", "NotReached"]);
    assert_eq!(one("/a"), ["Ok", "NotReached"]);
    assert!(host.world().exists("/a"));
    assert_eq!(
        one("/b"),
        ["Ok", "Ok"],
        "a chain that was stopped stops no other"
    );
}

#[test]
fn long_steps_outlive_the_connection_and_are_found_again() {
    let host = FakeHost::new()
        .long_steps_take(1)
        .program("build", |world, _| {
            world.write("/built", "");
            ok("built")
        });
    let mut start = step(run(&["build"]));
    if let Op::Step { long, .. } = &mut start {
        *long = Some("b1".to_owned());
    }
    let wait = || Op::Await {
        long: vec!["b1".to_owned()],
        millis: 1000,
    };
    let results = ran(&host, vec![start.clone(), wait()]);
    assert!(matches!(results[0], OpResult::Stepped(StepEnd::Started)));
    assert!(
        matches!(&results[1], OpResult::Awaited(all) if matches!(all[..], [LongStep::Running]))
    );
    host.dies();
    let results = ran(&host, vec![start, wait()]);
    assert!(
        matches!(&results[1], OpResult::Awaited(all) if matches!(all[..], [LongStep::Running]))
    );
    let drop = Op::Drop {
        long: vec!["b1".to_owned()],
    };
    let results = ran(&host, vec![wait(), wait(), drop, wait()]);
    for result in &results[..2] {
        assert!(matches!(result, OpResult::Awaited(all)
            if matches!(&all[..], [LongStep::Ended(StepEnd::Ok(done))] if done.stdout == b"built")));
    }
    assert!(matches!(&results[3], OpResult::Awaited(all) if matches!(all[..], [LongStep::Lost])));
}

#[test]
fn a_restart_loses_long_steps() {
    let host = FakeHost::new().long_steps_take(5);
    let mut start = step(run(&["true"]));
    if let Op::Step { long, .. } = &mut start {
        *long = Some("l".to_owned());
    }
    let boot = ledger(&host).boot;
    ran(&host, vec![start]);
    host.reboots();
    assert_ne!(ledger(&host).boot, boot);
    let results = ran(
        &host,
        vec![Op::Await {
            long: vec!["l".to_owned()],
            millis: 0,
        }],
    );
    assert!(matches!(&results[0], OpResult::Awaited(all) if matches!(all[..], [LongStep::Lost])));
}

/// A probe the model knows nothing about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Package(&'static str);

impl Probe for Package {
    const KIND: &'static str = "fake_package";
    const SCRIPT: &'static str = "";
    type Answer = Option<String>;

    fn operands(&self) -> Vec<Vec<u8>> {
        vec![self.0.into()]
    }
    fn parse(_: &[&Self], _: &[u8]) -> Result<Vec<Result<Self::Answer, NotYet>>, String> {
        Err("never asked in earnest".to_owned())
    }
    fn expected(&self, _: &Self::Answer) -> Option<Vec<u8>> {
        None
    }
    fn reads(&self) -> Vec<crate::Thing> {
        Vec::new()
    }
}

fn stating(action: Action, stated: Vec<Effect>) -> Op {
    let mut op = step(action);
    if let Op::Step { effects, .. } = &mut op {
        *effects = stated;
    }
    op
}

#[test]
fn foreign_probes_answer_what_was_registered_then_what_was_stated() {
    let host = FakeHost::new().answers(Package("vim"), None);
    assert_eq!(answer(&host, Package("vim")), Ok(None));
    assert!(answer(&host, Package("git")).is_err());
    let installed = || Effect::new(Package("vim"), Some("9.1".to_owned()));
    let op = stating(run(&["dnf", "install", "vim"]), vec![installed()]);
    assert_eq!(names(&ran(&host, vec![op.clone()])), ["Ok"]);
    assert_eq!(answer(&host, Package("vim")), Ok(Some("9.1".to_owned())));

    let stubborn = FakeHost::new().always(Package("vim"), None);
    ran(&stubborn, vec![op.clone()]);
    assert_eq!(answer(&stubborn, Package("vim")), Ok(None));

    let modelled = FakeHost::new()
        .model(|world, package: &Package| Ok(world.noted(package.0).map(str::to_owned)));
    modelled.change(|world| world.note("vim", "8"));
    ran(&modelled, vec![op]);
    assert_eq!(answer(&modelled, Package("vim")), Ok(Some("8".to_owned())));
}

#[test]
fn stated_effects_of_programs_nobody_installed_come_true() {
    let host = FakeHost::new();
    assert_eq!(
        names(&ran(&host, vec![step(run(&["useradd", "app"]))])),
        ["Failed"]
    );
    let app = Account {
        name: "app".to_owned(),
        uid: 1000,
        group: "app".to_owned(),
        gid: 1000,
    };
    let stated = vec![
        Effect::new(User("app".into()), Some(app.clone())),
        Effect::new(Digest("/built".into()), Some([7; 32])),
    ];
    let op = stating(run(&["useradd", "app"]), stated);
    assert_eq!(names(&ran(&host, vec![op])), ["Ok"]);
    assert_eq!(answer(&host, User("1000".into())), Ok(Some(app)));
    assert_eq!(answer(&host, Digest("/built".into())), Ok(Some([7; 32])));
}

#[test]
fn programs_that_are_there_are_not_overruled_by_what_is_stated() {
    let host = FakeHost::new().program("useradd", |_, _| ok(""));
    let op = stating(
        run(&["useradd"]),
        vec![Effect::new(Which("useradd".into()), None)],
    );
    ran(&host, vec![op]);
    let path = Some("/usr/bin/useradd".to_owned());
    assert_eq!(answer(&host, Which("useradd".into())), Ok(path));
}

#[test]
fn programs_are_asked_and_missing_ones_are_127() {
    let host = FakeHost::new().prints(["pip", "--version"], "pip 24\n\n");
    let said = |status, stdout: &str| Answered {
        status,
        stdout: stdout.to_owned(),
    };
    let ask = |argv: &[&str]| answer(&host, Ask::new(argv.iter().copied()));
    assert_eq!(ask(&["pip", "--version", "-q"]), Ok(said(0, "pip 24")));
    assert_eq!(ask(&["pip"]), Ok(said(127, "")));
}

#[test]
fn links_are_followed_on_the_way() {
    let host = FakeHost::new()
        .dir("/v2")
        .link("/current", "v2")
        .link("/dangling", "/x/y");
    assert_eq!(names(&ran(&host, vec![write("/current/a", "x")])), ["Ok"]);
    assert_eq!(host.world().text("/v2/a").unwrap(), "x");
    assert_eq!(
        answer(&host, RealPath("/current/../current/b/c".into())),
        Ok("/v2/b/c".into())
    );
    assert_eq!(
        answer(&host, RealPath("/dangling/z".into())),
        Ok("/x/y/z".into())
    );
    assert_eq!(
        names(&ran(&host, vec![write("/dangling/z", "")])),
        ["Failed"]
    );
}

#[test]
fn attributes_of_a_tree_and_who_does_not_exist() {
    let host = FakeHost::new().user("app", 1000).file("/d/s/a", "");
    let set = |owner: &str| {
        step(Action::Attrs {
            path: "/d".to_owned(),
            attrs: Attrs {
                owner: Some(owner.to_owned()),
                ..Attrs::default()
            },
            follow: true,
            recurse: true,
        })
    };
    assert_eq!(names(&ran(&host, vec![set("nobody-here")])), ["Failed"]);
    assert_eq!(names(&ran(&host, vec![set("app")])), ["Ok"]);
    assert_eq!(host.world().stat("/d/s/a").unwrap().owner, "app");
}

#[tokio::test]
async fn a_clone_is_a_host_of_its_own_and_all_is_logged() {
    let host = FakeHost::new();
    let other = host.clone();
    let exchange = request("run", lock(0), vec![write("/a", ""), journal("done")]);
    host.exchange(exchange).await.unwrap();
    assert!(host.world().exists("/a") && !other.world().exists("/a"));
    assert_eq!(host.world().changed_since(&other.world()), ["/a"]);
    let log = host.log();
    assert!(
        log[0].starts_with("step as root: Write(") && log[0].ends_with("ok"),
        "{log:?}"
    );
    assert_eq!(log[1], "journal: done");
    assert_eq!(host.exchanges()[0].ops.len(), 2);
}

#[test]
fn settling_needs_a_normal_form_and_the_wanted_answer() {
    let host = FakeHost::new().program("serve", |world, _| {
        world.write("/run.sock", "");
        ok("")
    });
    let until = |effect| {
        step(Action::Settle {
            until: effect,
            millis: 1000,
        })
    };
    let there = || {
        until(Effect::new(
            Digest("/run.sock".into()),
            Some(crate::sha256(b"")),
        ))
    };
    let shapeless = until(Effect::new(Package("vim"), None));
    assert_eq!(names(&ran(&host, vec![there()])), ["TimedOut"]);
    assert_eq!(
        names(&ran(&host, vec![step(run(&["serve"])), there()])),
        ["Ok", "Ok"]
    );
    assert_eq!(names(&ran(&host, vec![shapeless])), ["Failed"]);
}
