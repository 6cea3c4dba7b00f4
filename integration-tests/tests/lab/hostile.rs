//! Hostile texts in whatever a playbook says: each is taken as it is, or refused in plain words. None becomes a program.

mod spots;
mod texts;

use std::{collections::BTreeMap, fmt::Write as _, path::Path};

use evenkeel_integration_tests::{Ended, Host, Lab, need_lab};
use serde_json::{Value, json};

use self::{
    spots::{SPOTS, Spot},
    texts::{field, quoted, raw, texts},
};
use super::web::Web;

/// A text at a place where it goes.
struct Pair {
    spot: &'static Spot,
    word: &'static str,
    text: String,
    number: usize,
}

impl Pair {
    fn name(&self) -> String {
        format!("{} {}", self.spot.name, self.word)
    }

    fn dir(&self) -> String {
        format!("/srv/h/{}/{}", self.spot.name, self.number)
    }

    /// A pattern of the table with the text in it, as `with` writes it.
    fn filled(&self, pattern: &str, with: impl Fn(&str) -> String) -> String {
        let pattern = pattern.replace("DIR", &self.dir());
        let pattern = pattern.replace('№', &self.number.to_string());
        let pattern = pattern.replace('®', &with(&regex::escape(&self.text)));
        let pattern = pattern.replace('†', &with(&field(&self.text)));
        pattern.replace('§', &with(&self.text))
    }

    fn plain(&self, pattern: &str) -> String {
        self.filled(pattern, str::to_owned)
    }

    fn shell(&self, line: &str) -> String {
        self.filled(line, quoted)
    }

    fn json(&self, value: &Value) -> Value {
        match value {
            // What is a template itself has its text in a variable.
            Value::String(text) if text.contains("{{") => self.plain(text).into(),
            Value::String(text) => raw(&self.plain(text)).into(),
            Value::Array(all) => all.iter().map(|value| self.json(value)).collect(),
            Value::Object(all) => {
                let one = |(key, value): (&String, &Value)| (self.plain(key), self.json(value));
                Value::Object(all.iter().map(one).collect())
            }
            other => other.clone(),
        }
    }

    /// Its tasks, each in one line.
    fn lines(&self) -> Vec<String> {
        let tasks: Value = serde_json::from_str(&format!("[{}]", self.spot.tasks))
            .unwrap_or_else(|error| panic!("{}: {error}", self.spot.name));
        let tasks = tasks.as_array().unwrap().iter().map(|task| {
            let mut task = self.json(task);
            task["name"] = self.name().into();
            task["ignore_errors"] = json!(true);
            format!("    - {task}\n")
        });
        tasks.collect()
    }

    fn is(&self, words: &[&str]) -> bool {
        words.contains(&self.word) || words == ["*"]
    }

    /// What has been said of it has to be plain: one line but for the text itself, nothing that a shell says of a
    /// program that is broken, and what it is about.
    fn is_plain(&self, error: &Value, wrong: &mut Vec<String>) {
        let of = |key: &str| error[key].as_str().unwrap_or_default().to_owned();
        let (message, stderr) = (of("message"), of("stderr"));
        let escaped = self.text.escape_debug().to_string();
        let upper = self.text.to_uppercase();
        let shown = |text: &str| {
            let text = text.replace(&self.text, "§").replace(&escaped, "§");
            text.replace(&upper, "§").replace(self.text.trim(), "§")
        };
        let bare = shown(&message);
        let name = self.name();
        if bare.is_empty() || bare.contains('\n') {
            wrong.push(format!("{name}: not one line: {error}"));
        }
        for bad in [
            "yntax error",
            "sh: ",
            "panicked",
            "nterminated",
            "not found\n",
        ] {
            if bare.contains(bad) || shown(&stderr).contains(bad) {
                wrong.push(format!("{name}: a shell's own words: {error}"));
            }
        }
        let arguments = self.spot.tasks.split('"').filter(|part| !part.is_empty());
        let named = arguments
            .filter(|part| {
                part.chars()
                    .all(|letter| letter.is_ascii_lowercase() || letter == '_')
            })
            .any(|part| bare.contains(&format!("`{part}")));
        // What is refused at load is shown where it stands.
        let is_placed = error["line"].is_u64();
        if !is_placed && !bare.contains('§') && !named && !bare.contains(&self.dir()) {
            wrong.push(format!("{name}: what is it about? {error}"));
        }
    }
}

/// All texts at all places of these hosts.
fn pairs() -> Vec<Pair> {
    let mut all = Vec::new();
    let only = std::env::var("EK_SPOTS").unwrap_or_default();
    for spot in SPOTS
        .iter()
        .filter(|spot| only.is_empty() || only.split(',').any(|o| spot.name.starts_with(o)))
    {
        for (number, (word, text)) in texts().into_iter().enumerate() {
            let pair = Pair {
                spot,
                word,
                text,
                number,
            };
            let leads_out =
                word == "up" && [spot.tasks, spot.before].iter().any(|it| it.contains("/§"));
            let left_out =
                leads_out || pair.is(spot.without) || !(spot.only.is_empty() || pair.is(spot.only));
            if !left_out {
                all.push(pair);
            }
        }
    }
    all
}

/// Writes the playbook: a play for each host. Gives whose task each line is.
fn playbook(
    lab: &Lab,
    pairs: &[Pair],
    without: &BTreeMap<String, String>,
) -> BTreeMap<u64, String> {
    let (mut site, mut whose) = (String::new(), BTreeMap::new());
    for host in lab.hosts() {
        let head = format!(
            "- name: {0}\n  hosts: {0}\n  gather_facts: false\n  become: true\n  tasks:\n",
            host.name()
        );
        site += &head;
        for pair in pairs.iter().filter(|pair| pair.spot.host == host.name()) {
            if without.contains_key(&pair.name()) {
                continue;
            }
            for line in pair.lines() {
                site += &line;
                let number = site.matches('\n').count();
                whose.insert(u64::try_from(number).unwrap(), pair.name());
            }
        }
    }
    lab.file("site.yml", &site);
    whose
}

/// Does one line of `sh` per pair in its directory, all in one program, and gives what each printed.
fn each<'a>(
    host: &Host,
    pairs: impl Iterator<Item = &'a Pair>,
    line: impl Fn(&Pair) -> Option<String>,
) -> BTreeMap<String, String> {
    let (mut script, mut names) = (String::new(), Vec::new());
    for pair in pairs.filter(|pair| pair.spot.host == host.name()) {
        if let Some(line) = line(pair) {
            writeln!(script, "mkdir -p {0}; (cd {0}; {line}\n)", pair.dir()).unwrap();
            script += "printf '\\001'\n";
            names.push(pair.name());
        }
    }
    host.write("/root/script", &script);
    let said = host.sh("sh /root/script 2>&1");
    let said: Vec<_> = said.split_terminator('\u{1}').collect();
    assert_eq!(said.len(), names.len(), "{said:?}");
    names
        .into_iter()
        .zip(said.into_iter().map(str::to_owned))
        .collect()
}

/// How each pair ended: the worst of its tasks, and what that said.
fn ends(run: &Ended) -> BTreeMap<String, (String, Value)> {
    let mut all: BTreeMap<String, (String, Value)> = BTreeMap::new();
    for task in run.tasks() {
        let end = (task.outcome().to_owned(), task.0["error"].clone());
        let now = all
            .entry(task.name().to_owned())
            .or_insert_with(|| end.clone());
        let rank = |outcome: &str| match outcome {
            "failed" => 2,
            "changed" => 1,
            _ => 0,
        };
        if rank(&end.0) > rank(&now.0) {
            *now = end;
        }
    }
    all
}

fn nobody_was_fooled(lab: &Lab) {
    for host in lab.hosts() {
        assert!(
            host.is("! test -e /pwned && ! test -e /escaped"),
            "{}",
            host.name()
        );
    }
    assert!(!Path::new("/pwned").exists(), "on this machine");
}

/// What is refused when it is loaded: the rest is done.
fn refused(lab: &Lab, pairs: &[Pair], wrong: &mut Vec<String>) -> BTreeMap<String, String> {
    let whose = playbook(lab, pairs, &BTreeMap::new());
    let loaded = lab.run(&[]).status(5);
    let mut refused = BTreeMap::new();
    for error in loaded.last()["errors"].as_array().unwrap() {
        let name = &whose[&error["line"].as_u64().unwrap()];
        let pair = pairs.iter().find(|pair| pair.name() == *name).unwrap();
        pair.is_plain(error, wrong);
        refused.insert(name.clone(), error.to_string());
    }
    refused
}

/// What has become of all pairs.
struct Seen<'a> {
    refused: &'a BTreeMap<String, String>,
    plan: &'a BTreeMap<String, (String, Value)>,
    first: &'a BTreeMap<String, (String, Value)>,
    looks: &'a BTreeMap<String, String>,
    again: &'a BTreeMap<String, (String, Value)>,
}

impl Seen<'_> {
    fn judge(&self, lab: &Lab, pair: &Pair, wrong: &mut Vec<String>) {
        let name = pair.name();
        let wanted = if pair.is(pair.spot.refused) {
            "refused"
        } else if pair.is(pair.spot.fails) {
            "failed"
        } else {
            "done"
        };
        if let Some(error) = self.refused.get(&name) {
            if wanted != "refused" {
                wrong.push(format!("{name}: refused at load, not {wanted}: {error}"));
            }
            return;
        }
        let Some((end, error)) = self.first.get(&name) else {
            wrong.push(format!("{name}: it did not end"));
            return;
        };
        if end == "failed" {
            if wanted != "failed" {
                wrong.push(format!("{name}: failed, not {wanted}: {error}"));
            }
            pair.is_plain(error, wrong);
            return;
        }
        if wanted != "done" {
            wrong.push(format!("{name}: {end}, not {wanted}"));
        }
        if !pair.spot.always && !["unknown", end].contains(&self.plan[&name].0.as_str()) {
            wrong.push(format!("{name}: {end}, foretold {:?}", self.plan[&name]));
        }
        let second = &self.again[&name];
        if second.0 != "unchanged" && !pair.spot.always {
            wrong.push(format!("{name}: once more {second:?}"));
        }
        if let Some((_, gives)) = self.looks.get_key_value(&name) {
            let wanted = pair.plain(pair.spot.gives);
            if *gives != wanted {
                wrong.push(format!("{name}: {gives:?} instead of {wanted:?}"));
            }
        }
        if let Some(path) = pair.spot.here {
            let got = std::fs::read_to_string(lab.path(&pair.plain(path)));
            if got.as_deref().ok() != Some(&pair.text) {
                wrong.push(format!("{name}: {got:?} has come"));
            }
        }
    }
}

fn booted() -> Lab {
    let lab = Lab::plan()
        .tools()
        .host("one")
        .packages(&["curl", "ca-certificates", "openssl"])
        .host("web")
        .packages(&[])
        .rhel()
        .disk("200m")
        .host("red")
        .boot();
    lab.file("web/f.txt", "what the server has\n");
    for (name, text) in spots::FILES {
        lab.file(name, text);
    }
    lab.host("one").sh(spots::BEFORE);
    lab
}

/// What has to be there before.
fn prepare(lab: &Lab, pairs: &[Pair]) {
    for host in lab.hosts() {
        each(host, pairs.iter(), |pair| {
            Some(pair.shell(pair.spot.before))
        });
    }
    for pair in pairs {
        if let Some((name, text)) = pair.spot.file {
            let path = lab.path(&pair.plain(name));
            if std::fs::create_dir_all(path.parent().unwrap()).is_ok() {
                std::fs::write(path, pair.plain(text)).unwrap();
            }
        }
    }
}

#[test]
#[ignore = "needs root and a lab"]
fn hostile_texts_are_taken_as_they_are_or_refused() {
    if !need_lab() {
        return;
    }
    assert!(!Path::new("/pwned").exists(), "remove `/pwned` first");
    let lab = booted();
    let _web = Web::new(&lab);
    let pairs = pairs();
    prepare(&lab, &pairs);

    let mut wrong = Vec::new();
    let refused = refused(&lab, &pairs, &mut wrong);
    playbook(&lab, &pairs, &refused);
    let plan = lab.plan(&[]).ok();
    nobody_was_fooled(&lab);
    let first = lab.run(&[]).ok();
    nobody_was_fooled(&lab);
    let (plan, first) = (ends(&plan), ends(&first));
    let is_done = |pair: &&Pair| {
        first
            .get(&pair.name())
            .is_some_and(|(end, _)| end != "failed")
    };
    let mut looks = BTreeMap::new();
    for host in lab.hosts() {
        let done = pairs.iter().filter(is_done);
        looks.extend(each(host, done, |pair| {
            pair.spot.look.map(|look| pair.shell(look))
        }));
    }
    let again = ends(&lab.run(&[]).ok());
    nobody_was_fooled(&lab);

    let seen = Seen {
        refused: &refused,
        plan: &plan,
        first: &first,
        looks: &looks,
        again: &again,
    };
    for pair in &pairs {
        seen.judge(&lab, pair, &mut wrong);
    }
    println!("{} pairs, {} refused at load", pairs.len(), refused.len());
    assert!(
        wrong.is_empty(),
        "{} are wrong\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
