//! On random small worlds, what is foretold of random actions is what the fake host answers then.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::{
    fake::{FakeHost, World},
    host::{Exchange, LedgerPlace, Op, OpResult, Reply, StepEnd},
    identity::Identity,
    probe::{Probes, ask},
    probes::{Contents, Digest, Glob, Group, Inode, User, Whoami},
};

const PATHS: [&str; 8] = ["/", "/d", "/d/a", "/d/b", "/d/s", "/d/s/x", "/l", "/d/s/l"];
const NAMES: [&str; 5] = ["root", "app", "1000", "web", "4242"];

/// Every question there is about the small world.
fn questions() -> Probes {
    let mut all: Probes = vec![ask(Whoami), ask(Glob("/d/*".into()))];
    for path in PATHS {
        let path = || path.to_owned();
        all.extend([
            ask(Stat(path())),
            ask(Digest(path())),
            ask(Contents(path())),
        ]);
        all.extend([ask(Inode(path())), ask(Times(path())), ask(Glob(path()))]);
        all.push(ask(EmptyDirectory(path())));
    }
    for name in NAMES {
        all.extend([ask(User(name.to_owned())), ask(Group(name.to_owned()))]);
    }
    all
}

fn world() -> impl Strategy<Value = FakeHost> {
    let node = (0..5_u8, 0..PATHS.len(), mode(), 0..3_u32);
    let nodes = proptest::collection::vec(node, PATHS.len());
    (nodes, prop::sample::select(vec!["root", "app"])).prop_map(|(nodes, login)| {
        let host = FakeHost::new()
            .user("app", 1000)
            .user("web", 33)
            .login(login);
        host.change(|world| {
            for (path, (kind, target, mode, owner)) in PATHS.iter().zip(nodes).skip(1) {
                let dir = paths::parent(path).unwrap_or("/");
                if !world.is_dir(dir) || world.exists(path) {
                    continue;
                }
                match kind {
                    0 if !path.ends_with('d') => continue,
                    1 | 2 => world.write(path, format!("content {target}")),
                    3 if !path.ends_with('d') => world.link(path, PATHS[target]),
                    _ => world.dirs(path),
                }
                if kind != 3 {
                    world.chmod(path, mode);
                }
                let id = [0, 1000, 33][owner as usize];
                world.chown(path, id, id);
            }
        });
        host
    })
}

fn mode() -> impl Strategy<Value = u32> {
    prop::sample::select(vec![
        0o644, 0o755, 0o4755, 0o2755, 0o2770, 0o1777, 0o600, 0o2644,
    ])
}

fn path() -> impl Strategy<Value = String> {
    prop::sample::select(PATHS[1..].to_vec()).prop_map(str::to_owned)
}

fn attrs() -> impl Strategy<Value = Attrs> {
    let name = || prop::option::of(prop::sample::select(NAMES.to_vec()).prop_map(str::to_owned));
    let time = || {
        let times = ["now", "5", "77"].map(str::to_owned);
        prop::option::of(prop::sample::select(times.to_vec()))
    };
    (name(), name(), prop::option::of(mode()), time(), time()).prop_map(
        |(owner, group, mode, mtime, atime)| Attrs {
            owner,
            group,
            mode,
            mtime,
            atime,
        },
    )
}

fn action() -> impl Strategy<Value = Action> {
    let write = (path(), attrs(), prop::option::of(mode()), any::<bool>()).prop_map(
        |(path, attrs, new_mode, secret)| {
            let content = if secret {
                Content::Secret(crate::Secret::new("secret"))
            } else {
                "new".into()
            };
            Action::Write(Write {
                path,
                content,
                attrs,
                new_mode,
                ..Write::default()
            })
        },
    );
    let directory = (path(), attrs()).prop_map(|(path, attrs)| Action::Directory { path, attrs });
    let link = (path(), path()).prop_map(|(path, target)| Action::Link { path, target });
    let hard = (path(), path()).prop_map(|(path, target)| Action::HardLink { path, target });
    let set = (path(), attrs(), any::<bool>(), any::<bool>()).prop_map(
        |(path, attrs, follow, recurse)| Action::Attrs {
            path,
            attrs,
            follow,
            recurse,
        },
    );
    let copy = (path(), path()).prop_map(|(from, to)| Action::Copy { from, to });
    let remove = path().prop_map(|path| Action::Remove { path });
    prop_oneof![write, directory, link, hard, set, copy, remove]
}

fn send(host: &FakeHost, op: Op) -> OpResult {
    let exchange = Exchange {
        run: "test".to_owned(),
        place: LedgerPlace::User,
        lock: None,
        ops: vec![op],
        tail: Vec::new(),
    };
    match host.exchange_now(&exchange) {
        Ok(Reply::Ran { mut ops, .. }) => ops.remove(0),
        reply => panic!("{reply:?}"),
    }
}

fn look(host: &FakeHost, probes: &Probes) -> BTreeMap<Key, Answer> {
    let who = Identity::login();
    let observe = Op::Observe {
        who,
        probes: probes.clone(),
    };
    match send(host, observe) {
        OpResult::Observed(answers) => probes.iter().map(|p| p.key()).zip(answers).collect(),
        result => panic!("{result:?}"),
    }
}

/// Whether the action went well.
fn act(host: &FakeHost, action: &Action) -> bool {
    let step = Op::Step {
        who: Identity::login(),
        env: Vec::new(),
        action: Box::new(action.clone()),
        effects: Vec::new(),
        long: None,
        on_failure: None,
    };
    match send(host, step) {
        OpResult::Stepped(StepEnd::Ok(_)) => true,
        OpResult::Stepped(StepEnd::Failed(_)) => false,
        result => panic!("{result:?}"),
    }
}

/// What is reached through a link that lies elsewhere is not written under its own name: the
/// engine compares real paths, these effects do not. So that much may be stale.
fn through_links(host: &FakeHost, probe: &Arc<dyn AnyProbe>) -> bool {
    let world = host.world();
    let linked = |path: &str| {
        let up = std::iter::once(path).chain(paths::ancestors(path));
        up.into_iter()
            .any(|at| matches!(world.stat(at), Some(stat) if matches!(stat.kind, Kind::Link(_))))
    };
    probe.reads().iter().any(|thing| match thing {
        Thing::Path(path) | Thing::Tree(path) => linked(path),
        _ => false,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_foretold_is_seen(host in world(), actions in prop::collection::vec(action(), 1..4)) {
        let probes = questions();
        let mut seen = Seen::default();
        let mut known = 0;
        for (key, answer) in look(&host, &probes) {
            seen.answer(key, answer);
        }
        let spoiled: Vec<bool> = probes.iter().map(|p| through_links(&host, p)).collect();
        for action in actions {
            if names_through_links(&host.world(), &action) || of_unknown_kind(&seen, &action) {
                return Ok(());
            }
            let plan = crate::Change::new("x", "a", "b").step(action.clone()).into();
            foretell(&mut seen, &probes, &plan);
            if !act(&host, &action) {
                return Ok(());
            }
            let after = look(&host, &probes);
            let links: Vec<bool> = probes.iter().map(|p| through_links(&host, p)).collect();
            for ((probe, spoiled), linked) in probes.iter().zip(&spoiled).zip(&links) {
                let foretold = seen.raw(&probe.key()).expect("asked");
                if foretold.is_err() || *spoiled || (*linked && probe.kind() != Stat::KIND) {
                    continue;
                }
                known += 1;
                prop_assert!(
                    probe.same(foretold, &after[&probe.key()]),
                    "{:?}: {:?}: foretold {}, seen {}",
                    action, probe, probe.show(foretold), probe.show(&after[&probe.key()])
                );
            }
            // From here on two paths are one file, which no path tells.
            if matches!(action, Action::HardLink { .. }) {
                break;
            }
        }
        prop_assert!(known > 0, "nothing was known");
    }
}

/// Whether a path that the action names, or that a link holds, leads through a link on its way.
/// Such a path is another one in truth, which the engine finds out beforehand by `RealPath`.
fn names_through_links(world: &World, action: &Action) -> bool {
    let is_link = |at: &str| matches!(world.stat(at).map(|s| s.kind), Some(Kind::Link(_)));
    let through = |path: &String| paths::ancestors(path).any(is_link);
    let targets = world
        .paths()
        .filter_map(|path| match world.stat(path)?.kind {
            Kind::Link(target) => Some(target),
            _ => None,
        });
    let named = match action {
        Action::Write(Write { path, .. }) | Action::Directory { path, .. } => vec![path],
        Action::Attrs { path, .. } | Action::Remove { path } => vec![path],
        Action::Link { path, target } | Action::HardLink { path, target } => vec![path, target],
        Action::Copy { from, to } => vec![from, to],
        Action::Fetch(_) | Action::Run(_) | Action::Settle { .. } => Vec::new(),
    };
    named.into_iter().any(through) || targets.into_iter().any(|target| through(&target))
}

/// Whether it may lead through a link of which nobody knows whether it is one. That it is none is
/// taken for granted, lest one such path make all answers void.
fn of_unknown_kind(seen: &Seen, action: &Action) -> bool {
    match action {
        Action::Directory { path, .. } | Action::Attrs { path, .. } => {
            seen.get(&Stat(path.clone())).is_err()
        }
        _ => false,
    }
}

#[test]
fn nothing_is_guessed_without_answers() {
    let write = Action::Write(Write {
        path: "/a".into(),
        content: "x".into(),
        ..Write::default()
    });
    let effects = effects(&write, &|_| None);
    let known: Vec<_> = effects
        .iter()
        .filter(|effect| effect.answer.is_ok())
        .map(|effect| format!("{:?}", effect.probe))
        .collect();
    let wanted = [
        "Digest(\"/a\")",
        "Contents(\"/a\")",
        "EmptyDirectory(\"/a\")",
        "EmptyDirectory(\"/\")",
    ];
    assert_eq!(known, wanted);
}

/// What a step on a plain world foretells of one path, as text; `-` where it is not known yet.
fn foretold(host: &FakeHost, action: &Action, probe: &Arc<dyn AnyProbe>) -> String {
    let mut probes = questions();
    probes.retain(|known| known.key() != Key("glob", vec![b"/d/*".to_vec()]));
    let answers = look(host, &probes);
    let effects = effects(action, &|key| answers.get(key).cloned());
    let found = effects
        .iter()
        .rfind(|effect| effect.probe.key() == probe.key());
    match found.map(|effect| &effect.answer) {
        Some(answer @ Ok(_)) => probe.show(answer),
        _ => "-".to_owned(),
    }
}

#[test]
fn what_can_be_known_is_known() {
    let host = FakeHost::new()
        .user("app", 1000)
        .user("web", 33)
        .login("app");
    let host = host.file("/d/a", "old").mode("/d/a", 0o4750);
    let host = host
        .dir("/d/s")
        .owned("/d/s", "root", "web")
        .mode("/d/s", 0o2755);
    let owner = |name: &str| Attrs {
        owner: Some(name.to_owned()),
        ..Attrs::default()
    };
    let write = |path: &str, attrs| {
        Action::Write(Write {
            path: path.to_owned(),
            content: "new".into(),
            attrs,
            ..Write::default()
        })
    };
    let stat = |action: &Action, path: &str| {
        let text = foretold(&host, action, &ask(Stat(path.to_owned())));
        let numbers = text.split(['{', ',', '}']).filter(|part| {
            let name = part.trim().split(':').next().unwrap_or_default();
            ["mode", "uid", "gid"].contains(&name)
        });
        numbers
            .map(|part| part.trim().to_owned())
            .collect::<Vec<_>>()
            .join(" ")
    };
    let new = write("/d/s/x", Attrs::default());
    assert_eq!(stat(&new, "/d/s/x"), "mode: 420 uid: 1000 gid: 33");
    let kept = write("/d/a", Attrs::default());
    assert_eq!(stat(&kept, "/d/a"), "mode: 2536 uid: 0 gid: 0");
    let given = Action::Attrs {
        path: "/d/a".to_owned(),
        attrs: owner("web"),
        follow: false,
        recurse: false,
    };
    assert_eq!(
        stat(&given, "/d/a"),
        "mode: 488 uid: 33 gid: 0",
        "setuid is lost"
    );
    let directory = Action::Directory {
        path: "/d/s/x".to_owned(),
        attrs: Attrs::default(),
    };
    assert_eq!(stat(&directory, "/d/s/x"), "mode: 1517 uid: 1000 gid: 33");
    let unknown = write("/d/b", owner("nobody-asked"));
    assert_eq!(stat(&unknown, "/d/b"), "");
    let shown = |action, probe| foretold(&host, action, &probe);
    assert_eq!(
        shown(&given, ask(Contents("/d/a".into()))),
        "Some([111, 108, 100])"
    );
    assert_eq!(
        shown(&new, ask(EmptyDirectory("/d/s".into()))),
        "Some(false)"
    );
    let removed = Action::Remove {
        path: "/d/a".to_owned(),
    };
    assert_eq!(shown(&removed, ask(Digest("/d/a".into()))), "None");
    assert_eq!(shown(&removed, ask(EmptyDirectory("/d".into()))), "-");
}

#[test]
fn a_step_voids_what_it_does_not_foretell() {
    let mut probes: Probes = vec![ask(Glob("/d/*".into())), ask(Stat("/other".into()))];
    probes.push(ask(Stat("/d/a".into())));
    let host = FakeHost::new().dir("/d");
    let mut seen = Seen::default();
    for (key, answer) in look(&host, &probes) {
        seen.answer(key, answer);
    }
    let write = Action::Write(Write {
        path: "/d/a".to_owned(),
        ..Write::default()
    });
    let plan = crate::Change::new("x", "a", "b").step(write).into();
    foretell(&mut seen, &probes, &plan);
    let glob = seen.get(&Glob("/d/*".into()));
    assert_eq!(
        glob.unwrap_err().0,
        "Glob(\"/d/*\") after `/d/a` was written"
    );
    assert_eq!(seen.get(&Stat("/other".into())), Ok(&None));
}
