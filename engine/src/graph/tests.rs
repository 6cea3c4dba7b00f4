use proptest::prelude::*;

use super::{
    fixture::{Lot, closure, path, tree},
    paths::normal,
    *,
};
use crate::{Identity, Part, Place};

fn kinds(lot: &Lot, from: TaskId, to: TaskId) -> Vec<Kind> {
    let edges = lot.graph().edges_into(to);
    let edges = edges.into_iter().filter(|edge| edge.from == from);
    edges.map(|edge| edge.kind).collect()
}

fn two(first: Touches, second: Touches) -> Vec<Kind> {
    let mut lot = Lot::new(1);
    let (first, second) = (lot.add(0, first), lot.add(0, second));
    kinds(&lot, first, second)
}

fn writes(thing: Thing) -> Touches {
    Touches::writes([thing])
}

fn reads(thing: Thing) -> Touches {
    Touches::nothing().reading([thing])
}

#[test]
fn explicit_edges_have_their_kinds() {
    let mut lot = Lot::new(2);
    let [a, b, c, d] = [0, 1, 0, 1].map(|host| lot.add(host, Touches::nothing()));
    lot.edit(d).after = vec![a];
    lot.edit(d).needs = vec![b];
    lot.edit(d).triggers = vec![c];
    assert_eq!(kinds(&lot, a, d), [Kind::After]);
    assert_eq!(kinds(&lot, b, d), [Kind::Data]);
    assert_eq!(kinds(&lot, c, d), [Kind::Trigger]);
    assert_eq!(lot.graph().edges().count(), 3);
}

#[test]
fn conflicts_are_found_by_thing() {
    let user = || Thing::User("ada".into());
    assert_eq!(two(writes(user()), reads(user())), [Kind::Conflict(user())]);
    assert_eq!(two(reads(user()), writes(user())), [Kind::Conflict(user())]);
    assert_eq!(two(reads(user()), reads(user())), []);
    assert_eq!(two(writes(user()), writes(Thing::Group("ada".into()))), []);
    let (a, b) = (writes(path("/a")), writes(path("/b")));
    assert_eq!(two(a, b), []);
}

#[test]
fn paths_meet_after_they_are_normal() {
    let meet = |a: &str, b: &str| !two(writes(path(a)), reads(path(b))).is_empty();
    assert!(meet("/etc//x/", "/etc/./x"));
    assert!(meet("/etc/x", "/etc/y/../x"));
    assert!(
        meet("/etc", "/etc/x/y"),
        "a directory is read by what is in it"
    );
    assert!(!meet("/etc/x", "/etc"), "and not the other way round");
    assert!(!meet("/etc/x", "/etc/xy"));
    for (given, wanted) in [
        ("/", "/"),
        ("//", "/"),
        ("/..", "/"),
        ("/a/../../b/", "/b"),
        ("a/./b", "a/b"),
        ("../a/..", ".."),
        ("", ""),
    ] {
        assert_eq!(normal(given), wanted, "{given}");
    }
}

#[test]
fn a_tree_meets_all_below_it() {
    let below = [Kind::Conflict(tree("/a"))];
    assert_eq!(two(writes(tree("/a")), reads(path("/a/b/c"))), below);
    assert_eq!(two(writes(path("/a/b")), reads(tree("/a/"))), below);
    assert_eq!(two(writes(tree("/a/b")), reads(tree("/a"))), below);
    assert_eq!(two(reads(tree("/a")), reads(path("/a/b"))), []);
    assert_eq!(two(writes(tree("/a")), writes(path("/ab"))), []);
}

#[test]
fn who_touches_everything_is_alone_but_for_equal_words() {
    let packages = || Touches {
        commutes: Some("packages"),
        ..Touches::everything()
    };
    let mut lot = Lot::new(1);
    let before = lot.add(0, writes(path("/repo")));
    let installs = [0; 3].map(|host| lot.add(host, packages()));
    let command = lot.add(0, Touches::everything());
    let debug = lot.add(0, Touches::nothing());
    for install in installs {
        assert_eq!(kinds(&lot, before, install), [Kind::Everything]);
        assert_eq!(kinds(&lot, install, command), [Kind::Everything]);
    }
    assert_eq!(kinds(&lot, installs[0], installs[1]), []);
    assert_eq!(lot.graph().edges_into(debug), []);
}

#[test]
fn what_follows_from_other_edges_has_none_of_its_own() {
    let mut lot = Lot::new(1);
    let first = lot.add(0, writes(path("/a")));
    let command = lot.add(0, Touches::everything());
    let second = lot.add(0, writes(path("/a")));
    assert_eq!(kinds(&lot, first, second), []);
    assert_eq!(kinds(&lot, command, second), [Kind::Everything]);
}

#[test]
fn what_only_reads_everything_does_not_wait_for_its_like() {
    let mut lot = Lot::new(1);
    let [a, b, c] = [0; 3].map(|host| lot.add(host, Touches::nothing()));
    for (task, nature) in [
        (a, Nature::Passive),
        (b, Nature::Passive),
        (c, Nature::State),
    ] {
        lot.nature(task, nature);
        lot.shapes[task.index()].touches = None;
    }
    assert_eq!(kinds(&lot, a, b), []);
    assert_eq!(kinds(&lot, a, c), [Kind::Everything]);
}

#[test]
fn control_comes_before_all_that_is_listed_after_it_on_its_host() {
    let mut lot = Lot::new(2);
    let earlier = lot.add(0, Touches::nothing());
    let assert = lot.add(0, Touches::nothing());
    lot.nature(assert, Nature::Control);
    let (later, other) = (
        lot.add(0, Touches::nothing()),
        lot.add(1, Touches::nothing()),
    );
    assert_eq!(kinds(&lot, assert, later), [Kind::Control]);
    assert_eq!(kinds(&lot, assert, other), []);
    assert_eq!(kinds(&lot, earlier, assert), [Kind::Hosts]);
}

#[test]
fn a_command_waits_for_the_other_hosts_but_not_for_its_own_copies() {
    let mut lot = Lot::new(2);
    let files = [0, 1].map(|host| lot.add(host, writes(path("/a"))));
    let commands = [0, 1].map(|host| lot.add(host, Touches::everything()));
    for (index, task) in [files, commands].concat().into_iter().enumerate() {
        lot.edit(task).name = format!("listed {}", index / 2);
    }
    for command in commands {
        lot.nature(command, Nature::Command);
    }
    let [on_first, on_second] = commands;
    assert_eq!(kinds(&lot, files[1], on_first), [Kind::Hosts]);
    assert_eq!(
        kinds(&lot, files[0], on_first),
        [Kind::Everything, Kind::Hosts]
    );
    assert_eq!(kinds(&lot, on_first, on_second), []);
}

#[test]
fn plays_follow_each_other_on_all_hosts() {
    let mut lot = Lot::new(2);
    let tasks = [0, 1, 0, 1, 0].map(|host| lot.add(host, Touches::nothing()));
    for (task, play) in tasks.into_iter().zip([0, 0, 1, 1, 2]) {
        lot.edit(task).play = play;
    }
    for (from, to) in [(0, 2), (1, 2), (0, 3), (2, 4), (0, 4)] {
        assert_eq!(kinds(&lot, tasks[from], tasks[to]), [Kind::Play]);
    }
    assert_eq!(kinds(&lot, tasks[0], tasks[1]), []);
}

#[test]
fn rescue_and_always_wait_for_the_parts_before_them() {
    let mut lot = Lot::new(1);
    let block = lot.list.block();
    let [body, rescue, always] = [Part::Body, Part::Rescue, Part::Always].map(|part| {
        let task = lot.add(0, Touches::nothing());
        lot.edit(task).blocks = vec![(block, part)];
        task
    });
    assert_eq!(
        lot.graph().edges_into(rescue)[0].condition,
        Condition::OnFailure
    );
    assert_eq!(kinds(&lot, body, always), [Kind::Block]);
    assert_eq!(kinds(&lot, rescue, always), [Kind::Block]);
}

#[test]
fn becoming_a_user_reads_that_user() {
    let mut lot = Lot::new(1);
    let useradd = lot.add(0, writes(Thing::User("app".into())));
    let file = lot.add(0, writes(path("/srv/x")));
    lot.edit(file).identity = Identity::user("app");
    assert_eq!(
        kinds(&lot, useradd, file),
        [Kind::Conflict(Thing::User("app".into()))]
    );
}

#[test]
fn a_cycle_is_told_whole_with_its_places() {
    let mut lot = Lot::new(1);
    let [a, b, c, beside] = [0; 4].map(|host| lot.add(host, Touches::nothing()));
    lot.edit(a).after = vec![c];
    lot.edit(b).needs = vec![a];
    lot.edit(c).triggers = vec![b];
    lot.edit(beside).after = vec![c];
    lot.edit(b).place = Some(Place {
        file: "site.yml".into(),
        line: 7,
        column: 5,
    });
    let cycle = lot
        .try_graph(Order::Inferred)
        .expect_err("there is a cycle");
    assert_eq!(
        cycle.to_string(),
        "tasks wait for each other, so none of them can start:\n  \
         `t0` on h0 waits for `t2` on h0: `after`\n  \
         `t2` on h0 waits for `t1` on h0 (site.yml:7:5): `triggered_by` or `notify`\n  \
         `t1` on h0 (site.yml:7:5) waits for `t0` on h0: reads its result\n\
         remove one of these ties"
    );
}

#[test]
fn a_task_that_waits_for_itself_is_a_cycle() {
    let mut lot = Lot::new(1);
    let a = lot.add(0, Touches::nothing());
    lot.edit(a).after = vec![a];
    let cycle = lot
        .try_graph(Order::Inferred)
        .expect_err("there is a cycle");
    assert_eq!(cycle.links.len(), 1);
}

#[test]
fn inferred_edges_give_way_to_explicit_ones_and_are_remembered() {
    let mut lot = Lot::new(1);
    let [a, b, c] = [0; 3].map(|host| lot.add(host, writes(path("/x"))));
    lot.edit(a).after = vec![c];
    let graph = lot.graph();
    let conflict = Kind::Conflict(path("/x"));
    assert_eq!(kinds(&lot, b, c), std::slice::from_ref(&conflict));
    assert_eq!(kinds(&lot, c, a), [Kind::After, conflict.clone()]);
    assert_eq!(
        graph.dropped(),
        [Edge {
            from: a,
            to: b,
            kind: conflict,
            condition: Condition::OnSuccess
        }]
    );
}

#[test]
fn a_play_barrier_gives_way_to_an_explicit_edge() {
    let mut lot = Lot::new(1);
    let tasks = [0; 4].map(|host| lot.add(host, Touches::nothing()));
    for (task, play) in tasks.into_iter().zip([0, 0, 1, 1]) {
        lot.edit(task).play = play;
    }
    lot.edit(tasks[0]).after = vec![tasks[2]];
    assert_eq!(kinds(&lot, tasks[1], tasks[2]), [Kind::Play]);
    assert_eq!(kinds(&lot, tasks[0], tasks[2]), []);
    assert_eq!(kinds(&lot, tasks[0], tasks[3]), [Kind::Play]);
    let graph = lot.graph();
    let dropped = graph.dropped().iter().map(|edge| (edge.from, edge.to));
    assert_eq!(dropped.collect::<Vec<_>>(), [(tasks[0], tasks[2])]);
}

#[test]
fn in_order_chains_all_tasks() {
    let mut lot = Lot::new(2);
    let tasks = [0, 1, 0].map(|host| lot.add(host, Touches::nothing()));
    let graph = lot.try_graph(Order::InOrder).expect("there is no cycle");
    for pair in tasks.windows(2) {
        let [edge] = &graph.edges_into(pair[1])[..] else {
            panic!("one edge into each");
        };
        assert_eq!((edge.from, &edge.kind), (pair[0], &Kind::InOrder));
    }
}

#[test]
fn ten_thousand_tasks_cost_edges_in_proportion() {
    let each: [fn(usize) -> Touches; 5] = [
        |_| Touches::everything(),
        |n| writes(path(&format!("/srv/{}/{n}", n % 100))),
        |n| {
            if n % 2 == 0 {
                writes(path("/srv"))
            } else {
                reads(path("/srv/x"))
            }
        },
        |n| Touches {
            commutes: Some(if n / 2500 % 2 == 0 { "one" } else { "two" }),
            ..Touches::everything()
        },
        |n| {
            if n % 1000 < 500 {
                reads(tree("/srv"))
            } else {
                writes(path(&format!("/srv/{n}")))
            }
        },
    ];
    for (which, touches) in each.into_iter().enumerate() {
        for hosts in [1, 10] {
            let mut lot = Lot::new(hosts);
            for n in 0..10_000 {
                let host = u32::try_from(n % hosts).expect("few hosts");
                let task = lot.add(host, touches(n / hosts));
                lot.edit(task).play = u32::try_from(n / 500).expect("few plays");
                lot.edit(task).name = (n / hosts).to_string();
                lot.nature(
                    task,
                    if which == 0 {
                        Nature::Command
                    } else {
                        Nature::State
                    },
                );
            }
            let edges = lot.graph().stored_edges();
            assert!(
                edges < 60_000,
                "{edges} edges in case {which} on {hosts} hosts"
            );
        }
    }
}

fn thing() -> impl Strategy<Value = Thing> {
    let place = prop::sample::select(vec!["/", "/a", "/a/b", "/a/b/c", "/a/d", "/e", "/e/f"]);
    prop_oneof![
        4 => place.clone().prop_map(path),
        2 => place.prop_map(tree),
        1 => Just(Thing::Unit("u".into())),
    ]
}

fn touches() -> impl Strategy<Value = Touches> {
    let some = (
        prop::collection::vec(thing(), 0..3),
        prop::collection::vec(thing(), 0..3),
    );
    prop_oneof![
        6 => some.prop_map(|(reads, writes)| Touches { reads, writes, ..Touches::default() }),
        1 => Just(Touches::everything()),
    ]
}

/// The rule itself, pair by pair.
fn conflict(a: &Touches, b: &Touches) -> bool {
    fn whole(touches: &Touches) -> Vec<(Thing, bool)> {
        let reads = touches.reads.iter().map(|thing| (thing.clone(), false));
        let writes = touches.writes.iter().map(|thing| (thing.clone(), true));
        let mut all: Vec<_> = reads.chain(writes).collect();
        for (thing, _) in all.clone() {
            if let Thing::Path(p) | Thing::Tree(p) = thing {
                let above = std::path::Path::new(&p).ancestors().skip(1);
                all.extend(above.map(|p| (path(p.to_str().expect("UTF-8")), false)));
            }
        }
        all
    }
    fn meet(a: &Thing, b: &Thing) -> bool {
        let under = |p: &str, top: &str| std::path::Path::new(p).starts_with(top);
        match (a, b) {
            (Thing::Everything, _) | (_, Thing::Everything) => true,
            (Thing::Tree(a), Thing::Tree(b)) => under(a, b) || under(b, a),
            (Thing::Tree(t), Thing::Path(p)) | (Thing::Path(p), Thing::Tree(t)) => under(p, t),
            (a, b) => a == b,
        }
    }
    let (a, b) = (whole(a), whole(b));
    a.iter()
        .any(|(x, w)| b.iter().any(|(y, v)| (*w || *v) && meet(x, y)))
}

proptest! {
    #[test]
    fn the_index_finds_what_comparing_all_pairs_finds(
        tasks in prop::collection::vec((0..2_u32, touches()), 0..25)
    ) {
        let mut lot = Lot::new(2);
        for (host, touches) in &tasks {
            lot.add(*host, touches.clone());
        }
        let found: Vec<_> = lot.graph().edges().map(|edge| (edge.from, edge.to)).collect();
        let mut wanted = Vec::new();
        for (later, (host, touches)) in tasks.iter().enumerate() {
            for (earlier, (other, those)) in tasks.iter().enumerate().take(later) {
                if host == other && conflict(those, touches) {
                    wanted.push((task_id(earlier), task_id(later)));
                }
            }
        }
        prop_assert_eq!(closure(tasks.len(), &found), closure(tasks.len(), &wanted));
    }

    #[test]
    fn no_inferred_edge_closes_a_cycle_and_what_gave_way_is_known(
        tasks in prop::collection::vec(
            (0..2_u32, touches(), prop::collection::vec(0..20_u32, 0..2), any::<bool>()), 1..20)
    ) {
        let mut lot = Lot::new(2);
        for (host, touches, after, command) in &tasks {
            let task = lot.add(*host, touches.clone());
            let count = u32::try_from(tasks.len()).expect("few");
            lot.edit(task).after = after.iter().map(|n| TaskId(n % count)).collect();
            lot.edit(task).play = task.0 / 7;
            lot.nature(task, if *command { Nature::Command } else { Nature::State });
        }
        let Ok(graph) = lot.try_graph(Order::Inferred) else {
            return Ok(()); // a cycle of explicit edges; that it is told has its own test
        };
        let edges: Vec<_> = graph.edges().map(|edge| (edge.from, edge.to)).collect();
        let behind = closure(tasks.len(), &edges);
        for (task, behind) in behind.iter().enumerate() {
            prop_assert!(!behind.contains(&task_id(task)));
        }
        let forward = lot.list.tasks.iter().enumerate()
            .all(|(at, task)| task.after.iter().all(|after| after.index() < at));
        prop_assert!(!forward || graph.dropped().is_empty());
        for edge in graph.dropped() {
            prop_assert!(edge.from < edge.to && !edge.kind.is_explicit());
            prop_assert!(!behind[edge.to.index()].contains(&edge.from));
        }
    }
}
