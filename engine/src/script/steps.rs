//! Steps as calls of the functions in `step.sh`.

use super::{
    build::sum_of,
    quote::is_name,
    text::{Piece, Script},
};
use crate::{
    host::HostError,
    probes::base64,
    secret::Text,
    source::hex,
    step::{Action, Attrs, Effect, Run, Write},
};

/// Writes one step, operation `index`, that runs here and now.
pub(super) fn step(
    script: &mut Script<'_>,
    index: usize,
    env: &[(String, Text)],
    action: &Action,
) -> Result<(), HostError> {
    match action {
        Action::Write(write) => write_file(script, index, write)?,
        Action::Directory { path, attrs } => {
            script.raw("ek_act ek_directory").word(path)?;
            attributes(script, attrs)?;
        }
        Action::Link { path, target } => {
            moved(script, "ek_symlink", index, path, target)?;
        }
        Action::HardLink { path, target } => {
            moved(script, "ek_hardlink", index, path, target)?;
        }
        Action::Copy { from, to } => {
            moved(script, "ek_copy", index, to, from)?;
        }
        Action::Attrs {
            path,
            attrs,
            follow,
            recurse,
        } => {
            let flag = |on: bool| if on { "1" } else { "" };
            script.raw("ek_act ek_attrs").word(path)?;
            script.word(flag(*follow))?.word(flag(*recurse))?;
            attributes(script, attrs)?;
        }
        Action::Remove { path } => {
            script.raw("ek_act ek_remove").word(path)?;
        }
        Action::Fetch(_) => {
            return Err(HostError::Garbled(
                "BUG: no host brings a file here by itself".to_owned(),
            ));
        }
        Action::Run(run) => run_here(script, index, env, run)?,
        Action::Settle { until, millis } => settle(script, until, *millis)?,
    }
    script.raw("\n");
    Ok(())
}

/// A name beside `path` that nobody can foresee.
fn temporary(script: &Script<'_>, index: usize, path: &str) -> String {
    let dir = path.rsplit_once('/').map_or("", |(dir, _)| dir);
    format!("{dir}/.evenkeel.{}.{index}", script.setup.nonce)
}

fn moved(
    script: &mut Script<'_>,
    function: &str,
    index: usize,
    path: &str,
    from: &str,
) -> Result<(), HostError> {
    let temp = temporary(script, index, path);
    script.raw("ek_act ").raw(function);
    script.words([path, &temp, from])?;
    Ok(())
}

/// Five digits: so that `chmod` also clears a directory's setgid bit.
pub(super) fn octal(mode: u32) -> String {
    format!("{mode:05o}")
}

fn attributes(script: &mut Script<'_>, attrs: &Attrs) -> Result<(), HostError> {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let time = |value: &Option<String>| match value.as_deref() {
        Some(time) if time.bytes().all(|b| b.is_ascii_digit()) => format!("@{time}"),
        Some(time) => time.to_owned(),
        None => String::new(),
    };
    script.words([
        text(&attrs.owner),
        text(&attrs.group),
        attrs.mode.map(octal).unwrap_or_default(),
        time(&attrs.mtime),
        time(&attrs.atime),
    ])?;
    Ok(())
}

fn write_file(script: &mut Script<'_>, index: usize, write: &Write) -> Result<(), HostError> {
    let temp = temporary(script, index, &write.path);
    let (at, len) = script.data(Piece::Content(write.content.clone()));
    let was = match &write.if_was {
        None => String::new(),
        Some(None) => "-".into(),
        Some(Some(sha)) => hex(sha),
    };
    let Attrs {
        owner, group, mode, ..
    } = &write.attrs;
    script.raw("ek_act ek_write");
    script.words([&write.path, &temp])?;
    script.words([
        at.to_string(),
        len.to_string(),
        hex(&write.content.digest()),
        was,
        owner.clone().unwrap_or_default(),
        group.clone().unwrap_or_default(),
        mode.map(octal).unwrap_or_default(),
        octal(write.new_mode.unwrap_or(0o644)),
    ])?;
    for word in write.validate.iter().flatten() {
        script.word(word.replace("%s", &temp))?;
    }
    Ok(())
}

fn settle(script: &mut Script<'_>, until: &Effect, millis: u64) -> Result<(), HostError> {
    let probe = &until.probe;
    let Some(expected) = probe.expected(&until.answer) else {
        script.raw("ek_act ek_fail").word(format!(
            "`{}` cannot be waited for: its answer has no normal form",
            probe.kind()
        ))?;
        return Ok(());
    };
    let function = script.probe(probe.kind(), probe.script());
    script.raw("ek_act ek_settle");
    script.words([millis.div_ceil(10).to_string(), sum_of(&expected), function])?;
    script.words(probe.key().1)?;
    Ok(())
}

/// Umask, environment and directory of a program, then the program: the body of a function, or a
/// script of its own.
fn program(
    script: &mut Script<'_>,
    env: &[(String, Text)],
    run: &Run,
    go: &str,
) -> Result<(), HostError> {
    script.raw(format!("umask {:04o}\n", run.umask.unwrap_or(0o022)));
    let home = "cd -- \"${HOME:-/}\" 2>/dev/null || cd /\n";
    if let Some(work) = &script.setup.work_dir {
        script.raw("cd --").word(work)?.raw(" 2>/dev/null || ");
        script.raw(home);
    } else if run.dir.is_none() {
        script.raw(home);
    }
    if let Some(dir) = &run.dir {
        script.raw("cd --").word(dir)?.raw(" || exit 1\n");
    }
    for (name, value) in env.iter().chain(&run.env) {
        if !is_name(name) {
            return Err(HostError::Garbled(format!(
                "`{name}` cannot be the name of a variable of the environment"
            )));
        }
        script.raw("export ");
        script.assign(name, value.bytes())?;
    }
    let words = run.under.iter().chain(&run.argv);
    script.raw(go).words(words)?.raw("\n");
    Ok(())
}

fn accepted(run: &Run) -> String {
    let statuses: Vec<_> = run.ok.iter().map(ToString::to_string).collect();
    statuses.join(" ")
}

fn run_here(
    script: &mut Script<'_>,
    index: usize,
    env: &[(String, Text)],
    run: &Run,
) -> Result<(), HostError> {
    if run.argv.is_empty() {
        script.raw("ek_act ek_fail").word("no program is named")?;
        return Ok(());
    }
    script.raw(format!("ek_r{index}() {{\n"));
    program(script, env, run, "ek_go")?;
    script.raw("}\n");
    let input = run.stdin.read().map_err(|error| unreadable(run, &error))?;
    let (at, len) = script.data(Piece::Bytes(base64(&input).into_bytes()));
    script.raw("ek_run");
    script.words([
        run.seconds.unwrap_or(0).to_string(),
        accepted(run),
        at.to_string(),
        len.to_string(),
        format!("ek_r{index}"),
    ])?;
    Ok(())
}

fn unreadable(run: &Run, error: &std::io::Error) -> HostError {
    HostError::Source {
        name: match &run.stdin {
            crate::step::Content::Source(source) => source.name().to_owned(),
            other => format!("{other:?}"),
        },
        why: error.to_string(),
    }
}

/// Writes a long step: `wrapper` is the function that becomes its identity.
pub(super) fn long(
    script: &mut Script<'_>,
    name: &str,
    env: &[(String, Text)],
    run: &Run,
    wrapper: &str,
) -> Result<(), HostError> {
    let mut own = Script::new(script.setup);
    own.raw("LC_ALL=C\nexport LC_ALL\n");
    own.raw(
        "PATH=${PATH:-/usr/bin}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n",
    );
    own.raw("trap - PIPE HUP\n");
    program(&mut own, env, run, "exec")?;
    let text = own.into_function();
    let input = run.stdin.read().map_err(|error| unreadable(run, &error))?;
    let len = text.len();
    let all = base64(&[text, input].concat());
    let (at, size) = script.data(Piece::Bytes(all.into_bytes()));
    script.raw("ek_long");
    script.words([
        name.to_owned(),
        run.seconds.unwrap_or(0).to_string(),
        accepted(run),
        at.to_string(),
        size.to_string(),
    ])?;
    script.raw(format!(" {wrapper} {len}\n"));
    Ok(())
}
