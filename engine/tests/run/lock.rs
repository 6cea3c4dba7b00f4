//! Several runs, and several names, on one machine.

use std::sync::{Arc, Mutex};

use evenkeel_engine::{
    TaskList,
    event::Event,
    host::{Exchange, Host, HostError, Reply, Stopping, Traffic},
    run::{Cancel, Options, run},
};

use crate::kit::{cell, cells, count, go, go_list, host, list, put, runtime, sum};

/// Lets others go first now and then, as a connection does.
struct Slow(Arc<evenkeel_engine::fake::FakeHost>);

#[async_trait::async_trait]
impl Host for Slow {
    async fn exchange(&self, exchange: Exchange) -> Result<Reply, HostError> {
        tokio::task::yield_now().await;
        let reply = self.0.exchange(exchange).await;
        tokio::task::yield_now().await;
        reply
    }

    async fn stop(&self, stopping: &Stopping) -> Result<(), HostError> {
        self.0.stop(stopping).await
    }

    fn traffic(&self) -> Traffic {
        self.0.traffic()
    }
}

#[test]
fn a_run_waits_for_the_lock_of_another_and_looks_again() {
    let host = Arc::new(host().held_by("other", "ada on desk since noon"));
    let waited = Arc::new(Mutex::new(Vec::new()));
    let sink = {
        let (host, waited) = (Arc::clone(&host), Arc::clone(&waited));
        move |event: &Event| {
            if let Event::Waiting { what, .. } = event {
                waited.lock().unwrap().push(what.clone());
                // The other run has made the cell meanwhile.
                host.change(|world| world.write("/cells/a", "1"));
                host.lets_go();
            }
        }
    };
    let tasks = vec![cell("a", "a", "1"), cell("b", "b", "2")];
    let tasks = Arc::new(list(&host, tasks));
    let running = run(tasks, Options::new(), Arc::new(sink), Cancel::new());
    let report = runtime().block_on(running).unwrap();
    assert!(report.ok);
    let waited = waited.lock().unwrap();
    assert_eq!(waited.len(), 1);
    assert!(waited[0].contains("ada on desk"), "{waited:?}");
    assert_eq!(cells(&host).len(), 2);
}

#[test]
fn the_lock_of_a_dead_run_is_taken_over() {
    let host = Arc::new(host().held_by("other", "ada on desk since noon"));
    host.dies();
    assert!(go(&host, vec![cell("a", "a", "1")]).report.ok);
}

#[test]
fn nobody_waits_for_ever() {
    let host = Arc::new(host().held_by("other", "ada on desk since noon"));
    let options = Options {
        lock_wait: std::time::Duration::from_millis(30),
        ..Options::new()
    };
    let ran = go_list(
        list(&host, vec![cell("a", "a", "1")]),
        options,
        &Cancel::new(),
        &host,
    );
    assert!(!ran.report.ok);
    let told = ran.lines().join("\n");
    assert!(
        told.contains("another run holds the lock: ada on desk"),
        "{told}"
    );
    assert!(cells(&host).is_empty());
}

#[test]
fn ten_names_of_one_machine_share_ledger_and_lock() {
    let host = Arc::new(host());
    let all = || {
        let mut list = TaskList::new("kit");
        for n in 0..10_u32 {
            let name = list.host(format!("n{n}"), Arc::new(Slow(Arc::clone(&host))));
            list.task(cell("same", "same", "1").on(name));
            let own = cell("own", &format!("c{n}"), "1").on(name);
            let own = list.task(own);
            let mut restart = sum(&format!("restart{n}"), &format!("r{n}"), &["same"]);
            restart.host = name;
            restart.handler = true;
            restart.triggers = vec![own];
            list.task(restart);
        }
        list
    };
    let first = go_list(all(), Options::new(), &Cancel::new(), &host);
    assert!(first.report.ok, "{:#?}", first.told());
    let changed = first.finished().filter(|task| {
        task.name.task == "same" && task.outcome == evenkeel_engine::event::Outcome::Changed
    });
    assert_eq!(changed.count(), 1, "{:#?}", first.told());
    let log = host.log();
    assert_eq!(log.iter().filter(|line| *line == "release").count(), 1);
    assert_eq!(log.last().unwrap(), "release");
    for n in 0..10 {
        assert_eq!(count(&host, &format!("restart{n}")), 1);
    }
    let second = go_list(all(), Options::new(), &Cancel::new(), &host);
    assert!(second.report.hosts.values().all(|recap| recap.changed == 0));
    let ledger =
        evenkeel_engine::ledger::show(host.as_ref(), evenkeel_engine::host::LedgerPlace::User);
    let ledger = runtime().block_on(ledger).unwrap();
    assert!(ledger.records.iter().all(|record| record.owes.is_empty()));
}

/// Aborts the run at its n-th exchange, whose answer never comes; it may have been carried out.
struct Stuck {
    host: Arc<evenkeel_engine::fake::FakeHost>,
    cancel: Cancel,
    at: usize,
    carried_out: bool,
}

#[async_trait::async_trait]
impl Host for Stuck {
    async fn exchange(&self, exchange: Exchange) -> Result<Reply, HostError> {
        if self.host.exchanges().len() + 1 < self.at {
            return self.host.exchange(exchange).await;
        }
        if self.carried_out {
            self.host.exchange(exchange).await?;
        }
        self.cancel.abort();
        std::future::pending().await
    }

    async fn stop(&self, stopping: &Stopping) -> Result<(), HostError> {
        self.host.stop(stopping).await
    }

    fn traffic(&self) -> Traffic {
        self.host.traffic()
    }
}

#[test]
fn abort_ends_at_once_and_the_next_run_finishes() {
    for (at, carried_out) in [
        (1, false),
        (1, true),
        (2, false),
        (2, true),
        (3, false),
        (3, true),
    ] {
        let host = Arc::new(host());
        let cancel = Cancel::new();
        let mut stuck = list(&host, crate::cut::tasks());
        stuck.hosts[0].host = Arc::new(Stuck {
            host: Arc::clone(&host),
            cancel: cancel.clone(),
            at,
            carried_out,
        });
        let ran = go_list(stuck, Options::new(), &cancel, &host);
        assert!(ran.report.interrupted && !ran.report.ok);
        host.dies();
        let next = go(&host, crate::cut::tasks());
        assert!(next.report.ok, "{at} {carried_out} {:?}", next.told());
        assert_eq!(count(&host, "init"), 1, "{at} {carried_out}");
        assert!(count(&host, "restart") >= 1, "{at} {carried_out}");
    }
}

/// Counts the exchanges under the lock that are under way at once, and the lines that are written.
#[derive(Default)]
struct Busy {
    now: usize,
    most: usize,
    stale: usize,
}

struct Counting(Arc<evenkeel_engine::fake::FakeHost>, Arc<Mutex<Busy>>);

#[async_trait::async_trait]
impl Host for Counting {
    async fn exchange(&self, exchange: Exchange) -> Result<Reply, HostError> {
        let locks = usize::from(exchange.lock.is_some());
        let came = {
            let mut busy = self.1.lock().unwrap();
            busy.now += locks;
            busy.most = busy.most.max(busy.now);
            busy.now
        };
        // Those that come first take longest.
        for _ in 0..20 / came.max(1) {
            tokio::task::yield_now().await;
        }
        let reply = self.0.exchange(exchange).await;
        for _ in 0..5 {
            tokio::task::yield_now().await;
        }
        let mut busy = self.1.lock().unwrap();
        busy.now -= locks;
        busy.stale += usize::from(locks == 1 && matches!(reply, Ok(Reply::Stale)));
        reply
    }

    async fn stop(&self, stopping: &Stopping) -> Result<(), HostError> {
        self.0.stop(stopping).await
    }

    fn traffic(&self) -> Traffic {
        self.0.traffic()
    }
}

/// Two scripts of one run that hold its lock would write one ledger at the same moment.
#[test]
fn names_of_one_machine_write_one_after_the_other_to_the_last_line() {
    let machine = Arc::new(host().file("/broken/n1", "").file("/broken/n4", ""));
    let busy = Arc::new(Mutex::new(Busy::default()));
    let mut list = TaskList::new("kit");
    for n in 0..6 {
        let door = Arc::new(Counting(Arc::clone(&machine), Arc::clone(&busy)));
        let name = list.host(format!("n{n}"), door);
        for m in 0..=n {
            let cell = format!("c{n}-{m}");
            list.task(put(&format!("n{n}"), &cell, "1").on(name));
        }
    }
    let ran = go_list(list, Options::new(), &Cancel::new(), &machine);
    let failed: u64 = ran.report.hosts.values().map(|recap| recap.failed).sum();
    let unreachable = ran.report.hosts.values().any(|recap| recap.unreachable);
    assert_eq!((failed, unreachable), (2, false), "{:?}", ran.told());
    let busy = busy.lock().unwrap();
    assert_eq!((busy.most, busy.stale), (1, 0));
}
