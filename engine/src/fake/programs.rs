//! Programs of a fake host.

use std::{collections::BTreeMap, fmt, sync::Arc};

use super::World;
use crate::{
    secret::Text,
    step::{Done, Run},
};

/// How a program was called.
#[derive(Clone, Debug)]
pub struct Call {
    /// Program and arguments.
    pub argv: Vec<String>,
    /// Environment of the task, then of the step.
    pub env: Vec<(String, Text)>,
    /// Working directory, if one was given.
    pub dir: Option<String>,
    /// What it reads.
    pub stdin: Vec<u8>,
    /// Who runs it.
    pub user: String,
}

impl Call {
    pub(super) fn new<S: AsRef<str>>(argv: &[S], user: &str) -> Self {
        Self {
            argv: argv.iter().map(|word| word.as_ref().to_owned()).collect(),
            env: Vec::new(),
            dir: None,
            stdin: Vec::new(),
            user: user.to_owned(),
        }
    }

    /// The arguments behind the program's name.
    pub fn args(&self) -> Vec<&str> {
        self.argv.iter().skip(1).map(String::as_str).collect()
    }
}

type Program = Arc<dyn Fn(&mut World, &Call) -> Done + Send + Sync>;

/// Programs by path, and fixed answers by the beginning of the argument list.
#[derive(Clone, Default)]
pub(super) struct Programs {
    table: BTreeMap<String, Program>,
    prints: BTreeMap<Vec<String>, Done>,
}

impl fmt::Debug for Programs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.table.keys()).finish()
    }
}

/// Where programs are looked for.
const PATH: [&str; 4] = ["/usr/local/bin", "/usr/bin", "/usr/sbin", "/bin"];

/// A program ended well and printed this.
pub fn ok(stdout: impl AsRef<str>) -> Done {
    Done {
        stdout: stdout.as_ref().as_bytes().to_vec(),
        ..Done::default()
    }
}

/// A program failed with this on stderr.
pub fn failed(status: i32, stderr: impl AsRef<str>) -> Done {
    Done {
        status,
        stderr: stderr.as_ref().as_bytes().to_vec(),
        ..Done::default()
    }
}

impl World {
    /// Installs a program: `name` is a path, or a name that becomes `/usr/bin/NAME`.
    pub fn install(
        &mut self,
        name: &str,
        program: impl Fn(&mut Self, &Call) -> Done + Send + Sync + 'static,
    ) {
        let path = if name.starts_with('/') {
            name.to_owned()
        } else {
            format!("/usr/bin/{name}")
        };
        if !self.exists(&path) {
            self.write(&path, "");
            self.chmod(&path, 0o755);
        }
        self.programs.table.insert(path, Arc::new(program));
    }

    pub(super) fn prints(&mut self, argv: Vec<String>, done: Done) {
        self.programs.prints.insert(argv, done);
    }

    /// Where a program is, as the shell finds it.
    pub fn which(&self, name: &str) -> Option<String> {
        let runs = |path: &str| {
            let path = self.walk(path, super::world::Last::Follow).ok()?;
            let stat = self.stat(&path)?;
            (stat.kind == crate::probes::Kind::File && stat.mode & 0o111 != 0).then_some(())
        };
        if name.contains('/') {
            return runs(name).map(|()| name.to_owned());
        }
        PATH.iter()
            .map(|dir| format!("{dir}/{name}"))
            .find(|path| runs(path).is_some())
    }

    /// Whether the test said what this call does.
    pub(super) fn knows(&self, argv: &[String]) -> bool {
        self.printed(argv).is_some() || self.program(argv).is_some()
    }

    fn printed(&self, argv: &[String]) -> Option<&Done> {
        let fits = |known: &&Vec<String>| argv.starts_with(known);
        let longest = self.programs.prints.keys().filter(fits);
        let longest = longest.max_by_key(|known| known.len())?;
        self.programs.prints.get(longest)
    }

    fn program(&self, argv: &[String]) -> Option<Program> {
        let path = self.which(argv.first()?)?;
        let direct = self.programs.table.get(&path);
        let real = || self.programs.table.get(&self.real(&path));
        direct.or_else(real).cloned()
    }

    /// Runs a program.
    pub fn call(&mut self, call: &Call) -> Done {
        if let Some(done) = self.printed(&call.argv) {
            return done.clone();
        }
        match self.program(&call.argv) {
            Some(program) => program(self, call),
            None => failed(
                127,
                format!("{}: not found\n", call.argv.first().map_or("", |w| w)),
            ),
        }
    }

    /// What a `Run` step does here.
    pub(super) fn run(&mut self, run: &Run, env: &[(String, Text)], stdin: Vec<u8>) -> Done {
        if let Some(dir) = run.dir.as_deref().filter(|dir| !self.is_dir(dir)) {
            return failed(1, format!("cannot go to `{dir}`\n"));
        }
        let mut argv = run.argv.clone();
        argv.extend(run.joins.iter().flatten().cloned());
        let user = self.actor.name.clone();
        self.call(&Call {
            env: [env, &run.env].concat(),
            dir: run.dir.clone(),
            stdin,
            ..Call::new(&argv, &user)
        })
    }
}
