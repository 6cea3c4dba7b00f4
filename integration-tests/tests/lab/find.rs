//! `find` and `tempfile` on a real host, among names that are hostile.

use evenkeel_integration_tests::{Ended, Lab, need_lab};

const MADE: &str = r#"
mkdir -p /srv/f/deep/deeper /srv/f/.hidden && cd /srv/f
printf 12345 >a.log; printf 1 >'b $(touch pwned).log'; : >"$(printf 'line\nbreak.log')"; : >-rf; : >'[a-z]'; : >'ü.txt'
: >.secret; : >.hidden/in; printf x >deep/c.log; : >deep/deeper/d.log; ln -s /srv/f/a.log link; ln -s deep linked
touch -d '3 days ago' a.log
"#;

/// Its arguments, and what it finds: names below `/srv/f`, with `|` between them.
const FOUND: [(&str, &str); 20] = [
    (
        "",
        "-rf|[a-z]|a.log|b $(touch pwned).log|line\nbreak.log|ü.txt",
    ),
    (
        ", patterns: '*.log'",
        "a.log|b $(touch pwned).log|line\nbreak.log",
    ),
    (", patterns: ['-*', '[[]*']", "-rf|[a-z]"),
    (
        ", patterns: '*.log', excludes: '*$(*'",
        "a.log|line\nbreak.log",
    ),
    (
        ", patterns: '*.log', recurse: true, depth: 2",
        "a.log|b $(touch pwned).log|deep/c.log|line\nbreak.log",
    ),
    (
        ", patterns: '?.log', recurse: true",
        "a.log|deep/c.log|deep/deeper/d.log",
    ),
    (
        ", patterns: '^[a-d]\\.log$', use_regex: true, recurse: true",
        "a.log|deep/c.log|deep/deeper/d.log",
    ),
    (", patterns: '.*', hidden: true", ".secret"),
    (", contains: '12[0-9]+$'", "a.log"),
    (
        ", contains: '\\d\\Z', read_whole_file: true",
        "a.log|b $(touch pwned).log",
    ),
    (", patterns: in, hidden: true, recurse: true", ".hidden/in"),
    (", patterns: in, recurse: true", ""),
    (", file_type: directory", "deep"),
    (
        ", file_type: directory, recurse: true, hidden: true",
        ".hidden|deep|deep/deeper",
    ),
    (", file_type: link", "link|linked"),
    (
        ", patterns: c.log, recurse: true, follow: true",
        "deep/c.log|linked/c.log",
    ),
    (", age: 2d", "a.log"),
    (", age: -2d, patterns: '*.txt'", "ü.txt"),
    (", size: 2", "a.log"),
    (
        ", size: -1, patterns: '*.log'",
        "b $(touch pwned).log|line\nbreak.log",
    ),
];

#[test]
#[ignore = "needs root and a lab"]
fn files_are_found_and_names_made() {
    if !need_lab() {
        return;
    }
    let lab = Lab::plan().host("one").boot();
    lab.host("one").sh(MADE);
    finds(&lab);
    makes(&lab);
    fails(&lab);
}

fn tasks(lab: &Lab, text: &str) -> Ended {
    lab.tasks(&format!("become: true\ntasks:\n{text}"));
    lab.run(&[])
}

fn finds(lab: &Lab) {
    let one = |(number, (args, _)): (usize, &(&str, &str))| {
        format!(
            "- find: {{paths: /srv/f{args}}}\n  register: found\n\
             - copy: {{dest: /srv/found-{number}, content: \"{{{{ found.files | map(attribute='path') | join('|') }}}}\"}}\n"
        )
    };
    let text: String = FOUND.iter().enumerate().map(one).collect();
    tasks(lab, &text).ok();
    let host = lab.host("one");
    for (number, (args, names)) in FOUND.iter().enumerate() {
        let found = host.sh(&format!("cat /srv/found-{number}"));
        assert_eq!(found.replace("/srv/f/", ""), *names, "{args}");
    }
    assert!(host.is("! test -e /pwned && ! test -e /srv/f/pwned"));
    lab.run(&[]).ok().changed(0);
}

const MAKES: &str = "
- tempfile: {path: /srv/t, prefix: 'a $(touch pwned) ', suffix: ' é.log'}
- tempfile: {path: /srv/t, prefix: '-d', state: directory}
- tempfile:
";

fn makes(lab: &Lab) {
    let host = lab.host("one");
    host.sh("mkdir /srv/t");
    lab.tasks(&format!("become: true\ntasks:\n{MAKES}"));
    lab.plan(&[]).ok().changed(3);
    assert_eq!(host.sh("ls -A /srv/t"), "");
    lab.run(&[]).ok().changed(3);
    let made = || {
        host.sh("cd /srv/t; stat -c '%n %a %F' -- * | sed 's/[A-Za-z0-9]\\{8\\}\\( [é67]\\)/XXXXXXXX\\1/'")
    };
    let (dir, file) = (
        "-dXXXXXXXX 700 directory\n",
        "a $(touch pwned) XXXXXXXX é.log 600 regular empty file\n",
    );
    assert_eq!(made(), format!("{dir}{file}"));
    // Each time.
    lab.run(&[]).ok().changed(3);
    assert_eq!(made(), format!("{dir}{dir}{file}{file}"));
    assert_eq!(
        host.sh("ls -d /tmp/ansible.* | wc -l; rm /tmp/ansible.*"),
        "2\n"
    );
    assert!(host.is("! test -e /pwned"));
}

fn fails(lab: &Lab) {
    tasks(lab, "- tempfile: {path: /srv/none}\n")
        .status(2)
        .says("/srv/none");
    // Where it is not GNU's, it says so.
    lab.host("one")
        .sh("printf '#!/bin/sh\\nexit 1\\n' >/usr/local/bin/find; chmod +x /usr/local/bin/find");
    tasks(lab, "- find: {paths: /srv/f}\n")
        .status(2)
        .says("GNU `find` (of the package `findutils`)");
    lab.host("one").sh("rm /usr/local/bin/find");
}
