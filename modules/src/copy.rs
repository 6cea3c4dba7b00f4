//! Files with a content or a local source.

mod body;
mod remote;
mod remote_tree;

use evenkeel_engine::{
    Content, Done, Late, Module, NotYet, Plan, Probes, Refusal, Seen, Source, Stop, Thing, Touches,
    hex,
    probes::{Digest, Stat},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use body::{Body, Src};

use crate::{
    args::{Unsupported, is_default},
    attributes::{self, Attributes, Wanted},
    look::Look,
    mode::Mode,
    paths,
    put::{self, Put, Target},
    sums,
    systemd_unit::lint,
};

/// The module `copy`.
#[derive(Debug)]
pub struct Copy;

/// Arguments of `copy`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// Where it goes; a directory if it ends in `/` or is one.
    pub dest: String,
    /// A file or directory of this machine; of a directory whose name ends in `/`, what is in it.
    /// With `remote_src`, a path of the host; entries of a directory keep their modes then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub src: Option<Src>,
    /// What the file is to hold; a map or list is written as JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<Late<Body>>,
    /// Whether `src` is on the host.
    #[serde(default, skip_serializing_if = "is_default")]
    pub remote_src: bool,
    /// Owner: name or number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Group: name or number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Permission bits: `"0644"`, `u=rw,go=r`, or `preserve` for those of the source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// Permission bits of directories that are made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directory_mode: Option<Mode>,
    /// Whether an existing file is replaced when it holds something else (the default).
    #[serde(default, alias = "thirsty", skip_serializing_if = "Option::is_none")]
    pub force: Option<bool>,
    /// Keeps a copy of the old file beside it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub backup: bool,
    /// A command that must accept the new file before it takes its place; `%s` is its path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validate: Option<String>,
    /// If the destination is a link, writes what it points to instead of replacing it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub follow: bool,
    /// The SHA-256 that the source must have, in hexadecimal; of what comes from this machine also its SHA-1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<String>,
    /// Whether a vaulted source is decrypted (the default).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decrypt: Option<bool>,
    /// Links in a local directory are followed: only `true` is supported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local_follow: Option<bool>,
    /// Not supported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub seuser: Option<Unsupported>,
    /// Not supported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub serole: Option<Unsupported>,
    /// Not supported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub setype: Option<Unsupported>,
    /// Not supported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub selevel: Option<Unsupported>,
    /// Not supported.
    #[serde(default, alias = "attr", skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub attributes: Option<Unsupported>,
    /// Not supported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub unsafe_writes: Option<Unsupported>,
}

/// What `register` gives.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Output {
    /// The file, or the directory of a tree.
    pub dest: String,
    /// SHA-1 of what was written, as Ansible tells it (with `remote_src`, SHA-256); left out if it holds a secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<String>,
    /// Where the old file is, with `backup`, if it changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup_file: Option<String>,
    /// State, owner, group, mode.
    #[serde(flatten)]
    pub attributes: Attributes,
}

impl Module for Copy {
    const NAME: &'static str = "copy";
    const ALIASES: &'static [&'static str] = &["ansible.builtin.copy", "ansible.legacy.copy"];
    const ABOUT: &'static str = "puts files with a given content or local source in their place";
    const EXAMPLE: &'static str = "\
- name: a word for those who log in
  copy:
    dest: /etc/motd
    content: |
      Kept by evenkeel.
    mode: \"0644\"
";
    const CHANGED_WHEN: &'static str = "\
        The content, owner, group or mode of the file, or of a file below the directory, is not what it \
        says.";
    const LIMITS: &'static str = "\
        It removes nothing that the source does not have. A directory is compared file by file; it is \
        meant for some thousand files, not for backups.";
    const FILES: &'static [&'static str] = &["src"];
    type Args = Args;
    type Output = Output;

    fn check(args: &Args) -> Result<(), Refusal> {
        match (&args.src, &args.content) {
            (None, None) => return Err(Refusal::new("`src` or `content` is needed")),
            (Some(_), Some(_)) => {
                return Err(Refusal::new("`src` and `content` exclude each other"));
            }
            (None, Some(_)) if args.dest.ends_with('/') => {
                return Err(Refusal::new("`content` needs a file: `dest` ends in `/`"));
            }
            (Some(Src::Host(path)), None) if path.is_empty() => {
                return Err(Refusal::new("`src` is empty"));
            }
            (Some(Src::Host(path)), None) if path.contains("://") => {
                return Err(Refusal::new(format!("`{path}` is an address"))
                    .help("`get-url` fetches a file"));
            }
            (Some(Src::Host(_)), None) if !args.remote_src => {
                return Err(Refusal::new("`src` is not a local file")
                    .help("a file of the host needs `remote_src: true`"));
            }
            (Some(Src::Local(_)), None) if args.remote_src => {
                return Err(Refusal::new(
                    "`src` is a local file, but `remote_src` is set",
                ));
            }
            _ => {}
        }
        if args.dest.is_empty() {
            return Err(Refusal::new("`dest` is empty"));
        }
        let preserve = args.mode.as_ref().is_some_and(Mode::is_preserve);
        if preserve && args.src.is_none() {
            return Err(Refusal::new("`mode: preserve` needs `src`"));
        }
        if args.local_follow == Some(false) {
            return Err(Refusal::new("`local_follow: false` is not supported")
                .help("make links with `file: {state: link}`"));
        }
        if let Some(text) = &args.validate {
            put::validator(text)?;
        }
        checksum(args)
    }

    fn doubts(args: &Args) -> Vec<Refusal> {
        let content = match (&args.src, &args.content) {
            (Some(Src::Local(source)), _) if source.tree().is_none() => Content::from(source),
            (None, Some(Late::Known(body))) => body.content(),
            _ => return Vec::new(),
        };
        let name = args.name().filter(|_| args.dest.ends_with('/'));
        let path = name.map_or_else(|| args.dest.clone(), |name| paths::join(&args.dest, &name));
        lint::of_file(&path, &content)
    }

    fn observe(args: &Args, seen: &Seen) -> Probes {
        Look::observe(seen, |look| decide(args, look))
    }

    fn plan(args: &Args, seen: &Seen) -> Result<Plan, Stop> {
        decide(args, &Look::new(seen))
    }

    fn output(args: &Args, after: &Seen, _: &[Done]) -> Result<Output, Stop> {
        let look = Look::new(after);
        let contents = matches!(&args.src, Some(Src::Host(path)) if path.ends_with('/'));
        if args.tree().is_some() || contents {
            return Ok(Output {
                dest: paths::absolute(&args.dest, &look)?,
                ..Output::default()
            });
        }
        let name = args.name();
        let target = put::target(&look, &args.dest, name.as_deref(), args.follow)?;
        let written = match (&args.src, &args.content) {
            (Some(Src::Local(source)), _) => Written::Content(Content::from(source)),
            (_, Some(Late::Known(body))) if !body.is_secret() => Written::Content(body.content()),
            (_, Some(_)) => Written::Secret,
            (_, None) => Written::Unknown,
        };
        Ok(result(&look, &target.path, written)?)
    }

    fn touches(args: &Args) -> Touches {
        if args.validate.is_some() || !paths::is_absolute(&args.dest) {
            return Touches::everything();
        }
        let path = paths::clean(&args.dest);
        let mut touches = writes(&args.dest, args.name().as_deref(), args.backup);
        match &args.src {
            Some(Src::Host(src)) if paths::is_absolute(src) => {
                touches.reads.push(Thing::Tree(src.clone()));
                touches.writes.push(Thing::Path(remote::beside(&path)));
                touches.writes.push(Thing::Tree(path));
            }
            Some(Src::Host(_)) => return Touches::everything(),
            Some(Src::Local(source)) if source.tree().is_some() => {
                let above = paths::ancestors(&path).filter(|dir| *dir != "/");
                touches
                    .writes
                    .extend(above.map(|dir| Thing::Path(dir.to_owned())));
                touches.writes.push(Thing::Tree(path.clone()));
            }
            _ => {}
        }
        touches
    }

    fn subject(args: &Args) -> String {
        args.dest.clone()
    }
}

/// What one file may write: it may go inside `dest`, and directories may be made for it.
pub(crate) fn writes(dest: &str, name: Option<&str>, backup: bool) -> Touches {
    let path = paths::clean(dest);
    let mut things = vec![Thing::Path(path.clone())];
    things.extend(name.map(|name| Thing::Path(paths::join(&path, name))));
    if dest.ends_with('/') {
        let above = paths::ancestors(&path).filter(|dir| *dir != "/");
        things.extend(above.map(|dir| Thing::Path(dir.to_owned())));
    }
    if backup {
        // The backup's name is known only when the old content is.
        let dir = paths::parent(&path).unwrap_or("/");
        things.push(Thing::Tree(if name.is_some() {
            path.clone()
        } else {
            dir.to_owned()
        }));
        things.push(Thing::Tree(dir.to_owned()));
    }
    Touches::writes(things)
}

/// What was written into a file.
#[derive(Debug)]
pub(crate) enum Written {
    /// It must not be shown, nor its checksum.
    Secret,
    /// This.
    Content(Content),
    /// Something of the host, or of a server.
    Unknown,
}

/// What is said of a file afterwards.
pub(crate) fn result(look: &Look<'_>, path: &str, written: Written) -> Result<Output, NotYet> {
    let stat = look.get(&Stat(path.to_owned()))?.as_ref();
    let digest = look.get(&Digest(path.to_owned()))?;
    let checksum = match written {
        Written::Secret => None,
        Written::Unknown => digest.map(|sha| hex(&sha)),
        // What was left as it is has another.
        Written::Content(content) if *digest == Some(content.digest()) => sums::sha1(&content),
        Written::Content(_) => None,
    };
    Ok(Output {
        dest: path.to_owned(),
        checksum,
        backup_file: None,
        attributes: Attributes::of(stat),
    })
}

impl Args {
    fn tree(&self) -> Option<&Source> {
        match &self.src {
            Some(Src::Local(source)) if source.tree().is_some() => Some(source),
            _ => None,
        }
    }

    /// What the file is called if it goes into a directory.
    fn name(&self) -> Option<String> {
        match &self.src {
            Some(Src::Local(source)) => Some(paths::name(source.name()).to_owned()),
            Some(Src::Host(path)) => Some(paths::name(path).to_owned()),
            None => None,
        }
    }

    /// Owner, group and mode of a file; `preserve` is the mode of its source.
    fn wanted<'a>(&'a self, preserved: &'a Mode) -> Wanted<'a> {
        Wanted {
            owner: self.owner.as_deref(),
            group: self.group.as_deref(),
            mode: self
                .mode
                .as_ref()
                .map(|mode| if mode.is_preserve() { preserved } else { mode }),
        }
    }

    fn directories(&self) -> Wanted<'_> {
        Wanted {
            owner: self.owner.as_deref(),
            group: self.group.as_deref(),
            mode: self
                .directory_mode
                .as_ref()
                .filter(|mode| !mode.is_preserve()),
        }
    }

    fn put<'a>(&'a self, preserved: &'a Mode) -> Result<Put<'a>, Refusal> {
        Ok(Put {
            wanted: self.wanted(preserved),
            force: self.force.unwrap_or(true),
            backup: self.backup,
            validate: self.validate.as_deref().map(put::validator).transpose()?,
        })
    }
}

fn decide(args: &Args, look: &Look<'_>) -> Result<Plan, Stop> {
    args.directories().ask(look);
    let content = match (&args.src, &args.content) {
        (Some(Src::Host(src)), _) => return remote::decide(args, look, src),
        (Some(Src::Local(source)), _) => match source.tree() {
            Some(entries) => return tree(args, look, source, entries),
            None => Ok(Content::from(source)),
        },
        (None, Some(late)) => late.get().map(Body::content),
        (None, None) => return Err(Stop::refused("`src` or `content` is needed")),
    };
    let bits = match &args.src {
        Some(Src::Local(source)) => Mode::bits(source.mode()),
        _ => Mode::preserve(),
    };
    let name = args.name();
    let target = put::target(look, &args.dest, name.as_deref(), args.follow)?;
    let missing = target.missing.iter().cloned();
    let mut changes = attributes::missing_directories(look, missing, args.directories())?;
    changes.extend(args.put(&bits)?.changes(look, &target, &content)?);
    Ok(changes.into())
}

/// A directory of this machine with all that is in it.
fn tree(
    args: &Args,
    look: &Look<'_>,
    source: &Source,
    entries: &[(String, Source)],
) -> Result<Plan, Stop> {
    let dest = paths::absolute(&args.dest, look)?;
    let root = if source.name().ends_with('/') {
        dest
    } else {
        paths::join(&dest, paths::name(source.name()))
    };
    attributes::ask_parent(look, &root);
    paths::ancestors(&root).for_each(|dir| look.ask(&Stat(dir.to_owned())));
    for (below, entry) in entries {
        let path = paths::join(&root, below.trim_end_matches('/'));
        look.ask(&Stat(path.clone()));
        if !below.ends_with('/') && entry.tree().is_none() {
            look.ask(&Digest(path));
        }
    }
    let missing = put::missing_levels(look, &root)?;
    let mut changes =
        attributes::missing_directories(look, missing.into_iter(), args.directories())?;
    for (below, entry) in entries {
        let path = paths::join(&root, below.trim_end_matches('/'));
        if below.ends_with('/') {
            match look.get(&Stat(path.clone()))? {
                None => {
                    let one = std::iter::once(path);
                    changes.extend(attributes::missing_directories(
                        look,
                        one,
                        args.directories(),
                    )?);
                }
                Some(_) if is_directory(look, &path)? => {}
                Some(_) => return Err(Stop::refused(format!("`{path}` is not a directory"))),
            }
        } else {
            let bits = Mode::bits(entry.mode());
            let target = Target {
                path: if args.follow {
                    paths::follow(&path, look)?
                } else {
                    path.clone()
                },
                asked: path,
                missing: vec![root.clone()],
            };
            let content = Ok(Content::from(entry));
            changes.extend(args.put(&bits)?.changes(look, &target, &content)?);
        }
    }
    Ok(changes.into())
}

/// Whether a path is a directory, or a link to one.
fn is_directory(look: &Look<'_>, path: &str) -> Result<bool, NotYet> {
    let end = paths::follow(path, look)?;
    let stat = look.get(&Stat(end))?.as_ref();
    Ok(stat.is_some_and(|stat| stat.kind == evenkeel_engine::probes::Kind::Directory))
}

/// Whether the source is what the task says it is.
fn checksum(args: &Args) -> Result<(), Refusal> {
    let Some(text) = &args.checksum else {
        return Ok(());
    };
    let digits = text
        .strip_prefix("sha256:")
        .unwrap_or(text)
        .to_ascii_lowercase();
    let short = digits.len() == 40 && !matches!(args.src, Some(Src::Host(_)));
    if !(short || digits.len() == 64) || !digits.chars().all(|digit| digit.is_ascii_hexdigit()) {
        return Err(Refusal::new(format!("`checksum: {text}` is not a SHA-256"))
            .help("give the 64 digits that `sha256sum` prints"));
    }
    let found = match (&args.src, &args.content) {
        (Some(Src::Local(source)), _) => Content::from(source),
        (None, Some(Late::Known(body))) => body.content(),
        _ => return Ok(()),
    };
    let found = if short {
        let Some(sum) = sums::sha1(&found) else {
            return Err(Refusal::new("of a secret no SHA-1 is made")
                .help("give the 64 digits that `sha256sum` prints"));
        };
        sum
    } else {
        hex(&found.digest())
    };
    if found == digits {
        return Ok(());
    }
    Err(Refusal::new(format!(
        "the source has the checksum {found}, not {digits}"
    )))
}
