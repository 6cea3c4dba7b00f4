//! Changes and steps: what would be done, as plain data with its effects.

use std::{fmt, sync::Arc};

use crate::{
    keep::KeptPlace,
    late::NotYet,
    module::Refusal,
    probe::{Answer, AnyProbe, Probe},
    rehearsal::Rehearsal,
    secret::{Secret, Text},
    source::{Sha, Source, sha256},
    thing::Thing,
    value::Value,
};

/// What a module decided: the differences and how to close them. No changes: in its state.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// What differs; in the order in which the steps are taken.
    pub changes: Vec<Change>,
    /// If nothing is to be done because a guard says so: which (`creates`, `unless` …).
    pub guard: Option<&'static str>,
    /// Words for the user that change nothing: a trap in the arguments, a doubt.
    pub warnings: Vec<String>,
    /// How it can be told exactly, where the steps are only foretold, what they would do.
    pub rehearsal: Option<Rehearsal>,
}

impl Plan {
    /// In its state.
    pub fn nothing() -> Self {
        Self::default()
    }

    /// Nothing to do, because a guard of a command says so.
    pub fn guarded(guard: &'static str) -> Self {
        Self {
            guard: Some(guard),
            ..Self::default()
        }
    }

    /// Whether its steps only wait, or ask another.
    pub(crate) fn only_waits(&self) -> bool {
        let waits = |change: &Change| matches!(change.cause, Cause::Wait | Cause::Asks);
        !self.changes.is_empty() && self.changes.iter().all(waits)
    }

    /// Whether only its run can tell if there is anything to change.
    pub(crate) fn may_be_idle(&self) -> bool {
        let steps = self.changes.iter().flat_map(|change| &change.steps);
        let mut runs =
            steps.map(|step| matches!(&step.action, Action::Run(run) if run.idle.is_some()));
        runs.next()
            .is_some_and(|first| first && runs.all(|idle| idle))
    }

    /// Whether its run found that there was nothing to change.
    pub(crate) fn was_idle(&self, done: &[Done]) -> bool {
        let steps = self.changes.iter().flat_map(|change| &change.steps);
        let runs = steps.map(|step| match &step.action {
            Action::Run(run) => run.idle,
            _ => None,
        });
        self.may_be_idle() && runs.zip(done).all(|(idle, done)| idle == Some(done.status))
    }

    /// Lays over a result what only the plan knows ([`Change::tells`]).
    pub(crate) fn tell(&self, value: &mut Value) {
        if let Value::Map(result) = value {
            let all = self.changes.iter().flat_map(|change| &change.tells);
            result.extend(all.map(|(name, value)| ((*name).to_owned(), value.clone())));
        }
    }

    /// The programs that its steps run, in order.
    pub(crate) fn runs(&self) -> impl Iterator<Item = &Run> {
        let steps = self.changes.iter().flat_map(|change| &change.steps);
        steps.filter_map(|step| match &step.action {
            Action::Run(run) => Some(run),
            _ => None,
        })
    }

    /// Says how it can be told, where the steps are only foretold, what they would do.
    #[must_use]
    pub fn rehearsal(mut self, rehearsal: Rehearsal) -> Self {
        self.rehearsal = Some(rehearsal);
        self
    }

    /// Adds a warning.
    #[must_use]
    pub fn warning(mut self, text: impl Into<String>) -> Self {
        self.warnings.push(text.into());
        self
    }
}

impl From<Vec<Change>> for Plan {
    fn from(changes: Vec<Change>) -> Self {
        Self {
            changes,
            ..Self::default()
        }
    }
}

impl From<Change> for Plan {
    fn from(change: Change) -> Self {
        vec![change].into()
    }
}

/// Why a change is to be made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cause {
    /// The host differs from what is wanted; after the steps it must not.
    #[default]
    Differs,
    /// The task acts by nature (`state: restarted`, `touch`, a POST): there is no state to look at.
    Act,
    /// A command that nothing guards.
    Unguarded,
    /// A command whose guard (`creates`, `removes`, `unless`, `onlyif`) says that it must run.
    Guard(&'static str),
    /// Nothing is changed: the steps only wait, within a bound, for what others bring about. Of a
    /// plan with nothing else the task is told as unchanged, and its listeners are not called.
    Wait,
    /// Nothing is changed on the host: the steps only ask another, each time. Told as [`Cause::Wait`] is.
    Asks,
}

/// One difference between what was seen and what is wanted.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// What differs, as people read it: `mode`, `content`, `directory` …
    pub what: String,
    /// What it is now; null where there is nothing.
    pub before: Value,
    /// What it will be.
    pub after: Value,
    /// What a diff can be made of.
    pub diff: Option<Diff>,
    /// What closes the difference.
    pub steps: Vec<Step>,
    /// Why it is made.
    pub cause: Cause,
    /// What it begins anew, from all that lies before it: see
    /// [`Seen::is_renewed`](crate::Seen::is_renewed).
    pub renews: Option<Thing>,
    /// Fields of the task's result that only the plan knows: nothing on the host tells them afterwards.
    pub tells: Vec<(&'static str, Value)>,
}

impl Change {
    /// A difference in `what`; `.step()` says how it is closed.
    pub fn new(what: impl Into<String>, before: impl Into<Value>, after: impl Into<Value>) -> Self {
        Self {
            what: what.into(),
            before: before.into(),
            after: after.into(),
            ..Self::default()
        }
    }

    /// Adds a step.
    #[must_use]
    pub fn step(mut self, step: impl Into<Step>) -> Self {
        self.steps.push(step.into());
        self
    }

    /// Says why, if not because the host differs.
    #[must_use]
    pub fn because(mut self, cause: Cause) -> Self {
        self.cause = cause;
        self
    }

    /// Says what it begins anew.
    #[must_use]
    pub fn renews(mut self, thing: Thing) -> Self {
        self.renews = Some(thing);
        self
    }

    /// Puts a field into the task's result ([`Change::tells`]).
    #[must_use]
    pub fn telling(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.tells.push((name, value.into()));
        self
    }

    /// Says what a diff can be made of.
    #[must_use]
    pub fn diff(mut self, diff: Diff) -> Self {
        self.diff = Some(diff);
        self
    }
}

/// What a diff is made of. Contents are fetched and compared only when somebody wants to see it.
#[derive(Clone, Debug)]
pub enum Diff {
    /// Both texts are known.
    Texts {
        /// What it is about.
        name: String,
        /// Before.
        before: String,
        /// After.
        after: String,
    },
    /// A file of the host against its new content.
    File {
        /// The file; it may not exist.
        path: String,
        /// What it will hold.
        after: Content,
    },
}

/// Bytes for a file or for stdin: two of the three places that take a secret (the third is an
/// environment variable). An argument list is made of `String`s and cannot hold one.
#[derive(Clone, PartialEq, Eq)]
pub enum Content {
    /// May be shown.
    Plain(Arc<[u8]>),
    /// Must not be shown.
    Secret(Secret),
    /// A file of the controller, read when it is sent.
    Source(Source),
}

impl Content {
    /// SHA-256 of the bytes.
    pub fn digest(&self) -> Sha {
        match self {
            Self::Plain(bytes) => sha256(bytes),
            Self::Secret(secret) => sha256(secret.reveal()),
            Self::Source(source) => source.digest(),
        }
    }

    /// Length in bytes.
    pub fn len(&self) -> u64 {
        match self {
            Self::Plain(bytes) => bytes.len() as u64,
            Self::Secret(secret) => secret.reveal().len() as u64,
            Self::Source(source) => source.len(),
        }
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether it must not be shown.
    pub fn is_secret(&self) -> bool {
        matches!(self, Self::Secret(_))
    }

    /// The bytes; reads a local file.
    pub fn read(&self) -> std::io::Result<Vec<u8>> {
        match self {
            Self::Plain(bytes) => Ok(bytes.to_vec()),
            Self::Secret(secret) => Ok(secret.reveal().to_vec()),
            Self::Source(source) => source.read(),
        }
    }
}

impl Default for Content {
    fn default() -> Self {
        Self::Plain(Arc::new([]))
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(bytes) => write!(f, "{} bytes", bytes.len()),
            Self::Secret(_) => f.write_str(crate::secret::MASK),
            Self::Source(source) => source.fmt(f),
        }
    }
}

impl From<&Source> for Content {
    fn from(source: &Source) -> Self {
        match source.as_secret() {
            Some(secret) => Self::Secret(secret.clone()),
            None => Self::Source(source.clone()),
        }
    }
}

impl From<&str> for Content {
    fn from(text: &str) -> Self {
        Self::Plain(text.as_bytes().into())
    }
}

impl From<Vec<u8>> for Content {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Plain(bytes.into())
    }
}

impl From<&Text> for Content {
    fn from(text: &Text) -> Self {
        match text {
            Text::Plain(text) => text.as_str().into(),
            Text::Secret(secret) => Self::Secret(secret.clone()),
        }
    }
}

/// What a probe will answer once a step is done.
#[derive(Clone, Debug)]
pub struct Effect {
    /// The question.
    pub probe: Arc<dyn AnyProbe>,
    /// Its answer; not known yet where it cannot be foretold.
    pub answer: Answer,
}

impl Effect {
    /// A foretold answer.
    pub fn new<P: Probe>(probe: P, answer: P::Answer) -> Self {
        Self {
            probe: Arc::new(probe),
            answer: Ok(Arc::new(answer)),
        }
    }

    /// An answer that the step changes in a way nobody can foretell.
    pub fn unknown<P: Probe>(probe: P, why: impl Into<String>) -> Self {
        Self {
            probe: Arc::new(probe),
            answer: Err(NotYet(why.into())),
        }
    }
}

/// One action on the host with its effects.
///
/// Actions on files derive their effects on the engine's own probes of that path; what is stated
/// here is laid over them. `Run` states all it knows.
#[derive(Clone, Debug)]
pub struct Step {
    /// What is done.
    pub action: Action,
    /// What probes will answer after it, beyond what the action itself says.
    pub effects: Vec<Effect>,
    /// What its module says that it may write ([`Module::touches`](crate::Module::touches)), and what this
    /// step surely leaves as it is.
    pub spares: Vec<Thing>,
}

impl From<Action> for Step {
    fn from(action: Action) -> Self {
        Self {
            action,
            effects: Vec::new(),
            spares: Vec::new(),
        }
    }
}

impl From<Run> for Step {
    fn from(run: Run) -> Self {
        Action::Run(run).into()
    }
}

impl Step {
    /// Adds an effect.
    #[must_use]
    pub fn effect(mut self, effect: Effect) -> Self {
        self.effects.push(effect);
        self
    }

    /// Says what it leaves as it is ([`Step::spares`]).
    #[must_use]
    pub fn sparing(mut self, thing: Thing) -> Self {
        self.spares.push(thing);
        self
    }
}

/// The actions. One interpreter carries them out: `ScriptHost`; `FakeHost` models them.
#[derive(Clone, Debug)]
pub enum Action {
    /// Writes a file: temporary file beside `path`, digest checked, owner and mode, `validate`,
    /// synced, renamed over it. An existing file keeps owner and mode where `attrs` says nothing.
    Write(Write),
    /// Makes one directory (its parent exists), then sets what `attrs` says.
    Directory {
        /// Absolute path.
        path: String,
        /// Owner, group, mode.
        attrs: Attrs,
    },
    /// Makes a symbolic link, replacing (by rename) a link or file that is there.
    Link {
        /// Absolute path of the link.
        path: String,
        /// What it holds.
        target: String,
    },
    /// Makes a hard link, replacing (by rename) what is there.
    HardLink {
        /// Absolute path of the new name.
        path: String,
        /// The existing file.
        target: String,
    },
    /// Sets attributes of an existing path; follows a link unless `follow` is false.
    Attrs {
        /// Absolute path.
        path: String,
        /// Owner, group, mode, times.
        attrs: Attrs,
        /// Whether a symbolic link is followed.
        follow: bool,
        /// Also all below it.
        recurse: bool,
    },
    /// Copies a file on the host, attributes kept (backups).
    Copy {
        /// The file.
        from: String,
        /// Its copy.
        to: String,
    },
    /// Removes a path and all below it; not an error if it is gone.
    Remove {
        /// Absolute path; never `/`.
        path: String,
    },
    /// Fetches a file: it is brought here some bytes at a time, and kept once all of it is here.
    Fetch(Fetch),
    /// Runs a program.
    Run(Run),
    /// Waits, at most so long, until the probe answers as given.
    Settle {
        /// The question and the wanted answer.
        until: Effect,
        /// Time limit in milliseconds.
        millis: u64,
    },
}

/// See [`Action::Write`].
#[derive(Clone, Debug, Default)]
pub struct Write {
    /// Absolute path.
    pub path: String,
    /// What it will hold.
    pub content: Content,
    /// Owner, group, mode.
    pub attrs: Attrs,
    /// What the file held when this was planned (`Some(None)`: it did not exist). If it no longer
    /// does, nothing is written and the task is planned anew. `None`: whatever it holds.
    pub if_was: Option<Option<Sha>>,
    /// A program that must accept the new file before it takes its place; `%s` is its path.
    pub validate: Option<Vec<String>>,
    /// The permission bits that are set when the file is new and `attrs` has no mode; 0644 if unset.
    pub new_mode: Option<u32>,
}

/// See [`Action::Fetch`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetch {
    /// The file, by its absolute path.
    pub path: String,
    /// SHA-256 of what it held when this was planned; if what comes is anything else, nothing is kept. Unset: an earlier
    /// step makes it.
    pub digest: Option<Sha>,
    /// How long it was then; what was added since is left out. Unset: whatever is there is read.
    pub len: Option<u64>,
    /// Where it is kept on this machine.
    pub to: KeptPlace,
    /// Of hosts that keep it there in the same run, that of the first is kept: each is as good. Otherwise they have to be
    /// the same.
    pub alike: bool,
}

/// Attributes of a path; what is `None` stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attrs {
    /// User name or number.
    pub owner: Option<String>,
    /// Group name or number.
    pub group: Option<String>,
    /// Permission bits.
    pub mode: Option<u32>,
    /// Modification time: seconds since 1970, or `now`.
    pub mtime: Option<String>,
    /// Access time: the same.
    pub atime: Option<String>,
}

impl Attrs {
    /// Whether nothing is to be set.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A program to run.
#[derive(Clone, Debug)]
pub struct Run {
    /// Program and arguments. Secrets cannot stand here.
    pub argv: Vec<String>,
    /// Words that go before `argv` when it is run, but not when it is told: a wrapper that ends by
    /// running its arguments.
    pub under: Vec<String>,
    /// Operands that may be put together with those of like steps, so that thirty packages are one
    /// transaction. If the joined run fails, they run apart.
    pub joins: Option<Vec<String>>,
    /// Environment, beyond the task's own.
    pub env: Vec<(String, Text)>,
    /// Working directory; the identity's home if unset.
    pub dir: Option<String>,
    /// File mode mask; 022 if unset.
    pub umask: Option<u32>,
    /// What it reads from stdin; empty if unset.
    pub stdin: Content,
    /// Time limit in seconds; unlimited steps are long ones.
    pub seconds: Option<u64>,
    /// Time limit of its whole task in seconds (`timeout`): what the task's programs before it took counts too, and
    /// nothing but the limit decides what comes of it then.
    pub limit: Option<u64>,
    /// Exit statuses that mean success; empty: any status does (the front end judges it).
    pub ok: Vec<i32>,
    /// The exit status, one of those of success, that means: nothing had to be changed. Only the run itself can tell;
    /// a plan calls it unknown.
    pub idle: Option<i32>,
    /// Whether it may take long: it runs detached, and is found again after a lost connection.
    pub long: bool,
    /// Whether its argument list came from a playbook and holds a secret: masked in all we print.
    pub secret_argv: Vec<Secret>,
    /// How many seconds the host may be gone after it, beyond what a lost connection is given: it starts the host
    /// again.
    pub away: Option<u64>,
    /// What a failure means, where the module knows better than the program: the message, and the
    /// remedy. What the program said is told in any case.
    pub explain: Option<fn(&Done) -> Option<Refusal>>,
}

impl Run {
    /// A program and its arguments; status 0 means success, 10 minutes at most.
    pub fn new<S: Into<String>>(argv: impl IntoIterator<Item = S>) -> Self {
        Self {
            argv: argv.into_iter().map(Into::into).collect(),
            under: Vec::new(),
            joins: None,
            env: Vec::new(),
            dir: None,
            umask: None,
            stdin: Content::default(),
            seconds: Some(600),
            limit: None,
            ok: vec![0],
            idle: None,
            long: false,
            secret_argv: Vec::new(),
            away: None,
            explain: None,
        }
    }
}

impl Run {
    /// Whether it ended well.
    pub(crate) fn accepts(&self, done: &Done) -> bool {
        self.ok.is_empty() || self.ok.contains(&done.status)
    }
}

/// What a `Run` step left behind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// Exit status; 128 + the signal's number if one ended it.
    pub status: i32,
    /// What it printed, at most [`OUTPUT_LIMIT`] bytes: beginning and end if there was more.
    pub stdout: Vec<u8>,
    /// The same for stderr.
    pub stderr: Vec<u8>,
    /// How long it took, in milliseconds.
    pub millis: u64,
}

/// How many bytes of a step's stdout, and of its stderr, are kept.
pub const OUTPUT_LIMIT: u64 = 1024 * 1024;
