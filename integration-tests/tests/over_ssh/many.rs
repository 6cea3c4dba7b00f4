//! Many hosts at once, and what each costs the controller.

use std::fmt::Write as _;

use evenkeel_integration_tests::{Fleet, Scratch};

/// Twenty tasks of several kinds.
fn site() -> String {
    let mut site = "
- hosts: all
  gather_facts: false
  vars: {colour: blue}
  tasks:
    - file: {path: '{{ host_home }}/app', state: directory}
"
    .to_owned();
    for number in 1..=6 {
        write!(
            site,
            "    - copy: {{dest: '{{{{ host_home }}}}/app/copy{number}', content: '{{{{ inventory_hostname }}}} {number}'}}
    - file-template: {{src: page.j2, dest: '{{{{ host_home }}}}/app/page{number}', mode: '0644'}}
    - lineinfile: {{path: '{{{{ host_home }}}}/app/lines', line: '{number} is {{{{ colour }}}}', create: true}}
"
        )
        .unwrap();
    }
    site + "    - shell: echo once > '{{ host_home }}/app/once'
      args: {creates: '{{ host_home }}/app/once'}
"
}

/// How much memory a run over so many hosts needs at most, the first time and when nothing has to change.
fn weighs(count: u64) -> [u64; 2] {
    let scratch = Scratch::new();
    let _fleet = Fleet::start(&scratch, usize::try_from(count).unwrap());
    scratch.file("site.yml", &site());
    scratch.file("templates/page.j2", &"colour = {{ colour }}\n".repeat(100));
    let forks = count.to_string();
    let args = ["-i", "inventory.ini", "--forks", &forks];
    let (first, most) = scratch.start(&args).wait_and_weigh();
    first.ok().changed(20 * count);
    let (second, again) = scratch.start(&args).wait_and_weigh();
    second.ok().changed(0).exchanges(count);
    [most, again]
}

#[test]
fn a_host_costs_less_than_two_megabytes() {
    const HOSTS: u64 = 30;
    for (one, many) in weighs(1).into_iter().zip(weighs(HOSTS)) {
        let each = many.saturating_sub(one) / (HOSTS - 1);
        assert!(
            one > 0 && each < 2_000_000,
            "{each} each; {one} for one, {many} for {HOSTS}"
        );
    }
}
