//! What the graph is worth: the first run by it, and one task after the other.

use super::*;

/// How long the first run took on hosts of its own, in seconds, and how many times its critical path that was.
pub(super) fn first_run(more: &[&str]) -> Option<(f64, f64)> {
    let mut lab = booted(&["node2", "node3"])?;
    lab.keep_quiet();
    // Nobody has compiled Python before.
    let known = lab.read("group_vars/all/site.yml");
    let ours = known
        .lines()
        .filter(|line| !line.starts_with("python_builds"));
    let ours: Vec<_> = ours.chain(["python_builds: .builds\n"]).collect();
    lab.file("group_vars/all/site.yml", &ours.join("\n"));
    let ended = run(&lab, &[&["--report", "first.html"], more].concat());
    let took = seconds(&ended);
    let share = took / critical_path(&lab);
    println!("{more:?}: {took} s, {share:.2} times its critical path");
    Some((took, share))
}
