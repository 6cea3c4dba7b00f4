//! `deb822_repository`.

use std::collections::BTreeMap;

use evenkeel_engine::fake::{FakeHost, World};
use evenkeel_modules::{
    apt_repository::Sources,
    get_url::{Fetched, Request},
};

use crate::support::{Expect, case};

/// Together, these set every argument there is, none to its default.
pub(crate) const SAMPLES: &[&str] = &[
    "deb822_repository: {name: n, uris: 'http://x', suites: s, components: main, types: deb-src, signed_by: /k, \
     state: absent, mode: '0640', enabled: false, trusted: true, architectures: amd64, languages: en, targets: Packages, \
     by_hash: true, pdiffs: true, allow_downgrade_to_insecure: true, allow_insecure: true, allow_weak: true, \
     check_date: true, check_valid_until: true, date_max_future: 5, inrelease_path: x, install_python_debian: true}",
];

const KEY: &str = include_str!("rpm_key.asc");
const URL: &str = "https://x.example/key";
const DEST: &str = "/etc/apt/sources.list.d/my-tools.sources";
const PLAIN: &str = "Components: main\nX-Repolib-Name: My Tools\nSuites: stable\nTypes: deb\nURIs: https://x.example/debian\n";

fn sources(world: &World) -> BTreeMap<String, String> {
    let paths = world
        .paths()
        .filter(|path| path.starts_with("/etc/apt/sources.list") && world.text(path).is_some());
    let read = |path: &str| Some((path.to_owned(), world.text(path)?));
    paths.filter_map(read).collect()
}

/// A host with these files, which can ask a server for keys.
fn host(files: &[(&str, &str)]) -> FakeHost {
    let host = FakeHost::new()
        .dir("/etc/apt/sources.list.d")
        .file("/usr/bin/curl", "")
        .mode("/usr/bin/curl", 0o755)
        .always(Fetched(Request::new(URL)), Ok(KEY.as_bytes().to_vec()))
        .always(
            Fetched(Request::new("https://x.example/binary")),
            Ok(vec![0x98, 0, 0xff]),
        )
        .always(
            Fetched(Request::new("https://x.example/none")),
            Err("404 Not Found".to_owned()),
        )
        .model::<Sources>(|world, _| Ok(sources(world)));
    files
        .iter()
        .fold(host, |host, (path, text)| host.file(path, *text))
}

/// A task about it, with more arguments.
fn one(more: &str) -> String {
    format!(
        "deb822_repository: {{name: My Tools, uris: 'https://x.example/debian', suites: stable, components: main{more}}}"
    )
}

pub(crate) fn cases() -> Vec<Expect> {
    [there(), keys(), gone(), refused()].concat()
}

fn there() -> Vec<Expect> {
    let all = "deb822_repository: {name: My Tools, types: [deb, deb-src], uris: ['http://a/x', 'http://b/y'], \
               suites: 'stable,s2', components: [main, contrib], architectures: [amd64, i386], trusted: yes, enabled: no, \
               languages: [en, none], by_hash: true, allow_downgrade_to_insecure: false, allow_insecure: true, \
               allow_weak: true, check_date: true, check_valid_until: false, date_max_future: 5, \
               inrelease_path: foo/InRelease, pdiffs: true, targets: [Packages, x], mode: '0640'}";
    let text = "Allow-Downgrade-To-Insecure: no\nAllow-Insecure: yes\nAllow-Weak: yes\nArchitectures: amd64 i386\n\
                By-Hash: yes\nCheck-Date: yes\nCheck-Valid-Until: no\nComponents: main contrib\nDate-Max-Future: 5\n\
                Enabled: no\nInrelease-Path: foo/InRelease\nLanguages: en none\nX-Repolib-Name: My Tools\nPdiffs: yes\n\
                Suites: stable s2\nTargets: Packages x\nTrusted: yes\nTypes: deb deb-src\nURIs: http://a/x http://b/y\n";
    let of_fields = format!("file 0640 root:root = {text}");
    let of_plain = format!("file 0644 root:root = {PLAIN}");
    vec![
        case("D822-01 a new source", &one(""))
            .on(host(&[]))
            .changes(["content"])
            .then(DEST, &of_plain)
            .gives("dest", &format!("\"{DEST}\""))
            .gives("key_filename", "null"),
        case("D822-01 with all that it can say", all)
            .on(host(&[]))
            .changes(["content"])
            .then(DEST, &of_fields),
        case("D822-01 in its state", &one("")).on(host(&[(DEST, PLAIN)])),
        case("D822-01 it says something else", &one(", enabled: no"))
            .on(host(&[(DEST, PLAIN)]))
            .changes(["content"])
            .then(
                DEST,
                &format!("file = {}", PLAIN.replace("X-Rep", "Enabled: no\nX-Rep")),
            ),
        case("D822-01 another mode", &one(", mode: '0600'"))
            .on(host(&[(DEST, PLAIN)]))
            .changes(["mode: \"0644\" -> \"0600\""]),
    ]
}

fn keys() -> Vec<Expect> {
    let said = |key: &str| PLAIN.replace("Suites", &format!("Signed-By:{key}\nSuites"));
    let at = |end: &str| said(&format!(" /etc/apt/keyrings/my-tools.{end}"));
    let kept = "/etc/apt/keyrings/my-tools.asc";
    let armor = KEY.trim().lines().fold(String::new(), |all, line| {
        all + "\n    " + if line.is_empty() { "." } else { line }
    });
    let inline = format!(", signed_by: {}", serde_json::Value::from(KEY));
    let of_url = format!(", signed_by: '{URL}'");
    vec![
        case(
            "D822-02 a file of keys",
            &one(", signed_by: /etc/apt/keyrings/k.gpg"),
        )
        .on(host(&[]))
        .changes(["content"])
        .then(
            DEST,
            &format!("file = {}", said(" /etc/apt/keyrings/k.gpg")),
        ),
        case(
            "D822-02 fingerprints",
            &one(", signed_by: '81B071659703528C13899AA33F3DDDCBE2A51E4E!'"),
        )
        .on(host(&[]))
        .changes(["content"])
        .then(
            DEST,
            &format!(
                "file = {}",
                said(" 81B071659703528C13899AA33F3DDDCBE2A51E4E!")
            ),
        ),
        case("D822-03 a key in armor", &one(&inline))
            .on(host(&[]))
            .changes(["content"])
            .then(DEST, &format!("file = {}", said(&armor))),
        case("D822-04 the key of an address", &one(&of_url))
            .on(host(&[]))
            .changes(["directory", "key", "content"])
            .then("/etc/apt/keyrings", "directory 0755 root:root")
            .then(kept, &format!("file 0644 root:root = {KEY}"))
            .then(DEST, &format!("file = {}", at("asc")))
            .gives("key_filename", &format!("\"{kept}\"")),
        case("D822-04 in its state", &one(&of_url)).on(host(&[(DEST, &at("asc")), (kept, KEY)])),
        case("D822-04 the server has another key", &one(&of_url))
            .on(host(&[(DEST, &at("asc")), (kept, "old")]))
            .changes(["key"]),
        case(
            "D822-05 a key that is not in armor",
            &one(", signed_by: 'https://x.example/binary'"),
        )
        .on(host(&[]))
        .changes(["directory", "key", "content"])
        .then(DEST, &format!("file = {}", at("gpg"))),
        case(
            "D822-04 on a host with neither curl nor wget",
            &one(&of_url),
        )
        .on(FakeHost::new()
            .dir("/etc/apt/sources.list.d")
            .dir("/etc/apt/keyrings")
            .model::<Sources>(|world, _| Ok(sources(world)))
            .serves(URL, KEY))
        .changes(["key", "content"])
        .then(kept, &format!("file 0644 root:root = {KEY}")),
        case(
            "D822-06 a server without it",
            &one(", signed_by: 'https://x.example/none'"),
        )
        .on(host(&[]))
        .refused("`https://x.example/none`: 404 Not Found"),
    ]
}

fn gone() -> Vec<Expect> {
    let absent = "deb822_repository: {name: My Tools, state: absent}";
    vec![
        case("D822-07 gone with its key", absent)
            .on(host(&[
                (DEST, PLAIN),
                ("/etc/apt/keyrings/my-tools.gpg", "x"),
            ]))
            .changes(["file", "key"])
            .then(DEST, "nothing")
            .then("/etc/apt/keyrings/my-tools.gpg", "nothing"),
        case("D822-07 it is not there", absent).on(host(&[])),
    ]
}

fn refused() -> Vec<Expect> {
    let task = |args: &str| format!("deb822_repository: {{{args}}}");
    vec![
        case("D822-08 no name of a file", &task("name: '..'")).refused("`..` names no file"),
        case(
            "D822-08 no address",
            &task("name: a, suites: s, components: main"),
        )
        .refused("`uris` is missing"),
        case(
            "D822-08 a suite without components",
            &task("name: a, uris: 'http://x', suites: s"),
        )
        .refused("the suite `s` has no component"),
        case(
            "D822-08 a path with components",
            &task("name: a, uris: 'http://x', suites: ./, components: main"),
        )
        .refused("the suite `./` is a path: it has no components"),
        case(
            "D822-08 no type",
            &task("name: a, uris: 'http://x', suites: ./, types: rpm"),
        )
        .refused("`rpm` is no type of a source"),
        case(
            "D822-08 no key",
            &task("name: a, uris: 'http://x', suites: ./, signed_by: key.asc"),
        )
        .refused("`signed_by: key.asc` names no key"),
    ]
}
