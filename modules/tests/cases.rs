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

#[path = "cases/apt.rs"]
mod apt;
#[path = "cases/apt_repository.rs"]
mod apt_repository;
#[path = "cases/authorized_key.rs"]
mod authorized_key;
#[path = "cases/blockinfile.rs"]
mod blockinfile;
#[path = "cases/command.rs"]
mod command;
#[path = "cases/compile_python.rs"]
mod compile_python;
#[path = "cases/copy.rs"]
mod copy;
#[path = "cases/cron.rs"]
mod cron;
#[path = "cases/file.rs"]
mod file;
#[path = "cases/file_template.rs"]
mod file_template;
#[path = "cases/find.rs"]
mod find;
#[path = "cases/get_url.rs"]
mod get_url;
#[path = "cases/group.rs"]
mod group;
#[path = "cases/ini_file.rs"]
mod ini_file;
#[path = "cases/lineinfile.rs"]
mod lineinfile;
#[path = "cases/package.rs"]
mod package;
#[path = "cases/pip.rs"]
mod pip;
#[path = "cases/psql.rs"]
mod psql;
#[path = "cases/psql_ext.rs"]
mod psql_ext;
#[path = "cases/replace.rs"]
mod replace;
#[path = "cases/say.rs"]
mod say;
#[path = "cases/stat.rs"]
mod stat;
#[path = "cases/system.rs"]
mod system;
#[path = "cases/systemd_unit.rs"]
mod systemd_unit;
#[path = "cases/useradd.rs"]
mod useradd;
#[path = "cases/wait_for.rs"]
mod wait_for;
#[path = "cases/yum.rs"]
mod yum;
#[path = "cases/yum_repository.rs"]
mod yum_repository;

use support::{Expect, check};

/// The cases of all modules; a line for each file.
fn all() -> Vec<Expect> {
    [
        apt::cases(),
        apt_repository::cases(),
        package::cases(),
        command::cases(),
        compile_python::cases(),
        copy::cases(),
        file::cases(),
        file_template::cases(),
        get_url::cases(),
        group::cases(),
        ini_file::cases(),
        lineinfile::cases(),
        pip::cases(),
        psql::cases(),
        psql_ext::cases(),
        say::cases(),
        stat::cases(),
        systemd_unit::cases(),
        useradd::cases(),
        wait_for::cases(),
        blockinfile::cases(),
        replace::cases(),
        authorized_key::cases(),
        cron::cases(),
        system::cases(),
        find::cases(),
        yum::cases(),
        yum_repository::cases(),
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
