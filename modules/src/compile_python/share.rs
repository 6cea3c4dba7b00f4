//! One build for all hosts that are alike.

use evenkeel_engine::{
    Action, Content, Fetch, NotYet, Run, Source, Step, Stop, Write, hex,
    keep::{KeptFile, KeptPlace},
    probes::Ask,
    sha256,
};

use super::{Args, decide::build};
use crate::{download::script, look::Look};

/// What has to be the same on two hosts, so that what one compiled runs on the other.
const PLATFORM: &str = r#"
[ ! -r /etc/os-release ] || . /etc/os-release
printf '%s\n' "${ID-} ${VERSION_ID-}" "$(uname -sm)"
getconf GNU_LIBC_VERSION 2>/dev/null || ldd --version 2>&1 | head -n 1"#;

/// Asks what the host is like, if builds are shared.
pub(super) fn ask(args: &Args, look: &Look<'_>) {
    if args.share_build.is_some() {
        look.ask(&platform());
    }
}

fn platform() -> Ask {
    Ask::new(["sh", "-c", PLATFORM])
}

/// Where builds for hosts like this one are kept; nothing if they are not shared.
pub(super) fn place(args: &Args, look: &Look<'_>) -> Result<Option<KeptPlace>, NotYet> {
    let Some(dir) = &args.share_build else {
        return Ok(None);
    };
    let host = look.get(&platform())?;
    let key = format!("{}\n{}", host.stdout.trim(), args.stamp());
    let key = &hex(&sha256(key.as_bytes()))[..16];
    Ok(Some(KeptPlace {
        dir: dir.clone(),
        name: format!("python-{}-{key}.tar.gz", args.version),
    }))
}

/// The build that is kept there.
pub(super) fn kept(place: &KeptPlace, look: &Look<'_>) -> Result<Option<Source>, Stop> {
    let kept = look.get(&KeptFile(place.clone()))?;
    kept.clone()
        .map_err(|why| Stop::refused(format!("no build can be kept at `{}`: {why}", place.path())))
}

/// The pack of a build on the host.
pub(super) fn pack(args: &Args) -> String {
    format!("{}/shared.tar.gz", args.work())
}

/// Notes that a build is finished: nothing of it is needed any more.
const FINISH: &str = r#"
shift
{ printf '%s\n' "$3" >"$2.new" && sync -f -- "$2.new" && mv -f -- "$2.new" "$2"; } || exit 1
rm -rf -- "$1/tree" "$1/state" "$1/shared.tar.gz"
"#;

/// Brings what another host compiled.
pub(super) fn carried(args: &Args, source: Source) -> Vec<Step> {
    let path = pack(args);
    let write = Write {
        path: path.clone(),
        content: Content::Source(source),
        ..Write::default()
    };
    vec![
        Action::Write(write).into(),
        build(args, path.clone(), Some("EK_CARRY")),
        Action::Remove { path }.into(),
        finish(args),
    ]
}

/// Notes that it is finished.
pub(super) fn finish(args: &Args) -> Step {
    let words = [args.work(), args.stamp_path(), args.stamp()];
    let (argv, stdin) = script("finish", FINISH, words, &Content::default());
    Step::from(Run {
        stdin,
        ..Run::new(argv)
    })
}

/// Keeps what the host has packed; only then the build is finished.
pub(super) fn keep(args: &Args, place: KeptPlace) -> [Step; 2] {
    let fetch = Fetch {
        path: pack(args),
        digest: None,
        len: None,
        to: place,
        alike: true,
    };
    [Action::Fetch(fetch).into(), finish(args)]
}
