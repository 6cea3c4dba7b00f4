//! The example in each module's manual is a task that works.

use evenkeel_integration_tests::Scratch;

/// Modules whose example needs no more than any machine has.
const NEED_NOTHING: [&str; 14] = [
    "assert",
    "command",
    "copy",
    "debug",
    "file",
    "file-template",
    "find",
    "getent",
    "ping",
    "set_fact",
    "setup",
    "shell",
    "stat",
    "tempfile",
];

#[test]
fn every_example_loads_and_is_planned() {
    let registry = evenkeel_modules::standard();
    for module in registry.iter() {
        let scratch = Scratch::new();
        scratch.tasks(&format!(
            "vars:\n  app_port: 8080\n  ansible_memtotal_mb: 2048\n  broker_password: secret\ntasks:\n{}",
            module.example()
        ));
        scratch.file("templates/app.conf.j2", "port = {{ app_port }}\n");
        scratch.file("vars/app.yml", "app_home: /srv/app\n");
        scratch.file("files/migrate.sh", "#!/bin/sh\n");
        let name = module.name();
        let valid = scratch.evenkeel(&["validate", "site.yml"]);
        assert_eq!(valid.status, 0, "the example of `{name}`\n{valid}");
        let plan = scratch.plan(&[]);
        let tasks: Vec<_> = plan.tasks().collect();
        assert!(!tasks.is_empty(), "the example of `{name}`\n{plan}");
        // What this machine lacks may keep it from being planned, but that is said of the machine.
        let fits = match name {
            "fail" => plan.status == 2,
            name if NEED_NOTHING.contains(&name) => plan.status == 0,
            _ => [0, 2].contains(&plan.status),
        };
        assert!(fits, "the example of `{name}`\n{plan}");
        let manual = scratch.evenkeel(&["modules", name]).ok();
        let first = module.example().lines().next().unwrap();
        assert!(manual.stdout.contains(first), "{manual}");
    }
}
