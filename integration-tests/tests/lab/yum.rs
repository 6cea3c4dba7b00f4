//! `yum` against the real dnf and rpm, on a host that answers as Red Hat's do.

use std::{
    cell::RefCell,
    panic::{AssertUnwindSafe, catch_unwind},
};

use evenkeel_integration_tests::{Ended, Lab, need_lab, until};

/// A task of `yum`, as a whole play.
fn task(args: &str) -> String {
    format!("become: true\ntasks:\n- name: it\n  yum: {args}\n  register: out\n")
}

struct Shop {
    lab: Lab,
    /// What went wrong so far: the rest is looked at all the same.
    wrong: RefCell<Vec<String>>,
}

impl Shop {
    fn boot() -> Self {
        let lab = Lab::plan().rhel().disk("200m").host("h1").boot();
        Self {
            lab,
            wrong: RefCell::default(),
        }
    }

    fn sh(&self, line: &str) -> String {
        self.lab.host("h1").sh(line)
    }

    /// The versions of what is installed, by a pattern.
    fn installed(&self, pattern: &str) -> String {
        let format = "%{NAME} %{EPOCHNUM}:%{VERSION}\\n";
        let all = self.sh(&format!("rpm -qa --qf '{format}' '{pattern}' | sort"));
        all.lines().collect::<Vec<_>>().join(",")
    }

    fn has(&self, pattern: &str, versions: &str) {
        self.tried(pattern, || assert_eq!(self.installed(pattern), versions));
    }

    /// How often dnf was started since this was asked last.
    fn dnfs(&self) -> usize {
        let log = self.sh("grep -c 'DNF version' /var/log/dnf.log || true; : >/var/log/dnf.log");
        log.trim().parse().unwrap()
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
        self.tried(args, || self.does_settle(args, whats));
    }

    fn does_settle(&self, args: &str, whats: &[&str]) {
        self.lab.tasks(&task(args));
        let before = self.sh("rpm -qa | sort");
        let plan = self.lab.plan(&[]).ok();
        assert_eq!(plan.task("it").whats(), whats, "{args}: foretold\n{plan}");
        assert_eq!(self.sh("rpm -qa | sort"), before, "{args}: check mode");
        let ran = self.lab.run(&[]).ok();
        assert_eq!(ran.task("it").whats(), whats, "{args}: done\n{ran}");
        self.does_stay(args);
    }

    /// In its state. Where only what is there is asked about, dnf is asked once that is known.
    fn stays(&self, args: &str) {
        self.tried(args, || self.does_stay(args));
    }

    fn does_stay(&self, args: &str) {
        let limits = ["security:", "bugfix:", "update_only:"];
        // Nor is it known which archives there are before dnf has said which it needs.
        let limited = ["download_only", "skip_broken"]
            .iter()
            .any(|word| args.contains(word))
            || limits.iter().any(|word| args.contains(word));
        let asks = limited && !args.contains("pear");
        self.run(args)
            .ok()
            .changed(0)
            .exchanges(if asks { 2 } else { 1 });
    }

    /// In its state, without starting dnf.
    fn stays_without_dnf(&self, args: &str) {
        self.dnfs();
        self.stays(args);
        self.tried(args, || assert_eq!(self.dnfs(), 0, "dnf was started"));
    }

    /// Refused, foretold and in a run, with these words; nothing is installed or removed.
    fn fails(&self, args: &str, message: &str) {
        let before = self.sh("rpm -qa | sort");
        let ran = self.run(args);
        self.tried(args, || {
            let said = &ran.task("it").0["error"]["message"];
            assert_eq!(said.as_str(), Some(message), "{ran}");
            assert_eq!(self.sh("rpm -qa | sort"), before);
        });
    }
}

#[test]
#[ignore = "needs root and a lab"]
fn yum_keeps_packages() {
    if !need_lab() {
        return;
    }
    let shop = Shop::boot();
    names(&shop);
    versions(&shop);
    what_only_dnf_knows(&shop);
    archives(&shop);
    failures(&shop);
    repositories(&shop);
    the_lock(&shop);
    many(&shop);
    let wrong = shop.wrong.take();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// Names, files, capabilities, and their end.
fn names(shop: &Shop) {
    // DNF-01, DNF-03: the version and what is drawn in are foretold.
    shop.settles(
        "{name: apple-1.0}",
        &["package `apple-1.0`", "package `apple-core`"],
    );
    shop.stays_without_dnf("{name: apple-1.0}");
    shop.stays_without_dnf("{name: [apple, apple-core]}");
    shop.has("apple*", "apple 0:1.0,apple-core 0:1.0");
    // DNF-04
    shop.settles(
        "{name: 'tiny-01, tiny-02'}",
        &["package `tiny-01`", "package `tiny-02`"],
    );
    shop.stays_without_dnf("{name: 'tiny-02,tiny-01'}");
    // DNF-12
    let odd = "{name: number-11-name-11.0}";
    shop.settles(odd, &["package `number-11-name-11.0`"]);
    shop.stays_without_dnf(odd);
    // DNF-23, DNF-24
    shop.settles("{name: /usr/bin/labtool}", &["package `/usr/bin/labtool`"]);
    shop.stays_without_dnf("{name: [/usr/bin/labtool, labtool, lab-mta]}");
    // DNF-02, DNF-06, DNF-07: what goes with it is foretold, and what only came with it stays.
    shop.settles("{name: parent}", &["package `parent`", "package `child`"]);
    shop.settles(
        "{name: child, state: absent}",
        &["package `child`", "package `parent`"],
    );
    shop.settles("{name: parent}", &["package `parent`", "package `child`"]);
    shop.settles("{name: parent, state: absent}", &["package `parent`"]);
    shop.has("child", "child 0:1.0");
    shop.settles("{state: absent, autoremove: true}", &["package `child`"]);
    shop.stays_without_dnf("{name: [child, nosuch, 'firefox*', /usr/bin/nosuch], state: absent}");
    shop.settles(
        "{name: /usr/bin/labtool, state: absent}",
        &["package `labtool`"],
    );
    let pattern = "{name: 'tiny-0[12]', state: absent}";
    let gone = [
        "package `tiny-0[12]`",
        "package `tiny-01`",
        "package `tiny-02`",
    ];
    shop.settles(pattern, &gone);
    shop.stays_without_dnf(pattern);
    // An old name, and who has taken its place.
    shop.settles("{name: old-name}", &["package `old-name`"]);
    shop.has("*-name", "new-name 0:2.0");
    shop.stays_without_dnf("{name: old-name}");
    shop.settles(
        "{name: weak, install_weak_deps: false}",
        &["package `weak`"],
    );
    // It is no version of `weak`.
    let friend = &["package `weak-friend`"];
    shop.settles("{name: weak-friend}", friend);
    shop.settles("{name: weak-friend, state: absent}", friend);
    shop.has("weak*", "weak 0:1.0");
}

/// Versions, and which of them are taken.
fn versions(shop: &Shop) {
    // DNF-08
    shop.stays_without_dnf("{name: apple}");
    shop.settles("{name: apple, state: latest}", &["package `apple`"]);
    shop.has("apple", "apple 0:1.1");
    // DNF-09
    shop.stays_without_dnf("{name: apple-1.0-1.el9}");
    shop.settles(
        "{name: apple-1.0-1.el9, allow_downgrade: true}",
        &["package `apple-1.0-1.el9`"],
    );
    shop.has("apple", "apple 0:1.0");
    // DNF-10
    shop.settles("{name: 'apple >= 1.1'}", &["package `apple >= 1.1`"]);
    shop.stays_without_dnf("{name: 'apple >= 1.1'}");
    // DNF-11
    shop.settles("{name: '1:berry-1.0'}", &["package `1:berry-1.0`"]);
    for name in [
        "berry-1.0",
        "'1:berry-1.0-1.el9'",
        "'berry-1:1.0'",
        "berry-1.0-1.el9.noarch",
    ] {
        shop.stays_without_dnf(&format!("{{name: {name}}}"));
    }
    // DNF-14
    shop.stays_without_dnf("{name: pear, state: latest, update_only: true}");
    // DNF-15
    shop.run("{name: [bugs-1.0, holes-1.0, looks-1.0]}").ok();
    let all = "[bugs, holes, looks]";
    shop.settles(
        &format!("{{name: {all}, state: latest, security: true}}"),
        &["package `holes`"],
    );
    shop.settles(
        &format!("{{name: {all}, state: latest, bugfix: true}}"),
        &["package `bugs`"],
    );
    shop.has("looks", "looks 0:1.0");
    // DNF-19
    shop.run("{name: better-1.0}").ok();
    shop.fails(
        "{name: better, state: latest}",
        "the dependencies cannot be fulfilled: cannot install the best candidate for the job: \
         nothing provides nobody-has-this >= 2 needed by better-2.0-1.el9.noarch",
    );
    shop.stays("{name: better, state: latest, nobest: true}");
    // Repositories that are off.
    shop.settles(
        "{name: apple, state: latest, enablerepo: extra}",
        &["package `apple`"],
    );
    shop.has("apple", "apple 0:1.2");
}

/// Groups, modules and patterns.
fn what_only_dnf_knows(shop: &Shop) {
    shop.run("{name: [apple, berry], state: absent}").ok();
    // DNF-16
    let group = ["package `@fruit`", "package `apple`", "package `berry`"];
    shop.settles("{name: '@fruit'}", &group);
    shop.settles("{name: ['@fruit', tiny-03]}", &["package `tiny-03`"]);
    let drops = ["package `@fruit`", "package `apple`", "package `berry`"];
    shop.settles("{name: '@fruit', state: absent}", &drops);
    shop.settles(
        "{name: '@Fruit Salad'}",
        &[
            "package `@Fruit Salad`",
            "package `apple`",
            "package `berry`",
        ],
    );
    shop.settles(
        "{name: '@brook:2/common'}",
        &["package `@brook:2/common`", "package `stream-one`"],
    );
    shop.has("stream-one", "stream-one 0:2.0");
    // DNF-24
    let more = [
        "package `tiny-1[0-2]`",
        "package `tiny-10`",
        "package `tiny-11`",
        "package `tiny-12`",
    ];
    shop.settles("{name: 'tiny-1[0-2]'}", &more);
    // All that is newer.
    shop.settles(
        "{name: '*', state: latest, exclude: [better, berry]}",
        &["package `looks`"],
    );
}

/// Archives: files, and what a server has.
fn archives(shop: &Shop) {
    // DNF-13
    let files = "/srv/rpm/files";
    let lone = |version: &str| format!("{files}/lone-{version}-1.el9.noarch.rpm");
    shop.settles(
        &format!("{{name: {}, disable_gpg_check: true}}", lone("1.0")),
        &[&format!("package `{}`", lone("1.0"))],
    );
    shop.stays_without_dnf(&format!("{{name: {}}}", lone("1.0")));
    shop.sh("systemd-run -q --unit=web python3 -m http.server --bind 127.0.0.1 -d /srv/rpm 8080");
    until("the server answers", || {
        shop.lab
            .host("h1")
            .is("python3 -c 'import urllib.request as u; u.urlopen(\"http://127.0.0.1:8080/\")'")
    });
    let remote = "http://127.0.0.1:8080/files/lone-1.1-1.el9.noarch.rpm";
    shop.settles(
        &format!("{{name: {remote}, disable_gpg_check: true}}"),
        &[&format!("package `{remote}`")],
    );
    shop.stays_without_dnf(&format!("{{name: {}}}", lone("1.0")));
    // DNF-20
    let fetch = "{name: tiny-20, download_only: true, download_dir: /srv/got, enablerepo: web, disablerepo: shop}";
    shop.sh("mkdir /srv/got");
    shop.settles(fetch, &["archive `/srv/got/tiny-20-1.0-1.el9.noarch.rpm`"]);
    assert_eq!(shop.sh("ls /srv/got"), "tiny-20-1.0-1.el9.noarch.rpm\n");
    shop.has("tiny-20", "");
    // DNF-22
    shop.fails(
        &format!("{{name: {files}/far-1.0-1.el9.s390x.rpm, disable_gpg_check: true}}"),
        "`far-1.0-1.el9.s390x` is for machines of another architecture",
    );
    shop.fails("{name: 'http://127.0.0.1:1/x-1-1.noarch.rpm'}", "the archive cannot be fetched: Curl error (7): Couldn't connect to server for http://127.0.0.1:1/x-1-1.noarch.rpm [Failed to connect to 127.0.0.1 port 1 after 0 ms: Couldn't connect to server]");
    shop.fails(
        "{name: /srv/rpm/files/none.rpm}",
        "`/srv/rpm/files/none.rpm` cannot be opened: is it there, and is it a package?",
    );
}

/// What cannot be done, and what is said then.
fn failures(shop: &Shop) {
    // DNF-05
    shop.fails(
        "{name: [tiny-21, nosuch]}",
        "no repository that is on has `nosuch`",
    );
    shop.fails(
        "{name: '@nosuch'}",
        "no repository that is on has the group or module `nosuch`",
    );
    // DNF-17
    shop.sh("echo 'excludepkgs=tiny-22' >>/etc/dnf/dnf.conf");
    shop.fails(
        "{name: tiny-22}",
        "`tiny-22` is excluded by the configuration of dnf",
    );
    shop.settles(
        "{name: tiny-22, disable_excludes: all}",
        &["package `tiny-22`"],
    );
    shop.sh("sed -i /^excludepkgs/d /etc/dnf/dnf.conf");
    // DNF-18
    shop.fails(
        "{name: lacking}",
        "the dependencies cannot be fulfilled: conflicting requests: \
         nothing provides nobody-has-this >= 2 needed by lacking-1.0-1.el9.noarch",
    );
    shop.stays("{name: lacking, skip_broken: true}");
    shop.fails("{name: enemy}", "the dependencies cannot be fulfilled: problem with installed package apple-1.1-1.el9.noarch: package enemy-1.0-1.el9.noarch conflicts with apple provided by apple-1.1-1.el9.noarch; package enemy-1.0-1.el9.noarch conflicts with apple provided by apple-1.0-1.el9.noarch; conflicting requests");
    // DNF-21
    shop.fails("{name: fake, enablerepo: signed}", "the signature of a package cannot be validated: Package fake-1.0-1.el9.noarch.rpm is not signed");
    shop.settles("{name: seal, enablerepo: signed}", &["package `seal`"]);
    shop.settles(
        "{name: fake, enablerepo: signed, disable_gpg_check: true}",
        &["package `fake`"],
    );
    shop.fails(
        "{name: bad-pre}",
        "the script `%prein` of `bad-pre-1.0-1.el9.noarch` failed: exit status 1",
    );
    shop.fails(
        "{name: tiny-21, disablerepo: '*'}",
        "no repository is switched on",
    );
    shop.fails(
        "{name: tiny-21, enablerepo: nosuch}",
        "there is no repository `nosuch`",
    );
    shop.lab.tasks("- name: it\n  yum: {name: tiny-21}\n");
    let ran = shop.lab.run(&[]);
    assert_eq!(
        ran.task("it").0["error"]["message"],
        "only root may ask dnf to change packages",
        "{ran}"
    );
    shop.sh("fallocate -l $(($(df --output=avail -B1 / | tail -n 1) - 20000000)) /full");
    let ran = shop.run("{name: large}");
    let said = ran.task("it").0["error"]["message"].to_string();
    assert!(
        said.contains("the disk of the host is full: At least "),
        "{ran}"
    );
    shop.sh("rm /full");
}

/// A repository, and a package that only it has, in one run.
fn repositories(shop: &Shop) {
    let play = "become: true\ntasks:\n- name: repo\n  yum_repository: {name: own, description: Own, \
                baseurl: 'file:///srv/rpm/extra', gpgcheck: false}\n- name: pear\n  yum: {name: pear}\n";
    shop.lab.tasks(play);
    let plan = shop.lab.plan(&[]).ok();
    assert_eq!(plan.named("changed"), ["repo", "pear"], "{plan}");
    assert!(!shop.lab.host("h1").is("test -e /etc/yum.repos.d/own.repo"));
    shop.lab.run(&[]).ok().changed(2);
    shop.lab.run(&[]).ok().changed(0).exchanges(1);
    shop.has("pear", "pear 0:1.0");
    let file = "[own]\nname = Own\nbaseurl = file:///srv/rpm/extra\ngpgcheck = 0\n";
    assert_eq!(shop.sh("cat /etc/yum.repos.d/own.repo"), file);
    assert!(shop.sh("dnf -q repolist").contains("own"));
    shop.lab.tasks(
        "become: true\ntasks:\n- name: repo\n  yum_repository: {name: own, state: absent}\n",
    );
    shop.lab.run(&[]).ok().changed(1);
    shop.lab.run(&[]).ok().changed(0).exchanges(1);
    assert!(!shop.lab.host("h1").is("test -e /etc/yum.repos.d/own.repo"));
}

/// DNF-25: another dnf is at work.
fn the_lock(shop: &Shop) {
    let begin = "sleep 600 & echo $! >/var/lib/dnf/rpmdb_lock.pid";
    shop.sh(&format!(
        "systemd-run -q --unit=holder sh -c '{begin}; wait'"
    ));
    until("the lock is held", || {
        shop.lab
            .host("h1")
            .is("test -s /var/lib/dnf/rpmdb_lock.pid")
    });
    let ran = shop.run("{name: tiny-23, lock_timeout: 1}");
    let said = ran.task("it").0["error"]["message"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        said.starts_with("the process ") && said.contains("(`sleep`) holds the lock of dnf"),
        "{ran}"
    );
    shop.lab.tasks(&task("{name: tiny-23}"));
    shop.dnfs();
    let running = shop.lab.start(&[]);
    until("dnf has found the lock", || {
        shop.lab
            .host("h1")
            .is("grep -q 'already locked' /var/log/dnf.log")
    });
    shop.sh("systemctl stop holder");
    running.wait().ok().changed(1);
    shop.stays_without_dnf("{name: tiny-23}");
}

/// Thirty tasks are one transaction, and each is told by itself.
fn many(shop: &Shop) {
    use std::fmt::Write as _;
    shop.run("{name: 'tiny-*', state: absent}").ok();
    let play = |names: &[String]| {
        let mut play = "become: true\ntasks:\n".to_owned();
        for name in names {
            writeln!(play, "- name: {name}\n  yum: {{name: {name}}}").unwrap();
        }
        play
    };
    let names: Vec<String> = (1..=30).map(|number| format!("tiny-{number:02}")).collect();
    shop.lab.tasks(&play(&names));
    shop.dnfs();
    let plan = shop.lab.plan(&[]).ok();
    assert_eq!(plan.named("changed"), names, "{plan}");
    assert_eq!(shop.dnfs(), 1, "one question for all");
    let transactions = || {
        shop.sh("dnf -q history list | grep -c '^ *[0-9]'")
            .trim()
            .parse::<usize>()
            .unwrap()
    };
    let before = transactions();
    shop.dnfs();
    shop.lab.run(&[]).ok().changed(30);
    assert_eq!(shop.dnfs(), 2, "a question and a transaction");
    assert_eq!(transactions(), before + 1);
    shop.lab.run(&[]).ok().changed(0).exchanges(1);
    assert_eq!(shop.installed("tiny-*").split(',').count(), 30);
    shop.dnfs();

    // Some of them fail: each has its own end. (The host would stop after the first that does.)
    shop.run("{name: 'tiny-*', state: absent}").ok();
    let some = ["tiny-01", "bad-pre", "tiny-02"].map(str::to_owned);
    let play = play(&some).replace("  yum:", "  ignore_errors: true\n  yum:");
    shop.lab.tasks(&play);
    let ran = shop.lab.run(&[]).ok();
    let ends = some
        .each_ref()
        .map(|name| ran.task(name).outcome().to_owned());
    assert_eq!(ends[1], "failed", "{ran}");
    assert_eq!(
        shop.installed("tiny-*"),
        "tiny-01 0:1.0,tiny-02 0:1.0",
        "{ran}"
    );
}
