//! A file whose text is changed in places: what `lineinfile`, `blockinfile`, `replace`, `ini-file`
//! and their like have in common.

use evenkeel_engine::{
    Action, Attrs, Content, Done, Effect, NotYet, Plan, Secret, Seen, Stop, Thing, Touches, Value,
    hex,
    probes::{Contents, Digest, FileStat, Kind, Stat},
};
use serde::{Deserialize, Serialize};

use crate::{
    attributes::{self, Attributes, Wanted, kind_name},
    look::Look,
    paths,
    put::{self, Put, Target},
};

/// Which file, and how it is written.
#[derive(Clone, Debug)]
pub(crate) struct Rewrite<'a> {
    pub(crate) path: &'a str,
    /// What is done if it is not there.
    pub(crate) missing: Missing,
    /// Whether a link stays and what it leads to is changed; else a file takes its place.
    pub(crate) follow: bool,
    pub(crate) wanted: Wanted<'a>,
    /// The same of directories that are made above it.
    pub(crate) above: Wanted<'a>,
    pub(crate) backup: bool,
    pub(crate) validate: Option<&'a str>,
    /// Whether the new text is a secret as a whole.
    pub(crate) secret: bool,
}

/// What is done about a file that is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// It is as it should be.
    Fine,
    /// It is made, and the directories above it.
    Create,
    /// An earlier task may make it.
    Wait,
}

/// What `register` gives.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Rewritten {
    /// The file.
    pub path: String,
    /// SHA-256 of the file; left out if it took a secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<String>,
    /// What was done, in Ansible's words; empty if nothing.
    #[serde(default)]
    pub msg: String,
    /// Where the old text is, with `backup`, if it changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup_file: Option<String>,
    /// State, owner, group, mode.
    #[serde(flatten)]
    pub attributes: Attributes,
}

impl<'a> Rewrite<'a> {
    /// A file that is there, its links followed.
    pub(crate) fn new(path: &'a str) -> Self {
        Self {
            path,
            missing: Missing::Wait,
            follow: true,
            wanted: Wanted::default(),
            above: Wanted::default(),
            backup: false,
            validate: None,
            secret: false,
        }
    }

    /// What makes of its text what `edit` makes of it; nothing if it stays as it is.
    pub(crate) fn plan(
        &self,
        look: &Look<'_>,
        edit: impl FnOnce(&[u8]) -> Result<Option<Vec<u8>>, Stop>,
    ) -> Result<Plan, Stop> {
        self.wanted.ask(look);
        let path = paths::absolute(self.path, look)?;
        look.ask(&Contents(path.clone()));
        Put::ask(look, &path);
        if self.missing == Missing::Create {
            paths::ancestors(&path).for_each(|dir| look.ask(&Stat(dir.to_owned())));
        }
        let end = paths::follow_asking(&path, look, |end| {
            look.ask(&Digest(end.to_owned()));
            look.ask(&Contents(end.to_owned()));
        })?;
        look.ask(&Digest(end.clone()));
        match look.get(&Stat(end.clone()))? {
            None if self.missing == Missing::Fine => Ok(Plan::nothing()),
            None if self.missing == Missing::Wait => {
                Err(NotYet(format!("the file `{end}`")).into())
            }
            None => match edit(b"")? {
                Some(after) => self.create(look, path, end, after),
                None => Ok(Plan::nothing()),
            },
            Some(stat) if stat.kind == Kind::File => {
                let before = look
                    .get(&Contents(end.clone()))?
                    .as_ref()
                    .ok_or_else(|| NotYet(format!("what `{end}` holds")))?;
                let after = edit(before)?.filter(|after| after != before);
                match after {
                    Some(after) if !self.follow && path != end => {
                        self.in_place_of_link(look, &path, &end, stat, after)
                    }
                    after => {
                        let target = Target {
                            path: end,
                            asked: path,
                            missing: Vec::new(),
                        };
                        let content = self.content(after.unwrap_or_else(|| before.clone()));
                        Ok(self
                            .put(self.wanted)?
                            .changes(look, &target, &Ok(content))?
                            .into())
                    }
                }
            }
            Some(stat) => {
                let kind = kind_name(&stat.kind);
                Err(Stop::refused(format!("`{end}` is not a file: {kind}")))
            }
        }
    }

    /// Puts a field into the result, where the text changes.
    pub(crate) fn tell(plan: &mut Plan, name: &'static str, value: impl Into<Value>) {
        let mut changes = plan.changes.iter_mut();
        if let Some(change) = changes.find(|change| change.what == "content") {
            change.tells.push((name, value.into()));
        }
    }

    fn put<'b>(&self, wanted: Wanted<'b>) -> Result<Put<'b>, Stop> {
        Ok(Put {
            wanted,
            force: true,
            backup: self.backup,
            validate: self.validate.map(put::validator).transpose()?,
        })
    }

    fn content(&self, bytes: Vec<u8>) -> Content {
        if self.secret {
            Content::Secret(Secret::new(bytes))
        } else {
            bytes.into()
        }
    }

    fn create(
        &self,
        look: &Look<'_>,
        asked: String,
        path: String,
        after: Vec<u8>,
    ) -> Result<Plan, Stop> {
        let dir = paths::parent(&path).unwrap_or("/");
        let missing = put::missing_levels(look, &paths::follow(dir, look)?)?;
        let levels = missing.iter().cloned();
        let mut changes = attributes::missing_directories(look, levels, self.above)?;
        let target = Target {
            path,
            asked,
            missing,
        };
        let content = self.content(after);
        changes.extend(
            self.put(self.wanted)?
                .changes(look, &target, &Ok(content))?,
        );
        Ok(changes.into())
    }

    /// The file that takes a link's place, in one go, has the attributes of the one the link led to.
    fn in_place_of_link(
        &self,
        look: &Look<'_>,
        path: &str,
        end: &str,
        stat: &FileStat,
        after: Vec<u8>,
    ) -> Result<Plan, Stop> {
        let now = look.get(&Digest(end.to_owned()))?;
        let put = Put {
            backup: false,
            ..self.put(self.wanted)?
        };
        let mut changes = put.existing(look, path, stat, self.content(after))?;
        let Some(first) = changes.first_mut() else {
            return Ok(Plan::nothing());
        };
        for step in &mut first.steps {
            if let Action::Write(write) = &mut step.action {
                let Attrs {
                    owner, group, mode, ..
                } = &mut write.attrs;
                let kept = owner.is_none() && group.is_none();
                let bits = *mode.get_or_insert(stat.mode);
                owner.get_or_insert_with(|| attributes::shown(&stat.owner, stat.uid));
                group.get_or_insert_with(|| attributes::shown(&stat.group, stat.gid));
                if kept {
                    let new = FileStat {
                        mode: bits,
                        ..stat.clone()
                    };
                    step.effects
                        .push(Effect::new(Stat(path.to_owned()), Some(new)));
                }
            }
        }
        if let (true, Some(now)) = (self.backup, now) {
            let to = put::backup_of(path, *now);
            first.tells.push(("backup_file", to.as_str().into()));
            let from = end.to_owned();
            first.steps.insert(0, Action::Copy { from, to }.into());
        }
        Ok(changes.into())
    }

    /// What is said of the file afterwards.
    pub(crate) fn output(&self, after: &Seen, _: &[Done]) -> Result<Rewritten, Stop> {
        let look = Look::new(after);
        let path = paths::follow(&paths::absolute(self.path, &look)?, &look)?;
        let checksum = if self.secret {
            None
        } else {
            look.get(&Digest(path.clone()))?.map(|sha| hex(&sha))
        };
        let stat = look.get(&Stat(path.clone()))?.as_ref();
        Ok(Rewritten {
            attributes: Attributes::of(stat),
            checksum,
            path,
            ..Rewritten::default()
        })
    }

    /// What it touches.
    pub(crate) fn touches(&self) -> Touches {
        if self.validate.is_some() || !paths::is_absolute(self.path) {
            return Touches::everything();
        }
        let path = paths::clean(self.path);
        let mut writes = vec![Thing::Path(path.clone())];
        if self.missing == Missing::Create {
            let above = paths::ancestors(&path).filter(|dir| *dir != "/");
            writes.extend(above.map(|dir| Thing::Path(dir.to_owned())));
        }
        if self.backup {
            // The backup's name is known only when the old content is.
            let dir = paths::parent(&path).unwrap_or("/");
            writes.push(Thing::Tree(dir.to_owned()));
        }
        Touches::writes(writes)
    }
}
