//! The probe of `psql`: what a query answers that can only read.

use std::{
    collections::BTreeMap,
    fmt::{self, Debug},
};

use evenkeel_engine::{NotYet, Probe, SECRET_OPERAND, Thing, hex, sha256};

use super::{
    super::{Login, ask},
    answer::{self, Set},
};

/// A query, run in a transaction that can only read.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reading {
    /// Where it is run.
    pub login: Login,
    /// What psql reads.
    pub text: String,
    /// Whether there is a secret in it.
    pub secret: bool,
    /// Whether it calls what nobody knows here: then it is asked only at its turn.
    pub calls: bool,
}

impl Debug for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a query to {}", self.login.server())
    }
}

/// What a query answers.
#[derive(Clone, PartialEq, Eq)]
pub enum Read {
    /// For each statement what it answered.
    Sets(Vec<Set>),
    /// It could not be run so, in the server's words.
    Wrong(String),
}

impl Debug for Read {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // Nothing of it is shown: nobody knows what it holds.
            Self::Sets(_) => f.write_str("rows"),
            Self::Wrong(why) => f.write_str(why),
        }
    }
}

impl Reading {
    fn token(&self) -> String {
        let all = [self.login.assignments(), self.text.clone()].join("\0");
        hex(&sha256(all.as_bytes())[..12])
    }
}

impl Probe for Reading {
    const KIND: &'static str = "psql_reading";
    const SCRIPT: &'static str = concat!(include_str!("../login.sh"), include_str!("read.sh"));
    type Answer = Read;

    fn operands(&self) -> Vec<Vec<u8>> {
        let mark = |secret: bool| if secret { SECRET_OPERAND } else { b'+' };
        let marked = |secret, text: String| [&[mark(secret)], text.as_bytes()].concat();
        vec![
            marked(self.login.password.is_some(), self.login.assignments()),
            marked(false, self.token()),
            marked(self.secret, self.text.clone()),
        ]
    }

    fn parse(batch: &[&Self], output: &[u8]) -> Result<Vec<Result<Read, NotYet>>, String> {
        let text = String::from_utf8_lossy(output);
        if text == "-\0" {
            let what = "`psql` (the package `postgresql-client` or `postgresql`)";
            return Ok(batch.iter().map(|_| Err(NotYet::new(what))).collect());
        }
        let parts: Vec<&str> = text.split('\0').collect();
        let found: BTreeMap<&str, (&str, &str)> = parts
            .chunks_exact(3)
            .map(|part| (part[0], (part[1], part[2])))
            .collect();
        let answer = |one: &&Self| match found.get(one.token().as_str()) {
            Some((out, said)) => match (answer::read(out), ask::query_error(said)) {
                (Some(sets), _) => Ok(Read::Sets(sets)),
                (None, Some(why)) => Ok(Read::Wrong(why)),
                // The login went well: what came was cut off.
                (None, None) if !out.is_empty() || said.trim().is_empty() => {
                    Ok(Read::Wrong("its answer is not whole".to_owned()))
                }
                (None, None) => Err(ask::no_login(&one.login, said)),
            },
            None => Err(NotYet(format!("what {} answers", one.login.server()))),
        };
        Ok(batch.iter().map(answer).collect())
    }

    fn expected(&self, _: &Read) -> Option<Vec<u8>> {
        None
    }

    fn reads(&self) -> Vec<Thing> {
        // What the modules of PostgreSQL write of a server, they write in its order.
        let mut reads = vec![Thing::Everything, self.login.order()];
        reads.extend(Login::units());
        reads
    }

    fn runs_user_code(&self) -> bool {
        self.calls
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(text: &str) -> Reading {
        Reading {
            login: Login {
                user: "postgres".to_owned(),
                database: "postgres".to_owned(),
                ..Login::default()
            },
            text: text.to_owned(),
            secret: false,
            calls: false,
        }
    }

    #[test]
    fn answers_are_found_by_their_token() {
        let (a, b, c) = (reading("a"), reading("b"), reading("c"));
        let word = "0123456789abcdef01234567";
        let output = format!(
            "{}\0{word}\n{word} done\n\0psql:<stdin>:1: WARNING:  x\0{}\0{word}\n\0psql:<stdin>:9: ERROR:  no such thing\nLINE 1: x\0",
            b.token(),
            a.token()
        );
        let answers = Reading::parse(&[&a, &b, &c], output.as_bytes()).unwrap();
        assert_eq!(answers[0], Ok(Read::Wrong("no such thing".to_owned())));
        assert_eq!(answers[1], Ok(Read::Sets(Vec::new())));
        assert_eq!(answers[2], Err(NotYet::new("what PostgreSQL answers")));
        let none = Reading::parse(&[&a], b"-\0")
            .unwrap()
            .remove(0)
            .unwrap_err();
        assert!(none.0.starts_with("`psql` (the package"), "{none}");
        let refused = format!("{}\0\0psql: error: Is the server running?\0", a.token());
        let refused = Reading::parse(&[&a], refused.as_bytes()).unwrap().remove(0);
        assert!(refused.unwrap_err().0.contains("start it"));
        let cut = format!(
            "{}\0{word}\n{word} at 1\0psql: error: Broken pipe\0",
            a.token()
        );
        let cut = Reading::parse(&[&a], cut.as_bytes()).unwrap().remove(0);
        assert_eq!(cut, Ok(Read::Wrong("its answer is not whole".to_owned())));
    }
}
