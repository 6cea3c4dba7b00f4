//! `systemd-unit` with the systemd of a host.

use evenkeel_integration_tests::{Ended, Lab, need_lab};

/// The tasks become root.
const ROOT: &str = "become: true\ntasks:\n";

#[track_caller]
fn tasks(lab: &Lab, text: &str) -> Ended {
    lab.tasks(&format!("{ROOT}{text}"));
    lab.run(&[])
}

#[track_caller]
fn settles(lab: &Lab, text: &str) -> Ended {
    lab.settles(&format!("{ROOT}{text}"))
}

/// The message and the help with which a task failed.
#[track_caller]
fn error(run: &Ended, task: &str) -> (String, String) {
    let error = &run.task(task).0["error"];
    let text = |key: &str| error[key].as_str().unwrap_or_default().to_owned();
    (text("message"), text("help"))
}

const SLEEPER: &str = "[Unit]\\nDescription=a {brace} sleeper\\n[Service]\\nExecStart=/bin/sh -c 'true; exec sleep 1d'\\n\
                       [Install]\\nWantedBy=multi-user.target\\n";

#[test]
#[ignore = "needs root and a lab"]
fn units_are_kept() {
    if !need_lab() {
        return;
    }
    let lab = Lab::plan().host("one").boot();
    of_a_user(&lab);
    started_enabled_stopped(&lab);
    by_other_tasks(&lab);
    templates_and_links(&lab);
    masks(&lab);
    what_is_not_there_or_old(&lab);
    what_does_not_stay_up(&lab);
    health(&lab);
}

/// SYS-01, SYS-02, SYS-03, SYS-10, SYS-12, SYS-21.
fn started_enabled_stopped(lab: &Lab) {
    let host = lab.host("one");
    let own = format!(
        "- name: app\n  systemd-unit: {{name: app, content: \"{SLEEPER}\", state: started, enabled: true, steady: 1}}\n"
    );
    settles(lab, &own).changed(1);
    assert_eq!(
        host.sh("systemctl is-active app; systemctl is-enabled app"),
        "active\nenabled\n"
    );
    let first = host.sh("systemctl show -p MainPID app");
    // A new file is what runs then.
    settles(lab, &own.replace("sleeper", "sleeper of today")).changed(1);
    assert_ne!(host.sh("systemctl show -p MainPID app"), first);
    assert!(
        host.sh("systemctl show -p Description app")
            .contains("of today")
    );
    assert_eq!(
        host.sh("systemctl show -p NeedDaemonReload app"),
        "NeedDaemonReload=no\n"
    );
    settles(
        lab,
        "- name: app\n  service: {name: app, state: stopped, enabled: no}\n",
    )
    .changed(1);
    assert_eq!(
        host.try_sh("systemctl is-active app; systemctl is-enabled app")
            .stdout,
        "inactive\ndisabled\n"
    );
    let all =
        "- name: app\n  systemd_service: {name: app, state: started, enabled: yes, steady: 1}\n";
    settles(lab, all).changed(1);
    for (state, verb) in [("restarted", "restarted"), ("reloaded", "reloaded")] {
        host.sh("mkdir -p /etc/systemd/system/app.service.d; printf '[Service]\\nExecReload=/bin/true\\n' >/etc/systemd/system/app.service.d/reload.conf; systemctl daemon-reload");
        let act = format!("- name: act\n  systemd: {{name: app, state: {state}, steady: 1}}\n");
        for _ in 0..2 {
            let run = tasks(lab, &act).ok().changed(1);
            assert_eq!(run.task("act").whats(), [verb]);
        }
    }
    // What does not run is started.
    host.sh("systemctl stop app");
    let run = tasks(
        lab,
        "- name: act\n  systemd: {name: app, state: reloaded, steady: 1}\n",
    )
    .ok();
    assert_eq!(run.task("act").whats(), ["started"]);
    // A file that systemd would not take never takes the place of the old one.
    let broken = own.replace("ExecStart=", "ExecStrat=");
    let run = tasks(lab, &broken).status(2);
    let said = run.task("app").0["error"].to_string();
    assert!(
        said.contains("ExecStrat") || said.contains("no ExecStart"),
        "{said}"
    );
    assert!(
        host.sh("cat /etc/systemd/system/app.service")
            .contains("ExecStart=")
    );
}

/// SYS-05, SYS-17, SYS-19, SYS-20: files that `copy` writes, and handlers.
fn by_other_tasks(lab: &Lab) {
    let host = lab.host("one");
    let site = format!(
        "- name: file
  copy: {{dest: /etc/systemd/system/web.service, content: \"{SLEEPER}\"}}
  notify: restart web
- name: settings
  copy: {{dest: /etc/web.conf, content: one}}
  notify: restart web
- name: web
  systemd: {{name: web, state: started, enabled: true, steady: 1}}
handlers:
- name: restart web
  systemd: {{name: web, state: restarted, steady: 1}}
"
    );
    // The handler is called, and finds that the unit was started since.
    let run = settles(lab, &site).changed(3);
    assert_eq!(run.task("restart web").outcome(), "unchanged");
    let starts = "journalctl -q -u web | grep -c 'Started '";
    assert_eq!(host.sh(starts), "1\n");
    // Both files change: one restart, from the new file.
    let other = site
        .replace("sleeper", "sleeper of ours")
        .replace("content: one", "content: two");
    let run = settles(lab, &other).changed(3);
    assert_eq!(run.task("restart web").whats(), ["restarted"]);
    assert_eq!(host.sh(starts), "2\n");
    assert!(
        host.sh("systemctl show -p Description web")
            .contains("of ours")
    );
    // A drop-in is read before the start, too.
    let drop_in = "- name: drop-in
  copy: {dest: /etc/systemd/system/web.service.d/nice.conf, content: \"[Service]\\nNice=7\\n\"}
- name: web
  systemd: {name: web, state: restarted, steady: 1}
";
    host.sh("mkdir -p /etc/systemd/system/web.service.d");
    tasks(lab, drop_in).ok().changed(2);
    assert_eq!(
        host.sh("ps -o ni= -p $(systemctl show -p MainPID --value web) | tr -d ' '"),
        "7\n"
    );
}

/// SYS-06, SYS-07, SYS-08.
fn templates_and_links(lab: &Lab) {
    let host = lab.host("one");
    host.write(
        "/etc/systemd/system/sleeper@.service",
        "[Service]\nExecStart=/bin/sleep %i\n[Install]\nWantedBy=multi-user.target\n",
    );
    host.sh("systemctl daemon-reload");
    settles(lab, "- name: up\n  systemd: {name: sleeper@100.service, state: started, enabled: yes, steady: 1}\n").changed(1);
    assert_eq!(
        host.sh("systemctl is-active sleeper@100; systemctl is-enabled sleeper@100"),
        "active\nenabled\n"
    );
    settles(
        lab,
        "- name: down\n  systemd: {name: sleeper@100, state: stopped, enabled: no}\n",
    )
    .changed(1);
    // Indirect: it is enabled through another, and then by that.
    host.write(
        "/etc/systemd/system/dummy.service",
        "[Service]\nExecStart=/bin/sleep 1d\n[Install]\nAlso=dummy.socket\n",
    );
    host.write(
        "/etc/systemd/system/dummy.socket",
        "[Socket]\nListenStream=/run/dummy.socket\n[Install]\nWantedBy=sockets.target\n",
    );
    host.sh("systemctl daemon-reload");
    assert_eq!(host.sh("systemctl is-enabled dummy.service"), "indirect\n");
    settles(lab, "- name: off\n  systemd: {name: dummy, enabled: no}\n").changed(0);
    settles(lab, "- name: on\n  systemd: {name: dummy, enabled: yes}\n").changed(1);
    assert_eq!(host.sh("systemctl is-enabled dummy.socket"), "enabled\n");
    settles(lab, "- name: off\n  systemd: {name: dummy, enabled: no}\n").changed(1);
    assert_eq!(
        host.try_sh("systemctl is-enabled dummy.socket").stdout,
        "disabled\n"
    );
    // Until the next boot only, then for good.
    host.sh("systemctl disable app; systemctl enable --runtime app");
    settles(lab, "- name: on\n  systemd: {name: app, enabled: yes}\n").changed(1);
    assert_eq!(host.sh("systemctl is-enabled app"), "enabled\n");
}

/// SYS-09: of a unit of the distribution, and of one whose file stands in the way.
fn masks(lab: &Lab) {
    let host = lab.host("one");
    settles(
        lab,
        "- name: mask\n  systemd: {name: cron, masked: yes, state: stopped, enabled: no}\n",
    );
    assert_eq!(host.try_sh("systemctl is-enabled cron").stdout, "masked\n");
    let run = tasks(
        lab,
        "- name: start\n  systemd: {name: cron, state: started}\n",
    )
    .status(2);
    assert!(error(&run, "start").0.contains("`cron.service` unmasked"));
    settles(lab, "- name: unmask\n  systemd: {name: cron, masked: no, state: started, enabled: yes, steady: 0}\n").changed(1);
    let run = tasks(lab, "- name: mask\n  systemd: {name: app, masked: yes}\n").status(2);
    assert_eq!(
        error(&run, "mask"),
        (
            "`app.service` cannot be masked: `/etc/systemd/system/app.service`, its own file, stands where the mask would be".to_owned(),
            "remove the file, or say `state: stopped` and `enabled: false`; `force: true` overwrites it".to_owned()
        )
    );
}

/// SYS-04, SYS-11, SYS-13, SYS-16.
fn what_is_not_there_or_old(lab: &Lab) {
    let host = lab.host("one");
    let run = tasks(
        lab,
        "- name: start\n  service: {name: sleepr@7, state: started}\n",
    )
    .status(2);
    assert!(
        error(&run, "start")
            .0
            .contains("the unit `sleepr@7.service` (there is `sleeper@.service`"),
        "{run}"
    );
    let run = tasks(
        lab,
        "- name: start\n  systemd: {name: 'app*', state: started}\n",
    )
    .status(5);
    assert!(run.to_string().contains("`app*` is a pattern"), "{run}");
    host.write(
        "/etc/systemd/system/broken.service",
        "[Service]\nType=simple\n",
    );
    host.sh("systemctl daemon-reload");
    let run = tasks(
        lab,
        "- name: start\n  systemd: {name: broken, state: started}\n",
    )
    .status(2);
    assert!(
        error(&run, "start").0.contains("Service has no ExecStart="),
        "{run}"
    );
    // A script of System V.
    host.write("/etc/init.d/old", "#!/bin/sh\n### BEGIN INIT INFO\n# Provides: old\n# Required-Start:\n# Required-Stop:\n# Default-Start: 2 3 4 5\n# Default-Stop: 0 1 6\n### END INIT INFO\ncase $1 in start) touch /run/old ;; stop) rm -f /run/old ;; esac\n");
    host.sh("chmod 755 /etc/init.d/old; systemctl daemon-reload");
    let run = settles(
        lab,
        "- name: old\n  service: {name: old, state: started, enabled: yes}\n",
    )
    .changed(1);
    assert!(run.to_string().contains("script of System V"), "{run}");
    assert_eq!(
        host.sh("ls /run/old /etc/rc3.d/S??old | wc -l; rm /run/old"),
        "2\n"
    );
}

/// Units that fail, their services, and more arguments.
const FAILING: [(&str, &str, &str); 7] = [
    (
        "crash",
        "ExecStart=/bin/sh -c 'echo about to crash; sleep 2; echo cannot go on; exit 3'\\n",
        "",
    ),
    (
        "loops",
        "ExecStart=/bin/false\\nRestart=always\\nRestartSec=42\\n",
        "",
    ),
    (
        "quick",
        "ExecStart=/bin/sh -c 'sleep 0.5; exit 1'\\nRestart=always\\nRestartSec=100ms\\n",
        "",
    ),
    (
        "env",
        "EnvironmentFile=/etc/sysconfig/env\\nExecStart=/bin/sleep 1d\\n",
        "",
    ),
    ("daemon", "ExecStart=/bin/sh -c 'sleep 1d & exit 0'\\n", ""),
    ("user", "User=nobody-there\\nExecStart=/bin/sleep 1d\\n", ""),
    (
        "slow",
        "Type=notify\\nExecStart=/bin/sleep 1d\\n",
        ", timeout: 2",
    ),
];

/// SYS-18: what the error says.
fn what_does_not_stay_up(lab: &Lab) {
    let all = FAILING
        .iter()
        .map(|(name, service, more)| {
            format!(
                "- name: {name}\n  systemd-unit: {{name: {name}, content: \"[Service]\\n{service}\", \
                 state: started{more}}}\n  ignore_errors: true\n"
            )
        })
        .collect::<Vec<_>>();
    let text = all.concat();
    let run = tasks(lab, &text).ok();
    let says = |name: &str, begins: &str, has: &[&str]| {
        let (message, help) = error(&run, name);
        let all = format!("{message}\nhelp: {help}");
        assert!(
            all.starts_with(&format!("`{name}.service` {begins}")),
            "{all}"
        );
        for part in has {
            assert!(all.contains(part), "`{part}` in: {all}");
        }
    };
    let died = "was started but did not stay up: its program";
    let again = ", and systemd starts it again and again\nits journal:\n";
    says(
        "crash",
        &format!("{died} ended with status 3, 2."),
        &[
            "now it is failed (failed)\nits journal:\n",
            "]: about to crash\n",
            "]: cannot go on\n",
            "crash.service: Failed with result 'exit-code'.\n",
        ],
    );
    says("loops", died, &[again]);
    says("quick", died, &[again]);
    says(
        "env",
        "could not be started: its `EnvironmentFile=/etc/sysconfig/env` is not there",
        &["help: make `/etc/sysconfig/env` in a task before this one"],
    );
    says(
        "daemon",
        &format!("{died} ended with status 0"),
        &["needs `Type=forking`"],
    );
    says(
        "user",
        died,
        &["(status 217, `USER`)", "help: its `User=` has to exist"],
    );
    says(
        "slow",
        "did not come up within the time limit: it is activating (start)",
        &[],
    );
    // They are as they were, so it is told again.
    let (crash, loops) = text.split_once("- name: loops").unwrap();
    let loops = loops.split_once("- name: quick").unwrap().0;
    let run = tasks(lab, &format!("{crash}- name: loops{loops}")).ok();
    assert!(error(&run, "crash").0.contains("did not stay up"), "{run}");
    assert!(error(&run, "loops").0.contains(again), "{run}");
    let host = lab.host("one");
    host.sh("systemctl stop loops quick slow; systemctl reset-failed");
    host.sh("cd /etc/systemd/system; rm crash.service loops.service quick.service env.service daemon.service user.service slow.service");
}

/// It runs, but does it work?
fn health(lab: &Lab) {
    let host = lab.host("one");
    let deaf = "[Service]\\nExecStart=/bin/sleep 1d\\n";
    let run = |content: &str, health: &str| {
        let text = format!(
            "- name: port\n  systemd-unit: {{name: port, content: \"{content}\", state: started, steady: 1, health: {{{health}, timeout: 2}}}}\n"
        );
        lab.tasks(&format!("{ROOT}{text}"));
        lab.run(&[])
    };
    let ended = run(deaf, "port: 7654").status(2);
    let (message, _) = error(&ended, "port");
    assert!(message.starts_with("`port.service` is active (running), but does not answer (nothing accepts a connection at 127.0.0.1:7654)"), "{message}");
    // The next run does not take it for granted that it works.
    assert_eq!(
        error(&lab.run(&[]).status(2), "port").0.split('\n').next(),
        message.split('\n').next()
    );
    let ended = run(deaf, "command: 'echo no; false'").status(2);
    assert!(
        error(&ended, "port")
            .0
            .contains("does not answer (status 1: no)"),
        "{ended}"
    );
    host.sh("systemctl stop port");
    run(deaf, "command: 'systemctl -q is-active port'")
        .ok()
        .changed(1);
    lab.run(&[]).ok().changed(0).exchanges(1);
    host.sh("systemctl stop port; rm /etc/systemd/system/port.service");
}

/// SYS-15: units of a user.
fn of_a_user(lab: &Lab) {
    let host = lab.host("one");
    lab.tasks(&format!("- name: own\n  systemd-unit: {{name: own, scope: user, content: \"{SLEEPER}\", state: started, enabled: true, steady: 1}}\n"));
    host.sh("loginctl enable-linger deploy; for i in $(seq 100); do [ -S /run/user/$(id -u deploy)/bus ] && break; sleep 0.1; done");
    let run = lab.run(&[]);
    assert_eq!(run.status, 0, "{run}");
    // Where its home is has to be known first.
    lab.run(&[]).ok().changed(0).exchanges(2);
    assert!(host.is("test -e /home/deploy/.config/systemd/user/own.service"));
}
