//! What differs between the entry of a user and what is wanted.

use evenkeel_engine::{
    Change, Content, Effect, NotYet, Refusal, Run, Secret, Stop, Text, Value,
    probes::{Stat, User},
};

use super::{Args, UpdatePassword, decide};
use crate::{
    accounts::{Entry, Login, Numbers, Shadow, program},
    look::Look,
};

/// Changes of the entry itself; `entry` becomes what it will be.
pub(super) fn entry(
    args: &Args,
    look: &Look<'_>,
    entry: &mut Entry,
    warnings: &mut Vec<String>,
) -> Result<Vec<Change>, Stop> {
    let mut all = Changes {
        args,
        look,
        list: Vec::new(),
    };
    if let Some(uid) = args.uid.filter(|uid| *uid != entry.uid) {
        if let (Some(other), false) = (look.get(&User(uid.to_string()))?, args.non_unique) {
            let what = format!("the number {uid} belongs to the user `{}`", other.name);
            return Err(Refusal::new(what)
                .help("take another `uid`, or say `non_unique: true`")
                .into());
        }
        let before = std::mem::replace(&mut entry.uid, uid);
        let text = uid.to_string();
        let argv: &[&str] = if args.non_unique {
            &["-u", &text, "-o"]
        } else {
            &["-u", &text]
        };
        all.add("uid", before.to_string(), text.clone(), argv, entry)?;
    }
    if let Some(group) = &args.group {
        let (name, gid) = decide::group(look, group)?;
        if gid != entry.gid {
            let before = std::mem::replace(&mut entry.gid, gid);
            all.add(
                "group",
                before.to_string(),
                name.clone(),
                &["-g", &name],
                entry,
            )?;
        }
    }
    all.groups(entry, warnings)?;
    if let Some(comment) = args
        .comment
        .as_ref()
        .filter(|comment| **comment != entry.comment)
    {
        let before = std::mem::replace(&mut entry.comment, comment.clone());
        all.add("comment", before, comment.clone(), &["-c", comment], entry)?;
    }
    if let Some(home) = Args::path(args.home.as_ref(), look)?.filter(|home| *home != entry.home) {
        let there = look.get(&Stat(home.clone()))?.is_some();
        let before = std::mem::replace(&mut entry.home, home.clone());
        let moves = args.move_home && !there && look.get(&Stat(before.clone()))?.is_some();
        let argv: &[&str] = if moves {
            &["-d", &home, "-m"]
        } else {
            &["-d", &home]
        };
        all.add("home", before.clone(), home.clone(), argv, entry)?;
        if moves {
            all.moved(&before, &home)?;
        }
    }
    if let Some(shell) =
        Args::path(args.shell.as_ref(), look)?.filter(|shell| *shell != entry.shell)
    {
        let before = std::mem::replace(&mut entry.shell, shell.clone());
        all.add("shell", before, shell.clone(), &["-s", &shell], entry)?;
    }
    Ok(all.list)
}

struct Changes<'a> {
    args: &'a Args,
    look: &'a Look<'a>,
    list: Vec<Change>,
}

impl Changes<'_> {
    /// One call of `usermod`, after which the entry is as noted.
    fn add(
        &mut self,
        what: &str,
        before: impl Into<Value>,
        after: impl Into<Value>,
        argv: &[&str],
        entry: &Entry,
    ) -> Result<(), NotYet> {
        program(self.look, "usermod")?;
        let argv = [&["usermod"], argv, &["--", &self.args.name]].concat();
        let mut step = decide::step(self.args, Run::new(argv), entry);
        let other = Login {
            local: !self.args.local,
            ..self.args.login()
        };
        step = step.effect(Effect::new(other, Some(entry.clone())));
        if ["uid", "group"].contains(&what) {
            let name = decide::group_name(self.args, self.look, entry)?;
            step = step.effect(decide::account(&self.args.name, entry, &name));
            if what == "uid" {
                step = step.effect(decide::by_number(self.args, entry, &name));
                step = step.effect(Effect::unknown(Numbers, "the numbers that are taken"));
                let why = "who owns the home after another number was given";
                step = step.effect(Effect::unknown(Stat(entry.home.clone()), why));
            }
        }
        self.list.push(Change::new(what, before, after).step(step));
        Ok(())
    }

    fn groups(&mut self, entry: &mut Entry, warnings: &mut Vec<String>) -> Result<(), NotYet> {
        if self.args.groups.is_none() {
            return Ok(());
        }
        let wanted = decide::groups(self.args, self.look)?;
        let missing: Vec<String> = wanted
            .iter()
            .filter(|group| !entry.groups.contains(group))
            .cloned()
            .collect();
        let others = entry.groups.iter().any(|group| !wanted.contains(group));
        if wanted.is_empty() && self.args.append {
            warnings.push("`append` with empty `groups` changes nothing".to_owned());
        }
        if missing.is_empty() && (self.args.append || !others) {
            return Ok(());
        }
        let before = entry.groups.clone();
        let (names, flags): (String, &[&str]) = if self.args.append {
            (missing.join(","), &["-a", "-G"])
        } else {
            (wanted.join(","), &["-G"])
        };
        let keep = |group: &String| self.args.append || wanted.contains(group);
        entry.groups.retain(keep);
        entry.groups.extend(missing);
        let (before, after) = (before.join(","), entry.groups.join(","));
        // In which order the database lists them is its own matter.
        self.add("groups", before, after, &[flags, &[&names]].concat(), entry)
    }

    fn moved(&mut self, from: &str, to: &str) -> Result<(), NotYet> {
        let stat = self.look.get(&Stat(from.to_owned()))?.clone();
        if let Some(change) = self.list.last_mut()
            && let Some(step) = change.steps.last_mut()
        {
            step.effects.push(Effect::new(Stat(from.to_owned()), None));
            step.effects.push(Effect::new(Stat(to.to_owned()), stat));
        }
        Ok(())
    }
}

/// The password and its lock; `entry` becomes what it will be.
pub(super) fn password(
    args: &Args,
    look: &Look<'_>,
    entry: &mut Entry,
    new: bool,
) -> Result<Vec<Change>, Stop> {
    if args.password.is_none() && args.password_lock.is_none() {
        return Ok(Vec::new());
    }
    let ageing = decide::shadow(args, entry)?;
    let now = ageing.password.reveal().to_vec();
    let (locked, bare) = (ageing.locked(), unlocked(&now).to_vec());
    let due = new || args.update_password == UpdatePassword::Always;
    let wanted = match args.password.as_ref().filter(|_| due) {
        Some(password) => decide::bytes(password.get()?).to_vec(),
        None => now.clone(),
    };
    let mut changes = Vec::new();
    if unlocked(&wanted) != bare {
        let hash = match args.password_lock {
            Some(true) => [b"!", unlocked(&wanted)].concat(),
            Some(false) if !unlocked(&wanted).is_empty() => unlocked(&wanted).to_vec(),
            _ => wanted,
        };
        ageing.password = Secret::new(&hash);
        let line = [args.name.as_bytes(), b":", &hash, b"\n"].concat();
        program(look, "chpasswd")?;
        let mut run = Run::new(["chpasswd", "-e"]);
        run.stdin = Content::Secret(Secret::new(line));
        let step = decide::step(args, run, entry);
        return Ok(vec![
            Change::new("password", Value::Null, Value::Null).step(step),
        ]);
    }
    match args.password_lock {
        Some(true) if !locked => {
            ageing.password = Secret::new([b"!", &now[..]].concat());
            program(look, "usermod")?;
            let step = decide::step(args, Run::new(["usermod", "-L", "--", &args.name]), entry);
            changes.push(Change::new("password_lock", false, true).step(step));
        }
        // Without a password behind it, the lock is all that there is.
        Some(false) if locked && !bare.is_empty() => {
            ageing.password = Secret::new(&now[1..]);
            program(look, "usermod")?;
            let step = decide::step(args, Run::new(["usermod", "-U", "--", &args.name]), entry);
            changes.push(Change::new("password_lock", true, false).step(step));
        }
        _ => {}
    }
    Ok(changes)
}

fn unlocked(password: &[u8]) -> &[u8] {
    let at = password
        .iter()
        .position(|byte| *byte != b'!')
        .unwrap_or(password.len());
    &password[at..]
}

/// When the account and its password run out; `entry` becomes what it will be.
pub(super) fn ageing(
    args: &Args,
    look: &Look<'_>,
    entry: &mut Entry,
) -> Result<Vec<Change>, NotYet> {
    let expires = args.expires.map(|seconds| {
        if seconds < 0 {
            None
        } else {
            Some(seconds.div_euclid(86_400))
        }
    });
    let days = |days: Option<i64>| days.map(|days| Some(days).filter(|days| *days >= 0));
    let wanted = [
        ("expires", "-E", expires),
        ("password_expire_min", "-m", days(args.password_expire_min)),
        ("password_expire_max", "-M", days(args.password_expire_max)),
        (
            "password_expire_warn",
            "-W",
            days(args.password_expire_warn),
        ),
        (
            "password_expire_account_disable",
            "-I",
            days(args.password_expire_account_disable),
        ),
    ];
    if wanted.iter().all(|(_, _, wanted)| wanted.is_none()) {
        return Ok(Vec::new());
    }
    let missing = entry.shadow == Shadow::Missing;
    let (mut argv, mut changes) = (vec!["chage".to_owned()], Vec::new());
    let ageing = decide::shadow(args, entry)?;
    for (what, flag, wanted) in wanted {
        let field = match flag {
            "-E" => &mut ageing.expires,
            "-m" => &mut ageing.min,
            "-M" => &mut ageing.max,
            "-W" => &mut ageing.warn,
            _ => &mut ageing.inactive,
        };
        let Some(wanted) = wanted.filter(|wanted| wanted != field) else {
            continue;
        };
        let shown = |days: Option<i64>| days.map_or(Value::Null, Value::from);
        changes.push(Change::new(what, shown(*field), shown(wanted)));
        *field = wanted;
        argv.extend([flag.to_owned(), wanted.unwrap_or(-1).to_string()]);
    }
    let Some(last) = changes.pop() else {
        if missing {
            entry.shadow = Shadow::Missing;
        }
        return Ok(Vec::new());
    };
    program(look, "chage")?;
    argv.extend(["--".to_owned(), args.name.clone()]);
    let step = decide::step(args, Run::new(argv), entry);
    changes.push(last.step(step));
    Ok(changes)
}

/// Whether a password looks as if it were not encrypted.
pub(super) fn doubt(password: &Text) -> Option<&'static str> {
    let text = String::from_utf8_lossy(decide::bytes(password)).into_owned();
    let bare = text.trim_start_matches('!');
    if bare.is_empty() || bare.bytes().all(|byte| byte == b'*') {
        return None;
    }
    let fields: Vec<&str> = bare.split('$').collect();
    let last = fields.last().copied().unwrap_or_default();
    let plain = |c: char| c.is_ascii_alphanumeric() || "./=".contains(c);
    let length = match fields.get(1).copied() {
        Some("1") => Some(22),
        Some("5" | "y") => Some(43),
        Some("6") => Some(86),
        _ => None,
    };
    let fits = fields.len() >= 3
        && last.chars().all(plain)
        && length.is_none_or(|length| last.len() == length);
    (!fits).then_some("`password` does not look encrypted: it is written to `/etc/shadow` as it is, and nobody could log in with it")
}
