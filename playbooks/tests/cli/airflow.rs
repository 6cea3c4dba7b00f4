//! The example of a cluster: its playbooks are sound, its commands are guarded, its picture is that of the tool.

use super::case::Case;

const DIR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/airflow/");

fn said(args: &[&str]) -> String {
    let inventory = format!("{DIR}hosts.ini");
    let args = [args, &["-i", &inventory]].concat();
    Case::new(&args).any_stdout().run().stdout
}

#[test]
fn all_playbooks_are_sound() {
    for name in [
        "site", "start", "stop", "restart", "status", "upgrade", "remove",
    ] {
        let site = format!("{DIR}{name}.yml");
        let all = said(&["validate", &site, "--output", "json"]);
        let object: serde_json::Value = serde_json::from_str(&all).unwrap();
        for found in ["errors", "warnings"] {
            assert_eq!(object[found], serde_json::json!([]), "{name}: {object}");
        }
        // These ask how the cluster is.
        if !["status", "upgrade"].contains(&name) {
            assert_eq!(
                object["unguarded"],
                serde_json::json!([]),
                "{name}: {object}"
            );
        }
    }
}

#[test]
fn the_picture_is_what_the_tool_draws() {
    let site = format!("{DIR}site.yml");
    let drawn = said(&["graph", &site, "--format", "svg"]).replace(DIR, "");
    let kept = std::fs::read_to_string(format!("{DIR}graph.svg")).unwrap();
    assert!(
        drawn == kept,
        "in playbooks/examples/airflow: evenkeel graph -i hosts.ini site.yml --format svg > graph.svg"
    );
}
