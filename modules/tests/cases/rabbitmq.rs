//! `rabbitmq-user` and `rabbitmq-vhost`. What a broker makes of their orders is not seen here.

use evenkeel_engine::{
    Secret, Value,
    fake::{self, FakeHost},
};
use evenkeel_modules::rabbit::{Broker, Told, What};

use crate::support::{Expect, case};

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
