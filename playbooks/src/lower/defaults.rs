//! Arguments in `module_defaults` that their module has not: wrong also where no task uses them.

use evenkeel_engine::Registry;

use super::args::unknown_argument;
use crate::{
    ast::{Common, Item, Play},
    template::Fault,
};

/// Says which are wrong in a play.
pub(super) fn check(play: &Play, registry: &Registry, faults: &mut Vec<Fault>) {
    let mut commons = vec![&play.common];
    for items in [&play.pre_tasks, &play.tasks, &play.post_tasks] {
        collect(items, &mut commons);
    }
    collect(&play.handlers, &mut commons);
    for defaults in commons.iter().flat_map(|common| &common.module_defaults) {
        let Some(module) = registry.get(&defaults.module.value) else {
            continue;
        };
        for (key, _) in defaults.args.as_map().unwrap_or_default() {
            let wrong = unknown_argument(module, &defaults.module.value, &key.text);
            faults.extend(wrong.map(|fault| fault.or_at(key.span)));
        }
    }
}

fn collect<'a>(items: &'a [Item], commons: &mut Vec<&'a Common>) {
    for item in items {
        match item {
            Item::Task(task) => commons.push(&task.common),
            Item::Block(block) => {
                commons.push(&block.common);
                for items in [&block.body, &block.rescue, &block.always] {
                    collect(items, commons);
                }
            }
            Item::Part(part) => {
                commons.push(&part.common);
                collect(&part.body, commons);
            }
            Item::Meta(_) | Item::Include(_) => {}
        }
    }
}
