//! What a path is.

mod details;

use evenkeel_engine::{
    Done, Late, Module, Nature, NotYet, Plan, Probes, Refusal, Seen, Stop, Touches,
    download::Algorithm,
    probes::{Kind, Stat as Path},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use details::{Detail, Details, Numbers};

use crate::{args::Unsupported, look::Look, paths, sums};

/// The module `stat`.
#[derive(Debug)]
pub struct Stat;

/// Arguments of `stat`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The path.
    #[serde(alias = "dest", alias = "name")]
    pub path: String,
    /// Whether it is about what a link points to.
    #[serde(default, skip_serializing_if = "crate::args::is_default")]
    pub follow: bool,
    /// Whether the result has the checksum of a file (the default).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub get_checksum: Option<bool>,
    /// Which checksum: `sha1` (the default), `md5`, `sha224`, `sha256`, `sha384` or `sha512`.
    #[serde(
        default,
        alias = "checksum",
        alias = "checksum_algo",
        skip_serializing_if = "Option::is_none"
    )]
    pub checksum_algorithm: Option<String>,
    /// Has no effect: the result has no `mimetype` and no `charset`.
    #[serde(
        default,
        alias = "mime",
        alias = "mime_type",
        alias = "mime-type",
        skip_serializing_if = "Option::is_none"
    )]
    pub get_mime: Option<bool>,
    /// Has no effect: the result has no `attributes`.
    #[serde(
        default,
        alias = "attr",
        alias = "attributes",
        skip_serializing_if = "Option::is_none"
    )]
    pub get_attributes: Option<bool>,
    /// Not supported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub get_selinux_context: Option<Unsupported>,
}

/// What `register` gives.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Output {
    /// What the path is.
    pub stat: Facts,
}

/// What a path is; of one that does not exist, only that.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct Facts {
    /// Whether there is anything.
    pub exists: bool,
    /// The rest.
    #[serde(flatten, default, skip_serializing_if = "Option::is_none")]
    pub there: Option<There>,
}

/// What a path is that exists.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct There {
    /// The path.
    pub path: String,
    /// A directory.
    pub isdir: bool,
    /// A regular file.
    pub isreg: bool,
    /// A symbolic link.
    pub islnk: bool,
    /// A block device.
    pub isblk: bool,
    /// A character device.
    pub ischr: bool,
    /// A named pipe.
    pub isfifo: bool,
    /// A socket.
    pub issock: bool,
    /// Permission bits, as `0644`.
    pub mode: String,
    /// Owner's number.
    pub uid: u32,
    /// Group's number.
    pub gid: u32,
    /// Owner's name.
    pub pw_name: String,
    /// Group's name.
    pub gr_name: String,
    /// Whether it is run as its owner.
    pub isuid: bool,
    /// Whether it is run as its group.
    pub isgid: bool,
    /// Whether the owner may read it; `wusr`, `xusr` and so on likewise.
    pub rusr: bool,
    /// Owner may write.
    pub wusr: bool,
    /// Owner may execute.
    pub xusr: bool,
    /// Group may read.
    pub rgrp: bool,
    /// Group may write.
    pub wgrp: bool,
    /// Group may execute.
    pub xgrp: bool,
    /// Others may read.
    pub roth: bool,
    /// Others may write.
    pub woth: bool,
    /// Others may execute.
    pub xoth: bool,
    /// Size, links, device, inode and times.
    #[serde(flatten)]
    pub numbers: Numbers,
    /// The checksum of a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<Late<String>>,
    /// What a link holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lnk_target: Option<String>,
    /// Where a link leads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lnk_source: Option<String>,
}

impl Module for Stat {
    const NAME: &'static str = "stat";
    const ALIASES: &'static [&'static str] = &["ansible.builtin.stat", "ansible.legacy.stat"];
    const NATURE: Nature = Nature::Passive;
    const ABOUT: &'static str = "says what a path is";
    const EXAMPLE: &'static str = "\
- name: look for the marker
  stat:
    path: /var/lib/app/initialised
  register: marker
";
    const CHANGED_WHEN: &'static str = "Never.";
    const LIMITS: &'static str = "\
        It reads no content, but for the checksum. What a file will have that a task before it writes is foretold of \
        `sha256` only: of others a plan says that it is not known yet.";
    type Args = Args;
    type Output = Output;

    fn check(args: &Args) -> Result<(), Refusal> {
        sums::checked(args.checksum_algorithm.as_deref()).map(drop)
    }

    fn observe(args: &Args, seen: &Seen) -> Probes {
        Look::observe(seen, |look| {
            // What cannot be known yet is no error while looking.
            drop(facts(args, look));
            Ok(Plan::nothing())
        })
    }

    fn plan(_: &Args, _: &Seen) -> Result<Plan, Stop> {
        Ok(Plan::nothing())
    }

    fn output(args: &Args, after: &Seen, _: &[Done]) -> Result<Output, Stop> {
        let stat = facts(args, &Look::new(after))?;
        Ok(Output { stat })
    }

    fn touches(_: &Args) -> Touches {
        Touches::nothing()
    }

    fn subject(args: &Args) -> String {
        args.path.clone()
    }
}

fn facts(args: &Args, look: &Look<'_>) -> Result<Facts, NotYet> {
    let checksum = args.get_checksum.unwrap_or(true);
    let algorithm = sums::checked(args.checksum_algorithm.as_deref()).unwrap_or(Algorithm::Sha1);
    let asked = paths::absolute(&args.path, look)?;
    let ask = |path: &str| {
        look.ask(&Path(path.to_owned()));
        look.ask(&Details(path.to_owned()));
        if checksum {
            sums::ask(look, algorithm, path);
        }
    };
    ask(&asked);
    let path = if args.follow {
        paths::follow_asking(&asked, look, ask)?
    } else {
        asked.clone()
    };
    ask(&path);
    let Some(stat) = look.get(&Path(path.clone()))? else {
        return Ok(Facts::default());
    };
    let other = match stat.kind {
        Kind::Other(bits) => bits,
        _ => 0,
    };
    let bit = |bit: u32| stat.mode & bit != 0;
    let known = look.get(&Details(path.clone()));
    let numbers =
        known.and_then(|known| known.ok_or_else(|| NotYet(format!("size and times of `{path}`"))));
    let (lnk_target, lnk_source) = match &stat.kind {
        Kind::Link(target) => (Some(target.clone()), Some(paths::joined(&path, target))),
        _ => (None, None),
    };
    let sha = if checksum && stat.kind == Kind::File {
        sums::get(look, algorithm, &path)
    } else {
        None
    };
    let there = There {
        path: asked,
        isdir: stat.kind == Kind::Directory,
        isreg: stat.kind == Kind::File,
        islnk: lnk_target.is_some(),
        isblk: other == 0o060_000,
        ischr: other == 0o020_000,
        isfifo: other == 0o010_000,
        issock: other == 0o140_000,
        mode: format!("{:04o}", stat.mode),
        uid: stat.uid,
        gid: stat.gid,
        pw_name: stat.owner.clone(),
        gr_name: stat.group.clone(),
        isuid: bit(0o4000),
        isgid: bit(0o2000),
        rusr: bit(0o400),
        wusr: bit(0o200),
        xusr: bit(0o100),
        rgrp: bit(0o040),
        wgrp: bit(0o020),
        xgrp: bit(0o010),
        roth: bit(0o004),
        woth: bit(0o002),
        xoth: bit(0o001),
        numbers: numbers.into(),
        checksum: sha,
        lnk_target,
        lnk_source,
    };
    Ok(Facts {
        exists: true,
        there: Some(there),
    })
}
