//! A cluster of Airflow, made by a program: typed tasks in one graph over all hosts, and no YAML. The first host has the
//! database, the broker and what schedules; the others work. `playbooks/examples/airflow` has more than this.
//!
//! ```text
//! cargo run --package evenkeel-integration-tests --example airflow SETTINGS.json
//! ```

#![expect(clippy::print_stdout, reason = "it shows what happens")]

use std::{error::Error, path::PathBuf, sync::Arc};

use evenkeel_engine::{
    HostId, Identity, Late, ScriptHost, Secret, Source, Task, TaskId, TaskList, Text, Thing,
    event::Event,
    keep::LocalFiles,
    run::{Cancel, Options, run},
};
use evenkeel_modules::{
    Mode, apt, command, compile_python, copy, file, group, pip, psql_db, psql_pg_hba, psql_set,
    psql_user, rabbitmq_user, rabbitmq_vhost,
    systemd_unit::{self, Health},
    useradd,
};
use evenkeel_ssh::{OpensshConnection, OpensshOptions};

/// What differs from one cluster to the next. `wheels` is a folder that `playbooks/examples/airflow/wheelhouse` has filled.
#[derive(serde::Deserialize)]
struct Settings {
    hosts: Vec<String>,
    ssh_config: Option<PathBuf>,
    network: String,
    python: String,
    python_archive: PathBuf,
    python_sha256: String,
    /// Where builds of Python are kept.
    python_builds: String,
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
const ENVIRONMENT: &str = "AIRFLOW_HOME=/app1/airflow PATH=/usr/local/bin:/usr/bin:/bin";
const WHEELS: &str = "/var/cache/wheels";

/// A task: its name, its module, and those of the module's arguments that are not as they always are.
macro_rules! task {
    ($name:expr, $module:ident::$type:ident; $($field:ident = $value:expr),*) => {
        Task::new::<$module::$type>($name, $module::Args {
            $($field: $value.into(),)*
            ..$module::Args::default()
        })
    };
}

struct Cluster {
    list: TaskList,
    set: Settings,
}

impl Cluster {
    fn add(&mut self, host: HostId, task: Task) -> TaskId {
        self.list
            .task(task.on(host).as_user(Identity::user("root")))
    }

    fn packages(&mut self, host: HostId, names: &str) {
        let names: Vec<_> = names.split_whitespace().map(str::to_owned).collect();
        self.add(
            host,
            task!("packages", apt::Apt; name = names, update_cache = true),
        );
    }

    fn database(&mut self, host: HostId) -> TaskId {
        let listens = [("listen_addresses".to_owned(), Text::from("*"))];
        let password = Late::of(secret(&self.set.database_password));
        let logs_in = task!("who logs in", psql_pg_hba::PsqlPgHba; contype = psql_pg_hba::Kind::Host, databases = vec![airflow()],
            users = vec![airflow()], address = self.set.network.clone(), method = psql_pg_hba::Method::Scram);
        self.add(host, unit("postgresql", None, None));
        let listens = self.add(
            host,
            task!("listens", psql_set::PsqlSet; settings = listens),
        );
        self.add(host, restarted("postgresql", &[listens]));
        self.add(host, logs_in);
        self.add(
            host,
            task!("role", psql_user::PsqlUser; name = "airflow", password = password),
        );
        self.add(
            host,
            task!("database", psql_db::PsqlDb; name = "airflow", owner = airflow()),
        )
    }

    fn broker(&mut self, host: HostId) -> TaskId {
        let all = || ".*".to_owned();
        let password = Late::of(secret(&self.set.broker_password));
        let user = task!("user of the broker", rabbitmq_user::RabbitmqUser; user = "airflow", password = password,
            vhost = airflow(), configure_priv = all(), write_priv = all(), read_priv = all());
        let health = Health {
            port: Some(5672),
            ..Health::default()
        };
        self.add(host, unit("rabbitmq-server", None, Some(health)));
        self.add(
            host,
            task!("virtual host", rabbitmq_vhost::RabbitmqVhost; name = "airflow"),
        );
        self.add(host, user)
    }

    /// Airflow, by a Python that one host compiles for all; gives what compiles it, and all that services read.
    fn airflow(
        &mut self,
        host: HostId,
        built: Option<TaskId>,
    ) -> Result<(TaskId, Vec<TaskId>), Box<dyn Error>> {
        let settings = &self.set;
        let at =
            |user: &str, password: &str| format!("{user}:{password}@{}/airflow", settings.hosts[0]);
        let database = at("airflow", &settings.database_password);
        let texts = [
            ("fernet_key", settings.fernet_key.clone()),
            ("webserver_secret", settings.webserver_secret.clone()),
            ("database_url", format!("postgresql+psycopg2://{database}")),
            ("result_backend", format!("db+postgresql://{database}")),
            (
                "broker_url",
                format!("pyamqp://{}", at("airflow", &settings.broker_password)),
            ),
        ];
        let texts = texts.map(|(name, text)| (name, "/etc/airflow", secret(&text), 0o640));
        let runs = format!(
            "#!/bin/sh\nexec runuser -u airflow -- env -C /app1/airflow {ENVIRONMENT} \"$@\"\n"
        );
        let plain = [
            ("airflow.cfg", "/app1/airflow", Text::from(CFG), 0o644),
            ("as-airflow", "/usr/local/sbin", Text::from(runs), 0o755),
        ];
        let folder = |path: &PathBuf| Source::open("folder/", path).map(copy::Src::Local);
        let wheels = task!("wheels", copy::Copy; dest = format!("{WHEELS}/"), src = folder(&settings.wheels)?);
        let dags =
            task!("DAGs", copy::Copy; dest = "/app1/airflow/dags/", src = folder(&settings.dags)?);
        let constraints = copy::Src::Local(Source::open("constraints", &settings.constraints)?);
        let constraints =
            task!("constraints", copy::Copy; dest = "/etc/airflow/constraints", src = constraints);
        let archive = copy::Src::Local(Source::open("Python", &settings.python_archive)?);
        let mut python = task!("Python", compile_python::CompilePython; version = settings.python.clone(), source = archive,
            sha256 = settings.python_sha256.clone(), optimizations = false, pip = "22.0.4".to_owned(), share_build = settings.python_builds.clone());
        python.after.extend(built);
        python.environment = [("PIP_NO_INDEX", "1"), ("PIP_FIND_LINKS", WHEELS)]
            .map(|(name, value)| (name.into(), value.into()))
            .into();
        python.reads = Some(vec![Thing::Tree(WHEELS.into())]);
        python.writes = Some(vec![Thing::Tree("/usr/local".into())]);
        let names = ["apache-airflow[celery,rabbitmq]==2.7.3", "psycopg2"].map(str::to_owned);
        let mut pip = task!("Airflow", pip::Pip; name = names, constraints = vec!["/etc/airflow/constraints".to_owned()],
            executable = "/usr/local/bin/pip3.9".to_owned(), no_index = true, find_links = WHEELS.to_owned());
        pip.reads = Some(vec![
            Thing::Path("/etc/airflow/constraints".into()),
            Thing::Tree(WHEELS.into()),
        ]);
        pip.writes = Some(vec![Thing::Tree("/usr/local".into())]);

        self.packages(host, PACKAGES);
        self.add(
            host,
            task!("group", group::Group; name = "airflow", gid = 5000),
        );
        self.add(
            host,
            task!("user", useradd::Useradd; name = "airflow", uid = 5000, group = airflow(),
            home = "/app1/airflow".to_owned(), create_home = false),
        );
        for (path, owner) in [
            ("/etc/airflow", "root"),
            ("/app1", "root"),
            ("/app1/airflow", "airflow"),
            ("/app1/airflow/logs", "airflow"),
        ] {
            self.add(host, task!(path, file::File; path = path, state = file::State::Directory, owner = owner.to_owned(),
                group = airflow(), mode = Mode::bits(0o755)));
        }
        for task in [wheels, constraints, dags] {
            self.add(host, task);
        }
        let built = self.add(host, python);
        let mut read = vec![self.add(host, pip)];
        for (name, dir, text, bits) in plain.into_iter().chain(texts) {
            read.push(self.add(host, task!(name, copy::Copy; dest = format!("{dir}/{name}"), content = Late::of(copy::Body(text)),
                group = airflow(), mode = Mode::bits(bits))));
        }
        Ok((built, read))
    }

    /// A service of Airflow, restarted when what it reads has changed.
    fn service(
        &mut self,
        host: HostId,
        command: &str,
        health: Health,
        after: &[TaskId],
        read: &[TaskId],
    ) {
        let name = format!("airflow-{}", command.rsplit(' ').next().unwrap_or(command));
        let mut started = unit(&name, Some(command), Some(health));
        started.after.extend(after);
        self.add(host, started);
        self.add(host, restarted(&name, read));
    }
}

fn airflow() -> String {
    "airflow".to_owned()
}

fn secret(text: &str) -> Text {
    Text::Secret(Secret::new(text))
}

fn restarted(name: &str, causes: &[TaskId]) -> Task {
    let mut task = task!(format!("{name} restarted"), systemd_unit::SystemdUnit; name = name, state = systemd_unit::State::Restarted);
    task.triggers.extend(causes);
    task.handler()
}

/// A unit that runs; with a command one of Airflow's own.
fn unit(name: &str, command: Option<&str>, health: Option<Health>) -> Task {
    let content = command.map(|command| {
        Late::of(format!(
            "[Service]\nUser=airflow\nEnvironment={ENVIRONMENT}\nRuntimeDirectory={name}\n\
             ExecStart=/usr/local/bin/airflow {command} --pid /run/{name}/pid\nKillMode=mixed\n\
             TimeoutStopSec=600\nRestart=on-failure\nRestartSec=10s\n\n[Install]\nWantedBy=multi-user.target\n"
        ))
    });
    task!(name, systemd_unit::SystemdUnit; name = name, content = content, health = health,
        state = systemd_unit::State::Started, enabled = true)
}

const CFG: &str = "\
[core]
executor = CeleryExecutor
load_examples = False
fernet_key_cmd = cat /etc/airflow/fernet_key
[database]
sql_alchemy_conn_cmd = cat /etc/airflow/database_url
[logging]
base_log_folder = /app1/airflow/logs
[webserver]
workers = 2
secret_key_cmd = cat /etc/airflow/webserver_secret
[celery]
worker_concurrency = 4
broker_url_cmd = cat /etc/airflow/broker_url
result_backend_cmd = cat /etc/airflow/result_backend
[api]
auth_backends = airflow.api.auth.backend.session,airflow.api.auth.backend.basic_auth
";

/// A command of Airflow behind a guard that asks Airflow itself.
fn guarded(name: &str, line: &str, unless: &str, stdin: Option<Text>) -> Task {
    let line = Late::of(format!("as-airflow airflow {line}").as_str());
    let unless = vec![format!("as-airflow airflow {unless}")];
    let mut task =
        task!(name, command::Command; cmd = line, unless = unless, stdin = stdin.map(Late::of));
    // So that its guard is asked with the rest.
    task.reads = Some(
        ["/usr/local", "/etc/airflow", "/app1/airflow"]
            .map(|path| Thing::Tree(path.into()))
            .into(),
    );
    task
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let file = std::env::args().nth(1).ok_or("say a file of settings")?;
    let set: Settings = serde_json::from_str(&std::fs::read_to_string(file)?)?;
    let list = TaskList::new("airflow");
    let mut cluster = Cluster { list, set };
    let mut hosts = Vec::new();
    for name in cluster.set.hosts.clone() {
        let mut to = OpensshOptions::to(name.as_str());
        to.config.clone_from(&cluster.set.ssh_config);
        let host = ScriptHost::new(OpensshConnection::new(to));
        hosts.push(cluster.list.host(name, Arc::new(host)));
    }
    let (&control, workers) = hosts.split_first().ok_or("say hosts")?;
    cluster.packages(control, "postgresql rabbitmq-server");
    let database = cluster.database(control);
    let broker = cluster.broker(control);
    let (built, read) = cluster.airflow(control, None)?;
    let migrate = guarded("schema", "db migrate", "db check-migrations -t 1", None);
    let schema = cluster.add(control, migrate.after(database));
    let create = "users create --username admin --email admin@localhost --firstname A --lastname A --role Admin";
    let twice = secret(&format!("{0}\n{0}", cluster.set.admin_password));
    let has = "users list --output plain | grep -qw admin";
    cluster.add(control, guarded("administrator", create, has, Some(twice)));

    let asks = |line: &str| Health {
        command: Some(format!("as-airflow {line}")),
        ..Health::default()
    };
    let url = Health {
        url: Some("http://localhost:8080/health".to_owned()),
        ..Health::default()
    };
    let ready = [schema, broker];
    cluster.service(
        control,
        "scheduler",
        asks("airflow jobs check --job-type SchedulerJob --local"),
        &ready,
        &read,
    );
    cluster.service(control, "webserver", url, &ready, &read);
    let ping = "celery --app airflow.providers.celery.executors.celery_executor.app inspect ping --timeout 5 \
                --destination \"celery@$(hostname)\"";
    for &worker in workers {
        let (_, read) = cluster.airflow(worker, Some(built))?;
        cluster.service(worker, "celery worker", asks(ping), &ready, &read);
    }

    let sink = |event: &Event| {
        if let Event::TaskFinished(task) = event {
            println!(
                "{} {}: {:?} ({})",
                task.name.host, task.name.task, task.outcome, task.reason
            );
            task.error
                .iter()
                .for_each(|error| println!("    {}", error.message));
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
    if report.ok {
        Ok(())
    } else {
        Err("not all of it is in its state".into())
    }
}
