//! Packages and services of real hosts, as facts.

use evenkeel_integration_tests::{Lab, need_lab};

const TASKS: &str = r#"
become: true
tasks:
- package_facts: {manager: "{{ ['rpm'] if inventory_hostname == 'red' else ['auto'] }}"}
- ansible.builtin.service_facts:
  register: found
- assert:
    that:
      - "('bash' in ansible_facts.packages) == (inventory_hostname == 'deb')"
      - "('tiny-21' in ansible_facts.packages) == (inventory_hostname == 'red')"
      - found.ansible_facts.services == ansible_facts.services
- assert:
    that:
      - ansible_facts.packages['tiny-21'][0].source == 'rpm' and ansible_facts.packages['tiny-21'][0].epoch is none
      - ansible_facts.packages['tiny-21'][0].release is defined and ansible_facts.packages['tiny-21'][0].arch is defined
  when: inventory_hostname == 'red'
- assert:
    that:
      - ansible_facts.services['cron.service'] == dict(name='cron.service', state='running', status='enabled', source='systemd')
      - ansible_facts.services['bad.service'].status == 'failed' and ansible_facts.services['bad.service'].state == 'stopped'
      - ansible_facts.services['new.service'].status == 'disabled' and ansible_facts.services['new.service'].state == 'inactive'
      - ansible_facts.services['off.service'].status == 'masked'
      - ansible_facts.services['getty@.service'].state == 'unknown'
  when: inventory_hostname == 'deb'
- copy:
    content: "{{ ansible_facts.packages['tiny-21' if inventory_hostname == 'red' else 'bash'][0].version }}"
    dest: /srv/version
"#;

#[test]
#[ignore = "needs root and a lab"]
fn packages_and_services_as_facts() {
    if !need_lab() {
        return;
    }
    let lab = Lab::plan().host("deb").rhel().host("red").boot();
    let (deb, red) = (lab.host("deb"), lab.host("red"));
    for (name, program) in [("bad", "false"), ("new", "true"), ("off", "true")] {
        let unit =
            format!("[Service]\nExecStart=/bin/{program}\n[Install]\nWantedBy=multi-user.target\n");
        deb.write(&format!("/usr/lib/systemd/system/{name}.service"), &unit);
    }
    deb.sh(
        "systemctl daemon-reload; systemctl mask -q off; systemctl start bad; \
         timeout 20 sh -c 'until systemctl is-failed -q bad; do :; done'",
    );
    red.sh("dnf -q -y install tiny-21");
    lab.settles(TASKS);
    let version = deb.sh("dpkg-query -W -f '${Version}' bash");
    assert_eq!(deb.sh("cat /srv/version"), version);
    let version = red.sh("rpm -q --qf '%{VERSION}' tiny-21");
    assert_eq!(red.sh("cat /srv/version"), version);
}
