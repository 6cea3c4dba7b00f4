//! Modules that edit files, on a real host: what they write is what programs read there.

use evenkeel_integration_tests::{Host, Lab, need_ansible, need_lab};

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

/// What Ansible does too, and what comes of it: all of it is below `/srv/x`.
const SAME: &str = "
become: true
tasks:
- name: a block at the end
  blockinfile: {path: /srv/x/text, block: \"10.0.0.1 db\\n10.0.0.2 web\"}
- name: a block after a line
  blockinfile: {path: /srv/x/text, block: after two, marker: '; {mark} two', insertafter: '^two', append_newline: true, prepend_newline: true}
- name: a block before several lines
  blockinfile: {path: /srv/x/text, block: before, marker: '; {mark} m', insertbefore: '(?m)^two$'}
- name: a block at the beginning
  blockinfile: {path: /srv/x/text, block: first, marker: '<!-- {mark} -->', marker_begin: from, marker_end: to, insertbefore: BOF}
- name: a block in a new file
  blockinfile: {path: /srv/x/new, create: true, block: \"$(id) \\\\1 'q' \\\"d\\\" ☃\", mode: '0600', owner: deploy}
- name: a block goes
  blockinfile: {path: /srv/x/gone, state: absent}
- name: places
  replace: {path: /srv/x/replaced, regexp: '^(\\w+) *= *(.*)$', replace: '\\1: \\2'}
- name: a section
  replace: {path: /srv/x/replaced, regexp: 'x', replace: \"y'$(id)\", after: '<s>', before: '</s>'}
- name: looking around
  replace: {path: /srv/x/replaced, regexp: '(?<=a)b(?!c)', replace: 'B'}
- name: removed
  replace: {path: /srv/x/replaced, regexp: '^#.*\\n'}
- name: empty ones
  replace: {path: /srv/x/empty, regexp: '(?<!;)q*$', replace: ';', before: 'end'}
- name: a line
  lineinfile: {path: /srv/x/lines, regexp: '^port', line: 'port 80 # $(id) \\1', insertafter: '^host'}
- name: groups of a line
  lineinfile: {path: /srv/x/lines, regexp: '^(a|b)=(?P<v>.*)$', line: '\\g<v>=\\1;', backrefs: true}
- name: lines go
  lineinfile: {path: /srv/x/lines, search_string: gone, state: absent}
- name: a line in a new file
  lineinfile: {path: /srv/x/below/line, line: \"-n 'é' \\\"\\\\\", create: true, mode: '0640', group: deploy}
";

fn prepared_for_both(lab: &Lab) {
    for host in lab.hosts() {
        host.sh("mkdir -p /srv/x");
        host.write("/srv/x/text", "one\ntwo\nthree\r\nlast");
        host.write(
            "/srv/x/gone",
            "a\n# BEGIN ANSIBLE MANAGED BLOCK\nx\n# END ANSIBLE MANAGED BLOCK\nb\n",
        );
        host.write(
            "/srv/x/replaced",
            "a = 1\r\n# a comment\nb=2\nx <s> x\nx </s> x\nab abc ab\n#",
        );
        host.write("/srv/x/empty", "q\n\naqqq\nend\nq\n");
        host.write("/srv/x/lines", "host h\nc=1\na=2\ngone\nnot gone\r\nstays");
    }
}

/// Ours on one host, Ansible's on the other.
fn both_do_the_same(lab: &mut Lab) {
    prepared_for_both(lab);
    lab.tasks(SAME);
    lab.run(&["--limit", "one"]).ok();
    lab.run(&["--limit", "one"]).ok().changed(0).exchanges(1);
    if !need_ansible() {
        return;
    }
    lab.ansible(&["-i", "inventory.ini", "--limit", "two", "site.yml"])
        .ok();
    let state = |host: &str| {
        let host = lab.host(host);
        host.tree("/srv/x")
            + &host.sh(
                "cd /srv/x; for f in * below/*; do echo \"$f\"; cat \"$f\"; echo; done 2>/dev/null",
            )
    };
    assert_eq!(state("one"), state("two"), "ours, then Ansible's");
    // What Ansible made is in its state for us.
    lab.run(&["--limit", "two"]).ok().changed(0);
}

#[test]
#[ignore = "needs root and a lab"]
fn files_are_edited_as_programs_read_them() {
    if !need_lab() {
        return;
    }
    let lab = Lab::plan().tools().host("one").boot();
    ini_files(&lab);
    links(&lab);
    what_cannot_be(&lab);
}

#[test]
#[ignore = "needs root and a lab"]
fn files_are_edited_as_ansible_does() {
    if !need_lab() {
        return;
    }
    let mut lab = Lab::plan().tools().host("one").host("two").boot();
    both_do_the_same(&mut lab);
}
