//! Users, virtual hosts, policies and plugins of `RabbitMQ`, on a broker that runs.

use evenkeel_integration_tests::{Host, Lab, need_lab, until};

const PASSWORD: &str = "s3cret-of'airflow $(touch /tmp/pwned) \\ \"";

/// Whether the broker lets somebody in with a password, which no argument list holds.
fn lets_in(host: &Host, user: &str, password: &str) -> bool {
    host.write("/root/password", &format!("{password}\n"));
    let ended = host.try_sh(&format!(
        "rabbitmqctl -q authenticate_user {user} </root/password"
    ));
    host.sh("rm /root/password");
    ended.status == 0
}

/// What the broker knows, as lines whose cells have tabs between them.
fn list(host: &Host, what: &str) -> String {
    host.sh(&format!("rabbitmqctl -q --no-table-headers {what} | sort"))
}

fn tasks(text: &str) -> String {
    format!(
        "become: true\nvars:\n  password: \"s3cret-of'airflow $(touch /tmp/pwned) \\\\ \\\"\"\ntasks:\n{text}"
    )
}

#[test]
#[ignore = "needs root and a lab"]
fn rabbitmq_is_kept_as_it_is_described() {
    if !need_lab() {
        return;
    }
    let lab = Lab::plan().packages(&["rabbitmq-server"]).host("mq").boot();
    let host = lab.host("mq");
    until("RabbitMQ answers", || {
        host.is("timeout 30 rabbitmqctl -q await_startup")
    });
    plugins(&lab, host);
    airflow(&lab, host);
    hostile(&lab, host);
    policies(&lab, host);
    failures(&lab, host);
    assert!(host.is("! test -e /tmp/pwned"));
}

const AIRFLOW: &str = "
- name: the virtual host
  rabbitmq_vhost: {name: airflow}
- name: the user
  rabbitmq_user:
    user: airflow
    password: \"{{ password }}\"
    tags: monitoring,management
    permissions:
    - {vhost: airflow, configure_priv: '.*', write_priv: '.*', read_priv: '.*'}
    topic_permissions:
    - {vhost: airflow, write_priv: '^a', read_priv: '^b'}
";

fn airflow(lab: &Lab, host: &Host) {
    lab.settles(&tasks(AIRFLOW)).changed(2).never_says("s3cret");
    assert!(lets_in(host, "airflow", PASSWORD));
    assert!(!lets_in(host, "airflow", "other"));
    assert_eq!(
        list(host, "list_permissions -p airflow"),
        "airflow\t.*\t.*\t.*\n"
    );
    assert_eq!(
        list(host, "list_topic_permissions -p airflow"),
        "airflow\tamq.topic\t^a\t^b\n"
    );
    assert_eq!(
        list(host, "list_users").lines().next(),
        Some("airflow\t[management, monitoring]")
    );

    // Somebody changes all of it by hand.
    host.sh(
        "rabbitmqctl -q change_password airflow other && rabbitmqctl -q set_user_tags airflow administrator && \
         rabbitmqctl -q set_permissions airflow x y z && rabbitmqctl -q clear_topic_permissions -p airflow airflow",
    );
    let plan = lab.plan(&[]).ok().changed(1);
    let run = lab.run(&[]).ok().changed(1).never_says("s3cret");
    plan.foretells(&run);
    assert_eq!(
        run.task("the user").whats(),
        [
            "password",
            "tags",
            "permissions in /",
            "topic permissions in airflow amq.topic"
        ]
    );
    assert!(lets_in(host, "airflow", PASSWORD));
    assert_eq!(list(host, "list_permissions -p /"), "guest\t.*\t.*\t.*\n");
    lab.run(&[]).ok().changed(0).exchanges(1);
}

/// Names are only names.
fn hostile(lab: &Lab, host: &Host) {
    let run = lab.settles(&tasks(
        "
- name: a traced virtual host
  rabbitmq-vhost: {name: \"it's $(touch /tmp/pwned) \\\\ \\\">>). ☃\", tracing: true}
- name: a user
  rabbitmq-user:
    user: \"-q '$(touch /tmp/pwned)'\\n\\\"<<>> ☃\"
    password: \"{{ password }}\"
    vhost: \"it's $(touch /tmp/pwned) \\\\ \\\">>). ☃\"
    read_priv: \"^'\\\"$(touch /tmp/pwned)☃\"
- name: only when it is new
  rabbitmq-user: {user: airflow, password: another, update_password: on_create}
",
    ));
    assert_eq!(
        run.named("changed"),
        ["a traced virtual host", "a user"],
        "{run}"
    );
    assert!(lets_in(host, "airflow", PASSWORD));
    lab.settles(&tasks(
        "
- name: it is traced no longer
  rabbitmq-vhost: {name: \"it's $(touch /tmp/pwned) \\\\ \\\">>). ☃\", tracing: false}
",
    ))
    .changed(1);
    lab.settles(&tasks(
        "
- name: the user goes
  rabbitmq-user: {user: \"-q '$(touch /tmp/pwned)'\\n\\\"<<>> ☃\", state: absent}
- name: the virtual host goes
  rabbitmq-vhost: {name: \"it's $(touch /tmp/pwned) \\\\ \\\">>). ☃\", state: absent}
",
    ))
    .changed(2);
    assert_eq!(list(host, "list_vhosts"), "/\nairflow\n");
    assert_eq!(list(host, "list_users").lines().count(), 2);
}

/// What fails says why, and what to do.
fn failures(lab: &Lab, host: &Host) {
    lab.tasks(&tasks(
        "- name: a wrong pattern\n  rabbitmq-user: {user: airflow, read_priv: '('}\n",
    ));
    lab.run(&[])
        .status(2)
        .says("RabbitMQ refuses it: {error,{invalid_regexp,\\\"(\\\"")
        .says("correct the pattern: it is a regular expression of Erlang");
    lab.tasks("- name: as nobody\n  rabbitmq-vhost: {name: later}\n  become: true\n  become_user: deploy\n");
    lab.run(&[])
        .status(2)
        .says("only `root` and `rabbitmq` may ask it: `become: true`");
    host.sh("systemctl stop rabbitmq-server");
    let later = "- name: later\n  rabbitmq-vhost: {name: later}\n";
    lab.tasks(&tasks(later));
    lab.run(&[])
        .status(2)
        .says("its node does not run (start it: `systemctl start rabbitmq-server`)");
    // One task starts it, the next one uses it.
    lab.tasks(&tasks(&format!(
        "- name: it starts\n  systemd-unit: {{name: rabbitmq-server, state: started}}\n{later}"
    )));
    lab.plan(&[]).ok().outcome("later", "unknown");
    lab.run(&[]).ok().changed(2);
    lab.run(&[]).ok().changed(0).exchanges(1);
}

/// Which are enabled is read without a start of Erlang.
fn plugins(lab: &Lab, host: &Host) {
    // What runs, not what is to run after the next start.
    let active = || host.sh("echo 'rabbit_plugins:active().' | rabbitmqctl -q eval");
    lab.settles(&tasks(
        "- name: plugins\n  rabbitmq_plugin: {names: 'rabbitmq_event_exchange,rabbitmq_top', broker_state: offline}\n",
    ))
    .changed(1);
    assert_eq!(active(), "[]\n");
    lab.settles(&tasks(
        "- name: plugins\n  rabbitmq_plugin: {names: rabbitmq_event_exchange}\n",
    ))
    .changed(1);
    assert_eq!(active(), "[rabbitmq_event_exchange]\n");
    let run = lab.settles(&tasks(
        "- name: plugins\n  rabbitmq_plugin: {names: rabbitmq_event_exchange, state: disabled}\n",
    ));
    assert_eq!(
        run.task("plugins").whats(),
        ["plugin rabbitmq_event_exchange"]
    );
    assert_eq!(active(), "[]\n");
    lab.tasks(&tasks(
        "- name: none\n  rabbitmq_plugin: {names: rabbitmq_none}\n",
    ));
    lab.run(&[])
        .status(2)
        .says("the plugin `rabbitmq_none` among those of RabbitMQ on this host");
}

fn policies(lab: &Lab, host: &Host) {
    let task = |name: &str, rest: &str| {
        format!(
            "- name: {name}\n  rabbitmq_policy: {{name: \"it's $(x) ☃\", vhost: airflow, {rest}}}\n"
        )
    };
    lab.settles(&tasks(&task(
        "policy",
        "pattern: \"^'\\\"$(touch /tmp/pwned)\", tags: {max-length: 5, overflow: reject-publish}",
    )))
    .changed(1);
    let run = lab.settles(&tasks(&task(
        "policy",
        "pattern: ^tasks, apply_to: queues, tags: {max-length: 6}, priority: '3'",
    )));
    assert_eq!(
        run.task("policy").whats(),
        ["pattern", "apply_to", "priority", "definition"]
    );
    assert_eq!(
        list(host, "list_policies -p airflow"),
        "airflow\tit's $(x) ☃\t^tasks\tqueues\t{\"max-length\":6}\t3\n"
    );
    lab.tasks(&tasks(&task(
        "a wrong one",
        "pattern: x, tags: {max-length: many}",
    )));
    lab.run(&[])
        .status(2)
        .says("RabbitMQ refuses it: Validation failed")
        .says("see the broker's list of policy keys");
    lab.settles(&tasks(&task("policy", "state: absent")))
        .changed(1);
}
