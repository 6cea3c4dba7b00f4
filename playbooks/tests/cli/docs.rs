//! What `docs/reports.md` shows is done as it stands there.

use super::case::Case;

const PAGE: &str = include_str!("../../../docs/reports.md");

#[test]
fn the_page_of_reports_is_run() {
    let (_, rest) = PAGE.split_once("```yaml\n").unwrap();
    let (site, _) = rest.split_once("```").unwrap();
    let mut ended = Case::new(&["validate", "site.yml"])
        .file("site.yml", site)
        .any_stdout()
        .run();
    let blocks = PAGE
        .split("```sh\n")
        .skip(1)
        .map(|block| block.split_once("```").unwrap().0);
    let mut count = 0;
    for line in blocks.flat_map(str::lines) {
        // As a shell takes it apart, comments too.
        let words = shlex::split(line).unwrap();
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        assert_eq!(words[0], "evenkeel", "{line}");
        ended = ended.then(&words[1..]).any_stdout().any_stderr().run();
        assert!(!ended.stdout.is_empty(), "{line}");
        count += 1;
    }
    assert_eq!(count, 15);
    for file in ["plan.html", "run.html", "made/greeting"] {
        assert!(ended.path(file).exists(), "{file}");
    }
}

#[test]
fn every_kind_of_edge_is_in_the_page() {
    for kind in [
        "after",
        "data",
        "trigger",
        "block",
        "control",
        "conflict",
        "everything",
        "hosts",
        "play",
        "in_order",
    ] {
        assert!(PAGE.contains(&format!("\n| `{kind}` | ")), "{kind}");
    }
}
