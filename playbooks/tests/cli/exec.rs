//! One task, said on the command line.

use super::case::Case;

#[test]
fn a_command_line_and_what_it_prints() {
    let stdout = "\
play localhost
changed       localhost  command  (nothing says when it need not run)
    run `echo 'a b'`
    result: {\"cmd\":[\"echo\",\"a b\"],";
    let ended = Case::new(&["exec", "localhost", "command", "echo", "a b"])
        .any_stdout()
        .any_stderr()
        .run();
    assert!(ended.stdout.starts_with(stdout), "{}", ended.stdout);
    assert!(
        ended.stdout.contains("\"stdout\":\"a b\""),
        "{}",
        ended.stdout
    );
    // As Ansible has it, and what begins with a dash.
    for args in [
        &["exec", "localhost", "-m", "shell", "-a", "echo $((1 + 2))"][..],
        &["exec", "localhost", "-a", "echo 3"],
        &["exec", "localhost", "shell", "--", "echo", "-n", "3"],
    ] {
        let ended = Case::new(args).any_stdout().any_stderr().run();
        assert!(
            ended.stdout.contains("\"stdout\":\"3\""),
            "{}",
            ended.stdout
        );
    }
}

#[test]
fn arguments_are_pairs_or_a_map() {
    let json = "{\"path\": \"ne w\", \"state\": \"directory\"}";
    let pairs = ["exec", "localhost", "file", "path=ne w", "state=directory"];
    let text = [
        "exec",
        "localhost",
        "ansible.builtin.file",
        "path='ne w' state=directory",
    ];
    for args in [&pairs[..], &text, &["exec", "localhost", "file", json]] {
        let check = [args, &["--check", "--output", "json"]].concat();
        let ended = Case::new(&check).any_stdout().run();
        assert!(
            ended.stdout.contains("\"outcome\":\"changed\""),
            "{}",
            ended.stdout
        );
        assert!(!ended.path("ne w").exists());
        let ended = ended.then(args).any_stdout().any_stderr().run();
        assert!(ended.path("ne w").is_dir());
        let ended = ended.then(args).any_stdout().any_stderr().run();
        assert!(
            ended.stdout.starts_with("play localhost\nunchanged "),
            "{}",
            ended.stdout
        );
    }
}

#[test]
fn a_failure_is_told_and_has_its_status() {
    let ended = Case::new(&["exec", "localhost", "shell", "echo no >&2; exit 3"])
        .any_stdout()
        .any_stderr()
        .status(2)
        .run();
    assert!(
        ended
            .stdout
            .contains("error: `/bin/sh` failed with status 3"),
        "{}",
        ended.stdout
    );
}

#[test]
fn mistakes() {
    let help = "help: arguments are `key=value` words, or one map of JSON or YAML\n";
    let cases: [(&[&str], String); 5] = [
        (
            &["file", "path=a", "state"],
            format!("error: `state` is no `key=value`\n{help}"),
        ),
        (
            &["file", "path=a", "path=b"],
            "error: `path` is given twice\nhelp: leave one out\n".to_owned(),
        ),
        (
            &["file", "path=a", "-a", "state=file"],
            "error: arguments stand both after the module and in `--args`\nhelp: say them once\n".to_owned(),
        ),
        (
            &[],
            "error: no module is named\n\
             help: `evenkeel exec PATTERN MODULE [ARGS]`; `evenkeel modules` lists them\n"
                .to_owned(),
        ),
        (
            &["ping", "--start-at-task", "x"],
            "error: `--start-at-task` is an option of Ansible that is not there\n\
             help: run the playbook whole: what is in its state is not done again; `--tags` selects tasks\n"
                .to_owned(),
        ),
    ];
    for (args, stderr) in cases {
        let args = [&["exec", "localhost"], args].concat();
        Case::new(&args).stderr(&stderr).status(5).run();
    }
    // What the reader says has its place in what the command line stands for.
    for (args, word) in [
        (&["flie", "path=x"][..], "did you mean `file`?"),
        (&["file", "path=x", "stat=y"], "did you mean `state`?"),
    ] {
        let args = [&["exec", "localhost"], args].concat();
        let ended = Case::new(&args).any_stderr().status(5).run();
        assert!(ended.stderr.contains(word), "{}", ended.stderr);
        assert!(
            ended.stderr.contains("--> the command line:"),
            "{}",
            ended.stderr
        );
    }
}

#[test]
fn hosts_are_listed_and_selected() {
    let args = [
        "exec",
        "all",
        "ping",
        "-i",
        "a,b,",
        "-l",
        "b",
        "--list-hosts",
    ];
    Case::new(&args).stdout("hosts\n  b\n").run();
}
