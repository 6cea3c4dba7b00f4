//! Machines for tests: a home of their own, in each of the two shells.

use std::path::{Path, PathBuf};

use evenkeel_engine::{
    Action, Answer, Done, Identity, LocalConnection, Probes, Run, ScriptHost,
    host::{Exchange, Host as _, LedgerPlace, LedgerText, Lock, Op, OpResult, Reply, StepEnd},
};
use std::sync::Arc;

/// A host whose ledger lives in a directory of its own.
pub(crate) struct Machine {
    pub(crate) host: ScriptHost<LocalConnection>,
    pub(crate) shell: &'static str,
    dir: tempfile::TempDir,
}

impl Machine {
    pub(crate) fn new(shell: &'static str) -> Self {
        Self::below(&std::env::temp_dir(), shell)
    }

    fn below(parent: &Path, shell: &'static str) -> Self {
        let dir = tempfile::tempdir_in(parent).unwrap();
        Self {
            host: connect(shell, dir.path()),
            shell,
            dir,
        }
    }

    /// Where syncing thousands of files takes no time, if there is such a place.
    pub(crate) fn in_memory(shell: &'static str) -> Self {
        let memory = Path::new("/dev/shm");
        if memory.is_dir() {
            Self::below(memory, shell)
        } else {
            Self::new(shell)
        }
    }

    /// A path below the machine's own directory.
    pub(crate) fn path(&self, name: &str) -> String {
        let path = self.dir.path().join(name);
        path.to_str().unwrap().to_owned()
    }

    pub(crate) fn put(&self, name: &str, content: &[u8]) -> String {
        std::fs::write(self.path(name), content).unwrap();
        self.path(name)
    }

    pub(crate) fn ledger_dir(&self) -> PathBuf {
        self.dir.path().join(".local/state/evenkeel")
    }

    /// A second way to the same machine.
    pub(crate) fn again(&self) -> ScriptHost<LocalConnection> {
        connect(self.shell, self.dir.path())
    }

    /// The same machine, with programs of other directories.
    pub(crate) fn with_path(&self, path: &str) -> ScriptHost<LocalConnection> {
        let connection = connection(self.shell, self.dir.path()).env("PATH", path);
        ScriptHost::new(connection).shell(self.shell)
    }

    pub(crate) async fn observe(&self, probes: &Probes) -> Vec<Answer> {
        let op = Op::Observe {
            who: Identity::login(),
            probes: probes.clone(),
        };
        let results = ran(self.host.exchange(look(vec![op])).await.unwrap()).0;
        match results.into_iter().next() {
            Some(OpResult::Observed(answers)) => answers,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn ledger(&self) -> LedgerText {
        let reply = self.host.exchange(look(vec![Op::Ledger])).await.unwrap();
        match ran(reply).0.into_iter().next() {
            Some(OpResult::Ledger(ledger)) => ledger,
            other => panic!("{other:?}"),
        }
    }

    /// Takes one step.
    pub(crate) async fn step(&self, action: Action) -> StepEnd {
        match self.chain(vec![step(action)]).await.remove(0) {
            OpResult::Stepped(end) => end,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn chain(&self, ops: Vec<Op>) -> Vec<OpResult> {
        ran(self.host.exchange(change(ops)).await.unwrap()).0
    }

    /// What is left in the machine's directory under temporary names, and in the spool.
    pub(crate) fn litter(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        walk(self.dir.path(), &mut |path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if name.starts_with(".evenkeel.") || name.starts_with("x.") {
                found.push(path.to_owned());
            }
        });
        found
    }
}

fn walk(dir: &Path, each: &mut impl FnMut(&Path)) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        each(&path);
        if path.is_dir() && !path.is_symlink() {
            walk(&path, each);
        }
    }
}

fn connect(shell: &'static str, home: &Path) -> ScriptHost<LocalConnection> {
    ScriptHost::new(connection(shell, home)).shell(shell)
}

fn connection(shell: &'static str, home: &Path) -> LocalConnection {
    let connection = LocalConnection::new().shell(shell);
    connection.env("HOME", home).env("XDG_STATE_HOME", "")
}

/// One machine for each shell.
pub(crate) fn machines() -> [Machine; 2] {
    [Machine::new("dash"), Machine::new("bash")]
}

/// An exchange that only looks.
pub(crate) fn look(ops: Vec<Op>) -> Exchange {
    Exchange {
        run: "run-1".into(),
        place: LedgerPlace::User,
        lock: None,
        ops,
        tail: Vec::new(),
    }
}

/// An exchange that takes the lock, of a ledger nobody has written.
pub(crate) fn change(ops: Vec<Op>) -> Exchange {
    Exchange {
        lock: Some(lock(0)),
        ..look(ops)
    }
}

pub(crate) fn lock(serial: u64) -> Lock {
    Lock {
        serial,
        wait_millis: 0,
        holder: "a test".into(),
    }
}

pub(crate) fn step(action: Action) -> Op {
    Op::Step {
        who: Identity::login(),
        env: Vec::new(),
        action: Box::new(action),
        long: None,
        effects: Vec::new(),
        on_failure: None,
    }
}

pub(crate) fn run<const N: usize>(argv: [&str; N]) -> Action {
    Action::Run(Run::new(argv))
}

pub(crate) fn sh(script: &str) -> Action {
    run(["sh", "-c", script])
}

pub(crate) fn ran(reply: Reply) -> (Vec<OpResult>, Vec<OpResult>, u64) {
    match reply {
        Reply::Ran { ops, tail, serial } => (ops, tail, serial),
        other => panic!("{other:?}"),
    }
}

/// What a step that went well left.
pub(crate) fn well(end: StepEnd) -> Done {
    match end {
        StepEnd::Ok(done) => done,
        other => panic!("{other:?}"),
    }
}

/// What a step that failed left.
pub(crate) fn badly(end: StepEnd) -> Done {
    match end {
        StepEnd::Failed(done) => done,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// The typed answer.
pub(crate) fn typed<T: Clone + 'static>(answer: &Answer) -> T {
    answer
        .as_ref()
        .unwrap()
        .downcast_ref::<T>()
        .unwrap()
        .clone()
}

/// Whether this process is root; a test that needs it says that it was skipped.
#[expect(clippy::print_stdout, reason = "a skipped test says so")]
pub(crate) fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let root = std::fs::metadata("/proc/self").unwrap().uid() == 0;
    if !root {
        println!("skipped: this needs root");
    }
    root
}

/// The law of probes on real answers: `parse(expected(a)) == a`, and the host prints just that.
pub(crate) async fn law(machine: &Machine, probes: &Probes) {
    let answers = machine.observe(probes).await;
    for (probe, answer) in probes.iter().zip(answers) {
        assert!(answer.is_ok(), "{}: {probe:?}: {answer:?}", machine.shell);
        let Some(expected) = probe.expected(&answer) else {
            continue;
        };
        let batch = [Arc::clone(probe)];
        let parsed = probe.parse(&batch, &expected).unwrap().remove(0);
        assert!(probe.same(&parsed, &answer), "{probe:?}: {parsed:?}");
        let guard = Op::Guard {
            who: Identity::login(),
            holds: vec![(Arc::clone(probe), answer)],
        };
        let reply = machine.host.exchange(look(vec![guard])).await.unwrap();
        let held = matches!(ran(reply).0[..], [OpResult::Guarded(None)]);
        assert!(
            held,
            "{}: {probe:?} does not print what it should",
            machine.shell
        );
    }
}
