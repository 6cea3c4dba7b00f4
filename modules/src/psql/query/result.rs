//! What `register` gives.

use evenkeel_engine::{Done, Late, Map, NotYet, OUTPUT_LIMIT, Refusal, Stop, Text};
use serde::{Deserialize, Serialize};

use super::{
    Args, Queries, Read, Set,
    answer::read,
    decide::{question, rests, work},
    script::{IDLE, run_message},
    statement::{Class, Statement},
};
use crate::look::Look;

/// What `register` gives.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq)]
pub struct Output {
    /// The last query, as it is written.
    pub query: String,
    /// All of them.
    pub query_list: Vec<String>,
    /// The rows of the last statement that gave any.
    pub query_result: Vec<Map>,
    /// The rows of each statement.
    pub query_all_results: Vec<Vec<Map>>,
    /// How many rows were given or changed, in all.
    pub rowcount: u64,
    /// What the last statement was to the server: `UPDATE 1`.
    pub statusmessage: String,
    /// Why it did not run, or failed; empty if it did run.
    pub msg: String,
}

pub(super) fn output(args: &Args, look: &Look<'_>, done: &[Done]) -> Result<Output, Stop> {
    let texts = match &args.query {
        Some(Late::Known(Queries(texts))) => {
            texts.iter().map(Text::shown).map(str::to_owned).collect()
        }
        _ => Vec::new(),
    };
    let bare = Output {
        query: texts.last().cloned().unwrap_or_default(),
        query_list: texts,
        ..Output::default()
    };
    if let Some(done) = done.last() {
        if ![0, IDLE].contains(&done.status) {
            return Ok(Output {
                msg: run_message(done),
                ..bare
            });
        }
        let text = String::from_utf8_lossy(&done.stdout);
        let whole = (done.stdout.len() as u64) < OUTPUT_LIMIT;
        let sets = read(&text).filter(|_| whole).ok_or_else(|| {
            Refusal::new("the query ran, but its rows are too many to be told: more than 1 MiB")
                .help("ask for less (`LIMIT`, fewer columns); what was changed is kept")
        })?;
        return Ok(filled(bare, &work(args)?.statements, &sets));
    }
    if let Some((_, msg)) = rests(args, look)? {
        return Ok(Output { msg, ..bare });
    }
    let work = work(args)?;
    if let Some(question) = question(args, &work)
        && let Read::Sets(sets) = look.get(&question)?
    {
        return Ok(filled(bare, &work.statements, sets));
    }
    Err(NotYet::new("what the query answers").into())
}

fn filled(bare: Output, statements: &[Statement], sets: &[Set]) -> Output {
    let all: Vec<Vec<Map>> = sets.iter().map(Set::maps).collect();
    let gave = statements
        .iter()
        .zip(&all)
        .rev()
        .find(|(one, _)| one.answers);
    let last = statements.iter().zip(sets).next_back();
    let counted = statements
        .iter()
        .zip(sets)
        .filter(|(one, _)| one.answers || one.class == Class::Counts);
    Output {
        query_result: gave.map(|(_, rows)| rows.clone()).unwrap_or_default(),
        rowcount: counted.map(|(_, set)| set.count).sum(),
        statusmessage: last.map_or_else(String::new, |(one, set)| tag(one, set)),
        query_all_results: all,
        ..bare
    }
}

/// What the server says that a statement was.
fn tag(one: &Statement, set: &Set) -> String {
    let count = set.count;
    match one.verb.as_str() {
        _ if !set.tag.is_empty() && !one.answers => set.tag.clone(),
        "INSERT" => format!("INSERT 0 {count}"),
        "VALUES" | "TABLE" => format!("SELECT {count}"),
        verb @ ("SELECT" | "UPDATE" | "DELETE" | "MERGE" | "COPY" | "FETCH" | "MOVE") => {
            format!("{verb} {count}")
        }
        verb => verb.to_owned(),
    }
}
