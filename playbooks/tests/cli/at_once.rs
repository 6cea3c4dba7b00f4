//! All mistakes of a playbook come at once, each with its place, and none that only follows.

use super::case::Case;

const SITE: &str = "\
- hosts: localhost
  gather_facts: false
  vars:
    greeting: 'hello {{ nobody }}'
    bad-name: 1
  tasks:
    - name: a misspelled keyword beside an undefined variable
      debug: msg=\"{{ undefined_one }}\"
      whenn: true
    - name: two mistakes in one task
      copy:
        dest: '{{ undefined_two }}'
        content: '{{ greeting }} {{ other'
        modee: '0644'
    - name: a condition
      command: echo
      register: said
      when: undefined_three == 1
      changed_when: undefined_four
    - name: a filter, and a module that is not there
      debug: msg=\"{{ said.stdout | uper }}\"
    - lineinfiel: {path: /x}
      register: later
      when: undefined_six
      notify: [nobody is called that]
    - debug: msg=\"{{ later.rc }} {{ bad-name }}\"
      notify: nobody is called this
    - debug: msg=\"{{ item }} {{ undefined_five }}\"
      loop: [1, 2]
    - copy: {content: x}
";

/// Code, line and column of each error of `validate --output json`.
fn places(stdout: &str) -> Vec<(String, u64, u64)> {
    let json: serde_json::Value = serde_json::from_str(stdout).unwrap();
    let errors = json["errors"].as_array().unwrap();
    errors
        .iter()
        .map(|error| {
            let number = |key: &str| error[key].as_u64().unwrap();
            let code = error["code"].as_str().unwrap().to_owned();
            (code, number("line"), number("column"))
        })
        .collect()
}

#[test]
fn all_mistakes_come_at_once() {
    let ended = Case::new(&["validate", "--output", "json", "site.yml"])
        .file("site.yml", SITE)
        .any_stdout()
        .status(5)
        .run();
    let wanted = [
        ("bad_name", 5, 5),
        ("undefined_variable", 8, 22),
        ("unknown_key", 9, 7),
        ("undefined_variable", 12, 19),
        ("template_syntax", 13, 37),
        ("unknown_argument", 14, 9),
        ("undefined_variable", 18, 13),
        ("unknown_filter", 21, 36),
        ("unknown_module", 22, 7),
        ("undefined_variable", 24, 13),
        ("unknown_handler", 25, 16),
        ("unknown_handler", 27, 15),
        ("undefined_variable", 28, 33),
        ("missing_argument", 30, 7),
    ];
    let wanted = wanted.map(|(code, line, column)| (code.to_owned(), line, column));
    assert_eq!(places(&ended.stdout), wanted);
    // The same on each host, said once; and `run` says the same.
    let hosts = "a ansible_connection=local\nb ansible_connection=local\nlocalhost ansible_connection=local\n";
    std::fs::write(ended.path("hosts"), hosts).unwrap();
    let site = SITE.replace("hosts: localhost", "hosts: all");
    std::fs::write(ended.path("site.yml"), site).unwrap();
    let ended = ended
        .then(&["validate", "--output", "json", "-i", "hosts", "site.yml"])
        .any_stdout()
        .status(5)
        .run();
    assert_eq!(places(&ended.stdout), wanted);
    let run = ended
        .then(&["run", "-i", "hosts", "site.yml"])
        .any_stderr()
        .status(5)
        .run();
    assert_eq!(run.stderr.matches("error[").count(), wanted.len());
}

#[test]
fn what_only_follows_waits() {
    // What roles define is not known: nothing is said of variables and handlers.
    let site = "\
- hosts: localhost
  gather_facts: false
  roles: [web]
  tasks:
    - debug: msg=\"{{ of_the_role }}\"
      notify: of the role
    - debug: msg=\"{{ x | nofilter }}\"
";
    let ended = Case::new(&["validate", "--output", "json", "site.yml"])
        .file("site.yml", site)
        .any_stdout()
        .status(5)
        .run();
    let codes: Vec<String> = places(&ended.stdout)
        .into_iter()
        .map(|place| place.0)
        .collect();
    assert_eq!(codes, ["unknown_role", "unknown_filter"]);
}
