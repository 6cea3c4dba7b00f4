//! What filters and tests give. The tables are held to Ansible where it is installed.

use std::{
    process::{Command, Stdio},
    sync::Arc,
};

use evenkeel_engine::{Map, Secret, Value};

use crate::{
    files::{Files, Span},
    template::{Fault, Template, Variable, Variables},
};

mod chance;
mod lookups;
mod net;
mod paths;
mod table;

/// A folder to look in, and a map with a secret, `db`.
struct Few(std::path::PathBuf);

impl Variables for Few {
    fn get(&self, name: &str) -> Result<Option<Variable>, Fault> {
        let db = [
            ("user".to_owned(), Value::from("app")),
            ("password".to_owned(), Value::Secret(Secret::new("s3cret"))),
        ];
        let db = || Variable::Value(Value::Map(Map::from_iter(db)));
        Ok((name == "db").then(db))
    }
    fn names(&self) -> Vec<String> {
        vec!["db".to_owned()]
    }
    fn folders(&self) -> Vec<std::path::PathBuf> {
        vec![self.0.clone()]
    }
}

/// What a text gives where files are looked for in a folder; or what is wrong, as `line:column message`.
fn within(folder: &std::path::Path, text: &str) -> Result<Value, String> {
    let mut files = Files::new();
    let file = files.add("t.yml", text);
    let end = u32::try_from(text.len()).expect("it is small");
    let at = Span {
        file,
        start: 0,
        end,
    };
    let variables: Arc<dyn Variables> = Arc::new(Few(folder.to_owned()));
    let made = Template::text(text, at)
        .map_err(|mut faults| faults.remove(0))
        .and_then(|template| template.evaluate(&variables));
    made.map_err(|fault| {
        let found = fault.diagnostic(&files);
        let at = files.place(found.at.expect("it has a place"));
        let help = found.help.map_or(String::new(), |help| format!("; {help}"));
        format!("{}:{} {}{help}", at.line, at.column, found.message)
    })
}

fn render(text: &str) -> Value {
    within(std::path::Path::new("/"), text).unwrap_or_else(|wrong| panic!("{text}: {wrong}"))
}

fn value(text: &str) -> serde_json::Value {
    render(text).to_json()
}

fn wrong(text: &str) -> String {
    match within(std::path::Path::new("/"), text) {
        Err(wrong) => wrong,
        Ok(value) => panic!("{text}: gave {value:?}"),
    }
}

/// An expression, and what it gives, as JSON.
type Case = (&'static str, &'static str);

const HELPER: &str = r#"
import json, sys
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader
from ansible.template import Templar, trust_as_template
init_plugin_loader()
for text in json.load(sys.stdin):
    try:
        found = Templar(loader=DataLoader(), variables={}).template(trust_as_template("{{ %s }}" % text))
        print(json.dumps(json.loads(json.dumps(found, default=str))))
    except Exception as error:
        print(json.dumps("error: " + str(error)))
"#;

/// What Ansible gives for expressions; `None` where Ansible, or what else is needed, is not there.
fn ansible(needs: &str, texts: &[&str]) -> Option<Vec<serde_json::Value>> {
    let have = Command::new("python3")
        .args(["-c", &format!("import ansible.template, {needs}")])
        .stderr(Stdio::null())
        .status();
    if !have.is_ok_and(|status| status.success()) {
        println!("skipped: python3 with ansible and {needs} is not here");
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("texts.json");
    std::fs::write(&input, serde_json::to_string(texts).unwrap()).unwrap();
    let output = Command::new("python3")
        .args(["-c", HELPER])
        .stdin(std::fs::File::open(&input).unwrap())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let lines = String::from_utf8(output.stdout).unwrap();
    Some(
        lines
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect(),
    )
}

/// Holds a table to us, and to Ansible.
fn hold(needs: &str, cases: &[Case]) {
    let wanted = |case: &Case| -> serde_json::Value {
        serde_json::from_str(case.1).unwrap_or_else(|error| panic!("{}: {error}", case.1))
    };
    for case in cases {
        assert_eq!(
            value(&format!("{{{{ {} }}}}", case.0)),
            wanted(case),
            "{}",
            case.0
        );
    }
    let texts: Vec<&str> = cases.iter().map(|case| case.0).collect();
    for (case, found) in cases.iter().zip(ansible(needs, &texts).unwrap_or_default()) {
        assert_eq!(found, wanted(case), "Ansible: {}", case.0);
    }
}
