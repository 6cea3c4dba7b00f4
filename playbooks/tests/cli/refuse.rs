//! What this version cannot do is refused, never ignored.

use super::case::Case;

#[test]
fn options_of_other_connections() {
    let cases = [
        (
            "-c winrm",
            "error: this version cannot reach hosts over `winrm`\n\
             help: hosts are reached over `ssh`, `openssh`, `docker`, `podman`, `chroot` or `local`\n",
        ),
        (
            "--vault-password-file x",
            "error: the password of the vault in `x` cannot be read: No such file or directory (os error 2)\n\
             help: name a file with the password in it, or a program that prints it\n",
        ),
    ];
    for (options, stderr) in cases {
        let mut args = vec!["run", "site.yml"];
        args.extend(options.split(' '));
        Case::new(&args).stderr(stderr).status(5).run();
    }
}

#[test]
fn a_ledger_of_no_host_or_of_several() {
    let help = "help: name one host of the inventory that `-i` gives\n";
    let cases = [
        ("web1", "error: the inventory knows no host `web1`\n"),
        ("all", "error: `all` stands for 2 hosts\n"),
    ];
    for (name, error) in cases {
        Case::new(&["ledger", "show", "-i", "a,b,", name])
            .stderr(&format!("{error}{help}"))
            .status(5)
            .run();
    }
}

#[test]
fn tasks_that_wait_for_each_other() {
    let site = "\
- hosts: localhost
  gather_facts: false
  tasks:
    - name: one
      id: one
      after: two
      debug: {msg: 1}
    - name: two
      id: two
      after: [two, one]
      debug: {msg: 2}
";
    let stderr = "\
error[cycle]: tasks wait for each other, so none of them can start: `one` waits for `two`
  --> site.yml:6:14
   |
 6 |       after: two
   |              ^^^
  ::: site.yml:10:20
   |
10 |       after: [two, one]
   |                    --- `two` waits for `one`
   = help: remove one of these ties

error[cycle]: `two` waits for itself
  --> site.yml:10:15
   |
10 |       after: [two, one]
   |               ^^^
   = help: name the task that it has to wait for
";
    for command in ["validate", "run", "plan", "explain"] {
        Case::new(&[command, "site.yml"])
            .file("site.yml", site)
            .stderr(stderr)
            .status(5)
            .run();
    }
}

#[test]
fn a_tag_that_no_task_has_is_said() {
    let site = "\
- hosts: localhost
  gather_facts: false
  tasks: [{debug: {msg: x}, tags: [web]}]
";
    let stderr = "warning[unknown_tag]: no task has the tag `wbe`\n = help: did you mean `web`?\n";
    Case::new(&[
        "run",
        "site.yml",
        "--tags",
        "wbe,always",
        "--skip-tags",
        "web",
    ])
    .file("site.yml", site)
    .any_stdout()
    .stderr(stderr)
    .run();
}

#[test]
fn a_password_without_a_terminal() {
    let stderr = "error: the password cannot be asked for: there is no terminal to ask on\n\
                  help: `--become-password-file FILE` takes it from a file\n";
    Case::new(&["run", "-K", "site.yml"])
        .stderr(stderr)
        .status(5)
        .run();
}

#[test]
fn a_connection_of_an_inventory_that_there_is_not() {
    let stderr = "error[unsupported_connection]: `h1` would be reached over `opnssh`\n \
                  = help: correct `ansible_connection`: hosts are reached over `ssh`, `openssh`, \
                  `docker`, `podman`, `chroot` or `local`\n";
    Case::new(&["run", "-i", "hosts.ini", "site.yml"])
        .file("hosts.ini", "h1 ansible_connection=opnssh\n")
        .file(
            "site.yml",
            "- hosts: all\n  gather_facts: false\n  tasks: [{debug: {msg: x}}]\n",
        )
        .stderr(stderr)
        .status(5)
        .run();
}

#[test]
fn what_selinux_is_to_call_a_login() {
    let site = "\
- hosts: localhost
  gather_facts: false
  tasks:
    - useradd: {name: ann, seuser: staff_u}
";
    let error = "\
error[wrong_argument]: `seuser`: not supported: set it with a task of `command` (`chcon`, `chattr`, `setfacl`)
 --> site.yml:4:36
  |
4 |     - useradd: {name: ann, seuser: staff_u}
  |                                    ^^^^^^^
";
    Case::new(&["validate", "site.yml"])
        .file("site.yml", site)
        .stderr(error)
        .status(5)
        .run();
}

#[test]
fn what_the_variable_of_a_loop_is_called_is_known_before_the_run() {
    let site = "\
- hosts: localhost
  tasks:
    - command: echo thing
      register: said
    - debug: {msg: '{{ thing }}'}
      loop: [1, 2]
      loop_control: {loop_var: '{{ said.stdout }}'}
";
    let stderr = "\
error[known_too_late]: what a loop's variable is called must be known before the run: `said.stdout` is not
 --> site.yml:7:32
  |
7 |       loop_control: {loop_var: '{{ said.stdout }}'}
  |                                ^^^^^^^^^^^^^^^^^^^
  = help: write the name, or a template of variables of the playbook and the inventory
";
    Case::new(&["validate", "site.yml"])
        .file("site.yml", site)
        .stderr(stderr)
        .status(5)
        .run();
}

#[test]
fn a_handler_that_only_a_condition_may_call() {
    let site = "\
- hosts: localhost
  gather_facts: false
  tasks:
    - command: echo a
      once: true
      when: nobody_says is defined
      notify: restrat
    - command: echo b
      register: b
    - command: echo c
      when: b.stdout == wanted
      notify: [restart, restart it]
  handlers:
    - name: restart
      debug: {msg: called}
";
    let stderr = "\
warning[unknown_handler]: this play has no handler `restrat`
 --> site.yml:7:15
  |
7 |       notify: restrat
  |               ^^^^^^^
  = help: did you mean `restart`?

warning[unknown_handler]: this play has no handler `restart it`
  --> site.yml:12:25
   |
12 |       notify: [restart, restart it]
   |                         ^^^^^^^^^^
   = help: did you mean `restart`?
";
    for (wanted, status) in [("other", 0), ("b", 2)] {
        let wanted = format!("wanted={wanted}");
        let args = [
            "run",
            "-i",
            "localhost,",
            "-c",
            "local",
            "-e",
            &wanted,
            "site.yml",
        ];
        let ended = Case::new(&args)
            .file("site.yml", site)
            .any_stdout()
            .any_stderr()
            .status(status)
            .run();
        assert!(ended.stderr.starts_with(stderr), "{}", ended.stderr);
        let fails = ended
            .stdout
            .contains("this play has no handler `restart it` (site.yml:12:25)");
        assert_eq!(fails, status == 2, "{}", ended.stdout);
    }
}
