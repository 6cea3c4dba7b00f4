//! Modules that edit files, on a real host: what they write is what programs read there.

use evenkeel_integration_tests::{Host, Lab, need_lab};

/// As Airflow ships it, cut short.
const AIRFLOW: &str = "\
[core]
# The folder where your airflow pipelines live.
# Variable: AIRFLOW__CORE__DAGS_FOLDER
dags_folder = /root/airflow/dags

# The executor class.
# executor = SequentialExecutor

[database]
# sql_alchemy_conn =
sql_alchemy_engine_args =
    {
      \"pool_size\": 5
    }

[logging]
log_format = [%%(asctime)s] {{%%(filename)s:%%(lineno)d}} %%(message)s
";

const INI: &str = "
become: true
tasks:
- name: the settings of airflow
  ini-file:
    path: /etc/airflow/airflow.cfg
    owner: deploy
    mode: '0640'
    backup: true
    sections:
      core: {executor: CeleryExecutor, load_examples: false}
      database:
        sql_alchemy_conn: 'postgresql+psycopg2://airflow:p%%40ss@db/airflow?a=b#c'
      celery:
        broker_url: amqp://mq//
        worker_args: |
          one
          two = 2
- name: by its names
  community.general.ini_file: {dest: /etc/airflow/airflow.cfg, section: logging, option: level, value: INFO}
- name: hostile names
  ini-file:
    path: \"/etc/odd/-x $(touch pwned) 'q' \\\"d\\\" ;é\"
    section: \"$(touch pwned); 'x' \\\"y\\\"\"
    option: '`touch pwned`'
    value: \"'; touch pwned # $HOME \\\\ ☃\"
- name: an unknown thing goes
  ini-file: {path: /etc/airflow/airflow.cfg, section: no, state: absent}
";

/// What Python reads in a file, as one line for each option.
fn python(host: &Host, path: &str) -> String {
    host.write(
        "/root/read.py",
        "import configparser, sys\n\
         parser = configparser.ConfigParser()\n\
         parser.read(sys.argv[1])\n\
         for section in parser.sections():\n\
         \x20   for option, value in parser.items(section):\n\
         \x20       print(section, option, repr(value))\n",
    );
    host.sh(&format!("python3 /root/read.py {path}"))
}

fn ini_files(lab: &Lab) {
    let host = lab.host("one");
    host.sh("mkdir /etc/airflow /etc/odd");
    host.write("/etc/airflow/airflow.cfg", AIRFLOW);
    let run = lab.settles(INI);
    assert_eq!(run.count("changed"), 3, "{run}");
    assert_eq!(
        python(host, "/etc/airflow/airflow.cfg"),
        "core dags_folder '/root/airflow/dags'\n\
         core executor 'CeleryExecutor'\n\
         core load_examples 'False'\n\
         database sql_alchemy_conn 'postgresql+psycopg2://airflow:p%40ss@db/airflow?a=b#c'\n\
         database sql_alchemy_engine_args '\\n{\\n\"pool_size\": 5\\n}'\n\
         logging log_format '[%(asctime)s] {{%(filename)s:%(lineno)d}} %(message)s'\n\
         logging level 'INFO'\n\
         celery broker_url 'amqp://mq//'\n\
         celery worker_args 'one\\ntwo = 2'\n"
    );
    assert_eq!(
        host.sh("stat -c '%a %U:%G' /etc/airflow/airflow.cfg"),
        "640 deploy:root\n"
    );
    assert_eq!(host.sh("cat /etc/airflow/airflow.cfg.*~"), AIRFLOW);
    assert_eq!(
        host.sh("cat /etc/odd/*"),
        "[$(touch pwned); 'x' \"y\"]\n`touch pwned` = '; touch pwned # $HOME \\ ☃\n"
    );
    assert_eq!(host.sh("find / -xdev -name pwned"), "");

    // Only what differs is changed back, and it is said how.
    host.sh("sed -i 's/INFO/DEBUG/' /etc/airflow/airflow.cfg");
    let again = lab.run(&[]).ok().changed(1);
    assert_eq!(
        again.task("by its names").whats(),
        ["content", "[logging] level"],
        "{again}"
    );
}

const LINKS: &str = "
become: true
tasks:
- name: what a link leads to
  ini-file: {path: /etc/linked, section: s, option: a, value: 1, follow: true}
- name: in place of a link
  ini-file: {path: /etc/replaced, section: s, option: b, value: 2, backup: true}
";

fn links(lab: &Lab) {
    let host = lab.host("one");
    host.sh(
        "cd /etc; printf '[s]\\n' >real; chmod 600 real; chown deploy:daemon real; ln -s real linked; \
         ln -s real replaced",
    );
    lab.tasks(LINKS);
    lab.run(&[]).ok().changed(2);
    // What a link leads to is asked when it is known to be one.
    lab.run(&[]).ok().changed(0).exchanges(2);
    let of = "readlink linked; stat -c '%F %a %U:%G' real replaced; cat real; cat replaced";
    assert_eq!(
        host.sh(&format!("cd /etc; {of}")),
        "real\nregular file 600 deploy:daemon\nregular file 600 deploy:daemon\n[s]\na = 1\n[s]\na = 1\nb = 2\n"
    );
    assert_eq!(host.sh("cat /etc/replaced.*~"), "[s]\na = 1\n");
}

const FAILING: &str = "
become: true
tasks:
- name: TASK
  ini-file: ARGS
";

/// What a task that cannot be done says.
fn fails(lab: &Lab, args: &str, says: &[&str]) {
    lab.tasks(&FAILING.replace("ARGS", args));
    let mut ended = lab.run(&[]).status(2);
    for text in says {
        ended = ended.says(text);
    }
}

fn what_cannot_be(lab: &Lab) {
    let host = lab.host("one");
    host.sh("printf '[s]\\na\\n  b = 1\\n' >/etc/deep; truncate -s 2M /etc/large");
    let a = "section: s, option: a, value: 1";
    fails(
        lab,
        &format!("{{path: /etc/deep, {a}}}"),
        &[
            "`[s] a` cannot be set without a change of what is beside it",
            "different depths",
        ],
    );
    fails(
        lab,
        &format!("{{path: /etc/large, {a}}}"),
        &["`/etc/large` is larger than 1048576 bytes"],
    );
    fails(
        lab,
        &format!("{{path: /etc/none/f, {a}, create: false}}"),
        &["the file `/etc/none/f`"],
    );
    fails(
        lab,
        &format!("{{path: /etc, {a}}}"),
        &["`/etc` is not a file: directory"],
    );
    fails(
        lab,
        "{path: /etc/deep, section: t, option: x, value: 1, validate: 'grep nothing %s'}",
        &["cannot write `/etc/deep`: `grep` does not accept the new file: it ended with 1"],
    );
    assert_eq!(host.sh("cat /etc/deep"), "[s]\na\n  b = 1\n");
}

#[test]
#[ignore = "needs root and a lab"]
fn files_are_edited_as_programs_read_them() {
    if !need_lab() {
        return;
    }
    let lab = Lab::plan().packages(&["python3"]).host("one").boot();
    ini_files(&lab);
    links(&lab);
    what_cannot_be(&lab);
}
