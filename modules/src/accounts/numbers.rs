//! Which numbers of users and groups are taken, and which one would be next.

use std::collections::BTreeSet;

use evenkeel_engine::{NotYet, Probe, Thing};

/// Which numbers of users and groups are taken.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Numbers;

/// What [`Numbers`] answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Of users.
    pub users: BTreeSet<u32>,
    /// Of groups.
    pub groups: BTreeSet<u32>,
}

/// Sorted, so that the same numbers print the same.
const NUMBERS: &str = r#"(
ek_db() {
  if command -v getent >/dev/null 2>&1; then timeout 60 getent "$1" 2>/dev/null </dev/null; else cat "/etc/$1"; fi
}
for ek_b in passwd group; do
  printf '%s' "$ek_b"
  ek_db "$ek_b" | cut -d: -f3 | sort -nu | while read -r ek_n; do printf ' %s' "$ek_n"; done
  printf '\n'
done
)"#;

impl Probe for Numbers {
    const KIND: &'static str = "account_numbers";
    const SCRIPT: &'static str = NUMBERS;
    type Answer = Taken;

    fn operands(&self) -> Vec<Vec<u8>> {
        Vec::new()
    }

    fn parse(batch: &[&Self], output: &[u8]) -> Result<Vec<Result<Self::Answer, NotYet>>, String> {
        let text = String::from_utf8_lossy(output);
        let line = |name: &str| -> Result<BTreeSet<u32>, String> {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            let line = line.ok_or_else(|| format!("`{name}` is missing"))?;
            line.split_whitespace()
                .map(|word| word.parse().map_err(|_| format!("`{word}`")))
                .collect()
        };
        let taken = Taken {
            users: line("passwd")?,
            groups: line("group")?,
        };
        Ok(batch.iter().map(|_| Ok(taken.clone())).collect())
    }

    fn expected(&self, answer: &Self::Answer) -> Option<Vec<u8>> {
        let line = |numbers: &BTreeSet<u32>| {
            numbers
                .iter()
                .flat_map(|n| [" ".to_owned(), n.to_string()])
                .collect::<String>()
        };
        Some(
            format!(
                "passwd{}\ngroup{}\n",
                line(&answer.users),
                line(&answer.groups)
            )
            .into_bytes(),
        )
    }

    fn reads(&self) -> Vec<Thing> {
        ["passwd", "group"]
            .map(|name| Thing::Path(format!("/etc/{name}")))
            .into()
    }
}

/// The number that the programs take next: of system accounts from above down, of others from below
/// up, and gaps only once the end is reached.
pub(crate) fn next(taken: &BTreeSet<u32>, (min, max): (u32, u32), system: bool) -> Option<u32> {
    let within = || taken.range(min..=max.max(min)).copied();
    let free = |number: &u32| !taken.contains(number);
    if system {
        let lowest = within()
            .next()
            .map_or(max, |lowest| lowest.saturating_sub(1));
        return (min..=lowest)
            .rev()
            .find(free)
            .or_else(|| (min..=max).rev().find(free));
    }
    let next = within()
        .next_back()
        .map_or(min, |highest| highest.saturating_add(1));
    (next..=max).find(free).or_else(|| (min..=max).find(free))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_number() {
        let taken = BTreeSet::from([0, 1, 100, 998, 999, 1000, 1005, 65534]);
        assert_eq!(next(&taken, (1000, 60000), false), Some(1006));
        assert_eq!(next(&taken, (1000, 1005), false), Some(1004 - 3));
        assert_eq!(next(&taken, (100, 999), true), Some(997));
        assert_eq!(next(&taken, (201, 999), true), Some(997));
        assert_eq!(next(&BTreeSet::from([7]), (7, 7), true), None);
    }

    #[test]
    fn numbers_are_read() {
        let output = b"passwd 0 1 1000\ngroup 0 5\n";
        let answers = Numbers::parse(&[&Numbers], output).unwrap();
        let taken = answers[0].as_ref().unwrap();
        assert_eq!(taken.groups, BTreeSet::from([0, 5]));
        assert_eq!(Numbers.expected(taken).unwrap(), output);
        for shell in ["dash", "bash"] {
            let script = format!("f() {{ {NUMBERS}\n}}\nf");
            let Ok(ran) = std::process::Command::new(shell)
                .args(["-c", &script])
                .output()
            else {
                continue;
            };
            let answers = Numbers::parse(&[&Numbers], &ran.stdout).unwrap();
            let taken = answers[0].as_ref().unwrap();
            assert!(
                taken.users.contains(&0) && taken.groups.contains(&0),
                "{shell}"
            );
            assert_eq!(Numbers.expected(taken).unwrap(), ran.stdout, "{shell}");
        }
    }
}
