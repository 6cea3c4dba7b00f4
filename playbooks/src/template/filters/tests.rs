//! What filters and tests give. The tables are held to Ansible where it is installed.

use std::process::{Command, Stdio};

use super::super::tests::{render, value, wrong};

mod chance;
mod paths;

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
