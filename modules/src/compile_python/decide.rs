//! What differs from the interpreter that is wanted, and the steps that build it.

use evenkeel_engine::{
    Action, Attrs, Change, Content, Effect, Module as _, NotYet, Plan, Run, Source, Step, Stop,
    Write, hex,
    keep::KeptPlace,
    probes::{Digest, Stat, Which, Whoami},
};

use super::{Args, Interpreter, explain, share};
use crate::{
    attributes,
    copy::Src,
    download::{Algorithm, Download, Hash, script, tool},
    look::Look,
    package::Package,
};

/// A build that takes longer than this hangs.
const LIMIT: u64 = 4 * 3600;

/// What has to be installed: programs, and headers by the modules that need them.
const CHECK: &str = include_str!("check.sh");

/// Unpacks, configures, compiles, installs, and tries what was installed.
const BUILD: &str = include_str!("build.sh");

/// All that may have to be known, so that one round is enough.
fn ask(args: &Args, look: &Look<'_>) {
    let work = args.work();
    look.ask(&Whoami);
    for name in ["make", "tar", "flock", "cc", "gcc"] {
        look.ask(&Which(name.to_owned()));
    }
    look.ask(&Stat(work.clone()));
    look.ask(&Stat(source(args)));
    look.ask(&Digest(source(args)));
    attributes::ask_parent(look, &work);
    share::ask(args, look);
    if args.request().is_some() {
        drop(tool(look));
    }
}

/// Where the archive is kept.
fn source(args: &Args) -> String {
    format!("{}/source", args.work())
}

pub(super) fn decide(args: &Args, look: &Look<'_>) -> Result<Plan, Stop> {
    let built = args.built();
    let now = look.get(&built);
    ask(args, look);
    let now = now?;
    let why = reasons(args, now);
    let pip = args
        .pip
        .clone()
        .or_else(|| now.pip.clone().filter(|_| why.is_empty()));
    let foretold = foretold(args, pip.clone());
    if why.is_empty() {
        let wanted = pip.filter(|pip| now.pip.as_ref() != Some(pip));
        let change = |pip: String| upgraded(args, now, &pip, foretold).into();
        return Ok(wanted.map_or_else(Plan::nothing, change));
    }
    let shared = shared(args, look);
    if matches!(shared, Ok((_, None))) {
        // It may ask for the source before it is known what else is missing: one can ask only a few times.
        drop(archive(args, look));
    }
    let mut plan = packages(args, look)?;
    let (place, shared) = shared?;
    if plan.changes.is_empty() {
        // Otherwise they may bring it; whether they did is checked before it is built.
        tools(look, shared.is_none())?;
    }
    attributes::parent_exists(look, &args.work())?;
    let before = now
        .version
        .clone()
        .map(|version| format!("{version} ({})", why.join(", ")));
    let what = format!("python{}", args.series());
    let mut change = Change::new(what, before, args.version.as_str());
    if shared.is_none() {
        let (argv, stdin) = script("check", CHECK, args.modules(), &Content::default());
        change = change.step(Run {
            stdin,
            explain: Some(|_| Some(explain::check())),
            ..Run::new(argv)
        });
    }
    let attrs = Attrs {
        mode: Some(0o700),
        ..Attrs::default()
    };
    change = change.step(Action::Directory {
        path: args.work(),
        attrs,
    });
    let steps = if let Some(source) = shared {
        change.what += " as another host compiled it";
        share::carried(args, source)
    } else {
        let (archive, step) = archive(args, look)?;
        let way = place.as_ref().map(|_| "EK_SHARE");
        let mut steps: Vec<Step> = step.into_iter().collect();
        steps.push(build(args, archive, way));
        steps.extend(place.into_iter().flat_map(|place| share::keep(args, place)));
        steps
    };
    let count = steps.len();
    let steps = (1..).zip(steps);
    // It is as it should be once the last of them has ended.
    let mut foretold = Some(foretold);
    change.steps.extend(steps.map(
        |(number, step)| match foretold.take_if(|_| number == count) {
            Some(effect) => step.effect(effect),
            None => step,
        },
    ));
    plan.changes.push(change);
    Ok(plan)
}

/// Where a build is kept that others may use, and what is kept there.
fn shared(args: &Args, look: &Look<'_>) -> Result<(Option<KeptPlace>, Option<Source>), Stop> {
    let Some(place) = share::place(args, look)? else {
        return Ok((None, None));
    };
    let kept = share::kept(&place, look)?;
    Ok((Some(place), kept))
}

/// What is there in the end.
fn foretold(args: &Args, pip: Option<String>) -> Effect {
    let built = args.built();
    if pip.is_none() {
        return Effect::unknown(built, "which pip comes with the source");
    }
    let now = Interpreter {
        version: Some(args.version.clone()),
        pip,
        missing: Vec::new(),
        stamp: Some(args.stamp()),
    };
    Effect::new(built, now)
}

/// Another pip, in what is built already.
fn upgraded(args: &Args, now: &Interpreter, pip: &str, foretold: Effect) -> Change {
    let install = "-I -m pip install --no-input --disable-pip-version-check";
    let mut argv = vec![args.python()];
    argv.extend(install.split(' ').map(ToOwned::to_owned));
    argv.push(format!("pip=={pip}"));
    Change::new("pip", now.pip.clone(), pip).step(Step::from(Run::new(argv)).effect(foretold))
}

/// What installs the packages that are missing. They are looked at only where it is to be built.
fn packages(args: &Args, look: &Look<'_>) -> Result<Plan, Stop> {
    if args.packages.is_empty() {
        return Ok(Plan::nothing());
    }
    let packages = args.build_packages();
    look.ask_all(Package::observe(&packages, look.seen()));
    Package::plan(&packages, look.seen())
}

/// What it is compiled with; an earlier task may install it.
fn tools(look: &Look<'_>, compiles: bool) -> Result<(), NotYet> {
    let there = |name: &str| Ok::<bool, NotYet>(look.get(&Which(name.to_owned()))?.is_some());
    let mut missing = Vec::new();
    if compiles && !there("cc")? && !there("gcc")? {
        missing.push("a C compiler (`gcc`)");
    }
    for (name, what) in [
        ("make", "`make`"),
        ("tar", "`tar`"),
        ("flock", "`flock` (of `util-linux`)"),
    ] {
        if (compiles || name != "make") && !there(name)? {
            missing.push(what);
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    Err(NotYet(format!(
        "{} on the host; `packages` installs what it is built with",
        missing.join(", ")
    )))
}

/// Where the archive is, and the step that brings it there.
fn archive(args: &Args, look: &Look<'_>) -> Result<(String, Option<Step>), Stop> {
    if let (Src::Host(path), None) = (&args.source, args.request()) {
        return Ok((path.clone(), None));
    }
    let source = source(args);
    let digits = args.sha256.to_ascii_lowercase();
    if let Src::Local(local) = &args.source {
        let found = hex(&local.digest());
        if found != digits {
            return Err(Stop::refused(format!(
                "`{}` has the sha256 {found}, not {digits}",
                local.name()
            )));
        }
    }
    if look
        .get(&Digest(source.clone()))?
        .is_some_and(|sha| hex(&sha) == digits)
    {
        return Ok((source, None));
    }
    let step = match (&args.source, args.request()) {
        (_, Some(request)) => {
            let hash = Hash {
                algorithm: Algorithm::Sha256,
                digits,
            };
            let (to, hash) = (source.as_str(), Some(&hash));
            Download {
                request: &request,
                to,
                parts: None,
                hash,
                decompress: false,
            }
            .step(look)?
        }
        (Src::Local(local), None) => {
            let content = Content::Source(local.clone());
            Action::Write(Write {
                path: source.clone(),
                content,
                ..Write::default()
            })
            .into()
        }
        (Src::Host(path), None) => return Ok((path.clone(), None)),
    };
    Ok((source, Some(step)))
}

pub(super) fn build(args: &Args, archive: String, way: Option<&str>) -> Step {
    let jobs = args.jobs.map(|jobs| jobs.to_string()).unwrap_or_default();
    let pip = args.pip.clone().unwrap_or_default();
    let digits = args.sha256.to_ascii_lowercase();
    let mut words = vec![
        args.work(),
        archive,
        digits,
        args.version.clone(),
        args.python(),
        jobs,
        pip,
    ];
    words.extend([args.modules().join(" "), args.stamp_path(), args.stamp()]);
    words.extend(args.options());
    let (argv, stdin) = script("build", BUILD, words, &Content::default());
    let mut env = vec![("LC_ALL".to_owned(), "C".into())];
    env.extend(way.map(|name| (name.to_owned(), "1".into())));
    Step::from(Run {
        seconds: Some(LIMIT),
        long: true,
        env,
        stdin,
        explain: Some(explain::build),
        ..Run::new(argv)
    })
}

/// Why what is there is not what is wanted.
fn reasons(args: &Args, now: &Interpreter) -> Vec<String> {
    let mut why = Vec::new();
    match &now.version {
        None => why.push("it does not answer".to_owned()),
        Some(version) if *version != args.version => why.push("another version".to_owned()),
        Some(_) if !now.missing.is_empty() => {
            why.push(format!("without {}", now.missing.join(", ")));
        }
        Some(_) => {}
    }
    let stamp = args.stamp();
    match now.stamp.as_deref() {
        Some(found) if found == stamp => {}
        None => why.push("its build was never finished, or is not ours".to_owned()),
        Some(found) => {
            let source = |text: &str| {
                text.lines()
                    .find(|line| line.starts_with("source "))
                    .map(str::to_owned)
            };
            if source(found) == source(&stamp) {
                why.push("built with other options".to_owned());
            } else {
                why.push("built from another source".to_owned());
            }
        }
    }
    why
}
