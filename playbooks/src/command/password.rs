//! The password of sudo, su or doas: asked for, or from a file.

use std::{
    fs,
    io::{self, BufRead as _, BufReader, IsTerminal as _},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Stdio},
};

use evenkeel_engine::Secret;

/// Asks on the terminal, without showing what is typed.
pub(super) fn ask(what: &str) -> io::Result<Secret> {
    let terminal = console::Term::stderr();
    if !terminal.is_term() {
        return Err(io::Error::other("there is no terminal to ask on"));
    }
    terminal.write_str(&format!("{what}: "))?;
    terminal.read_secure_line().map(Secret::new)
}

/// Whether there is somebody to ask.
pub(super) fn is_there() -> bool {
    io::stdin().is_terminal() && console::Term::stderr().is_term()
}

/// Asks on the terminal, and shows what is typed.
pub(super) fn ask_openly(what: &str) -> io::Result<String> {
    let terminal = console::Term::stderr();
    terminal.write_str(&format!("{what}: "))?;
    terminal.read_line()
}

/// The first line of a file, or of what it prints if it is a program.
pub(super) fn from_file(path: &Path) -> io::Result<Secret> {
    let meta = fs::metadata(path)?;
    let text = if meta.is_file() && meta.permissions().mode() & 0o111 != 0 {
        let path = fs::canonicalize(path)?;
        let output = Command::new(path).stderr(Stdio::inherit()).output()?;
        if !output.status.success() {
            return Err(io::Error::other(format!("it ended with {}", output.status)));
        }
        output.stdout
    } else {
        let mut line = Vec::new();
        BufReader::new(fs::File::open(path)?).read_until(b'\n', &mut line)?;
        line
    };
    let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = std::str::from_utf8(line).map_err(io::Error::other)?;
    Ok(Secret::new(line.trim_end_matches('\r')))
}
