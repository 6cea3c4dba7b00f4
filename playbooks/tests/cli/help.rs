//! Help, manuals, completions, and command lines that are wrong.

use super::case::Case;

#[test]
fn nothing_said_is_an_error_with_help() {
    let ended = Case::new(&["--help"]).any_stdout().run();
    let help = ended.stdout;
    assert!(
        help.contains("Bring hosts to the described state"),
        "{help}"
    );
    Case::new(&[]).stderr(&help).status(5).run();
}

#[test]
fn version() {
    let version = concat!("evenkeel ", env!("CARGO_PKG_VERSION"), "\n");
    Case::new(&["--version"]).stdout(version).run();
}

#[test]
fn an_unknown_option_is_named_and_touches_nothing() {
    let stderr = "\
error: unexpected argument '--chek' found

  tip: a similar argument exists: '--check'

Usage: evenkeel run --check <PLAYBOOK>...

For more information, try '--help'.
";
    Case::new(&["run", "--chek", "site.yml"])
        .stderr(stderr)
        .status(5)
        .run();
}

#[test]
fn an_unknown_module_is_suggested() {
    let stderr = "error: there is no module `flie`\nhelp: did you mean `file`?\n";
    Case::new(&["modules", "flie"])
        .stderr(stderr)
        .status(5)
        .run();
}

#[test]
fn the_manual_of_a_module() {
    let ended = Case::new(&["modules", "ansible.builtin.file"])
        .any_stdout()
        .run();
    let manual = &ended.stdout;
    assert!(manual.starts_with("file: "), "{manual}");
    assert!(manual.contains("\n  path  (text, required"), "{manual}");
    assert!(manual.contains("\nExample\n  - "), "{manual}");
}

#[test]
fn completions_complete_commands() {
    let ended = Case::new(&["completions", "bash"]).any_stdout().run();
    assert!(ended.stdout.contains("--list-hosts"), "{}", ended.stdout);
}

#[test]
fn a_closed_pipe_is_quiet() {
    use std::process::{Command, Stdio};
    // The reader is gone before the first byte is written.
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = Command::new(env!("CARGO_BIN_EXE_evenkeel"))
        .args(["completions", "zsh"])
        .stdout(Stdio::from(writer))
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
}
