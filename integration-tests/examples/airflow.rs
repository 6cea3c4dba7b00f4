//! A cluster of Airflow, made by a program: typed tasks in one graph over all hosts, and no YAML. The first host has the
//! database, the broker and what schedules; the others work. `playbooks/examples/airflow` has more than this.
//!
//! ```text
//! cargo run --package evenkeel-integration-tests --example airflow SETTINGS.json
//! ```

#![expect(clippy::print_stdout, reason = "it shows what happens")]

use std::{error::Error, io, path::PathBuf, sync::Arc};

use evenkeel_engine::{
    HostId, Identity, Late, ScriptHost, Secret, Source, Task, TaskId, TaskList, Text, Thing,
    event::Event,
    keep::LocalFiles,
    run::{Cancel, Options, run},
};
use evenkeel_modules::{
    Mode, apt, command, compile_python, copy, file, group, pip, psql_db, psql_pg_hba, psql_set,
    psql_user, rabbitmq_user, rabbitmq_vhost, systemd_unit, useradd,
};
use evenkeel_ssh::{OpensshConnection, OpensshOptions};

/// What differs from one cluster to the next.
#[derive(serde::Deserialize)]
struct Settings {
    hosts: Vec<String>,
    ssh_config: Option<PathBuf>,
    network: String,
    python: String,
    python_archive: PathBuf,
    python_sha256: String,
    python_builds: String,
    /// A folder that `playbooks/examples/airflow/wheelhouse` has filled.
    wheels: PathBuf,
    constraints: PathBuf,
    dags: PathBuf,
    database_password: String,
    broker_password: String,
    admin_password: String,
    fernet_key: String,
    webserver_secret: String,
}

const PACKAGES: &str = "gcc libc6-dev make xz-utils libssl-dev libbz2-dev libffi-dev zlib1g-dev \
                        libsqlite3-dev liblzma-dev libpq-dev curl";
const AIRFLOW: &str = "apache-airflow[celery,rabbitmq]==2.7.3 psycopg2";
const CONSTRAINTS: &str = "/etc/airflow/constraints";
const WHEELS: &str = "/var/cache/wheels";
const WEB: &str = "curl -sf http://localhost:8080/health";
const SCHEDULES: &str = "as-airflow airflow jobs check --job-type SchedulerJob --local";
const WORKS: &str = "as-airflow celery --app airflow.providers.celery.executors.celery_executor.app \
                     inspect ping --timeout 5 --destination \"celery@$(hostname)\"";
const ADMIN: &str = "users create --username admin --email admin@localhost --firstname A --lastname A \
                     --role Admin";

/// Adds a task that is done as root: its name, its module, what the module's arguments are where they are not as they
/// always are, and what else is to be said of it.
macro_rules! task {
    ($cluster:expr, $host:expr, $name:expr, $module:ident::$type:ident;
     $($field:ident = $value:expr),* $(; $($more:tt)*)?) => {
        $cluster.list.task(Task::new::<$module::$type>($name, $module::Args {
            $($field: $value.into(),)*
            ..$module::Args::default()
        })$($($more)*)?.on($host).as_user(Identity::user("root")))
    };
}

struct Cluster {
    list: TaskList,
    set: Settings,
}

impl Cluster {
    fn database(&mut self, host: HostId) -> TaskId {
        let (all, network) = (Text::from("*"), self.set.network.clone());
        let listens = [("listen_addresses".to_owned(), all)];
        let password = Late::of(secret(&self.set.database_password));
        task!(self, host, "PostgreSQL", systemd_unit::SystemdUnit; name = "postgresql", state = started(), enabled = true);
        let listens = task!(self, host, "it listens", psql_set::PsqlSet; settings = listens);
        self.restarted(host, "postgresql", &[listens]);
        task!(self, host, "who logs in", psql_pg_hba::PsqlPgHba; contype = psql_pg_hba::Kind::Host, users = words("airflow"),
            databases = words("airflow"), address = network, method = psql_pg_hba::Method::Scram);
        task!(self, host, "role", psql_user::PsqlUser; name = "airflow", password = password);
        task!(self, host, "database", psql_db::PsqlDb; name = "airflow", owner = own("airflow"))
    }

    fn broker(&mut self, host: HostId) -> TaskId {
        let (password, all) = (secret(&self.set.broker_password), own(".*"));
        let health = systemd_unit::Health {
            port: Some(5672),
            ..Default::default()
        };
        task!(self, host, "RabbitMQ", systemd_unit::SystemdUnit; name = "rabbitmq-server", state = started(),
            enabled = true, health = health);
        task!(self, host, "virtual host", rabbitmq_vhost::RabbitmqVhost; name = "airflow");
        task!(self, host, "user of the broker", rabbitmq_user::RabbitmqUser; user = "airflow", password = Late::of(password),
            vhost = own("airflow"), configure_priv = all.clone(), write_priv = all.clone(), read_priv = all)
    }

    /// Airflow, by a Python that one host compiles for all: what compiles it, and all that services read.
    fn airflow(
        &mut self,
        host: HostId,
        first: Option<TaskId>,
    ) -> io::Result<(TaskId, Vec<TaskId>)> {
        let local = |path: &PathBuf| Source::open("", path).map(copy::Src::Local);
        let [wheels, dags] = [local(&self.set.wheels)?, local(&self.set.dags)?];
        let [source, constraints] = [&self.set.python_archive, &self.set.constraints].map(local);
        let python = [
            &self.set.python,
            &self.set.python_sha256,
            &self.set.python_builds,
        ];
        let [version, sha256, builds] = python.map(String::clone);
        task!(self, host, "packages", apt::Apt; name = words(PACKAGES), update_cache = true);
        task!(self, host, "group", group::Group; name = "airflow", gid = 5000);
        task!(self, host, "user", useradd::Useradd; name = "airflow", uid = 5000, group = own("airflow"),
            home = own("/app1/airflow"), create_home = false);
        for (path, owner) in [
            ("/etc/airflow", "root"),
            ("/app1/airflow", "airflow"),
            ("/app1/airflow/logs", "airflow"),
        ] {
            task!(self, host, path, file::File; path = path, state = file::State::Directory, owner = own(owner),
                group = own("airflow"), mode = Mode::bits(0o755));
        }
        task!(self, host, "wheels", copy::Copy; dest = format!("{WHEELS}/"), src = wheels);
        task!(self, host, "DAGs", copy::Copy; dest = "/app1/airflow/dags/", src = dags);
        task!(self, host, "constraints", copy::Copy; dest = CONSTRAINTS, src = constraints?);
        let built = task!(self, host, "Python", compile_python::CompilePython; version = version, source = source?, sha256 = sha256,
            optimizations = false, pip = own("22.0.4"), share_build = builds;
            .after_all(first).env("PIP_NO_INDEX", "1").env("PIP_FIND_LINKS", WHEELS).reads(trees(WHEELS)).writes(trees("/usr/local")));
        let mut read = vec![
            task!(self, host, "Airflow", pip::Pip; name = words(AIRFLOW), constraints = words(CONSTRAINTS), no_index = true,
                executable = own("/usr/local/bin/pip3.9"), find_links = own(WHEELS);
                .reads([Thing::Path(CONSTRAINTS.into()), Thing::Tree(WHEELS.into())]).writes(trees("/usr/local"))),
            task!(self, host, "as-airflow", copy::Copy; dest = "/usr/local/sbin/as-airflow", mode = Mode::bits(0o755),
                content = Late::of(copy::Body(include_str!("cluster/as-airflow").into()))),
            task!(self, host, "airflow.cfg", copy::Copy; dest = "/app1/airflow/airflow.cfg", mode = Mode::bits(0o644),
                content = Late::of(copy::Body(include_str!("cluster/airflow.cfg").into()))),
        ];
        let (database, broker) = (&self.set.database_password, &self.set.broker_password);
        let at = |kind, password| {
            secret(format!(
                "{kind}://airflow:{password}@{}/airflow",
                self.set.hosts[0]
            ))
        };
        for (name, text) in [
            ("fernet_key", secret(&self.set.fernet_key)),
            ("webserver_secret", secret(&self.set.webserver_secret)),
            ("database_url", at("postgresql+psycopg2", database)),
            ("result_backend", at("db+postgresql", database)),
            ("broker_url", at("pyamqp", broker)),
        ] {
            read.push(task!(self, host, name, copy::Copy; dest = format!("/etc/airflow/{name}"), group = own("airflow"),
                mode = Mode::bits(0o640), content = Late::of(copy::Body(text))));
        }
        Ok((built, read))
    }

    /// A command of Airflow behind a guard that asks Airflow itself.
    fn guarded(
        &mut self,
        host: HostId,
        line: &str,
        unless: &str,
        stdin: Option<Text>,
        after: TaskId,
    ) -> TaskId {
        task!(self, host, line, command::Command; cmd = Late::of(format!("as-airflow airflow {line}").as_str()),
            unless = vec![format!("as-airflow airflow {unless}")], stdin = stdin.map(Late::of);
            .after(after).reads(trees("/usr/local /etc/airflow /app1/airflow")))
    }

    /// A service of Airflow, restarted when what it reads has changed.
    fn service(
        &mut self,
        host: HostId,
        command: &str,
        health: &str,
        ready: &[TaskId],
        read: &[TaskId],
    ) {
        let name = format!("airflow-{}", command.rsplit(' ').next().unwrap_or(command));
        let unit = include_str!("cluster/airflow.service")
            .replace("NAME", &name)
            .replace("COMMAND", command);
        task!(self, host, &name, systemd_unit::SystemdUnit; name = name.as_str(), content = Late::of(unit), state = started(),
            enabled = true, health = asks(health); .after_all(ready.iter().copied()));
        self.restarted(host, &name, read);
    }

    fn restarted(&mut self, host: HostId, name: &str, causes: &[TaskId]) {
        task!(self, host, format!("{name} restarted"), systemd_unit::SystemdUnit; name = name,
            state = systemd_unit::State::Restarted; .triggered_by_any(causes.iter().copied()).handler());
    }
}

fn own(text: &str) -> String {
    text.to_owned()
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(own).collect()
}

fn trees(paths: &str) -> Vec<Thing> {
    paths
        .split_whitespace()
        .map(|path| Thing::Tree(path.into()))
        .collect()
}

fn secret(text: impl AsRef<str>) -> Text {
    Text::Secret(Secret::new(text.as_ref()))
}

fn started() -> systemd_unit::State {
    systemd_unit::State::Started
}

fn asks(command: &str) -> systemd_unit::Health {
    systemd_unit::Health {
        command: Some(own(command)),
        ..Default::default()
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let file = std::env::args().nth(1).ok_or("say a file of settings")?;
    let set: Settings = serde_json::from_str(&std::fs::read_to_string(file)?)?;
    let mut cluster = Cluster {
        list: TaskList::new("airflow"),
        set,
    };
    let mut hosts = Vec::new();
    for name in cluster.set.hosts.clone() {
        let mut to = OpensshOptions::to(name.as_str());
        to.config.clone_from(&cluster.set.ssh_config);
        let host = ScriptHost::new(OpensshConnection::new(to));
        hosts.push(cluster.list.host(name, Arc::new(host)));
    }
    let (&control, workers) = hosts.split_first().ok_or("say hosts")?;
    task!(cluster, control, "servers", apt::Apt; name = words("postgresql rabbitmq-server"), update_cache = true);
    let database = cluster.database(control);
    let broker = cluster.broker(control);
    let (built, read) = cluster.airflow(control, None)?;
    let schema = cluster.guarded(
        control,
        "db migrate",
        "db check-migrations -t 1",
        None,
        database,
    );
    let twice = secret(format!("{0}\n{0}", cluster.set.admin_password));
    cluster.guarded(
        control,
        ADMIN,
        "users list --output plain | grep -qw admin",
        Some(twice),
        schema,
    );
    let ready = [schema, broker];
    cluster.service(control, "scheduler", SCHEDULES, &ready, &read);
    cluster.service(control, "webserver", WEB, &ready, &read);
    for &worker in workers {
        let (_, read) = cluster.airflow(worker, Some(built))?;
        cluster.service(worker, "celery worker", WORKS, &ready, &read);
    }

    let sink = |event: &Event| {
        if let Event::TaskFinished(task) = event {
            let (name, why) = (&task.name, &task.reason);
            println!("{} {}: {:?} ({why})", name.host, name.task, task.outcome);
            let errors = task.error.iter();
            errors.for_each(|error| println!("    {}", error.message));
        }
    };
    let options = Options {
        keep: Arc::new(LocalFiles),
        ..Options::new()
    };
    let report = run(
        Arc::new(cluster.list),
        options,
        Arc::new(sink),
        Cancel::new(),
    )
    .await?;
    for (name, host) in &report.hosts {
        println!(
            "{name}: {} changed, {} exchanges",
            host.changed, host.exchanges
        );
    }
    report
        .ok
        .then_some(())
        .ok_or("not all of it is in its state")?;
    Ok(())
}
