//! A table of texts and conditions, with what they give; held to Ansible where it is installed.
//!
//! A line of `table/*.jsonl` is `[text, value]`, or `[text, ours, Ansible's, why]` where we differ. What fails
//! is `{"!": "error"}`. In `when.jsonl` the texts are conditions.

use super::*;

struct Known(serde_json::Value);

impl Variables for Known {
    fn get(&self, name: &str) -> Result<Option<Variable>, Fault> {
        if name == "omit" {
            return Ok(Some(Variable::Value(Value::from(crate::vars::OMIT))));
        }
        let found = self.0.get(name).cloned();
        Ok(found.map(|json| Variable::Value(Value::from(json))))
    }
    fn names(&self) -> Vec<String> {
        let map = self.0.as_object().expect("they are a map");
        map.keys().cloned().collect()
    }
}

fn variables() -> serde_json::Value {
    serde_json::json!({
        "n": 3, "someth": "text", "l1": [1, 2, 3], "d1": {"a": {"b": 1, "c": "two"}, "x": [1]}, "nil": null,
        "falsetext": "false", "truetext": "True", "yes_text": "yes", "bool_t": true, "bool_f": false,
    })
}

/// One line of the table.
struct Row {
    text: String,
    ours: serde_json::Value,
    theirs: serde_json::Value,
}

fn rows(name: &str) -> Vec<Row> {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/src/template/filters/tests/table"
    );
    let text = std::fs::read_to_string(format!("{folder}/{name}.jsonl")).unwrap();
    let row = |line: &str| {
        let row: Vec<serde_json::Value> =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"));
        let text = row[0].as_str().expect("it is a text").to_owned();
        match &row[..] {
            [_, both] => Row {
                text,
                ours: both.clone(),
                theirs: both.clone(),
            },
            [_, ours, theirs, serde_json::Value::String(_)] if ours != theirs => Row {
                text,
                ours: ours.clone(),
                theirs: theirs.clone(),
            },
            _ => panic!("{line}: is neither [text, value] nor [text, ours, Ansible's, why]"),
        }
    };
    text.lines().map(row).collect()
}

/// What a row gives here, and what is wrong if it is an error.
fn here(
    text: &str,
    condition: bool,
    variables: &Arc<dyn Variables>,
) -> (serde_json::Value, String) {
    let mut files = Files::new();
    let file = files.add("t.yml", text);
    let at = Span {
        file,
        start: 0,
        end: u32::try_from(text.len()).expect("it is small"),
    };
    let first = |mut faults: Vec<Fault>| faults.remove(0);
    let found = if condition {
        Template::expression(text, at)
            .map_err(first)
            .and_then(|template| template.holds(variables))
            .map(|holds| holds.expect("all is known").into())
    } else {
        Template::text(text, at)
            .map_err(first)
            .and_then(|template| template.evaluate(variables))
            .map(|value| value.to_json())
    };
    match found {
        Ok(value) => (value, String::new()),
        Err(fault) => (
            serde_json::json!({"!": "error"}),
            fault.diagnostic(&files).message,
        ),
    }
}

const HELPER: &str = r#"
import json, sys, warnings
warnings.filterwarnings("ignore")
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader
from ansible.template import Templar, trust_as_template
init_plugin_loader()
rows = json.load(open(sys.argv[1]))
templar = Templar(loader=DataLoader(), variables=rows["variables"])
for text in rows["texts"]:
    try:
        trusted = trust_as_template(text)
        found = templar.evaluate_conditional(trusted) if rows["conditions"] else templar.template(trusted)
        print(json.dumps(json.loads(json.dumps(found, default=str))))
    except Exception as error:
        print(json.dumps({"!": "error"}))
"#;

/// What a table gives to Ansible; `None` where it, or what it needs, is not there.
fn there(rows: &[Row], name: &str) -> Option<Vec<serde_json::Value>> {
    let conditions = name == "when";
    let needs = match name {
        "collections" => {
            "import ansible.plugins.loader as it; it.init_plugin_loader(); import netaddr, \
             ansible_collections.community.general.plugins.filter.time, \
             ansible_collections.ansible.utils.plugins.test.ip"
        }
        _ => "import ansible.template, jinja2, passlib.hash, bcrypt",
    };
    let have = Command::new("python3")
        .args(["-c", needs])
        .stderr(Stdio::null())
        .status();
    if !have.is_ok_and(|status| status.success()) {
        println!("skipped: python3 with ansible, and what else `{name}` needs, is not here");
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("rows.json");
    let texts: Vec<&str> = rows.iter().map(|row| row.text.as_str()).collect();
    let asked = serde_json::json!({
        "variables": variables(), "texts": texts, "conditions": conditions,
    });
    std::fs::write(&input, asked.to_string()).unwrap();
    let output = Command::new("python3")
        .args(["-c", HELPER])
        .arg(&input)
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let lines = String::from_utf8(output.stdout).unwrap();
    let lines = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    Some(lines.collect())
}

fn hold_to(name: &str) {
    let rows = rows(name);
    let conditions = name == "when";
    let known: Arc<dyn Variables> = Arc::new(Known(variables()));
    let mut wrong = Vec::new();
    for row in &rows {
        let (found, why) = here(&row.text, conditions, &known);
        if found != row.ours {
            let text = serde_json::Value::from(row.text.as_str());
            wrong.push(format!(
                "{text}\n   wanted {}\n   found  {found} {why}",
                row.ours
            ));
        }
    }
    if let Some(all) = there(&rows, name) {
        assert_eq!(all.len(), rows.len());
        for (row, found) in rows.iter().zip(all) {
            if found != row.theirs {
                wrong.push(format!(
                    "{}\n   Ansible gives {found}, not {}",
                    row.text, row.theirs
                ));
            }
        }
    }
    let count = format!("{} of {} in `{name}`", wrong.len(), rows.len());
    assert!(wrong.is_empty(), "{count}:\n{}", wrong.join("\n"));
}

#[test]
fn blocks() {
    hold_to("blocks");
}

#[test]
fn collections() {
    hold_to("collections");
}

#[test]
fn conditions() {
    hold_to("when");
}

#[test]
fn dates() {
    hold_to("dates");
}

#[test]
fn expressions() {
    hold_to("jinja");
}

#[test]
fn lists_and_maps() {
    hold_to("data");
}

#[test]
fn texts() {
    hold_to("text");
}
