//! `edit` and `create`: an editor works on a copy that nobody else can read, and that is always removed.

use std::{
    env, fs, io,
    io::Write as _,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    process::ExitStatus,
};

use tokio::signal::unix::{SignalKind, signal};

use super::{
    Key, Wrong,
    files::{From, To, private, random, read},
    keyring, open, wrong,
};
use crate::{cli, exit::Exit, report::out};

pub(super) fn edit(args: &cli::Edit) -> Result<Exit, Wrong> {
    let opened = open(&From::of(&args.file), &keyring(&args.vault)?)?;
    let before = opened.plain.reveal();
    let Some(after) = edited(&args.file, before)? else {
        return Ok(Exit::Interrupted);
    };
    if *after == before {
        out::talk("nothing was changed\n");
        return Ok(Exit::Good);
    }
    let key = Key {
        id: opened.id.clone(),
        password: opened.password.clone(),
    };
    To::File(args.file.clone()).write(key.seal(&after)?.as_bytes())?;
    Ok(Exit::Good)
}

pub(super) fn create(args: &cli::Create) -> Result<Exit, Wrong> {
    if fs::symlink_metadata(&args.file).is_ok() {
        return Err(wrong(
            format!("`{}` is there already", args.file.display()),
            "`evenkeel vault edit` changes it",
        ));
    }
    let key = Key::to_encrypt(&args.vault, args.encrypt_vault_id.as_deref())?;
    let Some(plain) = edited(&args.file, b"")? else {
        return Ok(Exit::Interrupted);
    };
    To::File(args.file.clone()).write(key.seal(&plain)?.as_bytes())?;
    Ok(Exit::Good)
}

/// What an editor makes of a text; nothing if somebody stopped it.
fn edited(file: &Path, plain: &[u8]) -> Result<Option<zeroize::Zeroizing<Vec<u8>>>, Wrong> {
    let unmade = |error: io::Error| {
        wrong(
            format!("there is no place for a copy: {error}"),
            "name a folder with space in `TMPDIR`",
        )
    };
    let copy = Copy::new(file, plain).map_err(unmade)?;
    let words = editor()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(unmade)?;
    let ended = runtime.block_on(run(&words, &copy.file)).map_err(|error| {
        wrong(
            format!("the editor `{}` cannot be started: {error}", words[0]),
            "name one in `VISUAL` or `EDITOR`",
        )
    })?;
    match ended {
        None => Ok(None),
        Some(status) if status.success() => read(&From::File(copy.file.clone())).map(Some),
        Some(status) => Err(wrong(
            format!("the editor `{}` ended with {status}", words[0]),
            "nothing was changed",
        )),
    }
}

/// The words of the editor's command line.
fn editor() -> Result<Vec<String>, Wrong> {
    let named = ["VISUAL", "EDITOR"].into_iter().find_map(|name| {
        let value = env::var(name).ok()?;
        (!value.trim().is_empty()).then_some((name, value))
    });
    let Some((name, line)) = named else {
        return Ok(vec!["vi".to_owned()]);
    };
    shlex::split(&line)
        .filter(|words| !words.is_empty())
        .ok_or_else(|| {
            wrong(
                format!("`{name}` opens a quote and never closes it"),
                "correct it",
            )
        })
}

/// Runs the editor to its end. Ctrl-C is for it; other signals end it and us, and give nothing.
async fn run(words: &[String], file: &Path) -> io::Result<Option<ExitStatus>> {
    let mut interrupts = signal(SignalKind::interrupt())?;
    let mut quits = signal(SignalKind::quit())?;
    let mut ends = signal(SignalKind::terminate())?;
    let mut hangups = signal(SignalKind::hangup())?;
    let mut editor = tokio::process::Command::new(&words[0])
        .args(&words[1..])
        .arg(file)
        .spawn()?;
    loop {
        tokio::select! {
            status = editor.wait() => return status.map(Some),
            _ = interrupts.recv() => {}
            _ = quits.recv() => {}
            _ = ends.recv() => break,
            _ = hangups.recv() => break,
        }
    }
    editor.kill().await?;
    Ok(None)
}

/// A file in a folder of its own; both go when this does.
struct Copy {
    folder: PathBuf,
    file: PathBuf,
}

impl Copy {
    fn new(of: &Path, plain: &[u8]) -> io::Result<Self> {
        // The user's own folder in memory, where there is one.
        let memory = env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
        let root = memory
            .filter(|path| path.is_dir())
            .unwrap_or_else(env::temp_dir);
        let folder = root.join(format!("evenkeel-vault-{}", random()?));
        fs::DirBuilder::new().mode(0o700).create(&folder)?;
        // Editors see by the name what it is.
        let name = of.file_name().unwrap_or("vault".as_ref());
        let copy = Self {
            file: folder.join(name),
            folder,
        };
        private(&copy.file)?.write_all(plain)?;
        Ok(copy)
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        // With what the editor put beside it.
        if let Err(error) = fs::remove_dir_all(&self.folder) {
            let folder = self.folder.display();
            out::talk(&format!(
                "warning: the decrypted copy in `{folder}` cannot be removed: {error}\n"
            ));
        }
    }
}
