//! The question whether something has come, and the program that waits for it.

use std::collections::BTreeMap;

use evenkeel_engine::{NotYet, Probe, Run, Thing, hex, sha256};

/// What is waited for: a kind that `script.sh` knows, and its operands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reached {
    /// `open`, `shut`, `drained`, `there`, `gone`, `line`, `says`.
    pub kind: &'static str,
    /// At most four; a pattern is written for `printf %b`.
    pub operands: Vec<String>,
}

/// Looking once and waiting share their functions.
macro_rules! with_functions {
    ($script:literal) => {
        concat!(include_str!("script.sh"), $script)
    };
}

const WAIT: &str = with_functions!("wf_wait \"$@\"\n");

impl Reached {
    /// Kind and operands, as many as the script wants.
    fn words(&self) -> impl Iterator<Item = String> + '_ {
        let operands = self.operands.iter().map(String::as_str);
        let padded = operands.chain(std::iter::repeat("")).take(4);
        std::iter::once(self.kind).chain(padded).map(str::to_owned)
    }

    /// What the script calls it in its answer: operands may hold any byte.
    fn mark(&self) -> String {
        let words: Vec<String> = self.words().collect();
        hex(&sha256(words.join("\0").as_bytes())[..8])
    }

    /// A program that waits for it.
    pub(super) fn wait(&self, limit: u64, delay: u64, sleep: u64) -> Vec<String> {
        let times = [limit, delay, sleep].map(|seconds| seconds.to_string());
        ["/bin/sh", "-c", WAIT, "wait_for"]
            .map(str::to_owned)
            .into_iter()
            .chain(times)
            .chain(self.words())
            .collect()
    }
}

/// A program that only lets time pass.
pub(crate) fn sleep(seconds: u64) -> Run {
    Run::new(["sleep".to_owned(), seconds.to_string()])
}

impl Probe for Reached {
    const KIND: &'static str = "reached";
    const SCRIPT: &'static str = with_functions!(
        r#"
while [ $# -gt 5 ]; do
  wf_m=$1
  wf_found=$(wf_reached "$2" "$3" "$4" "$5" "$6")
  case $? in
    0) printf '%s + %s\n' "$wf_m" "$wf_found" ;;
    2) printf '%s ?\n' "$wf_m" ;;
    *) printf '%s -\n' "$wf_m" ;;
  esac
  shift 6
done"#
    );
    /// The line that was looked for, empty if none was; nothing if it has not come.
    type Answer = Option<Vec<u8>>;

    fn operands(&self) -> Vec<Vec<u8>> {
        let words = std::iter::once(self.mark()).chain(self.words());
        words.map(String::into_bytes).collect()
    }

    fn parse(batch: &[&Self], output: &[u8]) -> Result<Vec<Result<Self::Answer, NotYet>>, String> {
        let mut found = BTreeMap::new();
        for line in output
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
        {
            let odd = || format!("`{}`", String::from_utf8_lossy(line));
            let (mark, rest) = line.split_at_checked(16).ok_or_else(odd)?;
            let answer = match rest {
                b" -" => Ok(None),
                b" ?" => Err(NotYet::new("whether it has come: this host cannot tell")),
                rest => {
                    let line = rest.strip_prefix(b" + ").ok_or_else(odd)?;
                    Ok(Some(line.to_vec()))
                }
            };
            found.insert(mark.to_vec(), answer);
        }
        let answer = |probe: &&Self| {
            let missing = || {
                Err(NotYet(format!(
                    "whether `{}` has come",
                    probe.operands.join(" ")
                )))
            };
            found
                .get(probe.mark().as_bytes())
                .cloned()
                .unwrap_or_else(missing)
        };
        Ok(batch.iter().map(answer).collect())
    }

    fn expected(&self, answer: &Self::Answer) -> Option<Vec<u8>> {
        let mark = self.mark();
        Some(match answer {
            None => format!("{mark} -\n").into_bytes(),
            Some(line) => [mark.as_bytes(), b" + ", line, b"\n"].concat(),
        })
    }

    fn reads(&self) -> Vec<Thing> {
        match (self.kind, self.operands.first()) {
            ("there" | "gone" | "line", Some(path)) => vec![Thing::Path(path.clone())],
            // Whatever runs on the host may listen, or stop to.
            _ => vec![Thing::Everything],
        }
    }
}
