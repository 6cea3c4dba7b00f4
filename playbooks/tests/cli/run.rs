//! Runs on this machine.

use super::case::Case;

const SITE: &str = "\
- name: set up
  hosts: localhost
  gather_facts: false
  tasks:
    - name: make a directory
      file:
        path: '{{ playbook_dir }}/made'
        state: directory
        mode: '0750'
    - name: write a note
      copy:
        content: |
          hello
        dest: '{{ playbook_dir }}/made/note'
        mode: '0640'
    - name: say so
      debug:
        msg: the note is there
";

const NOTHING: &str = "\
play set up
says          localhost  say so
    the note is there

host       changed  unchanged  failed
localhost        0          3       0

1 host: 0 changed, 3 unchanged in [TIME], 1 exchange
";

#[test]
fn the_second_run_does_nothing() {
    let first = "\
play set up
changed       localhost  make a directory  (the host differs)
    directory: [DIR]/made
changed       localhost  write a note  (the host differs)
    content: 6 bytes
says          localhost  say so
    the note is there

host       changed  unchanged  failed
localhost        2          1       0

1 host: 2 changed, 1 unchanged in [TIME], 3 exchanges
";
    let ended = Case::new(&["run", "site.yml"])
        .file("site.yml", SITE)
        .stdout(first)
        .run();
    let note = std::fs::read_to_string(ended.path("made/note")).unwrap();
    assert_eq!(note, "hello\n");
    ended.then(&["run", "site.yml"]).stdout(NOTHING).run();
}

#[test]
fn a_plan_changes_nothing() {
    let plan = "\
play set up
would change  localhost  make a directory  (the host differs)
    directory: [DIR]/made
would change  localhost  write a note  (the host differs)
    content: 6 bytes
      --- [DIR]/made/note (before)
      +++ [DIR]/made/note (after)
      @@ -0,0 +1 @@
      +hello
says          localhost  say so
    the note is there

host       would change  unchanged  failed
localhost             2          1       0

1 host: 2 would change, 1 unchanged in [TIME], 2 exchanges
nothing was changed: this was a check
";
    let site = Case::new(&["plan", "site.yml"]).file("site.yml", SITE);
    let ended = site.stdout(plan).run();
    assert!(!ended.path("made").exists());
    let again = ended.then(&["plan", "--exit-code", "site.yml"]);
    let ended = again.stdout(plan).status(3).run();
    let ended = ended
        .then(&["run", "--output", "json", "site.yml"])
        .any_stdout()
        .run();
    let nothing = "nothing was changed: this was a check\n";
    let quiet = NOTHING.replace("host       changed", "host       would change");
    let quiet = quiet.replace("localhost        0", "localhost             0");
    let quiet = quiet.replace("0 changed", "0 would change") + nothing;
    ended
        .then(&["plan", "--exit-code", "site.yml"])
        .stdout(&quiet)
        .run();
}

#[test]
fn a_failure_says_what_where_and_why() {
    let site = "\
- name: set up
  hosts: localhost
  gather_facts: false
  tasks:
    - name: list what is not there
      command: ls not-there
    - name: go on
      debug:
        msg: not reached
";
    let stdout = "\
play set up
failed        localhost  list what is not there
    run `ls not-there`
    error: `ls` failed with status 2
    at: site.yml:5:7
    command: ls not-there
    status: 2
    stderr:
      | ls: cannot access 'not-there': No such file or directory
blocked       localhost  1 task did not run, because `list what is not there` failed

host       changed  unchanged  failed  blocked  unguarded
localhost        0          0       1        1          1

1 host: 0 changed, 1 failed, 1 blocked in [TIME], 4 exchanges
1 command ran because nothing says when it need not; `evenkeel validate` shows what would
";
    Case::new(&["run", "site.yml"])
        .file("site.yml", site)
        .stdout(stdout)
        .status(2)
        .run();
}

#[test]
fn colours_only_where_they_are_wanted() {
    let site = Case::new(&["plan", "site.yml"]).file("site.yml", SITE);
    let coloured = site.env("CLICOLOR_FORCE", "1").any_stdout().run();
    assert!(
        coloured.stdout.contains("\u{1b}[33mwould change"),
        "{}",
        coloured.stdout
    );
    let plain = coloured.then(&["plan", "site.yml"]).any_stdout().run();
    assert!(!plain.stdout.contains('\u{1b}'), "{}", plain.stdout);
}

#[test]
fn json_is_an_event_a_line() {
    let site = Case::new(&["run", "site.yml", "--output", "json"]).file("site.yml", SITE);
    let ended = site.any_stdout().run();
    let parse = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap();
    let events: Vec<_> = ended.stdout.lines().map(parse).collect();
    for event in &events {
        let keys: Vec<_> = event.as_object().unwrap().keys().take(2).collect();
        assert_eq!(keys, ["event", "time"], "{event}");
        let time = event["time"].as_str().unwrap();
        time.parse::<jiff::Timestamp>().unwrap();
    }
    let names: Vec<_> = events
        .iter()
        .map(|event| event["event"].as_str().unwrap())
        .collect();
    assert_eq!(names[0], "run_started");
    assert_eq!(names[1], "host_connected");
    assert_eq!(*names.last().unwrap(), "run_finished");
    let finished = names.iter().filter(|name| **name == "task_finished");
    assert_eq!(finished.count(), 3, "{names:?}");
    let recap = &events.last().unwrap()["hosts"]["localhost"];
    assert_eq!(recap["changed"], 2);
    assert_eq!(recap["unchanged"], 1);
}

#[test]
fn lists_touch_nothing() {
    let stdout = "\
hosts
  localhost
play set up
  make a directory  (file, site.yml:5:7)
  write a note  (copy, site.yml:10:7)
  say so  (debug, site.yml:16:7)
tags
";
    let args = [
        "run",
        "--list-hosts",
        "--list-tasks",
        "--list-tags",
        "site.yml",
    ];
    let ended = Case::new(&args).file("site.yml", SITE).stdout(stdout).run();
    assert!(!ended.path("made").exists());
}

const SECRETS: &str = "\
- hosts: localhost
  vars: {secret: planted-secret}
  tasks:
    - copy: {dest: '{{ playbook_dir }}/out', content: '{{ secret }}'}
      no_log: true
    - lineinfile: {path: '{{ playbook_dir }}/out', line: '{{ secret }} 2'}
      no_log: true
    - command: echo {{ secret }}
      no_log: true
      environment: {TOKEN: '{{ secret }}'}
    - shell: echo {{ secret }} >&2; exit 4
      args: {stdin: '{{ secret }}'}
      no_log: true
      ignore_errors: true
    - command: echo {{ item }}
      loop: ['{{ secret }}']
      no_log: true
    - debug: {msg: '{{ secret }}'}
      no_log: true
";

#[test]
fn no_log_hides_from_every_report_and_record() {
    for output in ["human", "json", "junit"] {
        let ended = Case::new(&["run", "site.yml", "-D", "-vvv", "--output", output])
            .file("site.yml", SECRETS)
            .any_stdout()
            .any_stderr()
            .run();
        assert!(ended.stdout.contains("no_log") || output == "junit");
        for (what, text) in [("stdout", &ended.stdout), ("stderr", &ended.stderr)] {
            assert!(!text.contains("planted"), "{output} on {what}:\n{text}");
        }
        let ended = ended.then(&["ledger", "show", "localhost"]);
        let ended = ended.any_stdout().any_stderr().run();
        assert!(ended.stdout.contains("command"), "{}", ended.stdout);
        assert!(!ended.stdout.contains("planted"), "{}", ended.stdout);
        let mut folders = vec![ended.path(".state")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let bytes = std::fs::read(&path).unwrap();
                    let text = String::from_utf8_lossy(&bytes);
                    assert!(!text.contains("planted"), "{}", path.display());
                }
            }
        }
    }
}

const RESCUED: &str = "\
- hosts: localhost
  tasks:
    - block:
        - name: it fails
          command: sh -c 'exit 3'
          changed_when: false
        - debug: {msg: never}
      rescue:
        - debug: {msg: '{{ ansible_failed_task.name }}: {{ ansible_failed_result.rc }}'}
        - block:
            - fail: {msg: inner}
          rescue:
            - debug: {msg: '{{ ansible_failed_result.msg }}'}
      always:
        - debug: {msg: 'after {{ ansible_failed_task.name }}'}
";

#[test]
fn a_rescued_block_is_no_failure() {
    let ended = Case::new(&["run", "site.yml"])
        .file("site.yml", RESCUED)
        .any_stdout()
        .run();
    for said in ["    it fails: 3\n", "    inner\n", "    after "] {
        assert!(ended.stdout.contains(said), "{said:?}\n{}", ended.stdout);
    }
}

const FLUSH: &str = "\
- hosts: localhost
  tasks:
    - copy: {dest: '{{ playbook_dir }}/a', content: x}
      notify: say
    - meta: flush_handlers
      tags: [flush]
    - debug: {msg: after the flush}
  handlers:
    - name: say
      debug: {msg: handled}
";

#[test]
fn tags_select_a_flush() {
    for (skip, wanted) in [("flush", ["after", "handled"]), ("x", ["handled", "after"])] {
        let ended = Case::new(&["run", "site.yml", "--skip-tags", skip])
            .file("site.yml", FLUSH)
            .any_stdout()
            .any_stderr()
            .run();
        let at = wanted.map(|word| ended.stdout.find(&format!("    {word}")));
        assert!(at[0].is_some() && at[0] < at[1], "{skip}: {}", ended.stdout);
    }
}

#[test]
fn what_a_rescue_takes_and_what_fails() {
    let site = "\
- name: set up
  hosts: localhost
  gather_facts: false
  tasks:
    - block:
        - {name: x, command: 'false'}
        - {name: y, command: 'true'}
      rescue:
        - debug: {msg: saved}
    - {name: bad, shell: 'echo no >&2; exit 3'}
";
    let ended = Case::new(&["run", "site.yml", "--in-order"])
        .file("site.yml", site)
        .env("NO_COLOR", "1")
        .any_stdout()
        .status(2)
        .run();
    let wanted = "\
play set up
rescued       localhost  x  (it failed, and a rescue takes it)
    run `false`
    error: `false` failed with status 1
    at: site.yml:6:11
    command: false
    status: 1
says          localhost  debug
    saved
failed        localhost  bad
    run `echo no >&2; exit 3`
    error: `/bin/sh` failed with status 3
    at: site.yml:10:7
    command: /bin/sh -c 'echo no >&2; exit 3'
    status: 3
    stderr:
      | no
passed over   localhost  1 task, because `x` failed and a rescue took it
";
    let shown = ended.stdout.split("\n\nhost ").next().unwrap();
    assert_eq!(format!("{shown}\n"), wanted);
}

#[test]
fn what_is_judged_by_a_result_that_is_not_there_yet() {
    let site = "\
- hosts: localhost
  gather_facts: false
  tasks:
    - {name: fails by it, command: echo warn, register: r, failed_when: r.rc > 3}
    - {name: changes by it, command: echo warn, register: r, changed_when: \"'warn' in r.stdout\"}
    - {name: only fails, command: echo warn, register: q, failed_when: q.rc > 3, changed_when: false}
";
    let stdout = "\
play localhost
would change  localhost  fails by it  (nothing says when it need not run)
    run `echo warn`
unknown       localhost  changes by it  (nothing says when it need not run)
    run `echo warn`

host       would change  unchanged  unknown  failed  unguarded
localhost             1          1        1       0          3

1 host: 1 would change, 1 unchanged, 1 unknown in [TIME], 1 exchange
3 commands would run because nothing says when they need not; `evenkeel validate` shows what would
nothing was changed: this was a check
";
    let planned = Case::new(&["plan", "site.yml"])
        .file("site.yml", site)
        .stdout(stdout)
        .run();
    planned.then(&["run", "site.yml"]).any_stdout().run();
}

#[test]
fn what_a_command_may_make_true_fails_no_plan() {
    let site = "\
- hosts: localhost
  gather_facts: false
  tasks:
    - {name: before, stat: {path: '{{ playbook_dir }}/made'}, register: before}
    - {name: sure, fail: {msg: no}, when: before.stat.exists}
    - {name: make, command: 'mkdir made', args: {creates: made, chdir: '{{ playbook_dir }}'}}
    - {name: look, stat: {path: '{{ playbook_dir }}/made'}, register: made}
    - {name: made, assert: {that: made.stat.exists}}
    - {name: line, lineinfile: {path: '{{ playbook_dir }}/made/f', line: x}}
    - {name: never, fail: {msg: stop}}
";
    let stdout = "\
play localhost
would change  localhost  make  (its `creates` says so)
    run `mkdir made`
unknown       localhost  made  (not known yet: what `make` changes)
unknown       localhost  line  (not known yet: the file `[DIR]/made/f`)
failed        localhost  never
    error: stop
    at: site.yml:10:7

host       would change  unchanged  skipped  unknown  failed
localhost             1          2        1        2       1

1 host: 1 would change, 2 unchanged, 1 skipped, 2 unknown, 1 failed in [TIME], 1 exchange
nothing was changed: this was a check
";
    let planned = Case::new(&["plan", "site.yml"]).file("site.yml", site);
    let planned = planned.stdout(stdout).status(2).run();
    planned
        .then(&["run", "site.yml"])
        .any_stdout()
        .status(2)
        .run();
}

const FAILING: &str = "\
- hosts: localhost
  gather_facts: false
  tasks:
    - name: change
      copy: {content: x, dest: '{{ playbook_dir }}/x'}
      notify: note
    - name: stop
      fail: {msg: no}
  handlers:
    - name: note
      copy: {content: done, dest: '{{ playbook_dir }}/noted'}
";

#[test]
fn handlers_may_run_after_a_failure() {
    let says = |play: &str| FAILING.replace("  gather_facts", &format!("  {play}\n  gather_facts"));
    let cases = [
        (FAILING.to_owned(), false, false),
        (FAILING.to_owned(), true, true),
        (says("force_handlers: true"), false, true),
        (says("force_handlers: false"), true, false),
    ];
    for (site, flag, noted) in cases {
        let args = ["run", "site.yml", "--force-handlers"];
        let args = if flag { &args[..] } else { &args[..2] };
        let ended = Case::new(args)
            .file("site.yml", &site)
            .any_stdout()
            .any_stderr()
            .status(2)
            .run();
        assert_eq!(ended.path("noted").exists(), noted, "{site} {flag}");
    }
}
