//! `mount`: what it decides. What the kernel makes of it is in the lab's tests.

use evenkeel_engine::{fake::FakeHost, testing::Law};
use evenkeel_modules::mount::{Live, Mounted, What};

use crate::support::{Expect, case};

/// Together, these set every argument there is, none to its default.
pub(crate) const SAMPLES: &[&str] = &[
    "mount: {path: /m, src: a, fstype: ext4, opts: ro, dump: '1', passno: 2, state: present, fstab: /f, boot: false, \
     backup: true, opts_no_log: true}",
];

const FSTAB: &str = "# ours\n/dev/a / ext4 defaults 0 1\n/dev/b none swap sw 0 0\n";
const LINE: &str = "tmpfs /m tmpfs size=64m 0 0\n";

/// A host on which nothing is mounted at `/m`.
fn host(fstab: &str) -> FakeHost {
    FakeHost::new()
        .file("/etc/fstab", fstab)
        .answers(Mounted("/m".to_owned()), false)
        .answers(Live("/m".to_owned()), None)
}

fn with(fstab: &str, options: &str) -> FakeHost {
    let what = What {
        root: "/".to_owned(),
        fstype: "tmpfs".to_owned(),
        source: "tmpfs".to_owned(),
        options: options.split(',').map(str::to_owned).collect(),
    };
    host(fstab)
        .dir("/m")
        .answers(Mounted("/m".to_owned()), true)
        .answers(Live("/m".to_owned()), Some(what))
}

fn task(state: &str, more: &str) -> String {
    format!("mount: {{path: /m, src: tmpfs, fstype: tmpfs, opts: size=64m, state: {state}{more}}}")
}

fn all(line: &str) -> String {
    format!("{FSTAB}{line}")
}

const OPTIONS: &str = "rw,relatime,rw,size=65536k";
const NEW: &str = "line of `/etc/fstab`: null -> \"tmpfs /m tmpfs size=64m 0 0\"";
const UP: &str = "mount at `/m`: null -> \"tmpfs\"";
const DOWN: &str = "mount at `/m`: \"tmpfs\" -> null";
const GONE: &str = "line of `/etc/fstab`: \"tmpfs /m tmpfs size=64m 0 0\" -> null";

pub(crate) fn cases() -> Vec<Expect> {
    [mounted(), lines(), others(), refusals()].concat()
}

fn mounted() -> Vec<Expect> {
    vec![
        case("MNT-01 new", &task("mounted", ""))
            .on(host(FSTAB))
            .changes([NEW, "directory", UP])
            .then(
                "/etc/fstab",
                &format!("file 0644 root:root = {}", all(LINE)),
            )
            .gives("mounted", "true"),
        case("MNT-01 in its state", &task("mounted", "")).on(with(&all(LINE), OPTIONS)),
        case("MNT-02 only not mounted", &task("mounted", ""))
            .on(host(&all(LINE)).dir("/m"))
            .changes([UP]),
        case("MNT-03 the kernel has other options", &task("mounted", ""))
            .on(with(&all(LINE), "rw,size=1024k"))
            .changes(["options of `/m`: \"rw,size=1024k\" -> \"size=64m\""]),
        case("MNT-04 ephemeral", &task("ephemeral", ""))
            .on(host(FSTAB).dir("/m"))
            .changes([UP])
            .then("/etc/fstab", &format!("file = {FSTAB}")),
        case("MNT-04 ephemeral, in its state", &task("ephemeral", "")).on(with(FSTAB, OPTIONS)),
        case(
            "MNT-05 something else is there",
            "mount: {path: /m, src: 'nfs:/x', fstype: nfs, state: ephemeral}",
        )
        .on(with(FSTAB, OPTIONS))
        .refused("at `/m` something else is mounted: `tmpfs` (tmpfs)"),
        case("MNT-06 remounted", &task("remounted", ""))
            .on(with(FSTAB, OPTIONS))
            .changes(["mount at `/m`: null -> \"remounted\""]),
        case("MNT-06 nothing to remount", &task("remounted", ""))
            .on(host(FSTAB))
            .not_yet("a mount at `/m` that can be remounted"),
    ]
}

fn lines() -> Vec<Expect> {
    let present = |name: &str, before: &str, after: &str, told: &str| {
        case(name, &task("present", ""))
            .on(host(before))
            .changes([told])
            .then("/etc/fstab", &format!("file = {after}"))
    };
    vec![
        present("MNT-07 present", FSTAB, &all(LINE), NEW),
        present(
            "MNT-08 a file without its last newline",
            FSTAB.trim_end(),
            &all(LINE),
            NEW,
        ),
        present(
            "MNT-09 another line",
            &format!("tmpfs\t/m/ tmpfs defaults\n{FSTAB}"),
            &format!("{LINE}{FSTAB}"),
            "line of `/etc/fstab`: \"tmpfs /m/ tmpfs defaults 0 0\" -> \"tmpfs /m tmpfs size=64m 0 0\"",
        ),
        case("MNT-09 the same, written otherwise", &task("present", ""))
            .on(host(&all("tmpfs\t/m  tmpfs\tsize=64m\n"))),
        case("MNT-10 not at the start", &task("present", ", boot: false"))
            .on(host(FSTAB))
            .changes(["line of `/etc/fstab`"])
            .then(
                "/etc/fstab",
                &format!("file = {}", all("tmpfs /m tmpfs size=64m,noauto 0 0\n")),
            ),
        case(
            "MNT-11 a space",
            "mount: {path: /m, src: /a b, fstype: none, opts: bind, state: present}",
        )
        .on(host(FSTAB))
        .changes(["line of `/etc/fstab`"])
        .then(
            "/etc/fstab",
            &format!("file = {}", all("/a\\040b /m none bind 0 0\n")),
        ),
        case("MNT-12 no file", &task("present", ""))
            .on(FakeHost::new().dir("/etc"))
            .changes([NEW])
            .then("/etc/fstab", &format!("file 0644 root:root = {LINE}")),
        case(
            "MNT-13 another area of swap",
            "mount: {path: none, src: /dev/c, fstype: swap, opts: sw, state: present}",
        )
        .on(host(FSTAB))
        .changes(["line of `/etc/fstab`: null -> \"/dev/c none swap sw 0 0\""]),
        case(
            "MNT-13 the same area",
            "mount: {path: none, src: /dev/b, fstype: swap, opts: sw, state: present}",
        )
        .on(host(FSTAB)),
        case(
            "MNT-13 an area goes",
            "mount: {path: none, src: /dev/b, fstype: swap, state: absent}",
        )
        .on(host(FSTAB))
        .changes(["line of `/etc/fstab`: \"/dev/b none swap sw 0 0\" -> null"]),
        case("MNT-14 systemd hears of it", &task("present", ""))
            .on(host(FSTAB)
                .dir("/run/systemd/system")
                .program("systemctl", |world, call| {
                    world.note("told", call.args().join(" "));
                    evenkeel_engine::fake::ok("")
                }))
            .changes([NEW])
            .without(Law::Cut, "that it was cut off the ledger says, which this law has none of: `every_case_in_a_run` shows it"),
    ]
}

fn others() -> Vec<Expect> {
    vec![
        case("MNT-15 unmounted", "mount: {path: /m, state: unmounted}")
            .on(with(&all(LINE), OPTIONS))
            .changes([DOWN])
            .then("/etc/fstab", &format!("file = {}", all(LINE))),
        case(
            "MNT-15 unmounted, in its state",
            "mount: {path: /m, state: unmounted}",
        )
        .on(host(&all(LINE))),
        case("MNT-16 absent", "mount: {path: /m, state: absent}")
            .on(with(&all(LINE), OPTIONS))
            .changes([GONE, DOWN, "directory: \"/m\" -> null"])
            .then("/etc/fstab", &format!("file = {FSTAB}")),
        case(
            "MNT-16 absent, in its state",
            "mount: {path: /m, state: absent}",
        )
        .on(host(FSTAB)),
        case(
            "MNT-17 only from the file",
            "mount: {path: /m, state: absent_from_fstab}",
        )
        .on(with(&all(LINE), OPTIONS))
        .changes([GONE]),
    ]
}

fn refusals() -> Vec<Expect> {
    let refused =
        |name: &str, args: &str, why: &str| case(name, &format!("mount: {{{args}}}")).refused(why);
    vec![
        refused(
            "a relative path",
            "path: m, state: unmounted",
            "`path: m` is not absolute",
        ),
        refused(
            "from nowhere",
            "path: /m, fstype: tmpfs, state: mounted",
            "`src` is missing",
        ),
        refused(
            "of no kind",
            "path: /m, src: a, state: present",
            "`fstype` is missing",
        ),
        refused(
            "the root",
            "path: /, state: absent",
            "the root of the host cannot be unmounted",
        ),
        refused(
            "options with a space",
            "path: /m, src: a, fstype: b, opts: 'a, b', state: present",
            "`opts` is empty, or holds a space",
        ),
        refused(
            "swap is not mounted",
            "path: none, src: a, fstype: swap, state: mounted",
            "swap is not mounted",
        ),
        refused(
            "which swap",
            "path: none, fstype: swap, state: absent",
            "`src` is missing",
        ),
        case("a file is there", &task("mounted", ""))
            .on(host(&all(LINE)).file("/m", ""))
            .refused("`/m` is not a directory: file"),
        case("no root", &task("present", ""))
            .on(host(FSTAB).user("app", 1001).login("app"))
            .refused("only root may mount"),
    ]
}
