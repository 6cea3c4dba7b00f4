//! `rpm-key`: what it decides. What rpm then does is in the lab's tests.

use evenkeel_engine::fake::FakeHost;
use evenkeel_modules::{
    get_url::{Fetched, Request},
    rpm_key::{Imported, Keyring},
};

use crate::support::{Expect, case};

/// Together, these set every argument there is.
pub(crate) const SAMPLES: &[&str] = &[
    "rpm-key: {key: /k, state: absent, fingerprint: 81B071659703528C13899AA33F3DDDCBE2A51E4E, validate_certs: false}",
];

const KEY: &str = include_str!("rpm_key.asc");
const URL: &str = "https://x.example/key.asc";
const PRIMARY: &str = "81B071659703528C13899AA33F3DDDCBE2A51E4E";

fn named(version: &str, release: &str) -> Imported {
    Imported {
        version: version.to_owned(),
        release: release.to_owned(),
    }
}

fn other() -> Imported {
    named("00000001", "00000002")
}

fn ours() -> Imported {
    named("e2a51e4e", "6b0aed25")
}

/// A host with these keys, and the one of the tests in a file and at an address.
fn host<const N: usize>(keys: [Imported; N]) -> FakeHost {
    FakeHost::new()
        .answers(Keyring, keys.into())
        .file("/usr/bin/curl", "")
        .mode("/usr/bin/curl", 0o755)
        .file("/k.asc", KEY)
        .file("/page", "<html>")
        .always(Fetched(Request::new(URL)), Ok(KEY.as_bytes().to_vec()))
        .always(
            Fetched(Request::new("https://x.example/none")),
            Err("404 Not Found".to_owned()),
        )
}

pub(crate) fn cases() -> Vec<Expect> {
    let text = format!("rpm-key: {{key: {}}}", serde_json::Value::from(KEY));
    let absent = |key: &str| format!("rpm-key: {{key: '{key}', state: absent}}");
    let print = |key: &str, prints: &str| format!("rpm-key: {{key: {key}, fingerprint: {prints}}}");
    let sub = "3400 EBA7 8AFB FF0D D628  D7D2 874A A022 744C 37F6";
    let new = format!("key `{PRIMARY}`: null -> \"gpg-pubkey-e2a51e4e-6b0aed25\"");
    let gone = "key `e2a51e4e`: \"gpg-pubkey-e2a51e4e-6b0aed25\" -> null";
    let wrong = "0000000000000000000000000000000000000000";
    vec![
        case("RK-01 a file of the host", "rpm-key: {key: /k.asc}")
            .on(host([other()]))
            .changes([&new])
            .gives("keys", "[\"gpg-pubkey-e2a51e4e-6b0aed25\"]"),
        case("RK-01 in its state", "rpm-key: {key: /k.asc}").on(host([other(), ours()])),
        case("RK-01 made at another time", "rpm-key: {key: /k.asc}")
            .on(host([named("e2a51e4e", "6b0aed26")]))
            .changes([&new]),
        case("RK-01 as rpm 6 calls it", "rpm-key: {key: /k.asc}")
            .on(host([named(&PRIMARY.to_lowercase(), "6b0aed25")])),
        case("RK-01 an address", &format!("rpm-key: {{key: '{URL}'}}"))
            .on(host([]))
            .changes([&new]),
        case("RK-01 an address, on a host with neither curl nor wget", &format!("rpm-key: {{key: '{URL}'}}"))
            .on(FakeHost::new().answers(Keyring, Vec::new()).serves(URL, KEY))
            .changes([&new]),
        case("RK-01 an address in its state", &format!("rpm-key: {{key: '{URL}'}}")).on(host([ours()])),
        case("the text itself", &text).on(host([])).changes([&new]),
        case("the text itself in its state", &text).on(host([ours()])),
        case("RK-05 the first key", "rpm-key: {key: 'file:///k.asc'}")
            .on(host([]))
            .changes([&new]),
        case("RK-02 by its id", &absent("E2A51E4E"))
            .on(host([other(), ours()]))
            .changes([gone])
            .gives("keys", "[]"),
        case("RK-02 by its long id", &absent("0x3F3DDDCBE2A51E4E"))
            .on(host([ours()]))
            .changes([gone]),
        case("RK-02 by its fingerprint", &absent(PRIMARY))
            .on(host([ours()]))
            .changes([gone]),
        case("RK-02 by its file", &absent("/k.asc"))
            .on(host([other(), ours()]))
            .changes([gone]),
        case("RK-02 by its address", &absent(URL)).on(host([ours()])).changes([gone]),
        case("RK-02 by its id, not there", &absent("E2A51E4E")).on(host([other()])),
        case("RK-02 by its file, not there", &absent("/k.asc")).on(host([other()])),
        case("RK-03 a wrong fingerprint", &print("/k.asc", wrong))
            .on(host([]))
            .refused("`0000000000000000000000000000000000000000` does not match any key fingerprints of `/k.asc`"),
        case("RK-03 a right one and a wrong one", &print("/k.asc", &format!("[{PRIMARY}, {wrong}]")))
            .on(host([]))
            .refused("does not match any key fingerprints"),
        case("RK-03 of an address", &print(&format!("'{URL}'"), wrong))
            .on(host([ours()]))
            .rounds(2, "which keys are there says whether the server is asked")
            .refused("does not match any key fingerprints"),
        case("RK-04 of a subkey", &print("/k.asc", sub)).on(host([])).changes([&new]),
        case("RK-04 of both", &print("/k.asc", &format!("[{PRIMARY}, {sub}]")))
            .on(host([]))
            .changes([&new]),
        // The server would not answer.
        case("in its state by its fingerprint", &print("https://down.example/k", PRIMARY)).on(host([ours()])),
        case("a server without it", "rpm-key: {key: 'https://x.example/none'}")
            .on(host([]))
            .refused("`https://x.example/none`: 404 Not Found"),
        case("no key", "rpm-key: {key: /page}")
            .on(host([]))
            .refused("`/page` is no key for rpm: there is no line `-----BEGIN PGP PUBLIC KEY BLOCK-----`"),
        case("no file yet", "rpm-key: {key: /later}")
            .on(host([]))
            .not_yet("the file `/later` (a key)"),
        case("only an id", "rpm-key: {key: e2a51e4e}").refused("`e2a51e4e` is only the id of a key"),
        case("no fingerprint", &print("/k.asc", "12")).refused("`12` is no fingerprint"),
        case("a secret key", "rpm-key: {key: '-----BEGIN PGP PRIVATE KEY BLOCK-----'}").refused("it is a secret key"),
        case("no root", "rpm-key: {key: /k.asc}")
            .on(host([]).user("app", 1001).login("app"))
            .refused("only root may change the keys of rpm"),
    ]
}
