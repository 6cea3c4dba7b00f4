//! All that is below a directory.

use std::collections::BTreeMap;

use evenkeel_engine::{
    Action, Attrs, Change, Effect, NotYet, Probe, Run, Step, Thing,
    probes::{FileStat, Kind},
};

use crate::{attributes::Wanted, look::Look};

/// What is below a directory, links not followed: paths and what they are. Nothing if it is no
/// directory. What a link holds is left out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Below(pub String);

impl Probe for Below {
    const KIND: &'static str = "below";
    // Parameters are local to a function, so that it can call itself; names of variables are not.
    // What one call of a program takes is bounded, so that entries are handed over in blocks.
    const SCRIPT: &'static str = r#"
ek_i=0 ek_block=
while [ $ek_i -lt 256 ]; do
  ek_i=$((ek_i + 1))
  ek_block="$ek_block \"\${$ek_i}\""
done
ek_stats() {
  while [ $# -gt 256 ]; do
    eval "stat --printf \"\$ek_format\" -- $ek_block" 2>/dev/null
    shift 256
  done
  stat --printf "$ek_format" -- "$@" 2>/dev/null
}
ek_below() {
  set -- "$1"/* "$1"/.[!.]* "$1"/..?*
  ek_stats "$@"
  for ek_e in "$@"; do
    if [ -d "$ek_e" ] && [ ! -L "$ek_e" ]; then ek_below "$ek_e"; fi
  done
}
ek_n=0
for ek_d in "$@"; do
  ek_n=$((ek_n + 1))
  [ -d "$ek_d" ] && [ ! -L "$ek_d" ] || continue
  printf '%s|%s\0' "$ek_n" "$ek_d"
  ek_format="%f|%u|%g|%U|%G|$ek_n|%n\0"
  ek_below "$ek_d"
done"#;
    type Answer = Option<BTreeMap<String, FileStat>>;

    fn operands(&self) -> Vec<Vec<u8>> {
        vec![self.0.clone().into_bytes()]
    }

    fn parse(batch: &[&Self], output: &[u8]) -> Result<Vec<Result<Self::Answer, NotYet>>, String> {
        let mut tops: BTreeMap<String, BTreeMap<String, FileStat>> = BTreeMap::new();
        let mut names: BTreeMap<String, String> = BTreeMap::new();
        for record in output.split(|byte| *byte == 0).filter(|r| !r.is_empty()) {
            let text = String::from_utf8_lossy(record);
            let fields: Vec<&str> = text.splitn(7, '|').collect();
            if let [raw, uid, gid, owner, group, number, path] = fields[..]
                && let Some(entries) = names.get(number).and_then(|top| tops.get_mut(top))
                && let Some(stat) = stat_of(raw, uid, gid, owner, group)
            {
                entries.insert(path.to_owned(), stat);
                continue;
            }
            let (number, top) = text.split_once('|').ok_or_else(|| text.to_string())?;
            names.insert(number.to_owned(), top.to_owned());
            tops.insert(top.to_owned(), BTreeMap::new());
        }
        Ok(batch
            .iter()
            .map(|below| Ok(tops.get(&below.0).cloned()))
            .collect())
    }

    fn expected(&self, _: &Self::Answer) -> Option<Vec<u8>> {
        // In what order a directory lists its entries depends on the locale.
        None
    }

    fn reads(&self) -> Vec<Thing> {
        vec![Thing::Tree(self.0.clone())]
    }
}

fn stat_of(raw: &str, uid: &str, gid: &str, owner: &str, group: &str) -> Option<FileStat> {
    let raw = u32::from_str_radix(raw, 16).ok()?;
    Some(FileStat {
        kind: match raw & 0o170_000 {
            0o100_000 => Kind::File,
            0o040_000 => Kind::Directory,
            0o120_000 => Kind::Link(String::new()),
            other => Kind::Other(other),
        },
        mode: raw & 0o7777,
        uid: uid.parse().ok()?,
        gid: gid.parse().ok()?,
        owner: owner.to_owned(),
        group: group.to_owned(),
    })
}

/// What differs below a directory, each attribute closed by one recursive step.
pub(crate) fn changes(
    wanted: Wanted<'_>,
    look: &Look<'_>,
    dir: &str,
) -> Result<Vec<Change>, NotYet> {
    let probe = Below(dir.to_owned());
    let Some(below) = look.get(&probe)? else {
        return Ok(Vec::new());
    };
    let mut now = below.clone();
    let mut changes = Vec::new();
    for (what, attribute) in [("owner", Named::Owner), ("group", Named::Group)] {
        let alone = attribute.only(wanted);
        let Some(after) = attribute.name(wanted) else {
            continue;
        };
        let number = attribute.number(wanted, look)?;
        let differing = now
            .values()
            .filter(|stat| Some(attribute.of(stat)) != number);
        let count = differing.count();
        if count == 0 {
            continue;
        }
        for stat in now.values_mut() {
            attribute.set(stat, after, number);
        }
        let action = Action::Attrs {
            path: dir.to_owned(),
            attrs: alone,
            follow: false,
            recurse: true,
        };
        changes.push(change(what, count, after).step(foretold(action, &probe, &now)));
    }
    if let Some(mode) = wanted.mode {
        let bits = |stat: &FileStat| match stat.kind {
            Kind::Link(_) => stat.mode,
            _ => mode.apply(stat.mode, stat.kind == Kind::Directory),
        };
        let count = now.values().filter(|stat| bits(stat) != stat.mode).count();
        if count > 0 {
            for stat in now.values_mut() {
                stat.mode = bits(stat);
            }
            // Each entry gets bits of its own, so `chmod` works them out.
            let text = format!("{mode:?}");
            let action = match mode.exact() {
                Some(bits) => Action::Attrs {
                    path: dir.to_owned(),
                    attrs: Attrs {
                        mode: Some(bits),
                        ..Attrs::default()
                    },
                    follow: false,
                    recurse: true,
                },
                None => Action::Run(Run::new(["chmod", "-R", "--", &text, dir])),
            };
            changes.push(change("mode", count, &text).step(foretold(action, &probe, &now)));
        }
    }
    Ok(changes)
}

fn change(what: &str, count: usize, after: &str) -> Change {
    let differ = if count == 1 { "differs" } else { "differ" };
    Change::new(format!("{what} below"), format!("{count} {differ}"), after)
}

fn foretold(action: Action, probe: &Below, now: &BTreeMap<String, FileStat>) -> Step {
    Step::from(action).effect(Effect::new(probe.clone(), Some(now.clone())))
}

/// Owner or group.
#[derive(Clone, Copy)]
enum Named {
    Owner,
    Group,
}

impl Named {
    fn name(self, wanted: Wanted<'_>) -> Option<&str> {
        match self {
            Self::Owner => wanted.owner,
            Self::Group => wanted.group,
        }
    }

    fn number(self, wanted: Wanted<'_>, look: &Look<'_>) -> Result<Option<u32>, NotYet> {
        let (uid, gid) = wanted.numbers(look)?;
        Ok(match self {
            Self::Owner => uid,
            Self::Group => gid,
        })
    }

    fn of(self, stat: &FileStat) -> u32 {
        match self {
            Self::Owner => stat.uid,
            Self::Group => stat.gid,
        }
    }

    fn only(self, wanted: Wanted<'_>) -> Attrs {
        let name = self.name(wanted).map(ToOwned::to_owned);
        match self {
            Self::Owner => Attrs {
                owner: name,
                ..Attrs::default()
            },
            Self::Group => Attrs {
                group: name,
                ..Attrs::default()
            },
        }
    }

    /// As `chown` does, which takes setuid and setgid from files.
    fn set(self, stat: &mut FileStat, name: &str, number: Option<u32>) {
        match self {
            Self::Owner => {
                name.clone_into(&mut stat.owner);
                stat.uid = number.unwrap_or(stat.uid);
            }
            Self::Group => {
                name.clone_into(&mut stat.group);
                stat.gid = number.unwrap_or(stat.gid);
            }
        }
        if stat.kind == Kind::File {
            stat.mode &= !0o4000;
            if stat.mode & 0o010 != 0 {
                stat.mode &= !0o2000;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked_by(shell: &str, dirs: &[&str]) -> Vec<Option<BTreeMap<String, FileStat>>> {
        let script = format!("ek_f() {{ {}\n}}; ek_f \"$@\"", Below::SCRIPT);
        let output = std::process::Command::new(shell)
            .args(["-c", &script, "sh"])
            .args(dirs)
            .output()
            .unwrap();
        let batch: Vec<_> = dirs.iter().map(|dir| Below((*dir).to_owned())).collect();
        let answers = Below::parse(&batch.iter().collect::<Vec<_>>(), &output.stdout).unwrap();
        answers.into_iter().map(Result::unwrap).collect()
    }

    #[test]
    fn the_script_finds_all_that_is_below() {
        let temp = tempfile::tempdir().unwrap();
        let dir = temp.path().to_str().unwrap();
        for name in ["a/b", "a|c", "e"] {
            std::fs::create_dir_all(temp.path().join(name)).unwrap();
        }
        for name in ["a/.hidden", "a/b/f\ng", "a|c/$(x) *"] {
            std::fs::write(temp.path().join(name), "").unwrap();
        }
        std::os::unix::fs::symlink("a", temp.path().join("link")).unwrap();
        std::os::unix::fs::symlink("gone", temp.path().join("dangling")).unwrap();
        let (file, empty) = (format!("{dir}/a/.hidden"), format!("{dir}/e"));
        for shell in ["dash", "bash"] {
            let answers = asked_by(shell, &[dir, &empty, &file, "/no/such"]);
            let [Some(all), Some(none), None, None] = &answers[..] else {
                panic!("{answers:?}");
            };
            let names: Vec<_> = all.keys().map(|path| &path[dir.len()..]).collect();
            let wanted = [
                "/a",
                "/a/.hidden",
                "/a/b",
                "/a/b/f\ng",
                "/a|c",
                "/a|c/$(x) *",
                "/dangling",
                "/e",
                "/link",
            ];
            assert_eq!(names, wanted, "{shell}");
            assert!(none.is_empty());
            assert_eq!(all[&format!("{dir}/link")].kind, Kind::Link(String::new()));
            assert_eq!(all[&format!("{dir}/a")].kind, Kind::Directory);
        }
    }

    #[test]
    fn the_script_finds_more_than_one_call_of_a_program_takes() {
        let temp = tempfile::tempdir().unwrap();
        let dir = temp.path().join("d".repeat(200));
        std::fs::create_dir(&dir).unwrap();
        for number in 0..12_000 {
            std::fs::write(dir.join(format!("{number:0>200}")), "").unwrap();
        }
        for shell in ["dash", "bash"] {
            let answers = asked_by(shell, &[temp.path().to_str().unwrap()]);
            assert_eq!(
                answers[0].as_ref().map(BTreeMap::len),
                Some(12_001),
                "{shell}"
            );
        }
    }
}
