//! What holds for the arguments of every module: each counts in fingerprints, unknown ones are
//! refused with those that exist, and each is documented.

use std::collections::{BTreeMap, BTreeSet};

use evenkeel_engine::{
    AnyModule, BindError, Map, Source, Value, fingerprint::Fingerprint, testing::mutations,
};

/// What a text is tried to be changed to where not any text fits.
const OTHERS: [&str; 33] = [
    "soft",
    "stack",
    "boolean",
    "status",
    "install",
    "rsa",
    "sha384",
    "merge",
    "first",
    "raw",
    "NOLOGIN",
    "full",
    "dnf",
    "always",
    "absent",
    "all",
    "enabled",
    "online",
    "present",
    "started",
    "debian",
    "weekly",
    "directory",
    "file",
    "ctime",
    "system",
    "0600",
    "preserve",
    "local",
    "md5",
    "conflict",
    "schema",
    "\n",
];

/// Arguments that do not count, each with its reason.
const UNCOUNTED: [(&str, &str, &str); 1] = [("yum", "use_backend", "there is one way here")];

/// The samples by module.
pub(crate) fn samples() -> BTreeMap<&'static str, Vec<Map>> {
    let registry = evenkeel_modules::standard();
    let mut all: BTreeMap<_, Vec<Map>> = BTreeMap::new();
    for yaml in crate::all_samples() {
        let Ok(Value::Map(task)) = serde_yaml::from_str(yaml) else {
            panic!("{yaml} is no task");
        };
        let (name, args) = task.into_iter().next().expect("a module");
        let Value::Map(mut args) = args else {
            panic!("{yaml} has no arguments");
        };
        for value in args.values_mut() {
            if let Some(path) = value.as_str().and_then(|text| text.strip_prefix('@')) {
                *value = Value::Source(Source::inline(path, b"source".to_vec()));
            }
        }
        let module = registry.get(&name).expect("a known module");
        all.entry(module.name()).or_default().push(args);
    }
    for module in registry.iter() {
        let samples = all.get(module.name()).map_or(&[][..], Vec::as_slice);
        let set: BTreeSet<&String> = samples.iter().flat_map(Map::keys).collect();
        for name in documented(module).keys() {
            assert!(
                set.contains(name),
                "`{}`: no sample has `{name}`",
                module.name()
            );
        }
    }
    all
}

/// The arguments of a module as its schema has them, with their documentation.
fn documented(module: &dyn AnyModule) -> BTreeMap<String, String> {
    let schema = module.schema().to_value();
    let properties = schema.get("properties").and_then(|all| all.as_object());
    let text = |property: &serde_json::Value| {
        let text = property.get("description").and_then(|text| text.as_str());
        text.unwrap_or_default().to_owned()
    };
    properties
        .into_iter()
        .flatten()
        .map(|(name, property)| (name.clone(), text(property)))
        .collect()
}

fn fingerprint(module: &dyn AnyModule, args: &Value) -> Result<Fingerprint, BindError> {
    let bound = module.bind(args)?;
    let made = Fingerprint::of(module.name(), &bound.args(), &[], b"key of a host");
    Ok(made.expect("all is known"))
}

/// All values that differ from these in one place: without an argument, with another leaf.
fn changed(args: &Map) -> Vec<(String, Value)> {
    let mut all = mutations(&Value::Map(args.clone()));
    for (name, value) in args {
        let mut without = args.clone();
        without.shift_remove(name);
        all.push((format!("{name} (gone)"), Value::Map(without)));
        for other in OTHERS
            .into_iter()
            .filter(|other| value.as_str().is_some_and(|text| text != *other))
        {
            let mut with = args.clone();
            with.insert(name.clone(), other.into());
            all.push((name.clone(), Value::Map(with)));
        }
    }
    for (name, value) in args {
        let Value::Seq(items) = value else { continue };
        for (at, item) in items.iter().enumerate() {
            for (key, changed) in others_within(item) {
                let mut items = items.clone();
                items[at] = changed;
                let mut with = args.clone();
                with.insert(name.clone(), Value::Seq(items));
                all.push((format!("{name}.{at}.{key}"), Value::Map(with)));
            }
        }
    }
    all.retain(|(path, _)| !path.is_empty());
    all
}

/// A map with another word at each text in it.
fn others_within(value: &Value) -> Vec<(String, Value)> {
    let Value::Map(map) = value else {
        return Vec::new();
    };
    let texts = map.iter().filter(|(_, value)| value.as_str().is_some());
    let pairs = texts.flat_map(|(key, _)| OTHERS.map(|other| (key, other)));
    let other = |(key, other): (&String, &str)| {
        let mut map = map.clone();
        map.insert(key.clone(), other.into());
        (key.clone(), Value::Map(map))
    };
    let same = |(key, other): &(&String, &str)| map[*key].as_str() == Some(*other);
    pairs.filter(|pair| !same(pair)).map(other).collect()
}

#[test]
fn every_argument_counts_in_the_fingerprint() {
    let registry = evenkeel_modules::standard();
    let mut broken = Vec::new();
    for (name, samples) in samples() {
        let module = registry.get(name).expect("a known module");
        // Of some arguments another value fits only without those of another sample.
        let mut tried: BTreeMap<String, usize> = BTreeMap::new();
        for args in samples {
            let base = fingerprint(module, &Value::Map(args.clone()));
            let base = base.unwrap_or_else(|why| panic!("`{name}`: {why}"));
            for (path, value) in changed(&args) {
                let tries = tried.entry(path.clone()).or_default();
                let Ok(other) = fingerprint(module, &value) else {
                    continue;
                };
                *tries += 1;
                let top = path.split(['.', ' ']).next().unwrap_or_default();
                let counts = !UNCOUNTED.iter().any(|(m, f, _)| (*m, *f) == (name, top));
                if (other.total != base.total) != counts {
                    broken.push(format!("`{name}`: `{path}` counts: {}", !counts));
                }
            }
        }
        // Of a map whose entries are all required, only these can change.
        let below = |path: &str| {
            let front = format!("{path}.");
            tried
                .iter()
                .any(|(other, tries)| other.starts_with(&front) && *tries > 0)
        };
        let untried = tried
            .iter()
            .filter(|(path, tries)| **tries == 0 && !path.ends_with(')') && !below(path));
        broken.extend(untried.map(|(path, _)| format!("`{name}`: no other `{path}` fits")));
    }
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn unknown_arguments_are_refused_with_those_that_exist() {
    let registry = evenkeel_modules::standard();
    for (name, samples) in samples() {
        // Its arguments are the names of variables.
        if name == "set_fact" {
            continue;
        }
        let module = registry.get(name).expect("a known module");
        for mut args in samples {
            args.insert("no_such_argument".to_owned(), 1.into());
            let Err(BindError::Wrong {
                message, unknown, ..
            }) = module.bind(&Value::Map(args))
            else {
                panic!("`{name}` takes an unknown argument");
            };
            let (field, known) = unknown.unwrap_or_else(|| panic!("`{name}`: {message}"));
            assert_eq!(field, "no_such_argument", "`{name}`");
            assert!(message.contains("no_such_argument"), "`{name}`: {message}");
            for (argument, _) in documented(module) {
                assert!(
                    known.contains(&argument),
                    "`{name}`: `{argument}` is not suggested"
                );
            }
        }
    }
}

#[test]
fn every_argument_is_documented_in_words_of_users() {
    for module in evenkeel_modules::standard().iter() {
        for (argument, text) in documented(module) {
            let place = format!("`{argument}` of `{}`", module.name());
            assert!(!text.trim().is_empty(), "{place} is not documented");
            let rust = ["Option<", "Vec<", "String", "[`", "None`", "Late", "struct"];
            let found = rust.iter().find(|word| text.contains(**word));
            assert_eq!(found, None, "{place}: {text}");
        }
    }
}

/// Ansible has most modules under three names; all must lead to ours.
#[test]
fn the_long_names_of_ansible_are_known() {
    let registry = evenkeel_modules::standard();
    let names = [
        "assert",
        "async_status",
        "blockinfile",
        "command",
        "copy",
        "cron",
        "debug",
        "dnf",
        "fail",
        "file",
        "find",
        "getent",
        "group",
        "include_vars",
        "lineinfile",
        "package",
        "pause",
        "ping",
        "pip",
        "replace",
        "service",
        "set_fact",
        "shell",
        "slurp",
        "stat",
        "systemd",
        "systemd_service",
        "raw",
        "tempfile",
        "template",
        "user",
        "wait_for",
        "yum",
    ];
    for name in names {
        for name in
            ["", "ansible.builtin.", "ansible.legacy."].map(|front| format!("{front}{name}"))
        {
            assert!(registry.get(&name).is_some(), "`{name}`");
        }
    }
}
