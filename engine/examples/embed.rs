//! evenkeel inside a program: typed tasks, events as they happen, typed results. No YAML.
//!
//! ```text
//! cargo run --example embed [DIRECTORY]
//! ```

#![expect(clippy::print_stdout, reason = "it shows what happens")]

use std::{error::Error, sync::Arc};

use evenkeel_engine::{
    HostId, Late, LocalConnection, Outputs, Resolve, Resolved, ScriptHost, Stop, Task, TaskId,
    TaskList, With,
    event::Event,
    run::{Cancel, Options, run},
};
use evenkeel_modules::{command, file, file_template, stat};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let root = match std::env::args().nth(1) {
        Some(root) => root,
        None => format!("{}/evenkeel-embed", std::env::temp_dir().display()),
    };
    let mut list = TaskList::new("embed");
    let here = list.host("here", Arc::new(ScriptHost::new(LocalConnection::new())));
    let seen = tasks(&mut list, here, &root);
    list.task(note(root, here, seen));

    let sink = |event: &Event| {
        if let Event::TaskFinished(task) = event {
            println!("{:<16} {:?}: {}", task.name.task, task.outcome, task.reason);
            if let Some(error) = &task.error {
                println!("    {}", error.message);
            }
        }
    };
    let report = run(
        Arc::new(list),
        Options::new(),
        Arc::new(sink),
        Cancel::new(),
    )
    .await?;

    let stat = report.output::<stat::Stat>(seen)?;
    let host = &report.hosts["here"];
    println!("\nthe greeting exists: {}", stat.stat.exists);
    println!("{} changed, {} exchanges", host.changed, host.exchanges);
    if report.ok {
        Ok(())
    } else {
        Err("not everything is in its state".into())
    }
}

/// A file in a directory, and a command that runs when the file changes. Gives the task that looks
/// at the file.
fn tasks(list: &mut TaskList, here: HostId, root: &str) -> TaskId {
    let directory = file::Args {
        path: root.to_owned(),
        state: Some(file::State::Directory),
        ..file::Args::default()
    };
    list.task(Task::new::<file::File>("a directory", directory).on(here));
    let greeting = list.task(
        Task::new::<file_template::FileTemplate>(
            "a greeting",
            file_template::Args {
                dest: format!("{root}/greeting"),
                content: Late::of("hello from a Rust program\n"),
                ..file_template::Args::default()
            },
        )
        .id("greeting")
        .on(here),
    );
    // Runs when the greeting changes, and never without need.
    list.task(
        Task::new::<command::Command>(
            "count its words",
            command::Args {
                argv: ["sh", "-c", "wc -w <greeting >words"]
                    .map(Late::of)
                    .to_vec(),
                chdir: Some(root.to_owned()),
                ..command::Args::default()
            },
        )
        .on(here)
        .triggered_by(greeting)
        .handler(),
    );
    list.task(
        Task::new::<stat::Stat>(
            "look at it",
            stat::Args {
                path: format!("{root}/greeting"),
                ..stat::Args::default()
            },
        )
        .on(here),
    )
}

/// A file whose arguments come from an earlier task's result: a closure.
fn note(root: String, here: HostId, seen: TaskId) -> Task {
    let note: Arc<dyn Resolve> = Arc::new(move |outputs: &dyn Outputs| {
        let size = outputs
            .of(seen)?
            .value
            .get("stat")
            .and_then(|s| s.get("size"))
            .cloned();
        let size = size.and_then(|size| size.as_text()).unwrap_or_default();
        let args = file_template::Args {
            dest: format!("{root}/note"),
            content: Late::of(format!("the greeting has {size} bytes\n")),
            ..file_template::Args::default()
        };
        Ok::<_, Stop>(Resolved::One(Arc::new(
            With::<file_template::FileTemplate>(args),
        )))
    });
    let mut note = Task::resolved("a note about it", "file-template", note).on(here);
    note.needs.push(seen);
    note
}
