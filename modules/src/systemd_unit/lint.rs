//! What is surely or most likely not meant in the file of a service, told when a playbook is loaded.
//! systemd finds nothing of it wrong, or only once the unit is started.

use evenkeel_engine::{Content, Refusal};

/// Where the files of units are.
const DIRECTORIES: [&str; 8] = [
    "/etc/systemd/system/",
    "/etc/systemd/user/",
    "/run/systemd/system/",
    "/usr/lib/systemd/system/",
    "/usr/lib/systemd/user/",
    "/usr/local/lib/systemd/system/",
    "/lib/systemd/system/",
    "/.config/systemd/user/",
];

/// Files larger than this are no units.
const LIMIT: u64 = 64 * 1024;

/// What is doubtful in a file that is put there, if it is one of a service.
pub(crate) fn of_file(path: &str, content: &Content) -> Vec<Refusal> {
    let is_unit = path.ends_with(".service") && DIRECTORIES.iter().any(|dir| path.contains(dir));
    if is_unit {
        of_service(crate::paths::name(path), content)
    } else {
        Vec::new()
    }
}

/// What is doubtful in the file of a service.
pub(super) fn of_service(name: &str, content: &Content) -> Vec<Refusal> {
    if content.is_secret() || content.len() > LIMIT || !name.ends_with(".service") {
        return Vec::new();
    }
    let Ok(bytes) = content.read() else {
        return Vec::new();
    };
    let text = String::from_utf8_lossy(&bytes);
    let mut found = Found {
        name,
        file: File::new(&text),
        doubts: Vec::new(),
    };
    found.lines();
    found.background();
    found.pid_file();
    found.run_directory();
    found.stop();
    found.user();
    found.private_tmp();
    found.shell();
    found.airflow();
    found.doubts
}

/// A line that sets something.
struct Entry<'a> {
    number: usize,
    section: &'a str,
    key: &'a str,
    value: String,
}

struct File<'a> {
    entries: Vec<Entry<'a>>,
    /// Sections, and lines that are none of all.
    sections: Vec<(usize, &'a str)>,
    stray: Vec<(usize, &'a str)>,
}

impl<'a> File<'a> {
    fn new(text: &'a str) -> Self {
        let mut file = Self {
            entries: Vec::new(),
            sections: Vec::new(),
            stray: Vec::new(),
        };
        let mut section = "";
        let mut goes_on = false;
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if line.starts_with(['#', ';']) {
                continue;
            }
            let (words, more) = line
                .strip_suffix('\\')
                .map_or((line, false), |words| (words, true));
            if goes_on {
                if let Some(last) = file.entries.last_mut() {
                    last.value.push(' ');
                    last.value.push_str(words.trim());
                }
            } else if let Some(name) = line
                .strip_prefix('[')
                .and_then(|line| line.strip_suffix(']'))
            {
                section = name;
                file.sections.push((number, name));
            } else if let Some((key, value)) = words.split_once('=') {
                file.entries.push(Entry {
                    number,
                    section,
                    key: key.trim(),
                    value: value.trim().to_owned(),
                });
            } else if !line.is_empty() {
                file.stray.push((number, line));
            }
            goes_on = more;
        }
        file
    }

    fn all<'b>(&'b self, key: &'b str) -> impl Iterator<Item = &'b Entry<'a>> {
        self.entries
            .iter()
            .filter(move |entry| entry.key == key && entry.section == "Service")
    }

    /// The last one counts.
    fn get<'b>(&'b self, key: &'b str) -> Option<&'b Entry<'a>> {
        self.all(key).last().filter(|entry| !entry.value.is_empty())
    }

    /// The program of `ExecStart=` and its words.
    fn start(&self) -> Option<(usize, Vec<String>)> {
        let entry = self.get("ExecStart")?;
        let line = entry.value.trim_start_matches(['-', '@', ':', '+', '!']);
        let words = shlex::split(line)
            .unwrap_or_else(|| line.split_whitespace().map(str::to_owned).collect());
        (!words.is_empty()).then_some((entry.number, words))
    }
}

struct Found<'a> {
    name: &'a str,
    file: File<'a>,
    doubts: Vec<Refusal>,
}

impl Found<'_> {
    fn doubt(&mut self, number: usize, what: &str, help: impl Into<String>) {
        let message = format!("line {number} of `{}`: {what}", self.name);
        self.doubts.push(Refusal::new(message).help(help));
    }

    fn yes(&self, key: &str) -> bool {
        self.file
            .get(key)
            .is_some_and(|entry| ["yes", "true", "on", "1"].contains(&entry.value.as_str()))
    }

    /// `simple`, if nothing else is said.
    fn kind(&self) -> String {
        self.file
            .get("Type")
            .map_or_else(|| "simple".to_owned(), |entry| entry.value.clone())
    }

    /// What systemd passes over without a word.
    fn lines(&mut self) {
        const KNOWN: [&str; 3] = ["Unit", "Service", "Install"];
        for (number, line) in self.file.stray.clone() {
            self.doubt(
                number,
                &format!("systemd passes over `{line}`: it is no `Key=value`"),
                "write `Key=value`, or a comment with `#`",
            );
        }
        for (number, section) in self.file.sections.clone() {
            if !KNOWN.contains(&section) && !section.starts_with("X-") {
                self.doubt(
                    number,
                    &format!("systemd passes over the section `[{section}]`"),
                    "a service has `[Unit]`, `[Service]` and `[Install]`",
                );
            }
        }
    }

    /// A program that goes into the background, of which systemd is not told.
    fn background(&mut self) {
        const LONG: [&str; 4] = ["--daemon", "--daemonize", "--daemonise", "--detach"];
        const STAYS: [&str; 5] = [
            "--no-detach",
            "--nodaemon",
            "--no-daemon",
            "--foreground",
            "--nofork",
        ];
        // Elsewhere the letter means other things: of `sshd` and `dnsmasq` even the opposite.
        const SHORT: [(&str, &str); 3] = [("airflow", "-D"), ("celery", "-D"), ("gunicorn", "-D")];
        let kind = self.kind();
        if kind == "forking" {
            return;
        }
        let Some((number, words)) = self.file.start() else {
            return;
        };
        if words.iter().any(|word| STAYS.contains(&word.as_str())) {
            return;
        }
        let program = crate::paths::name(&words[0]).to_owned();
        let is_it = |word: &&String| {
            LONG.contains(&word.as_str()) || SHORT.contains(&(&*program, word.as_str()))
        };
        let Some(word) = words.iter().find(is_it).cloned() else {
            return;
        };
        self.doubt(
            number,
            &format!("`{word}` lets `{program}` go into the background, but `Type={kind}` watches the process that was started"),
            format!("leave out `{word}`: then its output is in the journal, and systemd sees when it ends"),
        );
    }

    fn pid_file(&mut self) {
        let kind = self.kind();
        if kind == "forking" {
            return;
        }
        let Some(number) = self.file.get("PIDFile").map(|entry| entry.number) else {
            return;
        };
        self.doubt(
            number,
            &format!("`PIDFile=` has no effect with `Type={kind}`"),
            "leave it out: systemd knows the process that it started",
        );
    }

    /// What is below `/run` is gone after the next boot.
    fn run_directory(&mut self) {
        let made: Vec<String> = self
            .file
            .all("RuntimeDirectory")
            .flat_map(|entry| entry.value.split_whitespace())
            .map(str::to_owned)
            .collect();
        let mut lacking: Vec<(usize, String)> = Vec::new();
        for entry in self
            .file
            .entries
            .iter()
            .filter(|entry| entry.section == "Service")
        {
            for word in entry.value.split([' ', '=', '"', '\'']) {
                let Some(rest) = word
                    .strip_prefix("/run/")
                    .or_else(|| word.strip_prefix("/var/run/"))
                else {
                    continue;
                };
                let Some((dir, _)) = rest.split_once('/') else {
                    continue;
                };
                let known = made
                    .iter()
                    .any(|one| one == dir || one.starts_with(&format!("{dir}/")));
                let others = ["systemd", "user", "lock", "dbus", "credentials"].contains(&dir)
                    || dir.contains(['%', '$']);
                if !known && !others && lacking.iter().all(|(_, one)| one != dir) {
                    lacking.push((entry.number, dir.to_owned()));
                }
            }
        }
        for (number, dir) in lacking {
            self.doubt(
                number,
                &format!("`/run/{dir}` is gone after the next boot, however it was made"),
                format!("`RuntimeDirectory={dir}` makes it at each start, for the unit's own user"),
            );
        }
    }

    fn stop(&mut self) {
        let Some(entry) = self.file.get("ExecStop") else {
            return;
        };
        let words: Vec<&str> = entry.value.split_whitespace().collect();
        let [program, rest @ ..] = words.as_slice() else {
            return;
        };
        let kills = crate::paths::name(program) == "kill" && rest.last() == Some(&"$MAINPID");
        let term = matches!(
            rest,
            [_] | ["-TERM" | "-15" | "-SIGTERM", _] | ["-s", "TERM" | "15" | "SIGTERM", _]
        );
        if kills && term {
            let number = entry.number;
            self.doubt(
                number,
                "`ExecStop=` with `kill` does what systemd does anyway, and does it worse: it does not wait",
                "leave it out; `KillSignal=` names another signal",
            );
        }
    }

    fn user(&mut self) {
        let Some(entry) = self
            .file
            .get("User")
            .filter(|entry| ["root", "0"].contains(&entry.value.as_str()))
        else {
            return;
        };
        let number = entry.number;
        self.doubt(
            number,
            "all that it runs, it runs as `root`, and what it writes belongs to `root`",
            "name a user of its own; `ExecStartPre=+…` does as root what only root can",
        );
    }

    fn private_tmp(&mut self) {
        if !self.yes("PrivateTmp") {
            return;
        }
        let places = [
            "ExecStart",
            "ExecStartPre",
            "WorkingDirectory",
            "EnvironmentFile",
        ];
        let hidden = |word: &str| word.starts_with("/tmp/") || word.starts_with("/var/tmp/");
        let entries = self
            .file
            .entries
            .iter()
            .filter(|entry| places.contains(&entry.key));
        let found: Vec<(usize, String)> = entries
            .filter_map(|entry| {
                let word = entry
                    .value
                    .split_whitespace()
                    .find(|word| hidden(word.trim_start_matches(['-', '@', '+', '!'])))?;
                Some((entry.number, word.to_owned()))
            })
            .collect();
        for (number, word) in found {
            self.doubt(
                number,
                &format!("with `PrivateTmp=` the unit does not see `{word}`"),
                "put it elsewhere, or leave out `PrivateTmp=`",
            );
        }
    }

    /// No shell reads these lines.
    fn shell(&mut self) {
        const WORDS: [&str; 9] = [">", ">>", "2>&1", "2>", "|", "||", "&&", "&", "<"];
        const SHELLS: [&str; 5] = ["sh", "bash", "dash", "zsh", "ksh"];
        let Some((number, words)) = self.file.start() else {
            return;
        };
        if SHELLS.contains(&crate::paths::name(&words[0])) {
            return;
        }
        if let Some(word) = words
            .iter()
            .find(|word| WORDS.contains(&word.as_str()))
            .cloned()
        {
            self.doubt(
                number,
                &format!("no shell reads `ExecStart=`: `{word}` is an argument of the program"),
                "write `ExecStart=/bin/sh -c '…'`; `StandardOutput=append:FILE` writes into a file",
            );
        }
    }

    /// What has to be known of this program.
    fn airflow(&mut self) {
        let Some((number, words)) = self.file.start() else {
            return;
        };
        if crate::paths::name(&words[0]) != "airflow" {
            return;
        }
        let has = |word: &str| {
            words
                .iter()
                .any(|other| other == word || other.starts_with(&format!("{word}=")))
        };
        if has("celery") && has("worker") && !has("--pid") {
            self.doubt(
                number,
                "the worker writes its pid into `AIRFLOW_HOME`: where nodes share that, the second one finds it, and ends \
                 with status 0",
                "give each node its own: `RuntimeDirectory=airflow` and `--pid /run/airflow/worker.pid`",
            );
        }
        let after = self
            .file
            .entries
            .iter()
            .filter(|entry| entry.section == "Unit" && entry.key == "After");
        let after: Vec<(usize, String)> = after
            .map(|entry| (entry.number, entry.value.clone()))
            .collect();
        let online = after
            .iter()
            .any(|(_, value)| value.contains("network-online.target"));
        if let Some((number, _)) = after
            .iter()
            .find(|(_, value)| value.contains("network.target") && !online)
        {
            self.doubt(
                *number,
                "`network.target` does not wait for the network, which it needs for its database and broker",
                "write `Wants=network-online.target` and `After=network-online.target`, and the units of a database or broker \
                 of the same host",
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn doubts(text: &str) -> Vec<String> {
        let doubts = of_file("/etc/systemd/system/a.service", &Content::from(text));
        doubts.into_iter().map(|doubt| doubt.message).collect()
    }

    const WORKER: &str = "\
[Unit]
Description=Airflow celery worker daemon
After=network.target
[Service]
EnvironmentFile=/etc/sysconfig/airflow
PIDFile=/run/airflow/worker.pid
User=root
Type=simple
ExecStart=/usr/local/bin/airflow celery worker -D
ExecReload=/bin/kill -s HUP $MAINPID
ExecStop=/bin/kill -s TERM $MAINPID
Restart=on-failure
PrivateTmp=true
[Install]
WantedBy=multi-user.target
";

    #[test]
    fn a_unit_with_many_traps() {
        assert_eq!(
            doubts(WORKER),
            [
                "line 9 of `a.service`: `-D` lets `airflow` go into the background, but `Type=simple` watches the process \
                 that was started",
                "line 6 of `a.service`: `PIDFile=` has no effect with `Type=simple`",
                "line 6 of `a.service`: `/run/airflow` is gone after the next boot, however it was made",
                "line 11 of `a.service`: `ExecStop=` with `kill` does what systemd does anyway, and does it worse: it does \
                 not wait",
                "line 7 of `a.service`: all that it runs, it runs as `root`, and what it writes belongs to `root`",
                "line 9 of `a.service`: the worker writes its pid into `AIRFLOW_HOME`: where nodes share that, the second \
                 one finds it, and ends with status 0",
                "line 3 of `a.service`: `network.target` does not wait for the network, which it needs for its database and \
                 broker",
            ]
        );
    }

    #[test]
    fn a_unit_without() {
        let good = "\
[Unit]
After=network-online.target
# a comment \\
[Service]
User=airflow
RuntimeDirectory=airflow
EnvironmentFile=-/etc/default/airflow
ExecStart=/opt/bin/airflow celery worker \\
  --pid /run/airflow/worker.pid
ExecStop=/bin/kill -s INT $MAINPID
[X-Own]
Key=1
";
        assert_eq!(doubts(good), Vec::<String>::new());
        for start in [
            "/usr/sbin/sshd -D",
            "/usr/bin/rsync --daemon --no-detach",
            "/bin/sh -c 'a | b >c'",
            "/usr/bin/java -Da=b",
        ] {
            assert_eq!(
                doubts(&format!("[Service]\nExecStart={start}\n")),
                Vec::<String>::new(),
                "{start}"
            );
        }
        assert_eq!(
            doubts("[Service]\nType=forking\nPIDFile=/run/a.pid\nExecStart=/bin/a --daemon\n"),
            Vec::<String>::new()
        );
    }

    #[test]
    fn others() {
        assert_eq!(
            doubts(
                "[service]\nUser\n[Service]\nPrivateTmp=yes\nWorkingDirectory=/tmp/app\nExecStart=/bin/a > /var/log/a\n"
            ),
            [
                "line 2 of `a.service`: systemd passes over `User`: it is no `Key=value`",
                "line 1 of `a.service`: systemd passes over the section `[service]`",
                "line 5 of `a.service`: with `PrivateTmp=` the unit does not see `/tmp/app`",
                "line 6 of `a.service`: no shell reads `ExecStart=`: `>` is an argument of the program",
            ]
        );
        // Not a file of a service.
        assert!(of_file("/etc/systemd/system/a.timer", &Content::from("nonsense")).is_empty());
        assert!(of_file("/srv/a.service", &Content::from("nonsense")).is_empty());
    }
}
