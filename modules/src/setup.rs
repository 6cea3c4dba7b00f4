//! Facts: what a host is. Only those that are asked for are looked up, with `sh` and what `/proc`,
//! `/sys` and `/etc` say; names, values and types are those of Ansible.

mod clock;
mod distribution;
mod hardware;
mod local;
mod lsb;
mod network;
mod probe;
mod section;
mod system;
mod virtualization;

use std::collections::BTreeSet;

use evenkeel_engine::{
    Done, Map, Module, Nature, Plan, Probes, Refusal, Seen, Stop, Touches, Value, ask,
};
use regex::Regex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::many::comma_list;
use section::{Raw, read};

pub use probe::Facts;
pub use section::{Section, is_fact, names, not_gathered};

/// The module `setup`.
#[derive(Debug)]
pub struct Setup;

/// Arguments of `setup`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// Which kinds of facts: `all`, `min`, `hardware`, `network`, `virtual` or a narrower one; with
    /// `!` before it, those are left out.
    #[serde(
        default,
        deserialize_with = "comma_list",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub gather_subset: Vec<String>,
    /// Only facts whose names fit one of these patterns, with or without `ansible_`; only what they
    /// need is looked up.
    #[serde(
        default,
        deserialize_with = "comma_list",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub filter: Vec<String>,
    /// The folder of local facts; `/etc/ansible/facts.d` if it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fact_path: Option<String>,
    /// Has no effect: each look has a bound of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gather_timeout: Option<u64>,
}

impl Args {
    /// Sections that have to be looked up.
    fn sections(&self) -> Result<BTreeSet<Section>, Refusal> {
        let chosen = section::of_subsets(&self.gather_subset)?;
        if self.filter.is_empty() {
            return Ok(chosen);
        }
        let patterns = self.patterns();
        let fits = |section: &Section| {
            let open = section.has_open_names();
            section.names().iter().any(|name| fits(&patterns, name))
                || open
                    && self
                        .filter
                        .iter()
                        .any(|filter| !is_plain(filter) || of_interface(filter))
        };
        Ok(chosen.into_iter().filter(fits).collect())
    }

    fn patterns(&self) -> Vec<Regex> {
        let filters = self.filter.iter();
        filters.filter_map(|filter| pattern(filter)).collect()
    }

    /// What has to be asked for these sections, in order.
    fn probes(&self, wanted: &BTreeSet<Section>) -> BTreeSet<Facts> {
        let path = self.fact_path.as_deref().unwrap_or("/etc/ansible/facts.d");
        let all = wanted.iter().flat_map(|section| section.asks());
        all.map(|section| Facts {
            section,
            folder: (section == Section::Local).then(|| path.to_owned()),
        })
        .collect()
    }
}

/// A name without wildcards.
fn is_plain(filter: &str) -> bool {
    !filter.contains(['*', '?', '['])
}

/// A name that no section has: one of a network interface, perhaps.
fn of_interface(filter: &str) -> bool {
    !is_fact(filter.strip_prefix("ansible_").unwrap_or(filter))
}

/// A shell's pattern as a regular expression.
fn pattern(glob: &str) -> Option<Regex> {
    let mut text = String::from("(?s)^");
    let mut rest = glob.chars();
    while let Some(c) = rest.next() {
        match c {
            '*' => text.push_str(".*"),
            '?' => text.push('.'),
            '[' if rest.as_str().contains(']') => {
                let class: String = rest.by_ref().take_while(|c| *c != ']').collect();
                let (not, class) = match class.strip_prefix('!') {
                    Some(class) => ("^", class),
                    None => ("", class.as_str()),
                };
                text.push('[');
                text.push_str(not);
                text.push_str(&class.replace('\\', "\\\\"));
                text.push(']');
            }
            c => text.push_str(&regex::escape(&c.to_string())),
        }
    }
    text.push('$');
    Regex::new(&text).ok()
}

fn fits(patterns: &[Regex], name: &str) -> bool {
    let full = format!("ansible_{name}");
    let mut patterns = patterns.iter();
    patterns.any(|pattern| pattern.is_match(name) || pattern.is_match(&full))
}

impl Module for Setup {
    const NAME: &'static str = "setup";
    const ALIASES: &'static [&'static str] = &[
        "ansible.builtin.setup",
        "ansible.legacy.setup",
        "gather_facts",
        "ansible.builtin.gather_facts",
    ];
    const NATURE: Nature = Nature::Passive;
    const ABOUT: &'static str = "looks up facts of a host";
    const EXAMPLE: &'static str = "\
- setup:
    gather_subset: [network]
    filter: ansible_default_ipv4
";
    const CHANGED_WHEN: &'static str = "Never.";
    const LIMITS: &'static str = "\
        It gathers what is asked for or used, without Python on the host; facts that only other programs \
        know (`ohai`, `facter`) are not among them.";
    type Args = Args;
    type Output = Map;

    fn check(args: &Args) -> Result<(), Refusal> {
        if let Some(filter) = args.filter.iter().find(|filter| pattern(filter).is_none()) {
            return Err(Refusal::new(format!("`filter: {filter}` is no pattern"))
                .help("write a name, with `*`, `?` and `[…]` as in a shell"));
        }
        args.sections().map(drop)
    }

    fn observe(args: &Args, _: &Seen) -> Probes {
        let sections = args.sections().unwrap_or_default();
        args.probes(&sections).into_iter().map(ask).collect()
    }

    fn plan(args: &Args, seen: &Seen) -> Result<Plan, Stop> {
        for probe in args.probes(&args.sections()?) {
            seen.get(&probe)?;
        }
        Ok(Plan::nothing())
    }

    fn output(args: &Args, after: &Seen, _: &[Done]) -> Result<Map, Stop> {
        let sections = args.sections()?;
        let mut raw = Raw::default();
        for probe in args.probes(&sections) {
            raw.add(probe.section, after.get(&probe)?.clone());
        }
        let patterns = args.patterns();
        let mut facts = Map::new();
        for section in sections {
            for (name, value) in read(section, &raw) {
                if patterns.is_empty() || fits(&patterns, &name) {
                    facts.insert(format!("ansible_{}", name.replace('-', "_")), value);
                }
            }
        }
        if args.filter.is_empty() {
            let subset: Vec<String> = match &args.gather_subset[..] {
                [] => vec!["all".to_owned()],
                subset => subset.to_vec(),
            };
            let subset = subset.into_iter().map(Value::from).collect();
            facts.insert("gather_subset".to_owned(), subset);
            facts.insert("module_setup".to_owned(), true.into());
        }
        Ok([("ansible_facts".to_owned(), Value::Map(facts))]
            .into_iter()
            .collect())
    }

    fn touches(_: &Args) -> Touches {
        Touches::nothing()
    }

    fn subject(args: &Args) -> String {
        let parts = [args.gather_subset.join(","), args.filter.join(",")];
        parts.join(" ").trim().to_owned()
    }
}

#[cfg(test)]
mod tests;
