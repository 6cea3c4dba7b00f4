//! `stat`.

use evenkeel_engine::{download::Algorithm, fake::FakeHost, hex, sha256};
use evenkeel_modules::{
    Sum,
    stat::{Detail, Details},
};

use crate::support::{Expect, case};

/// Together, these set every argument there is, none to its default.
pub(crate) const SAMPLES: &[&str] = &[
    "stat: {path: /f, follow: true, get_checksum: false, checksum_algorithm: md5, \
     get_mime: false, get_attributes: false}",
];

/// Of `text`.
const SHA1: &str = "372ea08cab33e71c02c651dbc83a474d32c676ea";

fn host() -> FakeHost {
    FakeHost::new()
        .file("/srv/f", "text")
        .mode("/srv/f", 0o4750)
        .link("/srv/l", "f")
        .model(|world, probe: &Details| {
            Ok(world.stat(&probe.0).map(|_| Detail {
                size: 4,
                ..Detail::default()
            }))
        })
        .model(|world, probe: &Sum| {
            let name = if probe.algorithm == Algorithm::Sha1 {
                SHA1.to_owned()
            } else {
                probe.algorithm.name().to_owned()
            };
            Ok(world.text(&probe.path).map(|_| name))
        })
}

pub(crate) fn cases() -> Vec<Expect> {
    let sha = format!("\"{SHA1}\"");
    vec![
        case("a file", "stat: {path: /srv/f}")
            .on(host())
            .gives("stat.exists", "true")
            .gives("stat.isreg", "true")
            .gives("stat.isdir", "false")
            .gives("stat.mode", "\"4750\"")
            .gives("stat.isuid", "true")
            .gives("stat.xoth", "false")
            .gives("stat.pw_name", "\"root\"")
            .gives("stat.size", "4")
            .gives("stat.checksum", &sha),
        case("no checksum", "stat: {path: /srv/f, get_checksum: no}")
            .on(host())
            .gives("stat.checksum", "nothing"),
        case("a link", "stat: {path: /srv/l}")
            .on(host())
            .gives("stat.islnk", "true")
            .gives("stat.lnk_target", "\"f\"")
            .gives("stat.lnk_source", "\"/srv/f\"")
            .gives("stat.checksum", "nothing"),
        case(
            "what a link points to",
            "ansible.builtin.stat: {path: /srv/l, follow: true}",
        )
        .rounds(2, "the link, then what it leads to")
        .on(host())
        .gives("stat.isreg", "true")
        .gives("stat.path", "\"/srv/l\"")
        .gives("stat.checksum", &sha),
        case("nothing", "stat: {path: /srv/no}")
            .on(host())
            .gives("stat", "{\"exists\":false}"),
        case(
            "another checksum",
            "stat: {path: /srv/f, checksum_algorithm: md5}",
        )
        .on(host())
        .gives("stat.checksum", "\"md5\""),
        case(
            "the checksum that is foretold",
            "stat: {path: /srv/f, checksum_algorithm: sha256}",
        )
        .on(host())
        .gives("stat.checksum", &format!("\"{}\"", hex(&sha256(b"text")))),
        case(
            "no algorithm",
            "stat: {path: /srv/f, checksum_algorithm: crc}",
        )
        .refused("`checksum_algorithm: crc` is not known"),
    ]
}
