//! Users: their entries, groups, passwords, homes and keys.

mod change;
mod create;
mod decide;
mod home;
mod key;

use evenkeel_engine::{
    Done, Late, Module, NotYet, Plan, Probes, Refusal, Seen, Stop, Text, Thing, Touches, Value,
    probes::Whoami,
};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use crate::{
    accounts::{self, Login},
    args::{Unsupported, is_default},
    look::Look,
    many::{comma_list, is_yes, yes},
    paths,
};

pub use crate::presence::State;

/// The module `useradd`.
#[derive(Debug)]
pub struct Useradd;

/// Arguments of `useradd`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The user.
    #[serde(alias = "user")]
    pub name: String,
    /// Whether it is there.
    #[serde(default, skip_serializing_if = "is_default")]
    pub state: State,
    /// Its number; the next free one if unset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<u32>,
    /// Whether another user may have the same number.
    #[serde(default, skip_serializing_if = "is_default")]
    pub non_unique: bool,
    /// Its primary group: name or number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Further groups: a list, or names with commas between; an empty one removes it from all.
    #[serde(
        default,
        deserialize_with = "listed",
        skip_serializing_if = "Option::is_none"
    )]
    #[schemars(with = "Option<Vec<String>>")]
    pub groups: Option<Vec<String>>,
    /// Whether it stays in the groups that are not in `groups`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub append: bool,
    /// Its comment, mostly the full name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// Its home directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub home: Option<String>,
    /// Its login shell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shell: Option<String>,
    /// A directory whose contents a new home gets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skeleton: Option<String>,
    /// Whether a home that is not there is made.
    #[serde(default = "yes", alias = "createhome", skip_serializing_if = "is_yes")]
    pub create_home: bool,
    /// Whether the contents of the home move when `home` changes.
    #[serde(default, skip_serializing_if = "is_default")]
    pub move_home: bool,
    /// Whether a new user is one of the system.
    #[serde(default, skip_serializing_if = "is_default")]
    pub system: bool,
    /// Its password, encrypted as in `/etc/shadow`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Late<Text>>,
    /// Whether the password of a user that is there already is set too.
    #[serde(default, skip_serializing_if = "is_default")]
    pub update_password: UpdatePassword,
    /// Whether it may not get in by password; its password is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_lock: Option<bool>,
    /// When the account is closed, in seconds since 1970; a negative number: never.
    #[serde(
        default,
        deserialize_with = "seconds",
        skip_serializing_if = "Option::is_none"
    )]
    pub expires: Option<i64>,
    /// Days between changes of the password, at least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_expire_min: Option<i64>,
    /// Days after which the password must be changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_expire_max: Option<i64>,
    /// Days of warning before that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_expire_warn: Option<i64>,
    /// Days after that until the account is closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_expire_account_disable: Option<i64>,
    /// Whether home and mail go with a user that is removed.
    #[serde(default, skip_serializing_if = "is_default")]
    pub remove: bool,
    /// Removes a user that is logged in; makes the key anew each time.
    #[serde(default, skip_serializing_if = "is_default")]
    pub force: bool,
    /// Whether it has an SSH key of its own.
    #[serde(default, skip_serializing_if = "is_default")]
    pub generate_ssh_key: bool,
    /// Bits of a new key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssh_key_bits: Option<u32>,
    /// Comment of a new key; names the host if unset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssh_key_comment: Option<String>,
    /// The key's file, below the home if relative; `.ssh/id_TYPE` if unset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssh_key_file: Option<String>,
    /// Passphrase of a new key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssh_key_passphrase: Option<Late<Text>>,
    /// Type of a new key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssh_key_type: Option<String>,
    /// Whether users that only a directory (LDAP) knows count as not there.
    #[serde(default, skip_serializing_if = "is_default")]
    pub local: bool,
    /// Mask for a new home, octal: `"077"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub umask: Option<String>,
    /// The lowest number that a new user may get.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid_min: Option<u32>,
    /// The highest number that a new user may get.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid_max: Option<u32>,
    /// Not supported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub seuser: Option<Unsupported>,
}

/// When a password is set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UpdatePassword {
    /// Whenever it is another one.
    #[default]
    Always,
    /// Only of a new user.
    OnCreate,
}

fn listed<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    comma_list(deserializer).map(Some)
}

/// Ansible takes a number with a fraction, of which it uses the day.
fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    let text = value.as_text().unwrap_or_default();
    let number: f64 = text.trim().parse().map_err(|_| {
        let what = format!("`{}` is no number of seconds since 1970", value.to_json());
        D::Error::custom(what)
    })?;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the end of time is far enough"
    )]
    Ok(Some(number.floor() as i64))
}

/// What `register` gives.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Output {
    /// The user.
    pub name: String,
    /// Whether it is there.
    pub state: State,
    /// Its number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<u32>,
    /// Number of its primary group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<u32>,
    /// The same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gid: Option<u32>,
    /// Names of its further groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<Vec<String>>,
    /// Its comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// Its home.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub home: Option<String>,
    /// Its shell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shell: Option<String>,
    /// As asked.
    pub append: bool,
    /// As asked.
    pub create_home: bool,
    /// As asked.
    pub move_home: bool,
    /// As asked.
    pub system: bool,
    /// As asked.
    pub force: bool,
    /// As asked.
    pub remove: bool,
    /// Where its key is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssh_key_file: Option<String>,
    /// Its public key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssh_public_key: Option<Late<String>>,
    /// Fingerprint of its key, as `ssh-keygen -l` shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssh_fingerprint: Option<Late<String>>,
}

impl Module for Useradd {
    const NAME: &'static str = "useradd";
    const ALIASES: &'static [&'static str] =
        &["user", "ansible.builtin.user", "ansible.legacy.user"];
    const ABOUT: &'static str = "keeps a user with its groups, password, home and key";
    const EXAMPLE: &'static str = "\
- useradd:
    name: airflow
    system: true
    home: /opt/airflow
    shell: /usr/sbin/nologin
    groups: [redis, web]
    append: true
";
    const CHANGED_WHEN: &'static str = "A user, or one of its properties, is not as it says.";
    const LIMITS: &'static str = "\
        It changes no user of a directory such as LDAP. A password is a hash: clear text is refused.";
    type Args = Args;
    type Output = Output;

    fn check(args: &Args) -> Result<(), Refusal> {
        args.check_name()?;
        let refuse = |what: &str| Err(Refusal::new(what));
        if args.non_unique && args.uid.is_none() {
            return refuse("`non_unique` without `uid`");
        }
        if args.local && (args.uid_min.is_some() || args.uid_max.is_some()) {
            return refuse("`local` excludes `uid_min` and `uid_max`");
        }
        if args.local && args.umask.is_some() {
            return refuse("`local` excludes `umask`");
        }
        if let Some(umask) = &args.umask
            && u32::from_str_radix(umask, 8).is_ok_and(|mask| mask <= 0o777) == umask.is_empty()
        {
            return refuse(&format!("`umask: {umask}` is not octal"));
        }
        let line = |name: &str, text: &Option<String>| match text {
            // `useradd` itself notices a control character only when half of its work is done.
            Some(text) if text.contains(|c: char| c == ':' || c.is_ascii_control()) => {
                Err(Refusal::new(format!(
                    "`{name}` contains a colon, a line break or another control character: \
                     the files of users cannot hold it"
                )))
            }
            _ => Ok(()),
        };
        line("comment", &args.comment)?;
        line("home", &args.home)?;
        line("shell", &args.shell)?;
        if let Some(Late::Known(password)) = &args.password
            && password
                .bytes()
                .iter()
                .any(|byte| *byte == b':' || byte.is_ascii_control())
        {
            return Err(Refusal::new(
                "`password` contains a colon, a line break or another control character: \
                 `/etc/shadow` cannot hold it",
            )
            .help("give the encrypted password, as `password_hash('sha512')` makes it"));
        }
        Ok(())
    }

    fn observe(args: &Args, seen: &Seen) -> Probes {
        Look::observe(seen, |look| decide::plan(args, look))
    }

    fn plan(args: &Args, seen: &Seen) -> Result<Plan, Stop> {
        decide::plan(args, &Look::new(seen))
    }

    fn output(args: &Args, after: &Seen, _: &[Done]) -> Result<Output, Stop> {
        let look = Look::new(after);
        let mut output = Output {
            name: args.name.clone(),
            state: args.state,
            append: args.append,
            create_home: args.create_home,
            move_home: args.move_home,
            system: args.system,
            force: args.force,
            remove: args.remove,
            ..Output::default()
        };
        let Some(entry) = look.get(&args.login())? else {
            return Ok(output);
        };
        output.uid = Some(entry.uid);
        output.group = Some(entry.gid);
        output.gid = Some(entry.gid);
        output.groups = Some(entry.groups.clone());
        output.comment = Some(entry.comment.clone());
        output.home = Some(entry.home.clone());
        output.shell = Some(entry.shell.clone());
        if args.generate_ssh_key {
            key::show(args, entry, &look, &mut output);
        }
        Ok(output)
    }

    fn touches(args: &Args) -> Touches {
        let relative = args
            .home
            .as_ref()
            .is_some_and(|home| !paths::is_absolute(home));
        // Where it lives now only the host knows.
        if relative || args.remove || args.move_home {
            return Touches::everything();
        }
        let name = &args.name;
        let mut writes = accounts::databases();
        writes.push(Thing::User(name.clone()));
        writes.push(Thing::Group(name.clone()));
        for place in ["/var/mail", "/var/spool/mail"] {
            writes.push(Thing::Path(format!("{place}/{name}")));
        }
        for log in ["/var/log/lastlog", "/var/log/faillog"] {
            writes.push(Thing::Path(log.to_owned()));
        }
        let home = args.home.as_ref().map(|home| paths::clean(home));
        let home = home.unwrap_or_else(|| format!("/home/{name}"));
        if args.home.is_some() && args.create_home {
            writes.extend(
                paths::ancestors(&home)
                    .filter(|dir| *dir != "/")
                    .map(|dir| Thing::Path(dir.to_owned())),
            );
        }
        writes.extend(args.uid.map(|uid| Thing::User(uid.to_string())));
        writes.push(Thing::Tree(home));
        if let Some(file) = args
            .ssh_key_file
            .as_ref()
            .filter(|file| paths::is_absolute(file))
        {
            writes.push(Thing::Path(file.clone()));
            writes.push(Thing::Path(format!("{file}.pub")));
        }
        let reads = args.groups.iter().flatten().chain(&args.group);
        let skeleton = args
            .skeleton
            .clone()
            .unwrap_or_else(|| "/etc/skel".to_owned());
        Touches::writes(writes)
            .reading(reads.map(|group| Thing::Group(group.clone())))
            .reading(
                ["/", "/home", "/etc/login.defs", "/etc/default/useradd"]
                    .map(|path| Thing::Path(path.to_owned())),
            )
            // The group of those that have none of their own.
            .reading([Thing::Tree(skeleton), Thing::Group("100".to_owned())])
    }

    fn subject(args: &Args) -> String {
        args.name.clone()
    }
}

impl Args {
    fn login(&self) -> Login {
        Login {
            name: self.name.clone(),
            local: self.local,
        }
    }

    fn umask(&self) -> Option<u32> {
        u32::from_str_radix(self.umask.as_deref()?, 8).ok()
    }

    fn check_name(&self) -> Result<(), Refusal> {
        let wrong = self.name.is_empty()
            || self.name.starts_with('-')
            || self.name.contains([':', '/', '\n', ',', '\0', ' '])
            || self.name.bytes().all(|byte| byte.is_ascii_digit());
        if wrong {
            return Err(
                Refusal::new(format!("`{}` cannot be the name of a user", self.name))
                    .help("names begin with a letter and hold letters, digits, `-` and `_`"),
            );
        }
        Ok(())
    }

    /// A path of the arguments; `~` is the home of who acts.
    fn path(path: Option<&String>, look: &Look<'_>) -> Result<Option<String>, NotYet> {
        match path {
            Some(path) if path.starts_with('~') => {
                look.ask(&Whoami);
                paths::absolute(path, look).map(Some)
            }
            other => Ok(other.cloned()),
        }
    }
}
