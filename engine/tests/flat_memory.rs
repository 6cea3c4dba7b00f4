//! A file goes to a host without ever being in memory as a whole. One test, so that the process
//! holds nothing else.

mod memory;

use evenkeel_engine::{
    Action, Content, Identity, LocalConnection, ScriptHost, Source, Write,
    host::{Exchange, Host as _, LedgerPlace, Op, OpResult, Reply, StepEnd},
};

use memory::peak;

const SIZE: u64 = 256 * 1024 * 1024;

#[tokio::test]
async fn a_large_file_is_sent_in_a_few_megabytes() {
    let dir = tempfile::tempdir().unwrap();
    let (from, to) = (dir.path().join("from"), dir.path().join("to"));
    // It takes no room here: a hole is read as zeros.
    std::fs::File::create(&from).unwrap().set_len(SIZE).unwrap();
    let connection = LocalConnection::new().env("HOME", dir.path());
    let host = ScriptHost::new(connection);
    let write = Write {
        path: to.to_str().unwrap().to_owned(),
        content: Content::Source(Source::open("from", &from).unwrap()),
        ..Write::default()
    };
    let step = Op::Step {
        who: Identity::login(),
        env: Vec::new(),
        action: Box::new(Action::Write(write)),
        effects: Vec::new(),
        long: None,
        on_failure: None,
    };
    let exchange = Exchange {
        run: "r".to_owned(),
        place: LedgerPlace::User,
        lock: None,
        ops: vec![step],
        tail: Vec::new(),
    };
    let before = peak();
    let reply = host.exchange(exchange).await.unwrap();
    let Reply::Ran { ops, .. } = reply else {
        panic!("{reply:?}");
    };
    assert!(
        matches!(ops[..], [OpResult::Stepped(StepEnd::Ok(_))]),
        "{ops:?}"
    );
    assert_eq!(std::fs::metadata(&to).unwrap().len(), SIZE);
    let (Some(before), Some(after)) = (before, peak()) else {
        eprintln!("skipped: this system does not say how much memory a process has had");
        return;
    };
    let grown = after - before;
    assert!(grown < 16 * 1024 * 1024, "{grown} bytes more");
}
