//! What became of a unit that did not come up, and what to do about it.

use std::collections::BTreeMap;

use evenkeel_engine::{Done, Refusal};

/// The statuses with which the script that starts a unit says that it failed, or does not answer.
const STATUSES: [i32; 2] = [21, 22];

/// Why a unit is not up, if that is how its start ended.
pub(super) fn refusal(unit: &str, done: &[Done]) -> Option<Refusal> {
    let done = done.last().filter(|done| STATUSES.contains(&done.status))?;
    let text = String::from_utf8_lossy(&done.stdout);
    let (facts, journal) = text.split_once("\n\n").unwrap_or((&text, ""));
    let report = Report::new(facts);
    let mut message = report.message(unit);
    let journal: Vec<&str> = journal.lines().collect();
    if journal.is_empty() {
        message += "\nits journal says nothing about it";
    } else {
        message += "\nits journal:";
        for line in journal {
            message += "\n  ";
            message += line;
        }
    }
    let refusal = Refusal::new(message);
    Some(match report.help(unit) {
        Some(help) => refusal.help(help),
        None => refusal,
    })
}

/// What the script found.
struct Report<'a> {
    facts: BTreeMap<&'a str, &'a str>,
    /// Files of its environment that are not there.
    missing: Vec<&'a str>,
    /// What `systemctl` said.
    said: Vec<&'a str>,
}

impl<'a> Report<'a> {
    fn new(text: &'a str) -> Self {
        let mut report = Self {
            facts: BTreeMap::new(),
            missing: Vec::new(),
            said: Vec::new(),
        };
        for (key, value) in text.lines().filter_map(|line| line.split_once('=')) {
            match key {
                "missing" => report.missing.push(value),
                "said" => report.said.push(value),
                _ => drop(report.facts.insert(key, value)),
            }
        }
        report
    }

    fn get(&self, key: &str) -> &'a str {
        self.facts.get(key).copied().unwrap_or_default()
    }

    /// `1 exited`, `2 killed`, `3 dumped`, as the kernel counts; and with which status.
    fn exit(&self) -> (&'a str, i32) {
        (
            self.get("code"),
            self.get("status").parse().unwrap_or_default(),
        )
    }

    /// How long after its start, in seconds.
    fn after(&self) -> String {
        let hundredths: u64 = self.get("after").parse().unwrap_or_default();
        format!("{}.{} s", hundredths / 100, hundredths / 10 % 10)
    }

    fn message(&self, unit: &str) -> String {
        let (active, sub) = (self.get("active"), self.get("sub"));
        let state = format!("{active} ({sub})");
        match self.get("what") {
            "sick" => {
                let answer = match self.get("answer") {
                    "" => String::new(),
                    answer => format!(" ({answer})"),
                };
                return format!("`{unit}` is {state}, but does not answer{answer}");
            }
            "late" => {
                return format!("`{unit}` did not come up within the time limit: it is {state}");
            }
            "died" => {
                let restarts: u32 = self.get("restarts").parse().unwrap_or_default();
                let again = restarts > 0 || sub.starts_with("auto-restart");
                return format!(
                    "`{unit}` was started but did not stay up: {}, {} after it was told to start; now it is {state}{}",
                    self.how(),
                    self.after(),
                    if again {
                        ", and systemd starts it again and again"
                    } else {
                        ""
                    },
                );
            }
            _ => {}
        }
        if !self.get("error").is_empty() && self.get("load") != "loaded" {
            let error = self.get("error");
            let text = error
                .split_once('"')
                .map_or(error, |(_, text)| text.trim_end_matches('"'));
            return format!(
                "the file of `{unit}` cannot be loaded: {}",
                text.trim_end_matches('\\')
            );
        }
        if self.get("result") == "success" {
            // It is not the unit itself that failed.
            let said = self
                .said
                .first()
                .copied()
                .unwrap_or("systemd does not say why");
            return format!("`{unit}` cannot be started: {said}");
        }
        format!(
            "`{unit}` could not be started: {}; now it is {state}",
            self.how()
        )
    }

    fn how(&self) -> String {
        if let Some(file) = self
            .missing
            .first()
            .filter(|_| self.get("result") == "resources")
        {
            return format!("its `EnvironmentFile={file}` is not there");
        }
        let (code, status) = self.exit();
        match (self.get("result"), code) {
            ("timeout", _) => "it did not say in time that it is ready".to_owned(),
            ("watchdog", _) => "it did not answer its watchdog".to_owned(),
            ("oom-kill", _) => "the kernel killed it because memory ran out".to_owned(),
            ("start-limit-hit", _) => "it was started too often in a short time".to_owned(),
            ("resources", _) => "what it needs could not be set up (`Result=resources`)".to_owned(),
            ("protocol", _) => {
                "it did not do what its `Type=` promises (`Result=protocol`)".to_owned()
            }
            (_, "2" | "3") => {
                let dumped = if code == "3" {
                    " and left a core dump"
                } else {
                    ""
                };
                format!("signal {status} ended its program{dumped}")
            }
            // systemd may have forgotten its status by now.
            ("success" | "", _) => "its program ended without an error".to_owned(),
            (_, "1") => match step(status) {
                Some((name, _)) => {
                    format!("its program could not be started (status {status}, `{name}`)")
                }
                None => format!("its program ended with status {status}"),
            },
            (result, _) => format!("`Result={result}`"),
        }
    }

    fn help(&self, unit: &str) -> Option<String> {
        if self.get("what") == "sick" {
            return None;
        }
        let (code, status) = self.exit();
        let result = self.get("result");
        if let Some(file) = self.missing.first() {
            return Some(format!(
                "make `{file}` in a task before this one, or write `EnvironmentFile=-{file}` if it may be missing"
            ));
        }
        if let Some((_, help)) = step(status).filter(|_| code == "1") {
            return Some(help.to_owned());
        }
        match result {
            "success" if self.get("what") == "died" && status == 0 => Some(
                "a program that goes into the background by itself has to be told not to, or needs `Type=forking`; one \
                 that does something and ends needs `Type=oneshot`"
                    .to_owned(),
            ),
            "protocol" => Some(
                "`Type=notify` needs a program that reports to systemd, `Type=forking` one that goes into the background \
                 and writes its `PIDFile=`; else write `Type=exec`"
                    .to_owned(),
            ),
            "timeout" => Some("`TimeoutStartSec=` gives it more time; is its `Type=` right?".to_owned()),
            "start-limit-hit" => Some(format!("`journalctl -u {unit}` tells why it ended each time")),
            _ => None,
        }
    }
}

/// What failed before the program itself ran, by the status that systemd gives it.
fn step(status: i32) -> Option<(&'static str, &'static str)> {
    Some(match status {
        200 => (
            "CHDIR",
            "its `WorkingDirectory=` has to exist, and its user has to get there",
        ),
        203 => (
            "EXEC",
            "the program of `ExecStart=` has to exist and be executable for its user, and so has the interpreter that \
             its first line names; with `PrivateTmp=true` nothing of `/tmp` and `/var/tmp` is seen",
        ),
        216 => ("GROUP", "its `Group=` has to exist"),
        217 => ("USER", "its `User=` has to exist"),
        226 => (
            "NAMESPACE",
            "each path of `ReadWritePaths=`, `BindPaths=` and the like has to exist",
        ),
        233 => (
            "RUNTIME_DIRECTORY",
            "its `RuntimeDirectory=` could not be made",
        ),
        238 => ("STATE_DIRECTORY", "its `StateDirectory=` could not be made"),
        240 => ("LOGS_DIRECTORY", "its `LogsDirectory=` could not be made"),
        _ => return None,
    })
}
