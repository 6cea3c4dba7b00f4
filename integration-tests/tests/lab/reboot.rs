//! `reboot`: hosts go down, come back, and do so once, whatever becomes of the run meanwhile.

use evenkeel_integration_tests::{Lab, need_lab};

const SITE: &str = "
become: true
tasks:
- name: before
  shell: cat /proc/sys/kernel/random/boot_id >/srv/before
  args: {creates: /srv/before}
- name: again
  reboot: {msg: 'it''s $(touch /pwned)', test_command: 'test -d /run/systemd/system', post_reboot_delay: 1}
  register: again
- name: after
  shell: cat /proc/sys/kernel/random/boot_id; cat /srv/before
  register: ids
- name: it is another one
  assert:
    that:
    - ids.stdout_lines[0] != ids.stdout_lines[1]
    - again.rebooted
";

#[test]
#[ignore = "needs root and a lab"]
fn hosts_are_started_again_once() {
    if !need_lab() {
        return;
    }
    let lab = Lab::plan().host("one").boot();
    let host = lab.host("one");
    let downs = || {
        let log = std::fs::read_to_string(lab.dir().join("log/one")).unwrap();
        log.matches("ended with").count()
    };
    let boot = || host.sh("cat /proc/sys/kernel/random/boot_id");
    lab.tasks(SITE);
    let plan = lab.plan(&[]).ok();
    assert_eq!(plan.task("again").outcome(), "changed", "{plan}");
    assert_eq!(downs(), 0);
    lab.run(&[]).ok().outcome("again", "changed");
    assert_eq!(downs(), 1);
    assert!(!host.is("ls -A /var/lib/.evenkeel-reboot*") && !host.is("test -e /pwned"));

    // A run that does not wait ends with its host; the next one goes on where it was.
    host.wait_until_up();
    host.sh("rm /srv/before");
    let before = boot();
    lab.run(&["--reconnect", "0"]).status(4);
    host.wait_until_rebooted(&before);
    lab.run(&[]).ok().outcome("again", "changed");
    assert_eq!(downs(), 2);
    // And the one after that is told to do it anew.
    host.wait_until_up();
    host.sh("rm /srv/before");
    lab.run(&[]).ok().outcome("again", "changed");
    assert_eq!(downs(), 3);
    host.wait_until_up();

    let fails = |task: &str, message: &str| {
        lab.tasks(task);
        let ran = lab.run(&[]);
        let said = &ran.task("it").0["error"]["message"];
        assert_eq!(said.as_str(), Some(message), "{ran}");
    };
    fails(
        "- name: it\n  reboot:\n",
        "only root may start a host again",
    );
    fails(
        "become: true\ntasks:\n- name: it\n  reboot: {reboot_command: 'echo no >&2; exit 5'}\n",
        "`sh` failed with status 5",
    );
    assert_eq!(downs(), 3);
    assert!(!host.is("ls -A /var/lib/.evenkeel-reboot*"));
}
