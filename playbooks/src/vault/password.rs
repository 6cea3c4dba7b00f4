//! Where a password comes from: a person, a file, a program.

use std::{
    fmt, fs,
    io::Read as _,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::mpsc,
    time::Duration,
};

use evenkeel_engine::Secret;
use zeroize::Zeroizing;

use super::{Asker, DEFAULT, is_vault};

/// The longest password that is read.
const LONGEST: u64 = 64 * 1024;
/// How long a program may take; a person may have to type something into it.
const PATIENCE: Duration = Duration::from_secs(120);

/// Where a password comes from.
#[derive(Clone)]
pub enum Origin {
    /// A person, asked on the terminal.
    Person(Asker),
    /// A file, or what it prints if it is a program.
    File(PathBuf),
    /// It is here already.
    Known(Secret),
}

impl Origin {
    /// The password of an id.
    pub fn password(&self, id: &str) -> Result<Secret, String> {
        let found = match self {
            Self::Known(password) => return Ok(password.clone()),
            Self::Person(ask) => {
                let what = match id {
                    DEFAULT => "password of the vault".to_owned(),
                    id => format!("password of the vault id `{id}`"),
                };
                ask(&what)?
            }
            Self::File(path) => from_file(path, id)?,
        };
        if passwordless(&found) {
            return Err("it is empty".to_owned());
        }
        Ok(found)
    }
}

/// Whether nothing is there.
pub fn passwordless(password: &Secret) -> bool {
    password.reveal().is_empty()
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person(_) => f.write_str("the terminal"),
            Self::File(path) => write!(f, "`{}`", path.display()),
            Self::Known(_) => f.write_str("the command line"),
        }
    }
}

fn from_file(path: &Path, id: &str) -> Result<Secret, String> {
    let said = |error: std::io::Error| error.to_string();
    let meta = fs::metadata(path).map_err(said)?;
    if meta.is_file() && meta.permissions().mode() & 0o111 != 0 {
        let path = fs::canonicalize(path).map_err(said)?;
        let mut program = Command::new(&path);
        if is_client(&path) {
            program.args(["--vault-id", id]);
        }
        let printed = program_output(program, PATIENCE)?;
        return Ok(Secret::new(trim(&printed, |byte| {
            matches!(byte, b'\r' | b'\n')
        })));
    }
    let mut text = Zeroizing::new(Vec::new());
    let file = fs::File::open(path).map_err(said)?;
    file.take(LONGEST + 1)
        .read_to_end(&mut text)
        .map_err(said)?;
    if text.len() as u64 > LONGEST {
        return Err("it is longer than 64 KiB".to_owned());
    }
    if is_vault(&text) {
        return Err("it is itself encrypted by a vault".to_owned());
    }
    Ok(Secret::new(trim(&text, |byte| byte.is_ascii_whitespace())))
}

/// Programs of this name are told whose password is wanted.
fn is_client(path: &Path) -> bool {
    let stem = path.file_stem().and_then(|stem| stem.to_str());
    stem.is_some_and(|stem| stem.ends_with("-client"))
}

fn trim(text: &[u8], outside: impl Fn(u8) -> bool) -> &[u8] {
    let inside = |byte: &u8| !outside(*byte);
    let start = text.iter().position(inside).unwrap_or(text.len());
    let end = text.iter().rposition(inside).map_or(start, |last| last + 1);
    &text[start..end]
}

/// What a program prints. It is ended if it takes longer than `patience`.
pub fn program_output(
    mut program: Command,
    patience: Duration,
) -> Result<Zeroizing<Vec<u8>>, String> {
    let mut child = program
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("it cannot be started: {error}"))?;
    let Some(stdout) = child.stdout.take() else {
        return Err("it cannot be heard".to_owned());
    };
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        let mut printed = Zeroizing::new(Vec::new());
        let read = stdout.take(LONGEST + 1).read_to_end(&mut printed);
        // Nobody listens any more if it took too long.
        drop(tell.send(read.map(|_| printed)));
    });
    let Ok(printed) = told.recv_timeout(patience) else {
        drop(child.kill());
        drop(child.wait());
        return Err(format!(
            "it took longer than {} seconds",
            patience.as_secs()
        ));
    };
    let printed = printed.map_err(|error| error.to_string())?;
    if printed.len() as u64 > LONGEST {
        drop(child.kill());
        drop(child.wait());
        return Err("it prints more than 64 KiB".to_owned());
    }
    let status = child.wait().map_err(|error| error.to_string())?;
    match status.code() {
        Some(0) => Ok(printed),
        Some(2) => Err("it has no password for this id (exit status 2)".to_owned()),
        _ => Err(format!("it ended with {status}")),
    }
}
