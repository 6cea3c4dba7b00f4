//! Many tasks: what they cost on a host where nothing changed.

use std::{
    fmt::Write as _,
    process::{Command, Stdio},
};

use evenkeel_integration_tests::{Scratch, binary, need};

/// `count` templates, each a task of its own.
fn written(scratch: &Scratch, count: u32) {
    let mut tasks =
        "\nvars:\n  colour: blue\ntasks:\n- file: {path: '{{ playbook_dir }}/out', state: directory}\n".to_owned();
    for number in 0..count {
        let line = "- file-template: {src: number.j2, mode: '0644', dest: '{{ playbook_dir }}/out";
        writeln!(
            tasks,
            "{line}/{number}'}}\n  name: file {number}\n  vars: {{number: {number}}}"
        )
        .unwrap();
    }
    scratch.tasks(&tasks);
    template(scratch);
}

/// `count` templates as the turns of one task.
fn looped(scratch: &Scratch, count: u32) {
    scratch.tasks(&format!(
        "
vars:
  colour: blue
tasks:
- file: {{path: '{{{{ playbook_dir }}}}/out', state: directory}}
- name: files
  file-template: {{src: number.j2, mode: '0644', dest: '{{{{ playbook_dir }}}}/out/{{{{ number }}}}'}}
  loop: '{{{{ range({count}) | list }}}}'
  loop_control: {{loop_var: number}}
"
    ));
    template(scratch);
}

fn template(scratch: &Scratch) {
    scratch.file(
        "templates/number.j2",
        "number = {{ number }}\ncolour = {{ colour }}\n",
    );
}

/// The host as a run would have left it.
fn settled(scratch: &Scratch, count: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    for number in 0..count {
        let name = format!("out/{number}");
        scratch.file(&name, &format!("number = {number}\ncolour = blue\n"));
        let mode = std::fs::Permissions::from_mode(0o644);
        std::fs::set_permissions(scratch.path(&name), mode).unwrap();
    }
}

/// How many programs an unchanged run starts, itself included.
fn programs(scratch: &Scratch) -> usize {
    let mut traced = Command::new("strace");
    traced.args(["-f", "-qq", "-e", "trace=execve", "-o", "trace"]);
    traced
        .arg(binary())
        .args(["run", "--output", "json", "site.yml"]);
    scratch.set(&mut traced);
    let traced = traced.stdout(Stdio::null()).status().unwrap();
    assert!(traced.success());
    // Those that fail are looks along `PATH`.
    let started = |line: &&str| line.contains("execve(") && !line.contains("= -1 ");
    scratch.read("trace").lines().filter(started).count()
}

#[test]
fn a_hundred_files_cost_one_exchange() {
    for prepare in [written, looped] {
        let scratch = Scratch::new();
        prepare(&scratch, 100);
        let first = scratch.run(&[]).ok();
        assert!(first.count("exchanges") <= 5, "{first}");
        scratch.run(&[]).ok().changed(0).exchanges(1);
        assert_eq!(scratch.read("out/99"), "number = 99\ncolour = blue\n");
    }
}

#[test]
#[ignore = "slow"]
fn a_thousand_files_cost_one_exchange_and_few_programs() {
    for prepare in [written, looped] {
        let scratch = Scratch::new();
        prepare(&scratch, 1_000);
        let first = scratch.run(&[]).ok();
        assert!(first.count("exchanges") <= 5, "{first}");
        scratch.run(&[]).ok().changed(0).exchanges(1);
        if need("strace", "strace -V") {
            let programs = programs(&scratch);
            assert!(programs <= 20, "{programs}\n{}", scratch.read("trace"));
        }
        // One by hand: that one is repaired, at the price of a few exchanges.
        scratch.file("out/500", "number = five hundred\n");
        let repaired = scratch.run(&[]).ok().changed(1);
        assert!(repaired.count("exchanges") <= 5, "{repaired}");
        assert_eq!(scratch.read("out/500"), "number = 500\ncolour = blue\n");
    }
}

/// Seconds that the program and all it started computed: a busy machine stretches time, but not this.
fn cost(scratch: &Scratch, command: &str) -> f64 {
    let mut shell = Command::new("sh");
    shell.args(["-c", "\"$@\" >/dev/null || exit; times", "sh"]);
    shell
        .arg(binary())
        .args([command, "--output", "json", "site.yml"]);
    scratch.set(&mut shell);
    let output = shell.output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).unwrap();
    let seconds = |time: &str| {
        let (minutes, seconds) = time.split_once('m').unwrap();
        let seconds: f64 = seconds.trim_end_matches('s').parse().unwrap();
        minutes.parse::<f64>().unwrap() * 60.0 + seconds
    };
    let children = text.lines().nth(1).unwrap();
    children.split_whitespace().map(seconds).sum()
}

/// The cheapest of three.
fn least(scratch: &Scratch, command: &str) -> f64 {
    (0..3)
        .map(|_| cost(scratch, command))
        .fold(f64::INFINITY, f64::min)
}

#[test]
#[ignore = "slow"]
fn the_cost_of_an_unchanged_run_grows_linearly() {
    for prepare in [written, looped] {
        let costs = [100, 1_000, 10_000].map(|count| {
            let scratch = Scratch::new();
            prepare(&scratch, count);
            settled(&scratch, count);
            scratch.run(&[]).ok().changed(0).exchanges(1);
            least(&scratch, "run")
        });
        let shown = format!("seconds for 100, 1,000 and 10,000 files: {costs:?}");
        println!("{shown}");
        assert!(costs[1] < 20.0 * costs[0], "{shown}");
        assert!(costs[2] < 20.0 * costs[1], "{shown}");
    }
}

#[test]
#[ignore = "slow"]
fn the_cost_of_a_plan_grows_linearly() {
    for prepare in [written, looped] {
        let costs = [250, 1_000].map(|count| {
            let scratch = Scratch::new();
            prepare(&scratch, count);
            cost(&scratch, "plan")
        });
        let shown = format!("seconds for 250 and 1,000 files: {costs:?}");
        println!("{shown}");
        assert!(costs[1] < 8.0 * costs[0], "{shown}");
    }
}
