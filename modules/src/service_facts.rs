//! Which services a host has, and how they are.

use evenkeel_engine::{
    Done, Map, Module, Nature, NotYet, Plan, Probe, Probes, Seen, Stop, Thing, Touches, Value, ask,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The module `service-facts`.
#[derive(Debug)]
pub struct ServiceFacts;

/// Arguments of `service-facts`: there are none.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {}

/// What `register` gives.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Output {
    /// `services`: for each, as `cron.service`, its `name`, `state` (`running`, `stopped`, or what systemd calls one
    /// that is not loaded), `status` (`enabled`, `disabled`, `static`, `failed` …) and `source`.
    pub ansible_facts: Map,
}

/// The services that systemd knows: those that are loaded, those of files, and the states of the latter.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Services;

impl Probe for Services {
    const KIND: &'static str = "services";
    const SCRIPT: &'static str = r#"
command -v systemctl >/dev/null 2>&1 || return 0
LC_ALL=C systemctl list-units --type service --all --plain --no-legend --no-pager 2>/dev/null </dev/null || return 0
printf '\0'
ek_f=$(LC_ALL=C systemctl list-unit-files --type service --no-legend --no-pager 2>/dev/null </dev/null)
printf '%s\0' "$ek_f"
# A template has no state.
ek_f=$(printf '%s\n' "$ek_f" | sed -n 's/ .*//;/@\.service$/d;/./p')
printf '%s\0' "$ek_f"
printf '%s\n' "$ek_f" | LC_ALL=C xargs -d '\n' -r systemctl show -p ActiveState -- 2>/dev/null | sed -n 's/^ActiveState=//p'
printf '\0'"#;
    type Answer = [String; 4];

    fn operands(&self) -> Vec<Vec<u8>> {
        vec![b"all".to_vec()]
    }

    fn parse(batch: &[&Self], output: &[u8]) -> Result<Vec<Result<Self::Answer, NotYet>>, String> {
        let text = String::from_utf8_lossy(output);
        let fields: Vec<&str> = text.split_terminator('\0').collect();
        let answer = match fields[..] {
            [units, files, names, states] => Ok([units, files, names, states].map(str::to_owned)),
            // An earlier task may install it, or it is not what the host was booted with.
            [] | [_] => Err(NotYet::new("the services that systemd runs on the host")),
            _ => return Err(format!("{} parts", fields.len())),
        };
        Ok(batch.iter().map(|_| answer.clone()).collect())
    }

    fn expected(&self, _: &Self::Answer) -> Option<Vec<u8>> {
        None
    }

    fn reads(&self) -> Vec<Thing> {
        vec![Thing::Everything]
    }
}

/// What the file of a unit says does not count for these.
const BAD: [&str; 3] = ["not-found", "masked", "failed"];

fn services([units, files, names, states]: &[String; 4]) -> Map {
    let mut found: Vec<(&str, &str, &str)> = Vec::new();
    for line in units.lines() {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [name, load, active, sub, ..] = fields[..] else {
            continue;
        };
        let state = if sub == "running" {
            "running"
        } else {
            "stopped"
        };
        let bad = BAD
            .into_iter()
            .find(|bad| [load, active, sub].contains(bad));
        found.push((name, state, bad.unwrap_or(active)));
    }
    let (names, states): (Vec<&str>, Vec<&str>) =
        (names.lines().collect(), states.lines().collect());
    for line in files.lines() {
        let mut fields = line.split_whitespace();
        let (Some(name), Some(status)) = (fields.next(), fields.next()) else {
            continue;
        };
        match found.iter_mut().find(|(known, ..)| *known == name) {
            Some((.., now)) if BAD.contains(now) => {}
            Some((.., now)) => *now = status,
            None => {
                let at = names
                    .iter()
                    .position(|known| *known == name)
                    .filter(|_| names.len() == states.len());
                let state = at
                    .and_then(|at| states.get(at))
                    .copied()
                    .unwrap_or("unknown");
                found.push((name, state, status));
            }
        }
    }
    let service = |(name, state, status): (&str, &str, &str)| {
        let pairs = [
            ("name", name),
            ("state", state),
            ("status", status),
            ("source", "systemd"),
        ];
        let map: Map = pairs
            .into_iter()
            .map(|(key, text)| (key.to_owned(), text.into()))
            .collect();
        (name.to_owned(), Value::Map(map))
    };
    found.into_iter().map(service).collect()
}

impl Module for ServiceFacts {
    const NAME: &'static str = "service-facts";
    const ALIASES: &'static [&'static str] = &[
        "service_facts",
        "ansible.builtin.service_facts",
        "ansible.legacy.service_facts",
    ];
    const NATURE: Nature = Nature::Passive;
    const ABOUT: &'static str = "lists the services of a host";
    const EXAMPLE: &'static str = "\
- service-facts: {}
";
    const CHANGED_WHEN: &'static str = "Never.";
    const LIMITS: &'static str = "It knows services of systemd.";
    type Args = Args;
    type Output = Output;

    fn observe(_: &Args, _: &Seen) -> Probes {
        vec![ask(Services)]
    }

    fn plan(_: &Args, seen: &Seen) -> Result<Plan, Stop> {
        seen.get(&Services)?;
        Ok(Plan::nothing())
    }

    fn output(_: &Args, after: &Seen, _: &[Done]) -> Result<Output, Stop> {
        let services = Value::Map(services(after.get(&Services)?));
        Ok(Output {
            ansible_facts: Map::from_iter([("services".to_owned(), services)]),
        })
    }

    fn touches(_: &Args) -> Touches {
        Touches::nothing()
    }

    fn subject(_: &Args) -> String {
        "systemd".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_without_systemd() {
        for output in [&b""[..], b"System has not been booted\0"] {
            let answers = Services::parse(&[&Services], output).unwrap();
            assert_eq!(
                answers,
                [Err(NotYet::new(
                    "the services that systemd runs on the host"
                ))]
            );
        }
        assert!(Services::parse(&[&Services], b"a\0b\0").is_err());
    }
}
