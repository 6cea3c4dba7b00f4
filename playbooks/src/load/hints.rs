//! Why a name is undefined where the playbook tells it: what to do is plain then.

use crate::{
    ast::{Item, Play, Task},
    diagnostic::Diagnostic,
    files::Files,
};

/// Says what to do where a name comes of a later task, or of a loop that gives it another name.
pub(super) fn add(found: &mut [Diagnostic], plays: &[&Play], files: &Files) {
    let missing = |found: &&mut Diagnostic| {
        let hinted = found
            .help
            .as_deref()
            .is_some_and(|help| help.starts_with("did you mean"));
        found.code == "undefined_variable" && !hinted
    };
    let mut missing: Vec<&mut Diagnostic> = found.iter_mut().filter(missing).collect();
    if missing.is_empty() {
        return;
    }
    for play in plays {
        let mut tasks = Vec::new();
        for items in [
            &play.pre_tasks,
            &play.tasks,
            &play.post_tasks,
            &play.handlers,
        ] {
            collect(items, &mut tasks);
        }
        for found in &mut missing {
            if let Some(help) = hint(found, &tasks, files) {
                found.help = Some(help);
            }
        }
    }
}

fn hint(found: &Diagnostic, tasks: &[&Task], files: &Files) -> Option<String> {
    let at = found.at?;
    let holds = |task: &&&Task| {
        let span = task.span;
        span.file == at.file && span.start <= at.start && at.start <= span.end
    };
    let index = tasks.iter().position(|task| holds(&task))?;
    let task = tasks[index];
    let name = found.message.split('`').nth(1)?;
    let name = name.split(['.', '[']).next()?;
    if name == "item" {
        return Some(match &task.loop_ {
            None => "the task has no loop: `loop:` beside its module gives it items".to_owned(),
            Some(found) if found.loop_var.value != name => {
                format!(
                    "the loop of this task calls it `{}` (`loop_var`)",
                    found.loop_var.value
                )
            }
            Some(_) => return None,
        });
    }
    let registers = |task: &&&Task| {
        let register = task.register.as_ref();
        register.is_some_and(|register| register.value == name)
    };
    let later = tasks[index + 1..].iter().find(registers)?;
    let place = files.place(later.register.as_ref()?.span);
    Some(format!(
        "the task that registers it comes later ({place}): put it before this one"
    ))
}

fn collect<'a>(items: &'a [Item], tasks: &mut Vec<&'a Task>) {
    for item in items {
        match item {
            Item::Task(task) => tasks.push(task),
            Item::Block(block) => {
                for items in [&block.body, &block.rescue, &block.always] {
                    collect(items, tasks);
                }
            }
            Item::Part(part) => collect(&part.body, tasks),
            Item::Meta(_) | Item::Include(_) => {}
        }
    }
}
