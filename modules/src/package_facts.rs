//! Which packages a host has.

use evenkeel_engine::{
    Done, Map, Module, Nature, NotYet, Plan, Probe, Probes, Refusal, Seen, Stop, Thing, Touches,
    Value, ask,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::many::comma_list;

/// The module `package-facts`.
#[derive(Debug)]
pub struct PackageFacts;

/// Whether one manager of packages is enough.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Strategy {
    /// The first that the host has.
    #[default]
    First,
    /// All that the host has.
    All,
}

/// Arguments of `package-facts`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// Which managers are asked, in this order: `apt`, `rpm`, or `auto` (the default), which is what the host has.
    #[serde(
        default,
        deserialize_with = "comma_list",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub manager: Vec<String>,
    /// Whether the `first` that is there is enough (the default), or `all` are asked.
    #[serde(default, skip_serializing_if = "crate::args::is_default")]
    pub strategy: Strategy,
}

/// What `register` gives.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Output {
    /// `packages`: for each name a list of what is installed, with `name`, `version`, `arch`, `source`; of rpm also
    /// `release` and `epoch`, of apt `category` and `origin`.
    pub ansible_facts: Map,
}

/// What is installed, as a manager of packages lists it; nothing if the host does not have it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Installed(pub String);

impl Probe for Installed {
    const KIND: &'static str = "installed";
    const SCRIPT: &'static str = r#"
for ek_m in "$@"; do
  case $ek_m in
    apt) [ -e /var/lib/dpkg/status ] && command -v dpkg-query >/dev/null 2>&1 || continue ;;
    rpm) command -v rpm >/dev/null 2>&1 || continue ;;
    *) continue ;;
  esac
  printf '%s\0' "$ek_m"
  case $ek_m in
    apt) LC_ALL=C dpkg-query -W -f '${db:Status-Abbrev}\t${Package}\t${Version}\t${Architecture}\t${Section}\t${Origin}\n' 2>/dev/null |
      sed -n 's/^.i[^	]*	//p' ;;
    rpm) LC_ALL=C rpm -qa --qf '%{NAME}\t%{VERSION}\t%{RELEASE}\t%{EPOCH}\t%{ARCH}\n' 2>/dev/null ;;
  esac | sort
  printf '\0'
done"#;
    type Answer = Option<String>;

    fn operands(&self) -> Vec<Vec<u8>> {
        vec![self.0.clone().into_bytes()]
    }

    fn parse(batch: &[&Self], output: &[u8]) -> Result<Vec<Result<Self::Answer, NotYet>>, String> {
        let text = String::from_utf8_lossy(output);
        let fields: Vec<&str> = text.split_terminator('\0').collect();
        if !fields.len().is_multiple_of(2) {
            return Err("a list of packages ended early".to_owned());
        }
        let of = |one: &&Self| {
            let mut pairs = fields.chunks_exact(2);
            let found = pairs.find(|pair| pair[0] == one.0);
            Ok(found.map(|pair| pair[1].to_owned()))
        };
        Ok(batch.iter().map(of).collect())
    }

    fn expected(&self, answer: &Self::Answer) -> Option<Vec<u8>> {
        let text = answer.as_ref().map(|text| format!("{}\0{text}\0", self.0));
        Some(text.unwrap_or_default().into_bytes())
    }

    fn reads(&self) -> Vec<Thing> {
        vec![Thing::Everything]
    }
}

/// The managers that are known, in the order in which `auto` takes them.
const KNOWN: [&str; 2] = ["apt", "rpm"];

impl Args {
    fn managers(&self) -> Result<Vec<&'static str>, Refusal> {
        let mut found = Vec::new();
        let auto = ["auto".to_owned()];
        for name in if self.manager.is_empty() {
            &auto[..]
        } else {
            &self.manager
        } {
            let names: &[&'static str] = match name.as_str() {
                "auto" => &KNOWN,
                "apt" | "dpkg" => &["apt"],
                "rpm" | "dnf" | "dnf5" | "yum" | "zypper" => &["rpm"],
                _ => {
                    return Err(Refusal::new(format!(
                        "`manager: {name}` is none whose packages can be listed"
                    ))
                    .help("those are `apt`, `rpm` and `auto`"));
                }
            };
            for name in names {
                if !found.contains(name) {
                    found.push(name);
                }
            }
        }
        Ok(found)
    }

    fn packages(&self, seen: &Seen) -> Result<Map, Stop> {
        let mut packages = Map::new();
        let managers = self.managers()?;
        let mut known = false;
        for manager in &managers {
            let Some(text) = seen.get(&Installed((*manager).to_owned()))? else {
                continue;
            };
            known = true;
            for (name, package) in text.lines().filter_map(|line| package(manager, line)) {
                match packages
                    .entry(name)
                    .or_insert_with(|| Value::Seq(Vec::new()))
                {
                    Value::Seq(all) => all.push(package),
                    other => *other = Value::Seq(vec![package]),
                }
            }
            if self.strategy == Strategy::First {
                break;
            }
        }
        // An earlier task may install it.
        if !known {
            let what = format!(
                "a manager of packages on the host (`{}`)",
                managers.join("`, `")
            );
            return Err(NotYet(what).into());
        }
        Ok(packages)
    }
}

/// A package of a line.
fn package(manager: &str, line: &str) -> Option<(String, Value)> {
    let fields: Vec<&str> = line.split('\t').collect();
    let text = |field: &str| match field {
        "(none)" => Value::Null,
        field => Value::from(field),
    };
    let pairs = match (manager, &fields[..]) {
        ("apt", [name, version, arch, category, origin]) => vec![
            ("name", text(name)),
            ("version", text(version)),
            ("arch", text(arch)),
            ("category", text(category)),
            ("origin", text(origin)),
        ],
        ("rpm", [name, version, release, epoch, arch]) => vec![
            ("name", text(name)),
            ("version", text(version)),
            ("release", text(release)),
            ("epoch", epoch.parse().map_or(Value::Null, Value::Int)),
            ("arch", text(arch)),
        ],
        _ => return None,
    };
    let pairs = pairs.into_iter().chain([("source", Value::from(manager))]);
    let map: Map = pairs
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    Some((fields[0].to_owned(), Value::Map(map)))
}

impl Module for PackageFacts {
    const NAME: &'static str = "package-facts";
    const ALIASES: &'static [&'static str] = &[
        "package_facts",
        "ansible.builtin.package_facts",
        "ansible.legacy.package_facts",
    ];
    const NATURE: Nature = Nature::Passive;
    const ABOUT: &'static str = "lists the packages of a host";
    const EXAMPLE: &'static str = "\
- package-facts:
    manager: auto
";
    const CHANGED_WHEN: &'static str = "Never.";
    const LIMITS: &'static str = "\
It knows packages of dpkg and of rpm. `auto` takes those of dpkg if the host has its database, else those of rpm.";
    type Args = Args;
    type Output = Output;

    fn check(args: &Args) -> Result<(), Refusal> {
        args.managers().map(drop)
    }

    fn observe(args: &Args, _: &Seen) -> Probes {
        let managers = args.managers().unwrap_or_default();
        managers
            .into_iter()
            .map(|name| ask(Installed(name.to_owned())))
            .collect()
    }

    fn plan(args: &Args, seen: &Seen) -> Result<Plan, Stop> {
        args.packages(seen)?;
        Ok(Plan::nothing())
    }

    fn output(args: &Args, after: &Seen, _: &[Done]) -> Result<Output, Stop> {
        let packages = Value::Map(args.packages(after)?);
        Ok(Output {
            ansible_facts: Map::from_iter([("packages".to_owned(), packages)]),
        })
    }

    fn touches(_: &Args) -> Touches {
        Touches::nothing()
    }

    fn subject(args: &Args) -> String {
        args.manager.join(",")
    }
}
