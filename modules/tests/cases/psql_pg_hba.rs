//! Rules on who may log in to PostgreSQL: what becomes of the file. What the server does is seen in
//! the lab.

use evenkeel_engine::{fake::FakeHost, hex};
use evenkeel_modules::psql::{Hba, Login, Question, Server, Sql, Told};

use crate::support::{Expect, case};

/// Together, these set every argument there is, none to its default.
pub(crate) const SAMPLES: &[&str] = &[
    "psql-pg-hba: {dest: /f, state: absent, contype: hostssl, databases: [d], users: [u], address: 10.0.0.1, \
     netmask: 255.0.0.0, method: cert, options: map=m, comment: c, keep_comments_at_rules: true, order: sdu, \
     reload: true, create: true, backup: true, owner: o, group: g, mode: '0600', \
     login_host: h, login_unix_socket: /s, login_port: 5, login_user: u, login_password: p, \
     login_db: d, session_role: r, ssl_mode: require, ca_cert: /a, ssl_cert: /c, ssl_key: /k, \
     trust_input: false}",
    "psql-pg-hba: {overwrite: true, rules_behavior: combine, contype: host, rules: [{state: absent, contype: hostssl, \
     databases: [d], users: [u], address: 10.0.0.1, netmask: 255.0.0.0, method: cert, options: map=m, comment: c}, \
     {users: x}]}",
];

const PATH: &str = "/etc/postgresql/15/main/pg_hba.conf";

const TEXT: &str = "# mine\nlocal  all  postgres  peer\nlocal all all peer # socket\nhost all all 127.0.0.1/32 scram-sha-256\n";

fn says(host: FakeHost, question: Question, told: Told) -> FakeHost {
    let login = Login {
        user: "postgres".to_owned(),
        database: "postgres".to_owned(),
        ..Login::default()
    };
    host.answers(Sql { login, question }, told)
}

/// A server whose file this is, read or not.
fn on(text: &str, unread: bool) -> FakeHost {
    let host = FakeHost::new().user("postgres", 104).file(PATH, text);
    let host = host.owned(PATH, "postgres", "root").mode(PATH, 0o640);
    let server = Server {
        version: 150_004,
        superuser: true,
        ..Server::default()
    };
    let hba = Hba {
        path: PATH.to_owned(),
        text: Some(hex(text.as_bytes())),
        unread,
    };
    let host = says(host, Question::Server, Told::of(server));
    says(host, Question::Hba, Told::of(hba))
}

/// The file is asked of the server, and is this then.
fn rule(name: &str, args: &str, then: &str) -> Expect {
    let case = case(name, &format!("psql-pg-hba: {{{args}}}")).on(on(TEXT, false));
    case.then(PATH, &format!("file = {then}"))
}

pub(crate) fn cases() -> Vec<Expect> {
    [
        placed(),
        files(),
        read(),
        refused(),
        refused_together(),
        unusable(),
    ]
    .concat()
}

const AIRFLOW: &str = "contype: host, databases: airflow, users: airflow, address: 10.77.88.0/24, method: scram-sha-256";

fn placed() -> Vec<Expect> {
    let read = "read by the server: false -> true";
    vec![
        rule("a new rule is the last", AIRFLOW, &format!("{TEXT}host\tairflow\tairflow\t10.77.88.0/24\tscram-sha-256\n"))
            .changes([
                "content",
                "rule: null -> \"host airflow airflow 10.77.88.0/24 scram-sha-256\"",
                read,
            ])
            .then(PATH, "file 0640 postgres:root"),
        rule(
            "one that another would hide comes before it",
            "contype: local, users: [app, \"a b\"], method: md5, comment: mine",
            &TEXT.replace("local all all", "local\tall\tapp\tmd5\t# mine\nlocal\tall\t\"a b\"\tmd5\t# mine\nlocal all all"),
        )
        .changes(["content", "rule", "rule", read]),
        rule(
            "another method",
            "contype: local, method: md5",
            &TEXT.replace("local all all peer # socket", "local\tall\tall\tmd5\t# socket"),
        )
        .changes([
            "content",
            "rule: \"local all all peer # socket\" -> \"local all all md5 # socket\"",
            read,
        ]),
        rule("it is there", "contype: local, users: postgres, method: peer", TEXT)
            .gives("path", &format!("{PATH:?}"))
            .gives("pg_hba", "[{\"type\":\"local\",\"db\":\"all\",\"usr\":\"postgres\",\"method\":\"peer\"},\
                {\"type\":\"local\",\"db\":\"all\",\"usr\":\"all\",\"method\":\"peer\"},\
                {\"type\":\"host\",\"db\":\"all\",\"usr\":\"all\",\"src\":\"127.0.0.1/32\",\"method\":\"scram-sha-256\"}]"),
        rule(
            "it is there, written in another way",
            "contype: host, address: 127.0.0.1, netmask: 255.255.255.255, method: scram-sha-256",
            TEXT,
        ),
        rule(
            "a rule goes",
            "contype: local, state: absent",
            &TEXT.replace("local all all peer # socket\n", ""),
        )
        .changes(["content", "rule: \"local all all peer # socket\" -> null", read]),
        rule("it is not there", "contype: hostssl, address: '::1', state: absent", TEXT),
        rule(
            "several, and no others",
            "overwrite: true, rules_behavior: combine, contype: host, method: md5, \
             rules: [{contype: local, users: postgres, method: peer}, {address: 10.0.0.0/8}, {address: 10.1.0.0/16, method: reject}]",
            "# mine\nlocal  all  postgres  peer\nhost\tall\tall\t10.1.0.0/16\treject\nhost\tall\tall\t10.0.0.0/8\tmd5\n",
        )
        .changes(["content", "rule", "rule", "rule", "rule", read]),
        rule(
            "names that mean something else there",
            "contype: host, databases: ['\"all\"', 'a\"b'], users: ['#x', 'a,b'], address: all, method: md5",
            &format!(
                "{TEXT}host\t\"all\"\t\"#x\"\tall\tmd5\nhost\t\"all\"\t\"a,b\"\tall\tmd5\n\
                 host\t\"a\"\"b\"\t\"#x\"\tall\tmd5\nhost\t\"a\"\"b\"\t\"a,b\"\tall\tmd5\n"
            ),
        )
        .changes(["content", "rule", "rule", "rule", "rule", read]),
        case("a line for several stays", "psql-pg-hba: {contype: host, databases: a, address: all, state: absent}")
            .on(on("host a,b all all md5\n", false))
            .warns("`host a,b all all md5` stays"),
        rule("an order that has no effect", "contype: local, method: peer, order: sdu", TEXT).warns("`order` has no effect"),
    ]
}

fn files() -> Vec<Expect> {
    let given = format!("postgresql_pg_hba: {{dest: {PATH}, {AIRFLOW}}}");
    let new = format!(
        "postgresql_pg_hba: {{dest: /srv/a/pg_hba.conf, {AIRFLOW}, create: true, owner: postgres, mode: '0600'}}"
    );
    let line = "host\tairflow\tairflow\t10.77.88.0/24\tscram-sha-256\n";
    vec![
        case("a file that is given", &given)
            .on(on(TEXT, true))
            .changes(["content", "rule"])
            .then(PATH, &format!("file 0640 postgres:root = {TEXT}{line}")),
        case("a file that is not there", &new)
            .on(on(TEXT, false).dir("/srv"))
            .changes(["directory", "content", "rule"])
            .then("/srv/a/pg_hba.conf", &format!("file 0600 postgres:root = {line}")),
        case("a file that nobody makes", &format!("psql-pg-hba: {{dest: /srv/x, {AIRFLOW}}}"))
            .on(on(TEXT, false).dir("/srv"))
            .not_yet("the file `/srv/x`"),
        case("its mode", "psql-pg-hba: {mode: '0600'}")
            .on(on(TEXT, false))
            .changes(["mode: \"0640\" -> \"0600\""])
            .rounds(2, "where the file is, the server says"),
        case("only a look", &format!("psql-pg-hba: {{dest: {PATH}}}"))
            .on(on("local all u ldap ldapserver=h ldapbindpasswd=x\n", false))
            .gives(
                "pg_hba",
                "[{\"type\":\"local\",\"db\":\"all\",\"usr\":\"u\",\"method\":\"ldap\",\"options\":\"ldapserver=h ldapbindpasswd=***\"}]",
            ),
    ]
}

fn read() -> Vec<Expect> {
    vec![
        rule("it was not read yet", "contype: local, method: peer", TEXT)
            .on(on(TEXT, true))
            .changes(["read by the server: false -> true"]),
        rule(
            "it need not be read",
            "contype: local, method: peer, reload: false",
            TEXT,
        )
        .on(on(TEXT, true)),
        case(
            "read, where it is given",
            &format!("psql-pg-hba: {{dest: {PATH}, reload: true, {AIRFLOW}}}"),
        )
        .on(on(TEXT, false))
        .changes(["content", "rule", "read by the server"]),
    ]
}

/// An argument that cannot be meant.
fn no(name: &str, args: &str, why: &str) -> Expect {
    case(name, &format!("psql-pg-hba: {{{args}}}"))
        .on(on(TEXT, false))
        .refused(why)
}

fn refused() -> Vec<Expect> {
    vec![
        no(
            "no such network",
            "contype: host, address: 10.0.0.0/33",
            "what follows the `/` in `10.0.0.0/33`",
        ),
        no(
            "no such address",
            "contype: host, address: 10.0.0",
            "`10.0.0` is no IP address, network",
        ),
        no(
            "a mask with gaps",
            "contype: host, address: 10.0.0.0, netmask: 255.0.255.0",
            "has gaps",
        ),
        no(
            "a mask of no address",
            "contype: host, address: all, netmask: 255.0.0.0",
            "`netmask` needs an IP address",
        ),
        no("no such method", "contype: host, method: krb5", "krb5"),
        no("no such kind", "contype: tcp", "tcp"),
        no(
            "peers by TCP",
            "contype: host, method: peer",
            "`method: peer` does not go with `contype: host`",
        ),
        no(
            "an address by the socket",
            "contype: local, address: all",
            "`contype: local` has no `address`",
        ),
        no("no kind", "users: u", "a rule needs `contype`"),
        no(
            "one and several",
            "contype: host, rules: [{contype: local}]",
            "`rules` excludes the arguments of a single rule",
        ),
    ]
}

fn refused_together() -> Vec<Expect> {
    vec![
        no(
            "no kind of one of several",
            "rules: [{contype: local}, {users: u}]",
            "rule 2 of `rules`: it needs `contype`",
        ),
        no(
            "twice the same",
            "rules: [{contype: host}, {contype: hostssl, method: md5}]",
            "two rules are for the same connections",
        ),
        no(
            "nobody could log in",
            "overwrite: true",
            "nobody could log in",
        ),
        no(
            "a line break",
            "contype: host, users: \"a\\nhost all all all trust\"",
            "contains the end of a line",
        ),
        no(
            "a comment that goes on",
            "contype: host, comment: 'x\\'",
            "ends with a `\\`",
        ),
        no(
            "options with a comment",
            "contype: host, options: 'map=x # y'",
            "holds a `#`",
        ),
        no(
            "options that are none",
            "contype: host, options: x",
            "a word without `=`",
        ),
        no(
            "a suspicious name",
            "contype: host, users: 'a;b', trust_input: false",
            "`users` contains `;`",
        ),
    ]
}

/// Files that cannot be edited.
fn unusable() -> Vec<Expect> {
    let elsewhere = Hba {
        path: "/opt/pg/pg_hba.conf".to_owned(),
        text: Some(String::new()),
        unread: false,
    };
    vec![
        case(
            "a line that is wrong",
            &format!("psql-pg-hba: {{dest: {PATH}, contype: local}}"),
        )
        .on(on("local all all peer\nhost all all\n", false))
        .refused("line 2 is no rule: it has no address"),
        case("a place that is unusual", "psql-pg-hba: {contype: local}")
            .on(says(on(TEXT, false), Question::Hba, Told::of(elsewhere)))
            .refused("which is not where packages put them"),
        case("a login that may not look", "psql-pg-hba: {contype: local}")
            .on(says(
                on(TEXT, false),
                Question::Hba,
                Told::Wrong("permission denied for function x".to_owned()),
            ))
            .refused("permission denied for function x"),
    ]
}
