//! Every option of `ansible-playbook` is honoured, or refused with what to do instead.

use super::case::Case;

const SITE: &str = "\
- hosts: localhost
  gather_facts: false
  tasks:
    - debug: {msg: hi}
";

#[test]
fn options_that_are_honoured() {
    let options: [&[&str]; 24] = [
        &["-v"],
        &["--private-key", "key"],
        &["--key-file", "key"],
        &["-u", "me"],
        &["-c", "local"],
        &["-T", "10"],
        &["--connection-password-file", "pw"],
        &["--conn-pass-file", "pw"],
        &["--force-handlers"],
        &["-b", "--become-method", "sudo", "--become-user", "root"],
        &["--become-password-file", "pw"],
        &["--become-pass-file", "pw"],
        &["-t", "all"],
        &["--skip-tags", "none"],
        &["-C"],
        &["-D"],
        &["-i", "localhost,"],
        &["--inventory-file", "localhost,"],
        &["-l", "localhost"],
        &["--flush-cache"],
        &["-e", "a=1"],
        &["--vault-id", "a@pw"],
        &["--vault-pass-file", "pw"],
        &["-f", "5"],
    ];
    for option in options {
        let args = [&["run", "site.yml", "--list-hosts"], option].concat();
        Case::new(&args)
            .file("site.yml", SITE)
            .file("pw", "x\n")
            .file("key", "x\n")
            .stdout("hosts\n  localhost\n")
            .any_stderr()
            .run();
    }
}

#[test]
fn options_that_are_refused() {
    let ssh = "write it into `~/.ssh/config`, or into a file that `--ssh-config FILE` names";
    let cases: [(&[&str], &str); 7] = [
        (
            &["--step"],
            "`evenkeel plan` shows beforehand all that would be done, and `--in-order` does one task after the other",
        ),
        (
            &["--start-at-task", "x"],
            "run the playbook whole: what is in its state is not done again; `--tags` selects tasks",
        ),
        (
            &["--module-path", "x"],
            "modules are part of a program: docs/modules.md says how one of your own is added",
        ),
        (&["--ssh-common-args", "-o A=b"], ssh),
        (&["--ssh-extra-args", "-R"], ssh),
        (
            &["--sftp-extra-args", "-f"],
            "leave it away: files go over the connection itself, without sftp",
        ),
        (
            &["--scp-extra-args", "-l"],
            "leave it away: files go over the connection itself, without scp",
        ),
    ];
    for (option, help) in cases {
        let name = option[0];
        let stderr =
            format!("error: `{name}` is an option of Ansible that is not there\nhelp: {help}\n");
        for command in ["run", "plan", "validate", "explain", "graph"] {
            let args = [&[command, "site.yml"], option].concat();
            Case::new(&args)
                .file("site.yml", SITE)
                .stderr(&stderr)
                .status(5)
                .run();
        }
    }
}

#[test]
fn a_check_of_syntax_touches_nothing() {
    Case::new(&["run", "site.yml", "--syntax-check"])
        .file("site.yml", SITE)
        .stdout("1 play, 1 task: no errors\n")
        .run();
    let ended = Case::new(&["run", "site.yml", "--syntax-check"])
        .file("site.yml", &SITE.replace("debug", "debgu"))
        .any_stderr()
        .status(5)
        .run();
    assert!(
        ended.stderr.contains("did you mean `debug`?"),
        "{}",
        ended.stderr
    );
}

#[test]
fn completions_of_each_shell() {
    for (shell, word) in [
        ("bash", "--list-hosts"),
        ("zsh", "'exec:Do one task, ad hoc'"),
        ("fish", "mermaid"),
    ] {
        let ended = Case::new(&["completions", shell]).any_stdout().run();
        assert!(ended.stdout.contains(word), "{}", ended.stdout);
    }
    let wrong = "\
error: invalid value 'csh' for '<SHELL>'
  [possible values: bash, elvish, fish, powershell, zsh]

  tip: a similar value exists: 'zsh'

For more information, try '--help'.
";
    Case::new(&["completions", "csh"])
        .stderr(wrong)
        .status(5)
        .run();
}

#[test]
fn the_schema_is_printed() {
    let ended = Case::new(&["schema"]).any_stdout().run();
    let schema: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(schema["title"], "Playbook of evenkeel");
    Case::new(&["schema", "x"]).any_stderr().status(5).run();
}
