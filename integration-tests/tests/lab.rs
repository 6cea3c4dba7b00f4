//! The hosts of a lab, and what the program does with them over ssh.
//!
//! All of these need root and the programs that `.ci/run` installs, so they are ignored unless asked for; `.ci/run`
//! asks for them.
#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(
    clippy::print_stdout,
    reason = "a test that fails tells how far it came"
)]

mod lab {
    mod airflow;
    mod airflow_more;
    mod apt;
    mod beside_ansible;
    mod commands;
    mod controllers;
    mod edits;
    mod facts;
    mod failures;
    mod faults;
    mod fetch;
    mod find;
    mod fleet;
    mod git;
    mod hostile;
    mod hosts;
    mod keeps;
    mod mount;
    mod openssl;
    mod pip;
    mod psql;
    mod psql_dump;
    mod psql_more;
    mod psql_privs;
    mod psql_query;
    mod python;
    mod python_stub;
    mod rabbitmq;
    mod reboot;
    mod roles;
    mod rpm_key;
    mod speed;
    mod sshd;
    mod system;
    mod systemd_unit;
    mod three;
    mod unarchive;
    mod web;
    mod web_more;
    mod yum;
}
