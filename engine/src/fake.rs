//! A host in memory: files, accounts, programs, the ledger, the lock, and everything that can go
//! wrong with them. For tests of modules, of the engine, and of programs that embed it.
//!
//! It models what the engine's own actions do, and believes what steps state of anything else: a
//! probe it has no model of gives the answer that a test registered, or that the last step stated
//! which had it among its effects. A program that no test installed succeeds if its step states
//! effects (they come true), and is missing otherwise. Permissions are not checked; time is a
//! counter of steps.
//!
//! ```
//! use evenkeel_engine::fake::{self, FakeHost};
//!
//! let host = FakeHost::new()
//!     .user("app", 1000)
//!     .dir("/srv/app")
//!     .file("/etc/app.conf", "port = 80\n")
//!     .program("pip", |world, call| {
//!         for name in &call.args()[1..] {
//!             world.note(format!("pip {name}"), "installed");
//!         }
//!         fake::ok("done\n")
//!     })
//!     .prints(["pip", "--version"], "pip 24.0\n");
//! assert_eq!(host.world().text("/etc/app.conf").unwrap(), "port = 80\n");
//! ```

mod actions;
mod answers;
mod download;
mod exchange;
mod faults;
mod glob;
mod keep;
mod ledger;
mod long;
mod programs;
mod world;

use std::{
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;

use crate::{
    host::{Exchange, Host, HostError, Recall, Reply, Stopping, Traffic},
    keep::KeptPlace,
    late::NotYet,
    probe::{AnyProbe, Probe},
    step::{Done, Effect},
};
use exchange::State;

pub use faults::Cut;
pub use programs::{Call, failed, ok};
pub use world::World;

/// A host in memory. A clone is another host in the same state.
pub struct FakeHost(Mutex<State>);

impl Default for FakeHost {
    fn default() -> Self {
        Self::new()
    }
}

impl Clone for FakeHost {
    fn clone(&self) -> Self {
        Self(Mutex::new(self.state().clone()))
    }
}

impl fmt::Debug for FakeHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FakeHost")
            .field(&self.state().world)
            .finish()
    }
}

/// What it is made of.
impl FakeHost {
    /// A machine with `root`, who is logged in, a few directories, and nothing else.
    pub fn new() -> Self {
        Self(Mutex::new(State::new()))
    }

    /// Adds a user with a group of the same name and number.
    #[must_use]
    pub fn user(self, name: &str, uid: u32) -> Self {
        self.with(|world| world.add_user(name, uid))
    }

    /// Adds a group.
    #[must_use]
    pub fn group(self, name: &str, gid: u32) -> Self {
        self.with(|world| world.add_group(name, gid))
    }

    /// Its machine id. Hosts with the same one are taken for names of one machine.
    #[must_use]
    pub fn machine(self, id: &str) -> Self {
        self.state().ledger.machine = Some(id.to_owned());
        self
    }

    /// Says who is logged in; the user is there already.
    #[must_use]
    pub fn login(self, user: &str) -> Self {
        user.clone_into(&mut self.state().login);
        self
    }

    /// Makes a directory and those above it.
    #[must_use]
    pub fn dir(self, path: &str) -> Self {
        self.with(|world| world.dirs(path))
    }

    /// Makes a file of root's with mode 0644, and the directories above it.
    #[must_use]
    pub fn file(self, path: &str, bytes: impl AsRef<[u8]>) -> Self {
        self.with(|world| world.write(path, bytes))
    }

    /// What is kept of it on the machine of the controller.
    #[must_use]
    pub fn kept(self, dir: &str, name: &str, bytes: impl AsRef<[u8]>) -> Self {
        let (dir, name) = (dir.to_owned(), name.to_owned());
        let bytes = bytes.as_ref().to_vec();
        self.with(|world| drop(world.kept.insert(KeptPlace { dir, name }, bytes)))
    }

    /// Makes a symbolic link, and the directories above it.
    #[must_use]
    pub fn link(self, path: &str, target: &str) -> Self {
        self.with(|world| world.link(path, target))
    }

    /// Sets permission bits of what a path leads to.
    #[must_use]
    pub fn mode(self, path: &str, mode: u32) -> Self {
        self.with(|world| world.chmod(path, mode))
    }

    /// Sets owner and group of a path; both are there already.
    #[must_use]
    pub fn owned(self, path: &str, user: &str, group: &str) -> Self {
        self.with(|world| {
            let uid = world.user(user).map(|account| account.uid);
            let gid = world.group(group).map(|(_, gid)| gid);
            let (uid, gid) = uid.zip(gid).expect("the user and the group exist");
            world.chown(path, uid, gid);
        })
    }

    /// Installs a program: a path, or a name that becomes `/usr/bin/NAME`. Steps and `Ask` probes
    /// run it.
    #[must_use]
    pub fn program(
        self,
        name: &str,
        program: impl Fn(&mut World, &Call) -> Done + Send + Sync + 'static,
    ) -> Self {
        self.with(|world| world.install(name, program))
    }

    /// Calls whose argument list begins like this print this; the longest fit counts, before any
    /// installed program.
    #[must_use]
    pub fn prints<S: Into<String>>(
        self,
        argv: impl IntoIterator<Item = S>,
        stdout: impl AsRef<str>,
    ) -> Self {
        self.ends(argv, ok(stdout))
    }

    /// Calls whose argument list begins like this end like this.
    #[must_use]
    pub fn ends<S: Into<String>>(self, argv: impl IntoIterator<Item = S>, done: Done) -> Self {
        let argv = argv.into_iter().map(Into::into).collect();
        self.with(|world| world.prints(argv, done))
    }

    /// What a foreign probe answers until a step states otherwise.
    #[must_use]
    pub fn answers<P: Probe>(self, probe: P, answer: P::Answer) -> Self {
        self.with(|world| world.answers.say(&Effect::new(probe, answer)))
    }

    /// What a probe answers, whatever steps do and state: for modules that do not converge.
    #[must_use]
    pub fn always<P: Probe>(self, probe: P, answer: P::Answer) -> Self {
        let (key, answer) = (AnyProbe::key(&probe), Effect::new(probe, answer).answer);
        self.with(|world| world.answers.always(key, answer))
    }

    /// How a kind of foreign probe is answered: from what programs of the test noted.
    #[must_use]
    pub fn model<P: Probe>(
        self,
        model: impl Fn(&World, &P) -> Result<P::Answer, NotYet> + Send + Sync + 'static,
    ) -> Self {
        self.with(|world| world.answers.model(model))
    }

    fn with(self, change: impl FnOnce(&mut World)) -> Self {
        self.change(change);
        self
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What tests do with it and see of it.
impl FakeHost {
    /// The world as it is now.
    pub fn world(&self) -> World {
        self.state().world.clone()
    }

    /// Somebody else does something on the host.
    pub fn change(&self, change: impl FnOnce(&mut World)) {
        let mut state = self.state();
        state.world.actor = state.root();
        change(&mut state.world);
    }

    /// What was done, one line for each operation: `step as root: …: Ok`.
    pub fn log(&self) -> Vec<String> {
        self.state().log.clone()
    }

    /// All that was asked of it.
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.state().exchanges.clone()
    }

    /// [`Host::exchange`] without a runtime.
    pub(crate) fn exchange_now(&self, exchange: &Exchange) -> Result<Reply, HostError> {
        self.state().exchange(exchange)
    }

    /// How many steps were begun so far.
    pub fn steps(&self) -> u64 {
        self.state().steps
    }
}

#[async_trait]
impl Host for FakeHost {
    async fn exchange(&self, exchange: Exchange) -> Result<Reply, HostError> {
        // As with a real host, others get their turn meanwhile.
        tokio::task::yield_now().await;
        self.exchange_now(&exchange)
    }

    async fn recall(&self, _: &Exchange) -> Result<Recall, HostError> {
        tokio::task::yield_now().await;
        self.state().recall()
    }

    async fn stop(&self, stopping: &Stopping) -> Result<(), HostError> {
        self.state().stop(&stopping.run);
        Ok(())
    }

    fn traffic(&self) -> Traffic {
        Traffic {
            exchanges: self.state().exchanges.len() as u64,
            ..Traffic::default()
        }
    }
}

#[cfg(test)]
mod tests;
