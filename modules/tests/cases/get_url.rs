//! `get-url`.

use evenkeel_engine::{
    Secret, Value,
    fake::{self, Call, FakeHost, World},
    hex, sha256,
    testing::Law,
};
use evenkeel_modules::get_url::{Fetched, Served, Serving, State};

use crate::support::{Expect, case, sha};

/// Together, these set every argument there is, none to its default.
pub(crate) const SAMPLES: &[&str] = &[
    "get-url: {url: 'http://h/f', dest: /f, checksum: 'sha256:00', force: true, headers: {X-A: b}, timeout: 5, \
     url_username: me, url_password: pw, force_basic_auth: true, http_agent: a, use_proxy: false, \
     validate_certs: false, ca_path: /ca, client_cert: /c, client_key: /k, tmp_dest: /t, decompress: false, \
     backup: true, owner: u, group: g, mode: '0600'}",
];

/// What a server has is noted under its address.
fn page(url: &str) -> String {
    format!("web {url}")
}

/// Downloads as the step does: with what it reads, to where its words say.
fn download(world: &mut World, call: &Call) -> evenkeel_engine::Done {
    let ["-c", _, "download", _, to, _, _, _, digits, ..] = call.args()[..] else {
        return fake::failed(2, "not a download");
    };
    let skip: usize = call.args()[3].parse().expect("the length of the script");
    let input = String::from_utf8_lossy(&call.stdin[skip..]).into_owned();
    let url = input.lines().next().unwrap_or_default();
    let Some(text) = world.noted(&page(url)).map(str::to_owned) else {
        return fake::failed(1, "the server answers `404 Not Found`");
    };
    if !digits.is_empty() && digits != hex(&sha256(text.as_bytes())) {
        return fake::failed(1, "nothing was changed");
    }
    let to = to.to_owned();
    world.write(&to, text);
    world.chmod(&to, 0o600);
    fake::ok("")
}

fn state(world: &World, path: &str, text: &str) -> State {
    match world.read(path) {
        None => State::Absent,
        Some(bytes) if bytes == text.as_bytes() => State::Same,
        Some(_) => State::Other(Some(sha256(text.as_bytes()))),
    }
}

fn host(pages: &[(&str, &str)]) -> FakeHost {
    let host = FakeHost::new()
        .dir("/srv")
        .program("curl", |_, _| fake::ok(""))
        .program("sh", download)
        .model::<Served>(|world, served| {
            let url = String::from_utf8_lossy(served.request.url.bytes()).into_owned();
            let name = world.noted(&format!("name {url}")).map(str::to_owned);
            let name = name.or_else(|| served.request.name());
            let name = name.filter(|_| world.is_dir(&served.dest));
            let path = match &name {
                Some(name) => format!("{}/{name}", served.dest),
                None => served.dest.clone(),
            };
            let state = match world.noted(&page(&url)) {
                Some(text) => state(world, &path, text),
                None if name.is_none() && !world.exists(&path) => State::Absent,
                None => State::Failed("the server answers `404`".to_owned()),
            };
            Ok(Serving { name, state })
        })
        .model::<Fetched>(|world, fetched| {
            let url = String::from_utf8_lossy(fetched.0.url.bytes()).into_owned();
            let text = world
                .noted(&page(&url))
                .map(|text| text.as_bytes().to_vec());
            Ok(text.ok_or_else(|| "the server answers `404`".to_owned()))
        });
    host.change(|world| {
        for (url, text) in pages {
            world.note(page(url), *text);
        }
    });
    host
}

const URL: &str = "http://web/f.txt";

fn served() -> FakeHost {
    host(&[(URL, "new")])
}

pub(crate) fn cases() -> Vec<Expect> {
    let mut cases = plain();
    cases.extend(checksums());
    cases.extend(refusals());
    cases.extend(places());
    cases.extend(got_here());
    cases
}

/// On hosts with neither curl nor wget: this machine gets the file, and knows it before it is sent.
fn got_here() -> Vec<Expect> {
    let get = "get_url: {url: 'http://web/f.txt', dest: /srv/f}";
    let bare = || FakeHost::new().dir("/srv").serves(URL, "new");
    let known = format!(
        "get_url: {{url: 'http://web/f.txt', dest: /srv/f, checksum: 'sha256:{}'}}",
        sha("new")
    );
    vec![
        case("GU-01 got here", get)
            .on(bare())
            .changes([&format!("content: null -> \"{}\"", &sha("new")[..12])])
            .then("/srv/f", "file 0644 root:root = new")
            .then("/srv/.f.evenkeel", "nothing")
            .gives("checksum", &format!("\"{}\"", sha("new"))),
        case("GU-01 got here, and is there", get).on(bare().file("/srv/f", "new")),
        case("GU-01 got here, another content", get)
            .on(bare().file("/srv/f", "old").mode("/srv/f", 0o640))
            .changes(["content"])
            .then("/srv/f", "file 0640 root:root = new"),
        case("GU-02 got here: with its checksum nothing is asked", &known)
            .on(FakeHost::new().dir("/srv").file("/srv/f", "new")),
        case("GU-03 got here: the checksum is wrong", &known)
            .on(bare().file("/srv/f", "old"))
            .changes(["content"])
            .then("/srv/f", "file = new"),
        case("GU-04 got here: another checksum comes", &known)
            .on(FakeHost::new().dir("/srv").serves(URL, "other"))
            .refused("`http://web/f.txt`: its sha256 is another"),
        case("GU-10 got here: the server has none", get)
            .on(FakeHost::new().dir("/srv"))
            .refused("`http://web/f.txt`: the server answers `404 Not Found`"),
        case(
            "GU-11 got here: files of the host do not help",
            "get_url: {url: 'http://web/f.txt', dest: /srv/f, ca_path: /etc/ca.pem}",
        )
        .on(bare())
        .refused("`ca_path` is a file of the host, and the host has neither `curl` nor `wget`"),
        case(
            "GU-13 got here, into a directory",
            "get_url: {url: 'http://web/f.txt', dest: /srv}",
        )
        .on(bare())
        .changes(["content"])
        .then("/srv/f.txt", "file = new"),
        case(
            "GU-05 got here: a checksum file",
            "get_url: {url: 'http://web/f.txt', dest: /srv/f, checksum: 'sha256:http://web/SUMS'}",
        )
        .on(bare().serves("http://web/SUMS", format!("{}  f.txt\n", sha("new"))))
        .changes(["content"])
        .then("/srv/f", "file = new"),
    ]
}

fn plain() -> Vec<Expect> {
    let get = "get_url: {url: 'http://web/f.txt', dest: /srv/f}";
    vec![
        case("GU-01 a first download", get)
            .on(served())
            .changes(["content: null -> \"http://web/f.txt\""])
            .then("/srv/f", "file 0644 root:root = new")
            .then("/srv/.f.evenkeel", "nothing")
            .gives("checksum", &format!("\"{}\"", sha("new"))),
        case("GU-01 what the server has is there", get).on(served().file("/srv/f", "new")),
        case("GU-01 another content", get)
            .on(served().file("/srv/f", "old").mode("/srv/f", 0o640))
            .changes(["content"])
            .then("/srv/f", "file 0640 root:root = new"),
        case("GU-01 a leftover of a run that was cut goes", get)
            .on(served().file("/srv/f", "new").file("/srv/.f.evenkeel", "x"))
            .changes(["leftover"])
            .then("/srv/.f.evenkeel", "nothing"),
        case(
            "GU-08 only the mode",
            "get_url: {url: 'http://web/f.txt', dest: /srv/f, mode: '0600'}",
        )
        .on(served().file("/srv/f", "new"))
        .changes(["mode: \"0644\" -> \"0600\""]),
        case(
            "GU-14 a backup",
            "get_url: {url: 'http://web/f.txt', dest: /srv/f, backup: true}",
        )
        .on(served().file("/srv/f", "old"))
        .changes(["content"])
        .then(&format!("/srv/f.{}~", &sha("old")[..12]), "file = old"),
        case(
            "GU-15 a file of the host",
            "get_url: {url: 'file:///srv/a', dest: /srv/f}",
        )
        .on(served().file("/srv/a", "here"))
        .changes(["content"])
        .then("/srv/f", "file = here"),
        case("GU-10 a secret login is sent, and in no question", get)
            .arg("url_username", "me".into())
            .arg("url_password", Value::Secret(Secret::new("hunter2c0ffee")))
            .on(served())
            .changes(["content"])
            .then("/srv/f", "file = new")
            .without(
                Law::Quiet,
                "without a record of the first run it is downloaded again",
            )
            .without(Law::Foretold, "so it says, too")
            .no_run("the ledger has the record"),
    ]
}

fn checksums() -> Vec<Expect> {
    let get = |checksum: &str| {
        format!("get_url: {{url: 'http://web/f.txt', dest: /srv/f, checksum: '{checksum}'}}")
    };
    let right = get(&format!("sha256:{}", sha("new")));
    let listed = get("sha256:http://web/SUMS");
    vec![
        case("GU-16 a first download is foretold", &right)
            .on(served())
            .changes([&format!("content: null -> \"{}\"", &sha("new")[..12])])
            .then("/srv/f", "file 0644 root:root = new"),
        case(
            "GU-02 the checksum is right: the server is not asked",
            &right,
        )
        .on(host(&[]).file("/srv/f", "new")),
        case("GU-03 the checksum is wrong", &right)
            .on(served().file("/srv/f", "old"))
            .changes(["content"])
            .then("/srv/f", "file = new"),
        case(
            "GU-04 what comes has another checksum",
            &get(&format!("sha256:{}", sha("good"))),
        )
        .on(served().file("/srv/f", "old"))
        .fails("nothing was changed"),
        case("GU-05 a checksum file", &listed)
            .on(host(&[
                (URL, "new"),
                ("http://web/SUMS", &format!("{} *f.txt\n", sha("new"))),
            ]))
            .changes(["content"])
            .then("/srv/f", "file = new"),
        case("GU-05 in its state by a checksum file", &listed).on(host(&[(
            "http://web/SUMS",
            &format!("SHA256 (f.txt) = {}\n", sha("new")),
        )])
        .file("/srv/f", "new")),
        case("GU-06 the checksum file does not name it", &listed)
            .on(host(&[(
                "http://web/SUMS",
                &format!("{}  g.txt\n", sha("new")),
            )]))
            .refused("`http://web/SUMS` has no sha256 of `f.txt`"),
        case("GU-06 there is no checksum file", &listed)
            .on(host(&[]))
            .refused("`http://web/SUMS`: the server answers `404`"),
        case("GU-07 no digits", &get("sha256:12xyz")).refused("the format is invalid"),
        case(
            "GU-07 what pages bring along is cleaned",
            &get(&format!("sha256:\u{200b}{}.", sha("new").to_uppercase())),
        )
        .on(host(&[]).file("/srv/f", "new")),
    ]
}

fn refusals() -> Vec<Expect> {
    let get = "get_url: {url: 'http://me:pw@web/none', dest: /srv/f}";
    vec![
        case("GU-10 the server has none", get)
            .on(host(&[]).file("/srv/f", "old"))
            .refused("`http://***@web/none`: the server answers `404`"),
        case("GU-10 the server has none, and no file is there", get)
            .on(host(&[]))
            .fails("404"),
        case(
            "GU-12 the directory is missing",
            "get_url: {url: 'http://web/f.txt', dest: /opt/x/f}",
        )
        .on(served())
        .not_yet("the directory `/opt/x`"),
        case(
            "GU-10 another scheme",
            "get_url: {url: 'gopher://web/f', dest: /srv/f}",
        )
        .refused("is no address of the web"),
        case(
            "GU-10 a header that breaks the line",
            "get_url: {url: 'http://web/f', dest: /srv/f, headers: {X-A: \"a\\nX-B: b\"}}",
        )
        .refused("holds a line break"),
    ]
}

fn places() -> Vec<Expect> {
    let get = "get_url: {url: 'http://web/f.txt', dest: /srv}";
    let named = || {
        let host = served();
        host.change(|world| world.note(format!("name {URL}"), "other.txt"));
        host
    };
    vec![
        case("GU-13 in a directory, as the address says", get)
            .on(served())
            .changes(["content"])
            .then("/srv/f.txt", "file = new")
            .gives("dest", "\"/srv/f.txt\""),
        case("GU-13 in its state in a directory", get).on(served().file("/srv/f.txt", "new")),
        case("GU-13 in a directory, as the server says", get)
            .on(named())
            .changes(["content"])
            .then("/srv/other.txt", "file = new")
            .rounds(2, "the server says what it is called"),
        case("GU-13 in its state as the server says", get)
            .on(named().file("/srv/other.txt", "new"))
            .rounds(2, "the server says what it is called"),
    ]
}
