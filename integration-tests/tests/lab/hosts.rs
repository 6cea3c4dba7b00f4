//! The lab itself: hosts are what they are said to be, break as they are told to, and leave nothing.

use std::process::{Command, Stdio};

use evenkeel_integration_tests::{Lab, Line, MARK, need_lab, until};

#[test]
#[ignore = "needs root and a lab"]
fn hosts_are_whole_machines() {
    if !need_lab() {
        return;
    }
    let lab = Lab::plan().host("web").host("db").boot();
    for host in lab.hosts() {
        assert_eq!(host.sh("cat /proc/1/comm"), "systemd\n");
        assert_eq!(host.sh("hostname"), format!("{}\n", host.name()));
        assert_eq!(host.sh("systemctl is-system-running"), "running\n");
        assert!(!host.is("command -v python3"));
    }
    assert_eq!(lab.ssh("web", "id -un").ok().stdout, "deploy\n");
    assert_eq!(lab.ssh("root@db", "id -un").ok().stdout, "root\n");
    assert_eq!(lab.ssh("web", "sudo -n id -un").ok().stdout, "root\n");
    lab.ssh("oper@web", "sudo -n true")
        .status(1)
        .says("password");
    let with = "echo oper-pw | sudo -S -p '' id -un";
    assert_eq!(lab.ssh("oper@web", with).ok().stdout, "root\n");
    lab.ssh("web", "ping -c 1 -W 5 db").ok();
    lab.ssh("web", "ping -c 1 -W 1 192.0.2.1").status(1);
}

#[test]
#[ignore = "needs root and a lab"]
fn secrets_that_leak_are_found() {
    if !need_lab() {
        return;
    }
    let lab = Lab::plan().host("one").boot();
    let host = lab.host("one");
    host.write("/root/leak", &format!("sleep 5; : {MARK}"));
    host.write("/root/hidden", MARK);
    host.write("/var/readable", MARK);
    host.sh("chmod 700 /root; systemd-run -q --wait sh -c \"$(cat /root/leak)\"");
    host.sh("base64 /root/hidden | systemd-cat");
    lab.file(".state/record", MARK);
    let end = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(lab)));
    let said = *end.unwrap_err().downcast::<String>().unwrap();
    for leak in [
        "in the argument list",
        "in /var/readable of one",
        "in its journal of one",
        "in a record",
    ] {
        assert!(said.contains(leak), "{leak}: {said}");
    }
    assert!(!said.contains("/root/hidden"), "{said}");
}

#[test]
#[ignore = "needs root and a lab"]
fn hosts_break_and_are_repaired() {
    if !need_lab() {
        return;
    }
    let lab = Lab::plan().host("one").disk("64m").host("two").boot();
    let (one, two) = (lab.host("one"), lab.host("two"));
    let reached = || lab.ssh("one", "true").status == 0;

    one.cut();
    assert!(!reached());
    one.mend();
    until("the cable is back", reached);

    one.slow(Line {
        delay: 60,
        ..Line::default()
    });
    let ping = two.sh("ping -c 3 -i 0.2 one | tail -n 1");
    let least: f64 = ping
        .split(['=', '/'])
        .nth(4)
        .unwrap()
        .trim()
        .parse()
        .unwrap();
    assert!((119.0..200.0).contains(&least), "{ping}");
    one.fast();
    until("the line is good again", reached);

    one.freeze();
    assert!(!reached());
    one.thaw();
    until("it goes on", reached);

    let boot = "cat /proc/sys/kernel/random/boot_id";
    let before = one.sh(boot);
    one.sh("echo kept >/etc/kept");
    one.power_off();
    assert!(!reached());
    one.power_on();
    assert!(reached());
    assert_ne!(one.sh(boot), before);
    assert_eq!(one.sh("cat /etc/kept"), "kept\n");
    let before = one.sh(boot);
    lab.ssh("one", "sudo systemctl reboot");
    one.wait_until_rebooted(&before);

    two.fill(0);
    assert!(!two.is("dd if=/dev/zero of=/etc/more bs=64k count=1"));
    two.empty();
    two.sh("dd if=/dev/zero of=/etc/more bs=64k count=1");

    one.read_only("/etc");
    assert!(!one.is("touch /etc/more"));
    one.writable("/etc");
    one.sh("touch /etc/more");

    one.memory(Some(200 << 20));
    let much = "head -c 400M /dev/zero | tail -c 400M | wc -c";
    assert_eq!(lab.ssh("one", much).stdout, "0\n");
    one.memory(None);
    assert!(reached());

    let running = std::thread::scope(|scope| {
        let running = scope.spawn(|| lab.ssh("one", "sleep 300"));
        until("it runs", || one.is("pgrep -x sleep"));
        one.kill_sessions();
        running.join().unwrap()
    });
    running.status(255);
    // As on any machine: what the session ran lives on.
    one.sh("pkill -x sleep");
    assert!(reached());
}

#[test]
#[ignore = "needs root and a lab"]
fn nothing_is_left_of_a_lab_whose_test_was_killed() {
    if !need_lab() {
        return;
    }
    let out = tempfile::NamedTempFile::new().unwrap();
    let shell = tempfile::NamedTempFile::new().unwrap().into_temp_path();
    std::fs::write(
        &shell,
        "#!/bin/sh\necho \"$EVENKEEL_LAB_DIR\"; exec sleep 300\n",
    )
    .unwrap();
    assert!(
        Command::new("chmod")
            .arg("+x")
            .arg(&shell)
            .status()
            .unwrap()
            .success()
    );
    let mut by_hand = Command::new(env!("CARGO_BIN_EXE_lab"));
    by_hand.args(["up", "1"]).env("SHELL", &*shell);
    by_hand.stdout(out.reopen().unwrap()).stderr(Stdio::null());
    let mut by_hand = by_hand.spawn().unwrap();
    let said = || std::fs::read_to_string(&out).unwrap();
    until("the lab is up", || said().ends_with('\n'));
    let dir = said().trim_end().to_owned();
    let init = std::fs::read_to_string(format!("{dir}/init")).unwrap();
    let net = format!("/proc/{}/ns/net", init.trim());
    let net = std::fs::read_link(net).unwrap();

    by_hand.kill().unwrap();
    by_hand.wait().unwrap();
    until("its directory is removed", || {
        !std::path::Path::new(&dir).exists()
    });
    let group = format!(
        "ls -d /sys/fs/cgroup/evenkeel-lab/{0} /sys/fs/cgroup/*/evenkeel-lab/{0}",
        &dir[5..]
    );
    let is = |line: &str| {
        let mut sh = Command::new("sh");
        sh.args(["-c", line])
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        sh.status().unwrap().success()
    };
    until("its control groups are removed", || !is(&group));
    // What its shell ran is no part of the lab, but of whoever began it; and it sleeps in the lab's network.
    let net = net.display();
    let inside = format!(
        "for p in /proc/[0-9]*; do test \"$(readlink $p/ns/net)\" = '{net}' && cat $p/comm; done"
    );
    let inside = Command::new("sh").args(["-c", &inside]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&inside.stdout), "sleep\n");
    is(&format!(
        "for p in /proc/[0-9]*; do test \"$(readlink $p/ns/net)\" = '{net}' && kill ${{p#/proc/}}; done"
    ));
}
