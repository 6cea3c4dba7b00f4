//! `apt_key`: what it decides. What apt-key then does is in the lab's tests.

use evenkeel_engine::fake::FakeHost;
use evenkeel_modules::{
    apt_key::{AptKeys, Ring},
    get_url::{Fetched, Request},
};

use crate::support::{Expect, case};

/// Together, these set every argument there is.
pub(crate) const SAMPLES: &[&str] = &[
    "apt_key: {id: E2A51E4E, state: absent, keyring: /k.gpg, url: 'https://x/k', validate_certs: false}",
    "apt_key: {file: /k}",
    "apt_key: {data: k}",
    "apt_key: {id: E2A51E4E, keyserver: keys.example.com}",
];

const KEY: &str = include_str!("rpm_key.asc");
const URL: &str = "https://x.example/key.asc";
const PRIMARY: &str = "81B071659703528C13899AA33F3DDDCBE2A51E4E";
const SUB: &str = "3400EBA78AFBFF0DD628D7D2874AA022744C37F6";
const RING: &str = "/etc/apt/trusted.gpg.d/t.gpg";

fn ours() -> Vec<String> {
    vec![PRIMARY.to_owned(), SUB.to_owned()]
}

fn other() -> Vec<String> {
    vec!["1".repeat(40)]
}

/// A host with these keys, and the one of the tests in a file and at an address.
fn host<const N: usize>(keys: [Vec<String>; N]) -> FakeHost {
    on(Ring::Keys(keys.into()))
}

fn on(ring: Ring) -> FakeHost {
    FakeHost::new()
        .answers(AptKeys(None), ring.clone())
        .answers(AptKeys(Some(RING.to_owned())), ring)
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
    [there(), others()].concat()
}

fn there() -> Vec<Expect> {
    let text = format!("apt_key: {{data: {}}}", serde_json::Value::from(KEY));
    let of_url = format!("apt_key: {{url: '{URL}'}}");
    let new = format!("key `{PRIMARY}`: null -> \"trusted\"");
    let gone = format!("key `{PRIMARY}`: \"trusted\" -> null");
    let absent = |id: &str| format!("apt_key: {{id: '{id}', state: absent}}");
    let down = |id: &str| format!("apt_key: {{id: '{id}', url: 'https://down.example/k'}}");
    vec![
        case("AK-01 an address", &of_url)
            .on(host([other()]))
            .changes([&new])
            .gives("id", "\"3F3DDDCBE2A51E4E\"")
            .gives("short_id", "\"E2A51E4E\"")
            .gives(
                "after",
                "[\"1111111111111111\",\"3F3DDDCBE2A51E4E\",\"874AA022744C37F6\"]",
            ),
        case("AK-01 in its state", &of_url).on(host([other(), ours()])),
        case("AK-02 by its id nothing is asked", &down("0xE2A51E4E"))
            .on(host([ours()]))
            .gives("id", "\"0xE2A51E4E\"")
            .gives("key_id", "\"E2A51E4E\""),
        case("AK-02 by the id of a subkey", &down("874AA022744C37F6")).on(host([ours()])),
        case("AK-03 the text itself", &text)
            .on(host([]))
            .changes([&new]),
        case("AK-04 a file of the host", "apt_key: {file: /k.asc}")
            .on(host([]))
            .changes([&new]),
        case(
            "AK-05 into a file of keys",
            &format!("apt_key: {{file: /k.asc, keyring: {RING}}}"),
        )
        .on(host([]))
        .changes([&new]),
        case("AK-06 gone by its id", &absent(&format!("0x{PRIMARY}")))
            .on(host([other(), ours()]))
            .changes([&gone])
            .gives("after", &format!("[\"{}\"]", "1".repeat(40))),
        case("AK-06 gone by the id of a subkey", &absent(SUB))
            .on(host([ours()]))
            .changes([&gone]),
        case(
            "AK-06 gone by what has it",
            &format!("apt_key: {{url: '{URL}', state: absent}}"),
        )
        .on(host([ours()]))
        .changes([&gone]),
        case("AK-06 it is not there", &absent("E2A51E4E")).on(host([other()])),
    ]
}

fn others() -> Vec<Expect> {
    vec![
        case(
            "AK-07 a key with another id",
            &format!("apt_key: {{url: '{URL}', id: '00000000'}}"),
        )
        .on(host([]))
        .rounds(2, "which keys are there says whether the server is asked")
        .refused(&format!("`{URL}` has no key `00000000`")),
        case("AK-07 no key", "apt_key: {file: /page}")
            .on(host([]))
            .refused("`/page` is no key for apt: there is no line"),
        case(
            "AK-07 a server without it",
            "apt_key: {url: 'https://x.example/none'}",
        )
        .on(host([]))
        .refused("`https://x.example/none`: 404 Not Found"),
        case("AK-07 no file yet", "apt_key: {file: /later}")
            .on(host([]))
            .not_yet("the file `/later` (a key)"),
        case("AK-08 no apt-key", &format!("apt_key: {{url: '{URL}'}}"))
            .on(on(Ring::NoAptKey))
            .refused("the host has no `apt-key`"),
        case("AK-08 no gpg", &format!("apt_key: {{url: '{URL}'}}"))
            .on(on(Ring::NoGpg))
            .not_yet("`gpg` on the host"),
        case("AK-09 nothing says which", "apt_key: {id: E2A51E4E}")
            .refused("nothing says which key"),
        case(
            "AK-09 two of them",
            "apt_key: {file: /a, url: 'https://x/k'}",
        )
        .refused("`file` and `url` are both given"),
        case("AK-09 no id", "apt_key: {id: xyz, state: absent}").refused("`XYZ` is no id of a key"),
        case(
            "AK-09 a server of keys without an id",
            "apt_key: {keyserver: k.example}",
        )
        .refused("`keyserver` without `id`"),
    ]
}
