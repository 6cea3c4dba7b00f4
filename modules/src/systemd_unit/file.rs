//! The file of a unit: where it is, what it says, and how it gets there.

use evenkeel_engine::{
    Change, Content, Stop,
    probes::{Ask, Kind, Stat},
};

use super::{Args, Scope, UnitState};
use crate::{
    attributes::{self, Wanted},
    look::Look,
    mode::Mode,
    paths,
    put::{self, Put, Target},
};

/// The directory of the files of those who keep the host.
pub(super) fn directory(scope: Scope) -> &'static str {
    match scope {
        Scope::System => "/etc/systemd/system",
        Scope::User => "~/.config/systemd/user",
    }
}

/// The file of a unit: of an instance, that of its template.
pub(super) fn name(unit: &str) -> String {
    template(unit).unwrap_or_else(|| unit.to_owned())
}

/// The template of an instance.
pub(super) fn template(unit: &str) -> Option<String> {
    let (stem, rest) = unit.split_once('@')?;
    let (_, suffix) = rest.rsplit_once('.')?;
    Some(format!("{stem}@.{suffix}"))
}

/// The changes that put the file in its place; nothing if it is as it is wanted, or not asked for.
pub(super) fn changes(args: &Args, look: &Look<'_>) -> Result<Vec<Change>, Stop> {
    let Some(content) = &args.content else {
        return Ok(Vec::new());
    };
    let dir = paths::absolute(directory(args.scope), look)?;
    let name = name(&args.unit().name);
    let path = paths::join(&dir, &name);
    // What is secret is read by systemd alone.
    let secret = content.get().is_ok_and(crate::copy::Body::is_secret);
    let mode = Mode::bits(if secret { 0o600 } else { 0o644 });
    let wanted = Wanted {
        owner: None,
        group: None,
        mode: Some(&mode),
    };
    wanted.ask(look);
    Put::ask(look, &path);
    let content = content.get().map(crate::copy::Body::content);
    let put = Put {
        wanted,
        force: true,
        backup: false,
        validate: (args.verify != Some(false)).then(|| validator(args.scope, &name)),
    };
    if args.scope == Scope::User {
        // Which of them are there is asked at once.
        for level in std::iter::once(dir.as_str()).chain(paths::ancestors(&dir)) {
            look.ask(&Stat(level.to_owned()));
            attributes::ask_parent(look, level);
        }
    }
    let missing = put::missing_levels(look, &dir)?;
    let target = Target {
        path: path.clone(),
        asked: path,
        missing,
    };
    let all = target.missing.iter().cloned();
    let mut changes = attributes::missing_directories(
        look,
        all,
        Wanted {
            mode: None,
            ..wanted
        },
    )?;
    changes.extend(put.changes(look, &target, &content)?);
    Ok(changes)
}

/// systemd judges a file by its name, and the new file has another one until it takes its place.
/// What it says about other units is of no interest.
fn validator(scope: Scope, name: &str) -> Vec<String> {
    let scope = match scope {
        Scope::System => "--system",
        Scope::User => "--user",
    };
    [
        "sh",
        "-c",
        VERIFY,
        "systemd-analyze verify",
        scope,
        name,
        "%s",
    ]
    .map(str::to_owned)
    .to_vec()
}

const VERIFY: &str = r#"
command -v systemd-analyze >/dev/null 2>&1 || exit 0
umask 077
dir=$(mktemp -d) || exit 1
trap 'rm -rf -- "$dir"' EXIT
cp -- "$3" "$dir/$2" || exit 1
chmod 0644 "$dir/$2"
LC_ALL=C SYSTEMD_LOG_LEVEL=notice systemd-analyze "$1" verify --man=no "$dir/$2" >"$dir/said" 2>&1 </dev/null && exit 0
sed "s|$dir/||g" "$dir/said" >&2
exit 1
"#;

/// What is wrong with the file of a unit: what systemd knows of it is less than it says when it reads it.
pub(super) fn verify(scope: &str, name: &str) -> Ask {
    let line = r#"LC_ALL=C systemd-analyze "--$1" verify --man=no -- "$2" 2>&1 | head -n 3"#;
    Ask::new(["sh", "-c", line, "sh", scope, name])
}

/// What systemd will know of a unit whose file is new, or was changed. `None`: nobody can say yet
/// what the file holds.
pub(super) fn foretold(content: Option<&Content>, before: &UnitState) -> UnitState {
    let text = match content {
        Some(Content::Plain(bytes)) => Some(String::from_utf8_lossy(bytes)),
        Some(Content::Secret(secret)) => Some(String::from_utf8_lossy(secret.reveal())),
        _ => None,
    };
    let says = |key: &str| {
        let lines = text.iter().flat_map(|text| text.lines());
        lines
            .filter_map(|line| {
                line.trim()
                    .strip_prefix(key)?
                    .trim_start()
                    .strip_prefix('=')
            })
            .map(str::trim)
            .next_back()
    };
    let installs = text.is_none()
        || ["WantedBy", "RequiredBy", "UpheldBy", "Alias", "Also"]
            .iter()
            .any(|key| says(key).is_some());
    let passing = match (says("Type"), says("RemainAfterExit")) {
        (Some("oneshot"), remain) => {
            !remain.is_some_and(|word| ["yes", "true", "on", "1"].contains(&word))
        }
        _ if text.is_some() => false,
        _ => before.passing,
    };
    let enabled = match before.enabled.as_str() {
        now @ ("enabled" | "enabled-runtime") if installs => now,
        _ if installs => "disabled",
        _ => "static",
    };
    let active = if before.active.is_empty() {
        "inactive"
    } else {
        &before.active
    };
    UnitState {
        load: "loaded".to_owned(),
        error: String::new(),
        active: active.to_owned(),
        enabled: enabled.to_owned(),
        stale: true,
        passing,
        sysv: false,
    }
}

/// Whether there is a file for a unit.
pub(super) fn on_disk(scope: Scope, name: &str, look: &Look<'_>) -> Result<Option<String>, Stop> {
    let mut dirs = match scope {
        Scope::System => {
            vec![
                "/etc/systemd/system",
                "/run/systemd/system",
                "/usr/lib/systemd/system",
                "/lib/systemd/system",
            ]
        }
        Scope::User => vec!["/etc/systemd/user", "/usr/lib/systemd/user"],
    };
    let own;
    if scope == Scope::User {
        own = paths::absolute(directory(scope), look)?;
        dirs.insert(0, &own);
    }
    let template = template(name);
    let names: Vec<&str> = [Some(name), template.as_deref()]
        .into_iter()
        .flatten()
        .collect();
    let paths = dirs
        .iter()
        .flat_map(|dir| names.iter().map(move |name| format!("{dir}/{name}")));
    let probes: Vec<_> = paths.map(Stat).collect();
    for probe in &probes {
        look.ask(probe);
    }
    for probe in probes {
        if look.get(&probe)?.is_some() {
            return Ok(Some(probe.0));
        }
    }
    Ok(None)
}

/// Whether a file of the unit's own stands where a mask would be.
pub(super) fn stands_in_the_way(args: &Args, look: &Look<'_>) -> Result<Option<String>, Stop> {
    let path = paths::join(
        &paths::absolute(directory(args.scope), look)?,
        &args.unit().name,
    );
    let stat = look.get(&Stat(path.clone()))?;
    Ok(stat
        .as_ref()
        .filter(|stat| stat.kind == Kind::File)
        .map(|_| path))
}
