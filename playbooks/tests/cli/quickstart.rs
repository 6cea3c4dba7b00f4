//! The example that people see first: sound, guarded, and foreseen without touching anything.

use super::case::Case;

const SITE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/quickstart/site.yml");

#[test]
fn it_is_sound_and_has_no_unguarded_command() {
    let ended = Case::new(&["validate", SITE, "--output", "json"])
        .any_stdout()
        .run();
    let object: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    for found in ["errors", "warnings", "unguarded"] {
        assert_eq!(object[found], serde_json::json!([]), "{object}");
    }
}

#[test]
fn its_plan_foresees_all_of_it() {
    let case = Case::new(&["plan", SITE, "-e", "root=/nowhere/below", "--exit-code"]);
    let ended = case.any_stdout().status(3).run();
    assert!(
        ended.stdout.contains("8 would change in"),
        "{}",
        ended.stdout
    );
    assert!(
        ended.stdout.contains("\n      +# Welcome aboard\n"),
        "{}",
        ended.stdout
    );
    assert!(!ended.path(".state").exists());
}
