//! Files of a host are kept where the playbook says.

use evenkeel_integration_tests::Scratch;

const PLAY: &str = "
- hosts: localhost
  gather_facts: false
  tasks:
  - name: below the host
    fetch: {src: \"{{ lookup('env', 'HOME') }}/there/{{ item }}\", dest: kept}
    loop: [one, 'two words']
    register: kept
  - name: flat
    fetch: {src: '~/there/one', dest: ../flat/, flat: true}
  - name: at home
    ansible.builtin.fetch: src=~/there/one dest=~/home.txt flat=yes
  - assert:
      that:
      - kept.results[0].dest == playbook_dir ~ '/kept/localhost' ~ kept.results[0].file
      - kept.results[0].checksum == kept.results[0].remote_checksum
";

#[test]
fn a_file_is_kept_below_the_directory_of_the_playbook() {
    let scratch = Scratch::new();
    scratch.file("plays/site.yml", PLAY);
    scratch.file("there/one", "1\n").file("there/two words", "");
    let plan = scratch.plan(&["plays/site.yml"]).ok();
    assert!(!scratch.has("plays/kept"), "{plan}");
    let run = scratch.run(&["plays/site.yml"]).ok().changed(3);
    plan.foretells(&run);
    let below = format!("plays/kept/localhost{}", scratch.path("there").display());
    assert_eq!(scratch.read(&format!("{below}/one")), "1\n");
    assert_eq!(scratch.read(&format!("{below}/two words")), "");
    assert_eq!(scratch.read("flat/one"), "1\n");
    assert_eq!(scratch.read("home.txt"), "1\n");
    scratch
        .run(&["plays/site.yml"])
        .ok()
        .changed(0)
        .exchanges(1);
    scratch.file("flat/one", "by hand");
    let again = scratch.run(&["plays/site.yml"]).ok();
    again.changes_are(&["flat"]);
    assert_eq!(scratch.read("flat/one"), "1\n");
}

#[test]
fn what_is_wrong_is_said_when_the_playbook_is_read() {
    let scratch = Scratch::new();
    for (args, message) in [
        ("src: /a/../b, dest: kept", "`src` has a `..` in it"),
        ("src: /a/, dest: kept", "`src` names no file: `/a/`"),
        ("src: /a, dest: .., flat: true", "`dest` names no file"),
        (
            "src: /a, dest: kept, validate_checksum: false",
            "`validate_checksum` cannot be turned off",
        ),
    ] {
        scratch.tasks(&format!("- fetch: {{{args}}}"));
        let ended = scratch.evenkeel(&["validate", "site.yml"]);
        assert_ne!(ended.status, 0, "{args}");
        ended.says(message);
    }
}
