//! `pip`.

use evenkeel_engine::{
    Done,
    fake::{self, Call, FakeHost, World},
    testing::Law,
};
use evenkeel_modules::pip::{Distributions, Env, Extras, Installed, Interpreter, Python, Release};

use crate::support::{Expect, case};

/// Together, these set every argument there is, none to its default.
pub(crate) const SAMPLES: &[&str] = &[
    "pip: {name: [flask, 'redis[hiredis]>=4'], version: '1.0', requirements: r.txt, \
     constraints: [c.txt], virtualenv: /v, virtualenv_command: mkvenv, virtualenv_python: python3, \
     virtualenv_site_packages: true, executable: pip3, extra_args: -v, state: latest, \
     editable: true, chdir: /d, umask: '0077', break_system_packages: true, no_index: true, \
     find_links: /l}",
];

const VENV: &str = "/opt/venv";

fn key(env: &Env, name: &str) -> String {
    format!("{env:?} {name}")
}

/// A pip that installs what it is told: `name==version`, or version 9.9 of what has none.
fn pip(env: &Env, world: &mut World, call: &Call) -> Done {
    let args = call.args();
    let args = args.strip_prefix(&["-m", "pip"]).unwrap_or(&args);
    let names = args.iter().skip(1).filter(|word| !word.starts_with('-'));
    if args.contains(&"--dry-run") {
        return fake::ok("Requirement already satisfied: flask\n");
    }
    // A file stands for the packages that it lists.
    let words = names.flat_map(|word| match world.text(word) {
        Some(text) => text.lines().map(str::to_owned).collect(),
        None => vec![(*word).to_owned()],
    });
    let words: Vec<String> = words.collect();
    for word in words {
        let end = word
            .find(['=', '<', '>', '!', '[', ' '])
            .unwrap_or(word.len());
        let name = key(env, &word[..end].to_lowercase().replace(['_', '.'], "-"));
        match (args[0], word.split_once("==")) {
            ("uninstall", _) => world.forget(&name),
            ("install", Some((_, "0.0"))) => return fake::failed(1, "No matching distribution"),
            ("install", Some((_, version))) => world.note(name, version),
            _ => world.note(name, "9.9"),
        }
    }
    fake::ok("")
}

/// Makes a virtual environment with its own pip.
fn venv(world: &mut World, path: &str) {
    let env = Env::Venv(path.to_owned());
    world.note(key(&env, "pip"), "24.0");
    world.dirs(&format!("{path}/bin"));
    world.install(&format!("{path}/bin/python"), move |world, call| {
        pip(&env, world, call)
    });
}

fn host() -> FakeHost {
    let system = Env::Python("python3".to_owned());
    FakeHost::new()
        .dir("/opt")
        .program("python3", move |world, call| match call.args()[..] {
            ["-m", "venv", path] => {
                venv(world, path);
                fake::ok("")
            }
            _ => pip(&system, world, call),
        })
        .model::<Installed>(|world, probe| {
            let found = world.noted(&key(&probe.env, probe.name.as_ref()));
            Ok(found.map(|version| Release(version.to_owned())))
        })
        .model::<Interpreter>(|world, _| {
            let managed = world.noted("managed").is_some();
            let (version, machine) = ("3.9.16".to_owned(), "x86_64".to_owned());
            Ok(Some(Python {
                version,
                managed,
                machine,
            }))
        })
        .model::<Distributions>(|world, probe| {
            let all = ["celery", "flask", "redis"].into_iter();
            let there = all.filter_map(|name| {
                let version = world.noted(&key(&probe.0, name))?;
                Some(format!("{name}-{version}"))
            });
            Ok(Some(there.collect()))
        })
        .model::<Extras>(|_, _| Ok(Some(vec!["redis>=4 ; extra == 'redis'".to_owned()])))
}

/// A host with a virtual environment that has these.
fn with(packages: &[(&str, &str)]) -> FakeHost {
    let host = host();
    host.change(|world| {
        venv(world, VENV);
        for (name, version) in packages {
            world.note(key(&Env::Venv(VENV.to_owned()), name), *version);
        }
    });
    host
}

fn managed(host: FakeHost) -> FakeHost {
    host.change(|world| world.note("managed", "yes"));
    host
}

pub(crate) fn cases() -> Vec<Expect> {
    let mut cases = present();
    cases.extend(extras());
    cases.extend(other_states());
    cases.extend(environments());
    cases.extend(files());
    cases
}

fn present() -> Vec<Expect> {
    vec![
        case(
            "PIP-02 a list is installed at once",
            "pip: {name: [flask, jinja2], virtualenv: /opt/venv}",
        )
        .on(with(&[]))
        .changes(["package `flask`: null -> \"installed\"", "package `jinja2`"])
        .gives("packages.flask", "\"9.9\""),
        case(
            "PIP-02 in its state",
            "pip: {name: [flask, jinja2], virtualenv: /opt/venv}",
        )
        .on(with(&[("flask", "1"), ("jinja2", "2")])),
        case(
            "PIP-03 versions that fit",
            "pip: {name: flask, version: '<100,!=1.0,>0.0.0', virtualenv: /opt/venv}",
        )
        .on(with(&[("flask", "2.0")])),
        case(
            "PIP-04 a version that does not fit",
            "pip: {name: flask==2.1, virtualenv: /opt/venv}",
        )
        .on(with(&[("flask", "2.0")]))
        .changes(["package `flask`: \"2.0\" -> \"==2.1\""])
        .gives("packages.flask", "\"2.1\""),
        case("PIP-05 two versions", "pip: {name: flask==1, version: '2'}")
            .refused("both say a version"),
        case(
            "PIP-05 a version of many",
            "pip: {name: [a, b], version: '2'}",
        )
        .refused("exactly one package"),
        case(
            "PIP-05 a version and the latest",
            "pip: {name: a, version: '2', state: latest}",
        )
        .refused("exclude each other"),
        case(
            "PIP-06 there is no such version",
            "pip: {name: flask==0.0, virtualenv: /opt/venv}",
        )
        .on(with(&[]))
        .fails("No matching distribution"),
        case(
            "PIP-08 names are normalised",
            "pip: {name: Junit_XML, virtualenv: /opt/venv}",
        )
        .on(with(&[("junit-xml", "1")])),
        case(
            "PIP-09 pip itself",
            "pip: {name: pip, virtualenv: /opt/venv}",
        )
        .on(with(&[])),
        case("PIP-13 an empty list", "pip: {name: []}").on(host()),
        case(
            "PIP-14 no version",
            "pip: {name: flask, version: '', virtualenv: /opt/venv}",
        )
        .on(with(&[("flask", "1")])),
        case(
            "PIP-17 a pre-release will do",
            "pip: {name: flask, virtualenv: /opt/venv}",
        )
        .on(with(&[("flask", "3.0rc1")])),
        case("PIP-20 no name of a package", "pip: {name: 'no such!'}")
            .refused("no requirement that pip takes"),
    ]
}

fn extras() -> Vec<Expect> {
    vec![
        case(
            "PIP-24 an extra is missing",
            "pip: {name: 'celery[redis]', virtualenv: /opt/venv}",
        )
        .on(with(&[("celery", "5")]).ends([format!("{VENV}/bin/python")], Done::default()))
        .changes(["package `celery`"])
        .without(Law::Quiet, "this pip installs no extras")
        .without(Law::Foretold, "this pip installs no extras")
        .no_run("this pip installs no extras, and the run says that it does not converge"),
        case(
            "PIP-24 an extra is there",
            "pip: {name: 'celery[redis]', virtualenv: /opt/venv}",
        )
        .on(with(&[("celery", "5"), ("redis", "4.1")])),
    ]
}

fn other_states() -> Vec<Expect> {
    vec![
        case(
            "PIP-01 what is not there need not go",
            "pip: {name: flask, state: absent, virtualenv: /opt/venv}",
        )
        .on(with(&[])),
        case(
            "PIP-21 what is there goes",
            "pip: {name: flask, state: absent, virtualenv: /opt/venv}",
        )
        .on(with(&[("flask", "1.0")]))
        .changes(["package `flask`: \"1.0\" -> null"])
        .gives("packages.flask", "null"),
        case(
            "PIP-18 already the latest",
            "pip: {name: flask, state: latest, virtualenv: /opt/venv}",
        )
        .on(with(&[("flask", "9.9")])),
        case(
            "PIP-25 installed again each time",
            "pip: {name: flask, state: forcereinstall, virtualenv: /opt/venv}",
        )
        .on(with(&[("flask", "9.9")]))
        .changes(["packages, again"]),
    ]
}

fn environments() -> Vec<Expect> {
    vec![
        case("PIP-11 a fresh environment", "pip: {name: flask==1.0, virtualenv: /opt/venv}")
            .on(host())
            .changes(["virtual environment: false -> true", "package `flask`"])
            .then("/opt/venv/bin/python", "file"),
        case("PIP-11 an environment and nothing in it", "pip: {virtualenv: /opt/venv}")
            .on(host())
            .changes(["virtual environment"]),
        case("PIP-12 a relative environment is below chdir", "pip: {name: flask, virtualenv: venv, chdir: /opt}")
            .on(with(&[("flask", "1")])),
        case("PIP-15 another interpreter", "pip: {virtualenv: /opt/venv, virtualenv_python: python3}")
            .on(host())
            .changes(["virtual environment"]),
        case("PIP-15 with a command that has its own", "pip: {virtualenv: /v, virtualenv_command: python3 -m venv, virtualenv_python: python3.9}")
            .refused("does not fit"),
        case("PIP-16 packages of the distribution are left alone", "pip: {name: flask}")
            .on(managed(host()))
            .refused("belong to the distribution"),
        case("PIP-16 unless told to", "pip: {name: flask, break_system_packages: true}")
            .on(managed(host()))
            .changes(["package `flask`"]),
        case("PIP-26 no Python yet", "pip: {name: flask}")
            .on(FakeHost::new().model::<Installed>(|_, _| Ok(None)))
            .not_yet("`python3` (of the package `python3`)"),
    ]
}

fn files() -> Vec<Expect> {
    let listed = |text: &str, packages: &[(&str, &str)]| {
        let host = with(packages);
        host.change(|world| world.write("/opt/all.txt", text));
        host
    };
    let yaml = "pip: {requirements: /opt/all.txt, virtualenv: /opt/venv}";
    vec![
        case("PIP-22 a file that holds", yaml).on(listed(
            "flask>=1 # web\nold; python_version<'3'\n",
            &[("flask", "1")],
        )),
        case("PIP-22 a file that is not there", yaml)
            .on(with(&[]))
            .not_yet("the file `/opt/all.txt`"),
        case("PIP-22 a file that names many that are missing", yaml)
            .on(listed("a==1\nb==1\nc==1\nd==1\ne==1\n", &[]))
            .changes([
                "package `a`",
                "package `b`",
                "package `c`",
                "package `d`",
                "package `e`",
            ])
            .no_run("the list of what is installed is not kept by this pip: it asks again"),
        case("PIP-10 only pip can tell", yaml)
            .on(listed("git+https://x.org/a#egg=a\n", &[]))
            .changes(["`git+https://x.org/a#egg=a`"]),
        case(
            "PIP-23 constraints count",
            "pip: {name: flask, extra_args: '-c /opt/all.txt', virtualenv: /opt/venv}",
        )
        .on(listed("flask==2.0\n", &[("flask", "2.0")])),
        case(
            "PIP-23 constraints that do not hold",
            "pip: {name: flask==9.9, constraints: /opt/all.txt, virtualenv: /opt/venv}",
        )
        .on(listed("flask>2\n", &[("flask", "2.0")]))
        .changes(["package `flask`: \"2.0\" -> \"==9.9\""]),
    ]
}
