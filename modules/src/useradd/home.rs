//! The home of a user that is there already.

use evenkeel_engine::{
    Change, Run, Step, Stop,
    probes::{Group, Stat},
};

use super::{Args, create};
use crate::{
    accounts::{Defaults, Entry},
    look::Look,
};

/// Made beside its place and then renamed, so that half a home is never taken for one; links in the
/// skeleton stay links, and nothing is reached through them.
const MAKE: &str = r#"
set -e
umask 077
mkdir -p -m 755 -- "${1%/*}/"
ek_new=$(mktemp -d -- "${1%/*}/.evenkeel.XXXXXXXX")
trap 'rm -rf -- "$ek_new"' EXIT
[ ! -d "$5" ] || cp -RPp -- "$5/." "$ek_new/"
chown -hR -- "$2:$3" "$ek_new"
chmod -- "$4" "$ek_new"
[ ! -e "$1" ] && [ ! -L "$1" ]
mv -- "$ek_new" "$1"
"#;

/// Where accounts live that are to have no home.
const NOWHERE: [&str; 3] = ["", "/", "/nonexistent"];

/// Makes the home of a user whose entry is there.
pub(super) fn missing(args: &Args, look: &Look<'_>, entry: &Entry) -> Result<Option<Change>, Stop> {
    if !args.create_home || NOWHERE.contains(&entry.home.as_str()) {
        return Ok(None);
    }
    if look.get(&Stat(entry.home.clone()))?.is_some() {
        return Ok(None);
    }
    let defaults = Defaults::seen(look)?;
    let group = look.get(&Group(entry.gid.to_string()))?;
    let group = group
        .as_ref()
        .map_or_else(|| "UNKNOWN".to_owned(), |(name, _)| name.clone());
    let mode = defaults.home_mode(args.umask());
    let skeleton = args.skeleton.clone().unwrap_or_else(|| defaults.skeleton());
    let numbers = [entry.uid, entry.gid].map(|number| number.to_string());
    let argv = [
        "sh",
        "-c",
        MAKE,
        "sh",
        &entry.home,
        &numbers[0],
        &numbers[1],
        &format!("{mode:04o}"),
        &skeleton,
    ];
    let step = Step::from(Run::new(argv)).effect(create::home_made(args, entry, &group, mode));
    Ok(Some(
        Change::new("home", None::<String>, entry.home.clone()).step(step),
    ))
}
