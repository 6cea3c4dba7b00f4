//! The graph in all its forms: tasks, edges, and why each edge is there.

use std::fmt::Write as _;

use super::case::Case;

const SITE: &str = "\
- name: set up
  hosts: all
  gather_facts: false
  tasks:
    - name: make a <directory> & \"more\"
      file: {path: /srv/made, state: directory}
    - name: write a note
      id: note
      copy: {content: hello, dest: /srv/made/note}
      notify: tell
    - name: read it
      slurp: {src: /srv/made/note}
      register: seen
    - name: say it
      debug: {msg: '{{ seen.content }}'}
    - name: late
      after: note
      copy: {content: a, dest: /etc/late}
  handlers:
    - name: tell
      service: {name: teller, state: restarted}
";

fn graph<'a>(hosts: &'a str, more: &[&'a str]) -> Case {
    let mut args = vec!["graph", "site.yml", "-i", hosts];
    args.extend(more);
    Case::new(&args).file("site.yml", SITE)
}

const DOT: &str = r#"digraph evenkeel {
  graph [rankdir=TB, fontname="sans-serif"];
  node [shape=box, style=rounded, fontname="sans-serif"];
  edge [fontname="sans-serif", fontsize=10];
  subgraph cluster_0 {
    label="web1";
    t0 [label="make a <directory> & \"more\"\nfile", tooltip="site.yml:5:7"];
    t1 [label="write a note\ncopy", tooltip="site.yml:7:7"];
    t2 [label="read it\nslurp", tooltip="site.yml:11:7"];
    t3 [label="say it\ndebug", tooltip="site.yml:14:7"];
    t4 [label="late\ncopy", tooltip="site.yml:16:7"];
    t5 [label="tell\nsystemd-unit", tooltip="site.yml:20:7", style="rounded,bold"];
  }
"#;

#[test]
fn dot_is_the_default() {
    let ended = graph("web1,", &[]).any_stdout().run();
    let all = &ended.stdout;
    assert!(all.starts_with(DOT), "{all}");
    for edge in [
        "  t0 -> t1 [label=\"both touch `/srv`\", class=\"conflict\"];\n",
        "  t1 -> t2 [label=\"both touch `/srv/made/note`\", class=\"conflict\"];\n",
        "  t2 -> t3 [label=\"reads its result\", class=\"data\"];\n",
        "  t1 -> t4 [label=\"`after`\", class=\"after\"];\n",
    ] {
        assert!(all.contains(edge), "{edge} in {all}");
    }
    assert!(
        all.contains("  t1 -> t5 [label=\"`triggered_by` or `notify`"),
        "{all}"
    );
    assert!(all.ends_with("];\n}\n"), "{all}");
}

#[test]
fn mermaid_shows_hostile_names_and_the_same_hosts_once() {
    let wanted = "\
flowchart TD
  subgraph h0[\"a, b, c, d, e, f and 1 more\"]
    t0[\"make a #60;directory#62; #38; #34;more#34;<br/>file\"]
    t1[\"write a note<br/>copy\"]
    t2[\"read it<br/>slurp\"]
    t3[\"say it<br/>debug\"]
    t4[\"late<br/>copy\"]
    t5([\"tell<br/>systemd-unit\"])
  end
";
    let ended = graph("a,b,c,d,e,f,g,", &["--format", "mermaid"])
        .any_stdout()
        .run();
    assert!(ended.stdout.starts_with(wanted), "{}", ended.stdout);
    let edge = "  t1 -->|\"#96;after#96;\"| t4\n";
    assert!(ended.stdout.contains(edge), "{}", ended.stdout);
}

#[test]
fn json_has_every_task_and_edge_and_goes_forward() {
    let ended = graph("a,b,", &["--format", "json"]).any_stdout().run();
    let all: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    let tasks = all["tasks"].as_array().unwrap();
    assert_eq!(tasks.len(), 12);
    let note = serde_json::json!({
        "key": 7, "host": "b", "task": "write a note", "id": "note", "module": "copy",
        "source": "site.yml:7:7", "play": "set up", "handler": false, "silent": false,
        "selected": true,
    });
    assert_eq!(tasks[7], note);
    let edges = all["edges"].as_array().unwrap();
    let of = |from: u64, to: u64| {
        let edge = edges
            .iter()
            .find(|edge| edge["from"] == from && edge["to"] == to);
        edge.unwrap_or_else(|| panic!("{from} -> {to}"))
    };
    assert_eq!(of(7, 10)["why"][0]["kind"], "after");
    assert_eq!(of(7, 10)["why"][0]["condition"], "on_success");
    assert_eq!(of(8, 9)["why"][0]["kind"], "data");
    assert_eq!(of(7, 11)["why"][0]["kind"], "trigger");
    assert_eq!(all["gave_way"], serde_json::json!([]));
}

#[test]
fn a_host_and_a_task_with_its_neighbours() {
    let only = ["--format", "json", "--host", "b", "--task", "note"];
    let ended = graph("a,b,", &only).any_stdout().run();
    let all: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    let tasks = all["tasks"].as_array().unwrap();
    assert!(tasks.iter().all(|task| task["host"] == "b"), "{tasks:?}");
    let names: Vec<_> = tasks
        .iter()
        .map(|task| task["task"].as_str().unwrap())
        .collect();
    assert!(
        names.contains(&"late") && !names.contains(&"say it"),
        "{names:?}"
    );
    let wrong = "error: no play runs on a host `wed1`\nhelp: did you mean `web1`?\n";
    graph("web1,", &["--host", "wed1"])
        .stderr(wrong)
        .status(5)
        .run();
    let wrong = "error: no task has the name or id `lade`\nhelp: did you mean `late`?\n";
    graph("web1,", &["--task", "lade"])
        .stderr(wrong)
        .status(5)
        .run();
}

#[test]
fn a_form_that_there_is_not() {
    let wrong = "\
error: invalid value 'png' for '--format <FORMAT>'
  [possible values: dot, mermaid, json, svg]

For more information, try '--help'.
";
    graph("web1,", &["--format", "png"])
        .stderr(wrong)
        .status(5)
        .run();
}

#[test]
fn a_drawing_is_whole_escaped_and_always_the_same() {
    let draw = || {
        graph("web1,", &["--format", "svg"])
            .any_stdout()
            .run()
            .stdout
    };
    let svg = draw();
    assert_eq!(svg, draw());
    assert!(
        svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" "),
        "{svg}"
    );
    assert!(svg.ends_with("</svg>\n"), "{svg}");
    assert!(
        svg.contains(">1 make a &lt;directory&gt; &amp; &quot;more&quot;</text>"),
        "{svg}"
    );
    assert!(
        svg.contains("<title>5 waits for 2: `after`</title>"),
        "{svg}"
    );
    for outside in ["<script", "href", "url(", "@import"] {
        assert!(!svg.contains(outside), "{outside} in {svg}");
    }
}

#[test]
fn hundreds_of_tasks_are_drawn_each_on_its_line() {
    let mut site = "- hosts: all\n  gather_facts: false\n  tasks:\n    - file: {path: /srv, state: directory}\n".to_owned();
    for number in 0..400 {
        writeln!(site, "    - copy: {{content: x, dest: /srv/{number}}}").unwrap();
    }
    let args = ["graph", "site.yml", "-i", "a,b,c,", "--format", "svg"];
    let svg = Case::new(&args)
        .file("site.yml", &site)
        .any_stdout()
        .run()
        .stdout;
    assert_eq!(svg.matches("<rect").count(), 401);
    // All wait for the folder: one track with an arrow for each.
    assert_eq!(svg.matches("<polygon").count(), 400);
    assert_eq!(svg.matches("stroke=\"#8c959f\"/><polygon").count(), 1);
}

#[test]
fn hosts_that_take_turns_are_drawn_each_for_itself() {
    let site = "\
- hosts: all
  serial: 1
  gather_facts: false
  tasks:
    - debug: {msg: 1}
";
    let args = ["graph", "site.yml", "-i", "a,b,"];
    let ended = Case::new(&args).file("site.yml", site).any_stdout().run();
    for label in [
        "label=\"a\";",
        "label=\"b\";",
        "t0 -> t1 [label=\"an earlier play\"",
    ] {
        assert!(ended.stdout.contains(label), "{label} in {}", ended.stdout);
    }
}

#[test]
fn what_is_surely_skipped_is_in_no_drawing() {
    let site = "\
- hosts: all
  gather_facts: false
  tasks:
    - name: of one
      copy: {dest: /etc/one, content: a}
      when: inventory_hostname == 'a'
    - name: of both
      copy: {dest: /etc/both, content: a}
";
    let graph = |more: &[&str]| {
        let args = [&["graph", "site.yml", "-i", "a,b,"], more].concat();
        let ended = Case::new(&args).file("site.yml", site);
        ended.any_stdout().run().stdout
    };
    assert_eq!(graph(&[]).matches("of one").count(), 1);
    assert_eq!(graph(&[]).matches("of both").count(), 2);
    assert_eq!(graph(&["--host", "b"]).matches("of one").count(), 0);
    // Who asks for it, and programs, get all.
    let asked = graph(&["--task", "of one", "--host", "b"]);
    assert_eq!(asked.matches("of one").count(), 1);
    assert_eq!(graph(&["--format", "json"]).matches("of one").count(), 2);
}

#[test]
fn what_a_unit_touches_may_be_said() {
    let site = |more: &str| {
        format!(
            "\
- hosts: web1
  gather_facts: false
  tasks:
    - name: python
      compile-python: {{version: 3.9.16, remote_src: true, source: /a.tar, sha256: {}}}
      reads: [/usr/include/]
      writes: [/usr/local/]
    - name: unit
      service: {{name: served, state: started}}
{more}    - name: note
      copy: {{dest: /etc/note, content: a}}
",
            "a".repeat(64)
        )
    };
    let edges = |more: &str| {
        let args = ["graph", "site.yml", "-i", "web1,"];
        let ended = Case::new(&args).file("site.yml", &site(more));
        let stdout = ended.any_stdout().run().stdout;
        let edges = stdout.lines().filter(|line| line.contains(" -> "));
        let ends = edges.filter_map(|line| line.split(" [").next());
        ends.map(|ends| ends.trim().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(edges(""), ["t0 -> t1", "t1 -> t2"]);
    let said = "      reads: [/etc/served]\n      writes: [unit:served.service]\n";
    assert_eq!(edges(said), [""; 0]);
    // What it reads is as the module has it.
    let said = "      writes: [unit:served.service]\n";
    assert_eq!(edges(said), ["t0 -> t1", "t1 -> t2"]);
}

#[test]
fn what_is_secret_is_masked() {
    let site = "\
- hosts: all
  gather_facts: false
  vars_files: [secret.yml]
  tasks:
    - name: 'write {{ word }}'
      copy: {content: '{{ word }}', dest: /srv/hunter2hunter2}
    - name: again, hunter2hunter2
      copy: {content: a, dest: /srv/hunter2hunter2, mode: '0600'}
";
    let encrypt = [
        "vault",
        "encrypt",
        "secret.yml",
        "--vault-password-file",
        "pw",
    ];
    let mut ended = Case::new(&encrypt)
        .file("site.yml", site)
        .file("secret.yml", "word: hunter2hunter2\n")
        .file("pw", "x\n")
        .any_stderr()
        .any_stdout()
        .run();
    for form in ["dot", "mermaid", "json", "svg"] {
        let args = [
            "graph",
            "site.yml",
            "-i",
            "a,",
            "--format",
            form,
            "--vault-password-file",
            "pw",
        ];
        ended = ended.then(&args).any_stdout().run();
        assert!(!ended.stdout.contains("hunter2"), "{}", ended.stdout);
        assert!(ended.stdout.contains("again"), "{}", ended.stdout);
    }
}

#[test]
fn a_handler_of_several_users_has_another_id_for_each_at_each_flush() {
    let site = "\
- hosts: localhost
  gather_facts: false
  tasks:
  - {command: 'true', notify: h}
  - meta: flush_handlers
  - {command: 'true', notify: h}
  handlers:
  - {name: h, id: h, command: whoami, become: true, become_user: '{{ item }}', loop: [root, nobody]}
";
    let ended = Case::new(&["graph", "site.yml", "--format", "json"])
        .file("site.yml", site)
        .any_stdout()
        .run();
    let graph: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    let ids: Vec<_> = graph["tasks"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|task| task["id"].as_str())
        .collect();
    assert_eq!(ids, ["h", "h.1", "h#1", "h#1.1"]);
}
