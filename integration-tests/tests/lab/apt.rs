//! `apt` against the real apt and dpkg, with a source of packages of our own.

use std::{
    cell::RefCell,
    fmt::Write as _,
    panic::{AssertUnwindSafe, catch_unwind},
};

use evenkeel_integration_tests::{Ended, Lab, need_lab, until};

/// Makes the packages and their source on the host itself.
pub(super) const SHOP: &str = r#"
set -e
# NAME VERSION [LINE OF CONTROL...]
mk() {
  d=/srv/mk/$1_$2
  mkdir -p "$d/DEBIAN"
  printf 'Package: %s\nVersion: %s\nArchitecture: all\nMaintainer: Lab <lab@lab.test>\nDescription: of a lab\n' "$1" "$2" >"$d/DEBIAN/control"
  shift 2
  for line; do echo "$line" >>"$d/DEBIAN/control"; done
}
script() { printf '#!/bin/sh\n%s\n' "$2" >"$d/DEBIAN/$1"; chmod 755 "$d/DEBIAN/$1"; }
mk apple-core 1.0
mk apple 1.0 'Depends: apple-core'
mk apple 1.1 'Depends: apple-core'
mk apple 2:1.2~rc1-1 'Depends: apple-core, berry'
mk berry 1.0
mk pear 1.0 'Conflicts: apple'
mk lacking 1.0 'Depends: nobody-has-this (>= 2)'
mk giver 1.0 'Provides: lab-fruit, bag'
mk bag 1.0
mk other-giver 1.0 'Provides: lab-choice'
mk third-giver 1.0 'Provides: lab-choice'
mk kept 1.0
mkdir "$d/etc"; echo first >"$d/etc/kept.conf"; echo /etc/kept.conf >"$d/DEBIAN/conffiles"
mk kept 2.0
mkdir "$d/etc"; echo second >"$d/etc/kept.conf"; echo /etc/kept.conf >"$d/DEBIAN/conffiles"
mk sick 1.0
script postinst '[ ! -e /srv/sickness ] || { echo the reason of the sickness; exit 3; }'
mk slow 1.0
script postinst 'touch /srv/slow-began; while [ ! -e /srv/slow-may-end ]; do sleep 0.1; done'
mk asks 1.0
script postinst 'read answer; [ -z "$answer" ] && [ "$DEBIAN_FRONTEND" = noninteractive ]'
mk served 1.0
mkdir -p "$d/lib/systemd/system"
printf '[Service]\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n' >"$d/lib/systemd/system/served.service"
script postinst 'systemctl daemon-reload; systemctl -q enable served.service; deb-systemd-invoke start served.service'
script prerm 'deb-systemd-invoke stop served.service'
mk large 1.0
dd if=/dev/urandom of="$d/large" bs=1M count=40 2>/dev/null
for n in 01 02 03 04 05 06 07 08 09 10 11 12 13 14 15 16 17 18 19 20; do mk "tiny-$n" 1.0; done
mk lone 1.0
mk lone 1.1
mkdir -p /srv/shop /srv/files
for d in /srv/mk/*; do dpkg-deb -Znone --root-owner-group -b "$d" /srv/shop >/dev/null; done
mv /srv/shop/lone_* /srv/files
echo no archive >/srv/files/odd.deb
cd /srv/shop
for f in *.deb; do
  dpkg-deb -f "$f"
  printf 'Filename: ./%s\nSize: %s\nSHA256: %s\n\n' "$f" "$(stat -c %s "$f")" "$(sha256sum <"$f" | cut -d' ' -f1)"
done >Packages
echo 'deb [trusted=yes] file:/srv/shop ./' >/etc/apt/sources.list.d/shop.list
# Each call of apt-get is noted.
mv /usr/bin/apt-get /usr/bin/apt-get.real
printf '#!/bin/sh\necho "$*" >>/var/log/calls 2>/dev/null\nexec /usr/bin/apt-get.real "$@"\n' >/usr/bin/apt-get
chmod 755 /usr/bin/apt-get
: >/var/log/calls
chmod 666 /var/log/calls
"#;

/// A task of `apt`, as a whole play.
fn task(args: &str) -> String {
    format!("become: true\ntasks:\n- name: it\n  apt: {args}\n  register: out\n")
}

struct Shop {
    lab: Lab,
    /// What went wrong so far: the rest is looked at all the same.
    wrong: RefCell<Vec<String>>,
}

impl Shop {
    fn boot() -> Self {
        let lab = Lab::plan()
            .disk("400m")
            .packages(&["gnupg"])
            .host("h1")
            .boot();
        lab.host("h1").write("/root/shop", SHOP);
        lab.host("h1").sh("sh /root/shop");
        Self {
            lab,
            wrong: RefCell::default(),
        }
    }

    fn sh(&self, line: &str) -> String {
        self.lab.host("h1").sh(line)
    }

    /// All packages that there are.
    fn all(&self) -> String {
        self.sh("dpkg-query -W -f '${db:Status-Abbrev} ${Package} ${Version}\\n'")
    }

    /// What is there by a pattern.
    fn has(&self, pattern: &str, wanted: &str) {
        let line = format!(
            "dpkg-query -W -f '${{db:Status-Abbrev}}${{Package}} ${{Version}}\\n' '{pattern}' 2>/dev/null | grep -v '^un' || true"
        );
        let found = self.sh(&line);
        let found = found.lines().collect::<Vec<_>>().join(",");
        self.tried(pattern, || assert_eq!(found, wanted));
    }

    /// The calls of apt-get since this was asked last.
    fn calls(&self) -> Vec<String> {
        let calls = self.sh("cat /var/log/calls; : >/var/log/calls");
        calls.lines().map(str::to_owned).collect()
    }

    fn run(&self, args: &str) -> Ended {
        self.lab.tasks(&task(args));
        self.lab.run(&[])
    }

    fn tried(&self, args: &str, check: impl FnOnce()) {
        if let Err(why) = catch_unwind(AssertUnwindSafe(check)) {
            let why = why.downcast_ref::<String>().cloned().unwrap_or_default();
            self.wrong.borrow_mut().push(format!("== {args}\n{why}"));
        }
    }

    /// Foretold, done, and then in its state, which costs one exchange.
    fn settles(&self, args: &str, whats: &[&str]) {
        self.tried(args, || {
            self.lab.tasks(&task(args));
            let before = self.all();
            let plan = self.lab.plan(&[]).ok();
            assert_eq!(plan.task("it").whats(), whats, "{args}: foretold\n{plan}");
            assert_eq!(self.all(), before, "{args}: check mode");
            let ran = self.lab.run(&[]).ok();
            plan.foretells(&ran);
            assert_eq!(ran.task("it").whats(), whats, "{args}: done\n{ran}");
            self.run(args).ok().changed(0).exchanges(1);
        });
    }

    /// In its state, without starting apt.
    fn stays_without_apt(&self, args: &str) {
        self.calls();
        self.tried(args, || {
            self.run(args).ok().changed(0).exchanges(1);
            assert_eq!(self.calls(), [""; 0], "apt was started");
        });
    }

    /// Refused, with these words; nothing is installed or removed.
    fn fails(&self, args: &str, message: &str, help: &str) {
        let before = self.all();
        let ran = self.run(args);
        self.tried(args, || {
            let error = &ran.task("it").0["error"];
            assert_eq!(error["message"].as_str(), Some(message), "{ran}");
            assert!(
                error["help"].as_str().unwrap_or_default().contains(help),
                "{ran}"
            );
            assert_eq!(self.all(), before);
        });
    }
}

#[test]
#[ignore = "needs root and a lab"]
fn apt_keeps_packages() {
    if !need_lab() {
        return;
    }
    let shop = Shop::boot();
    lists(&shop);
    names(&shop);
    versions(&shop);
    archives(&shop);
    failures(&shop);
    scripts(&shop);
    services(&shop);
    sources(&shop);
    the_lock(&shop);
    many(&shop);
    let wrong = shop.wrong.take();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// Lists of packages, and how old they are.
fn lists(shop: &Shop) {
    shop.fails(
        "{name: apple}",
        "no source of packages has `apple`",
        "never fetched",
    );
    // APT-10: what they will say is not known; that it is installed is.
    let update = "{name: tiny-01, update_cache: true}";
    shop.settles(update, &["lists of packages", "package `tiny-01`"]);
    shop.stays_without_apt(update);
    // APT-09
    shop.stays_without_apt("{update_cache: true, cache_valid_time: 3600}");
    shop.sh("touch -d '2 hours ago' /var/lib/apt/periodic/update-success-stamp; touch -d '3 hours ago' /etc/apt/sources.list.d/* /etc/apt/sources.list.d");
    shop.settles("{cache_valid_time: 3600}", &["lists of packages"]);
    shop.sh("touch /etc/apt/sources.list.d/shop.list");
    shop.settles(update, &["lists of packages"]);
    let ran = shop.run("{update_cache: true}");
    shop.tried("alone", || drop(ran.ok().changed(1)));
    shop.sh("echo 'deb [trusted=yes] file:/srv/none ./' >/etc/apt/sources.list.d/none.list");
    let ran = shop.run("{update_cache: true}");
    shop.tried("a source that is not there", || {
        let said = ran.task("it").0["error"]["message"].to_string();
        assert!(
            said.contains("/srv/none/") && said.contains("cannot be fetched"),
            "{ran}"
        );
    });
    shop.sh("rm /etc/apt/sources.list.d/none.list; apt-get.real -qq update");
}

/// Names, who provides them, and their end.
fn names(shop: &Shop) {
    // APT-01: the version and what is drawn in are foretold.
    shop.settles(
        "{name: apple=1.0}",
        &["package `apple=1.0`", "package `apple-core`"],
    );
    shop.stays_without_apt("{name: apple=1.0}");
    shop.stays_without_apt("{pkg: 'apple, apple-core', state: installed}");
    shop.has("apple*", "ii apple 1.0,ii apple-core 1.0");
    // APT-06
    shop.settles("{name: giver}", &["package `giver`"]);
    shop.stays_without_apt("{name: lab-fruit}");
    // What is a package of its own is that, whoever provides it.
    shop.settles("{name: bag}", &["package `bag`"]);
    shop.stays_without_apt("{name: bag}");
    // APT-02
    shop.settles(
        "{name: apple-core, state: absent}",
        &["package `apple-core`", "package `apple`"],
    );
    shop.stays_without_apt("{name: [apple, nosuch, 'nosuch*'], state: absent}");
    shop.settles(
        "{name: apple=1.0}",
        &["package `apple=1.0`", "package `apple-core`"],
    );
    shop.settles(
        "{name: apple, state: absent, autoremove: true}",
        &["package `apple`", "package `apple-core`"],
    );
    shop.settles(
        "{name: apple=1.0}",
        &["package `apple=1.0`", "package `apple-core`"],
    );
    shop.settles("{name: apple, state: absent}", &["package `apple`"]);
    shop.settles("{autoremove: true}", &["package `apple-core`"]);
    // APT-08
    shop.settles(
        "{name: 'tiny-0[2-3]'}",
        &[
            "package `tiny-0[2-3]`",
            "package `tiny-02`",
            "package `tiny-03`",
        ],
    );
    shop.settles(
        "{name: 'tiny-*', state: absent}",
        &[
            "package `tiny-01`",
            "package `tiny-02`",
            "package `tiny-03`",
        ],
    );
    shop.stays_without_apt("{name: 'tiny-*', state: absent}");
    // APT-11
    shop.settles("{name: kept=1.0}", &["package `kept=1.0`"]);
    shop.settles("{name: kept, state: absent}", &["package `kept`"]);
    shop.has("kept", "rc kept 1.0");
    shop.stays_without_apt("{name: kept, state: absent}");
    shop.settles(
        "{name: kept, state: absent, purge: true}",
        &["package `kept`"],
    );
    shop.has("kept", "");
    // What it conflicts with goes, and that is foretold.
    shop.settles(
        "{name: apple=1.0}",
        &["package `apple=1.0`", "package `apple-core`"],
    );
    shop.settles("{name: pear}", &["package `pear`", "package `apple`"]);
    shop.settles("{name: pear, state: absent}", &["package `pear`"]);
    shop.settles("{name: asks}", &["package `asks`"]);
}

/// Versions, and which of them are taken.
fn versions(shop: &Shop) {
    shop.settles("{name: apple=1.0}", &["package `apple=1.0`"]);
    shop.stays_without_apt("{name: apple}");
    shop.settles("{name: apple=1.1*}", &["package `apple=1.1*`"]);
    shop.stays_without_apt("{name: ['apple=1.*', 'apple>=1.0']}");
    shop.settles(
        "{name: 'apple>=2:1.0'}",
        &["package `apple>=2:1.0`", "package `berry`"],
    );
    shop.fails(
        "{name: apple=1.0}",
        "an older version of `apple` would take the place of the one that is there",
        "allow_downgrade",
    );
    shop.settles(
        "{name: apple=1.0, allow_downgrade: true}",
        &["package `apple=1.0`"],
    );
    // APT-14
    shop.sh("apt-mark hold apple");
    let held = "`apple` is held: it is to stay as it is";
    shop.fails(
        "{name: apple, state: latest}",
        held,
        "allow_change_held_packages",
    );
    shop.fails(
        "{name: apple, state: absent}",
        held,
        "allow_change_held_packages",
    );
    shop.sh("apt-mark unhold apple");
    // APT-04, APT-13
    shop.settles(
        "{name: [apple, tiny-04], state: latest, only_upgrade: true}",
        &["package `apple`"],
    );
    shop.settles(
        "{name: [apple, tiny-04], state: latest}",
        &["package `tiny-04`"],
    );
    // APT-12, and configuration that was changed is kept.
    shop.sh("apt-get.real -qqy -oDpkg::Options::=--force-confold install kept=1.0 >/dev/null 2>&1; echo mine >/etc/kept.conf");
    shop.settles("{upgrade: yes}", &["package `kept`"]);
    shop.tried("configuration", || {
        assert_eq!(shop.sh("cat /etc/kept.conf"), "mine\n");
    });
    shop.sh("apt-get.real -qqy --allow-downgrades -oDpkg::Options::=--force-confold install kept=1.0 >/dev/null 2>&1");
    shop.settles("{name: '*', state: latest}", &["package `kept`"]);
}

/// Archives on the host.
fn archives(shop: &Shop) {
    let lone = |version: &str| format!("/srv/files/lone_{version}_all.deb");
    let what = |version: &str| format!("package `{}`", lone(version));
    shop.settles(&format!("{{deb: {}}}", lone("1.0")), &[&what("1.0")]);
    shop.settles(&format!("{{name: {}}}", lone("1.1")), &[&what("1.1")]);
    shop.stays_without_apt(&format!("{{deb: {}}}", lone("1.0")));
    shop.has("lone", "ii lone 1.1");
    shop.fails(
        "{deb: /srv/files/odd.deb}",
        "`/srv/files/odd.deb` is no archive of a Debian package",
        "",
    );
}

/// What cannot be done, and what is said then.
fn failures(shop: &Shop) {
    shop.fails(
        "{name: [tiny-05, aple]}",
        "no source of packages has `aple`",
        "did you mean `apple`?",
    );
    shop.fails(
        "{name: tiny-05=9}",
        "no source of packages has version `9` of `tiny-05`",
        "apt-cache policy tiny-05",
    );
    shop.fails(
        "{name: lacking}",
        "the dependencies cannot be fulfilled: lacking: Depends: nobody-has-this (>= 2) but it is not installable",
        "apt-cache policy",
    );
    shop.fails(
        "{name: lab-choice}",
        "`lab-choice` is provided by several packages: `third-giver`, `other-giver`",
        "name one of them",
    );
    shop.fails(
        "{name: tiny-05, default_release: nosuch}",
        "no source of packages is of the release `nosuch`",
        "",
    );
    shop.lab.tasks("- name: it\n  apt: {name: tiny-05}\n");
    let ran = shop.lab.run(&[]);
    shop.tried("no root", || {
        assert_eq!(
            ran.task("it").0["error"]["message"],
            "only root may change packages",
            "{ran}"
        );
    });
    shop.sh("fallocate -l $(($(df --output=avail -B1 / | tail -n 1) - 20000000)) /full");
    let ran = shop.run("{name: large}");
    shop.tried("full", || {
        let said = ran.task("it").0["error"]["message"].to_string();
        assert!(said.contains("the disk of the host is full: "), "{ran}");
    });
    shop.sh(
        "rm /full; dpkg --configure -a; apt-get.real -qqyf install; apt-get.real -qqy remove large",
    );
}

/// Scripts of packages that fail, and what is left.
fn scripts(shop: &Shop) {
    shop.sh("touch /srv/sickness");
    let ran = shop.run("{name: sick}");
    shop.tried("sick", || {
        let error = &ran.task("it").0["error"];
        let said = "the script `post-installation` of `sick` failed: error exit status 3: the reason of the sickness";
        assert_eq!(error["message"], said, "{ran}");
        assert!(error["help"].as_str().unwrap().contains("state: fixed"), "{ran}");
    });
    shop.has("sick", "iF sick 1.0");
    shop.sh("rm /srv/sickness");
    shop.settles("{state: fixed}", &["package `sick`"]);
    shop.has("sick", "ii sick 1.0");
    // As if dpkg had been interrupted.
    shop.sh("touch /var/lib/dpkg/updates/0001; printf 'Package: tiny-04\\nStatus: install ok unpacked\\nVersion: 1.0\\nArchitecture: all\\n\\n' >/var/lib/dpkg/updates/0001");
    shop.fails(
        "{name: tiny-06}",
        "dpkg was interrupted, and what it had begun is not done",
        "state: fixed",
    );
    let ran = shop.run("{state: fixed}");
    shop.tried("fixed", || drop(ran.ok().changed(1)));
    shop.settles("{name: tiny-06}", &["package `tiny-06`"]);
}

/// APT-20: services start as the package has it, unless that is forbidden.
fn services(shop: &Shop) {
    let active = || shop.sh("systemctl is-active served || true");
    let policy = "/usr/sbin/policy-rc.d";
    shop.sh(&format!(
        "printf '#!/bin/sh\\nexit 0\\n' >{policy}; chmod 755 {policy}"
    ));
    shop.settles("{name: served, policy_rc_d: 101}", &["package `served`"]);
    shop.tried("not started", || assert_eq!(active(), "inactive\n"));
    shop.tried("policy", || {
        assert_eq!(
            shop.sh(&format!("cat {policy}; ls {policy}*")),
            format!("#!/bin/sh\nexit 0\n{policy}\n")
        );
    });
    shop.sh(&format!("rm {policy}"));
    shop.settles("{name: served, state: absent}", &["package `served`"]);
    shop.settles("{name: served}", &["package `served`"]);
    shop.tried("started", || assert_eq!(active(), "active\n"));
    shop.tried("no policy", || {
        assert!(!shop.lab.host("h1").is(&format!("test -e {policy}")));
    });
}

/// A source, and a package that only it has, in one run; and the module that takes apt by itself.
fn sources(shop: &Shop) {
    shop.sh("mkdir /srv/more; cp /srv/files/lone_1.1_all.deb /srv/more; cd /srv/more; f=lone_1.1_all.deb; dpkg-deb -f $f >Packages; printf 'Filename: ./%s\\nSize: %s\\nSHA256: %s\\n\\n' $f $(stat -c %s $f) $(sha256sum <$f | cut -d' ' -f1) >>Packages; dpkg -r lone >/dev/null");
    let play = "become: true\ntasks:\n- name: source\n  apt_repository: {repo: 'deb [trusted=yes]  file:/srv/more/  ./', filename: more}\n\
                - name: lone\n  package: {name: lone}\n";
    shop.tried("source", || {
        shop.lab.tasks(play);
        let plan = shop.lab.plan(&[]).ok();
        assert_eq!(plan.named("changed"), ["source", "lone"], "{plan}");
        assert!(!shop.lab.host("h1").is("test -e /etc/apt/sources.list.d/more.list"));
        shop.lab.run(&[]).ok().changed(2);
        shop.lab.run(&[]).ok().changed(0).exchanges(1);
        let file = "/etc/apt/sources.list.d/more.list";
        assert_eq!(shop.sh(&format!("cat {file}; stat -c %a {file}")), "deb [trusted=yes] file:/srv/more/ ./\n644\n");
        let gone = "become: true\ntasks:\n- name: source\n  apt_repository: {repo: 'deb [trusted=yes] file:/srv/more ./', state: absent}\n\
                    - name: lone\n  package: {name: lone, state: absent}\n";
        shop.lab.settles(gone);
        assert!(!shop.lab.host("h1").is(&format!("test -e {file}")));
        assert!(!shop.sh("apt-cache policy lone").contains("/srv/more"));
    });
    shop.has("lone", "");
    // A key that is trusted for all sources, by the real apt-key.
    shop.tried("key", || {
        let host = shop.lab.host("h1");
        let key = include_str!("../../../modules/tests/cases/rpm_key.asc");
        host.write("/srv/key.asc", key);
        let ring = "/etc/apt/trusted.gpg.d/ours.gpg";
        let play = |more: &str| {
            format!("become: true\ntasks:\n- name: key\n  apt_key: {{keyring: {ring}, {more}}}\n")
        };
        shop.lab.settles(&play("file: /srv/key.asc"));
        let print = "81B071659703528C13899AA33F3DDDCBE2A51E4E";
        assert!(
            shop.sh(&format!("gpg --show-keys --with-colons {ring}"))
                .contains(print)
        );
        shop.lab
            .tasks(&play("id: '0xE2A51E4E', url: 'https://nobody.invalid/key'"));
        shop.lab.run(&[]).ok().changed(0).exchanges(1);
        shop.lab
            .settles(&play(&format!("id: {print}, state: absent")));
        assert!(
            !shop
                .sh(&format!("gpg --show-keys --with-colons {ring} 2>&1 || :"))
                .contains(print)
        );
        shop.sh(&format!("rm -f {ring}*"));
    });
    // The same as a stanza, which apt reads, beside a key that apt reads too.
    shop.tried("stanza", || {
        let host = shop.lab.host("h1");
        let play = |more: &str| format!("become: true\ntasks:\n- name: source\n  deb822_repository:\n    name: More_ of it\n{more}\n");
        let stanza = "    uris: file:/srv/more\n    suites: ./\n    trusted: true\n    types: [deb]\n    architectures: all";
        shop.lab.settles(&play(stanza));
        let file = "/etc/apt/sources.list.d/more-of-it.sources";
        assert_eq!(
            shop.sh(&format!("cat {file}; stat -c %a {file}; apt-get.real update -qq 2>&1; apt-cache policy lone | grep -o 'file:/srv/more'")),
            "Architectures: all\nX-Repolib-Name: More_ of it\nSuites: ./\nTrusted: yes\nTypes: deb\nURIs: file:/srv/more\n644\nfile:/srv/more\n"
        );
        // Its key in armor: apt reads it, and does not find it in what is not signed.
        let key = include_str!("../../../modules/tests/cases/rpm_key.asc").trim().replace('\n', "\n      ");
        shop.lab.settles(&play(&format!("{stanza}\n    signed_by: |\n      {key}").replace("    trusted: true\n", "")));
        let said = shop.sh("apt-get.real update 2>&1 || :");
        assert!(said.contains("file:/srv/more") && !said.contains("Malformed"), "{said}");
        shop.lab.settles(&play("    state: absent"));
        assert!(!host.is(&format!("test -e {file}")));
    });
    // Lists that nobody has signed.
    shop.tried("not signed", || {
        shop.lab.tasks("become: true\ntasks:\n- name: source\n  apt_repository: {repo: 'deb file:/srv/more ./', filename: more}\n");
        let ran = shop.lab.run(&[]);
        let said = ran.task("source").0["error"]["message"].to_string();
        assert!(said.contains("there are no lists at `file:/srv/more ./") || said.contains("are not signed"), "{ran}");
    });
    shop.sh("rm /etc/apt/sources.list.d/more.list; apt-get.real -qq update");
}

/// APT-18: another apt is at work.
fn the_lock(shop: &Shop) {
    shop.sh("systemd-run -q --unit=holder --setenv=DEBIAN_FRONTEND=noninteractive apt-get.real -qqy install slow");
    let host = shop.lab.host("h1");
    until("the other one is at work", || {
        host.is("test -e /srv/slow-began")
    });
    let ran = shop.run("{name: tiny-07, lock_timeout: 1}");
    shop.tried("lock", || {
        let said = ran.task("it").0["error"]["message"].to_string();
        let words = ["the process ", " (`apt-get.real`) holds the lock `/var/lib/dpkg/lock-frontend`, longer than was waited"];
        assert!(words.iter().all(|word| said.contains(word)), "{ran}");
    });
    shop.calls();
    shop.lab.tasks(&task("{name: tiny-07}"));
    let running = shop.lab.start(&[]);
    until("it waits", || {
        host.is("grep -q '^-y .*tiny-07' /var/log/calls")
    });
    shop.sh("touch /srv/slow-may-end");
    let ended = running.wait();
    shop.tried("lock given back", || drop(ended.ok().changed(1)));
    shop.stays_without_apt("{name: [tiny-07, slow]}");
}

/// APT-19: twenty tasks are one transaction, and each is told by itself.
fn many(shop: &Shop) {
    shop.run("{name: 'tiny-*', state: absent}").ok();
    let mut play = "become: true\ntasks:\n".to_owned();
    for number in 1..=20 {
        writeln!(
            play,
            "- name: tiny-{number:02}\n  apt: {{name: tiny-{number:02}}}"
        )
        .unwrap();
    }
    shop.lab.tasks(&play);
    shop.tried("many", || {
        shop.calls();
        let plan = shop.lab.plan(&[]).ok();
        assert_eq!(plan.named("changed").len(), 20, "{plan}");
        assert_eq!(shop.calls().len(), 1, "one question");
        let run = shop.lab.run(&[]).ok().changed(20);
        plan.foretells(&run);
        for number in 1..=20 {
            let name = format!("tiny-{number:02}");
            assert_eq!(run.task(&name).whats(), [format!("package `{name}`")]);
        }
        let calls = shop.calls();
        assert_eq!(
            calls.iter().filter(|call| call.starts_with("-y")).count(),
            1,
            "{calls:?}"
        );
        shop.lab.run(&[]).ok().changed(0).exchanges(1);
        assert_eq!(shop.calls(), [""; 0]);
    });
}
