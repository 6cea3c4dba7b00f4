//! `command` and `shell`.

use evenkeel_engine::{
    Done, Secret, Value,
    fake::{self, FakeHost},
    testing::Law,
};
use evenkeel_modules::command::Succeeds;

use crate::support::{Expect, case};

/// Together, these set every argument there is, none to its default.
pub(crate) const SAMPLES: &[&str] = &[
    "command: {cmd: a b, creates: [/c], removes: [/r], unless: [u], onlyif: [o], chdir: /d, \
     stdin: in, stdin_add_newline: false, expand_argument_vars: false, strip_empty_ends: false, \
     long: true, timeout: 5}",
    "command: {argv: [a, b c]}",
    "shell: {cmd: a | b, executable: /bin/bash, creates: [/c], removes: [/r], unless: [u], \
     onlyif: [o], chdir: /d, stdin: in, stdin_add_newline: false, strip_empty_ends: false, \
     long: true, timeout: 5}",
];

/// A host with a program that writes what it was given.
fn host() -> FakeHost {
    let tool = |world: &mut fake::World, call: &fake::Call| {
        let said = format!(
            "{} < {}",
            call.args().join("|"),
            String::from_utf8_lossy(&call.stdin)
        );
        world.write("/srv/made", said);
        world.remove("/srv/old");
        fake::ok(format!("{}\r\n\n", call.dir.clone().unwrap_or_default()))
    };
    FakeHost::new().dir("/srv/app").program("tool", tool)
}

fn succeeds(text: &str) -> Succeeds {
    Succeeds {
        text: text.to_owned(),
        dir: String::new(),
    }
}

pub(crate) fn cases() -> Vec<Expect> {
    let mut cases = guards();
    cases.extend(runs());
    cases
}

fn guards() -> Vec<Expect> {
    vec![
        case(
            "CMD-01 what it creates is there",
            "command: {cmd: tool, creates: '/srv/ma*'}",
        )
        .on(host().file("/srv/made", "before"))
        .gives("rc", "0")
        .gives("msg", "\"Did not run command since '/srv/ma*' exists\"")
        .then("/srv/made", "file = before"),
        case(
            "CMD-02 what it removes is gone",
            "command: {cmd: tool, removes: /srv/old}",
        )
        .on(host())
        .then("/srv/made", "nothing"),
        case(
            "CMD-03 both say it must run",
            "command: {cmd: tool, creates: /srv/made, removes: /srv/old}",
        )
        .on(host().file("/srv/old", ""))
        .changes(["run `tool`"])
        .then("/srv/made", "file"),
        case(
            "CMD-20 a guard of the user's says it need not run",
            "shell: {cmd: tool, unless: tool --done}",
        )
        .rounds(
            2,
            "a user's command is asked once it is sure that the task's turn comes",
        )
        .on(host().answers(succeeds("tool --done"), true))
        .then("/srv/made", "nothing"),
        case(
            "CMD-20 a guard of the user's says it must run",
            "shell: {cmd: 'true', onlyif: tool --todo}",
        )
        .on(host()
            .always(succeeds("tool --todo"), true)
            .ends(["/bin/sh", "-c", "true"], Done::default()))
        .changes(["run `true`"]),
    ]
}

fn runs() -> Vec<Expect> {
    vec![
        case(
            "CMD-07 the directory is not there",
            "command: {cmd: tool, chdir: /srv/none}",
        )
        .on(host())
        .fails("cannot go to `/srv/none`"),
        case(
            "CMD-08 words are taken as they are",
            "command: {argv: [tool, 'a  b', \"it's\"]}",
        )
        .on(host())
        .changes(["run `tool a  b it's`"])
        .then("/srv/made", "file = a  b|it's < "),
        case(
            "CMD-08 one or the other",
            "command: {argv: [tool], cmd: tool}",
        )
        .refused("exclude each other"),
        case("CMD-08 nothing to run", "command: {}").refused("no command given"),
        case("no word has a NUL byte", "command: \"echo a\\0b\"").refused("a NUL byte"),
        case("nor has a path", "file: {path: \"/a\\0b\", state: touch}").refused("a NUL byte"),
        case(
            "CMD-09 stdin arrives with a newline",
            "command: {cmd: tool, stdin: yes please}",
        )
        .on(host())
        .changes(["run `tool`"])
        .then("/srv/made", "file =  < yes please\n"),
        case(
            "CMD-10 there is nothing to expand for a shell",
            "shell: {cmd: tool, expand_argument_vars: no}",
        )
        .refused("there is no argument `expand_argument_vars`"),
        case(
            "CMD-12 empty ends are dropped",
            "command: {cmd: tool, chdir: /srv/app}",
        )
        .on(host())
        .changes(["run `tool`"])
        .gives("stdout", "\"/srv/app\"")
        .gives("stdout_lines", "[\"/srv/app\"]"),
        case(
            "CMD-12 or kept",
            "command: {cmd: tool, chdir: /srv/app, strip_empty_ends: no}",
        )
        .on(host())
        .changes(["run `tool`"])
        .gives("stdout", "\"/srv/app\\r\\n\\n\""),
        case(
            "CMD-19 a secret on stdin is shown nowhere",
            "command: {cmd: tool}",
        )
        .arg("stdin", Value::Secret(Secret::new("hunter22")))
        .on(host())
        .changes(["run `tool`"])
        .gives("cmd", "[\"tool\"]"),
        case("CMD-19 nor is one in the command itself", "command: {}")
            .arg(
                "cmd",
                Value::Secret(Secret::new("tool --password hunter22")),
            )
            .on(host())
            .changes(["run `***`"])
            .without(Law::Cut, "what it writes is the secret it was given"),
    ]
}
