//! How the two files are found, made, and put in their places.

use evenkeel_engine::{
    Action, Attrs, Change, Done, Effect, Refusal, Run, Step, Stop,
    probes::{Contents, Digest, FileStat, Inode, Kind as Is, Stat, Times, Whoami},
};

use super::{
    Args, Kind, Type, config,
    wish::{self, Wish},
};
use crate::{
    attributes::{self, Wanted},
    look::Look,
    paths,
};

/// Where a file is made before it takes its place; what an interrupted run left there is removed.
pub(super) fn beside(path: &str) -> String {
    let dir = paths::parent(path).unwrap_or("/");
    paths::join(dir, &format!(".{}.evenkeel", paths::name(path)))
}

/// One of the two files.
pub(super) struct Place<'a> {
    /// Where its links lead.
    pub(super) path: String,
    pub(super) stat: Option<&'a FileStat>,
    /// What stands where it is made; beside the end of a link nobody has looked.
    pub(super) leftover: Leftover,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Leftover {
    None,
    There,
    Perhaps,
}

/// Finds a file, and asks what has to be known to replace it.
pub(super) fn place<'a>(look: &Look<'a>, asked: &str) -> Result<Place<'a>, Stop> {
    look.ask(&Stat(asked.to_owned()));
    look.ask(&Stat(beside(asked)));
    attributes::ask_parent(look, asked);
    let path = paths::follow(asked, look)?;
    let stat = look.get(&Stat(path.clone()))?.as_ref();
    if let Some(stat) = stat
        && stat.kind != Is::File
    {
        return Err(Stop::refused(format!(
            "`{path}` is not a file: {}",
            attributes::kind_name(&stat.kind)
        )));
    }
    let leftover = if path != asked {
        Leftover::Perhaps
    } else if look.get(&Stat(beside(&path)))?.is_some() {
        Leftover::There
    } else {
        Leftover::None
    };
    Ok(Place {
        path,
        stat,
        leftover,
    })
}

/// A file that a program makes.
pub(super) struct Made<'a> {
    pub(super) run: Run,
    pub(super) wanted: Wanted<'a>,
    /// Its bits if nothing is said, and none was there.
    pub(super) new_mode: u32,
    /// What is true when it is in its place.
    pub(super) effect: Effect,
}

impl Made<'_> {
    /// It is made beside its place, for its owner alone, gets its attributes, and takes its place.
    pub(super) fn change(
        self,
        look: &Look<'_>,
        place: &Place<'_>,
        mut change: Change,
    ) -> Result<Change, Stop> {
        let me = &look.get(&Whoami)?.account;
        let beside = beside(&place.path);
        let wanted = self.wanted.fresh(look, self.new_mode, false)?;
        let (owner, group, mode) = match place.stat {
            Some(stat) => (
                stat.uid.to_string(),
                stat.gid.to_string(),
                self.wanted.bits(stat).unwrap_or(stat.mode),
            ),
            None => (
                me.name.clone(),
                me.group.clone(),
                wanted.mode.unwrap_or(self.new_mode),
            ),
        };
        let attrs = Attrs {
            owner: wanted.owner.or(Some(owner)),
            group: wanted.group.or(Some(group)),
            mode: Some(mode),
            ..Attrs::default()
        };
        if place.leftover != Leftover::None {
            change = change.step(Action::Remove {
                path: beside.clone(),
            });
        }
        let mut run = self.run;
        run.argv.extend(["-out".to_owned(), beside.clone()]);
        run.umask = Some(0o077);
        let made = FileStat {
            kind: Is::File,
            mode: 0o600,
            uid: me.uid,
            gid: me.gid,
            owner: me.name.clone(),
            group: me.group.clone(),
        };
        let mut step = Step::from(run).effect(Effect::new(Stat(beside.clone()), Some(made)));
        let unknown = "what `openssl` makes";
        for effect in [
            Effect::unknown(Digest(beside.clone()), unknown),
            Effect::unknown(Contents(beside.clone()), unknown),
            Effect::unknown(Inode(beside.clone()), unknown),
            Effect::unknown(Times(beside.clone()), unknown),
        ] {
            step = step.effect(effect);
        }
        let path = beside.clone();
        let attrs = Action::Attrs {
            path,
            attrs,
            follow: false,
            recurse: false,
        };
        let placed = Action::HardLink {
            path: place.path.clone(),
            target: beside.clone(),
        };
        Ok(change
            .step(step)
            .step(attrs)
            .step(Step::from(placed).effect(self.effect))
            .step(Action::Remove { path: beside }))
    }
}

/// Makes a key.
pub(super) fn genpkey(kind: &Kind) -> Run {
    let mut argv = vec![
        "openssl".to_owned(),
        "genpkey".to_owned(),
        "-algorithm".to_owned(),
    ];
    let (algorithm, options) = match kind {
        Kind::Rsa(bits) => ("RSA", vec![format!("rsa_keygen_bits:{bits}")]),
        Kind::Ec(curve) => {
            let curve = format!("ec_paramgen_curve:{curve}");
            ("EC", vec![curve, "ec_param_enc:named_curve".to_owned()])
        }
        Kind::Ed25519 | Kind::Other(_) => ("ED25519", Vec::new()),
    };
    argv.push(algorithm.to_owned());
    for option in options {
        argv.extend(["-pkeyopt".to_owned(), option]);
    }
    Run {
        explain: Some(explain),
        ..Run::new(argv)
    }
}

/// Makes a certificate.
pub(super) fn req(args: &Args, wish: &Wish, key: &str) -> Run {
    let days = args.days().to_string();
    let mut argv: Vec<String> = [
        "openssl", "req", "-new", "-x509", "-days", &days, "-key", key,
    ]
    .map(ToOwned::to_owned)
    .into();
    if args.kind != Type::Ed25519 {
        argv.push(format!("-{}", wish::name(args.digest)));
    }
    argv.extend(["-config", "/dev/stdin"].map(ToOwned::to_owned));
    Run {
        stdin: config::config(&wish.facts).as_str().into(),
        explain: Some(explain),
        ..Run::new(argv)
    }
}

/// What `openssl` means.
fn explain(done: &Done) -> Option<Refusal> {
    let said = String::from_utf8_lossy(&done.stderr);
    if said.contains("ED25519 not found") {
        return Some(
            Refusal::new("the host's `openssl` cannot make an Ed25519 key")
                .help("1.1.1 can; or `type: ec`"),
        );
    }
    None
}
