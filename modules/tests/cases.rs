//! What the modules do, as cases on a fake host: each is checked for what it says and for all laws,
//! and each behaviour that is asked of a module has one, or a reason why it has none.

#![expect(clippy::disallowed_methods, reason = "tests look at this machine")]

#[path = "cases/support.rs"]
mod support;

#[path = "cases/arguments.rs"]
mod arguments;
#[path = "cases/runs.rs"]
mod runs;
#[path = "cases/secrets.rs"]
mod secrets;

#[path = "cases/command.rs"]
mod command;
#[path = "cases/copy.rs"]
mod copy;
#[path = "cases/file.rs"]
mod file;
#[path = "cases/file_template.rs"]
mod file_template;
#[path = "cases/group.rs"]
mod group;
#[path = "cases/ini_file.rs"]
mod ini_file;
#[path = "cases/lineinfile.rs"]
mod lineinfile;
#[path = "cases/pip.rs"]
mod pip;
#[path = "cases/psql.rs"]
mod psql;
#[path = "cases/say.rs"]
mod say;
#[path = "cases/stat.rs"]
mod stat;
#[path = "cases/systemd_unit.rs"]
mod systemd_unit;
#[path = "cases/useradd.rs"]
mod useradd;
#[path = "cases/wait_for.rs"]
mod wait_for;
#[path = "cases/yum.rs"]
mod yum;

use support::{Expect, check};

/// The cases of all modules; a line for each file.
fn all() -> Vec<Expect> {
    [
        command::cases(),
        copy::cases(),
        file::cases(),
        file_template::cases(),
        group::cases(),
        ini_file::cases(),
        lineinfile::cases(),
        pip::cases(),
        psql::cases(),
        say::cases(),
        stat::cases(),
        systemd_unit::cases(),
        useradd::cases(),
        wait_for::cases(),
        yum::cases(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[test]
fn cases() {
    let broken: Vec<String> = all().into_iter().flat_map(check).collect();
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn every_behaviour_is_covered() {
    let names: Vec<String> = all().into_iter().map(|case| case.name).collect();
    let broken = support::coverage(&names);
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn examples_parse_and_plan() {
    for module in evenkeel_modules::standard().iter() {
        support::example(module);
    }
}
