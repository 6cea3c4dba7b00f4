//! The modules of `RabbitMQ`. What a broker makes of their orders is not seen here.

use evenkeel_engine::{
    Secret, Value,
    fake::{self, FakeHost},
    probes::Answered,
};
use evenkeel_modules::{
    rabbit::{Broker, Told, What},
    rabbitmq_plugin,
};

use crate::support::{Expect, case};

/// Together, these set every argument there is, none to its default.
pub(crate) const SAMPLES: &[&str] = &[
    "rabbitmq-plugin: {names: [a, b], new_only: true, broker_state: offline, state: disabled}",
    "rabbitmq-policy: {name: p, vhost: v, pattern: x, apply_to: queues, tags: {max-length: 5}, priority: 1, \
     node: n@h, state: absent}",
    "rabbitmq-user: {user: app, password: x, update_password: on_create, tags: [a], vhost: v, \
     permissions: [{vhost: v, configure_priv: c, write_priv: w, read_priv: r}], configure_priv: c, \
     write_priv: w, read_priv: r, topic_permissions: [{vhost: v, exchange: e, write_priv: w, read_priv: r}], \
     node: n@h, state: absent}",
    "rabbitmq-vhost: {name: app, tracing: true, node: n@h, state: absent}",
];

fn told(host: FakeHost, what: What, told: Told) -> FakeHost {
    host.answers(Broker { node: None, what }, told)
}

fn of(json: serde_json::Value) -> Told {
    Told::Of(json)
}

/// A broker with the virtual hosts `/` and `app`.
fn bare() -> FakeHost {
    let host = FakeHost::new().program("sh", |_, _| fake::ok(""));
    let host = told(
        host,
        What::Vhost("/".to_owned()),
        of(serde_json::json!([false])),
    );
    let host = told(
        host,
        What::Vhost("app".to_owned()),
        of(serde_json::json!([true])),
    );
    told(host, What::Vhost("new".to_owned()), Told::Nothing)
}

/// And without the user `app`.
fn without() -> FakeHost {
    let host = told(bare(), What::User("app".to_owned()), Told::Nothing);
    told(host, What::Hash("app".to_owned()), Told::Nothing)
}

/// And with it, whose password is `pw`.
fn with() -> FakeHost {
    let user = serde_json::json!([
        ["monitoring"],
        [["/", ".*", ".*", ".*"], ["app", "a", "b", "c"]],
        [["/", "amq.topic", "w", "r"]]
    ]);
    let host = told(bare(), What::User("app".to_owned()), of(user));
    let salt = [1, 2, 3, 4];
    let hash = evenkeel_engine::sha256(&[&salt[..], b"pw"].concat());
    let hex = evenkeel_engine::hex(&[&salt[..], &hash].concat());
    let how = "rabbit_password_hashing_sha256".to_owned();
    told(
        host,
        What::Hash("app".to_owned()),
        Told::Hash(Secret::new(hex), how),
    )
}

fn secret(case: Expect, password: &str) -> Expect {
    case.arg("password", Value::Secret(Secret::new(password)))
}

pub(crate) fn cases() -> Vec<Expect> {
    let mut all = users();
    all.extend(vhosts());
    all.extend(plugins());
    all.extend(policies());
    all
}

fn users() -> Vec<Expect> {
    let plain = "rabbitmq_user: {user: app}";
    vec![
        secret(case("RMU-01 a new user", "rabbitmq_user: {user: app, tags: administrator}"), "pw")
            .on(without())
            .changes(["user: null -> \"app\"", "tags: \"\" -> \"administrator\""]),
        secret(case("RMU-01 in its state", plain), "pw").on(with()),
        case("RMU-01 a new user without a password", plain)
            .on(without())
            .refused("a new user needs a password"),
        case(
            "RMU-02 all permissions",
            "rabbitmq_user: {user: app, permissions: [{vhost: app, configure_priv: a, write_priv: b, read_priv: x}]}",
        )
        .on(with())
        .changes(["permissions in app: \"a b c\" -> \"a b x\"", "permissions in /: \".* .* .*\" -> null"]),
        case(
            "RMU-02 the permissions of one virtual host",
            "rabbitmq_user: {user: app, vhost: app, configure_priv: a, write_priv: b, read_priv: c}",
        )
        .on(with()),
        case("RMU-02 a virtual host that is not there", "rabbitmq_user: {user: app, vhost: new, read_priv: c}")
            .on(with())
            .not_yet("the virtual host `new`"),
        case(
            "RMU-03 permissions by topic",
            "rabbitmq_user: {user: app, topic_permissions: [{vhost: app, write_priv: a, read_priv: b}]}",
        )
        .on(with())
        .changes([
            "topic permissions in app amq.topic: null -> \"a b\"",
            "topic permissions in / amq.topic: \"w r\" -> null",
        ]),
        case("RMU-04 other tags", "rabbitmq_user: {user: app, tags: 'administrator,monitoring'}")
            .on(with())
            .changes(["tags: \"monitoring\" -> \"administrator,monitoring\""]),
        case("RMU-04 its tags", "rabbitmq_user: {user: app, tags: monitoring}").on(with()),
        case("RMU-05 the virtual host /", "rabbitmq_user: {user: app, read_priv: x}")
            .on(with())
            .changes(["permissions in /: \".* .* .*\" -> \"^$ ^$ x\""]),
        case("RMU-06 it goes", "rabbitmq_user: {user: app, state: absent}")
            .on(with())
            .changes(["user: \"app\" -> null"]),
        case("RMU-06 it is gone", "rabbitmq_user: {user: app, state: absent}").on(without()),
        secret(case("RMU-07 another password", plain), "other").on(with()).changes(["password"]),
        secret(case("RMU-07 only of a new user", "rabbitmq_user: {user: app, update_password: on_create}"), "other").on(with()),
        case(
            "RMU-08 a virtual host twice",
            "rabbitmq_user: {user: app, permissions: [{vhost: a}, {vhost: a}]}",
        )
        .refused("`permissions` names `a` twice"),
    ]
}

fn vhosts() -> Vec<Expect> {
    vec![
        case("RMV-01 a new virtual host", "rabbitmq_vhost: {name: new}")
            .on(bare())
            .changes(["virtual host: null -> \"new\""]),
        case("RMV-01 in its state", "rabbitmq_vhost: {name: app}").on(bare()),
        case("RMV-02 traced", "rabbitmq_vhost: {name: /, tracing: true}")
            .on(bare())
            .changes(["tracing: false -> true"]),
        case(
            "RMV-02 traced already",
            "rabbitmq_vhost: {name: app, tracing: true}",
        )
        .on(bare()),
        case(
            "RMV-03 it goes",
            "rabbitmq_vhost: {name: app, state: absent}",
        )
        .on(bare())
        .changes(["virtual host: \"app\" -> null"]),
        case(
            "RMV-03 it is gone",
            "rabbitmq_vhost: {name: new, state: absent}",
        )
        .on(bare()),
    ]
}

/// A broker with three plugins, one of which is enabled.
fn plugged(status: i32) -> FakeHost {
    let stdout = "E shovel\nP federation\nP management\nP shovel".to_owned();
    FakeHost::new().answers(rabbitmq_plugin::question(), Answered { status, stdout })
}

fn plugins() -> Vec<Expect> {
    let case =
        |name: &str, args: &str| case(name, &format!("rabbitmq_plugin: {{{args}}}")).on(plugged(0));
    vec![
        case("RMP-01 a plugin is enabled", "names: 'management,shovel'")
            .changes(["plugin management: \"disabled\" -> \"enabled\""])
            .gives("enabled", "[\"management\",\"shovel\"]"),
        case("RMP-01 it is enabled already", "names: shovel"),
        case("RMP-01 others go", "names: [federation]").changes([
            "plugin federation: \"disabled\" -> \"enabled\"",
            "plugin shovel: \"enabled\" -> \"disabled\"",
        ]),
        case(
            "RMP-01 it goes",
            "names: [shovel, management], state: disabled",
        )
        .changes(["plugin shovel: \"enabled\" -> \"disabled\""])
        .gives("disabled", "[\"shovel\",\"management\"]"),
        case("RMP-01 it is gone", "names: [management], state: disabled"),
        case("RMP-01 it is not on the host", "names: [delayed]")
            .not_yet("the plugin `delayed` among those of RabbitMQ"),
        case("RMP-01 no broker", "names: [shovel]")
            .on(plugged(127))
            .not_yet("there is no `rabbitmq-plugins`"),
        case("RMP-01 as somebody else", "names: [shovel]")
            .on(plugged(13))
            .refused("the file of the enabled plugins cannot be read"),
        case("RMP-01 a name", "names: ['a b']").refused("`a b` is no name of a plugin"),
        case(
            "RMP-02 only what is new",
            "names: [federation], new_only: true",
        )
        .changes(["plugin federation: \"disabled\" -> \"enabled\""]),
    ]
}

fn policies() -> Vec<Expect> {
    let broker = || {
        let policy = |name: &str| What::Policy("app".to_owned(), name.to_owned());
        let known = serde_json::json!(["^a", "queues", 0, {"max-length": 5}]);
        let host = told(bare(), policy("old"), of(known));
        let host = told(
            host,
            What::Policy("new".to_owned(), "old".to_owned()),
            Told::Nothing,
        );
        told(host, policy("new"), Told::Nothing)
    };
    let case =
        |name: &str, args: &str| case(name, &format!("rabbitmq_policy: {{{args}}}")).on(broker());
    vec![
        case(
            "policies: a new one",
            "name: new, vhost: app, pattern: x, tags: {max-length: 5}",
        )
        .changes(["policy: null -> \"new\""]),
        case(
            "policies: in its state",
            "name: old, vhost: app, pattern: ^a, apply_to: queues, tags: {max-length: 5}, priority: '0'",
        ),
        case(
            "policies: all of it",
            "name: old, vhost: app, pattern: ^b, tags: {expires: 1}, priority: 2",
        )
        .changes([
            "pattern: \"^a\" -> \"^b\"",
            "apply_to: \"queues\" -> \"all\"",
            "priority: \"0\" -> \"2\"",
            "definition: \"{\\\"max-length\\\":5}\" -> \"{\\\"expires\\\":1}\"",
        ]),
        case("policies: it goes", "name: old, vhost: app, state: absent")
            .changes(["policy: \"old\" -> null"]),
        case(
            "policies: it is gone",
            "name: new, vhost: app, state: absent",
        ),
        case(
            "policies: no virtual host",
            "name: old, vhost: new, pattern: x, tags: {expires: 1}",
        )
        .not_yet("the virtual host `new`"),
        case("policies: no pattern", "name: old, tags: {expires: 1}")
            .refused("`pattern` is missing"),
        case("policies: nothing to do", "name: old, pattern: x")
            .refused("`tags` is missing or empty"),
    ]
}
