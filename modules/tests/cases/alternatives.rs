//! `alternatives`: what it decides. What `update-alternatives` then does is in the lab's tests.

use evenkeel_engine::{fake::FakeHost, probes::Answered};
use evenkeel_modules::alternatives::kept;

use crate::support::{Expect, case};

/// Together, these set every argument there is.
pub(crate) const SAMPLES: &[&str] = &[
    "alternatives: {name: a, path: /a, link: /b, priority: 1, state: auto, \
     subcommands: [{name: c, path: /c, link: /d}]}",
];

const NANO: &str = "choice\t/bin/nano\t40\n";
const VIM: &str = "choice\t/usr/bin/vim.basic\t30\n";
const PAGES: &str =
    "with\t/bin/nano\teditor.1.gz\t/usr/share/man/man1/editor.1.gz\t/usr/share/man/man1/nano.1.gz";

fn host(mode: &str, now: &str, choices: &str) -> FakeHost {
    let known = format!("mode\t{mode}\nlink\t/usr/bin/editor\nnow\t{now}");
    let mut lines: Vec<&str> = known.lines().chain(choices.lines()).collect();
    lines.sort_unstable();
    told(0, &lines.join("\n"))
}

fn told(status: i32, stdout: &str) -> FakeHost {
    let answer = |status, stdout: &str| Answered {
        status,
        stdout: stdout.to_owned(),
    };
    FakeHost::new()
        .answers(kept("editor"), answer(status, stdout))
        .file("/usr/bin/vim.basic", "")
        .file("/bin/nano", "")
}

pub(crate) fn cases() -> Vec<Expect> {
    let both = format!("{NANO}{VIM}");
    let vim = "alternatives: {name: editor, path: /usr/bin/vim.basic}";
    let first =
        "alternatives: {name: editor, path: /bin/nano, link: /usr/bin/editor, priority: 40}";
    let pages = "alternatives: {name: editor, path: /bin/nano, state: present, subcommands: [{name: editor.1.gz, \
                 path: /usr/share/man/man1/nano.1.gz, link: /usr/share/man/man1/editor.1.gz}]}";
    vec![
        case("ALT-01 it is chosen", vim)
            .on(host("auto", "/bin/nano", &both))
            .changes(["chosen: \"/bin/nano\" -> \"/usr/bin/vim.basic\""])
            .gives("path", "\"/usr/bin/vim.basic\""),
        case("ALT-02 in its state, by priority or by choice", vim).on(host(
            "auto",
            "/usr/bin/vim.basic",
            VIM,
        )),
        case("ALT-02 chosen already", vim).on(host("manual", "/usr/bin/vim.basic", &both)),
        case("ALT-03 the first of its name", first)
            .on(told(0, ""))
            .changes(["choice: null -> \"/bin/nano\""]),
        case("ALT-03 one more, that is chosen", first)
            .on(host("manual", "/usr/bin/vim.basic", VIM))
            .changes([
                "choice: null -> \"/bin/nano\"",
                "chosen: \"/usr/bin/vim.basic\" -> \"/bin/nano\"",
            ]),
        case(
            "ALT-04 another priority: it wins by that",
            "alternatives: {name: editor, path: /usr/bin/vim.basic, priority: 60, state: auto}",
        )
        .on(host("auto", "/bin/nano", &both))
        .changes(["priority: \"30\" -> \"60\""]),
        case(
            "ALT-05 priorities choose again",
            "alternatives: {name: editor, path: /bin/nano, state: auto}",
        )
        .on(host("manual", "/usr/bin/vim.basic", &both))
        .changes(["mode: \"manual\" -> \"auto\""]),
        case(
            "ALT-06 a choice, and no more",
            "alternatives: {name: editor, path: /bin/nano, state: present}",
        )
        .on(host("manual", "/usr/bin/vim.basic", &both)),
        case("ALT-07 what goes with it", pages)
            .on(host("auto", "/bin/nano", &both))
            .changes(["subcommands: \"\" -> \"editor.1.gz: /usr/share/man/man1/nano.1.gz\""]),
        case("ALT-07 so it is", pages).on(host("auto", "/bin/nano", &format!("{both}{PAGES}"))),
        case("ALT-07 it stays where nothing is said of it", first).on(host(
            "auto",
            "/bin/nano",
            &format!("{both}{PAGES}"),
        )),
        case(
            "ALT-08 it goes, and another is chosen",
            "alternatives: {name: editor, path: /bin/nano, state: absent}",
        )
        .on(host("manual", "/bin/nano", &both))
        .changes(["choice: \"/bin/nano\" -> null"]),
        case(
            "ALT-08 it is gone",
            "alternatives: {name: editor, path: /bin/nano, state: absent}",
        )
        .on(host("auto", "/usr/bin/vim.basic", VIM)),
    ]
    .into_iter()
    .chain(refused(vim, &both))
    .collect()
}

fn refused(vim: &str, both: &str) -> Vec<Expect> {
    vec![
        case(
            "ALT-09 nothing is there yet",
            "alternatives: {name: editor, path: /opt/ed}",
        )
        .on(host("auto", "/bin/nano", both))
        .not_yet("the file `/opt/ed`"),
        case("ALT-09 no program", vim)
            .on(told(127, ""))
            .not_yet("`update-alternatives`"),
        case("ALT-10 where its link is must be said", vim)
            .on(told(0, ""))
            .refused("nothing is known of `editor` yet"),
        case(
            "ALT-10 no name",
            "alternatives: {name: /usr/bin/x, path: /x}",
        )
        .refused("is no name of an alternative"),
        case("ALT-10 no path", "alternatives: {name: x, path: bin/x}")
            .refused("`bin/x` is no whole path"),
    ]
}
