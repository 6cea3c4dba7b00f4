//! Packages and services of real hosts, as facts.

use evenkeel_integration_tests::{Lab, need_lab};

const TASKS: &str = r#"
become: true
tasks:
- package_facts:
- ansible.builtin.service_facts:
  register: found
- assert:
    that:
      - ansible_facts.packages['bash'][0].version is defined
      - ansible_facts.packages['bash'][0].source == ('rpm' if inventory_hostname == 'red' else 'apt')
      - "'nope' not in ansible_facts.packages"
      - found.ansible_facts.services == ansible_facts.services
- assert:
    that:
      - ansible_facts.packages['bash'][0].release is defined and ansible_facts.packages['bash'][0].epoch is none
  when: inventory_hostname == 'red'
- assert:
    that:
      - ansible_facts.services['cron.service'] == dict(name='cron.service', state='running', status='enabled', source='systemd')
      - ansible_facts.services['bad.service'].status == 'failed' and ansible_facts.services['bad.service'].state == 'stopped'
      - ansible_facts.services['new.service'].status == 'disabled' and ansible_facts.services['new.service'].state == 'inactive'
      - ansible_facts.services['off.service'].status == 'masked'
      - ansible_facts.services['getty@.service'].state == 'unknown'
  when: inventory_hostname == 'deb'
- copy: {content: "{{ ansible_facts.packages['bash'][0].version }}", dest: /srv/version}
  when: "'bash' in ansible_facts.packages"
"#;

#[test]
#[ignore = "needs root and a lab"]
fn packages_and_services_as_facts() {
    if !need_lab() {
        return;
    }
    let lab = Lab::plan().host("deb").rhel().host("red").boot();
    let deb = lab.host("deb");
    for (name, program) in [("bad", "false"), ("new", "true"), ("off", "true")] {
        let unit =
            format!("[Service]\nExecStart=/bin/{program}\n[Install]\nWantedBy=multi-user.target\n");
        deb.write(&format!("/usr/lib/systemd/system/{name}.service"), &unit);
    }
    deb.sh("systemctl daemon-reload; systemctl mask -q off; systemctl start bad; systemctl is-failed -q bad || \
            timeout 20 sh -c 'until systemctl is-failed -q bad; do :; done'");
    lab.settles(TASKS);
    let version = deb.sh("dpkg-query -W -f '${Version}' bash");
    assert_eq!(deb.sh("cat /srv/version"), version);
    assert_eq!(
        lab.host("red").sh("cat /srv/version"),
        lab.host("red").sh("rpm -q --qf '%{VERSION}' bash")
    );
}
