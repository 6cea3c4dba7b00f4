//! Probes of programs.

use std::collections::BTreeMap;

use super::{by_name, records};
use crate::{
    late::NotYet,
    probe::Probe,
    source::{hex, sha256},
    thing::Thing,
};

/// Where a program is: its path, if there is one that can be executed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Which(pub String);

impl Probe for Which {
    const KIND: &'static str = "which";
    const SCRIPT: &'static str = r#"
for ek_w in "$@"; do
  ek_p=$(command -v -- "$ek_w" 2>/dev/null) || continue
  case $ek_p in /*) printf '%s\0%s\0' "$ek_w" "$ek_p" ;; esac
done"#;
    type Answer = Option<String>;

    fn operands(&self) -> Vec<Vec<u8>> {
        vec![self.0.clone().into_bytes()]
    }

    fn parse(batch: &[&Self], output: &[u8]) -> Result<Vec<Result<Self::Answer, NotYet>>, String> {
        let mut found = BTreeMap::new();
        let mut parts = records(output);
        while let (Some(name), Some(path)) = (parts.next(), parts.next()) {
            found.insert(
                name.to_vec(),
                Ok(Some(String::from_utf8_lossy(path).into_owned())),
            );
        }
        Ok(by_name(
            batch.iter().map(|which| which.0.as_str()),
            &found,
            &None,
        ))
    }

    fn expected(&self, answer: &Self::Answer) -> Option<Vec<u8>> {
        let line = answer.as_ref().map(|path| format!("{}\0{path}\0", self.0));
        Some(line.unwrap_or_default().into_bytes())
    }

    fn reads(&self) -> Vec<Thing> {
        if self.0.starts_with('/') {
            vec![Thing::Path(self.0.clone())]
        } else {
            Vec::new()
        }
    }
}

/// What a program that only reads answers: spares most authors of modules a probe of their own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ask {
    /// Program and arguments.
    pub argv: Vec<String>,
    /// What it reads on the host.
    pub reads: Vec<Thing>,
}

/// What [`Ask`] answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// Exit status; 127 if there is no such program.
    pub status: i32,
    /// What it printed on stdout, at most 64 KiB, without trailing newlines.
    pub stdout: String,
}

const STDOUT_LIMIT: usize = 64 * 1024;

impl Ask {
    /// A question to a program.
    pub fn new<S: Into<String>>(argv: impl IntoIterator<Item = S>) -> Self {
        Self {
            argv: argv.into_iter().map(Into::into).collect(),
            reads: Vec::new(),
        }
    }

    /// Says what the program reads.
    #[must_use]
    pub fn reading(mut self, things: impl IntoIterator<Item = Thing>) -> Self {
        self.reads.extend(things);
        self
    }

    /// The name under which the answer comes back.
    fn token(&self) -> String {
        hex(&sha256(self.argv.join("\0").as_bytes())[..12])
    }
}

impl Probe for Ask {
    const KIND: &'static str = "ask";
    const SCRIPT: &'static str = r#"
while [ $# -gt 0 ]; do
  ek_t=$1 ek_n=$2; shift 2
  ek_o=$(
    ek_a= ek_i=1
    while [ "$ek_i" -le "$ek_n" ]; do ek_a="$ek_a \"\${$ek_i}\""; ek_i=$((ek_i + 1)); done
    { eval "timeout 60 $ek_a" </dev/null 2>/dev/null; printf '|%s' "$?"; } |
      { head -c 65536; tail -c 5; }
  )
  printf '%s|%s|%s\0' "$ek_t" "${ek_o##*|}" "${ek_o%|*}"
  shift "$ek_n"
done"#;
    type Answer = Answered;

    fn operands(&self) -> Vec<Vec<u8>> {
        let mut operands = vec![self.token(), self.argv.len().to_string()];
        operands.extend(self.argv.iter().cloned());
        operands.into_iter().map(String::into_bytes).collect()
    }

    fn parse(batch: &[&Self], output: &[u8]) -> Result<Vec<Result<Self::Answer, NotYet>>, String> {
        let mut found = BTreeMap::new();
        for record in records(output) {
            let text = String::from_utf8_lossy(record);
            let mut fields = text.splitn(3, '|');
            let (Some(token), Some(status), Some(stdout)) =
                (fields.next(), fields.next(), fields.next())
            else {
                return Err(format!("`{text}`"));
            };
            let status = status.parse().map_err(|_| format!("`{text}`"))?;
            // The script keeps the status of what it cuts off, and up to four bytes before it.
            let end = (0..=STDOUT_LIMIT.min(stdout.len()))
                .rev()
                .find(|end| stdout.is_char_boundary(*end));
            let stdout = stdout[..end.unwrap_or(0)].trim_end_matches('\n').to_owned();
            found.insert(token.to_owned(), Answered { status, stdout });
        }
        let missing = |ask: &Self| NotYet(format!("what `{}` answers", ask.argv.join(" ")));
        let answer = |ask: &&Self| found.get(&ask.token()).cloned().ok_or_else(|| missing(ask));
        Ok(batch.iter().map(answer).collect())
    }

    fn expected(&self, _: &Self::Answer) -> Option<Vec<u8>> {
        None
    }

    fn reads(&self) -> Vec<Thing> {
        if self.reads.is_empty() {
            vec![Thing::Everything]
        } else {
            self.reads.clone()
        }
    }
}
