//! What the README says.

use evenkeel_integration_tests::Scratch;

const README: &str = include_str!("../../../README.md");
const HOSTS: &str = include_str!("../../../docs/hosts.md");

#[test]
fn the_inventory_on_the_page_on_hosts_is_read() {
    let (_, rest) = HOSTS.split_once("```yaml\n").unwrap();
    let (hosts, _) = rest.split_once("```").unwrap();
    let scratch = Scratch::new();
    scratch.file("hosts.yml", hosts);
    let web2 = scratch.evenkeel(&["inventory", "-i", "hosts.yml", "--host", "web2"]);
    let web2 = web2.ok().stdout;
    for part in ["192.0.2.12", "2222", "deploy"] {
        assert!(web2.contains(part), "{web2}");
    }
}

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
    plan.foretells(&run);
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
    let with_help = [
        "run",
        "plan",
        "explain",
        "validate",
        "modules",
        "ledger",
        "inventory",
        "facts",
    ];
    for command in with_help {
        assert!(help.contains(&format!("\n  {command} ")), "{help}");
        help += &scratch.evenkeel(&[command, "--help"]).ok().stdout;
    }
    let text = format!("{README}{HOSTS}");
    let option = regex::Regex::new(r"`(--[a-z-]+)[` ]").unwrap();
    let command = regex::Regex::new(r"`evenkeel ([a-z]+)").unwrap();
    let options = option.captures_iter(&text).map(|found| found[1].to_owned());
    let commands = command
        .captures_iter(&text)
        .map(|found| format!("\n  {} ", &found[1]));
    let named: Vec<_> = options.chain(commands).collect();
    assert!(named.len() > 4, "{named:?}");
    for name in named {
        assert!(
            help.contains(&name),
            "`{name}` is in the README or docs/hosts.md, but not in\n{help}"
        );
    }
}
