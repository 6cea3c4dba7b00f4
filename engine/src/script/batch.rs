//! Many small files at once.
//!
//! A file of its own costs five programs and a sync. Where a list of operations writes several
//! small files in a row, all of them are first made in directories beside their places, dressed,
//! held against one sum and synced by one program each; then one rename each puts them in place.
//! Until the first rename nothing has changed: if anything is not as planned, what was made is
//! thrown away, and the operations are carried out one by one, as if this had never been.

use std::collections::{BTreeMap, BTreeSet};

use super::{build::sum_of, steps::octal, text::Script};
use crate::{
    host::{HostError, Op},
    source::{Sha, hex},
    step::{Action, Write},
};

/// So few are not worth it.
const FEW: usize = 3;
/// So many files at most: their names are arguments of one program.
const MANY: usize = 400;
/// A file of more bytes travels by itself.
const SMALL: u64 = 16 * 1024;

/// A small file that takes part.
struct Small<'a> {
    at: usize,
    write: &'a Write,
    content: Vec<u8>,
    /// What is there now; nothing for a new file.
    was: Option<Sha>,
    stage: String,
    temp: String,
}

/// What a batch is made of.
pub(super) struct Batch<'a> {
    files: Vec<Small<'a>>,
    /// The operation after its last.
    pub(super) end: usize,
}

/// The batch that begins with operation `first`, if there is one.
pub(super) fn find<'a>(script: &Script<'_>, all: &[&'a Op], first: usize) -> Option<Batch<'a>> {
    let mut batch = Batch {
        files: Vec::new(),
        end: first,
    };
    let mut paths = BTreeSet::new();
    for (at, op) in all.iter().enumerate().skip(first) {
        match op {
            Op::Journal { sync: false, .. } => {}
            Op::Step { .. } => {
                let Some(file) = small(script, at, op, first) else {
                    break;
                };
                if batch.files.len() == MANY || !paths.insert(&file.write.path) {
                    break;
                }
                batch.files.push(file);
            }
            _ => break,
        }
        batch.end = at + 1;
    }
    (batch.files.len() >= FEW).then_some(batch)
}

/// A write that may take part.
fn small<'a>(script: &Script<'_>, at: usize, op: &'a Op, first: usize) -> Option<Small<'a>> {
    let Op::Step {
        action,
        long: None,
        on_failure: None,
        ..
    } = op
    else {
        return None;
    };
    let Action::Write(write) = &**action else {
        return None;
    };
    let (dir, name) = write.path.rsplit_once('/')?;
    let plain = write.path.starts_with('/')
        && !name.is_empty()
        && write
            .path
            .split('/')
            .skip(1)
            .all(|part| !matches!(part, "" | "." | ".."));
    let simple =
        write.validate.is_none() && write.attrs.mtime.is_none() && write.attrs.atime.is_none();
    if !plain || !simple || write.content.len() > SMALL {
        return None;
    }
    let was = write.if_was?;
    // Who cannot read it says so when it is its turn.
    let content = write
        .content
        .read()
        .ok()
        .filter(|bytes| !bytes.contains(&0))?;
    let stage = format!("{dir}/.evenkeel.{}.{first}", script.setup.nonce);
    Some(Small {
        at,
        write,
        content,
        was,
        temp: format!("{stage}/{name}"),
        stage,
    })
}

impl Batch<'_> {
    /// Writes it: after it `ek_all` is set if everything was done, else `ek_ok` lists what was.
    pub(super) fn write(
        &self,
        script: &mut Script<'_>,
        all: &[&Op],
        first: usize,
    ) -> Result<(), HostError> {
        script.raw(format!("ek_all= ek_ok=\nif ek_at {first} stop; then\n"));
        for file in &self.files {
            script.raw(format!("ek_c{}() {{\nprintf %s", file.at));
            script.word(&file.content)?.raw("\n}\n");
        }
        self.sums(script)?;
        self.prepare(script)?;
        self.commit(script, all, first)?;
        script.raw("ek_batch").words(self.stages())?.raw("\nfi\n");
        Ok(())
    }

    fn stages(&self) -> BTreeSet<&str> {
        self.files.iter().map(|file| file.stage.as_str()).collect()
    }

    fn temps(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(|file| file.temp.as_str())
    }

    fn new_files(&self) -> impl Iterator<Item = &Small<'_>> {
        self.files.iter().filter(|file| file.was.is_none())
    }

    fn old_files(&self) -> impl Iterator<Item = (&Small<'_>, &Sha)> {
        self.files
            .iter()
            .filter_map(|file| Some((file, file.was.as_ref()?)))
    }

    /// One call for what has arrived, and for what it replaces.
    fn sums(&self, script: &mut Script<'_>) -> Result<(), HostError> {
        script.raw("ek_sums_now() {\nsha256sum -z --");
        script.words(self.temps())?;
        script.words(self.old_files().map(|(file, _)| &file.write.path))?;
        script.raw("\n}\n");
        Ok(())
    }

    fn expected(&self) -> String {
        let new = self
            .files
            .iter()
            .map(|file| (file.write.content.digest(), &file.temp));
        let old = self.old_files().map(|(file, was)| (*was, &file.write.path));
        let lines = new
            .chain(old)
            .map(|(sha, path)| format!("{}  {path}\0", hex(&sha)));
        sum_of(lines.collect::<String>().as_bytes())
    }

    /// All that changes nothing yet.
    fn prepare(&self, script: &mut Script<'_>) -> Result<(), HostError> {
        script.raw("ek_prepare() {\nmkdir -m 0700 --");
        script.words(self.stages())?.raw(" || return 1\n");
        script
            .raw("ek_absent")
            .words(self.new_files().map(|file| &file.write.path))?;
        script.raw(" || return 1\n");
        script
            .raw("ek_files")
            .words(self.old_files().map(|(file, _)| &file.write.path))?;
        script.raw(" || return 1\numask 077\nset -C\n");
        for file in &self.files {
            script.raw(format!("ek_c{} >", file.at));
            script.word_joined(&file.temp)?.raw(" || return 1\n");
        }
        self.dress_new(script)?;
        self.dress_old(script)?;
        script.raw("ek_sum ek_sums_now\n");
        script.raw(format!(
            "[ \"$ek_got\" = {} ] || return 1\n",
            self.expected()
        ));
        script.raw("sync --").words(self.temps())?.raw("\n}\n");
        Ok(())
    }

    /// Owners, then modes (a change of the owner clears some): one call for those that are alike.
    fn dress_new(&self, script: &mut Script<'_>) -> Result<(), HostError> {
        let (mut owners, mut modes) = (BTreeMap::new(), BTreeMap::new());
        for file in self.new_files() {
            let attrs = &file.write.attrs;
            if attrs.owner.is_some() || attrs.group.is_some() {
                let owner = attrs.owner.as_deref().unwrap_or_default();
                let group = attrs.group.as_ref().map(|group| format!(":{group}"));
                let who = format!("{owner}{}", group.unwrap_or_default());
                owners.entry(who).or_insert_with(Vec::new).push(&file.temp);
            }
            let mode = attrs.mode.or(file.write.new_mode).unwrap_or(0o644);
            modes
                .entry(octal(mode))
                .or_insert_with(Vec::new)
                .push(&file.temp);
        }
        let calls = [("chown -h --", owners), ("chmod --", modes)];
        for (program, groups) in calls {
            for (value, temps) in groups {
                script
                    .raw(program)
                    .word(value)?
                    .words(temps)?
                    .raw(" || return 1\n");
            }
        }
        Ok(())
    }

    /// What is replaced keeps its owner and mode unless others are asked for.
    fn dress_old(&self, script: &mut Script<'_>) -> Result<(), HostError> {
        let count = self.old_files().count();
        if count == 0 {
            return Ok(());
        }
        script.raw("# shellcheck disable=SC2046\nset -- $(stat -c '%u %g %a' --");
        for (file, _) in self.old_files() {
            script.words([&file.write.path, &file.temp])?;
        }
        script.raw(format!(")\n[ $# -eq {} ] || return 1\n", 6 * count));
        for (file, _) in self.old_files() {
            let attrs = &file.write.attrs;
            script.raw("ek_keep").words([
                file.temp.as_str(),
                attrs.owner.as_deref().unwrap_or_default(),
                attrs.group.as_deref().unwrap_or_default(),
                &attrs.mode.map(octal).unwrap_or_default(),
            ])?;
            script.raw(" \"$@\" || return 1\nshift 6\n");
        }
        Ok(())
    }

    /// The change itself. What announces a step is in the journal before the first rename, what
    /// says how it ended after the last one.
    fn commit(&self, script: &mut Script<'_>, all: &[&Op], first: usize) -> Result<(), HostError> {
        let journal = |script: &mut Script<'_>, at: usize| -> Result<(), HostError> {
            if let Op::Journal { lines, .. } = all[at] {
                script.raw(format!("ek_op={at}\nek_journal 0"));
                script
                    .words(lines)?
                    .raw(format!("\nek_ok=\"$ek_ok {at}\"\n"));
            }
            Ok(())
        };
        let announces = |at: usize| matches!(all.get(at + 1), Some(Op::Step { .. }));
        script.raw("ek_commit() {\n");
        for at in first..self.end {
            if announces(at) {
                journal(script, at)?;
            }
        }
        for stage in self.stages() {
            let dir = stage.rsplit_once('/').map_or("", |(dir, _)| dir);
            script
                .raw("mv -f -t")
                .word(if dir.is_empty() { "/" } else { dir })?
                .raw(" --");
            let inside = self.files.iter().filter(|file| file.stage == stage);
            script.words(inside.map(|file| &file.temp))?.raw("\n");
        }
        for (at, op) in all.iter().enumerate().take(self.end).skip(first) {
            if let Some(file) = self.files.iter().find(|file| file.at == at) {
                script
                    .raw(format!("ek_landed {at}"))
                    .word(&file.temp)?
                    .raw("\n");
            } else if matches!(op, Op::Journal { .. }) && !announces(at) {
                script.raw("[ -z \"$ek_all\" ] || {\n");
                journal(script, at)?;
                script.raw("}\n");
            }
        }
        script.raw("}\n");
        Ok(())
    }
}
