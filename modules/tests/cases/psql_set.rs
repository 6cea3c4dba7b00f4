//! Settings of PostgreSQL: what is decided. What the server does is seen in the lab.

use evenkeel_engine::{Secret, Value, fake::FakeHost};
use evenkeel_modules::psql::{Login, Question, Server, Setting, Sql, Told};

use crate::support::{Expect, case};

/// Together, these set every argument there is, none to its default.
pub(crate) const SAMPLES: &[&str] = &[
    "psql-set: {name: work_mem, value: 16MB, \
     login_host: h, login_unix_socket: /s, login_port: 5, login_user: u, login_password: p, \
     login_db: d, session_role: r, ssl_mode: require, ca_cert: /a, ssl_cert: /c, ssl_key: /k, \
     trust_input: false}",
    "psql-set: {name: work_mem, reset: true}",
    "psql-set: {settings: {work_mem: 16MB, jit: false}}",
];

fn says(host: FakeHost, question: Question, told: Told) -> FakeHost {
    let login = Login {
        user: "postgres".to_owned(),
        database: "postgres".to_owned(),
        ..Login::default()
    };
    host.answers(Sql { login, question }, told)
}

fn setting(name: &str, context: &str, kind: &str, unit: Option<&str>, default: &str) -> Setting {
    Setting {
        name: name.to_owned(),
        context: context.to_owned(),
        kind: kind.to_owned(),
        unit: unit.map(ToOwned::to_owned),
        min: Some("16".to_owned()),
        max: Some("1000000".to_owned()),
        default: Some(default.to_owned()),
        running: Some(default.to_owned()).filter(|_| context == "postmaster"),
        ..Setting::default()
    }
}

/// A server with settings of each kind.
fn with(server: &Server, unread: bool, change: impl FnOnce(&mut [Setting])) -> FakeHost {
    let mut all = [
        setting("work_mem", "user", "integer", Some("kB"), "4096"),
        setting(
            "shared_buffers",
            "postmaster",
            "integer",
            Some("8kB"),
            "16384",
        ),
        setting("jit", "user", "bool", None, "on"),
        setting("wal_level", "postmaster", "enum", None, "replica"),
        setting(
            "listen_addresses",
            "postmaster",
            "string",
            None,
            "localhost",
        ),
        setting("block_size", "internal", "integer", None, "8192"),
        setting("search_path", "user", "string", None, "\"$user\", public"),
    ];
    all[3].words = Some(
        ["minimal", "replica", "logical"]
            .map(ToOwned::to_owned)
            .to_vec(),
    );
    change(&mut all);
    let host = says(FakeHost::new(), Question::Server, Told::of(server));
    let host = says(host, Question::Unread, Told::of(unread));
    let host = all.iter().fold(host, |host, one| {
        says(
            host,
            Question::Setting(one.name.clone()),
            Told::of(Some(one)),
        )
    });
    let none = Told::of(None::<Setting>);
    let host = says(host, Question::Setting("nope".to_owned()), none.clone());
    says(host, Question::Setting("my.own".to_owned()), none)
}

fn server() -> Server {
    Server {
        version: 150_004,
        superuser: true,
        ..Server::default()
    }
}

fn on(change: impl FnOnce(&mut [Setting])) -> FakeHost {
    with(&server(), false, change)
}

fn set(name: &str, args: &str) -> Expect {
    case(name, &format!("psql-set: {{{args}}}")).on(on(|_| {}))
}

pub(crate) fn cases() -> Vec<Expect> {
    [differs(), same(), refused()].concat()
}

fn differs() -> Vec<Expect> {
    vec![
        set("another value", "name: work_mem, value: 16MB")
            .changes(["work_mem: \"4096\" -> \"16MB\""])
            .gives("restart_required", "false")
            .gives("settings.work_mem.value", "\"16MB\""),
        case("another than the file says", "postgresql_set: {name: work_mem, value: 16MB}")
            .on(on(|all| all[0].below = Some("8MB".to_owned())))
            .changes(["work_mem: \"8MB\" -> \"16MB\""]),
        set("one that needs a restart", "name: shared_buffers, value: 256MB")
            .changes(["shared_buffers"])
            .gives("restart_required", "true")
            .gives("settings.shared_buffers.context", "\"postmaster\""),
        case("back to what runs", "psql-set: {name: shared_buffers, value: 128MB}")
            .on(on(|all| {
                all[1].altered = Some("256MB".to_owned());
                all[1].pending = true;
            }))
            .changes(["shared_buffers: \"256MB\" -> \"128MB\""])
            .gives("restart_required", "false"),
        set(
            "several at once",
            "settings: {work_mem: 16MB, jit: false, wal_level: logical, listen_addresses: [localhost, 10.0.0.1]}",
        )
        .changes([
            "jit: \"on\" -> \"off\"",
            "listen_addresses: \"localhost\" -> \"localhost, 10.0.0.1\"",
            "wal_level: \"replica\" -> \"logical\"",
            "work_mem: \"4096\" -> \"16MB\"",
        ])
        .gives("restart_required", "true")
        .gives("settings.wal_level.restart_required", "true")
        .gives("settings.jit.restart_required", "false"),
        case("taken away", "psql-set: {name: work_mem, reset: true}")
            .on(on(|all| all[0].altered = Some("16MB".to_owned())))
            .changes(["work_mem: \"16MB\" -> \"4096\""])
            .gives("settings.work_mem.value", "\"4096\""),
        case("taken away, and the file counts", "psql-set: {settings: {work_mem: DEFAULT}}")
            .on(on(|all| {
                all[0].altered = Some("16MB".to_owned());
                all[0].below = Some("8MB".to_owned());
            }))
            .changes(["work_mem: \"16MB\" -> \"8MB\""]),
        set("a list of names", "name: search_path, value: 'a b, public'").changes(["search_path"]),
        set("a value that tries to break out", "name: listen_addresses, value: \"'; DROP ROLE x; --\\\\\"")
            .changes(["listen_addresses"]),
        case("what is there is read", "psql-set: {name: work_mem, value: 4MB}")
            .on(with(&server(), true, |_| {}))
            .changes(["read by the server: false -> true"]),
    ]
}

fn same() -> Vec<Expect> {
    vec![
        set("in another unit", "name: work_mem, value: 4MB")
            .gives("settings.work_mem.value", "\"4096\""),
        set("in another word", "name: jit, value: true"),
        set(
            "a list with other spaces",
            "name: search_path, value: '\"$user\",public'",
        ),
        set("nothing to take away", "name: work_mem, reset: true"),
        case(
            "set by the file",
            "psql-set: {name: work_mem, value: 16384}",
        )
        .on(on(|all| all[0].below = Some("16MB".to_owned()))),
        case(
            "it waits for a restart",
            "psql-set: {name: shared_buffers, value: 256MB}",
        )
        .on(on(|all| {
            all[1].altered = Some("256MB".to_owned());
            all[1].pending = true;
        }))
        .gives("restart_required", "true")
        .warns("the server waits for a restart with `shared_buffers`"),
    ]
}

fn refused() -> Vec<Expect> {
    let other = Server {
        superuser: false,
        ..server()
    };
    vec![
        set("no such setting", "name: nope, value: 1")
            .refused("there is no setting `nope` in PostgreSQL 15"),
        set(
            "one of a library that is not loaded",
            "name: my.own, value: 1",
        )
        .not_yet("the setting `my.own`"),
        set("no number", "name: work_mem, value: lots")
            .refused("`work_mem` is a number, and `lots` is none"),
        set("too large", "name: work_mem, value: 1TB")
            .refused("`work_mem: 1TB` is out of its range: 16 to 1000000 (in kB)"),
        set("neither on nor off", "name: jit, value: maybe").refused("`jit` is on or off"),
        set("a fact", "name: block_size, value: 4096")
            .refused("`block_size` is a fact of the server"),
        case(
            "on the command line",
            "psql-set: {name: work_mem, value: 16MB}",
        )
        .on(on(|all| all[0].fixed = true))
        .refused("set on the command line"),
        case("nobody who may", "psql-set: {name: work_mem, value: 16MB}")
            .on(with(&other, false, |_| {}))
            .refused("`postgres` may not change settings of PostgreSQL"),
        set("a secret", "name: work_mem")
            .arg("value", Value::Secret(Secret::new("hunter2")))
            .refused("PostgreSQL writes each new value into its log"),
        set("no name", "value: 1").refused("one of `name` and `settings` is needed"),
        set("no value", "name: work_mem").refused("one of `value` and `reset` is needed"),
        set("one and several", "name: work_mem, settings: {jit: true}")
            .refused("`settings` excludes `name`"),
        set("no name of a setting", "name: 'a; b', value: 1")
            .refused("`a; b` is no name of a setting"),
        set("one twice", "settings: {jit: true, JIT: true}")
            .refused("`JIT` and `jit` are one setting"),
        set("several lines", "name: work_mem, value: \"1\\n2\"").refused("is not one line"),
        set("a list of nothing", "name: search_path, value: ''")
            .refused("a list of one empty name"),
        set("where the data are", "name: data_directory, value: /x")
            .refused("cannot be set by the server itself"),
        set(
            "a suspicious value",
            "name: work_mem, value: 'a;b', trust_input: false",
        )
        .refused("`work_mem` contains `;`"),
    ]
}
