//! `--report`: one page that needs nothing else, for its owner's eyes, written whole or not at all.

use std::{fs, os::unix::fs::PermissionsExt as _};

use super::case::Case;

const SITE: &str = "\
- name: set up
  hosts: localhost
  gather_facts: false
  tasks:
    - name: write
      copy:
        content: \"one\\n<b>two</b>\\n\"
        dest: '{{ playbook_dir }}/made'
    - name: '</pre><script>alert(1)</script>'
      shell: echo '<img src=x>' >&2; exit 3
      ignore_errors: true
    - name: stop
      command: 'false'
";

#[test]
fn a_page_tells_all_of_a_run() {
    let ended = Case::new(&["run", "site.yml", "--report", "out.html"])
        .file("site.yml", SITE)
        .any_stdout()
        .any_stderr()
        .status(2)
        .run();
    assert_eq!(ended.stderr, "report written to out.html\n");
    // The differences are the page's; the terminal was not asked to show them.
    assert!(!ended.stdout.contains("+one"), "{}", ended.stdout);
    let path = ended.path("out.html");
    let page = fs::read_to_string(&path).unwrap();
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o7777,
        0o600
    );
    for part in [
        "<h1>site.yml</h1>",
        "<strong class=\"failed\">not all hosts are in their state</strong>",
        "<tr><td>localhost</td><td class=\"n changed\">1</td>",
        "<h2 id=\"failures\">",
        "status: 3\nstderr: &lt;img src=x&gt;",
        "<h2 id=\"differences\">",
        "<span class=\"add\">+&lt;b&gt;two&lt;/b&gt;</span>",
        "<h2 id=\"timeline\">",
        "<rect class=\"t-changed\"",
        "<rect class=\"t-failed\"",
        "<rect class=\"t-ignored\"",
        "<h2 id=\"graph\">",
        "<title>The graph of tasks</title>",
        "&lt;/pre&gt;&lt;script&gt;alert(1)&lt;/script&gt;",
        "</html>\n",
    ] {
        assert!(page.contains(part), "{part} in {page}");
    }
    for bad in [
        "<script", "<img", "<b>", "href=", "src=\"", "url(", "@import",
    ] {
        assert!(!page.contains(bad), "{bad} in {page}");
    }
    // Nothing is left beside it, and a second run writes over it.
    let left = fs::read_dir(path.parent().unwrap()).unwrap();
    let left = left.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert!(left.into_iter().all(|name| !name.starts_with(".evenkeel-")));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let again = [
        "run", "site.yml", "-D", "--report", "out.html", "--output", "json",
    ];
    let ended = ended.then(&again).any_stdout().any_stderr().status(2).run();
    assert_eq!(
        fs::metadata(ended.path("out.html"))
            .unwrap()
            .permissions()
            .mode()
            & 0o7777,
        0o600
    );
}

#[test]
fn a_plan_has_its_page_and_shows_its_differences() {
    let ended = Case::new(&["plan", "site.yml", "--report", "out.html", "--keep-going"])
        .file("site.yml", SITE)
        .any_stdout()
        .any_stderr()
        .run();
    assert!(ended.stdout.contains("+one"), "{}", ended.stdout);
    let page = fs::read_to_string(ended.path("out.html")).unwrap();
    assert!(
        page.contains("nothing was changed: this was a check"),
        "{page}"
    );
    assert!(page.contains("<th class=\"n\">would change</th>"), "{page}");
    assert!(page.contains("+one"), "{page}");
    assert!(!ended.path("made").exists());
}

#[test]
fn where_no_page_can_be_written_no_host_is_touched() {
    let cases = [
        ("no/such/out.html", "No such file or directory (os error 2)"),
        (".", "it is a folder"),
        ("/dev/null", "it is no file"),
    ];
    for (path, why) in cases {
        let stderr = format!(
            "error: the report cannot be written to `{path}`: {why}\n\
             help: name a file in a folder that you may write to\n"
        );
        let ended = Case::new(&["run", "site.yml", "--report", path])
            .file("site.yml", SITE)
            .stderr(&stderr)
            .status(5)
            .run();
        assert!(!ended.path("made").exists());
    }
}

#[test]
fn secrets_are_masked_as_on_the_terminal() {
    let site = "\
- hosts: localhost
  gather_facts: false
  vars_files: [secret.yml]
  tasks:
    - name: 'write {{ word }}'
      copy: {content: 'a {{ word }} b', dest: '{{ playbook_dir }}/made'}
    - name: 'say'
      shell: 'cat made; exit 1'
      args: {chdir: '{{ playbook_dir }}'}
";
    let encrypt = [
        "vault",
        "encrypt",
        "secret.yml",
        "--vault-password-file",
        "pw",
    ];
    let ended = Case::new(&encrypt)
        .file("site.yml", site)
        .file("secret.yml", "word: hunter2hunter2\n")
        .file("pw", "x\n")
        .any_stderr()
        .any_stdout()
        .run();
    let args = [
        "run",
        "site.yml",
        "-D",
        "--report",
        "out.html",
        "--vault-password-file",
        "pw",
    ];
    let ended = ended.then(&args).any_stdout().any_stderr().status(2).run();
    let page = fs::read_to_string(ended.path("out.html")).unwrap();
    assert!(page.contains("+***"), "{page}");
    assert!(!page.contains("hunter2"), "{page}");
}

#[test]
fn a_list_has_no_page() {
    let ended = Case::new(&["run", "site.yml", "--list-tasks", "--report", "out.html"])
        .file("site.yml", SITE)
        .any_stderr()
        .status(5)
        .run();
    assert!(
        ended.stderr.contains("cannot be used with"),
        "{}",
        ended.stderr
    );
    assert!(!ended.path("out.html").exists());
}

/// What of an element is told in its attribute.
fn attribute<'a>(element: &'a str, name: &str) -> &'a str {
    let (_, rest) = element.split_once(&format!(" {name}=\"")).unwrap();
    rest.split_once('"').unwrap().0
}

#[test]
fn junit_counts_what_it_lists() {
    let site = "\
- hosts: all
  gather_facts: false
  tasks:
    - name: a < b & 'c'
      command: 'true'
    - name: never
      command: 'true'
      when: false
    - name: fails on one
      shell: echo '<out>'; exit 3
      when: inventory_hostname == 'a'
    - name: not reached
      command: 'true'
";
    let args = [
        "run", "site.yml", "-i", "a,b,", "-c", "local", "--output", "junit",
    ];
    let ended = Case::new(&args)
        .file("site.yml", site)
        .any_stdout()
        .any_stderr()
        .status(2)
        .run();
    let xml = &ended.stdout;
    let whole = xml.lines().nth(1).unwrap();
    let of = |name| attribute(whole, name);
    assert_eq!(
        [of("name"), of("tests"), of("failures"), of("errors")],
        ["site.yml", "8", "1", "0"]
    );
    let suites: Vec<_> = xml.split("  <testsuite ").skip(1).collect();
    for (suite, host, failures, skipped) in [(suites[0], "a", "1", "2"), (suites[1], "b", "0", "2")]
    {
        let (head, cases) = suite.split_once(">\n").unwrap();
        let head = format!(" {head}");
        let of = |name| attribute(&head, name);
        assert_eq!(
            [of("name"), of("hostname"), of("tests")],
            [host, host, "4"],
            "{xml}"
        );
        assert_eq!(
            [of("failures"), of("errors"), of("skipped")],
            [failures, "0", skipped],
            "{xml}"
        );
        assert_eq!(of("timestamp").len(), "2026-01-01T00:00:00".len());
        assert_eq!(cases.matches("<testcase ").count(), 4);
        assert_eq!(cases.matches("<skipped ").count().to_string(), skipped);
        assert_eq!(cases.matches("<failure ").count().to_string(), failures);
    }
    assert!(xml.contains("name=\"a &lt; b &amp; 'c'\""), "{xml}");
    assert!(
        xml.contains("<failure type=\"failed\" message=\"`/bin/sh` failed with status 3\">"),
        "{xml}"
    );
    assert!(xml.contains("&lt;out&gt;"), "{xml}");
    assert!(xml.ends_with("</testsuites>\n"), "{xml}");
}
