//! Runs tasks on this machine.

use std::{
    path::Path,
    sync::{Arc, Mutex},
};

use evenkeel_engine::{
    LocalConnection, Resolve, Resolved, ScriptHost, Source, Stop, Task, TaskList, Value,
    event::{Event, Outcome, TaskFinished},
    run::{Cancel, Options, run},
};

/// Arguments that are known.
struct Ready(Arc<dyn evenkeel_engine::Bound>);

impl Resolve for Ready {
    fn resolve(&self, _: &dyn evenkeel_engine::Outputs) -> Result<Resolved, Stop> {
        Ok(Resolved::One(Arc::clone(&self.0)))
    }
}

/// Runs tasks on this machine; `@` in YAML is the directory.
pub(crate) async fn tasks(dir: &Path, options: Options, yaml: &[&str]) -> Vec<TaskFinished> {
    let registry = evenkeel_modules::standard();
    let connection = LocalConnection::new()
        .env("XDG_STATE_HOME", dir.join("state"))
        .env("HOME", dir);
    let mut list = TaskList::new("test");
    list.host("here", Arc::new(ScriptHost::new(connection)));
    for text in yaml {
        let text = text.replace('@', dir.to_str().expect("a path in UTF-8"));
        let Ok(Value::Map(task)) = serde_yaml::from_str(&text) else {
            panic!("{text} is no task");
        };
        let (name, mut args) = task.into_iter().next().expect("a module");
        let module = registry.get(&name).expect("a known module");
        if let Value::Map(args) = &mut args {
            let local = !args.get("remote_src").is_some_and(Value::is_true);
            if let (true, true, Some(Value::Str(path))) =
                (local, name == "copy", args.get("src").cloned())
            {
                let source = Source::open(&path, Path::new(&path)).expect("a local file");
                args.insert("src".to_owned(), Value::Source(source));
            }
        }
        let bound = module
            .bind(&args)
            .unwrap_or_else(|why| panic!("{text}: {why}"));
        list.task(Task::resolved(text, module.name(), Arc::new(Ready(bound))));
    }
    let ended = Arc::new(Mutex::new(Vec::new()));
    let sink = {
        let ended = Arc::clone(&ended);
        move |event: &Event| {
            if let Event::TaskFinished(task) = event {
                ended.lock().expect("no panic").push((**task).clone());
            }
        }
    };
    let report = run(Arc::new(list), options, Arc::new(sink), Cancel::default()).await;
    report.expect("no cycle");
    let ended = ended.lock().expect("no panic");
    ended.clone()
}

/// Runs tasks twice; the first time each changes something.
pub(crate) async fn twice(dir: &Path, yaml: &[&str]) {
    for wanted in [Outcome::Changed, Outcome::Unchanged] {
        let ended = tasks(dir, Options::new(), yaml).await;
        assert_eq!(ended.len(), yaml.len());
        for task in ended {
            let (name, error) = (&task.name.task, &task.error);
            assert_eq!(task.outcome, wanted, "{name}: {error:?} {:?}", task.changes);
        }
    }
}
