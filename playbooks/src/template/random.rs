//! Python's `random.Random`, to the bit: what a seed gave under Ansible, it gives here.

use minijinja::Error;
use rand_mt::Mt;
use sha2::{Digest as _, Sha512};

use super::filters::refuse;

/// Where numbers come from.
#[derive(Debug)]
pub(super) enum Random {
    /// A seed: the same numbers in each run.
    Seeded(Box<Mt>),
    /// The operating system: others in each run.
    System,
}

/// What a sequence of numbers begins with.
#[derive(Debug)]
pub(super) enum Seed<'a> {
    Text(&'a str),
    Number(i128),
}

impl Random {
    /// As `random.Random(seed)`.
    pub(super) fn seeded(seed: &Seed<'_>) -> Self {
        let bytes = match seed {
            Seed::Text(text) => {
                let mut bytes = text.as_bytes().to_vec();
                bytes.extend_from_slice(&Sha512::digest(text));
                bytes
            }
            Seed::Number(number) => number.unsigned_abs().to_be_bytes().to_vec(),
        };
        // One large number, as words; the least significant one comes first.
        let mut words: Vec<u32> = bytes
            .rchunks(4)
            .map(|chunk| {
                chunk
                    .iter()
                    .fold(0, |word, byte| word << 8 | u32::from(*byte))
            })
            .collect();
        while words.len() > 1 && words.last() == Some(&0) {
            words.pop();
        }
        Self::Seeded(Box::new(Mt::new_with_key(words)))
    }

    fn word(&mut self) -> Result<u32, Error> {
        match self {
            Self::Seeded(twister) => Ok(twister.next_u32()),
            Self::System => getrandom::u32()
                .map_err(|error| refuse(format!("this machine gives no random numbers: {error}"))),
        }
    }

    /// As `getrandbits`, for up to 64 bits.
    fn bits(&mut self, mut count: u32) -> Result<u64, Error> {
        let (mut bits, mut shift) = (0_u64, 0);
        while count > 0 {
            let word = self.word()?;
            let taken = count.min(32);
            bits |= u64::from(word >> (32 - taken)) << shift;
            shift += taken;
            count -= taken;
        }
        Ok(bits)
    }

    /// A number below another one, which is not 0.
    pub(super) fn below(&mut self, end: u64) -> Result<u64, Error> {
        let count = u64::BITS - end.leading_zeros();
        loop {
            let found = self.bits(count)?;
            if found < end {
                return Ok(found);
            }
        }
    }

    /// An index of a list, which is not empty.
    pub(super) fn index(&mut self, len: usize) -> Result<usize, Error> {
        let found = self.below(u64::try_from(len).unwrap_or(u64::MAX))?;
        Ok(usize::try_from(found).unwrap_or(0))
    }

    /// As `randrange`; `None` if there is no such number.
    pub(super) fn range(&mut self, start: i64, end: i64, step: i64) -> Result<Option<i64>, Error> {
        let (start, step) = (i128::from(start), i128::from(step));
        let width = i128::from(end) - start;
        let count = match step.signum() {
            1 => (width + step - 1).div_euclid(step),
            -1 => (-(width + step + 1)).div_euclid(-step),
            _ => 0,
        };
        let Some(count) = u64::try_from(count).ok().filter(|count| *count > 0) else {
            return Ok(None);
        };
        let found = start + step * i128::from(self.below(count)?);
        Ok(i64::try_from(found).ok())
    }

    /// As `shuffle`.
    pub(super) fn shuffle<T>(&mut self, list: &mut [T]) -> Result<(), Error> {
        for at in (1..list.len()).rev() {
            let other = self.index(at + 1)?;
            list.swap(at, other);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn a_text_and_a_number_give_what_they_give_to_python() {
        // Of `random.Random('web1')` and `random.Random(7)`.
        let mut random = Random::seeded(&Seed::Text("web1"));
        let minutes: Vec<_> = (0..4)
            .map(|_| random.range(0, 60, 1).unwrap().unwrap())
            .collect();
        assert_eq!(minutes, WEB1);
        let mut random = Random::seeded(&Seed::Number(7));
        let mut list: Vec<i32> = (0..6).collect();
        random.shuffle(&mut list).unwrap();
        assert_eq!(list, SEVEN);
    }

    const WEB1: [i64; 4] = [52, 20, 16, 49];
    const SEVEN: [i32; 6] = [4, 0, 5, 3, 1, 2];

    const SEEDS: [Seed<'static>; 12] = [
        Seed::Text(""),
        Seed::Text("\0\0"),
        Seed::Text("web1"),
        Seed::Text("web1.example.org"),
        Seed::Text("é日本"),
        Seed::Number(0),
        Seed::Number(1),
        Seed::Number(-1),
        Seed::Number(42),
        Seed::Number(i64::MAX as i128),
        Seed::Number(i64::MIN as i128),
        Seed::Number(u64::MAX as i128),
    ];

    /// Start, end, step.
    const RANGES: [(i64, i64, i64); 12] = [
        (0, 60, 1),
        (0, 1, 1),
        (10, 101, 10),
        (-5, 5, 3),
        (100, 0, -7),
        (5, 5, 1),
        (6, 5, 1),
        (0, 10, 20),
        (0, 10, -1),
        (0, i64::MAX, 1),
        (i64::MIN, i64::MAX, 1),
        (0, 1 << 33, 3),
    ];

    const HELPER: &str = r#"
import json, random, sys
cases = json.load(sys.stdin)
for seed in cases["seeds"]:
    for start, end, step in cases["ranges"]:
        r = random.Random(seed)
        def number():
            try: return r.randrange(start, end, step)
            except ValueError: return None
        print(json.dumps([number() for _ in range(5)]))
    for size in 1, 2, 7, 100:
        r = random.Random(seed)
        l = list(range(size))
        r.shuffle(l)
        print(json.dumps([r.choice(l)] + l))
"#;

    #[test]
    fn all_seeds_give_what_they_give_to_python() {
        let have = Command::new("python3").arg("--version").output();
        if !have.is_ok_and(|output| output.status.success()) {
            println!("skipped: python3 is not here");
            return;
        }
        let seeds: Vec<serde_json::Value> = SEEDS
            .iter()
            .map(|seed| match seed {
                Seed::Text(text) => (*text).into(),
                Seed::Number(number) => u64::try_from(*number).map_or_else(
                    |_| i64::try_from(*number).unwrap().into(),
                    serde_json::Value::from,
                ),
            })
            .collect();
        let folder = tempfile::tempdir().unwrap();
        let input = folder.path().join("cases.json");
        let cases = serde_json::json!({"seeds": seeds, "ranges": RANGES});
        std::fs::write(&input, cases.to_string()).unwrap();
        let output = Command::new("python3")
            .args(["-c", HELPER])
            .stdin(std::fs::File::open(&input).unwrap())
            .stderr(Stdio::inherit())
            .output()
            .unwrap();
        assert!(output.status.success());
        let lines = String::from_utf8(output.stdout).unwrap();
        let mut lines = lines
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        for seed in &SEEDS {
            for (start, end, step) in RANGES {
                let mut random = Random::seeded(seed);
                let found: Vec<_> = (0..5)
                    .map(|_| random.range(start, end, step).unwrap())
                    .collect();
                let wanted = lines.next().unwrap();
                assert_eq!(
                    serde_json::json!(found),
                    wanted,
                    "{seed:?}: {start}, {end}, {step}"
                );
            }
            for size in [1, 2, 7, 100] {
                let mut random = Random::seeded(seed);
                let mut list: Vec<i32> = (0..size).collect();
                random.shuffle(&mut list).unwrap();
                list.insert(0, list[random.index(list.len()).unwrap()]);
                assert_eq!(
                    serde_json::json!(list),
                    lines.next().unwrap(),
                    "{seed:?}: {size}"
                );
            }
        }
        assert_eq!(lines.next(), None);
    }

    #[test]
    fn the_system_gives_numbers_of_the_range() {
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..200 {
            let found = Random::System.range(10, 20, 5).unwrap().unwrap();
            seen.insert(found);
        }
        assert_eq!(seen.into_iter().collect::<Vec<_>>(), [10, 15]);
    }
}
