//! The probe of all modules of PostgreSQL: questions to the catalogs, by the host's `psql`.

use std::{
    collections::BTreeMap,
    fmt::{self, Debug},
};

use evenkeel_engine::{NotYet, Probe, SECRET_OPERAND, Text, Thing, hex, sha256};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value as Json;

use super::{jsonb, login::Login, questions::Question, quote};

/// A question to a server.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sql {
    /// Where it is asked.
    pub login: Login,
    /// What is asked.
    pub question: Question,
}

/// What a server answers.
#[derive(Clone, PartialEq)]
pub enum Told {
    /// A value, as `jsonb`; null where there is no such thing.
    Row(Json),
    /// What is wrong with the question, in the server's words.
    Wrong(String),
}

impl Debug for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // Nothing of it is shown: it may hold a hash of a password.
            Self::Row(Json::Null) => f.write_str("nothing"),
            Self::Row(_) => f.write_str("what it is now"),
            Self::Wrong(text) => f.write_str(text),
        }
    }
}

impl Told {
    /// An answer of a type.
    pub fn of<T: Serialize>(value: T) -> Self {
        Self::Row(serde_json::to_value(value).expect("a row is plain data"))
    }

    /// The value in its type.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, String> {
        match self {
            Self::Row(json) => T::deserialize(json).map_err(|error| error.to_string()),
            Self::Wrong(text) => Err(text.clone()),
        }
    }
}

impl Login {
    /// The login as assignments of a shell.
    pub(crate) fn assignments(&self) -> String {
        let quoted = |(name, value): (String, Text)| {
            let value = String::from_utf8_lossy(value.bytes()).replace('\'', "'\\''");
            format!("{name}='{value}' ")
        };
        let text: String = self.env().into_iter().map(quoted).collect();
        let role = self
            .role
            .as_ref()
            .map(|role| format!("SET ROLE {};", quote::ident(role)));
        let role = role.unwrap_or_default().replace('\'', "'\\''");
        text + &format!("ek_role='{role}'")
    }
}

impl Sql {
    /// A secret one is masked wherever the question is shown.
    fn mark(&self) -> u8 {
        if self.login.password.is_some() {
            SECRET_OPERAND
        } else {
            b'+'
        }
    }

    fn token(&self) -> String {
        let all = [self.login.assignments(), self.question.sql("")].join("\0");
        hex(&sha256(all.as_bytes())[..12])
    }

    fn marked(&self, text: &str) -> Vec<u8> {
        [&[self.mark()], text.as_bytes()].concat()
    }
}

/// The words with which libpq says that nobody answers, or lets nobody in, and what to do then.
const REMEDIES: [(&str, &str); 5] = [
    (
        "password authentication failed",
        "correct `login_user` and `login_password`",
    ),
    ("no password supplied", "give `login_password`"),
    (
        "no pg_hba.conf entry",
        "allow it in `pg_hba.conf` (`psql-pg-hba`)",
    ),
    (
        "Peer authentication failed",
        "become that user (`become_user: postgres`), or log in by `login_host` and `login_password`",
    ),
    (
        "Is the server running",
        "start it, or correct `login_host` and `login_port`",
    ),
];

/// What libpq says of a login that failed, in one line, and what to do; nothing if it said nothing.
pub(crate) fn no_login_said(said: &str) -> Option<(String, &'static str)> {
    let remedy = REMEDIES.iter().find(|(words, _)| said.contains(words));
    let remedy = remedy.map_or("", |(_, remedy)| remedy);
    let said = said
        .trim()
        .trim_start_matches("psql: ")
        .trim_start_matches("error: ");
    // It tries twice, with TLS and without, and says so twice.
    let said = said.replace("\n\t", " ");
    let mut lines: Vec<&str> = said.lines().collect();
    lines.dedup();
    let said = lines.join(" ");
    (!said.is_empty()).then_some((said, remedy))
}

/// Why nobody could be asked.
pub(crate) fn no_login(login: &Login, said: &str) -> NotYet {
    if said.contains(&format!("database \"{}\" does not exist", login.database)) {
        return NotYet(format!("the database `{}`", login.database));
    }
    let (said, remedy) = no_login_said(said).unwrap_or_default();
    let remedy = match remedy {
        "" => String::new(),
        remedy => format!("; {remedy}"),
    };
    NotYet(format!("a login to {} ({said}){remedy}", login.server()))
}

impl Probe for Sql {
    const KIND: &'static str = "psql";
    const SCRIPT: &'static str = concat!(include_str!("login.sh"), include_str!("ask.sh"));
    type Answer = Told;

    fn operands(&self) -> Vec<Vec<u8>> {
        let token = self.token();
        let sql = self.question.sql(&token);
        vec![
            self.marked(&self.login.assignments()),
            self.marked(&token),
            self.marked(&sql),
        ]
    }

    fn parse(batch: &[&Self], output: &[u8]) -> Result<Vec<Result<Told, NotYet>>, String> {
        let text = String::from_utf8_lossy(output);
        let mut found: BTreeMap<&str, Result<Json, String>> = BTreeMap::new();
        let mut missing = false;
        for line in text.lines() {
            match line.split_once('\t') {
                _ if line == "-" => missing = true,
                Some((token, said)) if token.starts_with('!') => {
                    found
                        .entry(&token[1..])
                        .or_insert_with(|| Err(said.replace('\u{1}', "\n")));
                }
                Some((token, json)) => {
                    let json =
                        serde_json::from_str(json).map_err(|why| format!("`{json}`: {why}"))?;
                    found.insert(token, Ok(json));
                }
                None => return Err(format!("`{line}`")),
            }
        }
        let answer = |sql: &&Self| match found.get(sql.token().as_str()) {
            Some(Ok(json)) => Ok(Told::Row(json.clone())),
            Some(Err(said)) => match query_error(said) {
                Some(why) => Ok(Told::Wrong(why)),
                None => Err(no_login(&sql.login, said)),
            },
            None if missing => Err(NotYet(
                "`psql` (the package `postgresql-client` or `postgresql`)".to_owned(),
            )),
            None => Err(NotYet(format!("what {} answers", sql.login.server()))),
        };
        Ok(batch.iter().map(answer).collect())
    }

    fn expected(&self, answer: &Told) -> Option<Vec<u8>> {
        match answer {
            Told::Row(json) => {
                Some(format!("{}\t{}\n", self.token(), jsonb::text(json)).into_bytes())
            }
            Told::Wrong(_) => None,
        }
    }

    fn reads(&self) -> Vec<Thing> {
        let mut reads = self.question.reads(&self.login);
        reads.extend(Login::units());
        reads
    }
}

/// What the server said of a statement, if it was reached at all.
pub(crate) fn query_error(said: &str) -> Option<String> {
    let at = said.find("ERROR:  ")?;
    // The lines behind it (`DETAIL`, `HINT`) belong to it; those of other statements do not.
    let own = said[at + 8..]
        .lines()
        .take_while(|line| !line.starts_with("psql:"));
    Some(
        own.filter(|line| !line.starts_with("LINE ") && line.trim() != "^")
            .collect::<Vec<_>>()
            .join("; "),
    )
}

#[cfg(test)]
mod tests {
    use evenkeel_engine::Secret;

    use super::*;

    fn sql(question: Question) -> Sql {
        let login = Login {
            user: "o'hara".to_owned(),
            database: "postgres".to_owned(),
            ..Login::default()
        };
        Sql { login, question }
    }

    fn one(sql: &Sql, output: &str) -> Result<Told, NotYet> {
        Sql::parse(&[sql], output.as_bytes()).unwrap().remove(0)
    }

    #[test]
    fn answers_are_found_by_their_token() {
        let (role, database) = (
            sql(Question::Role("a".to_owned())),
            sql(Question::Database("a".to_owned())),
        );
        let told = Told::Row(serde_json::json!({"aa": 1, "b": [null, "x\ty"]}));
        let output = [
            database.expected(&told).unwrap(),
            role.expected(&Told::Row(Json::Null)).unwrap(),
        ]
        .concat();
        let answers = Sql::parse(&[&role, &database], &output).unwrap();
        assert_eq!(answers, [Ok(Told::Row(Json::Null)), Ok(told)]);
        assert!(Sql::parse(&[&role], b"nonsense\n").is_err());
    }

    #[test]
    fn what_cannot_be_asked_is_not_known_yet() {
        let role = sql(Question::Role("a".to_owned()));
        let token = role.token();
        let missing = one(&role, "-\n").unwrap_err();
        assert!(missing.0.starts_with("`psql` (the package"), "{missing}");
        let refused = format!(
            "!{token}\tpsql: error: connection to server at \"h\", port 5432 failed: FATAL:  password authentication failed for user \"x\"\n"
        );
        assert_eq!(
            one(&role, &refused).unwrap_err().0,
            "a login to PostgreSQL (connection to server at \"h\", port 5432 failed: FATAL:  password \
             authentication failed for user \"x\"); correct `login_user` and `login_password`"
        );
        let none = format!("!{token}\tpsql: error: FATAL:  database \"postgres\" does not exist\n");
        assert_eq!(one(&role, &none).unwrap_err().0, "the database `postgres`");
        let wrong = format!(
            "!{token}\tpsql:<stdin>:7: ERROR:  invalid input\u{1}LINE 1: SELECT\u{1}   ^\n"
        );
        assert_eq!(
            one(&role, &wrong),
            Ok(Told::Wrong("invalid input".to_owned()))
        );
    }

    #[test]
    fn a_password_is_in_no_question_that_is_shown() {
        let mut role = sql(Question::Role("a".to_owned()));
        role.login.password = Some(Secret::new("hunter2"));
        let shown = format!("{role:?} {:?}", evenkeel_engine::AnyProbe::key(&role));
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(role.login.assignments().contains("PGUSER='o'\\''hara'"));
    }
}
