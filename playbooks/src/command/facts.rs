//! `evenkeel facts`: what hosts say of themselves.

use std::sync::Arc;

use evenkeel_engine::{
    TaskList, Value,
    event::{Event, Outcome, Sink},
    run::{Cancel, Options, Report},
};

use super::{load, run};
use crate::{
    cli::{Facts as Args, Selection},
    exit::Exit,
    printable,
    report::out,
};

/// Collects what the hosts' only task gives.
#[derive(Default)]
struct Collect(std::sync::Mutex<Collected>);

#[derive(Default)]
struct Collected {
    facts: serde_json::Map<String, serde_json::Value>,
    failed: Vec<String>,
}

impl Sink for Collect {
    fn event(&self, event: &Event) {
        let mut all = self
            .0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        match event {
            Event::TaskFinished(finished) if finished.outcome == Outcome::Failed => {
                let error = finished.error.as_ref();
                let message = error.map_or("no facts", |error| error.message.as_str());
                all.failed
                    .push(format!("{}: {message}", finished.name.host));
            }
            Event::TaskFinished(finished) => {
                let facts = finished
                    .result
                    .as_ref()
                    .and_then(|result| result.get("ansible_facts"));
                let facts = facts.cloned().unwrap_or_default();
                all.facts.insert(finished.name.host.clone(), facts);
            }
            Event::HostUnreachable { host, error, .. } => {
                all.failed.push(format!("{host}: {error}"));
            }
            _ => {}
        }
    }
}

fn perform(list: TaskList, options: Options, sink: Arc<Collect>) -> Result<Report, run::Trouble> {
    let runtime = tokio::runtime::Runtime::new()?;
    let asked = evenkeel_engine::run::run(Arc::new(list), options, sink, Cancel::new());
    Ok(runtime.block_on(asked)?)
}

/// `evenkeel facts`.
pub(super) fn facts(args: &Args) -> Exit {
    let words = |name: &str, words: &[String]| {
        let list: Value = words
            .iter()
            .map(|word| Value::from(word.as_str()))
            .collect();
        (name.to_owned(), list)
    };
    let setup = Value::Map(
        [
            words("filter", &args.filter),
            words("gather_subset", &args.gather_subset),
        ]
        .into_iter()
        .collect(),
    );
    let play = serde_json::json!([{
        "hosts": args.pattern,
        "gather_facts": false,
        "tasks": [{"setup": setup.to_json()}],
    }]);
    let selection = Selection {
        limit: args.limit.clone(),
        ..load::line(
            &args.inventory,
            &args.privilege,
            &args.connection,
            &args.vault,
        )
    };
    let loaded = match load::load_text(&selection, &play.to_string()) {
        Ok(loaded) => loaded,
        Err(exit) => return exit,
    };
    let options = Options {
        results: true,
        ..run::options(&selection, args.forks, &loaded)
    };
    let collect = Arc::new(Collect::default());
    let sink = Arc::clone(&collect);
    let ran = perform(loaded.list, options, sink);
    let all = std::mem::take(
        &mut *collect
            .0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner),
    );
    let text = serde_json::to_string_pretty(&all.facts).expect("facts are JSON");
    out::report(&super::inventory::lines(&text));
    for failed in &all.failed {
        out::talk(&format!("error: {}\n", printable::line(failed)));
    }
    run::ended(ran, false)
}
