//! `sysctl`, and what is only asked: `ping`, `slurp`, `getent`.

use evenkeel_engine::{
    Thing,
    fake::FakeHost,
    probes::{Answered, Ask},
};

use crate::support::{Expect, case};

/// Together, these set every argument there is, none to its default.
pub(crate) const SAMPLES: &[&str] = &[
    "getent: {database: passwd, key: app, service: files, split: ',', fail_key: false}",
    "ping: {data: x}",
    "slurp: {src: /f}",
    "sysctl: {name: a.b, value: v, state: absent, sysctl_set: true, reload: false, \
     sysctl_file: /f, ignoreerrors: true}",
];

fn answered(status: i32, stdout: &str) -> Answered {
    Answered {
        status,
        stdout: stdout.to_owned(),
    }
}

pub(crate) fn cases() -> Vec<Expect> {
    [sysctl(), kernel(), asked(), refusals()].concat()
}

/// With a value that the kernel has.
fn router(text: &str, live: Answered) -> FakeHost {
    let name = "net.ipv4.ip_forward";
    let question =
        Ask::new(["sysctl", "-n", name]).reading([Thing::Object(format!("sysctl {name}"))]);
    FakeHost::new()
        .file("/etc/sysctl.conf", text)
        .answers(question, live)
}

const FORWARD: &str = "sysctl: {name: net.ipv4.ip_forward, value: yes";

fn sysctl() -> Vec<Expect> {
    let edit = |name: &str, args: &str, before: &str, after: &str| {
        case(name, &format!("{FORWARD}{args}}}"))
            .on(router(before, answered(0, "0")))
            .then("/etc/sysctl.conf", &format!("file = {after}"))
    };
    vec![
        edit("SCT-01 in the file", "", "a=1", "a=1\nnet.ipv4.ip_forward=1\n")
            .changes(["content", "net.ipv4.ip_forward: null -> \"1\""]),
        edit("SCT-02 it is there", "", "# net.ipv4.ip_forward = 0\nnet.ipv4.ip_forward = 1\n", "# net.ipv4.ip_forward = 0\nnet.ipv4.ip_forward = 1\n"),
        edit("another value", ", reload: false", "net.ipv4.ip_forward = 0\nx=1\n", "net.ipv4.ip_forward=1\nx=1\n")
            .changes(["content", "net.ipv4.ip_forward: \"0\" -> \"1\""]),
        edit("it stands twice", "", "net.ipv4.ip_forward=0\nx=1\nnet.ipv4.ip_forward=1\n", "net.ipv4.ip_forward=1\nx=1\n")
            .changes(["content", "net.ipv4.ip_forward"]),
        edit("SCT-03 it goes", ", state: absent", "x=1\n-net.ipv4.ip_forward=0\n", "x=1\n")
            .changes(["content", "net.ipv4.ip_forward: \"0\" -> null"]),
        case("it is gone", "sysctl: {name: a, state: absent, sysctl_file: /etc/no}").on(FakeHost::new()),
        case("SCT-04 another file", "ansible.posix.sysctl: {key: a.b, val: \"1  2\\t3\", sysctl_file: /etc/sysctl.d/a.conf, reload: false}")
            .on(FakeHost::new().dir("/etc/sysctl.d"))
            .changes(["content", "a.b"])
            .then("/etc/sysctl.d/a.conf", "file 0644 root:root = a.b=1 2 3\n"),
    ]
}

fn kernel() -> Vec<Expect> {
    let live = |name: &str, text: &str, has: Answered| {
        case(name, &format!("{FORWARD}, sysctl_set: true}}")).on(router(text, has))
    };
    let there = "net.ipv4.ip_forward=1\n";
    vec![
        live("SCT-05 the kernel has it", there, answered(0, "1")),
        live("the kernel has another", there, answered(0, "0")).changes(["kernel: \"0\" -> \"1\""]),
        live("both differ", "", answered(0, "0")).changes([
            "kernel",
            "content",
            "net.ipv4.ip_forward",
        ]),
        live("no such program", there, answered(127, "")).not_yet("the program `sysctl`"),
        case(
            "SCT-06 the kernel knows none",
            &format!("{FORWARD}, sysctl_set: true, ignoreerrors: true}}"),
        )
        .on(router(there, answered(255, ""))),
    ]
}

fn asked() -> Vec<Expect> {
    let getent = |argv: &[&str], thing: Thing, answer: Answered| {
        FakeHost::new().answers(Ask::new(argv.iter().copied()).reading([thing]), answer)
    };
    let app = || Thing::User("app".to_owned());
    vec![
        case("PNG-01 it answers", "ping:").gives("ping", "\"pong\""),
        case("PNG-02 what was asked for", "ping: {data: x}").gives("ping", "\"x\""),
        case("SLP-01 a file", "slurp: {path: /etc/f}")
            .on(FakeHost::new().file("/etc/f", "h\u{e9}\0\n"))
            .gives("content", "\"aMOpAAo=\"")
            .gives("encoding", "\"base64\"")
            .gives("source", "\"/etc/f\""),
        case("an empty file", "slurp: {src: /etc/f}")
            .on(FakeHost::new().file("/etc/f", ""))
            .gives("content", "\"\""),
        case("SLP-02 no file", "slurp: {src: /etc/no}").not_yet("the file `/etc/no`"),
        case("a directory", "slurp: {src: /etc}")
            .on(FakeHost::new().dir("/etc"))
            .refused("`/etc` is not a file: directory"),
        case("GNT-01 a user", "getent: {database: passwd, key: app}")
            .on(getent(
                &["getent", "passwd", "app"],
                app(),
                answered(0, "app:x:5:6::/srv:/bin/sh"),
            ))
            .gives(
                "ansible_facts.getent_passwd.app",
                r#"["x","5","6","","/srv","/bin/sh"]"#,
            ),
        case("GNT-02 nobody", "getent: {database: passwd, key: app}")
            .on(getent(&["getent", "passwd", "app"], app(), answered(2, "")))
            .not_yet("the entry `app` of `passwd`"),
        case(
            "nobody, and that is fine",
            "getent: {database: passwd, key: app, fail_key: false}",
        )
        .on(getent(&["getent", "passwd", "app"], app(), answered(2, "")))
        .gives("ansible_facts.getent_passwd.app", "null"),
        case(
            "GNT-03 all of them",
            "getent: {database: services, service: files, split: '/'}",
        )
        .on(getent(
            &["getent", "-s", "files", "services"],
            Thing::Everything,
            answered(0, "a 1/tcp\nb 2/tcp"),
        ))
        .gives(
            "ansible_facts.getent_services",
            r#"{"a 1":["tcp"],"b 2":["tcp"]}"#,
        ),
        case(
            "several lines of one name",
            "getent: {database: ahosts, key: web}",
        )
        .on(getent(
            &["getent", "ahosts", "web"],
            Thing::Everything,
            answered(0, "::1 STREAM web\n::1 DGRAM"),
        ))
        .gives(
            "ansible_facts.getent_ahosts",
            r#"{"::1":[["STREAM","web"],["DGRAM"]]}"#,
        ),
        case("GNT-04 no such database", "getent: {database: nonsense}")
            .on(getent(
                &["getent", "nonsense"],
                Thing::Everything,
                answered(1, ""),
            ))
            .refused("`nonsense` is no database"),
    ]
}

fn refusals() -> Vec<Expect> {
    let refused = |name: &str, yaml: &str, message: &str| case(name, yaml).refused(message);
    vec![
        refused("SCT-07 no value", "sysctl: {name: a}", "`value` is missing"),
        refused(
            "a name with a value",
            "sysctl: {name: a=b, value: 1}",
            "no name of a parameter",
        ),
        refused(
            "a name that is an option",
            "sysctl: {name: --system, value: 1}",
            "no name of a parameter",
        ),
        refused(
            "a name that leads out of what the kernel has",
            "sysctl: {name: kernel/../../etc/x, value: 1}",
            "no name of a parameter",
        ),
        refused(
            "a value of two lines",
            "sysctl: {name: a, value: \"1\\nb=2\"}",
            "more than one line",
        ),
        refused(
            "a key that is an option",
            "getent: {database: passwd, key: -s}",
            "begins with `-`",
        ),
        refused("no file", "slurp: {src: ''}", "`src` is empty"),
    ]
}
