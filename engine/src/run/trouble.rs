//! How a step that failed is told: what was tried, why it failed, and what can be done.

use crate::{
    event::TaskError,
    module::Refusal,
    step::{Action, Done, Run},
};

/// How a program that failed is told.
pub(super) fn run_error(run: &Run, done: &Done) -> TaskError {
    let program = run.argv.first().map_or("", String::as_str);
    let (explained, help) = match run.explain.and_then(|explain| explain(done)) {
        Some(Refusal { message, help, .. }) => (Some(message), help),
        None => (None, None),
    };
    TaskError {
        message: explained.unwrap_or_else(|| match done.status {
            127 => format!("there is no program `{program}`, or it could not be started"),
            126 => format!("`{program}` cannot be executed"),
            status if status > 128 => format!("`{program}` was ended by signal {}", status - 128),
            status => format!("`{program}` failed with status {status}"),
        }),
        help,
        command: Some(
            run.argv
                .iter()
                .chain(run.joins.iter().flatten())
                .map(|word| quote(word))
                .collect::<Vec<_>>()
                .join(" "),
        ),
        status: Some(done.status),
        timed_out: None,
        stdout: tail(&done.stdout),
        stderr: tail(&done.stderr),
    }
}

/// How a program is told that did not end in its time; `millis` is what the task took so far.
pub(super) fn time_error(run: &Run, done: &Done, millis: u64) -> TaskError {
    let program = run.argv.first().map_or("", String::as_str);
    // A module's own limit may be shorter than that of the task.
    let limit = run.limit.filter(|limit| millis + 50 >= limit * 1000);
    let seconds = limit.or(run.seconds);
    let within = seconds.map_or_else(String::new, |s| format!(" within {s} s"));
    TaskError {
        message: format!("`{program}` did not end{within}"),
        help: Some(match limit {
            Some(_) => "its `timeout` has passed, and it was ended: give it more time, or none (`timeout: 0`)".to_owned(),
            None => "give it more time with `timeout:`".to_owned(),
        }),
        timed_out: limit,
        ..run_error(run, done)
    }
}

/// A word as a shell would want it, for people to copy.
fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// The last 16 KiB of what a program printed.
fn tail(bytes: &[u8]) -> Option<String> {
    const KEPT: usize = 16 * 1024;
    let text = String::from_utf8_lossy(&bytes[bytes.len().saturating_sub(KEPT)..]);
    let text = text.trim_end_matches(['\n', '\r']);
    (!text.is_empty()).then(|| text.to_owned())
}

/// The status of a file that could not be written (`step.sh`): any other is that of its validator.
const NOT_WRITTEN: i32 = 125;

/// How a file action that failed is told.
pub(super) fn action_error(action: &Action, done: &Done) -> TaskError {
    let what = match action {
        Action::Write(write) => format!("cannot write `{}`", write.path),
        Action::Directory { path, .. } => format!("cannot make the directory `{path}`"),
        Action::Link { path, .. } | Action::HardLink { path, .. } => {
            format!("cannot make the link `{path}`")
        }
        Action::Attrs { path, .. } => format!("cannot set the attributes of `{path}`"),
        Action::Copy { from, to } => format!("cannot copy `{from}` to `{to}`"),
        Action::Remove { path } => format!("cannot remove `{path}`"),
        Action::Fetch(fetch) => format!("cannot fetch `{}`", fetch.path),
        Action::Run(run) => format!("`{}` failed", run.argv.first().map_or("", String::as_str)),
        Action::Settle { millis, .. } => {
            format!("it did not settle within {} s", millis.div_ceil(1000))
        }
    };
    let stderr = String::from_utf8_lossy(&done.stderr).trim().to_owned();
    let (stderr, path) = match action {
        Action::Write(write) => (without_stage(&stderr, &write.path), Some(&*write.path)),
        Action::Directory { path, .. } | Action::Attrs { path, .. } => (stderr, Some(&**path)),
        Action::Copy { to, .. } => (stderr, Some(&**to)),
        _ => (stderr, None),
    };
    let validator = match action {
        Action::Write(write) if done.status != NOT_WRITTEN => write.validate.as_deref(),
        _ => None,
    };
    let mut help = None;
    let message = if let Some(argv) = validator {
        let program = name_of(argv);
        // What it means is in its first line: the last may only point at a place.
        let ended = || format!("it ended with {}", done.status);
        let why = stderr.lines().next().map_or_else(ended, str::to_owned);
        format!("{what}: `{program}` does not accept the new file: {why}")
    } else if let Some(last) = stderr.lines().last() {
        let why = of_system(last);
        help = why
            .zip(path)
            .and_then(|(why, path)| remedy(why, path.rsplit_once('/').map_or("/", |(dir, _)| dir)));
        format!("{what}: {}", why.unwrap_or(last))
    } else {
        what
    };
    let stderr = (stderr.lines().count() > 1).then_some(stderr);
    TaskError {
        message,
        help,
        stderr,
        ..TaskError::default()
    }
}

/// What people know a program by; a script of `sh -c` has its name behind it.
fn name_of(argv: &[String]) -> &str {
    match argv {
        [shell, option, _, name, ..] if shell == "sh" && option == "-c" && name != "sh" => name,
        [program, ..] => program,
        [] => "",
    }
}

/// What the system itself says behind the names of programs (`errno(3)`): they are ours, and tell nobody anything.
const OF_SYSTEM: [&str; 12] = [
    "Disk quota exceeded",
    "File name too long",
    "Input/output error",
    "Is a directory",
    "No space left on device",
    "No such file or directory",
    "Not a directory",
    "Operation not permitted",
    "Permission denied",
    "Read-only file system",
    "Text file busy",
    "Too many levels of symbolic links",
];

fn of_system(line: &str) -> Option<&'static str> {
    let is_end = |why: &&&str| {
        line.strip_suffix(**why)
            .is_some_and(|rest| rest.ends_with(": "))
    };
    OF_SYSTEM.iter().find(is_end).copied()
}

fn remedy(why: &str, dir: &str) -> Option<String> {
    let dir = if dir.is_empty() { "/" } else { dir };
    Some(match why {
        "No space left on device" => {
            format!("make room there: `df -h {dir}` and `df -i {dir}` show what is used")
        }
        "Disk quota exceeded" => "make room there: `quota` shows what is used".to_owned(),
        "Read-only file system" => format!("`findmnt -T {dir}` shows how it is mounted"),
        "Permission denied" => "`become: true` does it as root".to_owned(),
        "Operation not permitted" => {
            format!("as root, `lsattr -d {dir}` and `lsattr {dir}` show what is immutable")
        }
        _ => return None,
    })
}

/// Names of files that were only on their way are those of the files that they were to become.
fn without_stage(text: &str, path: &str) -> String {
    let Some((dir, _)) = path.rsplit_once('/') else {
        return text.to_owned();
    };
    let stage = format!("{dir}/.evenkeel.");
    let mut parts = text.split(&stage);
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_hexdigit());
        let rest = rest.strip_prefix('.').unwrap_or(rest);
        plain += path;
        plain += rest.trim_start_matches(|c: char| c.is_ascii_digit());
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::step::{Content, Write};

    fn told(stderr: &str, validate: Option<&[&str]>) -> TaskError {
        let write = Write {
            path: "/etc/x/y".to_owned(),
            content: Content::from("z"),
            validate: validate.map(|argv| argv.iter().map(|&word| word.to_owned()).collect()),
            ..Write::default()
        };
        let done = Done {
            status: if validate.is_some() { 1 } else { NOT_WRITTEN },
            stderr: stderr.into(),
            ..Done::default()
        };
        action_error(&Action::Write(write), &done)
    }

    #[test]
    fn what_the_system_says_is_told_without_our_programs() {
        let full = told(
            "head: error writing 'standard output': No space left on device\n",
            None,
        );
        assert_eq!(
            full.message,
            "cannot write `/etc/x/y`: No space left on device"
        );
        assert!(full.help.unwrap().contains("`df -h /etc/x`"));
        let other = told("mv: it is odd\n", None);
        assert_eq!(other.message, "cannot write `/etc/x/y`: mv: it is odd");
        assert_eq!(other.help, None);
    }

    #[test]
    fn a_validator_speaks_of_the_file_that_was_to_be() {
        let said =
            "/etc/x/.evenkeel.0123456789abcdef0123456789abcdef.2:1:16: syntax error\nin it\n   ^\n";
        let error = told(said, Some(&["visudo", "-cf", "%s"]));
        assert_eq!(
            error.message,
            "cannot write `/etc/x/y`: `visudo` does not accept the new file: /etc/x/y:1:16: syntax error"
        );
        assert_eq!(
            error.stderr.unwrap(),
            "/etc/x/y:1:16: syntax error\nin it\n   ^"
        );
        let error = told(
            "no",
            Some(&["sh", "-c", "…", "systemd-analyze verify", "%s"]),
        );
        assert!(
            error
                .message
                .contains("`systemd-analyze verify` does not accept the new file: no")
        );
    }
}
