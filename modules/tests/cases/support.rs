//! The harness of the cases.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::{Arc, Mutex},
};

use evenkeel_engine::{
    AnyModule, BindError, Bound, Identity, Map, Module, Nature, Refusal, Seen, Stop, Task,
    TaskList, Value,
    event::{Event, Outcome},
    fake::{FakeHost, World},
    hex,
    host::Host,
    probes::Kind,
    run::{Cancel, Options, run},
    sha256,
    testing::{Case, Law, Ran},
};
use evenkeel_modules::Below;

/// A case and what is expected of it.
#[derive(Clone)]
pub(crate) struct Expect {
    /// The behaviour's id, then what it is about.
    pub(crate) name: String,
    yaml: String,
    args: Vec<(String, Value)>,
    pub(crate) host: FakeHost,
    pub(crate) identity: Identity,
    without: Vec<(Law, String)>,
    pub(crate) wanted: Wanted,
    /// How many exchanges a run costs that finds all in its state.
    pub(crate) rounds: usize,
    /// Whether it can go through the engine's run.
    pub(crate) runs: bool,
    paths: Vec<(String, String)>,
    outputs: Vec<(String, String)>,
    warnings: Vec<String>,
    quiet: bool,
}

#[derive(Clone)]
pub(crate) enum Wanted {
    Changes(Vec<String>),
    Refused(String),
    NotYet(String),
    Fails(String),
}

/// A case: its name, and the task as one YAML map from the module's name to its arguments. Nothing
/// is to be changed unless something else is said.
pub(crate) fn case(name: &str, yaml: &str) -> Expect {
    Expect {
        name: name.to_owned(),
        yaml: yaml.to_owned(),
        args: Vec::new(),
        host: FakeHost::new(),
        identity: Identity::default(),
        without: Vec::new(),
        wanted: Wanted::Changes(Vec::new()),
        rounds: 1,
        runs: true,
        paths: Vec::new(),
        outputs: Vec::new(),
        warnings: Vec::new(),
        quiet: false,
    }
}

impl Expect {
    /// The host.
    pub(crate) fn on(mut self, host: FakeHost) -> Self {
        self.host = host;
        self
    }

    /// An argument that YAML cannot hold: a local file, a secret, what is not known yet.
    pub(crate) fn arg(mut self, name: &str, value: Value) -> Self {
        self.args.push((name.to_owned(), value));
        self
    }

    /// As somebody else.
    #[expect(dead_code, reason = "for modules that need it")]
    pub(crate) fn by(mut self, identity: Identity) -> Self {
        self.identity = identity;
        self
    }

    /// The names of its changes (`what`), or with `: before -> after` behind it.
    pub(crate) fn changes<const N: usize>(mut self, changes: [&str; N]) -> Self {
        self.wanted = Wanted::Changes(changes.map(ToOwned::to_owned).to_vec());
        self
    }

    /// It is refused; the message contains this.
    pub(crate) fn refused(mut self, message: &str) -> Self {
        self.wanted = Wanted::Refused(message.to_owned());
        self
    }

    /// It cannot be decided before this is known.
    pub(crate) fn not_yet(mut self, what: &str) -> Self {
        self.wanted = Wanted::NotYet(what.to_owned());
        self
    }

    /// What is at a path afterwards: `file 0644 root:root = content`, `directory 0755 app:app`,
    /// `link -> target`, `nothing`; of a file, content or attributes may be left out.
    pub(crate) fn then(mut self, path: &str, what: &str) -> Self {
        self.paths.push((path.to_owned(), what.to_owned()));
        self
    }

    /// What the result has at `a.b`, as JSON.
    pub(crate) fn gives(mut self, key: &str, json: &str) -> Self {
        self.outputs.push((key.to_owned(), json.to_owned()));
        self
    }

    /// A warning contains this.
    pub(crate) fn warns(mut self, text: &str) -> Self {
        self.warnings.push(text.to_owned());
        self
    }

    /// There are no warnings.
    pub(crate) fn warns_not(mut self) -> Self {
        self.quiet = true;
        self
    }

    /// A run that finds all in its state costs so many exchanges, for this reason: an answer
    /// decides what is asked next.
    pub(crate) fn rounds(mut self, rounds: usize, _reason: &str) -> Self {
        self.rounds = rounds;
        self
    }

    /// It cannot go through the engine's run, for this reason.
    pub(crate) fn no_run(mut self, _reason: &str) -> Self {
        self.runs = false;
        self
    }

    /// A step fails, and its message or what it printed contains this.
    pub(crate) fn fails(mut self, message: &str) -> Self {
        self.wanted = Wanted::Fails(message.to_owned());
        self
    }

    /// Its arguments as a tree.
    pub(crate) fn args(&self) -> Map {
        let registry = evenkeel_modules::standard();
        let (_, mut args) = task(None, &registry, &self.yaml);
        args.extend(self.args.clone());
        args
    }

    /// Its module with other arguments.
    pub(crate) fn module_bind(&self, args: &Value) -> Result<Arc<dyn Bound>, BindError> {
        let registry = evenkeel_modules::standard();
        task(None, &registry, &self.yaml).0.bind(args)
    }

    /// Its module with its arguments.
    pub(crate) fn bound(&self) -> Result<Arc<dyn Bound>, BindError> {
        self.module_bind(&Value::Map(self.args()))
    }

    /// It cannot keep a law.
    pub(crate) fn without(mut self, law: Law, reason: &str) -> Self {
        self.without.push((law, reason.to_owned()));
        self
    }
}

/// A task of YAML with a module's name and arguments; other keys are the runner's.
fn task<'a>(
    module: Option<&'a dyn AnyModule>,
    registry: &'a evenkeel_engine::Registry,
    yaml: &str,
) -> (&'a dyn AnyModule, Map) {
    let value: Value = serde_yaml::from_str(yaml).unwrap_or_else(|why| panic!("{yaml}: {why}"));
    let value = match value {
        Value::Seq(mut items) => items.remove(0),
        value => value,
    };
    let Value::Map(map) = value else {
        panic!("{yaml} is no task");
    };
    for (name, args) in map {
        let known = registry.get(&name);
        if let Some(found) = known.filter(|f| module.is_none_or(|m| m.name() == f.name())) {
            return match args {
                Value::Map(args) => (found, args),
                Value::Null => (found, Map::new()),
                other => (found, Map::from_iter([("_raw_params".to_owned(), other)])),
            };
        }
    }
    panic!("{yaml} names no module");
}

/// What is wrong with a case.
pub(crate) fn check(expect: Expect) -> Vec<String> {
    let registry = evenkeel_modules::standard();
    let (module, mut args) = task(None, &registry, &expect.yaml);
    args.extend(expect.args.clone());
    let name = expect.name.clone();
    let bound = match (module.bind(&Value::Map(args)), &expect.wanted) {
        (Ok(bound), _) => bound,
        (Err(BindError::Wrong { message, .. }), Wanted::Refused(wanted))
            if message.contains(wanted) =>
        {
            return Vec::new();
        }
        (Err(error), _) => return vec![format!("{name}: {error}")],
    };
    match module.bind(&bound.args()) {
        Ok(again) if again.args() == bound.args() => {}
        again => {
            return vec![format!(
                "{name}: its arguments do not survive: {:?}",
                again.err()
            )];
        }
    }
    let mut case = Case::bound(&name, expect.host.clone(), bound.clone()).as_user(expect.identity);
    for (law, reason) in expect.without {
        case = case.without(law, reason);
    }
    let wrong = |what: String| vec![format!("{name}: {what}")];
    match &expect.wanted {
        Wanted::Changes(changes) => {
            let mut found: Vec<String> = case.broken().iter().map(ToString::to_string).collect();
            if found.is_empty() {
                let ran = case.run();
                found.extend(differs(&ran, changes));
                found.extend(expect.warnings.iter().filter_map(|text| {
                    let warned = ran.plan.warnings.iter().any(|w| w.contains(text));
                    (!warned).then(|| format!("no warning of `{text}`: {:?}", ran.plan.warnings))
                }));
                if expect.quiet && !ran.plan.warnings.is_empty() {
                    found.push(format!("it warns: {:?}", ran.plan.warnings));
                }
                for (path, wanted) in &expect.paths {
                    found.extend(path_differs(&ran.world, path, wanted));
                }
                for (key, json) in &expect.outputs {
                    found.extend(output_differs(&ran.output, key, json));
                }
            }
            found.into_iter().flat_map(wrong).collect()
        }
        Wanted::Refused(message) => {
            let refused = bound.check().err().or_else(|| case.refusal());
            match refused {
                Some(Refusal { message: why, .. }) if why.contains(message) => Vec::new(),
                other => wrong(format!("not refused with `{message}`: {other:?}")),
            }
        }
        Wanted::NotYet(what) => match decided(&case) {
            Err(why) if why.contains("cannot be decided") && why.contains(what) => Vec::new(),
            other => wrong(format!("`{what}` was not missing: {other:?}")),
        },
        Wanted::Fails(message) => match decided(&case) {
            Err(why) if why.contains("step") && why.contains(message) => Vec::new(),
            other => wrong(format!("no step failed with `{message}`: {other:?}")),
        },
    }
}

/// What keeps a case from being decided.
fn decided(case: &Case) -> Result<(), String> {
    let broken = case.broken();
    let why = broken.iter().find(|one| one.law == Law::Applied);
    match why {
        Some(one) => Err(one.what.clone()),
        None => Ok(()),
    }
}

fn differs(ran: &Ran, wanted: &[String]) -> Option<String> {
    let found = ran.changes();
    let same = found.len() == wanted.len()
        && found.iter().zip(wanted).all(|(found, wanted)| {
            found == wanted || found.split(": ").next() == Some(wanted.as_str())
        });
    (!same).then(|| format!("changes {found:?}, not {wanted:?}"))
}

fn path_differs(world: &World, path: &str, wanted: &str) -> Option<String> {
    let Some(stat) = world.stat(path) else {
        return (wanted != "nothing").then(|| format!("`{path}` is not there"));
    };
    let attributes = format!("{:04o} {}:{}", stat.mode, stat.owner, stat.group);
    let content = world.text(path).unwrap_or_default();
    let fits = match &stat.kind {
        Kind::Link(target) => wanted == format!("link -> {target}"),
        Kind::Directory => wanted == "directory" || wanted == format!("directory {attributes}"),
        Kind::File => {
            let (head, text) = match wanted.split_once(" = ") {
                Some((head, text)) => (head, Some(text)),
                None => (wanted, None),
            };
            (head == "file" || head == format!("file {attributes}"))
                && text.is_none_or(|text| text == content)
        }
        Kind::Other(_) => wanted == "other",
    };
    let kind = &stat.kind;
    (!fits).then(|| format!("`{path}` is {kind:?} {attributes} = {content:?}, not {wanted:?}"))
}

fn output_differs(output: &Value, key: &str, json: &str) -> Option<String> {
    let found = key.split('.').try_fold(output, |value, key| value.get(key));
    let found = found.map_or("nothing".to_owned(), |value| value.to_json().to_string());
    (found != json).then(|| format!("the result has {found} at `{key}`, not {json}"))
}

/// The example of a module binds, is checked, and is planned as far as an empty host allows.
pub(crate) fn example(module: &dyn AnyModule) {
    let registry = evenkeel_modules::standard();
    let (module, mut args) = task(Some(module), &registry, module.example());
    let name = module.name();
    if name == "file-template" {
        // What the playbook runner fills in.
        args.insert("content".to_owned(), "rendered\n".into());
    }
    if let Some(Value::Seq(conditions)) = args.get_mut("that") {
        // The playbook runner judges conditions.
        conditions.fill(true.into());
    }
    for file in module.files() {
        if let Some(Value::Str(path)) = args.get(*file) {
            let source = evenkeel_engine::Source::inline(path.clone(), b"source\n".to_vec());
            args.insert((*file).to_owned(), Value::Source(source));
        }
    }
    let given = args.len();
    let bound = module.bind(&Value::Map(args));
    let bound = bound.unwrap_or_else(|why| panic!("the example of `{name}`: {why}"));
    // Or a new optional argument would change the fingerprint of every task.
    let Value::Map(kept) = bound.args() else {
        panic!("the arguments of `{name}` are no map");
    };
    assert!(
        kept.len() <= given,
        "`{name}` keeps what was not given: {kept:?}"
    );
    bound
        .check()
        .unwrap_or_else(|why| panic!("the example of `{name}`: {why}"));
    assert_eq!(bound.module(), name);
    let again = module.bind(&Value::Map(kept)).expect("its own arguments");
    assert_eq!(again.args(), bound.args(), "`{name}`");
    // To refuse is what `fail` is for.
    let control = bound.nature() == Nature::Control;
    if let Err(Stop::Refused(why)) = bound.plan(&Seen::default())
        && !control
    {
        panic!("the example of `{name}`: {why}");
    }
}

/// SHA-256 of a text, as results show it.
pub(crate) fn sha(text: &str) -> String {
    hex(&sha256(text.as_bytes()))
}

/// A host that knows what is below a directory.
pub(crate) fn below(host: FakeHost) -> FakeHost {
    host.model(|world, probe: &Below| {
        let inside = format!("{}/", probe.0);
        let paths = world.paths().filter(|path| path.starts_with(&inside));
        let entries = paths.filter_map(|path| {
            let mut stat = world.stat(path)?;
            if let Kind::Link(target) = &mut stat.kind {
                target.clear();
            }
            Some((path.to_owned(), stat))
        });
        Ok(world.is_dir(&probe.0).then(|| entries.collect()))
    })
}

/// How each task of a list ended, in the order in which they did.
pub(crate) async fn outcomes(list: TaskList, options: Options) -> Vec<Outcome> {
    let told = Arc::new(Mutex::new(Vec::new()));
    let sink = {
        let told = Arc::clone(&told);
        move |event: &Event| {
            if let Event::TaskFinished(task) = event {
                told.lock().expect("no panic").push(task.outcome);
            }
        }
    };
    let ran = run(Arc::new(list), options, Arc::new(sink), Cancel::new()).await;
    ran.expect("a list that can run");
    std::mem::take(&mut *told.lock().expect("no panic"))
}

/// Tasks of a module that keeps packages, in one run: what its program was called with, and how each task ended.
pub(crate) async fn joined<M: Module>(
    tasks: &[(&str, &str)],
    host: &Arc<FakeHost>,
) -> (Vec<String>, Vec<Outcome>) {
    let mut list = TaskList::new(M::NAME);
    list.host("here", Arc::clone(host) as Arc<dyn Host>);
    for (name, state) in tasks {
        let args = serde_json::json!({ "name": [name], "state": state });
        let args = serde_json::from_value(args).expect("arguments of the module");
        list.task(Task::new::<M>(*name, args));
    }
    let told = outcomes(list, Options::new()).await;
    let calls = host.world().noted("calls").unwrap_or_default().to_owned();
    (calls.lines().map(str::to_owned).collect(), told)
}

/// What is wrong with the tables `cases/*.coverage`: one line for each id of `cases/ids.txt`, with
/// `test` and the name of a case (behind the id, or with its own) or of a test function; `lab` and
/// the name of a test function there, after a word about it if need be; `differs` and why; or `elsewhere` and the crate whose tests have it.
pub(crate) fn coverage(names: &[String]) -> Vec<String> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &Path| fs::read_to_string(path).expect("a readable file");
    let ids = read(&dir.join("cases/ids.txt"));
    let ids = ids.split_whitespace();
    let mut wanted: BTreeMap<String, bool> = ids.map(|id| (id.to_owned(), false)).collect();
    let mut tables: Vec<_> = fs::read_dir(dir.join("cases"))
        .expect("the directory of cases")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|end| end == "coverage"))
        .collect();
    tables.sort();
    let lab = sources(&dir.join("../integration-tests/tests"));
    let sources = sources(&dir.join("src")) + &sources(&dir.join("tests"));
    let mut broken = Vec::new();
    for table in tables {
        for line in read(&table).lines().filter(|line| !line.trim().is_empty()) {
            let words: Vec<&str> = line.split_whitespace().collect();
            let [id, kind, about @ ..] = &words[..] else {
                broken.push(format!("{}: `{line}` is not complete", table.display()));
                continue;
            };
            let about = about.join(" ");
            match wanted.get_mut(*id) {
                None => broken.push(format!("`{id}` is not in `ids.txt`")),
                Some(covered) if *covered => broken.push(format!("`{id}` is there twice")),
                Some(covered) => *covered = true,
            }
            let fits = match *kind {
                "test" => {
                    let case = format!("{id} {about}");
                    names.contains(&case)
                        || names.contains(&about)
                        || sources.contains(&format!("fn {about}()"))
                }
                "lab" => {
                    let name = about.rsplit(' ').next().unwrap_or_default();
                    lab.contains(&format!("fn {name}()"))
                }
                "differs" | "elsewhere" => !about.is_empty(),
                _ => false,
            };
            if !fits {
                broken.push(format!(
                    "{}: there is no such test: `{line}`",
                    table.display()
                ));
            }
        }
    }
    let missing = wanted.iter().filter(|(_, covered)| !**covered);
    broken.extend(missing.map(|(id, _)| format!("`{id}` is in no table")));
    broken
}

fn sources(dir: &Path) -> String {
    let mut text = String::new();
    for entry in fs::read_dir(dir).expect("a directory of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            text.push_str(&sources(&path));
        } else if path.extension().is_some_and(|end| end == "rs") {
            text.push_str(&fs::read_to_string(path).expect("a readable file"));
        }
    }
    text
}
