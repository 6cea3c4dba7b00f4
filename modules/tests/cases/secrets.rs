//! No secret is in any event, error, argument list, question or line of the ledger, wherever in the
//! arguments it stands.

use std::sync::Arc;

use evenkeel_engine::{
    Action, Map, Secret, Value,
    fake::FakeHost,
    host::{Exchange, Op},
    run::Options,
};

use crate::{
    runs::{host, tell},
    support::Expect,
};

const SECRET: &str = "hunter2\"c0ffee";

/// For each text in the arguments: its path, and the arguments with a secret there.
fn with_secrets(value: &Value) -> Vec<(String, Value)> {
    let mut all = Vec::new();
    let mut put = |path: String, value: Value| all.push((path, value));
    match value {
        Value::Str(_) => put(String::new(), Value::Secret(Secret::new(SECRET))),
        Value::Secret(_) => put(String::new(), Value::Secret(Secret::new(SECRET))),
        Value::Seq(items) => {
            for (at, item) in items.iter().enumerate() {
                for (path, changed) in with_secrets(item) {
                    let mut items = items.clone();
                    items[at] = changed;
                    put(format!("{at}.{path}"), Value::Seq(items));
                }
            }
        }
        Value::Map(map) => {
            for (key, item) in map {
                for (path, changed) in with_secrets(item) {
                    let mut map = map.clone();
                    map.insert(key.clone(), changed);
                    put(format!("{key}.{path}"), Value::Map(map));
                }
            }
        }
        _ => {}
    }
    all
}

/// Whether a text holds the secret, as it is or with its quote escaped.
fn leaks(text: &str) -> bool {
    text.contains("c0ffee")
}

/// What of an exchange is seen by others: on the host's disk, and in lists of processes.
fn seen_by_others(exchange: &Exchange) -> Vec<String> {
    let mut texts = Vec::new();
    for op in exchange.ops.iter().chain(&exchange.tail) {
        match op {
            Op::Journal { lines, .. } | Op::Snapshot { lines } => texts.extend(lines.clone()),
            Op::Observe { probes, .. } => {
                texts.extend(
                    probes
                        .iter()
                        .map(|probe| format!("{probe:?} {:?}", probe.key())),
                );
            }
            Op::Guard { holds, .. } => {
                texts.extend(holds.iter().map(|(probe, _)| format!("{:?}", probe.key())));
            }
            // A user's own command may hold one: it is run, and masked where it is shown.
            Op::Step { action, .. } if matches!(&**action, Action::Run(run) if !run.secret_argv.is_empty()) =>
                {}
            Op::Step { action, .. } => texts.push(format!("{action:?}")),
            _ => {}
        }
    }
    texts
}

async fn broken(expect: &Expect, args: &Value, path: &str) -> Vec<String> {
    let bound = match expect.module_bind(args) {
        Ok(bound) => bound,
        Err(why) => {
            let text = format!("{why} {why:?}");
            return leaks(&text)
                .then(|| format!("`{path}`: refused with: {why}"))
                .into_iter()
                .collect();
        }
    };
    let mut found = Vec::new();
    for mut options in [Options::new().check(), Options::new()] {
        options.diff = true;
        options.results = true;
        let host = Arc::new(host(expect));
        // Twice: what the first run left may show in the second.
        for _ in 0..2 {
            let told = tell(expect, &bound, &host, options.clone()).await;
            options.run = format!("{}x", options.run);
            for event in &told.events {
                let json = serde_json::to_string(event).expect("events are JSON");
                if leaks(&json) {
                    found.push(format!("`{path}`: an event: {json}"));
                }
            }
        }
        found.extend(in_exchanges(&host, path));
    }
    found
}

fn in_exchanges(host: &FakeHost, path: &str) -> Vec<String> {
    let exchanges = host.exchanges();
    let texts = exchanges.iter().flat_map(seen_by_others);
    let leaking = texts.filter(|text| leaks(text));
    leaking
        .map(|text| format!("`{path}`: others see: {text}"))
        .collect()
}

#[tokio::test]
async fn secrets_are_kept_in_runs() {
    let (mut found, mut tried) = (Vec::new(), 0);
    for expect in crate::all() {
        let args = Value::Map(expect.args());
        for (path, args) in with_secrets(&args) {
            tried += 1;
            let name = &expect.name;
            let broken = broken(&expect, &args, &path).await;
            found.extend(broken.into_iter().map(|what| format!("{name}: {what}")));
        }
    }
    assert!(tried > 100, "{tried}");
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

const TAKE_SECRETS: &[&str] = &[
    "assert.fail_msg",
    "assert.success_msg",
    "authorized_key.key",
    "blockinfile.block",
    "command.cmd",
    "command.stdin",
    "command.argv.0",
    "command.argv.1",
    "copy.content",
    "cron.job",
    "cron.minute",
    "cron.hour",
    "cron.day",
    "cron.month",
    "cron.weekday",
    "debconf.value",
    "debug.msg.a.1",
    "fail.msg",
    "file-template.content",
    "find.age",
    "find.size",
    "get-url.url",
    "get-url.headers.X-A",
    "get-url.url_username",
    "get-url.url_password",
    "ini-file.value",
    "ini-file.section_has_values.0.value",
    "ini-file.sections.s.o",
    "ini-file.sections.s.p.0",
    "ini-file.sections.s.p.1",
    "known_hosts.key",
    "lineinfile.line",
    "ping.data",
    "psql.query.0",
    "psql.named_args.b",
    "psql.login_password",
    "psql.query",
    "psql.positional_args.0",
    "psql-db.login_password",
    "psql-ext.login_password",
    "psql-pg-hba.options",
    "psql-pg-hba.login_password",
    "psql-pg-hba.rules.0.options",
    "psql-privs.login_password",
    "psql-set.value",
    "psql-set.login_password",
    "psql-set.settings.work_mem",
    "psql-user.password",
    "psql-user.login_password",
    "rabbitmq-user.password",
    "replace.replace",
    "script.cmd",
    "script.argv.0",
    "script.argv.1",
    "set_fact.b.0",
    "set_stats.data.b.0",
    "shell.cmd",
    "shell.stdin",
    "sysctl.value",
    "systemd-unit.content",
    "uri.url",
    "uri.body.a",
    "uri.headers.X-A",
    "uri.url_username",
    "uri.url_password",
    "uri.url",
    "useradd.password",
    "useradd.ssh_key_passphrase",
    "validate_argument_spec.argument_spec.a.type",
    "validate_argument_spec.validate_args_context.name",
    "yum-repository.proxy_password",
    "yum-repository.password",
];

/// Every field that takes a secret, so that none loses that ability unseen.
#[test]
fn these_arguments_take_secrets() {
    let registry = evenkeel_modules::standard();
    let mut found = Vec::new();
    for (name, samples) in crate::arguments::samples() {
        let module = registry.get(name).expect("a known module");
        for args in samples {
            let args: Map = args;
            for (path, args) in with_secrets(&Value::Map(args)) {
                if module.bind(&args).is_ok() {
                    found.push(format!("{name}.{}", path.trim_end_matches('.')));
                }
            }
        }
    }
    assert_eq!(found, TAKE_SECRETS);
}
