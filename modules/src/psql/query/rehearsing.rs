//! The probe that rehearses statements: they run in a transaction that is taken back.

use std::{
    collections::BTreeMap,
    fmt::{self, Debug},
};

use evenkeel_engine::{Done, NotYet, Probe, SECRET_OPERAND, Thing, hex, sha256};

use super::super::{Login, ask};

/// How many bytes of what is answered are told.
const LIMIT: usize = 1_000_000;

/// Statements that are run, and taken back.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rehearsing {
    /// Where they are run.
    pub login: Login,
    /// What psql reads.
    pub text: String,
    /// Whether there is a secret in it.
    pub secret: bool,
    /// Whether it may turn out that nothing has to be changed.
    pub idle: bool,
}

impl Debug for Rehearsing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a rehearsal on {}", self.login.server())
    }
}

impl Rehearsing {
    fn token(&self) -> String {
        let all = [self.login.assignments(), self.text.clone()].join("\0");
        hex(&sha256(all.as_bytes())[..12])
    }

    /// What its run would leave; what says nothing of the run is not known.
    fn read(&self, out: &str, status: &str, said: &str) -> Result<Vec<Done>, NotYet> {
        let status: i32 = status
            .parse()
            .map_err(|_| NotYet(format!("what {} answers", self.login.server())))?;
        let why = ask::query_error(said);
        if status == 127 {
            return Err(NotYet::new(
                "`psql` (the package `postgresql-client` or `postgresql`)",
            ));
        }
        // Of `timeout`, and of what it had to kill.
        if [124, 137].contains(&status) {
            return Err(NotYet::new(
                "what the query does: its rehearsal took more than 30 s, and was taken back",
            ));
        }
        if out.len() > LIMIT {
            return Err(NotYet::new(
                "what the query answers: it is too much to be foretold",
            ));
        }
        match why {
            Some(why) if BOUNDS.iter().any(|words| why.contains(words)) => Err(NotYet(format!(
                "what the query does: its rehearsal was taken back (PostgreSQL says: {why})"
            ))),
            None if status != 0 && status != super::script::IDLE => {
                Err(ask::no_login(&self.login, said))
            }
            _ => Ok(vec![Done {
                status,
                stdout: out.as_bytes().to_vec(),
                stderr: said.as_bytes().to_vec(),
                millis: 0,
            }]),
        }
    }
}

/// What the server says where it is not the statement that is at fault, but who else is at work.
const BOUNDS: [&str; 4] = [
    "canceling statement due to",
    "deadlock detected",
    "could not serialize access",
    "could not obtain lock",
];

impl Probe for Rehearsing {
    const KIND: &'static str = "psql_rehearsing";
    const SCRIPT: &'static str = concat!(
        include_str!("../login.sh"),
        include_str!("sql.sh"),
        include_str!("rehearse.sh")
    );
    type Answer = Vec<Done>;

    fn operands(&self) -> Vec<Vec<u8>> {
        let mark = |secret: bool| if secret { SECRET_OPERAND } else { b'+' };
        let marked = |secret, text: &str| [&[mark(secret)], text.as_bytes()].concat();
        vec![
            marked(self.login.password.is_some(), &self.login.assignments()),
            marked(false, &self.token()),
            marked(self.secret, &self.text),
            marked(false, if self.idle { "1" } else { "" }),
        ]
    }

    fn parse(batch: &[&Self], output: &[u8]) -> Result<Vec<Result<Self::Answer, NotYet>>, String> {
        let text = String::from_utf8_lossy(output);
        let parts: Vec<&str> = text.split('\0').collect();
        let found: BTreeMap<&str, &[&str]> = parts
            .chunks_exact(4)
            .map(|part| (part[0], &part[1..]))
            .collect();
        let answer = |one: &&Self| match found.get(one.token().as_str()) {
            Some([out, status, said]) => one.read(out, status, said),
            _ => Err(NotYet(format!("what {} answers", one.login.server()))),
        };
        Ok(batch.iter().map(answer).collect())
    }

    fn expected(&self, _: &Self::Answer) -> Option<Vec<u8>> {
        None
    }

    fn reads(&self) -> Vec<Thing> {
        let mut reads = vec![self.login.order()];
        reads.extend(Login::units());
        reads
    }

    fn only_at_its_turn(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one() -> Rehearsing {
        Rehearsing {
            login: Login {
                user: "postgres".to_owned(),
                database: "postgres".to_owned(),
                ..Login::default()
            },
            text: "a".to_owned(),
            secret: false,
            idle: true,
        }
    }

    fn told(out: &str, status: &str, said: &str) -> Result<Vec<Done>, String> {
        let output = format!("{}\0{out}\0{status}\0{said}\0", one().token());
        let mut answers = Rehearsing::parse(&[&one()], output.as_bytes()).unwrap();
        answers.remove(0).map_err(|what| what.0)
    }

    #[test]
    fn what_the_run_would_leave() {
        let error = "psql:<stdin>:9: ERROR:  no such thing\n";
        for (out, status, said) in [("x\ny", 0, ""), ("x", 4, ""), ("at 1 1 whole", 3, error)] {
            let done = Done {
                status,
                stdout: out.into(),
                stderr: said.into(),
                millis: 0,
            };
            assert_eq!(told(out, &status.to_string(), said), Ok(vec![done]));
        }
    }

    #[test]
    fn what_says_nothing_of_the_run_is_unknown() {
        let lock = "psql:<stdin>:9: ERROR:  canceling statement due to lock timeout\n";
        let big = "x".repeat(LIMIT + 1);
        for (out, status, said, why) in [
            (
                "at 1 1 whole",
                "3",
                lock,
                "canceling statement due to lock timeout",
            ),
            ("", "127", "", "`psql` (the package"),
            ("", "124", "", "took more than 30 s"),
            (big.as_str(), "0", "", "too much"),
            ("", "2", "psql: error: Is the server running?", "start it"),
            ("", "", "", "what PostgreSQL answers"),
        ] {
            let told = told(out, status, said).unwrap_err();
            assert!(told.contains(why), "{told}");
        }
        let none = Rehearsing::parse(&[&one()], b"").unwrap().remove(0);
        assert_eq!(none.unwrap_err().0, "what PostgreSQL answers");
    }
}
