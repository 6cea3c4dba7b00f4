//! `evenkeel vault`: whole outputs, and what is left on disk.

use std::os::unix::fs::PermissionsExt as _;

use super::case::Case;

/// `user: app`, for the password `hunter2`; by `ansible-vault encrypt` of ansible-core 2.19.
const BY_ANSIBLE: &str = include_str!("by_ansible.vault");
const PLAIN: &str = "user: app\n";

fn run(words: &[&str]) -> Case {
    let mut args = vec!["vault"];
    args.extend(words);
    args.extend(["--vault-password-file", "word"]);
    Case::new(&args).file("word", "hunter2\n")
}

#[test]
fn what_ansible_encrypted_is_shown_and_decrypted() {
    run(&["view", "a.yml"])
        .file("a.yml", BY_ANSIBLE)
        .stdout(PLAIN)
        .run();
    let ended = run(&["decrypt", "a.yml"])
        .file("a.yml", BY_ANSIBLE)
        .stderr("decrypted: a.yml\n")
        .run();
    assert_eq!(std::fs::read_to_string(ended.path("a.yml")).unwrap(), PLAIN);
    run(&["decrypt", "--output", "-", "a.yml"])
        .file("a.yml", BY_ANSIBLE)
        .stdout(PLAIN)
        .run();
}

#[test]
fn what_is_encrypted_is_private_and_opens_again() {
    let case = run(&["encrypt", "--output", "new.yml", "a.yml"]).file("a.yml", PLAIN);
    let ended = case.stderr("encrypted: new.yml\n").run();
    let new = ended.path("new.yml");
    let text = std::fs::read_to_string(&new).unwrap();
    assert!(text.starts_with("$ANSIBLE_VAULT;1.1;AES256\n"), "{text}");
    assert!(text.lines().all(|line| line.len() <= 80), "{text}");
    assert_eq!(
        std::fs::metadata(&new).unwrap().permissions().mode() & 0o777,
        0o600
    );
    run(&["view", "b.yml"])
        .file("b.yml", &text)
        .stdout(PLAIN)
        .run();
    // With an id the first line has it.
    let args = [
        "vault",
        "encrypt",
        "--vault-id",
        "dev@word",
        "--output=-",
        "a.yml",
    ];
    let case = Case::new(&args).file("a.yml", PLAIN).file("word", "x");
    let ended = case.any_stdout().run();
    assert!(
        ended.stdout.starts_with("$ANSIBLE_VAULT;1.2;AES256;dev\n"),
        "{}",
        ended.stdout
    );
}

#[test]
fn another_password() {
    let words = ["rekey", "a.yml", "--new-vault-password-file", "new"];
    let case = run(&words).file("a.yml", BY_ANSIBLE).file("new", "other");
    let ended = case.stderr("encrypted anew: a.yml\n").run();
    let text = std::fs::read_to_string(ended.path("a.yml")).unwrap();
    let view = ["vault", "view", "a.yml", "--vault-password-file", "new"];
    let case = Case::new(&view).file("a.yml", &text).file("new", "other");
    case.stdout(PLAIN).run();
    run(&["view", "a.yml"])
        .file("a.yml", &text)
        .stderr(
            "error: `a.yml`: the password that is given does not open it\n\
             help: check the password; where it is the right one, the text was damaged: take it from where it was encrypted\n",
        )
        .status(5)
        .run();
}

#[test]
fn an_editor_works_on_a_private_copy_that_is_removed() {
    let editor = "#!/bin/sh\nfor last; do :; done\nstat -c '%a %n' \"$last\" \"${last%/*}\" > seen\n\
                  [ -z \"$FAIL\" ] || exit 3\necho 'more: 1' >> \"$last\"\n";
    let edit = || {
        let case = run(&["edit", "a.yml"]).file("a.yml", BY_ANSIBLE);
        case.file("editor", editor).file("tmp/.keep", "")
    };
    let case = edit();
    let (tmp, program) = (case.path("tmp"), case.path("editor"));
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let named = format!("'{}' -w", program.display());
    let case = case
        .env("EDITOR", &named)
        .env("VISUAL", "")
        .env("XDG_RUNTIME_DIR", "");
    let ended = case.env("TMPDIR", tmp.to_str().unwrap()).run();
    let seen = std::fs::read_to_string(ended.path("seen")).unwrap();
    let modes: Vec<&str> = seen
        .lines()
        .map(|line| line.split(' ').next().unwrap())
        .collect();
    assert_eq!(modes, ["600", "700"], "{seen}");
    assert!(seen.lines().next().unwrap().ends_with("/a.yml"), "{seen}");
    let left = |tmp| std::fs::read_dir(tmp).unwrap().count();
    assert_eq!(left(ended.path("tmp")), 1);
    let text = std::fs::read_to_string(ended.path("a.yml")).unwrap();
    run(&["view", "b.yml"])
        .file("b.yml", &text)
        .stdout("user: app\nmore: 1\n")
        .run();

    let case = edit();
    let (tmp, program) = (case.path("tmp"), case.path("editor"));
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let program = program.to_str().unwrap().to_owned();
    let stderr = format!(
        "error: the editor `{program}` ended with exit status: 3\nhelp: nothing was changed\n"
    );
    let case = case
        .env("VISUAL", &program)
        .env("XDG_RUNTIME_DIR", "")
        .env("FAIL", "1");
    let case = case.env("TMPDIR", tmp.to_str().unwrap());
    let ended = case.any_stderr().status(5).run();
    assert_eq!(ended.stderr, stderr);
    assert_eq!(left(ended.path("tmp")), 1);
    assert_eq!(
        std::fs::read_to_string(ended.path("a.yml")).unwrap(),
        BY_ANSIBLE
    );
}

#[test]
fn mistakes() {
    let cases: [(&[&str], &str); 7] = [
        (
            &["encrypt", "sealed"],
            "error: `sealed` is encrypted already\n\
             help: `evenkeel vault rekey` gives it another password, `edit` changes what is in it\n",
        ),
        (
            &["decrypt", "plain"],
            "error: `plain` is not encrypted\nhelp: `evenkeel vault encrypt` encrypts it\n",
        ),
        (
            &["view", "cut"],
            "error: `cut` cannot be opened: it is damaged: its seal is missing\n\
             help: take it from where it was encrypted: all of its lines\n",
        ),
        (
            &["encrypt", "a", "b", "--output", "c"],
            "error: `--output` takes one file only\n\
             help: leave it out, so that each file is replaced, or name one file\n",
        ),
        (
            &["create", "plain"],
            "error: `plain` is there already\nhelp: `evenkeel vault edit` changes it\n",
        ),
        (
            &["encrypt", "plain", "--vault-id", "dev@word"],
            "error: several passwords are given: `dev` and `default`\n\
             help: say which one encrypts: `--encrypt-vault-id ID`\n",
        ),
        (
            &["encrypt-string", "s3cret"],
            "error: a text on the command line is seen by everyone who lists processes\n\
             help: give it on stdin, `evenkeel vault encrypt-string --name NAME < FILE`, or be asked with `--prompt`\n",
        ),
    ];
    for (words, stderr) in cases {
        let cut: String = BY_ANSIBLE.lines().take(2).collect::<Vec<_>>().join("\n");
        run(words)
            .file("plain", PLAIN)
            .file("sealed", BY_ANSIBLE)
            .file("cut", &cut[..66])
            .stderr(stderr)
            .status(5)
            .run();
    }
}

#[test]
fn a_vault_without_a_password_says_where_it_is() {
    let site = "- hosts: localhost\n  gather_facts: false\n  tasks:\n    - debug: {var: user}\n";
    Case::new(&["validate", "site.yml"])
        .file("site.yml", site)
        .file("group_vars/all.yml", BY_ANSIBLE)
        .stderr(
            "error[vault]: this is encrypted, and no password of a vault is given\n \
             --> ./group_vars/all.yml:1:1\n  |\n1 | $ANSIBLE_VAULT;1.1;AES256\n  | ^^^^^^^^^^^^^^^^^^^^^^^^^\n  \
             = help: give it: `--vault-password-file FILE`, or `--ask-vault-pass` to be asked\n",
        )
        .status(5)
        .run();
    for setting in ["evenkeel.yml", "ansible.cfg"] {
        let text = match setting {
            "ansible.cfg" => "[defaults]\nvault_password_file = word\n",
            _ => "vault_password_file: word\n",
        };
        Case::new(&["validate", "site.yml"])
            .file("site.yml", site)
            .file("group_vars/all.yml", BY_ANSIBLE)
            .file("word", "hunter2")
            .file(setting, text)
            .stdout("1 play, 1 task: no errors\n")
            .run();
    }
}
