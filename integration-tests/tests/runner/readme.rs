//! What the README says.

use evenkeel_integration_tests::Scratch;

const README: &str = include_str!("../../../README.md");

#[test]
fn its_playbook_does_what_it_says() {
    let (_, rest) = README.split_once("```yaml\n").unwrap();
    let (site, _) = rest.split_once("```").unwrap();
    let scratch = Scratch::new();
    scratch.file("site.yml", site);
    let root = format!("root={}", scratch.path("root").display());
    let args = ["-e", root.as_str()];
    scratch.evenkeel(&["validate", "site.yml"]).ok();
    let plan = scratch.plan(&args).ok().changed(4);
    let run = scratch.run(&args).ok().changed(4);
    super::foretell::foretold(&plan, &run);
    assert_eq!(scratch.read("root/settings"), "port = 8080\n");
    assert_eq!(scratch.read("root/log"), "restarted with port 8080\n");
    scratch.run(&args).ok().changed(0).exchanges(1);
    let other = [&args[..], &["-e", "port=8081"]].concat();
    scratch
        .run(&other)
        .ok()
        .changes_are(&["write the settings", "restart"]);
}

#[test]
fn the_options_and_commands_it_names_exist() {
    let scratch = Scratch::new();
    let mut help = scratch.evenkeel(&["--help"]).ok().stdout;
    for command in ["run", "plan", "explain", "validate", "modules", "ledger"] {
        assert!(help.contains(&format!("\n  {command} ")), "{help}");
        help += &scratch.evenkeel(&[command, "--help"]).ok().stdout;
    }
    let option = regex::Regex::new(r"`(--[a-z-]+)[` ]").unwrap();
    let command = regex::Regex::new(r"`evenkeel ([a-z]+)").unwrap();
    let options = option
        .captures_iter(README)
        .map(|found| found[1].to_owned());
    let commands = command
        .captures_iter(README)
        .map(|found| format!("\n  {} ", &found[1]));
    let named: Vec<_> = options.chain(commands).collect();
    assert!(named.len() > 4, "{named:?}");
    for name in named {
        assert!(
            help.contains(&name),
            "`{name}` is in the README, but not in\n{help}"
        );
    }
}
