//! Runs over SSH.

use evenkeel_integration_tests::{Fleet, Scratch};

const SITE: &str = "
- hosts: all
  gather_facts: false
  tasks:
    - name: directory
      file: {path: '{{ host_home }}/app', state: directory, mode: '0750'}
    - name: settings
      file-template: {src: app.conf.j2, dest: '{{ host_home }}/app/app.conf', mode: '0640'}
      notify: restart
    - name: page
      copy: {src: page, dest: '{{ host_home }}/app/page'}
    - name: once
      shell: hostname > '{{ host_home }}/app/once'
      args: {creates: '{{ host_home }}/app/once'}
  handlers:
    - name: restart
      shell: echo restarted >> '{{ host_home }}/app/log'
";

fn site(scratch: &Scratch) {
    scratch.file("site.yml", SITE);
    scratch.file("templates/app.conf.j2", "name = {{ inventory_hostname }}\n");
    scratch.file("files/page", &"all work and no play\n".repeat(10_000));
}

#[test]
fn the_second_run_is_one_exchange_for_each_host() {
    let scratch = Scratch::new();
    let fleet = Fleet::start(&scratch, 3);
    site(&scratch);
    let inventory = ["-i", "inventory.ini"];
    scratch.run(&inventory).ok().changed(15).counts("failed", 0);
    for host in ["h1", "h2", "h3"] {
        let conf = scratch.read(&format!("homes/{host}/app/app.conf"));
        assert_eq!(conf, format!("name = {host}\n"));
        assert_eq!(
            scratch.read(&format!("homes/{host}/app/log")),
            "restarted\n"
        );
        let page = scratch.read(&format!("homes/{host}/app/page"));
        assert!(page == scratch.read("files/page"), "{} bytes", page.len());
    }
    assert_eq!(fleet.logins(), 3);
    scratch.run(&inventory).ok().changed(0).exchanges(3);
    assert_eq!(fleet.logins(), 6);

    scratch.file(
        "templates/app.conf.j2",
        "name = {{ inventory_hostname }}!\n",
    );
    let again = scratch.run(&inventory).ok().changed(6);
    assert_eq!(
        again.named("changed"),
        [
            "settings", "settings", "settings", "restart", "restart", "restart"
        ]
    );
    assert_eq!(scratch.read("homes/h2/app/log"), "restarted\nrestarted\n");
}

#[test]
fn hosts_behind_gateways() {
    let scratch = Scratch::new();
    let fleet = Fleet::start(&scratch, 3);
    site(&scratch);
    let config = scratch.read(".ssh/config");
    let jumps = "Host h2\n  ProxyJump h1\nHost h3\n  ProxyJump h2\n";
    scratch.file(".ssh/config", &format!("{jumps}{config}"));
    scratch
        .run(&["-i", "inventory.ini", "--limit", "h3"])
        .ok()
        .changed(5);
    assert!(scratch.has("homes/h3/app/once") && !scratch.has("homes/h2/app"));
    assert_eq!(fleet.logins(), 3);
}

#[test]
fn what_ansible_cfg_says_of_connections_is_followed() {
    let scratch = Scratch::new();
    let fleet = Fleet::start(&scratch, 1);
    site(&scratch);
    let port = fleet.port(1);
    scratch.file(
        ".ssh/config",
        &format!("Host h1\n  HostName 127.0.0.1\n  Port {port}\n"),
    );
    scratch.file(
        "ansible.cfg",
        "[defaults]\nremote_user = ada\nprivate_key_file = .ssh/key\ngathering = smart\n\
         [ssh_connection]\nssh_args = -C -o ControlMaster=auto\n",
    );
    let run = scratch.run(&["-i", "inventory.ini"]).ok().changed(5);
    let warning = "warning[ansible_cfg]: ansible.cfg: not followed: `gathering`";
    assert!(run.stderr.contains(warning), "{run}");
    // The inventory wins.
    let host = scratch.read("inventory.ini");
    scratch.file(
        "inventory.ini",
        &format!("{} ansible_user=eve\n", host.trim_end()),
    );
    scratch
        .run(&["-i", "inventory.ini"])
        .status(4)
        .says("`eve` was not let in");
}
