//! What `wait_for` says.

use evenkeel_engine::Refusal;

use super::{Args, State};

impl Args {
    /// What is waited for, in words.
    pub(super) fn what(&self) -> String {
        let line = self.search_regex.as_deref();
        match (&self.path, self.target(), self.state) {
            (Some(path), _, State::Absent) => format!("`{path}` to go"),
            (Some(path), ..) => match line {
                Some(line) => format!("a line like `{line}` in `{path}`"),
                None => format!("`{path}`"),
            },
            (None, Some(target), State::Drained) => format!("nobody to be connected to {target}"),
            (None, Some(target), State::Stopped | State::Absent) => format!("{target} to close"),
            (None, Some(target), _) => match line {
                Some(line) => format!("{target} to say `{line}`"),
                None => format!("{target} to open"),
            },
            (None, None, _) => format!("{} s", self.delay + self.limit()),
        }
    }

    /// What it says when it waited in vain.
    pub(super) fn in_vain(&self) -> Refusal {
        if let Some(message) = &self.msg {
            return Refusal::new(message.clone());
        }
        let line = self.search_regex.as_deref();
        let what = match (&self.path, self.target(), self.state) {
            (Some(path), _, State::Absent) => format!("{path} to be absent"),
            (Some(path), ..) => match line {
                Some(line) => format!("search string {line} in {path}"),
                None => format!("file {path}"),
            },
            (None, Some(target), State::Drained) => format!("{target} to drain"),
            (None, Some(target), State::Stopped | State::Absent) => format!("{target} to stop"),
            (None, Some(target), _) => match line {
                Some(line) => format!("search string {line} in {target}"),
                None => target.to_string(),
            },
            (None, None, _) => self.what(),
        };
        let help = match self.target() {
            Some(_) => {
                "is the service running, and does it listen at that address? `timeout:` \
                        gives it more time"
            }
            None => "`timeout:` gives it more time",
        };
        let limit = self.limit();
        Refusal::new(format!("Timeout when waiting for {what} ({limit} s)")).help(help)
    }

    /// What it says where the host lacks what it needs.
    pub(super) fn cannot(&self) -> Refusal {
        let (what, needs) = match (&self.path, self.state, &self.search_regex) {
            (Some(_), ..) => ("the file cannot be searched", "`grep`"),
            (None, State::Drained, _) => ("connections cannot be listed", "`/proc/net/tcp`"),
            (None, _, Some(_)) => ("what a port says cannot be read", "`bash`"),
            (None, _, None) => (
                "the port of another host cannot be looked at",
                "`bash`, `nc` or `python3`",
            ),
        };
        Refusal::new(format!("{what}: this host has no {needs}"))
            .help("install it with a task before this one")
    }
}
