//! Extensions of PostgreSQL: what is decided. What the server does is seen in the lab.

use evenkeel_engine::fake::FakeHost;
use evenkeel_modules::psql::{Extension, Installed, Login, Question, Server, Sql, Told};

use crate::support::{Expect, case};

/// Together, these set every argument there is, none to its default.
pub(crate) const SAMPLES: &[&str] = &[
    "psql-ext: {name: x, state: absent, schema: s, version: '1', cascade: true, comment: c, \
     login_host: h, login_unix_socket: /s, login_port: 5, login_user: u, login_password: p, \
     login_db: d, session_role: r, ssl_mode: require, ca_cert: /a, ssl_cert: /c, ssl_key: /k, \
     trust_input: false}",
];

fn says(host: FakeHost, question: Question, told: Told) -> FakeHost {
    let login = Login {
        user: "postgres".to_owned(),
        database: "app".to_owned(),
        ..Login::default()
    };
    host.answers(Sql { login, question }, told)
}

fn owned<const N: usize>(texts: [&str; N]) -> Vec<String> {
    texts.map(ToOwned::to_owned).to_vec()
}

/// What the host has of `hstore`: three versions, and ways up and one way down.
fn hstore() -> Extension {
    let versions = ["1.7", "1.8", "1.9"].map(ToOwned::to_owned);
    let path = |from: &str, to: &str| (from.to_owned(), to.to_owned());
    Extension {
        default: Some("1.8".to_owned()),
        about: Some("pairs".to_owned()),
        needs: versions
            .iter()
            .map(|version| (version.clone(), Vec::new()))
            .collect(),
        schemas: versions
            .iter()
            .map(|version| (version.clone(), None))
            .collect(),
        movable: versions
            .iter()
            .map(|version| (version.clone(), true))
            .collect(),
        paths: vec![
            path("1.7", "1.8"),
            path("1.7", "1.9"),
            path("1.8", "1.9"),
            path("1.9", "1.8"),
        ],
        installed: None,
    }
}

fn installed(version: &str) -> Installed {
    Installed {
        version: version.to_owned(),
        schema: "public".to_owned(),
        comment: Some("pairs".to_owned()),
        movable: true,
    }
}

/// A server, its database `app` with this extension, and without `cube`.
fn with_server(server: &Server, extension: &Extension) -> FakeHost {
    let host = says(FakeHost::new(), Question::Server, Told::of(server));
    let name = |name: &str| Question::Extension(name.to_owned());
    let host = says(host, name("hstore"), Told::of(extension));
    let there = extension.installed.iter().map(|_| "hstore".to_owned());
    let there: Vec<String> = there.chain(owned(["plpgsql"])).collect();
    let host = says(host, Question::Extensions, Told::of(there));
    says(host, name("nope"), Told::of(Extension::default()))
}

fn on(change: impl FnOnce(&mut Extension)) -> FakeHost {
    let server = Server {
        version: 150_004,
        superuser: true,
        system: "7".to_owned(),
        ..Server::default()
    };
    let mut extension = hstore();
    change(&mut extension);
    with_server(&server, &extension)
}

fn at(version: &str) -> FakeHost {
    on(|hstore| hstore.installed = Some(installed(version)))
}

fn needy(hstore: &mut Extension) {
    hstore.needs.insert("1.8".to_owned(), owned(["cube"]));
}

pub(crate) fn cases() -> Vec<Expect> {
    [there(), changed(), refused()]
        .into_iter()
        .flatten()
        .collect()
}

fn there() -> Vec<Expect> {
    vec![
        case(
            "PGE-01 a new extension",
            "psql-ext: {name: hstore, login_db: app}",
        )
        .on(on(|_| {}))
        .changes(["extension: null -> \"hstore 1.8\""]),
        case(
            "PGE-01 it is there",
            "postgresql_ext: {ext: hstore, db: app}",
        )
        .on(at("1.8"))
        .gives("version", "\"1.8\""),
        case(
            "PGE-02 it goes, and what needs it",
            "psql-ext: {name: hstore, login_db: app, state: absent, cascade: true}",
        )
        .on(at("1.8"))
        .changes(["extension: \"hstore 1.8\" -> null"]),
        case(
            "PGE-02 it is not there",
            "psql-ext: {name: hstore, login_db: app, state: absent}",
        )
        .on(on(|_| {}))
        .gives("version", "\"\""),
        case(
            "PGE-02 nobody has it",
            "psql-ext: {name: nope, login_db: app, state: absent}",
        )
        .on(on(|_| {})),
        case(
            "PGE-03 in a schema",
            "psql-ext: {name: hstore, login_db: app, schema: ext}",
        )
        .on(on(|_| {}))
        .changes(["extension"]),
        case(
            "PGE-04 of a version",
            "psql-ext: {name: hstore, login_db: app, version: '1.7'}",
        )
        .on(on(|_| {}))
        .changes(["extension: null -> \"hstore 1.7\""]),
        case(
            "PGE-04 the newest",
            "psql-ext: {name: hstore, login_db: app, version: latest}",
        )
        .on(on(|_| {}))
        .changes(["extension: null -> \"hstore 1.8\""]),
        case(
            "PGE-07 without a comment",
            "psql-ext: {name: hstore, login_db: app, comment: ''}",
        )
        .on(on(|_| {}))
        .changes(["extension"]),
        case(
            "with what it needs",
            "psql-ext: {name: hstore, login_db: app, cascade: true}",
        )
        .on(on(needy))
        .changes(["extension"]),
    ]
}

fn changed() -> Vec<Expect> {
    vec![
        case(
            "PGE-03 it moves",
            "psql-ext: {name: hstore, login_db: app, schema: ext}",
        )
        .on(at("1.8"))
        .changes(["schema: \"public\" -> \"ext\""]),
        case(
            "PGE-03 where it is",
            "psql-ext: {name: hstore, login_db: app, schema: public}",
        )
        .on(at("1.8")),
        case(
            "PGE-04 another version",
            "psql-ext: {name: hstore, login_db: app, version: '1.9'}",
        )
        .on(at("1.7"))
        .changes(["version: \"1.7\" -> \"1.9\""]),
        case(
            "PGE-04 that version",
            "psql-ext: {name: hstore, login_db: app, version: '1.7'}",
        )
        .on(at("1.7")),
        case(
            "PGE-04 newer than it was",
            "psql-ext: {name: hstore, login_db: app, version: latest}",
        )
        .on(at("1.7"))
        .changes(["version: \"1.7\" -> \"1.8\""]),
        case(
            "PGE-04 back, where there is a way",
            "psql-ext: {name: hstore, login_db: app, version: '1.8'}",
        )
        .on(at("1.9"))
        .changes(["version: \"1.9\" -> \"1.8\""]),
        case(
            "PGE-06 no version is asked for",
            "psql-ext: {name: hstore, login_db: app}",
        )
        .on(at("1.7"))
        .gives("version", "\"1.7\""),
        case(
            "PGE-07 a comment",
            "psql-ext: {name: hstore, login_db: app, comment: mine}",
        )
        .on(at("1.8"))
        .changes(["comment: \"pairs\" -> \"mine\""]),
        case(
            "PGE-07 no comment any more",
            "psql-ext: {name: hstore, login_db: app, comment: ''}",
        )
        .on(at("1.8"))
        .changes(["comment: \"pairs\" -> null"]),
        case(
            "all at once",
            "psql-ext: {name: hstore, login_db: app, version: '1.9', schema: ext, comment: mine}",
        )
        .on(at("1.8"))
        .changes(["version", "schema", "comment"]),
    ]
}

fn refused() -> Vec<Expect> {
    let standby = Server {
        read_only: "it is a standby".to_owned(),
        ..Server::default()
    };
    let fixed = |hstore: &mut Extension| {
        hstore
            .schemas
            .insert("1.8".to_owned(), Some("own".to_owned()));
    };
    let stays = |hstore: &mut Extension| {
        hstore.installed = Some(Installed {
            movable: false,
            ..installed("1.8")
        });
    };
    vec![
        case(
            "PGE-03 it has a schema of its own",
            "psql-ext: {name: hstore, login_db: app, schema: ext}",
        )
        .on(on(fixed))
        .refused("can be in the schema `own` only, not in `ext`"),
        case(
            "PGE-03 it cannot move",
            "psql-ext: {name: hstore, login_db: app, schema: ext}",
        )
        .on(on(stays))
        .refused("can be in the schema `public` only, not in `ext`"),
        case(
            "PGE-04 no way back",
            "psql-ext: {name: hstore, login_db: app, version: '1.7'}",
        )
        .on(at("1.8"))
        .refused("there is no way from version `1.8` of the extension `hstore` to `1.7`"),
        case(
            "PGE-04 no such version",
            "psql-ext: {name: hstore, login_db: app, version: '9'}",
        )
        .on(at("1.8"))
        .refused("no version `9` of the extension `hstore`; there are `1.7`, `1.8`, `1.9`"),
        case(
            "PGE-04 no such version of a new one",
            "psql-ext: {name: hstore, login_db: app, version: '9'}",
        )
        .on(on(|_| {}))
        .refused("no version `9`"),
        case(
            "PGE-08 nobody knows it",
            "psql-ext: {name: nope, login_db: app}",
        )
        .on(on(|_| {}))
        .not_yet("the extension `nope` on the host of PostgreSQL"),
        case(
            "what it needs is not there",
            "psql-ext: {name: hstore, login_db: app}",
        )
        .on(on(needy))
        .not_yet("the extension `cube`, which `hstore` needs"),
        case(
            "a standby takes none",
            "psql-ext: {name: hstore, login_db: app}",
        )
        .on(with_server(&standby, &hstore()))
        .refused("takes no changes: it is a standby"),
        case("no version at all", "psql-ext: {name: hstore, version: ''}")
            .refused("`version` is empty"),
        case(
            "a suspicious schema",
            "psql-ext: {name: hstore, schema: 'a; b', trust_input: false}",
        )
        .refused("`schema` contains `;`"),
    ]
}
