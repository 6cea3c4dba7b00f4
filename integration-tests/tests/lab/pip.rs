//! `pip` against the real pip, in virtual environments and for the host's own Python, from a wheelhouse: a lab has no
//! way out.

use evenkeel_integration_tests::{Ended, Host, Lab, need_lab};

const WHEELS: &str = include_str!("pip/wheels.py");

/// Tasks as root, from the wheelhouse alone.
fn of(tasks: &str) -> String {
    let from = "pip: {no_index: true, find_links: /srv/wheels, ";
    format!("become: true\ntasks:\n{}", tasks.replace("pip: {", from))
}

/// What there is in an environment, as its pip sees it.
fn freeze(host: &Host, env: &str) -> String {
    host.sh(&format!(
        "{env}/bin/pip --disable-pip-version-check freeze --exclude pip --exclude setuptools"
    ))
}

/// A run that finds all in its state starts no Python.
fn without_python(lab: &Lab, host: &Host) {
    let real = host.sh("readlink -f /usr/bin/python3");
    let tell = format!(
        "#!/bin/sh\necho \"$@\" >>/srv/started\nexec {} \"$@\"\n",
        real.trim()
    );
    host.write("/srv/python3", &tell);
    host.sh("chmod 755 /srv/python3 && mv -f /usr/bin/python3 /srv/kept && cp /srv/python3 /usr/bin/python3");
    assert!(host.is("python3 -c pass && test -s /srv/started && rm /srv/started"));
    lab.run(&[]).ok().changed(0).exchanges(1);
    let started = host.sh("cat /srv/started 2>/dev/null || true");
    host.sh("mv -f /srv/kept /usr/bin/python3");
    assert_eq!(started, "");
}

fn fails(lab: &Lab, tasks: &str) -> Ended {
    lab.tasks(&of(tasks));
    lab.run(&[]).status(2)
}

#[test]
#[ignore = "needs root and a lab"]
fn pip() {
    if !need_lab() {
        return;
    }
    let lab = Lab::plan().tools().host("h1").boot();
    let host = lab.host("h1");
    host.write("/srv/wheels.py", WHEELS);
    host.sh("mkdir /srv/wheels && python3 /srv/wheels.py /srv/wheels");

    // A new environment, extras, versions, one install for all.
    let run = lab.settles(&of("
- name: packages
  pip: {name: ['garden[night]', 'snail>=1,<2'], virtualenv: /srv/env}
"));
    let said = run.task("packages").whats();
    assert!(said.contains(&"package `snail`".to_owned()), "{said:?}");
    assert_eq!(
        freeze(host, "/srv/env"),
        "garden==1.0\nslug==1.5\nsnail==1.1\n"
    );
    without_python(&lab, host);

    // What was changed by hand is seen, without a pip, and mended.
    host.sh("/srv/env/bin/pip -q uninstall -y slug");
    lab.plan(&[]).ok().changed(1);
    lab.run(&[]).ok().changed(1);
    assert_eq!(
        freeze(host, "/srv/env"),
        "garden==1.0\nslug==1.5\nsnail==1.1\n"
    );

    // Upwards, but only as far as constraints let it.
    host.write("/srv/constraints.txt", "snail<2\nslug==1.5\n");
    lab.settles(&of("
- name: the newest
  pip: {name: snail, state: latest, virtualenv: /srv/env, constraints: /srv/constraints.txt}
"));
    assert!(freeze(host, "/srv/env").contains("snail==1.1\n"));
    lab.settles(&of("
- name: the newest
  pip: {name: snail, state: latest, virtualenv: /srv/env}
"));
    assert!(
        freeze(host, "/srv/env").contains("snail==2.0\n"),
        "no release candidate"
    );
    lab.settles(&of("
- name: the version
  pip: {name: snail, version: '1.0', virtualenv: /srv/env}
- name: its name as others write it
  pip: {name: shell_house, virtualenv: /srv/env}
- name: pip itself
  pip: {name: pip, virtualenv: /srv/env}
- name: not there
  pip: {name: [nothing, at-all], state: absent, virtualenv: /srv/env}
"));
    assert_eq!(
        freeze(host, "/srv/env"),
        "garden==1.0\nShell-House==1.0\nslug==1.5\nsnail==1.0\n"
    );

    // A file of requirements is read from the host, and counts by what is in it.
    host.write(
        "/srv/requirements.txt",
        "# what we need\nsnail == 1.1\nslug\n",
    );
    let file = of("
- name: a file
  pip: {requirements: /srv/requirements.txt, virtualenv: /srv/env}
");
    lab.settles(&file);
    without_python(&lab, host);
    host.write("/srv/requirements.txt", "snail == 1.0\nslug\n");
    lab.run(&[]).ok().changed(1);
    assert!(freeze(host, "/srv/env").contains("snail==1.0\n"));

    lab.settles(&of("
- name: gone
  pip: {name: [garden, slug, never-was], state: absent, virtualenv: /srv/env}
"));
    assert_eq!(freeze(host, "/srv/env"), "Shell-House==1.0\nsnail==1.0\n");
    the_own_python(&lab, host);
}

/// The host's own Python belongs to its distribution.
fn the_own_python(lab: &Lab, host: &Host) {
    fails(lab, "- name: own\n  pip: {name: snail}").says("break_system_packages");
    lab.settles(&of("
- name: own
  pip: {name: snail, break_system_packages: true}
"));
    let version = "python3 -c 'import snail; print(snail.version)'";
    assert_eq!(host.sh(version), "2.0\n");
    lab.settles(&of("
- name: own
  pip: {name: snail, executable: pip3, break_system_packages: true, state: absent}
"));
    assert!(!host.is(version));
}

#[test]
#[ignore = "needs root and a lab"]
fn pip_says_why_it_cannot() {
    if !need_lab() {
        return;
    }
    let lab = Lab::plan().tools().host("h1").boot();
    let host = lab.host("h1");
    host.write("/srv/wheels.py", WHEELS);
    host.sh("mkdir /srv/wheels && python3 /srv/wheels.py /srv/wheels");
    let env = "virtualenv: /srv/env";
    let with = |name: &str| format!("- name: one\n  pip: {{name: {name}, {env}}}");
    fails(&lab, &with("no-such-thing")).says("No matching distribution found for no-such-thing");
    fails(&lab, &with("'snail==9'")).says("from versions: 1.0, 1.1, 2.0");
    fails(&lab, &with("stuck")).says("no-such-thing>=3");
    // What failed is not taken for done: the environment is there, its package is not.
    lab.plan(&[]).status(0).changed(1);
    // Names that are none are refused before any host is asked.
    for name in ["'snail; rm -rf /'", "'--help'", "'$(id)'", "'a\\nb'"] {
        lab.tasks(&of(&with(name)));
        lab.run(&[]).status(5);
    }
    fails(
        &lab,
        "- name: one\n  pip: {name: snail, virtualenv: /srv/other, virtualenv_python: python9}",
    )
    .says("python9");
    assert!(!host.is("test -e /srv/other/bin/pip"));
    fails(
        &lab,
        "- name: one\n  pip: {requirements: /srv/none.txt, virtualenv: /srv/env}",
    )
    .says("/srv/none.txt");
}
