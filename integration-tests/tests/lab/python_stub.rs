//! What `compile-python` does around a build, shown by archives that are no Python: they note their options, fail as
//! they are told, and install what calls the `python3` of the host.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use evenkeel_integration_tests::{Ended, Host, Lab, Task, need_lab};

use super::{python::packages, web::Web};

const CONFIGURE: &str = include_str!("python_stub/configure");
const MAKEFILE: &str = include_str!("python_stub/Makefile.in");

/// A makefile whose `all` prints a hundred lines and a complaint, and fails.
fn broken(line: &str) -> String {
    format!(
        "all:\n\t@i=0; while [ $$i -lt 100 ]; do i=$$((i + 1)); echo \"{line} $$i\"; done\n\
         \t@echo 'Modules/spam.c:7: error: no eggs' >&2; exit 3\n"
    )
}

/// An archive in the directory `web` of a lab.
struct Stub {
    file: PathBuf,
    sha256: String,
}

impl Stub {
    fn new(lab: &Lab, name: &str, version: &str, configure: &str, makefile: &str) -> Self {
        let top = format!("stubs/{name}/Python-{version}");
        lab.file(&format!("{top}/configure"), configure);
        lab.file(&format!("{top}/Makefile.in"), makefile);
        let header = format!("#define PY_VERSION \"{version}\"\n");
        lab.file(&format!("{top}/Include/patchlevel.h"), &header);
        lab.file("web/.keep", "");
        let file = lab.path(&format!("web/{name}.tar"));
        let mut tar = Command::new("tar");
        tar.arg("-C").arg(lab.path(&format!("stubs/{name}")));
        tar.args(["--mode=755", "--owner=0", "--group=0", "-cf"]);
        tar.arg(&file).arg(format!("Python-{version}"));
        assert!(tar.status().unwrap().success());
        let sum = Command::new("sha256sum").arg(&file).output().unwrap();
        let sum = String::from_utf8(sum.stdout).unwrap();
        let sha256 = sum.split(' ').next().unwrap().to_owned();
        Self { file, sha256 }
    }

    fn task(&self, version: &str, source: &str, more: &str) -> String {
        let sha256 = &self.sha256;
        format!(
            "
become: true
tasks:
- name: python
  compile-python: {{version: {version}, source: '{source}', sha256: '{sha256}'{more}}}
"
        )
    }

    fn local(&self, version: &str, more: &str) -> String {
        self.task(version, &self.file.display().to_string(), more)
    }
}

#[test]
#[ignore = "needs root and a lab"]
fn a_build_that_fails_shows_the_end_of_its_log() {
    if !need_lab() {
        return;
    }
    let lab = Lab::plan().packages(&packages()).host("one").boot();
    fails(&lab);
    comes_by_web(&lab);
    by_apt(&lab);
}

#[test]
#[ignore = "needs root and a lab"]
fn what_python_is_built_with_is_installed_by_dnf() {
    if !need_lab() {
        return;
    }
    let lab = Lab::plan().rhel().disk("200m").host("red").boot();
    let host = lab.host("red");
    host.sh(TOOLS);
    let version = version(&lab);
    let stub = Stub::new(&lab, "red", &version, CONFIGURE, SCRIPT);
    let task = |more: &str| stub.local(&version, &format!(", prefix: /opt/py{more}"));

    let run = lab
        .settles(&task(", packages: [apple, labtool]"))
        .changed(1);
    let whats = run.task("python").whats();
    let python = format!("python{}", version.rsplit_once('.').unwrap().0);
    assert_eq!(
        whats,
        [
            "package `apple`",
            "package `labtool`",
            "package `apple-core`",
            &python
        ]
    );
    let dnfs = "grep -c 'DNF version' /var/log/dnf.log || true; : >/var/log/dnf.log";
    host.sh(dnfs);
    // It is built anew, and all packages are there.
    lab.settles(&task(", packages: [apple, labtool], optimizations: false"))
        .changed(1);
    assert_eq!(host.sh(dnfs), "0\n", "dnf is not started");
    // Where it is built as it is wanted, packages are of no interest.
    lab.tasks(&task(
        ", packages: [apple, no-such-package], optimizations: false",
    ));
    lab.run(&[]).ok().changed(0).exchanges(1);
    lab.tasks(&task(", packages: [apple, no-such-package]"));
    let plan = lab.plan(&[]);
    let (message, ..) = failure(&plan.status(2));
    assert_eq!(message, "no repository that is on has `no-such-package`");
}

/// One host compiles, and the others get it from here.
#[test]
#[ignore = "needs root and a lab"]
fn what_one_host_compiled_is_carried_to_those_like_it() {
    if !need_lab() {
        return;
    }
    let lab = Lab::plan()
        .tools()
        .host("first")
        .host("second")
        .host("third")
        .boot();
    for host in lab.hosts() {
        host.sh(TOOLS);
    }
    let version = version(&lab);
    let series = version.rsplit_once('.').unwrap().0;
    let stub = Stub::new(&lab, "shared", &version, CONFIGURE, SHARED);
    let source = stub.file.display();
    let play = |serial: &str, more: &str| {
        format!(
            "- hosts: all\n  gather_facts: false\n  become: true\n  serial: {serial}\n  tasks:\n  - name: python\n    \
             compile-python: {{version: {version}, source: '{source}', sha256: '{}', prefix: /opt/py, share_build: builds{more}}}\n",
            stub.sha256
        )
    };
    let compiled = |host: &Host| host.is("test -e /srv/compiled && rm /srv/compiled");
    let whats = |run: &Ended| -> Vec<(String, Vec<String>)> {
        let told = |task: Task| (task.host().to_owned(), task.whats());
        let mut all: Vec<_> = run.tasks().map(told).collect();
        all.sort();
        all
    };
    let own = vec![format!("python{series}")];
    let carried = vec![format!("python{series} as another host compiled it")];

    // Others get it where no compiler is.
    for host in &lab.hosts()[1..] {
        host.sh("rm /usr/bin/cc /usr/bin/make");
    }
    lab.file("site.yml", &play("[1, 100%]", ""));
    let run = lab.run(&[]).ok().changed(3);
    let hosts = ["first", "second", "third"].map(str::to_owned);
    let expected = hosts
        .into_iter()
        .zip([own.clone(), carried.clone(), carried]);
    assert_eq!(whats(&run), expected.collect::<Vec<_>>());
    assert_eq!(
        lab.hosts().iter().map(compiled).collect::<Vec<_>>(),
        [true, false, false]
    );
    for host in lab.hosts() {
        let answer = format!("/opt/py/bin/python{series} -c 'print(6 * 7)'");
        assert_eq!(host.sh(&answer), "42\n");
        let left = if host.name() == "first" {
            "build.log\nlock\nsource\n"
        } else {
            "build.log\nlock\n"
        };
        assert_eq!(host.sh("ls /usr/local/src/evenkeel-python-*"), left);
    }
    let kept: Vec<_> = std::fs::read_dir(lab.path("builds")).unwrap().collect();
    assert_eq!(kept.len(), 1, "one build for all");
    has_no_directories(&kept[0].as_ref().unwrap().path());
    lab.run(&[]).ok().changed(0).exchanges(3);

    // A host that is another: another release has another build.
    lab.host("third")
        .sh("rm -r /opt/py; sed -i 's/^VERSION_ID=.*/VERSION_ID=\"99\"/' /etc/os-release");
    lab.host("third").sh(TOOLS);
    let run = lab.run(&[]).ok().changed(1);
    assert_eq!(whats(&run)[2].1, own);
    assert_eq!(std::fs::read_dir(lab.path("builds")).unwrap().count(), 2);

    // What cannot run there is said.
    lab.file(
        "site.yml",
        &play("[1, 100%]", ", modules: [no_such_module]"),
    );
    let (message, stderr, _) = failure(&lab.run(&["--limit", "second"]).status(2));
    assert_eq!(
        message,
        "Python is not built: what another host compiled lacks modules here (their libraries are missing: `packages` installs them):"
    );
    assert!(
        stderr.contains("no_such_module: No module named 'no_such_module'"),
        "{stderr}"
    );
}

/// No directories but empty ones: tar would take rights from `/` while it unpacks.
fn has_no_directories(pack: &Path) {
    let members = Command::new("tar").arg("-tzf").arg(pack).output().unwrap();
    let members = String::from_utf8(members.stdout).unwrap();
    assert!(members.contains("./opt/py/bin/python"), "{members}");
    for member in members.lines().filter(|member| member.ends_with('/')) {
        let mut others = members.lines().filter(|other| *other != member);
        assert!(!others.any(|other| other.starts_with(member)), "{members}");
    }
}

/// A makefile that notes that it compiled, and installs below `DESTDIR`.
const SHARED: &str = r#"
for word; do case $word in DESTDIR=*) dest=${word#*=} ;; esac; done
[ "$1" = altinstall ] || { touch /srv/compiled; exit 0; }
series=$(sed -n 's/^.define PY_VERSION *"\(.*\)\..*"/\1/p' Include/patchlevel.h)
mkdir -p $dest@PREFIX@/bin $dest@PREFIX@/lib/python$series
printf '#!/bin/sh\nexec /usr/bin/python3 "$@"\n' >$dest@PREFIX@/bin/python$series
chmod 755 $dest@PREFIX@/bin/python$series
"#;

/// Stand for a compiler and `make` where there are none: a makefile is a script then.
const TOOLS: &str = r#"
printf '#!/bin/sh\nexit 0\n' >/usr/bin/cc
printf '#!/bin/sh\n[ "$1" != -j ] || shift 2\nexec sh ./Makefile "$@"\n' >/usr/bin/make
chmod 755 /usr/bin/cc /usr/bin/make
"#;

/// Such a makefile.
const SCRIPT: &str = r#"
[ "$1" = altinstall ] || exit 0
series=$(sed -n 's/^.define PY_VERSION *"\(.*\)\..*"/\1/p' Include/patchlevel.h)
mkdir -p @PREFIX@/bin @PREFIX@/lib/python$series
printf '#!/bin/sh\nexec /usr/bin/python3 "$@"\n' >@PREFIX@/bin/python$series
chmod 755 @PREFIX@/bin/python$series
"#;

/// Moves `make` and a header of the host into a package of a source of its own, and notes each call of apt-get.
const SHOP: &str = r#"
set -e
mkdir -p /srv/mk/DEBIAN /srv/mk/usr/bin /srv/mk/usr/include /srv/shop
cp /usr/bin/make /srv/mk/usr/bin
cp /usr/include/sqlite3.h /srv/mk/usr/include
dpkg --purge make libsqlite3-dev
printf 'Package: lab-build\nVersion: 1.0\nArchitecture: all\nMaintainer: Lab <lab@lab.test>\nDescription: of a lab\n' >/srv/mk/DEBIAN/control
dpkg-deb -Znone --root-owner-group -b /srv/mk /srv/shop/lab-build.deb
cd /srv/shop
{
  dpkg-deb -f lab-build.deb
  printf 'Filename: ./lab-build.deb\nSize: %s\nSHA256: %s\n\n' "$(stat -c %s lab-build.deb)" "$(sha256sum <lab-build.deb | cut -d' ' -f1)"
} >Packages
echo 'deb [trusted=yes] file:/srv/shop ./' >/etc/apt/sources.list.d/shop.list
mv /usr/bin/apt-get /usr/bin/apt-get.real
printf '#!/bin/sh\necho "$*" >>/var/log/calls\nexec /usr/bin/apt-get.real "$@"\n' >/usr/bin/apt-get
chmod 755 /usr/bin/apt-get
: >/var/log/calls
"#;

fn by_apt(lab: &Lab) {
    let (host, version) = (lab.host("one"), version(lab));
    host.sh(SHOP);
    let calls = || host.sh("cat /var/log/calls; : >/var/log/calls");
    let stub = Stub::new(lab, "apt", &version, CONFIGURE, MAKEFILE);
    let task = |more: &str| stub.local(&version, &format!(", prefix: /opt/apt{more}"));
    let python = format!("python{}", version.rsplit_once('.').unwrap().0);

    // Without the argument nothing is installed, and what is missing is said.
    lab.tasks(&task(""));
    let (message, _, help) = failure(&lab.run(&[]).status(2));
    assert_eq!(message, "what it needs is missing: `make` on the host");
    assert_eq!(help, "`packages` installs what it is built with");
    assert_eq!(calls(), "");

    let packages = ", packages: [gcc, lab-build]";
    lab.tasks(&task(packages));
    let (message, _, help) = failure(&lab.run(&[]).status(2));
    assert_eq!(message, "no source of packages has `lab-build`");
    assert!(help.contains("`update_cache: true` fetches them"), "{help}");
    calls();

    lab.tasks(&task(&format!("{packages}, update_cache: true")));
    let plan = lab.plan(&[]).ok();
    assert!(host.is("test ! -e /usr/bin/make"));
    let run = lab.run(&[]).ok();
    plan.foretells(&run);
    assert_eq!(
        run.task("python").whats(),
        ["lists of packages", "package `lab-build`", &python]
    );
    assert_ne!(calls(), "");
    lab.run(&[]).ok().changed(0).exchanges(1);
    assert_eq!(calls(), "");
    // It is built anew, and all packages are there.
    lab.settles(&task(&format!("{packages}, optimizations: false")))
        .changed(1);
    assert_eq!(calls(), "");

    // What is missing after that is said before it is built.
    host.sh("mv /usr/include/bzlib.h /root");
    lab.tasks(&task(packages));
    let (message, stderr, help) = failure(&lab.run(&[]).status(2));
    assert_eq!(
        message,
        "what Python is compiled with is missing on the host"
    );
    assert_eq!(
        stderr,
        "these are missing:\n  bz2: bzlib.h (Debian: libbz2-dev; Red Hat: bzip2-devel)"
    );
    assert_eq!(
        help,
        "name what has it in `packages`, or install it with an earlier task; nothing was fetched so far"
    );
    host.sh("mv /root/bzlib.h /usr/include/");
}

/// The version that the stubs have to have.
fn version(lab: &Lab) -> String {
    let line = "python3 -c 'import sys; print(\"%d.%d.%d\" % sys.version_info[:3])'";
    lab.hosts()[0].sh(line).trim().to_owned()
}

fn failure(ended: &Ended) -> (String, String, String) {
    let task = ended.task("python");
    let error = &task.0["error"];
    let text = |key: &str| error[key].as_str().unwrap_or_default().to_owned();
    (text("message"), text("stderr"), text("help"))
}

/// All that is said where `make` and `configure` fail; the whole log stays.
fn fails(lab: &Lab) {
    let host = lab.host("one");
    let log = "/usr/local/src/evenkeel-python-3.1.0/build.log";
    let stays = "correct what the end of its log complains of; the log stays on the host";

    let made = Stub::new(lab, "broken", "3.1.0", CONFIGURE, &broken("compiling"));
    lab.tasks(&made.local("3.1.0", ", jobs: 2"));
    let (message, stderr, help) = failure(&lab.run(&[]).status(2));
    assert_eq!(message, "Python is not built: `make` failed");
    let lines: Vec<String> = (63..=100).map(|n| format!("compiling {n}")).collect();
    assert_eq!(
        stderr,
        format!(
            "`make` failed\nthe end of `{log}`:\n{}\nModules/spam.c:7: error: no eggs\n\
             make: *** [Makefile:3: all] Error 3",
            lines.join("\n")
        )
    );
    assert_eq!(help, stays);
    let kept = host.sh(&format!("cat {log}"));
    assert!(
        kept.starts_with("== unpack\n== configure --prefix=/usr/local --enable-optimizations\n")
    );
    assert!(
        kept.contains("\n== make -j 2\ncompiling 1\ncompiling 2\n"),
        "{kept}"
    );
    assert!(host.is("test ! -e /usr/local/bin/python3.1"));
    // The report for people has all of it, too.
    let told = lab.evenkeel(&["run", "site.yml"]).status(2);
    assert!(told.stdout.contains("| compiling 63\n"), "{told}");

    // What came first is told where much was said after it.
    let early = Stub::new(
        lab,
        "early",
        "3.1.0",
        CONFIGURE,
        &broken("Modules/ham.c:1: error: stale"),
    );
    lab.tasks(&early.local("3.1.0", ""));
    let (_, stderr, _) = failure(&lab.run(&[]).status(2));
    let first = "`make` failed\nthe first complaint, in line 6: Modules/ham.c:1: error: stale 1\nthe end of `/usr";
    assert!(stderr.starts_with(first), "{stderr}");

    let refuses = "#!/bin/sh\necho checking for gcc... no\necho 'configure: error: no acceptable C compiler found in $PATH' >&2\nexit 77\n";
    let refusing = Stub::new(lab, "refusing", "3.1.0", refuses, MAKEFILE);
    lab.tasks(&refusing.local("3.1.0", ", optimizations: false"));
    let (message, stderr, help) = failure(&lab.run(&[]).status(2));
    let tree = "/usr/local/src/evenkeel-python-3.1.0/tree";
    let what = format!("`configure` failed (`{tree}/config.log` has more)");
    assert_eq!(message, format!("Python is not built: {what}"));
    assert_eq!(
        stderr,
        format!(
            "{what}\nthe end of `{log}`:\n== unpack\n== configure --prefix=/usr/local\nchecking for gcc... no\n\
             configure: error: no acceptable C compiler found in $PATH"
        )
    );
    assert_eq!(help, stays);

    // An interpreter that lacks what is wanted is no end, and is not taken for one by the next run.
    let version = version(lab);
    let poor = Stub::new(lab, "poor", &version, CONFIGURE, MAKEFILE);
    lab.tasks(&poor.local(&version, ", prefix: /opt/poor, modules: [ssl, nosuch]"));
    for _ in 0..2 {
        let (message, stderr, _) = failure(&lab.run(&[]).status(2));
        assert!(message.ends_with("is missing, or too old):"), "{message}");
        assert!(
            stderr.contains("\n  nosuch: No module named 'nosuch'\n"),
            "{stderr}"
        );
        assert!(stderr.contains("\n== make -j"), "built anew: {stderr}");
    }
}

/// An archive at an address: fetched once, built, and left alone. Its options are those of the task, and optimized is
/// what it is unless told otherwise.
fn comes_by_web(lab: &Lab) {
    let (host, web, version) = (lab.host("one"), Web::new(lab), version(lab));
    let series = version.rsplit_once('.').unwrap().0;
    let good = Stub::new(lab, "good", &version, CONFIGURE, MAKEFILE);
    let source = "http://10.77.0.1:8080/file/good.tar";
    lab.settles(&good.task(
        &version,
        source,
        ", prefix: /opt/py, configure: [--with-x=a b]",
    ))
    .changed(1);
    assert_eq!(web.asked(), "GET /file/good.tar -\n");
    let args = format!("cat /opt/py/lib/python{series}/configure.args");
    assert_eq!(
        host.sh(&args),
        "--prefix=/opt/py\n--enable-optimizations\n--with-x=a b\n"
    );
    lab.settles(&good.task(&version, source, ", prefix: /opt/py, optimizations: false"));
    assert_eq!(host.sh(&args), "--prefix=/opt/py\n");
    // The archive was there already.
    assert_eq!(web.asked(), "");

    // What the server has is not what was wanted.
    let work = ", prefix: /opt/other, build_dir: /usr/local/src/other";
    let wrong = good
        .task(&version, source, work)
        .replace(&good.sha256, &"0".repeat(64));
    lab.tasks(&wrong);
    lab.run(&[]).status(2).says(&good.sha256);
    assert!(host.is("test ! -e /opt/other && test ! -e /usr/local/src/other/tree"));
}
