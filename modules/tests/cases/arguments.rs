//! What holds for the arguments of every module: each counts in fingerprints, unknown ones are
//! refused with those that exist, and each is documented.

use std::collections::{BTreeMap, BTreeSet};

use evenkeel_engine::{
    AnyModule, BindError, Map, Source, Value, fingerprint::Fingerprint, testing::mutations,
};

/// Samples of arguments: together, those of a module set every argument it has, none to its default.
const SAMPLES: &[&str] = &[
    "apt: {name: [gcc], state: latest, update_cache: true, cache_valid_time: 60, update_cache_retries: 2, \
     purge: true, autoremove: true, autoclean: true, clean: true, install_recommends: false, only_upgrade: true, \
     default_release: stable, dpkg_options: [force-confnew], allow_downgrade: true, \
     allow_change_held_packages: true, allow_unauthenticated: true, force: true, fail_on_autoremove: true, \
     lock_timeout: 9, policy_rc_d: 101, force_apt_get: true, auto_install_module_deps: true, deb: /x.deb}",
    "apt: {upgrade: dist}",
    "apt-repository: {repo: 'deb http://x s main', state: absent, filename: f, mode: '0640', update_cache: false, \
     update_cache_retries: 2, codename: c, validate_certs: false, install_python_apt: true}",
    "package: {name: [gcc], state: latest, use: apt, update_cache: true}",
    "authorized_key: {user: app, key: ssh-ed25519 x, path: /f, manage_dir: false, state: absent, \
     key_options: no-pty, exclusive: true, comment: c, follow: true}",
    "cron: {name: a, user: app, job: x, state: absent, cron_file: f, backup: true, minute: '1', \
     hour: '2', day: '3', month: '4', weekday: '5', disabled: true, env: true, insertafter: A, \
     insertbefore: B}",
    "cron: {name: a, special_time: daily}",
    "find: {paths: [/a], patterns: [b], excludes: [c], use_regex: true, file_type: any, recurse: true, \
     depth: 2, hidden: true, follow: true, age: 1d, age_stamp: atime, size: 1k, limit: 3}",
    "getent: {database: passwd, key: app, service: files, split: ',', fail_key: false}",
    "ping: {data: x}",
    "slurp: {src: /f}",
    "sysctl: {name: a.b, value: v, state: absent, sysctl_set: true, reload: false, \
     sysctl_file: /f, ignoreerrors: true}",
    "assert: {that: [{text: a > 1, holds: true}], fail_msg: no, success_msg: fine, quiet: true}",
    "blockinfile: {path: /f, block: b, state: absent, marker: 'x {mark}', marker_begin: b, marker_end: \
     e, insertafter: i, insertbefore: j, prepend_newline: true, append_newline: true, create: true, \
     backup: true, validate: check %s, owner: app, group: web, mode: '0640'}",
    "command: {cmd: a b, creates: [/c], removes: [/r], unless: [u], onlyif: [o], chdir: /d, \
     stdin: in, stdin_add_newline: false, expand_argument_vars: false, strip_empty_ends: false, \
     long: true, timeout: 5}",
    "command: {argv: [a, b c]}",
    "copy: {dest: /f, src: '@files/app.conf', content: text, remote_src: true, owner: app, \
     group: web, mode: '0640', directory_mode: '0750', force: false, backup: true, \
     validate: check %s, follow: true, checksum: 00ff, decrypt: false, local_follow: true}",
    "debug: {msg: {a: [1, x]}, verbosity: 2}",
    "fail: {msg: no}",
    "file: {path: /f, state: directory, owner: app, group: web, mode: 'u=rw,go=r', src: /s, \
     force: true, follow: false, recurse: true, modification_time: '202001010000.00', \
     access_time: now}",
    "file-template: {dest: /f, src: f.j2, content: text, newline_sequence: \"\\r\\n\", \
     trim_blocks: false, lstrip_blocks: true, owner: app, group: web, mode: '0640', force: false, \
     backup: true, validate: check %s, follow: true}",
    "group: {name: app, state: absent, gid: 5, non_unique: true, system: true, force: true, \
     local: true, gid_min: 3, gid_max: 9}",
    "ini-file: {path: /f, section: s, option: o, value: v, state: absent, section_has_values: \
     [{option: a, value: b}], no_extra_spaces: true, ignore_spaces: true, allow_no_value: true, \
     exclusive: false, modify_inactive_option: false, create: false, backup: true, follow: true, \
     validate: check %s, owner: app, group: web, mode: '0640'}",
    "ini-file: {path: /f, sections: {s: {o: v, p: [w, x]}}}",
    "lineinfile: {path: /f, line: a, state: absent, regexp: r, search_string: s, insertafter: i, \
     insertbefore: j, backrefs: true, firstmatch: true, create: true, backup: true, \
     validate: check %s, owner: app, group: web, mode: '0640'}",
    "pip: {name: [flask, 'redis[hiredis]>=4'], version: '1.0', requirements: r.txt, \
     constraints: [c.txt], virtualenv: /v, virtualenv_command: mkvenv, virtualenv_python: python3, \
     virtualenv_site_packages: true, executable: pip3, extra_args: -v, state: latest, \
     editable: true, chdir: /d, umask: '0077', break_system_packages: true, no_index: true, \
     find_links: /l}",
    "psql-db: {name: app, state: rename, target: x}",
    "psql-db: {name: app, state: absent, owner: o, encoding: UTF8, lc_collate: C, lc_ctype: C, \
     template: template0, conn_limit: 3, tablespace: t, comment: c, force: true, \
     login_host: h, login_unix_socket: /s, login_port: 5, login_user: u, login_password: p, \
     login_db: d, session_role: r, ssl_mode: require, ca_cert: /a, ssl_cert: /c, ssl_key: /k, \
     trust_input: false}",
    "psql-ext: {name: x, state: absent, schema: s, version: '1', cascade: true, comment: c, \
     login_host: h, login_unix_socket: /s, login_port: 5, login_user: u, login_password: p, \
     login_db: d, session_role: r, ssl_mode: require, ca_cert: /a, ssl_cert: /c, ssl_key: /k, \
     trust_input: false}",
    "psql-user: {name: app, state: absent, password: x, no_password_changes: true, \
     role_attr_flags: LOGIN, expires: '2030-01-01', conn_limit: 3, comment: c, \
     configuration: {work_mem: 16MB}, reset_unspecified_configuration: true, fail_on_user: false, \
     encrypted: false, login_host: h, login_unix_socket: /s, login_port: 5, login_user: u, login_password: p, \
     login_db: d, session_role: r, ssl_mode: require, ca_cert: /a, ssl_cert: /c, ssl_key: /k, \
     trust_input: false}",
    "replace: {path: /f, regexp: r, replace: s, after: a, before: b, backup: true, \
     validate: check %s, owner: app, group: web, mode: '0640'}",
    "set_fact: {a: 1, b: [x], cacheable: true}",
    "setup: {gather_subset: [network], filter: [all_*], fact_path: /f, gather_timeout: 9}",
    "shell: {cmd: a | b, executable: /bin/bash, creates: [/c], removes: [/r], unless: [u], \
     onlyif: [o], chdir: /d, stdin: in, stdin_add_newline: false, strip_empty_ends: false, \
     long: true, timeout: 5}",
    "stat: {path: /f, follow: true, get_checksum: false, checksum_algorithm: sha256, \
     get_mime: false, get_attributes: false}",
    "systemd-unit: {name: app, state: stopped, enabled: true, masked: true, daemon_reload: true, \
     scope: user, no_block: true, force: true, steady: 7, content: text, src: u.j2, verify: false, \
     timeout: 9, health: {url: 'http://h/', status: [204], port: 5, host: h, command: c, timeout: 3}}",
    "tempfile: {state: directory, path: /d, prefix: p, suffix: s}",
    "useradd: {name: app, state: absent, uid: 5, non_unique: true, group: web, groups: [a, b], \
     append: true, comment: c, home: /h, shell: /s, skeleton: /k, create_home: false, \
     move_home: true, system: true, password: x, update_password: on_create, password_lock: true, \
     expires: 5, password_expire_min: 1, password_expire_max: 2, password_expire_warn: 3, \
     password_expire_account_disable: 4, remove: true, force: true, generate_ssh_key: true, \
     ssh_key_bits: 2048, ssh_key_comment: c, ssh_key_file: k, ssh_key_passphrase: p, \
     ssh_key_type: ed25519, local: true, umask: '077', uid_min: 1, uid_max: 2}",
    "wait_for: {host: 10.0.0.1, port: 80, state: drained, timeout: 7, delay: 2, sleep: 3, \
     connect_timeout: 4, msg: m, active_connection_states: [TIME_WAIT], exclude_hosts: [10.0.0.2]}",
    "wait_for: {path: /f, search_regex: r}",
    "yum: {name: [gcc], state: latest, update_cache: true, update_only: true, enablerepo: [a], \
     disablerepo: [b], exclude: [c], disable_excludes: all, disable_plugin: [d], \
     enable_plugin: [e], disable_gpg_check: true, allow_downgrade: true, autoremove: true, \
     allowerasing: true, security: true, bugfix: true, cacheonly: true, install_weak_deps: false, \
     nobest: true, skip_broken: true, conf_file: /c, releasever: '9', validate_certs: false, \
     lock_timeout: 5, download_only: true, download_dir: /dl}",
    "yum-repository: {name: a, description: b, baseurl: [c], metalink: d, mirrorlist: e, \
     state: absent, file: f, reposdir: /r, enabled: false, gpgcheck: true, repo_gpgcheck: true, \
     gpgkey: [k], gpgcakey: k, priority: 5, cost: 6, module_hotfixes: true, exclude: [x], \
     includepkgs: [y], skip_if_unavailable: true, sslverify: true, sslcacert: /a, \
     sslclientcert: /b, sslclientkey: /c, proxy: p, proxy_username: u, proxy_password: w, \
     username: u, password: w, timeout: 7, retries: 8, metadata_expire: 6h, bandwidth: 1M, \
     throttle: 50%, ip_resolve: '4', keepalive: true, failovermethod: priority, owner: app, \
     group: web, mode: '0640'}",
    "compile-python: {version: 3.9.2, source: '@py.tar', sha256: '00', remote_src: true, prefix: /opt/py, \
     optimizations: false, configure: [--with-x], modules: [ssl], pip: '22', jobs: 2, build_dir: /b}",
    "get-url: {url: 'http://h/f', dest: /f, checksum: 'sha256:00', force: true, headers: {X-A: b}, timeout: 5, \
     url_username: me, url_password: pw, force_basic_auth: true, http_agent: a, use_proxy: false, \
     validate_certs: false, ca_path: /ca, client_cert: /c, client_key: /k, tmp_dest: /t, decompress: false, \
     backup: true, owner: u, group: g, mode: '0600'}",
];

/// What a text is tried to be changed to where not any text fits.
const OTHERS: [&str; 16] = [
    "NOLOGIN",
    "full",
    "dnf",
    "always",
    "absent",
    "present",
    "started",
    "debian",
    "weekly",
    "directory",
    "file",
    "ctime",
    "system",
    "0600",
    "preserve",
    "\n",
];

/// Arguments that do not count, each with its reason: none does so far.
const UNCOUNTED: [(&str, &str, &str); 0] = [];

/// The samples by module.
pub(crate) fn samples() -> BTreeMap<&'static str, Vec<Map>> {
    let registry = evenkeel_modules::standard();
    let mut all: BTreeMap<_, Vec<Map>> = BTreeMap::new();
    for yaml in SAMPLES {
        let Ok(Value::Map(task)) = serde_yaml::from_str(yaml) else {
            panic!("{yaml} is no task");
        };
        let (name, args) = task.into_iter().next().expect("a module");
        let Value::Map(mut args) = args else {
            panic!("{yaml} has no arguments");
        };
        for value in args.values_mut() {
            if let Some(path) = value.as_str().and_then(|text| text.strip_prefix('@')) {
                *value = Value::Source(Source::inline(path, b"source".to_vec()));
            }
        }
        let module = registry.get(&name).expect("a known module");
        all.entry(module.name()).or_default().push(args);
    }
    for module in registry.iter() {
        let samples = all.get(module.name()).map_or(&[][..], Vec::as_slice);
        let set: BTreeSet<&String> = samples.iter().flat_map(Map::keys).collect();
        for name in documented(module).keys() {
            assert!(
                set.contains(name),
                "`{}`: no sample has `{name}`",
                module.name()
            );
        }
    }
    all
}

/// The arguments of a module as its schema has them, with their documentation.
fn documented(module: &dyn AnyModule) -> BTreeMap<String, String> {
    let schema = module.schema().to_value();
    let properties = schema.get("properties").and_then(|all| all.as_object());
    let text = |property: &serde_json::Value| {
        let text = property.get("description").and_then(|text| text.as_str());
        text.unwrap_or_default().to_owned()
    };
    properties
        .into_iter()
        .flatten()
        .map(|(name, property)| (name.clone(), text(property)))
        .collect()
}

fn fingerprint(module: &dyn AnyModule, args: &Value) -> Result<Fingerprint, BindError> {
    let bound = module.bind(args)?;
    let made = Fingerprint::of(module.name(), &bound.args(), &[], b"key of a host");
    Ok(made.expect("all is known"))
}

/// All values that differ from these in one place: without an argument, with another leaf.
fn changed(args: &Map) -> Vec<(String, Value)> {
    let mut all = mutations(&Value::Map(args.clone()));
    for (name, value) in args {
        let mut without = args.clone();
        without.shift_remove(name);
        all.push((format!("{name} (gone)"), Value::Map(without)));
        for other in OTHERS
            .into_iter()
            .filter(|other| value.as_str().is_some_and(|text| text != *other))
        {
            let mut with = args.clone();
            with.insert(name.clone(), other.into());
            all.push((name.clone(), Value::Map(with)));
        }
    }
    all.retain(|(path, _)| !path.is_empty());
    all
}

#[test]
fn every_argument_counts_in_the_fingerprint() {
    let registry = evenkeel_modules::standard();
    let mut broken = Vec::new();
    for (name, samples) in samples() {
        let module = registry.get(name).expect("a known module");
        for args in samples {
            let base = fingerprint(module, &Value::Map(args.clone()));
            let base = base.unwrap_or_else(|why| panic!("`{name}`: {why}"));
            let mut tried: BTreeMap<String, usize> = BTreeMap::new();
            for (path, value) in changed(&args) {
                let tries = tried.entry(path.clone()).or_default();
                let Ok(other) = fingerprint(module, &value) else {
                    continue;
                };
                *tries += 1;
                let top = path.split(['.', ' ']).next().unwrap_or_default();
                let counts = !UNCOUNTED.iter().any(|(m, f, _)| (*m, *f) == (name, top));
                if (other.total != base.total) != counts {
                    broken.push(format!("`{name}`: `{path}` counts: {}", !counts));
                }
            }
            // Of a map whose entries are all required, only these can change.
            let below = |path: &str| {
                let front = format!("{path}.");
                tried
                    .iter()
                    .any(|(other, tries)| other.starts_with(&front) && *tries > 0)
            };
            let untried = tried
                .iter()
                .filter(|(path, tries)| **tries == 0 && !path.ends_with(')') && !below(path));
            broken.extend(untried.map(|(path, _)| format!("`{name}`: no other `{path}` fits")));
        }
    }
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn unknown_arguments_are_refused_with_those_that_exist() {
    let registry = evenkeel_modules::standard();
    for (name, samples) in samples() {
        // Its arguments are the names of variables.
        if name == "set_fact" {
            continue;
        }
        let module = registry.get(name).expect("a known module");
        for mut args in samples {
            args.insert("no_such_argument".to_owned(), 1.into());
            let Err(BindError::Wrong {
                message, unknown, ..
            }) = module.bind(&Value::Map(args))
            else {
                panic!("`{name}` takes an unknown argument");
            };
            let (field, known) = unknown.unwrap_or_else(|| panic!("`{name}`: {message}"));
            assert_eq!(field, "no_such_argument", "`{name}`");
            assert!(message.contains("no_such_argument"), "`{name}`: {message}");
            for (argument, _) in documented(module) {
                assert!(
                    known.contains(&argument),
                    "`{name}`: `{argument}` is not suggested"
                );
            }
        }
    }
}

#[test]
fn every_argument_is_documented_in_words_of_users() {
    for module in evenkeel_modules::standard().iter() {
        for (argument, text) in documented(module) {
            let place = format!("`{argument}` of `{}`", module.name());
            assert!(!text.trim().is_empty(), "{place} is not documented");
            let rust = ["Option<", "Vec<", "String", "[`", "None`", "Late", "struct"];
            let found = rust.iter().find(|word| text.contains(**word));
            assert_eq!(found, None, "{place}: {text}");
        }
    }
}

/// Ansible has most modules under three names; all must lead to ours.
#[test]
fn the_long_names_of_ansible_are_known() {
    let registry = evenkeel_modules::standard();
    let names = [
        "assert",
        "blockinfile",
        "command",
        "copy",
        "cron",
        "debug",
        "dnf",
        "fail",
        "file",
        "find",
        "getent",
        "group",
        "lineinfile",
        "package",
        "ping",
        "pip",
        "replace",
        "service",
        "set_fact",
        "shell",
        "slurp",
        "stat",
        "systemd",
        "systemd_service",
        "raw",
        "tempfile",
        "template",
        "user",
        "wait_for",
        "yum",
    ];
    for name in names {
        for name in
            ["", "ansible.builtin.", "ansible.legacy."].map(|front| format!("{front}{name}"))
        {
            assert!(registry.get(&name).is_some(), "`{name}`");
        }
    }
}
