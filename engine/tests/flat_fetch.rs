//! A file of a host is kept here without ever being in memory as a whole. One test, so that the
//! process holds nothing else.

mod memory;

use std::sync::Arc;

use evenkeel_engine::{
    LocalConnection, ScriptHost, Task, TaskList,
    event::Event,
    keep::LocalFiles,
    run::{Cancel, Options, run},
};
use evenkeel_modules::fetch::{Args, Fetch};

use memory::peak;

const SIZE: u64 = 160 * 1024 * 1024;

#[tokio::test]
async fn a_large_file_is_kept_in_some_megabytes() {
    let dir = tempfile::tempdir().unwrap();
    let (from, to) = (dir.path().join("from"), dir.path().join("to"));
    // It takes no room there: a hole is read as zeros.
    std::fs::File::create(&from).unwrap().set_len(SIZE).unwrap();
    let connection = LocalConnection::new().env("HOME", dir.path());
    let mut list = TaskList::new("flat");
    list.host("here", Arc::new(ScriptHost::new(connection)));
    let args = Args {
        src: from.to_str().unwrap().to_owned(),
        dest: to.to_str().unwrap().to_owned(),
        flat: true,
        fail_on_missing: true,
        ..Args::default()
    };
    list.task(Task::new::<Fetch>("fetch", args));
    let options = Options {
        keep: Arc::new(LocalFiles),
        ..Options::new()
    };
    let before = peak();
    let sink = Arc::new(|_: &Event| {});
    let report = run(Arc::new(list), options, sink, Cancel::new()).await;
    let report = report.unwrap();
    assert!(report.ok, "{report:?}");
    assert_eq!(report.hosts["here"].changed, 1);
    assert_eq!(std::fs::metadata(&to).unwrap().len(), SIZE);
    let (Some(before), Some(after)) = (before, peak()) else {
        eprintln!("skipped: this system does not say how much memory a process has had");
        return;
    };
    let grown = after - before;
    assert!(grown < 96 * 1024 * 1024, "{grown} bytes more");
}
