//! `cron`.

use evenkeel_engine::{Secret, Value, fake::FakeHost};
use evenkeel_modules::cron::Crontab;

use crate::support::{Expect, case};

const JOB: &str = "#Ansible: logs\n30 3 * * * rm -f x\n";

fn host(text: Option<&str>) -> FakeHost {
    FakeHost::new()
        .dir("/etc/cron.d")
        .answers(Crontab(None), text.map(|text| text.as_bytes().to_vec()))
        .answers(Crontab(Some("app".to_owned())), None)
}

/// A case on `/etc/cron.d/f`, so that the text is seen.
fn file(name: &str, args: &str, before: &str, after: Option<&str>) -> Expect {
    let yaml = format!("cron: {{cron_file: f, user: app, {args}}}");
    let case = case(name, &yaml).on(host(None).file("/etc/cron.d/f", before));
    let text = after.unwrap_or(before);
    case.then("/etc/cron.d/f", &format!("file = {text}"))
}

pub(crate) fn cases() -> Vec<Expect> {
    [tables(), jobs(), variables(), refusals()].concat()
}

const LOGS: &str = "name: logs, minute: 30, hour: '3', job: rm -f x";

fn tables() -> Vec<Expect> {
    vec![
        case("CRN-01 the first job", &format!("cron: {{{LOGS}}}"))
            .on(host(None))
            .changes(["logs: null -> \"30 3 * * * rm -f x\""]),
        case("CRN-02 it is there", &format!("cron: {{{LOGS}}}")).on(host(Some(JOB))),
        case(
            "another time",
            "cron: {name: logs, special_time: daily, job: rm -f x}",
        )
        .on(host(Some(JOB)))
        .changes(["logs: \"30 3 * * * rm -f x\" -> \"@daily rm -f x\""]),
        case(
            "CRN-03 of another user",
            &format!("cron: {{user: app, {LOGS}}}"),
        )
        .on(host(Some(JOB)))
        .changes(["logs"]),
        case("CRN-04 it goes", "cron: {name: logs, state: absent}")
            .on(host(Some(JOB)))
            .changes(["logs: \"30 3 * * * rm -f x\" -> null"]),
        case("it is gone", "cron: {name: other, state: absent}").on(host(Some(JOB))),
        case("a secret job", "cron: {name: logs}")
            .on(host(Some(JOB)))
            .arg("job", Value::Secret(Secret::new("curl -u hunter22")))
            .changes(["logs: \"***\" -> \"***\""]),
    ]
}

fn jobs() -> Vec<Expect> {
    let job = "#Ansible: logs\n30 3 * * * app rm -f x\n";
    vec![
        case(
            "CRN-05 a new file",
            &format!("cron: {{cron_file: app, user: app, {LOGS}}}"),
        )
        .on(host(None))
        .changes(["content", "logs"])
        .then("/etc/cron.d/app", &format!("file 0644 root:root = {job}")),
        file(
            "a job among others",
            LOGS,
            "A=1\n#Ansible: x\n* * * * * app x\n",
            Some(&format!("A=1\n#Ansible: x\n* * * * * app x\n{job}")),
        )
        .changes(["content", "logs"]),
        file(
            "CRN-06 a job written by hand gets its mark",
            LOGS,
            "30 3 * * * app rm -f x\n",
            Some(job),
        )
        .changes(["content", "logs"]),
        file(
            "CRN-07 it does not run",
            &format!("{LOGS}, disabled: true"),
            job,
            Some("#Ansible: logs\n#30 3 * * * app rm -f x\n"),
        )
        .changes(["content", "logs"]),
        file(
            "CRN-08 at each start",
            "name: logs, special_time: reboot, job: \"x\\n\"",
            "",
            Some("#Ansible: logs\n@reboot app x\n"),
        )
        .changes(["content", "logs"]),
        file(
            "a mark without its job",
            LOGS,
            "#Ansible: logs\n#Ansible: x\n* * * * * app x\n",
            Some(&format!("{job}#Ansible: x\n* * * * * app x\n")),
        )
        .changes(["content", "logs"]),
        file(
            "hostile text",
            "name: \"$(id) 'q' ☃\", job: \"echo \\\"$(id)\\\" \\\\% ; 'x' é\"",
            "",
            Some("#Ansible: $(id) 'q' ☃\n* * * * * app echo \"$(id)\" \\% ; 'x' é\n"),
        )
        .changes(["content", "$(id) 'q' ☃"]),
        case(
            "CRN-09 the last job of a file goes",
            "cron: {cron_file: f, name: logs, state: absent}",
        )
        .on(host(None).file("/etc/cron.d/f", job))
        .changes(["logs", "file"])
        .then("/etc/cron.d/f", "nothing"),
        case("a file goes", "cron: {cron_file: f, state: absent}")
            .on(host(None).file("/etc/cron.d/f", "A=1\n"))
            .changes(["file"])
            .then("/etc/cron.d/f", "nothing"),
        case("a file is gone", "cron: {cron_file: f, state: absent}").on(host(None)),
        case(
            "a name that cron passes over",
            &format!("cron: {{cron_file: a.b, user: app, {LOGS}}}"),
        )
        .on(host(None))
        .changes(["content", "logs"])
        .warns("cron of Debian passes over `a.b`"),
    ]
}

fn variables() -> Vec<Expect> {
    vec![
        file(
            "CRN-10 a variable",
            "env: true, name: MAILTO, value: me",
            "* * * * * app x\n",
            Some("MAILTO=\"me\"\n* * * * * app x\n"),
        )
        .changes(["content", "MAILTO"]),
        file(
            "another value",
            "env: true, name: MAILTO, job: you",
            "MAILTO=me\n",
            Some("MAILTO=\"you\"\n"),
        )
        .changes(["content", "MAILTO: \"MAILTO=me\" -> \"MAILTO=\\\"you\\\"\""]),
        file(
            "after another",
            "env: true, name: B, job: '2', insertafter: A",
            "A=1\nC=3\n",
            Some("A=1\nB=\"2\"\nC=3\n"),
        )
        .changes(["content", "B"]),
        file(
            "before another",
            "env: true, name: B, job: '2', insertbefore: C",
            "A=1\nC=3\n",
            Some("A=1\nB=\"2\"\nC=3\n"),
        )
        .changes(["content", "B"]),
        file(
            "it goes",
            "env: true, name: A, state: absent",
            "A=1\nAB=3\n",
            Some("AB=3\n"),
        )
        .changes(["content", "A"]),
        file(
            "beside none",
            "env: true, name: B, job: '2', insertafter: Z",
            "A=1\n",
            None,
        )
        .refused("no variable `Z`"),
    ]
}

fn refusals() -> Vec<Expect> {
    let refused = |name: &str, args: &str, message: &str| {
        case(name, &format!("cron: {{{args}}}"))
            .on(host(None))
            .refused(message)
    };
    vec![
        refused(
            "CRN-11 the system's own",
            "cron_file: /etc//crontab, user: app, name: x, job: y",
            "the system's own",
        ),
        refused(
            "nobody runs it",
            "cron_file: x, name: x, job: y",
            "`cron_file` needs `user`",
        ),
        refused(
            "CRN-12 two times",
            "name: x, job: y, special_time: daily, minute: 3",
            "excludes the other times",
        ),
        refused(
            "no time",
            "name: x, job: y, hour: 24",
            "`hour: 24` is not understood by cron",
        ),
        refused(
            "a time of two fields",
            "name: x, job: y, hour: '1 2'",
            "is not understood by cron",
        ),
        refused(
            "a job of two lines",
            "name: x, job: \"y\\nz\"",
            "`job` is more than one line",
        ),
        refused(
            "a name of two lines",
            "name: \"x\\ny\", job: z",
            "more than one line",
        ),
        refused("no name", "job: z", "`name` is missing"),
        refused("no job", "name: z", "`job` is missing"),
        refused(
            "no variable",
            "env: true, name: 'A B', job: x",
            "no name for a variable",
        ),
        refused(
            "a backup of a table",
            "name: x, job: y, backup: true",
            "`backup` needs `cron_file`",
        ),
        refused(
            "another directory",
            "cron_file: ../x, user: a, name: x, job: y",
            "is no name of a file",
        ),
    ]
}
