//! File systems: what `/etc/fstab` says, and what is mounted.

mod decide;
mod fstab;
mod options;
mod probe;

use evenkeel_engine::{Done, Module, Plan, Probes, Refusal, Seen, Stop, Thing, Touches};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::fstab::Entry;
pub use self::probe::{Live, Mounted, What};
use crate::{
    args::is_default,
    look::Look,
    many::{is_yes, yes},
    paths,
    rewrite::{Missing, Rewrite},
};

/// The module `mount`.
#[derive(Debug)]
pub struct Mount;

/// Arguments of `mount`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// Where it is mounted; `none` for swap.
    #[serde(alias = "name")]
    pub path: String,
    /// What is mounted: a device, `UUID=…`, a directory to bind, `HOST:/export`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub src: Option<String>,
    /// The kind of file system: `ext4`, `tmpfs`, `nfs`; `none` for a bind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fstype: Option<String>,
    /// Options with commas between them; `defaults` if unset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opts: Option<String>,
    /// Whether `dump` saves it: 0 or 1.
    #[serde(
        default,
        deserialize_with = "number",
        skip_serializing_if = "Option::is_none"
    )]
    pub dump: Option<u32>,
    /// In which pass it is checked at the start: 0, 1 or 2.
    #[serde(
        default,
        deserialize_with = "number",
        skip_serializing_if = "Option::is_none"
    )]
    pub passno: Option<u32>,
    /// How it is to be.
    pub state: State,
    /// Another file than `/etc/fstab`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fstab: Option<String>,
    /// Whether it is mounted at the start (the default): `false` adds the option `noauto`.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub boot: bool,
    /// Keeps a copy of the old file beside it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub backup: bool,
    /// Without effect: options are told as they are. A secret belongs into a `credentials=` file.
    #[serde(default, skip_serializing_if = "is_default")]
    pub opts_no_log: bool,
}

/// How a file system is to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// In the file, and mounted; its directory is made.
    #[default]
    Mounted,
    /// In the file. Whether it is mounted is left as it is.
    Present,
    /// Not mounted. The file is left as it is.
    Unmounted,
    /// Neither in the file nor mounted, and its directory, which is empty then, is gone.
    Absent,
    /// Mounted anew, with its options, each time.
    Remounted,
    /// Mounted; its directory is made. The file is left as it is.
    Ephemeral,
    /// Not in the file. Whether it is mounted is left as it is.
    AbsentFromFstab,
}

/// What `register` gives.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Output {
    /// Where.
    pub name: String,
    /// Whether it is mounted.
    pub mounted: bool,
    /// What is mounted, as asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub src: Option<String>,
    /// As asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fstype: Option<String>,
    /// The options in the file.
    pub opts: String,
    /// The file.
    pub fstab: String,
}

/// A number, which Ansible takes as a text.
fn number<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    use evenkeel_engine::Value;
    use serde::de::Error as _;
    let value = Value::deserialize(deserializer)?;
    let text = value.as_text().unwrap_or_default();
    let number = text.trim().parse();
    number
        .map(Some)
        .map_err(|_| D::Error::custom(format!("`{}` is no number", value.to_json())))
}

impl Args {
    fn file(&self) -> &str {
        self.fstab.as_deref().unwrap_or("/etc/fstab")
    }

    fn is_swap(&self) -> bool {
        self.fstype.as_deref() == Some("swap") || matches!(&*self.path, "none" | "swap")
    }

    /// Whether it keeps a line of the file.
    fn keeps_line(&self) -> bool {
        matches!(self.state, State::Mounted | State::Present)
    }

    fn drops_line(&self) -> bool {
        matches!(self.state, State::Absent | State::AbsentFromFstab)
    }

    /// Whether it cares what is mounted.
    fn looks(&self) -> bool {
        !self.is_swap() && !matches!(self.state, State::Present | State::AbsentFromFstab)
    }

    fn opts(&self) -> String {
        let opts = self.opts.as_deref().unwrap_or("defaults");
        if self.boot || opts.split(',').any(|opt| opt == "noauto") {
            return opts.to_owned();
        }
        format!("{opts},noauto")
    }

    fn entry(&self) -> Entry {
        Entry {
            src: self.src.clone().unwrap_or_default(),
            path: self.place(),
            fstype: self.fstype.clone().unwrap_or_default(),
            opts: self.opts(),
            dump: self.dump.unwrap_or(0),
            passno: self.passno.unwrap_or(0),
        }
    }

    fn place(&self) -> String {
        if self.is_swap() {
            return self.path.clone();
        }
        paths::clean(&self.path)
    }

    fn rewrite(&self) -> Rewrite<'_> {
        Rewrite {
            missing: if self.keeps_line() {
                Missing::Create
            } else {
                Missing::Fine
            },
            backup: self.backup,
            ..Rewrite::new(self.file())
        }
    }
}

impl Module for Mount {
    const NAME: &'static str = "mount";
    const ALIASES: &'static [&'static str] = &["ansible.posix.mount"];
    const ABOUT: &'static str = "keeps file systems mounted, and their lines in /etc/fstab";
    const EXAMPLE: &'static str = "\
- mount:
    path: /srv/scratch
    src: tmpfs
    fstype: tmpfs
    opts: size=64m,mode=0755,nosuid
    state: mounted
";
    const CHANGED_WHEN: &'static str = "\
        The line of `/etc/fstab` is missing or another one, or what is mounted is not what is wanted: nothing, or (of \
        options that the kernel tells: `ro`, `nosuid`, `nodev`, `noexec`, `noatime`, and `size`, `nr_inodes` of a tmpfs) with other options. \
        `remounted` always.";
    const LIMITS: &'static str = "\
        It makes no file systems and no swap areas, and switches no swap on. What is mounted already is not exchanged \
        for something else: unmount it first. It knows Linux.";
    type Args = Args;
    type Output = Output;

    fn check(args: &Args) -> Result<(), Refusal> {
        let swap = args.is_swap();
        if !swap && !paths::is_absolute(&args.path) {
            return Err(Refusal::new(format!(
                "`path: {}` is not absolute",
                args.path
            )));
        }
        if args.place() == "/" && matches!(args.state, State::Absent | State::Unmounted) {
            return Err(Refusal::new("the root of the host cannot be unmounted"));
        }
        if !paths::is_absolute(args.file()) {
            return Err(Refusal::new(format!(
                "`fstab: {}` is not absolute",
                args.file()
            )));
        }
        let texts = [("path", Some(&args.path)), ("src", args.src.as_ref())];
        for (name, text) in texts {
            if text.is_some_and(|text| text.is_empty() || text.contains(['\n', '\r', '\0'])) {
                return Err(Refusal::new(format!(
                    "`{name}` is empty, or more than one line"
                )));
            }
        }
        let plain = [
            ("fstype", args.fstype.as_ref()),
            ("opts", args.opts.as_ref()),
        ];
        for (name, text) in plain {
            if text.is_some_and(|text| {
                text.is_empty()
                    || text.starts_with('-')
                    || text.contains(|c: char| c.is_whitespace() || c == '\0')
            }) {
                return Err(Refusal::new(format!("`{name}` is empty, or holds a space"))
                    .help("options have commas between them"));
            }
        }
        if matches!(
            args.state,
            State::Mounted | State::Present | State::Ephemeral
        ) {
            for (name, text) in [("src", &args.src), ("fstype", &args.fstype)] {
                if text.is_none() {
                    return Err(Refusal::new(format!(
                        "`{name}` is missing: it is mounted from somewhere"
                    )));
                }
            }
        }
        if swap && args.state == State::Absent && args.src.is_none() {
            return Err(Refusal::new(
                "`src` is missing: areas of swap are told apart by it",
            ));
        }
        if swap
            && !matches!(
                args.state,
                State::Present | State::Absent | State::AbsentFromFstab
            )
        {
            return Err(Refusal::new("swap is not mounted")
                .help("`state: present` keeps its line; `swapon` switches it on"));
        }
        Ok(())
    }

    fn observe(args: &Args, seen: &Seen) -> Probes {
        Look::observe(seen, |look| decide::decide(args, look))
    }

    fn plan(args: &Args, seen: &Seen) -> Result<Plan, Stop> {
        decide::decide(args, &Look::new(seen))
    }

    fn output(args: &Args, after: &Seen, _: &[Done]) -> Result<Output, Stop> {
        let look = Look::new(after);
        Ok(Output {
            mounted: args.looks() && *look.get(&Mounted(args.place()))?,
            name: args.path.clone(),
            src: args.src.clone(),
            fstype: args.fstype.clone(),
            opts: args.opts(),
            fstab: args.file().to_owned(),
        })
    }

    fn touches(args: &Args) -> Touches {
        let mut touches = if args.keeps_line() || args.drops_line() {
            args.rewrite().touches()
        } else {
            Touches::nothing()
        };
        if args.looks() {
            let place = args.place();
            let above = paths::ancestors(&place).filter(|dir| *dir != "/");
            touches
                .writes
                .extend(above.map(|dir| Thing::Path(dir.to_owned())));
            touches.writes.push(probe::thing());
            // All that is below is another thing then.
            touches.writes.push(Thing::Tree(place));
            let src = args.src.as_ref().filter(|src| paths::is_absolute(src));
            touches
                .reads
                .extend(src.map(|src| Thing::Path(paths::clean(src))));
        }
        touches
    }

    fn subject(args: &Args) -> String {
        match &args.src {
            Some(src) if args.is_swap() => src.clone(),
            _ => args.path.clone(),
        }
    }
}
