//! `evenkeel modules`: the list, or the manual of one.

use super::wrong;
use crate::{cli::Modules, exit::Exit, manual::Manual, prose, report::out, words};

/// The list, or the manual of one.
pub(super) fn modules(args: &Modules) -> Exit {
    let registry = evenkeel_modules::standard();
    let Some(name) = &args.name else {
        let width = registry.iter().map(|module| module.name().len()).max();
        for module in registry.iter() {
            let name = prose::pad(module.name(), width.unwrap_or_default());
            out::report(&format!("{name}  {}\n", module.about()));
        }
        return Exit::Good;
    };
    // What people know it as: `ansible.builtin.copy`, `community.postgresql.postgresql_db`.
    let short = name.rsplit('.').next().unwrap_or(name);
    let Some(module) = registry.get(name).or_else(|| registry.get(short)) else {
        let help = words::did_you_mean(short, registry.names());
        let help = help.unwrap_or_else(|| "`evenkeel modules` lists all".to_owned());
        return wrong(&format!("there is no module `{name}`"), &help);
    };
    out::report(&Manual::of(module).text());
    Exit::Good
}
