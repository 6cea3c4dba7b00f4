//! `compile-python`.

use evenkeel_engine::{
    Done, Source, Value,
    fake::{self, Call, FakeHost, World},
};
use evenkeel_modules::compile_python::{Built, Interpreter};

use crate::support::{Expect, case, sha};

/// Together, these set every argument there is, none to its default.
pub(crate) const SAMPLES: &[&str] = &[
    "compile-python: {version: 3.9.2, source: '@py.tar', sha256: '00', remote_src: true, prefix: /opt/py, \
     optimizations: false, configure: [--with-x], modules: [ssl], pip: '22', packages: [gcc], update_cache: true, \
     jobs: 2, build_dir: /b, share_build: /s}",
];

fn stamp(sha: &str, options: &str) -> String {
    format!("evenkeel: 3.9.2\nsource {sha}\nconfigure \"--prefix=/usr/local\"\n{options}")
}

const OPTIMIZED: &str = "configure \"--enable-optimizations\"";

fn built() -> Built {
    Built {
        python: "/usr/local/bin/python3.9".to_owned(),
        stamp: "/usr/local/lib/python3.9/evenkeel-build.txt".to_owned(),
        modules: ["ssl", "sqlite3", "bz2", "zlib", "ctypes", "lzma"]
            .map(ToOwned::to_owned)
            .into(),
    }
}

fn there(version: &str, stamp: Option<String>) -> Interpreter {
    Interpreter {
        version: Some(version.to_owned()),
        pip: Some("20.2.3".to_owned()),
        missing: Vec::new(),
        stamp,
    }
}

fn noted(now: &Interpreter) -> String {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    format!(
        "{}|{}|{}|{}",
        text(&now.version),
        text(&now.pip),
        now.missing.join(" "),
        text(&now.stamp)
    )
}

fn read(note: &str) -> Interpreter {
    let mut fields = note
        .splitn(4, '|')
        .map(|field| Some(field.to_owned()).filter(|field| !field.is_empty()));
    let mut next = || fields.next().flatten();
    let (version, pip) = (next(), next());
    Interpreter {
        version,
        pip,
        missing: next()
            .unwrap_or_default()
            .split_whitespace()
            .map(str::to_owned)
            .collect(),
        stamp: next(),
    }
}

/// Checks, or builds what its words say.
fn sh(world: &mut World, call: &Call) -> Done {
    match call.args()[..] {
        ["-c", _] => fake::ok("debian 12\nLinux x86_64\nglibc 2.36\n"),
        ["-c", _, "check", ..] => fake::ok(""),
        [
            "-c",
            _,
            "build",
            _,
            _,
            archive,
            _,
            version,
            _,
            _,
            pip,
            _,
            _,
            stamp,
            ..,
        ] => {
            assert!(world.exists(archive), "the archive is there");
            let pip = if pip.is_empty() { "20.2.3" } else { pip };
            let way = |way: &str| call.env.iter().any(|(name, _)| name == way);
            if way("EK_SHARE") {
                world.write(PACK, "a build");
            }
            let whole = !way("EK_SHARE") && !way("EK_CARRY");
            let stamp = if whole { stamp } else { "" };
            world.note("built", format!("{version}|{pip}||{stamp}"));
            fake::ok("")
        }
        ["-c", _, "finish", _, _, _, stamp] => {
            let mut now = read(world.noted("built").unwrap_or_default());
            now.stamp = Some(stamp.to_owned());
            world.note("built", noted(&now));
            world.remove(PACK);
            fake::ok("")
        }
        _ => fake::failed(2, "neither a check nor a build"),
    }
}

/// A host with a compiler, on which this is built.
fn host(now: &Interpreter) -> FakeHost {
    equipped(FakeHost::new(), now)
}

/// The same, with what else is there.
fn equipped(host: FakeHost, now: &Interpreter) -> FakeHost {
    without_curl(host, now).program("curl", |_, _| fake::ok(""))
}

/// One that cannot download.
fn without_curl(host: FakeHost, now: &Interpreter) -> FakeHost {
    let there = ["gcc", "make", "tar", "flock"].into_iter();
    there.fold(bare(host, now), |host, name| {
        host.program(name, |_, _| fake::ok(""))
    })
}

/// One without.
fn bare(host: FakeHost, now: &Interpreter) -> FakeHost {
    let host = host
        .dir("/usr/local/src")
        .model::<Built>(|world, _| Ok(world.noted("built").map(read).unwrap_or_default()));
    host.change(|world| world.note("built", noted(now)));
    host.program("sh", sh)
        .program("/usr/local/bin/python3.9", |world, call| {
            let Some(pip) = call
                .args()
                .last()
                .and_then(|word| word.strip_prefix("pip=="))
            else {
                return fake::failed(2, "no pip");
            };
            let mut now = read(world.noted("built").unwrap_or_default());
            now.pip = Some(pip.to_owned());
            world.note("built", noted(&now));
            fake::ok("")
        })
}

/// Where a build is packed.
const PACK: &str = "/usr/local/src/evenkeel-python-3.9.2/shared.tar.gz";

/// Where a build for such a host is kept.
fn shared() -> String {
    let host = "debian 12\nLinux x86_64\nglibc 2.36";
    let key = sha(&format!("{host}\n{}", stamp(&sha("archive"), OPTIMIZED)));
    format!("python-3.9.2-{}.tar.gz", &key[..16])
}

/// A build of one host is the build of all that are like it.
fn builds() -> Vec<Expect> {
    let first = || host(&Interpreter::default());
    vec![
        local(
            "CP-10 the first one keeps it",
            ", pip: 20.2.3, share_build: /builds",
        )
        .on(first())
        .changes(["python3.9: null -> \"3.9.2\""])
        .then(PACK, "nothing"),
        local(
            "CP-10 the next one takes it",
            ", pip: 20.2.3, share_build: /builds",
        )
        .on(bare(FakeHost::new(), &Interpreter::default())
            .program("tar", |_, _| fake::ok(""))
            .program("flock", |_, _| fake::ok(""))
            .kept("/builds", &shared(), "a build"))
        .changes(["python3.9 as another host compiled it: null -> \"3.9.2\""]),
        local(
            "CP-10 one of another release is no matter",
            ", pip: 20.2.3, share_build: /builds",
        )
        .on(first().kept("/builds", "python-3.9.2-0123456789abcdef.tar.gz", "another"))
        .changes(["python3.9: null -> \"3.9.2\""]),
        local("CP-10 nowhere", ", share_build: ''").refused("`share_build` is empty"),
    ]
}

fn task(more: &str) -> String {
    format!(
        "compile-python: {{version: 3.9.2, sha256: '{}'{more}}}",
        sha("archive")
    )
}

fn local(name: &str, more: &str) -> Expect {
    let source = Source::inline("Python-3.9.2.tar.xz", b"archive".to_vec());
    case(name, &task(more)).arg("source", Value::Source(source))
}

/// What is installed before it is built.
fn packages() -> Vec<Expect> {
    let right = || Some(stamp(&sha("archive"), OPTIMIZED));
    vec![
        (local(
            "CP-03 what is missing of its packages is installed before, by apt",
            ", pip: 20.2.3, packages: [gcc, libssl-dev]",
        )
        .on(equipped(
            super::apt::host(&["gcc"]),
            &Interpreter::default(),
        )))
        .changes([
            "package `libssl-dev`: null -> \"1\"",
            "python3.9: null -> \"3.9.2\"",
        ])
        .gives("version", "\"3.9.2\""),
        (local(
            "CP-03 what is missing of its packages is installed before, by dnf",
            ", pip: 20.2.3, packages: 'apple,gcc', update_cache: true",
        )
        .on(equipped(
            super::yum::host(&["apple"]),
            &Interpreter::default(),
        )))
        .changes(["package `gcc`", "python3.9: null -> \"3.9.2\""]),
        (local(
            "CP-03 its packages are there",
            ", pip: 20.2.3, packages: [gcc]",
        )
        .on(equipped(
            super::apt::host(&["gcc"]),
            &Interpreter::default(),
        )))
        .changes(["python3.9: null -> \"3.9.2\""]),
        case(
            "CP-01 a source by its address, on a host with neither curl nor wget",
            &task(", pip: 20.2.3, source: 'http://web/p.tar.xz', packages: [gcc, libssl-dev]"),
        )
        .on(without_curl(
            super::apt::host(&["gcc"]).serves("http://web/p.tar.xz", "archive"),
            &Interpreter::default(),
        ))
        .changes([
            "package `libssl-dev`: null -> \"1\"",
            "python3.9: null -> \"3.9.2\"",
        ]),
        local(
            "CP-03 its packages are there, but no compiler",
            ", packages: [gcc]",
        )
        .on(bare(super::apt::host(&["gcc"]), &Interpreter::default()))
        .not_yet("a C compiler"),
        local(
            "CP-01 packages are not looked at where it is built",
            ", packages: [gcc, make]",
        )
        .on(host(&there("3.9.2", right()))),
        local("CP-03 a package that no name is", ", packages: [--root=/]")
            .on(host(&there("3.9.2", right())))
            .refused("`--root=/` is no name of a package"),
        local("CP-03 lists for nothing", ", update_cache: true")
            .on(host(&there("3.9.2", right())))
            .refused("`update_cache` needs `packages`"),
    ]
}

pub(crate) fn cases() -> Vec<Expect> {
    let right = || Some(stamp(&sha("archive"), OPTIMIZED));
    let mut without_ssl = there("3.9.2", right());
    without_ssl.missing = vec!["ssl".to_owned()];
    let cases = vec![
        local("CP-01 the interpreter is there", "").on(host(&there("3.9.2", right()))),
        (local("CP-02 another version", ", pip: 20.2.3").on(host(&there("3.9.0", right()))))
            .changes(["python3.9: \"3.9.0 (another version)\" -> \"3.9.2\""])
            .gives("version", "\"3.9.2\""),
        (local("CP-02 it cannot import what is wanted", ", pip: 20.2.3").on(host(&without_ssl)))
            .changes(["python3.9: \"3.9.2 (without ssl)\" -> \"3.9.2\""]),
        local("CP-03 nothing to compile with", "")
            .on(FakeHost::new()
                .dir("/usr/local/src")
                .answers(built(), Interpreter::default()))
            .not_yet("a C compiler (`gcc`), `make`, `tar`, `flock` (of `util-linux`) on the host"),
        (local("CP-04 a build that never finished", ", pip: 20.2.3")
            .on(host(&there("3.9.2", None))))
        .changes([
            "python3.9: \"3.9.2 (its build was never finished, or is not ours)\" -> \"3.9.2\"",
        ]),
        (local(
            "CP-05 other options",
            ", pip: 20.2.3, configure: [--with-x]",
        )
        .on(host(&there("3.9.2", right()))))
        .changes(["python3.9: \"3.9.2 (built with other options)\" -> \"3.9.2\""]),
        (local("CP-05 another source", ", pip: 20.2.3")
            .on(host(&there("3.9.2", Some(stamp(&sha("other"), OPTIMIZED))))))
        .changes(["python3.9: \"3.9.2 (built from another source)\" -> \"3.9.2\""]),
        (local("CP-06 a first build", ", pip: 22.0.4").on(host(&Interpreter::default())))
            .changes(["python3.9: null -> \"3.9.2\""])
            .gives("pip", "\"22.0.4\""),
        local("CP-09 another pip", ", pip: 22.0.4")
            .on(host(&there("3.9.2", right())))
            .changes(["pip: \"20.2.3\" -> \"22.0.4\""]),
        local("CP-05 the archive is another", "")
            .arg(
                "source",
                Value::Source(Source::inline("x.tar", b"other".to_vec())),
            )
            .on(host(&Interpreter::default()))
            .refused("`x.tar` has the sha256"),
        case(
            "CP-06 a version that is none",
            "compile-python: {version: '3.9', source: 'http://h/p', sha256: x}",
        )
        .refused("is not three numbers"),
    ];
    cases
        .into_iter()
        .chain(packages())
        .chain(builds())
        .collect()
}
