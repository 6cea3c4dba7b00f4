use proptest::prelude::*;

use super::*;
use crate::{
    Nature, Order, Thing, Touches,
    graph::fixture::{Lot, path},
};

fn schedule(lot: &Lot, rule: FailureRule) -> Schedule {
    Schedule::new(&lot.list, &lot.graph(), rule)
}

const HOST: HostId = HostId(0);

/// What came of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Ran,
    NotNeeded,
    Blocked(TaskId),
}

/// Runs one task after the other, in turns over the hosts.
fn run(schedule: &mut Schedule, fails: &dyn Fn(TaskId) -> bool) -> Vec<(TaskId, Fate)> {
    let mut told = Vec::new();
    loop {
        let before = told.len();
        for host in (0..schedule.hosts.len()).map(|h| HostId(u32::try_from(h).expect("few"))) {
            match schedule.next(host) {
                Next::Run(task) => {
                    told.push((task, Fate::Ran));
                    let ended = if fails(task) {
                        Ended::Failed
                    } else {
                        Ended::Done
                    };
                    schedule.finish(task, ended);
                }
                Next::NotNeeded(task) => {
                    told.push((task, Fate::NotNeeded));
                    schedule.dismiss(task);
                }
                Next::Blocked { task, by } => {
                    told.push((task, Fate::Blocked(by)));
                    schedule.dismiss(task);
                }
                Next::Waiting | Next::Over => {}
            }
        }
        if told.len() == before {
            assert!(schedule.is_over(), "it hangs after {told:?}");
            return told;
        }
    }
}

fn commands(count: usize) -> (Lot, Vec<TaskId>) {
    let mut lot = Lot::new(1);
    let tasks = (0..count)
        .map(|_| lot.add(0, Touches::everything()))
        .collect();
    (lot, tasks)
}

#[test]
fn a_long_task_holds_up_only_what_waits_for_it() {
    let mut lot = Lot::new(1);
    let long = lot.add(0, Touches::writes([path("/a")]));
    let waits = lot.add(0, Touches::nothing().reading([path("/a")]));
    let free = lot.add(0, Touches::writes([path("/b")]));
    let mut schedule = schedule(&lot, FailureRule::EndHost);
    assert_eq!(schedule.next(HOST), Next::Run(long));
    schedule.start(long);
    assert_eq!(schedule.next(HOST), Next::Run(free));
    let mut ahead = schedule.clone();
    ahead.finish(long, Ended::Done);
    assert_eq!(ahead.next(HOST), Next::Run(waits));
    schedule.finish(free, Ended::Done);
    assert_eq!(schedule.next(HOST), Next::Waiting);
    schedule.finish(long, Ended::Done);
    assert_eq!(schedule.next(HOST), Next::Run(waits));
    schedule.finish(waits, Ended::Skipped);
    assert_eq!(schedule.next(HOST), Next::Over);
}

#[test]
fn a_failure_blocks_what_is_listed_later_and_spares_what_is_listed_earlier() {
    let mut lot = Lot::new(1);
    let [earlier, failing, later] = [0; 3].map(|host| lot.add(host, Touches::nothing()));
    let mut schedule = schedule(&lot, FailureRule::EndHost);
    schedule.finish(failing, Ended::Failed);
    assert_eq!(schedule.next(HOST), Next::Run(earlier));
    schedule.finish(earlier, Ended::Done);
    assert_eq!(
        schedule.next(HOST),
        Next::Blocked {
            task: later,
            by: failing
        }
    );
}

#[test]
fn going_on_blocks_only_what_depends_on_the_failure() {
    let mut lot = Lot::new(1);
    let failing = lot.add(0, Touches::writes([path("/a")]));
    let free = lot.add(0, Touches::writes([path("/b")]));
    let reads = lot.add(0, Touches::writes([path("/c")]).reading([path("/a")]));
    let reads_that = lot.add(0, Touches::nothing().reading([path("/c")]));
    let next_play = lot.add(0, Touches::nothing());
    lot.edit(next_play).play = 1;
    let mut schedule = schedule(&lot, FailureRule::KeepGoing);
    let told: BTreeMap<_, _> = run(&mut schedule, &|task| task == failing)
        .into_iter()
        .collect();
    assert_eq!(told[&free], Fate::Ran);
    assert_eq!(told[&reads], Fate::Blocked(failing));
    assert_eq!(told[&reads_that], Fate::Blocked(failing));
    assert_eq!(told[&next_play], Fate::Ran);
}

#[test]
fn other_hosts_are_blocked_by_explicit_edges_alone() {
    let mut lot = Lot::new(2);
    let failing = lot.add(0, Touches::everything());
    let command = lot.add(1, Touches::everything());
    lot.nature(command, Nature::Command);
    let after = lot.add(1, Touches::nothing());
    lot.edit(after).after = vec![failing];
    let later = lot.add(1, Touches::everything());
    let next_play = lot.add(1, Touches::everything());
    lot.edit(next_play).play = 1;
    let mut schedule = schedule(&lot, FailureRule::EndHost);
    let told = run(&mut schedule, &|task| task == failing);
    let blocked: Vec<_> = told.iter().filter(|(_, fate)| *fate != Fate::Ran).collect();
    assert_eq!(blocked, [&(after, Fate::Blocked(failing))]);
    assert!(told.contains(&(later, Fate::Ran)) && told.contains(&(next_play, Fate::Ran)));
}

#[test]
fn a_rescue_does_not_satisfy_an_after_of_another_host() {
    let mut lot = Lot::new(2);
    let block = lot.list.block();
    let [body, rescue, plain] = [0; 3].map(|host| lot.add(host, Touches::everything()));
    lot.edit(body).blocks = vec![(block, Part::Body)];
    lot.edit(rescue).blocks = vec![(block, Part::Rescue)];
    let (after, reads) = (
        lot.add(1, Touches::nothing()),
        lot.add(1, Touches::nothing()),
    );
    lot.edit(after).after = vec![body];
    lot.edit(reads).needs = vec![body];
    let mut schedule = schedule(&lot, FailureRule::EndHost);
    assert!(schedule.rescued(body) && !schedule.rescued(rescue));
    let told: BTreeMap<_, _> = run(&mut schedule, &|task| task == body)
        .into_iter()
        .collect();
    assert_eq!(told[&after], Fate::Blocked(body));
    assert_eq!([told[&rescue], told[&plain], told[&reads]], [Fate::Ran; 3]);
}

#[test]
fn a_rescue_that_tags_leave_out_rescues_nothing() {
    let (mut lot, tasks) = commands(3);
    let block = lot.list.block();
    lot.edit(tasks[0]).blocks = vec![(block, Part::Body)];
    lot.edit(tasks[1]).blocks = vec![(block, Part::Rescue)];
    lot.edit(tasks[1]).selected = false;
    let mut schedule = schedule(&lot, FailureRule::EndHost);
    assert!(!schedule.rescued(tasks[0]));
    let told = run(&mut schedule, &|task| task == tasks[0]);
    assert_eq!(
        told[1..],
        [
            (tasks[1], Fate::NotNeeded),
            (tasks[2], Fate::Blocked(tasks[0])),
        ]
    );
}

#[test]
fn a_host_that_is_lost_starts_nothing_not_even_rescue_and_always() {
    for by in [true, false] {
        let (mut lot, tasks) = commands(5);
        let block = lot.list.block();
        for (task, part) in tasks
            .iter()
            .zip([Part::Body, Part::Body, Part::Rescue, Part::Always])
        {
            lot.edit(*task).blocks = vec![(block, part)];
        }
        let mut schedule = schedule(&lot, FailureRule::EndHost);
        schedule.start(tasks[0]);
        schedule.end_host(HOST, by.then_some(tasks[0]));
        assert_eq!(schedule.next(HOST), Next::Waiting);
        schedule.finish(tasks[0], Ended::Failed);
        let told = run(&mut schedule, &|_| panic!("nothing runs"));
        let blocked = |at: usize| (tasks[at], Fate::Blocked(tasks[0]));
        let wanted: Vec<_> = [1, 2, 3, 4].map(blocked).into();
        assert_eq!(told, if by { wanted } else { vec![] });
    }
}

#[test]
fn what_a_task_becomes_stands_at_its_place() {
    let (lot, tasks) = commands(3);
    let mut schedule = schedule(&lot, FailureRule::EndHost);
    schedule.finish(tasks[0], Ended::Done);
    assert_eq!(schedule.expand(tasks[1], 2), 3..5);
    // One of them becomes more in its turn.
    assert_eq!(schedule.next(HOST), Next::Run(TaskId(3)));
    assert_eq!(schedule.expand(TaskId(3), 2), 5..7);
    let mut ahead = schedule.clone();
    let told: Vec<_> = run(&mut schedule, &|_| false)
        .iter()
        .map(|(task, _)| task.0)
        .collect();
    assert_eq!(told, [5, 6, 4, 2]);
    let by = TaskId(6);
    let told = run(&mut ahead, &|task| task == by);
    assert_eq!(
        told[2..],
        [
            (TaskId(4), Fate::Blocked(by)),
            (tasks[2], Fate::Blocked(by))
        ]
    );
}

#[test]
fn a_rescue_takes_the_failure_of_what_a_task_became() {
    let mut lot = Lot::new(2);
    let block = lot.list.block();
    let [body, rescue, plain] = [0; 3].map(|host| lot.add(host, Touches::everything()));
    lot.edit(body).blocks = vec![(block, Part::Body)];
    lot.edit(rescue).blocks = vec![(block, Part::Rescue)];
    let reads = lot.add(1, Touches::nothing());
    lot.edit(reads).needs = vec![body];
    let mut schedule = schedule(&lot, FailureRule::EndHost);
    let new = schedule.expand(body, 2);
    let (first, second) = (TaskId(new.start), TaskId(new.start + 1));
    assert!(schedule.rescued(first));
    let told = run(&mut schedule, &|task| task == first);
    let ran = |task| (task, Fate::Ran);
    assert_eq!(
        told,
        [
            ran(first),
            (second, Fate::Blocked(first)),
            ran(reads),
            ran(rescue),
            ran(plain),
        ]
    );
}

#[test]
fn a_rescue_that_is_blocked_itself_takes_nothing() {
    let mut lot = Lot::new(2);
    let block = lot.list.block();
    let [long, fails, passed, rescue] = [0; 4].map(|host| lot.add(host, Touches::nothing()));
    for (task, part) in [
        (fails, Part::Body),
        (passed, Part::Body),
        (rescue, Part::Rescue),
    ] {
        lot.edit(task).blocks = vec![(block, part)];
    }
    let reads = lot.add(1, Touches::nothing());
    lot.edit(reads).needs = vec![passed];
    let mut schedule = schedule(&lot, FailureRule::EndHost);
    schedule.start(long);
    schedule.finish(fails, Ended::Failed);
    schedule.finish(long, Ended::Failed);
    let told = run(&mut schedule, &|_| panic!("nothing runs"));
    assert_eq!(
        told,
        [
            (passed, Fate::Blocked(fails)),
            (reads, Fate::Blocked(fails)),
            (rescue, Fate::Blocked(long)),
        ]
    );
}

#[test]
fn a_task_may_become_nothing() {
    let (lot, tasks) = commands(2);
    let mut schedule = schedule(&lot, FailureRule::EndHost);
    assert_eq!(schedule.expand(tasks[0], 0), 2..2);
    assert_eq!(schedule.next(HOST), Next::Run(tasks[1]));
}

#[test]
fn ten_thousand_tasks_run_through() {
    let (lot, tasks) = commands(10_000);
    let told = run(&mut schedule(&lot, FailureRule::EndHost), &|_| false);
    assert!(
        told.into_iter()
            .eq(tasks.into_iter().map(|task| (task, Fate::Ran)))
    );
}

/// A list as people write it.
#[derive(Clone, Debug)]
enum Item {
    Task { fails: bool },
    Block([Vec<Self>; 3]),
}

const PARTS: [Part; 3] = [Part::Body, Part::Rescue, Part::Always];

fn items() -> impl Strategy<Value = Vec<Item>> {
    let task = prop::bool::weighted(0.25).prop_map(|fails| Item::Task { fails });
    let item = task.prop_recursive(3, 40, 4, |item| {
        let part = || prop::collection::vec(item.clone(), 0..4);
        [part(), part(), part()].prop_map(Item::Block)
    });
    prop::collection::vec(item, 0..8)
}

/// Lists the items; the tasks that fail when they run.
fn list(
    items: &[Item],
    blocks: &[(crate::BlockId, Part)],
    touches: &dyn Fn(usize) -> Touches,
    lot: &mut Lot,
    failing: &mut BTreeSet<TaskId>,
) {
    for item in items {
        match item {
            Item::Task { fails } => {
                let task = lot.add(0, touches(lot.list.tasks.len()));
                lot.edit(task).blocks = blocks.to_vec();
                if *fails {
                    failing.insert(task);
                }
            }
            Item::Block(parts) => {
                let block = lot.list.block();
                for (items, part) in parts.iter().zip(PARTS) {
                    let inner = [blocks, &[(block, part)]].concat();
                    list(items, &inner, touches, lot, failing);
                }
            }
        }
    }
}

/// The rule, read from top to bottom as a person would.
struct Oracle {
    next: u32,
    told: Vec<(TaskId, Fate)>,
}

impl Oracle {
    /// Runs items until one fails; the failure that is left.
    fn run(&mut self, items: &[Item]) -> Option<TaskId> {
        let mut failure = None;
        for item in items {
            if let Some(by) = failure {
                self.pass(std::slice::from_ref(item), Fate::Blocked(by));
                continue;
            }
            failure = match item {
                Item::Task { fails } => {
                    let task = self.tell(Fate::Ran);
                    fails.then_some(task)
                }
                Item::Block([body, rescue, always]) => {
                    let body = self.run(body);
                    let left = if body.is_some() && tasks(rescue) > 0 {
                        self.run(rescue)
                    } else {
                        self.pass(rescue, Fate::NotNeeded);
                        body
                    };
                    left.or(self.run(always))
                }
            };
        }
        failure
    }

    /// Does not run items.
    fn pass(&mut self, items: &[Item], fate: Fate) {
        for item in items {
            match item {
                Item::Task { .. } => {
                    self.tell(fate);
                }
                Item::Block([body, rescue, always]) => {
                    self.pass(body, fate);
                    self.pass(rescue, Fate::NotNeeded);
                    self.pass(always, fate);
                }
            }
        }
    }

    fn tell(&mut self, fate: Fate) -> TaskId {
        let task = TaskId(self.next);
        self.next += 1;
        self.told.push((task, fate));
        task
    }
}

fn tasks(items: &[Item]) -> usize {
    let count = |item: &Item| match item {
        Item::Task { .. } => 1,
        Item::Block(parts) => parts.iter().map(|part| tasks(part)).sum(),
    };
    items.iter().map(count).sum()
}

/// Some things that tasks of a random list touch.
fn some_touches(seed: u8) -> Touches {
    let thing = |n: u8| Thing::Unit((n % 4).to_string());
    match seed % 8 {
        0 => Touches::everything(),
        1 | 2 => Touches::nothing(),
        3 | 4 => Touches::writes([thing(seed / 8)]),
        _ => Touches::writes([thing(seed / 8)]).reading([thing(seed / 32)]),
    }
}

#[derive(Clone, Debug)]
struct Spec {
    host: u32,
    touches: u8,
    nature: u8,
    after: Option<u32>,
    fails: bool,
}

fn specs() -> impl Strategy<Value = Vec<Spec>> {
    let after = prop::option::weighted(0.2, 0..30_u32);
    let spec = (
        0..3_u32,
        any::<u8>(),
        0..6_u8,
        after,
        prop::bool::weighted(0.1),
    );
    let spec = spec.prop_map(|(host, touches, nature, after, fails)| Spec {
        host,
        touches,
        nature,
        after,
        fails,
    });
    prop::collection::vec(spec, 1..30)
}

fn lot(specs: &[Spec]) -> Lot {
    let mut lot = Lot::new(3);
    for spec in specs {
        let task = lot.add(spec.host, some_touches(spec.touches));
        let nature = [Nature::Command, Nature::Control, Nature::Passive];
        lot.nature(
            task,
            nature
                .get(usize::from(spec.nature))
                .copied()
                .unwrap_or_default(),
        );
        let after = spec.after.filter(|after| *after < task.0);
        lot.edit(task).after = after.map(TaskId).into_iter().collect();
        lot.edit(task).play = task.0 / 12;
    }
    lot
}

/// Runs with several tasks under way at once; `picks` says which goes on.
fn run_at_once(
    lot: &Lot,
    fails: &dyn Fn(TaskId) -> bool,
    rule: FailureRule,
    picks: &[u8],
) -> Vec<(TaskId, Fate)> {
    let graph = lot.graph();
    let mut schedule = Schedule::new(&lot.list, &graph, rule);
    let (mut told, mut running, mut ended) = (Vec::new(), Vec::new(), BTreeSet::new());
    let mut picks = picks.iter().copied().cycle();
    while !schedule.is_over() {
        let pick = picks.next().unwrap_or(0);
        let decided = (0..lot.list.hosts.len())
            .map(|host| schedule.next(HostId(u32::try_from(host).expect("few"))));
        let decided: Vec<_> = decided
            .filter(|next| !matches!(next, Next::Waiting | Next::Over))
            .collect();
        if pick % 2 == 0 && !running.is_empty() || decided.is_empty() {
            assert!(!running.is_empty(), "it hangs after {told:?}");
            let task: TaskId = running.remove(usize::from(pick / 2) % running.len());
            schedule.finish(
                task,
                if fails(task) {
                    Ended::Failed
                } else {
                    Ended::Done
                },
            );
            ended.insert(task);
            continue;
        }
        let (task, fate) = match decided[usize::from(pick / 2) % decided.len()] {
            Next::Run(task) => (task, Fate::Ran),
            Next::NotNeeded(task) => (task, Fate::NotNeeded),
            Next::Blocked { task, by } => (task, Fate::Blocked(by)),
            other => unreachable!("{other:?}"),
        };
        for edge in graph.edges_into(task) {
            assert!(ended.contains(&edge.from), "{edge:?} does not hold");
        }
        told.push((task, fate));
        if fate == Fate::Ran {
            schedule.start(task);
            running.push(task);
        } else {
            schedule.dismiss(task);
            ended.insert(task);
        }
    }
    assert_eq!(running, []);
    told
}

proptest! {
    #[test]
    fn blocks_mean_what_they_mean_when_read_from_top_to_bottom(items in items()) {
        let (mut lot, mut failing) = (Lot::new(1), BTreeSet::new());
        list(&items, &[], &|_| Touches::everything(), &mut lot, &mut failing);
        let mut oracle = Oracle { next: 0, told: Vec::new() };
        oracle.run(&items);
        let mut schedule = schedule(&lot, FailureRule::EndHost);
        prop_assert_eq!(run(&mut schedule, &|task| failing.contains(&task)), oracle.told);
    }

    #[test]
    fn running_ahead_takes_nothing_from_what_runs_in_order(
        items in items(),
        seeds in prop::collection::vec(any::<u8>(), 1..50),
        picks in prop::collection::vec(any::<u8>(), 1..50),
        keep_going in any::<bool>(),
    ) {
        let rule = if keep_going { FailureRule::KeepGoing } else { FailureRule::EndHost };
        let (mut lot, mut failing) = (Lot::new(1), BTreeSet::new());
        let touches = |n: usize| some_touches(seeds[n % seeds.len()]);
        list(&items, &[], &touches, &mut lot, &mut failing);
        let mut oracle = Oracle { next: 0, told: Vec::new() };
        oracle.run(&items);
        let fails = |task| failing.contains(&task);
        let told = run_at_once(&lot, &fails, rule, &picks);
        for (task, fate) in oracle.told {
            if fate == Fate::Ran {
                prop_assert!(told.contains(&(task, fate)), "{task:?} in {told:?}");
            }
        }
    }

    #[test]
    fn each_task_comes_once_after_all_it_waits_for(
        specs in specs(),
        picks in prop::collection::vec(any::<u8>(), 1..50),
        keep_going in any::<bool>(),
    ) {
        let rule = if keep_going { FailureRule::KeepGoing } else { FailureRule::EndHost };
        let lot = lot(&specs);
        let told = run_at_once(&lot, &|task| specs[task.index()].fails, rule, &picks);
        let distinct: BTreeSet<_> = told.iter().map(|(task, _)| *task).collect();
        prop_assert_eq!((distinct.len(), told.len()), (specs.len(), specs.len()));
        prop_assert_eq!(&told, &run_at_once(&lot, &|task| specs[task.index()].fails, rule, &picks));
        for (task, fate) in &told {
            if let Fate::Blocked(by) = fate {
                prop_assert!(specs[by.index()].fails && by < task);
                prop_assert!(told.contains(&(*by, Fate::Ran)));
            }
        }
    }

    #[test]
    fn going_on_blocks_what_edges_reach(
        specs in specs(),
        picks in prop::collection::vec(any::<u8>(), 1..50),
    ) {
        let lot = lot(&specs);
        let graph = lot.graph();
        let mut bad = BTreeSet::new();
        let mut blocked = BTreeSet::new();
        for (index, spec) in specs.iter().enumerate() {
            let task = TaskId(u32::try_from(index).expect("few"));
            let edges = graph.edges_into(task);
            let depends = |edge: &crate::Edge| edge.condition == crate::Condition::OnSuccess;
            if edges.iter().filter(|e| depends(e)).any(|edge| bad.contains(&edge.from)) {
                blocked.insert(task);
            }
            if spec.fails || blocked.contains(&task) {
                bad.insert(task);
            }
        }
        let told = run_at_once(&lot, &|task| specs[task.index()].fails, FailureRule::KeepGoing, &picks);
        let told = told.into_iter().filter(|(_, fate)| matches!(fate, Fate::Blocked(_)));
        prop_assert_eq!(told.map(|(task, _)| task).collect::<BTreeSet<_>>(), blocked);
    }

    #[test]
    fn in_order_is_the_listed_order(specs in specs()) {
        let lot = lot(&specs);
        let graph = lot.try_graph(Order::InOrder).expect("there is no cycle");
        let told = run(&mut Schedule::new(&lot.list, &graph, FailureRule::EndHost), &|_| false);
        prop_assert!(told.iter().map(|(task, _)| task.index()).eq(0..specs.len()));
    }

    #[test]
    fn expanding_keeps_the_order(
        count in 1..12_usize,
        into in prop::collection::vec(0..4_usize, 1..12),
    ) {
        let (lot, _) = commands(count);
        let mut schedule = schedule(&lot, FailureRule::EndHost);
        let (mut told, mut wanted, mut ids) = (Vec::new(), Vec::new(), lot.list.tasks.len());
        let mut into = into.into_iter();
        while let Next::Run(task) = schedule.next(HOST) {
            match into.next() {
                Some(into) if task.index() < count && into > 0 => {
                    let new = schedule.expand(task, into);
                    prop_assert_eq!(new.start as usize, ids);
                    ids += into;
                    wanted.extend(new.map(TaskId));
                }
                _ => {
                    if task.index() < count {
                        wanted.push(task);
                    }
                    told.push(task);
                    schedule.finish(task, Ended::Done);
                }
            }
        }
        prop_assert!(schedule.is_over());
        prop_assert_eq!(told, wanted);
    }
}

#[test]
fn forced_handlers_have_their_turn_after_a_failure_in_their_play() {
    for rule in [FailureRule::EndHost, FailureRule::KeepGoing] {
        let (mut lot, tasks) = commands(5);
        lot.edit(tasks[2]).handler = true;
        lot.edit(tasks[2]).triggers = vec![tasks[0], tasks[1]];
        lot.edit(tasks[4]).handler = true;
        lot.edit(tasks[4]).forced = Some(true);
        let fails = |task| task == tasks[1];
        let blocked = Fate::Blocked(tasks[1]);
        let told = run(&mut schedule(&lot, rule), &fails);
        assert_eq!(
            told[2..],
            [
                (tasks[2], blocked),
                (tasks[3], blocked),
                (tasks[4], Fate::Ran)
            ]
        );
        let mut forced = schedule(&lot, rule);
        forced.force_handlers(true);
        let told = run(&mut forced, &fails);
        assert_eq!(
            told[2..],
            [
                (tasks[2], Fate::Ran),
                (tasks[3], blocked),
                (tasks[4], Fate::Ran)
            ]
        );
        lot.edit(tasks[4]).forced = Some(false);
        let mut forced = schedule(&lot, rule);
        forced.force_handlers(true);
        let told = run(&mut forced, &fails);
        assert_eq!(told[4], (tasks[4], blocked));
    }
}

#[test]
fn what_is_put_back_starts_no_more_once_something_before_it_failed() {
    let mut lot = Lot::new(1);
    let tasks = [0, 1].map(|_| lot.add(0, Touches::nothing()));
    let mut schedule = schedule(&lot, FailureRule::EndHost);
    schedule.start(tasks[0]);
    schedule.start(tasks[1]);
    let mut well = schedule.clone();
    well.put_back(tasks[1]);
    assert_eq!(well.next(HOST), Next::Run(tasks[1]));
    schedule.finish(tasks[0], Ended::Failed);
    schedule.put_back(tasks[1]);
    let (task, by) = (tasks[1], tasks[0]);
    assert_eq!(schedule.next(HOST), Next::Blocked { task, by });
    schedule.dismiss(task);
    assert_eq!(schedule.next(HOST), Next::Over);
}

#[test]
fn a_task_may_turn_out_to_wait_for_another() {
    let mut lot = Lot::new(1);
    let tasks = [0, 1, 2].map(|_| lot.add(0, Touches::nothing()));
    let mut schedule = schedule(&lot, FailureRule::KeepGoing);
    schedule.wait(tasks[0], tasks[1]);
    schedule.start(tasks[0]);
    assert_eq!(schedule.next(HOST), Next::Run(tasks[2]));
    schedule.finish(tasks[2], Ended::Done);
    assert_eq!(schedule.next(HOST), Next::Waiting);
    schedule.finish(tasks[0], Ended::Failed);
    let (task, by) = (tasks[1], tasks[0]);
    assert_eq!(schedule.next(HOST), Next::Blocked { task, by });
    schedule.dismiss(task);
    // Too late: nothing happens.
    schedule.wait(tasks[0], tasks[1]);
    assert!(schedule.is_over());
}
