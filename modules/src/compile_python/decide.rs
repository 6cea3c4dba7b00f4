//! What differs from the interpreter that is wanted, and the steps that build it.

use evenkeel_engine::{
    Action, Attrs, Change, Content, Effect, NotYet, Plan, Run, Step, Stop, Write, hex,
    probes::{Digest, Stat, Which, Whoami},
};

use super::{Args, Interpreter};
use crate::{
    attributes,
    copy::Src,
    fetch::{Algorithm, Download, Hash, tool},
    look::Look,
};

/// A build that takes longer than this hangs.
const LIMIT: u64 = 4 * 3600;

/// What has to be installed: programs, and headers by the modules that need them.
const CHECK: &str = include_str!("check.sh");

/// Unpacks, configures, compiles, installs, and tries what was installed.
const BUILD: &str = include_str!("build.sh");

pub(super) fn decide(args: &Args, look: &Look<'_>) -> Result<Plan, Stop> {
    let (built, work) = (args.built(), args.work());
    let source = format!("{work}/source");
    let now = look.get(&built);
    look.ask(&Whoami);
    let programs = ["make", "tar", "flock"].map(|name| Which(name.to_owned()));
    programs.iter().for_each(|which| look.ask(which));
    let compilers = ["cc", "gcc"].map(|name| Which(name.to_owned()));
    compilers.iter().for_each(|which| look.ask(which));
    for path in [&work, &source] {
        look.ask(&Stat(path.clone()));
    }
    look.ask(&Digest(source.clone()));
    attributes::ask_parent(look, &work);
    if args.request().is_some() {
        drop(tool(look));
    }
    let now = now?;
    let why = reasons(args, now);
    let pip = args.pip.as_ref().filter(|pip| now.pip.as_ref() != Some(*pip));
    let wanted = Interpreter {
        version: Some(args.version.clone()),
        pip: args.pip.clone().or_else(|| now.pip.clone().filter(|_| why.is_empty())),
        missing: Vec::new(),
        stamp: Some(args.stamp()),
    };
    let foretold = |step: Step| match (&wanted.pip, args.pip.is_some() || why.is_empty()) {
        (_, true) => step.effect(Effect::new(built.clone(), wanted.clone())),
        _ => step.effect(Effect::unknown(built.clone(), "which pip comes with the source")),
    };
    if why.is_empty() {
        let Some(pip) = pip else { return Ok(Plan::nothing()) };
        let install = ["-I", "-m", "pip", "install", "--no-input", "--disable-pip-version-check"];
        let mut argv = vec![args.python()];
        argv.extend(install.map(ToOwned::to_owned));
        argv.push(format!("pip=={pip}"));
        let change = Change::new("pip", now.pip.clone(), pip.as_str());
        return Ok(change.step(foretold(Run::new(argv).into())).into());
    }
    if programs.iter().any(|which| matches!(look.get(which), Ok(None)))
        || compilers.iter().all(|which| matches!(look.get(which), Ok(None)))
    {
        let what = "a compiler, `make`, `tar` and `flock` on the host (install `gcc`, `make`, `tar`, `util-linux`)";
        return Err(NotYet(what.to_owned()).into());
    }
    for which in &programs {
        look.get(which)?;
    }
    attributes::parent_exists(look, &work)?;
    let before = now.version.clone().map(|version| format!("{version} ({})", why.join(", ")));
    let mut change = Change::new(format!("python{}", args.series()), before, args.version.as_str());
    let mut check = vec!["sh".to_owned(), "-c".to_owned(), CHECK.to_owned(), "check".to_owned()];
    check.extend(args.modules());
    change = change.step(Run::new(check));
    let attrs = Attrs { mode: Some(0o700), ..Attrs::default() };
    change = change.step(Action::Directory { path: work.clone(), attrs });
    let digits = args.sha256.to_ascii_lowercase();
    let there = look.get(&Digest(source.clone()))?.is_some_and(|sha| hex(&sha) == digits);
    let hash = Hash { algorithm: Algorithm::Sha256, digits: digits.clone() };
    let archive = match (&args.source, args.request()) {
        (Src::Host(path), None) => path.clone(),
        (_, Some(request)) if !there => {
            tool(look)?;
            let download = Download { request: &request, to: &source, parts: None, hash: Some(&hash), decompress: false };
            change = change.step(download.step(look)?);
            source
        }
        (Src::Local(local), _) if !there => {
            if hex(&local.digest()) != digits {
                let found = hex(&local.digest());
                return Err(Stop::refused(format!("`{}` has the sha256 {found}, not {digits}", local.name())));
            }
            let write = Write { path: source.clone(), content: Content::Source(local.clone()), ..Write::default() };
            change = change.step(Action::Write(write));
            source
        }
        _ => source,
    };
    let jobs = args.jobs.map(|jobs| jobs.to_string()).unwrap_or_default();
    let mut argv: Vec<String> = ["sh", "-c", BUILD, "build"].map(ToOwned::to_owned).into();
    let pip = args.pip.clone().unwrap_or_default();
    argv.extend([work, archive, digits, args.version.clone(), args.python(), jobs, pip]);
    argv.extend([args.modules().join(" "), args.stamp_path(), args.stamp()]);
    argv.extend(args.options());
    let run = Run {
        seconds: Some(LIMIT),
        long: true,
        env: vec![("LC_ALL".to_owned(), "C".into())],
        ..Run::new(argv)
    };
    Ok(change.step(foretold(run.into())).into())
}

/// Why what is there is not what is wanted.
fn reasons(args: &Args, now: &Interpreter) -> Vec<String> {
    let mut why = Vec::new();
    match &now.version {
        None => why.push("it does not answer".to_owned()),
        Some(version) if *version != args.version => why.push("another version".to_owned()),
        Some(_) if !now.missing.is_empty() => why.push(format!("without {}", now.missing.join(", "))),
        Some(_) => {}
    }
    let stamp = args.stamp();
    match now.stamp.as_deref() {
        Some(found) if found == stamp => {}
        None => why.push("its build was never finished, or is not ours".to_owned()),
        Some(found) => {
            let source = |text: &str| text.lines().find(|line| line.starts_with("source ")).map(str::to_owned);
            if source(found) == source(&stamp) {
                why.push("built with other options".to_owned());
            } else {
                why.push("built from another source".to_owned());
            }
        }
    }
    why
}
