//! What it costs to look at hosts on which nothing changed, beside what `ssh` itself costs in the same session; and to
//! send much over a long line.
//!
//! Ratios of times are held to their bounds where the program is built for release; a build for debugging may take
//! twice as long. Exchanges are counted in both.

use std::{
    fmt::Write as _,
    process::Command,
    time::{Duration, Instant},
};

use evenkeel_integration_tests::{Lab, Line, binary, need_lab};

/// Twenty-two tasks of the usual kinds.
fn twenty_two() -> String {
    let mut tasks = "\nbecome: true\ntasks:\n".to_owned();
    for number in 1..=10 {
        writeln!(tasks, "- name: file {number}\n  copy: {{dest: /srv/file-{number}, content: 'file {number}', mode: '0644'}}").unwrap();
    }
    for number in 1..=6 {
        writeln!(tasks, "- name: dir {number}\n  file: {{path: /srv/dir-{number}, state: directory, mode: '0755'}}").unwrap();
    }
    for number in 1..=4 {
        writeln!(tasks, "- name: line {number}\n  lineinfile: {{path: /etc/lines, line: 'line {number}', create: true, mode: '0644'}}").unwrap();
    }
    for number in 1..=2 {
        writeln!(tasks, "- name: command {number}\n  command: {{cmd: touch /srv/once-{number}, creates: /srv/once-{number}}}").unwrap();
    }
    tasks
}

/// The middles of some measurements of two things, which are done by turns: what else the machine does burdens both.
fn middles(mut one: impl FnMut(), mut other: impl FnMut()) -> (Duration, Duration) {
    const COUNT: usize = 7;
    let took = |once: &mut dyn FnMut()| {
        let begun = Instant::now();
        once();
        begun.elapsed()
    };
    let by_turns = (0..COUNT).map(|_| (took(&mut one), took(&mut other)));
    let (mut ones, mut others): (Vec<_>, Vec<_>) = by_turns.unzip();
    ones.sort();
    others.sort();
    (ones[COUNT / 2], others[COUNT / 2])
}

/// All hosts at once by `ssh`, as the shell's background jobs.
fn by_ssh(lab: &Lab) {
    let mut line = String::new();
    for host in lab.hosts() {
        writeln!(line, "ssh -F .ssh/config {} true &", host.name()).unwrap();
    }
    let mut bash = lab.within("bash");
    assert!(
        bash.args(["-c", &(line + "wait")])
            .status()
            .unwrap()
            .success()
    );
}

fn is_release() -> bool {
    binary()
        .parent()
        .is_some_and(|dir| dir.ends_with("release"))
}

/// How many times what `ssh` takes the unchanged run takes.
fn ratio(lab: &Lab, bound: f64) {
    lab.tasks(&twenty_two());
    lab.run(&[]).ok().changed(22 * lab.hosts().len() as u64);
    let quiet = || {
        lab.run(&[])
            .ok()
            .changed(0)
            .exchanges(lab.hosts().len() as u64);
    };
    let (ours, ssh) = middles(quiet, || by_ssh(lab));
    let ratio = ours.as_secs_f64() / ssh.as_secs_f64();
    println!(
        "{} hosts: {ours:?}, ssh {ssh:?}: {ratio:.2} times",
        lab.hosts().len()
    );
    let bound = if is_release() { bound } else { 2.0 * bound };
    assert!(ratio < bound, "{ratio:.2} times what ssh takes");
}

#[test]
#[ignore = "needs root and a lab"]
fn an_unchanged_host_costs_little_more_than_a_login() {
    if need_lab() {
        ratio(&Lab::plan().hosts(1).boot(), 2.0);
    }
}

#[test]
#[ignore = "needs root and a lab"]
fn ten_unchanged_hosts_cost_little_more_than_ten_logins() {
    if need_lab() {
        ratio(&Lab::plan().hosts(10).boot(), 3.0);
    }
}

#[test]
#[ignore = "needs root and a lab"]
fn forty_hosts_at_once() {
    if !need_lab() {
        return;
    }
    let lab = Lab::plan().hosts(40).boot();
    lab.tasks(&twenty_two());
    let begun = Instant::now();
    lab.run(&[]).ok().changed(22 * 40);
    let first = begun.elapsed();
    let begun = Instant::now();
    lab.run(&[]).ok().changed(0).exchanges(40);
    println!("40 hosts: {first:?}, then {:?}", begun.elapsed());
}

#[test]
#[ignore = "needs root and a lab"]
fn a_thousand_files_and_a_large_one_over_a_long_line() {
    if !need_lab() {
        return;
    }
    let lab = Lab::plan().host("far").boot();
    let far = lab.host("far");
    far.slow(Line {
        delay: 50,
        ..Line::default()
    });
    let mut tasks =
        "\nbecome: true\ntasks:\n- file: {path: /srv/many, state: directory}\n".to_owned();
    for number in 0..1000 {
        writeln!(tasks, "- name: file {number}\n  copy: {{dest: /srv/many/{number}, content: 'number {number}', mode: '0644'}}").unwrap();
    }
    lab.tasks(&tasks);
    let begun = Instant::now();
    let many = lab.run(&[]).ok().changed(1001);
    println!(
        "1000 files: {:?}, {} exchanges",
        begun.elapsed(),
        many.count("exchanges")
    );
    assert!(many.count("exchanges") <= 12, "{many}");
    assert_eq!(far.sh("ls /srv/many | wc -l"), "1000\n");
    lab.run(&[]).ok().changed(0).exchanges(1);

    let large = lab.path("files/large");
    std::fs::create_dir(large.parent().unwrap()).unwrap();
    // A build for debugging has to show no more than that it works.
    let megabytes = if is_release() { 500 } else { 50 };
    let mut random = Command::new("sh");
    random
        .args(["-c", "head -c \"$2\"000000 /dev/urandom >\"$1\"", "sh"])
        .arg(&large)
        .arg(megabytes.to_string());
    assert!(random.status().unwrap().success());
    let begun = Instant::now();
    let mut scp = lab.within("scp");
    scp.args([
        "-q",
        "-F",
        ".ssh/config",
        "files/large",
        "root@far:/srv/by-scp",
    ]);
    assert!(scp.status().unwrap().success());
    let scp = begun.elapsed();
    lab.tasks(
        "
become: true
tasks:
- copy: {dest: /srv/large, src: large, mode: '0644'}
",
    );
    let begun = Instant::now();
    lab.run(&[]).ok().changed(1);
    let ours = begun.elapsed();
    println!("{megabytes} MB: {ours:?}, scp {scp:?}");
    assert!(far.is("cmp /srv/large /srv/by-scp"));
    assert!(
        ours < scp.mul_f64(1.2) || !is_release(),
        "{ours:?}, scp {scp:?}"
    );
}
