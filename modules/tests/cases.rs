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

use support::{Expect, check};

/// A line for each file of cases.
macro_rules! cases_of {
    ($($file:ident,)*) => {
        #[path = "cases"]
        mod of {
            $(pub(crate) mod $file;)*
        }

        /// The cases of all modules.
        fn all() -> Vec<Expect> {
            [$(of::$file::cases()),*].into_iter().flatten().collect()
        }

        /// Samples of arguments: together, those of a module set every argument it has.
        fn all_samples() -> Vec<&'static str> {
            [$(of::$file::SAMPLES),*].concat()
        }
    };
}

cases_of! {
    alternatives,
    apt,
    apt_key,
    apt_repository,
    assemble,
    async_status,
    authorized_key,
    blockinfile,
    command,
    compile_python,
    copy,
    cron,
    deb822_repository,
    debconf,
    dpkg_selections,
    fetch,
    file,
    file_template,
    find,
    get_url,
    git,
    group,
    hostname,
    include_vars,
    ini_file,
    known_hosts,
    lineinfile,
    modprobe,
    mount,
    openssl_certificate,
    package,
    package_facts,
    pam_limits,
    pause,
    pip,
    psql,
    psql_ext,
    psql_pg_hba,
    psql_privs,
    psql_query,
    psql_set,
    rabbitmq,
    reboot,
    replace,
    rpm_key,
    say,
    script,
    service_facts,
    stat,
    system,
    systemd_unit,
    timezone,
    unarchive,
    uri,
    useradd,
    wait_for,
    yum,
    yum_repository,
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
