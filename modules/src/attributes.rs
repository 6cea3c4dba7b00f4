//! Owner, group and mode of paths, as tasks want them.

use evenkeel_engine::{
    Action, Attrs, Change, NotYet,
    probes::{FileStat, Group, Kind, Stat, User, Whoami},
};
use serde::{Deserialize, Serialize};

use crate::{look::Look, mode::Mode, paths};

/// Owner, group and mode that a task names.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wanted<'a> {
    pub(crate) owner: Option<&'a str>,
    pub(crate) group: Option<&'a str>,
    pub(crate) mode: Option<&'a Mode>,
}

impl Wanted<'_> {
    /// Notes the questions that every plan with these asks.
    pub(crate) fn ask(&self, look: &Look<'_>) {
        if let Some(owner) = self.owner {
            look.ask(&User(owner.to_owned()));
        }
        if let Some(group) = self.group {
            look.ask(&Group(group.to_owned()));
        }
    }

    /// Owner's and group's numbers; an account that does not exist may be made by an earlier task.
    pub(crate) fn numbers(&self, look: &Look<'_>) -> Result<(Option<u32>, Option<u32>), NotYet> {
        let number = |text: &str, known: Option<u32>, what: &str| {
            known
                .or_else(|| text.parse().ok())
                .ok_or_else(|| NotYet(format!("the {what} `{text}`")))
        };
        let uid = match self.owner {
            Some(owner) => {
                let account = look.get(&User(owner.to_owned()))?;
                let known = account.as_ref().map(|account| account.uid);
                Some(number(owner, known, "user")?)
            }
            None => None,
        };
        let gid = match self.group {
            Some(group) => {
                let entry = look.get(&Group(group.to_owned()))?;
                let known = entry.as_ref().map(|entry| entry.1);
                Some(number(group, known, "group")?)
            }
            None => None,
        };
        Ok((uid, gid))
    }

    /// For something new whose bits would be `base`.
    pub(crate) fn fresh(
        &self,
        look: &Look<'_>,
        base: u32,
        directory: bool,
    ) -> Result<Attrs, NotYet> {
        self.numbers(look)?;
        Ok(self.attrs(self.mode.map(|mode| mode.apply(base, directory))))
    }

    /// All that is wanted, with these bits.
    pub(crate) fn attrs(&self, mode: Option<u32>) -> Attrs {
        Attrs {
            owner: self.owner.map(ToOwned::to_owned),
            group: self.group.map(ToOwned::to_owned),
            mode,
            ..Attrs::default()
        }
    }

    /// The bits wanted; a link has none of its own.
    pub(crate) fn bits(&self, stat: &FileStat) -> Option<u32> {
        if matches!(stat.kind, Kind::Link(_)) {
            return None;
        }
        let directory = stat.kind == Kind::Directory;
        Some(self.mode?.apply(stat.mode, directory))
    }

    /// What differs, in the order owner, group, mode; without steps.
    pub(crate) fn differences(
        &self,
        look: &Look<'_>,
        stat: &FileStat,
    ) -> Result<Vec<Difference>, NotYet> {
        let (uid, gid) = self.numbers(look)?;
        let bits = self.bits(stat);
        // Whoever gives a file away takes these bits from it, so they are set again.
        let again = bits.filter(|bits| bits & 0o6000 != 0);
        let mut found = Vec::new();
        if let Some(owner) = self.owner.filter(|_| uid != Some(stat.uid)) {
            found.push(Difference {
                what: "owner",
                before: shown(&stat.owner, stat.uid),
                after: owner.to_owned(),
                attrs: Attrs {
                    owner: Some(owner.to_owned()),
                    mode: again,
                    ..Attrs::default()
                },
            });
        }
        if let Some(group) = self.group.filter(|_| gid != Some(stat.gid)) {
            found.push(Difference {
                what: "group",
                before: shown(&stat.group, stat.gid),
                after: group.to_owned(),
                attrs: Attrs {
                    group: Some(group.to_owned()),
                    mode: again,
                    ..Attrs::default()
                },
            });
        }
        if let Some(bits) = bits.filter(|bits| *bits != stat.mode) {
            found.push(Difference {
                what: "mode",
                before: format!("{:04o}", stat.mode),
                after: format!("{bits:04o}"),
                attrs: Attrs {
                    mode: Some(bits),
                    ..Attrs::default()
                },
            });
        }
        Ok(found)
    }

    /// What differs at a path, with the steps that close it.
    pub(crate) fn changes(
        &self,
        look: &Look<'_>,
        path: &str,
        stat: &FileStat,
    ) -> Result<Vec<Change>, NotYet> {
        let found = self.differences(look, stat)?;
        Ok(found
            .into_iter()
            .map(|difference| {
                let attrs = difference.attrs.clone();
                difference.change().step(Action::Attrs {
                    path: path.to_owned(),
                    attrs,
                    follow: false,
                    recurse: false,
                })
            })
            .collect())
    }
}

/// One attribute that differs.
#[derive(Clone, Debug)]
pub(crate) struct Difference {
    pub(crate) what: &'static str,
    pub(crate) before: String,
    pub(crate) after: String,
    pub(crate) attrs: Attrs,
}

impl Difference {
    pub(crate) fn change(self) -> Change {
        Change::new(self.what, self.before, self.after)
    }
}

/// A name, or the number of what has none.
pub(crate) fn shown(name: &str, number: u32) -> String {
    if name == "UNKNOWN" {
        number.to_string()
    } else {
        name.to_owned()
    }
}

/// Asks what the engine needs to foretell a new entry in a directory.
pub(crate) fn ask_parent(look: &Look<'_>, path: &str) {
    look.ask(&Whoami);
    if let Some(dir) = paths::parent(path) {
        // How far its links lead is found out as far as it can be.
        drop(paths::follow(dir, look));
    }
}

/// Whether the directory of a path is there; it may be made by an earlier task.
pub(crate) fn parent_exists(look: &Look<'_>, path: &str) -> Result<(), NotYet> {
    let Some(dir) = paths::parent(path) else {
        return Ok(());
    };
    let end = paths::follow(dir, look)?;
    match look.get(&Stat(end))?.as_ref().map(|stat| &stat.kind) {
        Some(Kind::Directory) => Ok(()),
        _ => Err(NotYet(format!("the directory `{dir}`"))),
    }
}

/// Makes the directories above a path that are missing, nearest last; each gets `wanted`.
pub(crate) fn missing_directories(
    look: &Look<'_>,
    dirs: impl Iterator<Item = String>,
    wanted: Wanted<'_>,
) -> Result<Vec<Change>, NotYet> {
    let attrs = wanted.fresh(look, 0o777 & !crate::mode::UMASK, true)?;
    let mut changes = Vec::new();
    for path in dirs {
        if look.get(&Stat(path.clone()))?.is_none() {
            let attrs = attrs.clone();
            let change = Change::new("directory", None::<String>, path.clone());
            changes.push(change.step(Action::Directory { path, attrs }));
        }
    }
    changes.reverse();
    Ok(changes)
}

/// What results say of a path.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Attributes {
    /// `file`, `directory`, `link`, `other` or `absent`.
    pub state: String,
    /// Permission bits, as `0644`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// Owner's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Group's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Owner's number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<u32>,
    /// Group's number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gid: Option<u32>,
}

impl Attributes {
    pub(crate) fn of(stat: Option<&FileStat>) -> Self {
        let Some(stat) = stat else {
            return Self {
                state: "absent".to_owned(),
                ..Self::default()
            };
        };
        Self {
            state: kind_name(&stat.kind).to_owned(),
            mode: Some(format!("{:04o}", stat.mode)),
            owner: Some(stat.owner.clone()),
            group: Some(stat.group.clone()),
            uid: Some(stat.uid),
            gid: Some(stat.gid),
        }
    }
}

/// What a path is, in one word.
pub(crate) fn kind_name(kind: &Kind) -> &'static str {
    match kind {
        Kind::File => "file",
        Kind::Directory => "directory",
        Kind::Link(_) => "link",
        Kind::Other(_) => "other",
    }
}
