//! `fetch`.

use evenkeel_engine::{
    fake::FakeHost,
    hex,
    keep::{Kept, KeptPlace},
    sha256,
};

use crate::support::{Expect, case};

/// Together, these set every argument there is, none to its default.
pub(crate) const SAMPLES: &[&str] = &[
    "fetch: {src: /a/b, dest: /d, host: web1, fail_on_missing: false, validate_checksum: true}",
    "fetch: {src: /a/b, dest: /d/e, flat: true}",
];

fn host() -> FakeHost {
    FakeHost::new().file("/etc/app.conf", "port = 80\n")
}

fn sum(text: &str) -> String {
    format!("\"{}\"", hex(&sha256(text.as_bytes())))
}

pub(crate) fn cases() -> Vec<Expect> {
    [kept(), missing(), places(), refused()].concat()
}

fn kept() -> Vec<Expect> {
    let task = "fetch: {src: /etc/app.conf, dest: /kept, host: web1}";
    let now = hex(&sha256(b"port = 80\n")[..6]);
    let old = hex(&sha256(b"port = 8\n")[..6]);
    vec![
        case("FE-01 what is not there is fetched", task)
            .on(host())
            .changes([&format!("/kept/web1/etc/app.conf: null -> {now:?}")])
            .gives("dest", "\"/kept/web1/etc/app.conf\"")
            .gives("file", "\"/etc/app.conf\"")
            .gives("checksum", &sum("port = 80\n"))
            .gives("remote_checksum", &sum("port = 80\n"))
            .gives("msg", "nothing"),
        case("FE-02 what is the same is left", task)
            .on(host().kept("/kept", "web1/etc/app.conf", "port = 80\n"))
            .gives("checksum", &sum("port = 80\n")),
        case("FE-03 what differs is fetched again", task)
            .on(host().kept("/kept", "web1/etc/app.conf", "port = 8\n"))
            .changes([&format!("/kept/web1/etc/app.conf: {old:?} -> {now:?}")]),
        case("an empty file", "fetch: {src: /e, dest: /kept, host: web1}")
            .on(FakeHost::new().file("/e", ""))
            .changes(["/kept/web1/e"])
            .gives("checksum", &sum("")),
        case(
            "a link to a file",
            "fetch: {src: /l, dest: /kept, host: web1}",
        )
        .on(host().link("/l", "/etc/app.conf"))
        .changes(["/kept/web1/l"])
        .gives("checksum", &sum("port = 80\n")),
        case("without a host", "fetch: {src: /etc/app.conf, dest: /kept}")
            .on(host())
            .changes(["/kept/etc/app.conf"]),
        case(
            "a name like any other",
            "fetch: {src: \"/srv/a 'b' $(id)\\n\u{2603}\", dest: /kept, host: web1}",
        )
        .on(FakeHost::new().file("/srv/a 'b' $(id)\n\u{2603}", "x"))
        .changes(["/kept/web1/srv/a 'b' $(id)\n\u{2603}"]),
    ]
}

fn missing() -> Vec<Expect> {
    vec![
        case(
            "FE-04 no file",
            "fetch: {src: /etc/no, dest: /kept, host: web1}",
        )
        .not_yet("the file `/etc/no`"),
        case(
            "FE-05 no file, and that is borne",
            "fetch: {src: /etc/no, dest: /kept, host: web1, fail_on_missing: no}",
        )
        .gives("msg", "\"`/etc/no` is not there, and that is borne\"")
        .gives("dest", "\"/kept/web1/etc/no\"")
        .gives("checksum", "nothing"),
        case(
            "what is kept of it stays",
            "fetch: {src: /etc/no, dest: /kept, host: web1, fail_on_missing: no}",
        )
        .on(FakeHost::new().kept("/kept", "web1/etc/no", "old"))
        .gives("checksum", "nothing"),
        case(
            "FE-06 a directory",
            "fetch: {src: /etc, dest: /kept, host: web1, fail_on_missing: no}",
        )
        .refused("`/etc` is not a file: directory"),
    ]
}

fn places() -> Vec<Expect> {
    let conf = |dest: &str| format!("fetch: {{src: /etc/app.conf, dest: {dest}, flat: yes}}");
    let told = |name: &str, dest: &str, path: &str| {
        case(name, &conf(dest))
            .on(host())
            .changes([path])
            .gives("dest", &format!("{path:?}"))
    };
    vec![
        told("FE-07 flat: the file itself", "/kept/mine", "/kept/mine"),
        told(
            "FE-08 flat: in a directory, under its name",
            "/kept/all/",
            "/kept/all/app.conf",
        ),
        told("flat: at the root", "/mine", "/mine"),
        told("flat: here", "mine", "./mine"),
        case(
            "a slash more or less",
            "fetch: {src: //etc/./app.conf, dest: /kept/, host: web1}",
        )
        .on(host())
        .changes(["/kept/web1/etc/app.conf"]),
        case(
            "FE-09 nothing can be there",
            "fetch: {src: /etc/app.conf, dest: /kept/dir, flat: yes}",
        )
        .on(host().always(
            Kept(KeptPlace {
                dir: "/kept".to_owned(),
                name: "dir".to_owned(),
            }),
            Err("it is a directory".to_owned()),
        ))
        .no_run("what is kept is not asked of the host there")
        .refused("nothing can be kept at `/kept/dir`: it is a directory"),
    ]
}

fn refused() -> Vec<Expect> {
    let no = |name: &str, args: &str, message: &str| {
        case(name, &format!("fetch: {{{args}}}")).refused(message)
    };
    vec![
        no(
            "FE-10 a way out of the directory",
            "src: /etc/../../x, dest: /kept, host: web1",
            "`src` has a `..` in it",
        ),
        no(
            "a host that leads out",
            "src: /etc/x, dest: /kept, host: ..",
            "`..` is no name of a directory",
        ),
        no(
            "a host that is a path",
            "src: /etc/x, dest: /kept, host: a/b",
            "`a/b` is no name of a directory",
        ),
        no(
            "FE-11 no name",
            "src: /etc/, dest: /kept/, flat: yes",
            "`src` names no file: `/etc/`",
        ),
        no(
            "a way up is no name",
            "src: /etc/.., dest: /kept/, flat: yes",
            "`src` names no file: `/etc/..`",
        ),
        no(
            "no place",
            "src: /etc/x, dest: '', host: a",
            "`dest` is empty",
        ),
        no(
            "a place without a name",
            "src: /etc/x, dest: /kept/.., flat: yes",
            "`dest` names no file: `/kept/..`",
        ),
        no(
            "FE-12 the checksum is always looked at",
            "src: /etc/x, dest: /kept, host: a, validate_checksum: no",
            "`validate_checksum` cannot be turned off",
        ),
    ]
}
