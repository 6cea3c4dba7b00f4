//! Files of a host that fulfil conditions.

mod probe;

use evenkeel_engine::{
    Done, Map, Module, Nature, NotYet, Plan, Probes, Refusal, Seen, Stop, Text, Touches, Value,
    download::Algorithm, probes::Contents,
};
use regex::Regex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{args::is_default, look::Look, many::one_or_many, paths, pattern::Pattern, sums};
pub use probe::{Entry, Found, Tree};

/// The module `find`.
#[derive(Debug)]
pub struct Find;

/// Arguments of `find`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The directories.
    #[serde(alias = "path", alias = "name", deserialize_with = "one_or_many")]
    pub paths: Vec<String>,
    /// One of these fits the name: `*.log`, or with `use_regex` a pattern of Python. All fit if unset.
    #[serde(
        default,
        alias = "pattern",
        deserialize_with = "one_or_many",
        skip_serializing_if = "is_default"
    )]
    pub patterns: Vec<String>,
    /// None of these fits the name.
    #[serde(
        default,
        alias = "exclude",
        deserialize_with = "one_or_many",
        skip_serializing_if = "is_default"
    )]
    pub excludes: Vec<String>,
    /// `patterns` and `excludes` are patterns of Python.
    #[serde(default, skip_serializing_if = "is_default")]
    pub use_regex: bool,
    /// A pattern of Python that a line of a file begins with; with `read_whole_file` one that is
    /// anywhere in its text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contains: Option<String>,
    /// `contains` is about the whole text, not about each line.
    #[serde(default, skip_serializing_if = "is_default")]
    pub read_whole_file: bool,
    /// What it is.
    #[serde(default, skip_serializing_if = "is_default")]
    pub file_type: FileType,
    /// Also all that is below.
    #[serde(default, skip_serializing_if = "is_default")]
    pub recurse: bool,
    /// How deep, with `recurse`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub depth: Option<u32>,
    /// Also names that begin with a dot.
    #[serde(default, skip_serializing_if = "is_default")]
    pub hidden: bool,
    /// Goes through links to directories.
    #[serde(default, skip_serializing_if = "is_default")]
    pub follow: bool,
    /// At least so old, or with a `-` at most: seconds, or with `m`, `h`, `d`, `w`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age: Option<Text>,
    /// Which time counts: `mtime` (the default), `atime`, `ctime`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub age_stamp: Stamp,
    /// At least so large, or with a `-` at most: bytes, or with `k`, `m`, `g`, `t`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<Text>,
    /// At most so many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// Whether the result has the checksums of files.
    #[serde(default, skip_serializing_if = "is_default")]
    pub get_checksum: bool,
    /// Which checksum: `sha1` (the default), `md5`, `sha224`, `sha256`, `sha384` or `sha512`.
    #[serde(
        default,
        alias = "checksum",
        alias = "checksum_algo",
        skip_serializing_if = "Option::is_none"
    )]
    pub checksum_algorithm: Option<String>,
}

/// What is looked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "they say what they are")]
pub enum FileType {
    Any,
    Directory,
    #[default]
    File,
    Link,
}

/// The time that counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "they are called so everywhere")]
pub enum Stamp {
    Atime,
    Ctime,
    #[default]
    Mtime,
}

/// What `register` gives.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Output {
    /// What fits, sorted by path.
    pub files: Vec<Map>,
    /// How many.
    pub matched: usize,
    /// How many were looked at.
    pub examined: usize,
    /// Directories that are not there, each with why.
    pub skipped_paths: Map,
    /// Whether all could be looked at, in Ansible's words.
    #[serde(default)]
    pub msg: String,
}

impl Module for Find {
    const NAME: &'static str = "find";
    const ALIASES: &'static [&'static str] = &["ansible.builtin.find", "ansible.legacy.find"];
    const NATURE: Nature = Nature::Passive;
    const ABOUT: &'static str = "looks for files of a host";
    const EXAMPLE: &'static str = "\
- name: old logs
  find:
    paths: /var/log/app
    patterns: '*.log'
    age: 4w
    recurse: true
  register: logs
";
    const CHANGED_WHEN: &'static str = "Never.";
    const LIMITS: &'static str = "What files hold (`contains`) is read of files of at most 1 MiB: with a larger one the task \
         fails, unless `size` leaves it out.";
    type Args = Args;
    type Output = Output;

    fn check(args: &Args) -> Result<(), Refusal> {
        if args.paths.is_empty() {
            return Err(Refusal::new("`paths` is empty"));
        }
        if let Some(path) = args.paths.iter().find(|path| !paths::is_absolute(path)) {
            return Err(Refusal::new(format!("`paths: {path}` is not absolute")));
        }
        args.names().map(drop)?;
        sums::checked(args.checksum_algorithm.as_deref())?;
        args.holding().map(drop)?;
        if args.contains.is_some() && args.file_type != FileType::File {
            let what = "`contains` is about what files hold";
            return Err(Refusal::new(what).help("leave `file_type` out, or say `file_type: file`"));
        }
        args.limits().map(drop)
    }

    fn observe(args: &Args, seen: &Seen) -> Probes {
        Look::observe(seen, |look| {
            args.trees().for_each(|tree| look.ask(&tree));
            // Which files are read is known when the directories are.
            for entry in fitting(args, seen)? {
                if args.contains.is_some() {
                    look.ask(&Contents(entry.path.clone()));
                }
                if args.get_checksum && entry.kind == 'f' {
                    sums::ask(look, args.algorithm(), &entry.path);
                }
            }
            Ok(Plan::nothing())
        })
    }

    fn plan(args: &Args, seen: &Seen) -> Result<Plan, Stop> {
        found(args, seen)?;
        Ok(Plan::nothing())
    }

    fn output(args: &Args, after: &Seen, _: &[Done]) -> Result<Output, Stop> {
        found(args, after)
    }

    fn touches(_: &Args) -> Touches {
        Touches::nothing()
    }

    fn subject(args: &Args) -> String {
        args.paths.join(", ")
    }
}

/// At least, or at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Limit {
    number: i64,
    most: bool,
}

impl Limit {
    fn read(name: &str, text: &Text, units: &[(char, i64)]) -> Result<Self, Refusal> {
        let text = text.shown().trim();
        let (most, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let last = rest
            .chars()
            .next_back()
            .map(|letter| letter.to_ascii_lowercase());
        let unit = units.iter().find(|(letter, _)| Some(*letter) == last);
        let (digits, factor) = match unit {
            Some((_, factor)) => (&rest[..rest.len() - 1], *factor),
            None => (rest, 1),
        };
        let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        let number = digits.parse::<i64>().ok().filter(|_| plain);
        let number = number.and_then(|number| number.checked_mul(factor));
        let number = number.ok_or_else(|| {
            let letters: Vec<String> = units
                .iter()
                .map(|(letter, _)| format!("`{letter}`"))
                .collect();
            Refusal::new(format!("`{name}: {text}` is no limit")).help(format!(
                "a number, with one of {} behind it or none",
                letters.join(", ")
            ))
        })?;
        Ok(Self { number, most })
    }

    fn holds(self, number: i64) -> bool {
        if self.most {
            number <= self.number
        } else {
            number >= self.number
        }
    }
}

const TIMES: [(char, i64); 5] = [
    ('s', 1),
    ('m', 60),
    ('h', 3600),
    ('d', 86_400),
    ('w', 604_800),
];
const SIZES: [(char, i64); 5] = [
    ('b', 1),
    ('k', 1 << 10),
    ('m', 1 << 20),
    ('g', 1 << 30),
    ('t', 1 << 40),
];

impl Args {
    fn trees(&self) -> impl Iterator<Item = Tree> {
        let depth = if self.recurse { self.depth } else { Some(1) };
        self.paths.iter().map(move |path| Tree {
            path: paths::clean(path),
            depth,
            follow: self.follow,
        })
    }

    fn limits(&self) -> Result<[Option<Limit>; 2], Refusal> {
        let age = self.age.as_ref().map(|age| Limit::read("age", age, &TIMES));
        let size = self
            .size
            .as_ref()
            .map(|size| Limit::read("size", size, &SIZES));
        Ok([age.transpose()?, size.transpose()?])
    }

    fn algorithm(&self) -> Algorithm {
        sums::checked(self.checksum_algorithm.as_deref()).unwrap_or(Algorithm::Sha1)
    }

    /// What must be in a file.
    fn holding(&self) -> Result<Option<Pattern>, Refusal> {
        // Python's `match` is about the beginning, its `search` about any place.
        let made = self.contains.as_ref().map(|text| {
            if self.read_whole_file {
                Pattern::new("contains", text)
            } else {
                Pattern::new("contains", text)?;
                Pattern::new("contains", &format!("^(?:{text})"))
            }
        });
        made.transpose()
    }

    /// Whether a text has it.
    fn is_in(&self, pattern: &Pattern, text: &[u8]) -> bool {
        if self.read_whole_file {
            return pattern.matches(text);
        }
        // `$` is the end of a line, its newline or not; an empty file has no line.
        let lines = text.strip_suffix(b"\n").unwrap_or(text);
        let mut lines = lines.split(|byte| *byte == b'\n');
        !text.is_empty() && lines.any(|line| pattern.matches(line))
    }

    /// What names must fit, and what they must not.
    fn names(&self) -> Result<[Vec<Regex>; 2], Refusal> {
        let read = |name: &str, texts: &[String]| -> Result<Vec<Regex>, Refusal> {
            let made = texts.iter().map(|text| {
                // Python's `match` is about the beginning.
                let pattern = if self.use_regex {
                    format!("^(?:{})", text.replace("\\Z", "\\z"))
                } else {
                    glob(text)
                };
                Regex::new(&pattern)
                    .map_err(|_| Refusal::new(format!("`{name}: {text}` is no pattern")))
            });
            made.collect()
        };
        Ok([
            read("patterns", &self.patterns)?,
            read("excludes", &self.excludes)?,
        ])
    }
}

/// A pattern of the shell as a regular expression.
fn glob(text: &str) -> String {
    let mut out = "^(?s:".to_owned();
    let mut rest = text.chars();
    while let Some(letter) = rest.next() {
        match letter {
            '*' => out.push_str(".*"),
            '?' => out.push('.'),
            '[' => {
                let tail = rest.as_str();
                let skip = usize::from(tail.starts_with('!'));
                let first = skip + usize::from(tail[skip..].starts_with(']'));
                match tail[first..].find(']').map(|end| end + first) {
                    Some(end) => {
                        let inner = tail[skip..end].replace('\\', "\\\\").replace('[', "\\[");
                        let inner = inner.replace('^', "\\^").replace("&&", "&\\&");
                        let inner = inner
                            .strip_prefix(']')
                            .map_or(inner.clone(), |rest| format!("\\]{rest}"));
                        out.push_str(if skip == 1 { "[^" } else { "[" });
                        out.push_str(&inner);
                        out.push(']');
                        rest = tail[end + 1..].chars();
                    }
                    None => out.push_str("\\["),
                }
            }
            other => out.push_str(&regex::escape(&other.to_string())),
        }
    }
    out + ")$"
}

/// What fits in all but what it holds.
fn fitting<'a>(args: &Args, seen: &'a Seen) -> Result<Vec<&'a Entry>, Stop> {
    let [fits, fits_not] = args.names()?;
    let [age, size] = args.limits()?;
    let mut all = Vec::new();
    for tree in args.trees() {
        let found: Result<&Found, NotYet> = seen.get(&tree);
        let found = found?;
        let hidden = |entry: &Entry| {
            let below = &entry.path[tree.path.trim_end_matches('/').len()..];
            below.split('/').any(|part| part.starts_with('.'))
        };
        for entry in found.entries.iter().flatten() {
            let name = paths::name(&entry.path);
            let kind = match args.file_type {
                FileType::Any => true,
                FileType::Directory => entry.kind == 'd',
                FileType::File => entry.kind == 'f',
                FileType::Link => entry.kind == 'l',
            };
            let stamp = entry.times[match args.age_stamp {
                Stamp::Atime => 0,
                Stamp::Ctime => 1,
                Stamp::Mtime => 2,
            }];
            let bytes = i64::try_from(entry.size).unwrap_or(i64::MAX);
            let wanted = kind
                && (args.hidden || !hidden(entry))
                && (fits.is_empty() || fits.iter().any(|pattern| pattern.is_match(name)))
                && !fits_not.iter().any(|pattern| pattern.is_match(name))
                && age.is_none_or(|age| age.holds(found.now - stamp))
                && (size.is_none_or(|size| entry.kind == 'f' && size.holds(bytes)));
            if wanted {
                all.push(entry);
            }
        }
    }
    Ok(all)
}

fn found(args: &Args, seen: &Seen) -> Result<Output, Stop> {
    let mut output = Output::default();
    for tree in args.trees() {
        if let Some(entries) = &seen.get(&tree)?.entries {
            output.examined += entries.len();
        } else {
            let skipped = &mut output.skipped_paths;
            skipped.insert(tree.path, "it is no directory".into());
        }
    }
    let (holding, look) = (args.holding()?, Look::new(seen));
    for entry in fitting(args, seen)? {
        let holds = match &holding {
            Some(pattern) => {
                let text = seen.get(&Contents(entry.path.clone()))?;
                text.as_ref().is_some_and(|text| args.is_in(pattern, text))
            }
            None => true,
        };
        if holds && args.limit.is_none_or(|limit| output.files.len() < limit) {
            let mut facts = facts(entry);
            if args.get_checksum
                && entry.kind == 'f'
                && let Some(sum) = sums::get(&look, args.algorithm(), &entry.path)
            {
                facts.insert("checksum".to_owned(), sum.get().cloned()?.into());
            }
            output.files.push(facts);
        }
    }
    output.matched = output.files.len();
    let all = if output.skipped_paths.is_empty() {
        "All paths examined"
    } else {
        "Not all paths examined, check warnings for details"
    };
    all.clone_into(&mut output.msg);
    Ok(output)
}

fn facts(entry: &Entry) -> Map {
    let number = |number: u64| Value::from(number);
    let [accessed, changed, modified] = entry.times;
    let [device, inode, links] = entry.numbers;
    let bit = |bit: u32| Value::from(entry.mode & bit != 0);
    let facts = [
        ("path", Value::from(entry.path.as_str())),
        ("mode", format!("{:04o}", entry.mode).into()),
        ("isdir", (entry.kind == 'd').into()),
        ("isreg", (entry.kind == 'f').into()),
        ("islnk", (entry.kind == 'l').into()),
        ("size", number(entry.size)),
        ("uid", number(entry.owner.0.into())),
        ("gid", number(entry.group.0.into())),
        ("pw_name", entry.owner.1.as_str().into()),
        ("gr_name", entry.group.1.as_str().into()),
        ("atime", accessed.into()),
        ("ctime", changed.into()),
        ("mtime", modified.into()),
        ("dev", number(device)),
        ("inode", number(inode)),
        ("nlink", number(links)),
        ("isuid", bit(0o4000)),
        ("isgid", bit(0o2000)),
    ];
    facts
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_of_the_shell() {
        let fits = |pattern: &str, name: &str| Regex::new(&glob(pattern)).unwrap().is_match(name);
        for (pattern, name) in [
            ("*.log", "a.log"),
            ("?[!a]", "xb"),
            ("[]x]", "]"),
            ("a[b", "a[b"),
            ("é*", "é\nx"),
            ("[a^]", "^"),
            ("a+", "a+"),
        ] {
            assert!(fits(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("*.log", "a.logs"),
            ("?[!a]", "xa"),
            ("a.b", "axb"),
            ("[a-c]", "d"),
        ] {
            assert!(!fits(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn checksums_are_told_of_files() {
        let args = Args {
            paths: vec!["/srv".to_owned()],
            get_checksum: true,
            ..Args::default()
        };
        let entry = Entry {
            path: "/srv/a".to_owned(),
            kind: 'f',
            mode: 0o644,
            size: 1,
            owner: (0, "root".to_owned()),
            group: (0, "root".to_owned()),
            times: [1; 3],
            numbers: [1; 3],
        };
        let found_there = Found {
            now: 1,
            entries: Some(vec![entry]),
        };
        let sum = crate::Sum {
            algorithm: Algorithm::Sha1,
            path: "/srv/a".to_owned(),
        };
        let seen = Seen::default()
            .with(&args.trees().next().unwrap(), found_there)
            .with(&sum, Some("0f".to_owned()));
        let output = found(&args, &seen).unwrap();
        assert_eq!(output.files[0].get("checksum"), Some(&Value::from("0f")));
    }

    #[test]
    fn limits() {
        let read = |text: &str| Limit::read("age", &text.into(), &TIMES);
        assert_eq!(
            read("2d"),
            Ok(Limit {
                number: 172_800,
                most: false
            })
        );
        assert_eq!(
            read("-10"),
            Ok(Limit {
                number: 10,
                most: true
            })
        );
        assert!(
            read("x").is_err()
                && read("").is_err()
                && read("1.5d").is_err()
                && read("--1").is_err()
        );
    }
}
