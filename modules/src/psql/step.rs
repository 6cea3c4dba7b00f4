//! Statements as a step.

use evenkeel_engine::{Content, Done, Refusal, Run, Secret, Step, Stop};

use super::{Login, Server, quote, reload};

/// Statements that change something, in the order in which they are sent.
#[derive(Clone, Debug, Default)]
pub(crate) struct Statements {
    list: Vec<(String, String)>,
    secret: bool,
    first: String,
    reload: bool,
}

impl Statements {
    /// Adds one.
    pub(crate) fn add(&mut self, sql: impl Into<String>) {
        let sql = sql.into();
        self.list.push((sql.clone(), sql));
    }

    /// Adds one with a secret in it; `shown` is what may be said of it.
    pub(crate) fn add_secret(&mut self, sql: impl Into<String>, shown: impl Into<String>) {
        self.secret = true;
        self.list.push((sql.into(), shown.into()));
    }

    /// Behind them the server reads its files again; `first` is what must hold before.
    pub(crate) fn reload(&mut self, first: &str) {
        first.clone_into(&mut self.first);
        self.reload = true;
    }

    /// As one step, in one transaction if `whole`. They are read from stdin; those with secrets are
    /// kept out of the server's log where the login may do that.
    pub(crate) fn step(self, login: &Login, whole: bool) -> Step {
        let mut sql = String::new();
        let mut line = |text: &str| {
            sql.push_str(text);
            sql.push('\n');
        };
        line("SET client_min_messages = warning; SET standard_conforming_strings = on;");
        line("SET search_path = pg_catalog; SET lock_timeout = '60s';");
        if let Some(role) = &login.role {
            line(&format!("SET ROLE {};", quote::ident(role)));
        }
        if self.secret {
            line(QUIET);
        }
        if whole {
            line("BEGIN;");
        }
        for (statement, _) in &self.list {
            line(&format!("{statement};"));
        }
        if whole {
            line("COMMIT;");
        }
        let mut said: Vec<&str> = self.list.iter().map(|(_, shown)| shown.as_str()).collect();
        if self.reload {
            sql += &self.first;
            sql += "\n";
            sql += &reload::lines();
            said.push("SELECT pg_reload_conf()");
        }
        let mut run = run(login);
        run.env.push(("EK_SAID".to_owned(), said.join("\n").into()));
        run.stdin = if self.secret {
            Content::Secret(Secret::new(sql))
        } else {
            Content::from(sql.as_str())
        };
        run.into()
    }
}

/// Only a superuser may switch off the log of statements; others do not try. The output goes to
/// nowhere.
pub(crate) const QUIET: &str = "\\o /dev/null
SELECT set_config(s.name, s.value, false) FROM (VALUES ('log_statement', 'none'), \
('log_min_duration_statement', '-1'), ('log_min_duration_sample', '-1'), ('log_duration', 'off'), \
('log_min_error_statement', 'panic'), ('pg_stat_statements.track_utility', 'off')) s(name, value), \
pg_settings p WHERE p.name = s.name AND (SELECT rolsuper FROM pg_roles WHERE rolname = current_user);
\\o";

const LINES: &str = concat!(include_str!("login.sh"), include_str!("step.sh"));

/// A `psql` that reads its statements from stdin.
pub(crate) fn run(login: &Login) -> Run {
    let mut run = Run::new(["sh", "-c", LINES, "sh"]);
    run.dir = Some("/".to_owned());
    run.env = login.env();
    run.explain = Some(explain);
    run
}

/// What the server said.
pub(crate) fn explain(done: &Done) -> Option<Refusal> {
    let said = super::ask::query_error(&String::from_utf8_lossy(&done.stderr))?;
    Some(Refusal::new(format!("PostgreSQL says: {said}")))
}

/// Refuses to change what cannot be changed there.
pub(crate) fn writable(login: &Login, server: &Server) -> Result<(), Stop> {
    if server.read_only.is_empty() {
        return Ok(());
    }
    let what = format!("{} takes no changes: {}", login.server(), server.read_only);
    Err(Refusal::new(what)
        .help("log in to the primary server")
        .into())
}

/// The statements that ran, as they may be shown.
pub(crate) fn said(done: &[Done]) -> Vec<String> {
    let text = |done: &Done| String::from_utf8_lossy(&done.stdout).into_owned();
    let lines = |text: String| text.lines().map(str::to_owned).collect::<Vec<_>>();
    done.iter().map(text).flat_map(lines).collect()
}
