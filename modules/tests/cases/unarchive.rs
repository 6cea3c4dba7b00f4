//! `unarchive`.

use evenkeel_engine::{
    Done, Source, Value,
    fake::{self, Call, FakeHost, World},
};
use evenkeel_modules::unarchive::{Members, Unpacked};

use crate::support::{Expect, case, sha};

/// Together, these set every argument there is, none to its default.
pub(crate) const SAMPLES: &[&str] = &[
    "unarchive: {src: '@a.tgz', dest: /d, remote_src: true, creates: /c, include: [a], exclude: [b], \
     extra_opts: [--x], keep_newer: true, list_files: true, owner: u, group: g, mode: '0600'}",
];

fn members(world: &World) -> Members {
    let text = |name: &str| world.noted(name).map(str::to_owned);
    Members {
        key: text("key"),
        differ: text("differ").into_iter().collect(),
    }
}

/// Unpacks what its words say.
fn sh(world: &mut World, call: &Call) -> Done {
    let args = call.args();
    let [
        "-c",
        _,
        "unpack",
        _,
        state,
        id,
        dest,
        archive,
        _,
        key,
        ours,
        _,
        _,
        _,
        _,
        _,
        _,
        _,
    ] = args[..]
    else {
        return fake::failed(2, "not what unpacks");
    };
    assert!(world.exists(archive), "the archive is there");
    assert!(world.is_dir(dest), "the directory is there");
    let (key, archive, ours) = (key.to_owned(), archive.to_owned(), ours == "1");
    let record = format!("{state}/{id}/key");
    world.write(&record, "");
    world.note("key", key);
    world.forget("differ");
    if ours {
        world.remove(&archive);
    }
    fake::ok("")
}

fn host() -> FakeHost {
    bare().program("curl", |_, _| fake::ok(""))
}

/// A host that cannot download.
fn bare() -> FakeHost {
    FakeHost::new()
        .dir("/srv")
        .dir("/var/lib")
        .program("sh", sh)
        .model::<Unpacked>(|world, _| Ok(members(world)))
}

/// How `how` hashes without owner, group and mode.
fn key(archive: &str) -> String {
    format!("{} {}", sha(archive), &sha("(\"\", None, false)")[..16])
}

fn unpacked(archive: &str, differ: Option<&str>) -> FakeHost {
    let host = host();
    host.change(|world| {
        world.note("key", key(archive));
        if let Some(differ) = differ {
            world.note("differ", differ);
        }
    });
    host
}

fn local(name: &str, more: &str) -> Expect {
    let source = Source::inline("app.tgz", b"archive".to_vec());
    case(name, &format!("unarchive: {{dest: /srv{more}}}")).arg("src", Value::Source(source))
}

pub(crate) fn cases() -> Vec<Expect> {
    vec![
        local("UA-01 a first archive", "")
            .on(host())
            .changes(["/srv: null -> \"app.tgz\""]),
        local("UA-01 it is unpacked", "").on(unpacked("archive", None)),
        local("UA-01 another archive", "")
            .on(unpacked("old", None))
            .changes(["/srv: \"another archive\" -> \"app.tgz\""]),
        local("UA-02 what it creates is there", ", creates: /srv/app").on(host().dir("/srv/app")),
        local("UA-03 a member is gone", "")
            .on(unpacked("archive", Some("./a")))
            .changes(["/srv: \"./a differ\" -> \"app.tgz\""]),
        local("UA-06 an owner", ", owner: '0', mode: u=rwX")
            .on(unpacked("archive", None))
            .changes(["/srv: \"with another owner, group or mode\" -> \"app.tgz\""]),
        local("UA-08 a mode that is none", ", mode: u+rwz").refused("u+rwz"),
        local("UA-09 no such directory", "")
            .on(host().file("/x", ""))
            .arg("dest", Value::from("/none"))
            .not_yet("the directory `/none`"),
        local("UA-09 a link to a file", "")
            .on(host().file("/f", "").link("/l", "/f"))
            .arg("dest", Value::from("/l"))
            .refused("`/l` is not a directory"),
        local("UA-18 a relative directory", "")
            .on(host().dir("/root/app"))
            .arg("dest", Value::from("app"))
            .changes(["/root/app: null -> \"app.tgz\""])
            .rounds(2, "where the home is has to be asked first")
            .warns("is relative"),
        case(
            "UA-01 an address, on a host with neither curl nor wget",
            "unarchive: {src: 'http://web/app.tgz', dest: /srv, remote_src: true}",
        )
        .on(bare().serves("http://web/app.tgz", "archive"))
        .changes(["/srv: null -> \"http://web/app.tgz\""]),
        local("UA-10 an empty archive", "")
            .arg(
                "src",
                Value::Source(Source::inline("app.tgz", Vec::<u8>::new())),
            )
            .refused("`app.tgz` is an empty file"),
        local("UA-11 include and exclude", ", include: [a], exclude: [b]")
            .refused("exclude each other"),
        local(
            "UA-11 an option that writes elsewhere",
            ", extra_opts: [-P]",
        )
        .refused("would write elsewhere"),
        case(
            "UA-16 a file of the host",
            "unarchive: {src: /srv/a.tgz, dest: /srv, remote_src: true}",
        )
        .on(host().file("/srv/a.tgz", "archive"))
        .changes(["/srv: null -> \"/srv/a.tgz\""]),
        case(
            "UA-16 a file of the host that is not there",
            "unarchive: {src: /srv/a.tgz, dest: /srv, remote_src: true}",
        )
        .on(host())
        .not_yet("the archive `/srv/a.tgz` on the host"),
    ]
}
