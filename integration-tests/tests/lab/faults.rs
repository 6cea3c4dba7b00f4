//! What goes wrong in the middle of a run, one thing after the other: the run survives or says clearly what happened,
//! no file is half-written, and the run after the repair ends in the state, with every handler.

use evenkeel_integration_tests::{Ended, Host, Lab, Line, Running, need_lab, until};

/// The first command waits until the fault is there. What follows writes files, large and small, and one handler is
/// owed by a task before the fault, one by a task after it.
const SITE: &str = "
become: true
vars:
  root: /srv/app
tasks:
- name: the directory
  file: {path: '{{ root }}', state: directory, mode: '0755'}
- name: the settings
  copy: {dest: '{{ root }}/settings', content: \"port 80\\n\", mode: '0644'}
  notify: apply
- name: the fault
  shell:
    cmd: |
      touch waiting
      for i in $(seq 600); do test -e go && break; sleep 0.05; done
      touch waited
    chdir: '{{ root }}'
    creates: '{{ root }}/waited'
- name: much memory
  shell:
    cmd: test \"$(head -c 300M /dev/zero | tail -c 300M | wc -c)\" = 314572800 && touch much
    chdir: '{{ root }}'
    creates: '{{ root }}/much'
- name: large
  copy: {dest: '{{ root }}/large', src: large, mode: '0644'}
  notify: apply
- name: small
  copy: {dest: '{{ root }}/small-{{ item }}', content: 'small {{ item }}', mode: '0644'}
  loop: [a, b, c, d, e]
- name: elsewhere
  copy: {dest: /etc/evenkeel-test, content: \"elsewhere\\n\", mode: '0644'}
  notify: note
handlers:
- name: apply
  shell: cat settings large > applied
  args: {chdir: '{{ root }}'}
- name: note
  shell: cat /etc/evenkeel-test > noted
  args: {chdir: '{{ root }}'}
";

/// What happens to a host while a command runs on it, and what must come of that.
struct Fault {
    name: &'static str,
    breaks: fn(&Host),
    /// What is done while the run still goes on; it may end the fault.
    meanwhile: fn(&Host, &Running),
    repairs: fn(&Host),
    /// The statuses that the run may end with.
    ends: &'static [i32],
    /// What it says if it does not end well: one of these.
    says: &'static [&'static str],
}

const NOTHING: fn(&Host) = |_| {};

/// Lets the command that waits go on.
fn go(host: &Host) {
    host.sh("touch /srv/app/go");
}

/// Waits until the run has noticed that it lost the host.
fn noticed(running: &Running) {
    until("the loss is noticed", || {
        running.said().contains("its connection, which was lost")
    });
}

const FAULTS: [Fault; 14] = [
    Fault {
        name: "the link is cut and comes back",
        breaks: Host::cut,
        meanwhile: |host, _| {
            go(host);
            until("the command has ended", || {
                host.is("test -e /srv/app/waited")
            });
            host.mend();
        },
        repairs: NOTHING,
        ends: &[0],
        says: &[],
    },
    Fault {
        name: "the link is cut until that is noticed",
        breaks: Host::cut,
        meanwhile: |host, running| {
            noticed(running);
            host.mend();
            go(host);
        },
        repairs: NOTHING,
        ends: &[0],
        says: &[],
    },
    Fault {
        name: "the link is cut and stays so",
        breaks: Host::cut,
        meanwhile: |host, _| go(host),
        repairs: Host::mend,
        ends: &[4],
        says: &["it did not come back within 5 s"],
    },
    Fault {
        name: "a slow line with losses",
        breaks: |host| {
            host.slow(Line {
                delay: 60,
                jitter: 0,
                loss: 5,
            });
        },
        meanwhile: |host, _| go(host),
        repairs: Host::fast,
        ends: &[0],
        says: &[],
    },
    Fault {
        name: "the host is frozen and goes on",
        breaks: Host::freeze,
        meanwhile: |host, _| {
            std::thread::sleep(std::time::Duration::from_secs(3));
            host.thaw();
            go(host);
        },
        repairs: NOTHING,
        ends: &[0],
        says: &[],
    },
    Fault {
        name: "the host is frozen and stays so",
        breaks: Host::freeze,
        meanwhile: |_, _| (),
        repairs: |host| {
            host.thaw();
            go(host);
        },
        ends: &[4],
        says: &["it did not come back within 5 s"],
    },
    Fault {
        name: "the plug is pulled",
        breaks: |host| host.power_off(),
        meanwhile: |_, _| (),
        repairs: |host| {
            host.power_on();
            go(host);
        },
        ends: &[4],
        says: &["it did not come back within 5 s"],
    },
    Fault {
        name: "the plug is pulled and put back",
        breaks: |host| host.power_off(),
        meanwhile: |host, _| {
            host.power_on();
            go(host);
        },
        repairs: NOTHING,
        ends: &[0],
        says: &[],
    },
    Fault {
        name: "the sessions are killed",
        breaks: Host::kill_sessions,
        meanwhile: |host, _| go(host),
        repairs: NOTHING,
        ends: &[0],
        says: &[],
    },
    Fault {
        name: "sshd is killed and comes back",
        breaks: |host| {
            host.sh("systemctl stop ssh");
            host.kill_sessions();
        },
        meanwhile: |host, running| {
            go(host);
            noticed(running);
            host.sh("systemctl start ssh");
        },
        repairs: NOTHING,
        ends: &[0],
        says: &[],
    },
    Fault {
        name: "sshd is killed and does not come back",
        breaks: |host| {
            host.sh("systemctl stop ssh");
            host.kill_sessions();
        },
        meanwhile: |host, _| go(host),
        repairs: |host| {
            host.sh("systemctl start ssh");
        },
        ends: &[4],
        says: &["refused"],
    },
    Fault {
        name: "the disk is full",
        breaks: |host| host.fill(0),
        // The word needs no block of its own.
        meanwhile: |host, _| go(host),
        repairs: Host::empty,
        ends: &[2, 4],
        says: &["No space left on device"],
    },
    Fault {
        name: "`/etc` is read-only",
        breaks: |host| host.read_only("/etc"),
        meanwhile: |host, _| go(host),
        repairs: |host| host.writable("/etc"),
        ends: &[2],
        says: &["Read-only file system"],
    },
    Fault {
        name: "memory runs out",
        breaks: |host| host.memory(Some(150 << 20)),
        meanwhile: |host, _| go(host),
        repairs: |host| host.memory(None),
        ends: &[2],
        says: &["much memory"],
    },
];

/// What the files are to hold, by their names, as digests.
fn whole(host: &Host) -> String {
    host.sh("cd /srv/app && sha256sum large small-* settings /etc/evenkeel-test")
}

/// How a run is patient, by the seconds that a lost host may stay away.
fn patient(seconds: &str) -> [&str; 4] {
    ["-T", "5", "--reconnect", seconds]
}

fn runs(lab: &Lab, host: &Host, seconds: &str) -> Running {
    let running = lab.start(&patient(seconds));
    until("the command waits", || host.is("test -e /srv/app/waiting"));
    running
}

/// Each file that is there is whole.
fn no_half_files(fault: &str, host: &Host, whole: &str) {
    for line in whole.lines() {
        let (digest, file) = line.split_once("  ").unwrap();
        let now = host.try_sh(&format!(
            "cd /srv/app && test ! -e {file} || sha256sum <{file}"
        ));
        let now = now.stdout;
        assert!(
            now.is_empty() || now.starts_with(digest),
            "{fault}: half of {file}"
        );
    }
}

fn survived(lab: &Lab, fault: &Fault, whole_tree: &str, whole: &str) {
    let host = lab.host("one");
    let name = fault.name;
    host.sh("rm -rf /srv/app /etc/evenkeel-test /var/lib/evenkeel");
    // Who stays away is not waited for long; who comes back may take its time.
    let stays = fault.ends == [4];
    let running = runs(lab, host, if stays { "5" } else { "120" });
    let begun = std::time::Instant::now();
    (fault.breaks)(host);
    (fault.meanwhile)(host, &running);
    let broken: Ended = running.wait();
    assert!(fault.ends.contains(&broken.status), "{name}: {broken}");
    if broken.status != 0 {
        let said = |word: &&str| broken.stdout.contains(*word) || broken.stderr.contains(*word);
        assert!(fault.says.iter().any(said), "{name}: {broken}");
    }
    (fault.repairs)(host);
    no_half_files(name, host, whole);
    let again = lab.run(&patient("120"));
    assert_eq!(again.status, 0, "{name}\nbroken\n{broken}\nagain\n{again}");
    let tree = host.tree("/srv/app");
    assert_eq!(tree, whole_tree, "{name}\nbroken\n{broken}\nagain\n{again}");
    let last = lab.run(&[]).ok();
    assert_eq!(
        last.count("changed"),
        0,
        "{name}\nagain\n{again}\nlast\n{last}"
    );
    println!(
        "{name}: ended with {} in {:?}",
        broken.status,
        begun.elapsed()
    );
}

#[test]
#[ignore = "needs root and a lab"]
fn every_fault_is_survived_or_named_and_the_next_run_ends_in_the_state() {
    if !need_lab() {
        return;
    }
    let lab = Lab::plan().disk("512m").host("one").boot();
    lab.tasks(SITE);
    let config = format!("{}  ServerAliveInterval 1\n", lab.read(".ssh/config"));
    lab.file(".ssh/config", &config);
    lab.file("files/large", &"0123456789abcdef\n".repeat(250_000));
    let host = lab.host("one");
    let running = runs(&lab, host, "120");
    go(host);
    running.wait().ok();
    let (tree, whole) = (host.tree("/srv/app"), whole(host));
    let only = std::env::var("EVENKEEL_FAULT").unwrap_or_default();
    for fault in FAULTS.iter().filter(|fault| fault.name.contains(&only)) {
        survived(&lab, fault, &tree, &whole);
    }
}
