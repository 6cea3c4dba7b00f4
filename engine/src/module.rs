//! The contract of modules: typed for authors, erased for the engine. Everything here is pure.

use std::{collections::BTreeMap, fmt, marker::PhantomData, sync::Arc};

use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    late::NotYet,
    probe::Probes,
    seen::Seen,
    step::{Done, Plan},
    thing::Touches,
    value::{BindError, Map, Value, bind},
};

/// Why a module cannot decide.
#[derive(Clone, Debug, PartialEq)]
pub enum Stop {
    /// Something comes later in this run, or is not there yet.
    NotYet(NotYet),
    /// The request cannot be fulfilled: the task fails with this.
    Refused(Refusal),
}

/// A request that cannot be fulfilled, and what to do about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    /// What is wrong: a lower-case fragment, literals in backticks.
    pub message: String,
    /// What to do instead.
    pub help: Option<String>,
    /// What the task's result has besides `msg`.
    pub result: Option<Box<Map>>,
}

impl Refusal {
    /// What is wrong.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            help: None,
            result: None,
        }
    }

    /// What to do instead.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// What the task's result has besides `msg`; a `msg` in it is there in the place of the message.
    #[must_use]
    pub fn result(mut self, result: Map) -> Self {
        self.result = Some(Box::new(result));
        self
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<NotYet> for Stop {
    fn from(what: NotYet) -> Self {
        Self::NotYet(what)
    }
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl Stop {
    /// A request that cannot be fulfilled.
    pub fn refused(message: impl Into<String>) -> Self {
        Self::Refused(Refusal::new(message))
    }
}

/// What kind of thing a module is; the engine orders and repeats by it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Nature {
    /// Keeps something in a state that can be looked at.
    #[default]
    State,
    /// Runs a user's command: `once`, `reads`, `writes` and guards apply to it.
    Command,
    /// Changes nothing on the host but can end the play (`assert`, `fail`): comes before all that
    /// is listed after it.
    Control,
    /// Changes nothing and ends nothing (`debug`, `set_fact`, `stat`).
    Passive,
}

/// A kind of thing to keep in a state. All functions are pure: no I/O, no clock, no environment.
pub trait Module: Send + Sync + 'static {
    /// Name in playbooks, words joined by `-`.
    const NAME: &'static str;
    /// Other names it goes by (Ansible's).
    const ALIASES: &'static [&'static str] = &[];
    /// What kind of thing it is.
    const NATURE: Nature = Nature::State;
    /// One sentence for lists of modules.
    const ABOUT: &'static str;
    /// A YAML task (one list item, as in a playbook) that shows how it is used. A test parses and
    /// plans it.
    const EXAMPLE: &'static str;
    /// When it reports a change: one sentence or more for its manual.
    const CHANGED_WHEN: &'static str = "";
    /// What it does not do, though one might expect it: for its manual.
    const LIMITS: &'static str = "";
    /// Arguments that name a file of the controller: a front end opens it and hands over the
    /// [`crate::Source`]. An address (`https://…`) is left as it is.
    const FILES: &'static [&'static str] = &[];
    /// A field of its result that is said to whoever runs it, as `debug` says its message.
    const SAYS: Option<&'static str> = None;

    /// Arguments: unknown ones are rejected (`#[serde(deny_unknown_fields)]`), each is documented.
    type Args: DeserializeOwned + Serialize + JsonSchema + Send + Sync;
    /// What `register` gives; typed for programs that embed the engine.
    type Output: Serialize + DeserializeOwned + Send;

    /// Checks what types cannot say (exclusive arguments, ranges). Called when a playbook is
    /// loaded, as far as the arguments are known.
    fn check(args: &Self::Args) -> Result<(), Refusal> {
        let _: &Self::Args = args;
        Ok(())
    }

    /// What is allowed, but most likely not meant; each with what to do. Told when a playbook is loaded,
    /// as far as the arguments are known. Files of the controller that are arguments may be read.
    fn doubts(args: &Self::Args) -> Vec<Refusal> {
        let _: &Self::Args = args;
        Vec::new()
    }

    /// What has to be known. May be called again with more seen, at most three times.
    fn observe(args: &Self::Args, seen: &Seen) -> Probes;

    /// What differs, and the steps that close it. Empty: in its state.
    fn plan(args: &Self::Args, seen: &Seen) -> Result<Plan, Stop>;

    /// The result, from what is seen afterwards and what the `Run` steps left. Called with foretold
    /// answers too, then `done` is empty: what depends on it is [`NotYet`].
    fn output(args: &Self::Args, after: &Seen, done: &[Done]) -> Result<Self::Output, Stop>;

    /// What it writes, and reads beyond what it observes. When in doubt, [`Touches::everything`].
    fn touches(args: &Self::Args) -> Touches;

    /// What it is about (path, user, unit …): with the module's name it identifies the task in the
    /// ledger.
    fn subject(args: &Self::Args) -> String;

    /// A small value to be kept in the ledger when the task ended well; see [`Seen::witness`].
    fn witness(args: &Self::Args, after: &Seen) -> Option<Value> {
        let _: (&Self::Args, &Seen) = (args, after);
        None
    }

    /// The result where it is told not to run and to say what it would do (`check_mode` of a task): nothing, if it has none.
    fn unrun(args: &Self::Args) -> Option<Self::Output> {
        let _: &Self::Args = args;
        None
    }

    /// How many seconds a host that cannot be reached is waited for because of it, from the first attempt on.
    fn awaits(args: &Self::Args) -> u64 {
        let _: &Self::Args = args;
        0
    }
}

/// A module with its arguments: what a task holds.
pub trait Bound: Send + Sync {
    /// [`Module::NAME`].
    fn module(&self) -> &'static str;
    /// [`Module::NATURE`].
    fn nature(&self) -> Nature;
    /// The arguments as a tree, for fingerprints; secrets are still in it.
    fn args(&self) -> Value;
    /// [`Module::check`], and that it asks and runs nothing that no host can be asked or told.
    fn check(&self) -> Result<(), Refusal>;
    /// [`Module::doubts`].
    fn doubts(&self) -> Vec<Refusal> {
        Vec::new()
    }
    /// [`Module::observe`].
    fn observe(&self, seen: &Seen) -> Probes;
    /// [`Module::plan`].
    fn plan(&self, seen: &Seen) -> Result<Plan, Stop>;
    /// [`Module::output`], as a tree.
    fn output(&self, after: &Seen, done: &[Done]) -> Result<Value, Stop>;
    /// [`Module::touches`], with what `observe` reads.
    fn touches(&self) -> Touches;
    /// [`Module::subject`].
    fn subject(&self) -> String;
    /// [`Module::witness`].
    fn witness(&self, after: &Seen) -> Option<Value>;
    /// [`Module::unrun`], as a tree.
    fn unrun(&self) -> Option<Value> {
        None
    }
    /// Why there are no arguments: a turn of a loop fails of that alone, and nothing judges it.
    fn broken(&self) -> Option<Refusal> {
        None
    }
    /// [`Module::awaits`].
    fn awaits(&self) -> u64 {
        0
    }
    /// [`Module::SAYS`].
    fn says(&self) -> Option<&'static str> {
        None
    }
}

/// A module with typed arguments.
pub struct With<M: Module>(pub M::Args);

impl<M: Module> fmt::Debug for With<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", M::NAME, M::subject(&self.0))
    }
}

impl<M: Module> Bound for With<M> {
    fn module(&self) -> &'static str {
        M::NAME
    }
    fn nature(&self) -> Nature {
        M::NATURE
    }
    fn args(&self) -> Value {
        Value::from_typed(&self.0)
            .unwrap_or_else(|error| panic!("BUG: arguments of `{}`: {error}", M::NAME))
    }
    fn check(&self) -> Result<(), Refusal> {
        M::check(&self.0)?;
        let probes = M::observe(&self.0, &Seen::default());
        let runs = M::NATURE == Nature::Command && M::subject(&self.0).contains('\0');
        if runs || probes.iter().any(|probe| probe.key().has_nul()) {
            let why = "it has a NUL byte where a path, a name or a word of a command stands";
            return Err(Refusal::new(why).help("leave `\\0` and what is like it out"));
        }
        Ok(())
    }
    fn doubts(&self) -> Vec<Refusal> {
        M::doubts(&self.0)
    }
    fn observe(&self, seen: &Seen) -> Probes {
        M::observe(&self.0, seen)
    }
    fn plan(&self, seen: &Seen) -> Result<Plan, Stop> {
        M::plan(&self.0, seen)
    }
    fn output(&self, after: &Seen, done: &[Done]) -> Result<Value, Stop> {
        let output = M::output(&self.0, after, done)?;
        Value::from_typed(&output).map_err(|error| Stop::refused(error.to_string()))
    }
    fn touches(&self) -> Touches {
        let mut touches = M::touches(&self.0);
        let probes = M::observe(&self.0, &Seen::default());
        touches
            .reads
            .extend(probes.iter().flat_map(|probe| probe.reads()));
        touches
    }
    fn subject(&self) -> String {
        M::subject(&self.0)
    }
    fn witness(&self, after: &Seen) -> Option<Value> {
        M::witness(&self.0, after)
    }
    fn unrun(&self) -> Option<Value> {
        Value::from_typed(&M::unrun(&self.0)?).ok()
    }
    fn awaits(&self) -> u64 {
        M::awaits(&self.0)
    }
    fn says(&self) -> Option<&'static str> {
        M::SAYS
    }
}

/// A module whose types are erased.
pub trait AnyModule: Send + Sync {
    /// [`Module::NAME`].
    fn name(&self) -> &'static str;
    /// [`Module::ALIASES`].
    fn aliases(&self) -> &'static [&'static str];
    /// [`Module::NATURE`].
    fn nature(&self) -> Nature;
    /// [`Module::ABOUT`].
    fn about(&self) -> &'static str;
    /// [`Module::EXAMPLE`].
    fn example(&self) -> &'static str;
    /// [`Module::CHANGED_WHEN`].
    fn changed_when(&self) -> &'static str;
    /// [`Module::LIMITS`].
    fn limits(&self) -> &'static str;
    /// [`Module::FILES`].
    fn files(&self) -> &'static [&'static str];
    /// JSON Schema of the arguments: names, types, documentation.
    fn schema(&self) -> schemars::Schema;
    /// Gives it arguments; [`BindError::NotYet`] if one that must be known is not.
    fn bind(&self, args: &Value) -> Result<Arc<dyn Bound>, BindError>;
}

struct Of<M>(PhantomData<fn() -> M>);

impl<M: Module> AnyModule for Of<M> {
    fn name(&self) -> &'static str {
        M::NAME
    }
    fn aliases(&self) -> &'static [&'static str] {
        M::ALIASES
    }
    fn nature(&self) -> Nature {
        M::NATURE
    }
    fn about(&self) -> &'static str {
        M::ABOUT
    }
    fn example(&self) -> &'static str {
        M::EXAMPLE
    }
    fn changed_when(&self) -> &'static str {
        M::CHANGED_WHEN
    }
    fn limits(&self) -> &'static str {
        M::LIMITS
    }
    fn files(&self) -> &'static [&'static str] {
        M::FILES
    }
    fn schema(&self) -> schemars::Schema {
        schemars::schema_for!(M::Args)
    }
    fn bind(&self, args: &Value) -> Result<Arc<dyn Bound>, BindError> {
        Ok(Arc::new(With::<M>(bind(args)?)))
    }
}

/// The modules a front end knows, by name.
#[derive(Default)]
pub struct Registry {
    modules: BTreeMap<&'static str, Box<dyn AnyModule>>,
    aliases: BTreeMap<&'static str, &'static str>,
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.modules.keys()).finish()
    }
}

impl Registry {
    /// Adds a module under its name and aliases.
    #[must_use]
    pub fn with<M: Module>(mut self) -> Self {
        let old = self.modules.insert(M::NAME, Box::new(Of::<M>(PhantomData)));
        assert!(old.is_none(), "BUG: two modules are called `{}`", M::NAME);
        self.aliases
            .extend(M::ALIASES.iter().map(|alias| (*alias, M::NAME)));
        self
    }

    /// A module by its name or an alias.
    pub fn get(&self, name: &str) -> Option<&dyn AnyModule> {
        let name = self.aliases.get(name).copied().unwrap_or(name);
        self.modules.get(name).map(AsRef::as_ref)
    }

    /// All modules, by name.
    pub fn iter(&self) -> impl Iterator<Item = &dyn AnyModule> {
        self.modules.values().map(AsRef::as_ref)
    }

    /// All names and aliases, sorted: for suggestions.
    pub fn names(&self) -> Vec<&'static str> {
        let mut names: Vec<_> = self
            .modules
            .keys()
            .chain(self.aliases.keys())
            .copied()
            .collect();
        names.sort_unstable();
        names
    }
}
