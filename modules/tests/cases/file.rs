//! `file`.

use crate::support::{Expect, below, case};
use evenkeel_engine::fake::{FakeHost, ok};

/// Together, these set every argument there is, none to its default.
pub(crate) const SAMPLES: &[&str] = &[
    "file: {path: /f, state: directory, owner: app, group: web, mode: 'u=rw,go=r', src: /s, \
     force: true, follow: false, recurse: true, modification_time: '202001010000.00', \
     access_time: now}",
];

fn host() -> FakeHost {
    FakeHost::new()
        .user("app", 1000)
        .dir("/srv")
        .file("/srv/f", "text\n")
        .dir("/srv/d")
}

pub(crate) fn cases() -> Vec<Expect> {
    [
        states(),
        gone(),
        touched(),
        attributes(),
        recursive(),
        links(),
        links_in_the_way(),
        hard_links(),
        times(),
    ]
    .concat()
}

fn states() -> Vec<Expect> {
    vec![
        case(
            "FIL-01 each missing level is made and gets the mode",
            "file: {path: /srv/a/b, state: directory, mode: '0750', owner: app}",
        )
        .on(host())
        .changes([
            "directory: null -> \"/srv/a\"",
            "directory: null -> \"/srv/a/b\"",
        ])
        .then("/srv", "directory 0755 root:root")
        .then("/srv/a", "directory 0750 app:root")
        .then("/srv/a/b", "directory 0750 app:root"),
        case(
            "a directory that is there",
            "file: {dest: /srv/d/, state: directory}",
        )
        .on(host()),
        case(
            "a directory behind a link",
            "file: {path: /srv/l, state: directory, mode: '0700'}",
        )
        .rounds(2, "the link, then what it leads to")
        .on(host().link("/srv/l", "d"))
        .changes(["mode: \"0755\" -> \"0700\""])
        .then("/srv/l", "link -> d")
        .then("/srv/d", "directory 0700 root:root"),
        case(
            "FIL-02 a directory where a file is",
            "file: {path: /srv/f, state: directory}",
        )
        .on(host())
        .refused("`/srv/f` is a file, not a directory"),
        case(
            "a directory below a file",
            "file: {path: /srv/f/a/b, state: directory}",
        )
        .on(host())
        .refused("`/srv/f` is a file"),
    ]
}

fn gone() -> Vec<Expect> {
    vec![
        case("FIL-03 a file goes", "file: {path: /srv/f, state: absent}")
            .on(host())
            .changes(["removed: \"file\" -> null"])
            .then("/srv/f", "nothing")
            .gives("state", "\"absent\""),
        case(
            "a directory goes with what is in it",
            "file: {path: /srv/d, state: absent}",
        )
        .on(host().file("/srv/d/a/b", ""))
        .changes(["removed: \"directory\" -> null"])
        .then("/srv/d", "nothing"),
        case(
            "what is gone stays so",
            "file: {path: /srv/no/such, state: absent}",
        )
        .on(host()),
        case(
            "FIL-04 a link goes alone",
            "file: {path: /srv/l, state: absent}",
        )
        .on(host().link("/srv/l", "/srv/f"))
        .changes(["removed: \"link\" -> null"])
        .then("/srv/l", "nothing")
        .then("/srv/f", "file"),
        case("the root stays", "file: {path: //, state: absent}").refused("`/` cannot be removed"),
    ]
}

fn touched() -> Vec<Expect> {
    vec![
        case(
            "FIL-05 a file must be there",
            "file: {path: /srv/no, state: file}",
        )
        .on(host())
        .not_yet("the file `/srv/no`"),
        case(
            "without a state a file must be there",
            "file: {path: /srv/no, mode: '0600'}",
        )
        .on(host())
        .not_yet("the file `/srv/no`"),
        case("a file must be a file", "file: {path: /srv/d, state: file}")
            .on(host())
            .refused("`/srv/d` is a directory, not a file"),
        case(
            "FIL-06 touch makes a file",
            "file: {path: /srv/new, state: touch, mode: '0600'}",
        )
        .on(host())
        .changes(["file: null -> \"/srv/new\""])
        .then("/srv/new", "file 0600 root:root = "),
        case("touch sets the times", "file: {path: /srv/f, state: touch}")
            .on(host())
            .changes(["access time", "modification time"])
            .then("/srv/f", "file 0644 root:root = text\n"),
        case(
            "touch with both times preserved is quiet",
            "file: {path: /srv/f, state: touch, mode: '0644', access_time: preserve, \
             modification_time: preserve}",
        )
        .on(host()),
        case(
            "FIL-07 touch for an owner who is not there",
            "file: {path: /srv/n, state: touch, owner: nn}",
        )
        .on(host())
        .not_yet("the user `nn`"),
        case(
            "FIL-24 an owner may be made by an earlier task",
            "file: {path: /srv/f, owner: nobody1}",
        )
        .on(host())
        .not_yet("the user `nobody1`"),
        case(
            "a group may be made by an earlier task",
            "file: {path: /srv/f, group: gg}",
        )
        .on(host())
        .not_yet("the group `gg`"),
        case(
            "relative paths start at home",
            "file: {path: notes, state: directory}",
        )
        .rounds(2, "the home directory, then the paths below it")
        .on(host())
        .changes(["directory: null -> \"/root/notes\""]),
        case("a tilde is home", "file: {path: ~/notes, state: directory}")
            .rounds(2, "the home directory, then the paths below it")
            .on(host())
            .changes(["directory: null -> \"/root/notes\""]),
        case("an unknown argument", "file: {path: /srv, stat: directory}")
            .refused("there is no argument `stat`"),
        case(
            "FIL-25 SELinux is refused",
            "file: {path: /srv, setype: etc_t}",
        )
        .refused("not supported: set it with a task of `command`"),
    ]
}

fn attributes() -> Vec<Expect> {
    let steps = [
        ("0644", "u=rwx,g=rwx,o=rwx", "0777"),
        ("0777", "a=r", "0444"),
        ("0444", "u+w", "0644"),
        ("0777", "o-wx", "0774"),
        ("0444", "o+t", "1444"),
        ("0444", "g+s", "2444"),
        ("0444", "u+s", "4444"),
        ("4444", "u-s", "0444"),
    ];
    let mut cases: Vec<Expect> = steps
        .into_iter()
        .map(|(before, mode, after)| {
            let bits = u32::from_str_radix(before, 8).expect("octal");
            let name = format!("FIL-09 {mode}");
            case(&name, &format!("file: {{path: /srv/f, mode: '{mode}'}}"))
                .on(host().mode("/srv/f", bits))
                .changes([&*format!("mode: \"{before}\" -> \"{after}\"")])
                .then("/srv/f", &format!("file {after} root:root = text\n"))
        })
        .collect();
    cases.extend([
        case(
            "FIL-08 octal",
            "file: {path: /srv/f, state: file, mode: '600'}",
        )
        .on(host())
        .changes(["mode: \"0644\" -> \"0600\""])
        .then("/srv/f", "file 0600 root:root")
        .gives("mode", "\"0600\""),
        case("octal in its state", "file: {path: /srv/f, mode: '0644'}").on(host()),
        case("a number is no mode", "file: {path: /srv/f, mode: 644}").refused("quote it"),
        case(
            "FIL-10 owner by name",
            "file: {path: /srv/f, owner: app, group: app}",
        )
        .on(host())
        .changes(["owner: \"root\" -> \"app\"", "group: \"root\" -> \"app\""])
        .then("/srv/f", "file 0644 app:app"),
        case(
            "owner by number",
            "file: {path: /srv/f, owner: 1000, group: '1000'}",
        )
        .on(host())
        .changes(["owner", "group"])
        .then("/srv/f", "file 0644 app:app"),
        case(
            "owner by number in its state",
            "file: {path: /srv/f, owner: 1000}",
        )
        .on(host().owned("/srv/f", "app", "app")),
        case(
            "setuid survives a new owner",
            "file: {path: /srv/f, owner: app, mode: '4755'}",
        )
        .on(host().mode("/srv/f", 0o4755))
        .changes(["owner"])
        .then("/srv/f", "file 4755 app:root"),
    ]);
    cases
}

/// A directory with a directory, a file, and a link that leads nowhere.
fn tree() -> FakeHost {
    below(
        host()
            .dir("/srv/d/sub")
            .file("/srv/d/sub/run", "")
            .link("/srv/d/gone", "/nowhere"),
    )
}

fn recursive() -> Vec<Expect> {
    vec![
        case(
            "FIL-11 recurse reaches all that is below",
            "file: {path: /srv/d, state: directory, recurse: true, owner: app, group: app}",
        )
        .on(tree())
        .changes([
            "owner: \"root\" -> \"app\"",
            "group: \"root\" -> \"app\"",
            "owner below: \"3 differ\" -> \"app\"",
            "group below: \"3 differ\" -> \"app\"",
        ])
        .then("/srv/d/sub/run", "file 0644 app:app")
        .then("/srv/f", "file 0644 root:root"),
        case(
            "FIL-12 a dangling link below is no trouble",
            "file: {path: /srv/d, recurse: yes, mode: '0700'}",
        )
        .on(tree())
        .changes([
            "mode: \"0755\" -> \"0700\"",
            "mode below: \"2 differ\" -> \"0700\"",
        ])
        .then("/srv/d/sub/run", "file 0700 root:root")
        .then("/srv/d/gone", "link -> /nowhere"),
        case(
            "recurse with a symbolic mode asks chmod",
            "file: {path: /srv/d, recurse: yes, mode: 'u=rwX,go='}",
        )
        .on(tree().program("chmod", |world, call| {
            assert_eq!(call.args(), ["-R", "--", "u=rwX,go=", "/srv/d"]);
            world.chmod("/srv/d/sub", 0o700);
            world.chmod("/srv/d/sub/run", 0o600);
            ok("")
        }))
        .changes(["mode", "mode below"])
        .then("/srv/d/sub/run", "file 0600 root:root"),
        case(
            "nothing below differs",
            "file: {path: /srv/d, recurse: true, owner: root}",
        )
        .on(tree()),
        case(
            "without recurse what is below stays",
            "file: {path: /srv/d, owner: app}",
        )
        .on(tree())
        .changes(["owner"])
        .then("/srv/d/sub/run", "file 0644 root:root"),
        case(
            "recurse is for directories",
            "file: {path: /srv/d, state: absent, recurse: true}",
        )
        .refused("`recurse` goes with `state: directory` only"),
    ]
}

fn links() -> Vec<Expect> {
    vec![
        case(
            "FIL-13 a link is made",
            "file: {path: /srv/l, src: f, state: link}",
        )
        .on(host())
        .changes(["link: null -> \"f\""])
        .then("/srv/l", "link -> f")
        .gives("src", "\"f\""),
        case(
            "a link gets another target",
            "file: {path: /srv/l, src: /srv/d, state: link}",
        )
        .on(host().link("/srv/l", "f"))
        .changes(["link: \"f\" -> \"/srv/d\""])
        .then("/srv/l", "link -> /srv/d"),
        case(
            "FIL-14 a link to nothing",
            "file: {path: /srv/l, src: gone, state: link}",
        )
        .on(host())
        .not_yet("`/srv/gone`, which the link points to"),
        case(
            "a link to nothing by force",
            "file: {path: /srv/l, src: gone, state: link, force: true}",
        )
        .on(host())
        .changes(["link: null -> \"gone\""]),
        case(
            "FIL-15 a link where a file is",
            "file: {path: /srv/f, src: d, state: link}",
        )
        .on(host())
        .refused("`/srv/f` is a file, not a link"),
        case(
            "a link where a file is, by force",
            "file: {path: /srv/f, src: d, state: link, force: true}",
        )
        .on(host())
        .changes(["link: null -> \"d\""])
        .then("/srv/f", "link -> d"),
    ]
}

fn links_in_the_way() -> Vec<Expect> {
    vec![
        case(
            "FIL-16 a link where a full directory is",
            "file: {path: /srv/d, src: f, state: link, force: true}",
        )
        .on(host().file("/srv/d/x", ""))
        .refused("`/srv/d` is not empty"),
        case(
            "a link where an empty directory is, by force",
            "file: {path: /srv/d, src: f, state: link, force: true}",
        )
        .on(host())
        .changes(["link: null -> \"f\""])
        .then("/srv/d", "link -> f"),
        case("FIL-17 src without a link", "file: {path: /srv/l, src: f}")
            .refused("`src` goes with `state: link` and `state: hard` only"),
        case("a link without src", "file: {path: /srv/l, state: link}")
            .on(host())
            .refused("`src` is missing"),
        case(
            "FIL-18 the mode of a link is its target's",
            "file: {path: /srv/l, src: f, state: link, mode: '0600'}",
        )
        .on(host().link("/srv/l", "f"))
        .changes(["mode"])
        .then("/srv/f", "file 0600 root:root"),
        case(
            "with follow: false the target stays",
            "file: {path: /srv/l, src: f, state: link, mode: '0600', owner: app, follow: false}",
        )
        .on(host().link("/srv/l", "f"))
        .changes(["owner"])
        .then("/srv/f", "file 0644 root:root"),
        case(
            "a new link with an owner of its own",
            "file: {path: /srv/l, src: f, state: link, owner: app, follow: false}",
        )
        .on(host())
        .changes(["link", "owner"])
        .then("/srv/f", "file 0644 root:root"),
        case(
            "FIL-19 a relative target stays",
            "file: {path: /srv/l, src: ../srv/f, state: link}",
        )
        .on(host().link("/srv/l", "../srv/f")),
    ]
}

fn hard_links() -> Vec<Expect> {
    vec![
        case(
            "FIL-20 a hard link is made",
            "file: {path: /srv/h, src: /srv/f, state: hard}",
        )
        .on(host())
        .changes(["hard link: null -> \"/srv/f\""])
        .then("/srv/h", "file 0644 root:root = text\n"),
        case(
            "a hard link to nothing",
            "file: {path: /srv/h, src: /srv/no, state: hard}",
        )
        .on(host())
        .not_yet("`/srv/no`, which the hard link points to"),
        case(
            "a hard link where another file is",
            "file: {path: /srv/h, src: /srv/f, state: hard}",
        )
        .on(host().file("/srv/h", "other"))
        .refused("`/srv/h` is another file"),
        case(
            "a hard link by force",
            "file: {path: /srv/h, src: /srv/f, state: hard, force: true}",
        )
        .on(host().file("/srv/h", "other"))
        .changes(["hard link"])
        .then("/srv/h", "file 0644 root:root = text\n"),
        case(
            "a hard link is absolute",
            "file: {path: /srv/h, src: f, state: hard}",
        )
        .refused("must be an absolute path"),
    ]
}

fn times() -> Vec<Expect> {
    vec![
        case("FIL-23 a time is set", "file: {path: /srv/f, modification_time: '202001010000.00'}")
            .on(host())
            .changes(["modification time"]),
        case("a time is set in a new file", "file: {path: /srv/n, state: touch, access_time: preserve, modification_time: 202001010000.00}")
            .on(host())
            .changes(["file"]),
        case("a time through a link", "file: {path: /srv/l, state: touch, access_time: preserve, modification_time: '202001010000.00'}").rounds(2, "the link, then what it leads to")
            .on(host().link("/srv/l", "f"))
            .changes(["modification time"]),
        case("the times of a link", "file: {path: /srv/l, state: link, src: f, access_time: now}")
            .refused("times go with files and directories only"),
        case("a time that is none", "file: {path: /srv/f, access_time: yesterday}")
            .refused("`yesterday` is no time"),
    ]
}
