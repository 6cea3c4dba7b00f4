//! A real interpreter of Python, compiled on a host: killed in the middle, finished by the next run, and left alone after that.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use evenkeel_integration_tests::{Lab, need_lab, until};

pub(super) const SHA: &str = "3c2034c54f811448f516668dce09d24008a0716c3a794dd8639b5388cbde247d";

/// What it is compiled with, and what looks at what it serves.
pub(super) const COMPILED_WITH: [&str; 11] = [
    "gcc",
    "libc6-dev",
    "make",
    "xz-utils",
    "libssl-dev",
    "libbz2-dev",
    "libffi-dev",
    "zlib1g-dev",
    "libsqlite3-dev",
    "liblzma-dev",
    "curl",
];

/// The same, with what watches that, and what the stubs install.
pub(super) fn packages() -> Vec<&'static str> {
    COMPILED_WITH
        .into_iter()
        .chain(["strace", "python3"])
        .collect()
}

/// What fetches the source of Debian's Python 3.9 from where this machine has its packages from.
const FETCH: &str = r#"
set -e
cd "$1"
uri=$(cat /etc/apt/sources.list.d/*.sources /etc/apt/sources.list 2>/dev/null |
    awk '/^URIs:/ {print $2; exit} /^deb / {for (i = 2; i <= NF; i++) if ($i ~ /^http/) {print $i; exit}}')
test -n "$uri"
echo "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $uri bullseye main" >list
mkdir -p apt/lists/partial
set -- -q -o Dir::Etc::sourcelist="$PWD/list" -o Dir::Etc::sourceparts=/nonexistent \
    -o Dir::State::lists="$PWD/apt/lists" -o Dir::Cache="$PWD/apt" -o APT::Sandbox::User=root
apt-get "$@" update
apt-get "$@" source --download-only --tar-only python3.9
mv python3.9_*.orig.tar.xz ../python-3.9.2.tar.xz
"#;

/// The archive, fetched once; nothing where it is not to be had.
pub(super) fn archive() -> Option<PathBuf> {
    let cache = Lab::cache();
    let file = cache.join("python-3.9.2.tar.xz");
    if !file.exists() {
        std::fs::create_dir_all(&cache).unwrap();
        let dir = tempfile::Builder::new()
            .prefix("python-")
            .tempdir_in(&cache)
            .unwrap();
        let fetched = Command::new("sh")
            .args(["-c", FETCH, "fetch"])
            .arg(dir.path())
            .output()
            .unwrap();
        if !fetched.status.success() {
            println!(
                "skipped: the source of Python is not to be had: {}",
                String::from_utf8_lossy(&fetched.stderr)
            );
            return None;
        }
    }
    Some(file)
}

fn tasks(archive: &Path) -> String {
    format!(
        "
become: true
tasks:
- name: python
  compile-python:
    version: 3.9.2
    source: {}
    sha256: {SHA}
    optimizations: false
    configure: ['OPT=-O0 -DNDEBUG']
    share_build: builds
",
        archive.display()
    )
}

#[test]
#[ignore = "needs root, a lab, and some minutes"]
fn a_real_python_is_compiled() {
    if !need_lab() {
        return;
    }
    let Some(archive) = archive() else { return };
    let lab = Lab::plan().packages(&packages()).host("one").boot();
    let host = lab.host("one");
    lab.tasks(&tasks(&archive));

    // What is missing is said before anything is brought there.
    host.sh("mv /usr/include/sqlite3.h /root/");
    lab.run(&[])
        .status(2)
        .says("sqlite3: sqlite3.h (Debian: libsqlite3-dev; Red Hat: sqlite-devel)");
    assert!(host.is("test ! -e /usr/local/src/evenkeel-python-3.9.2"));
    host.sh("mv /root/sqlite3.h /usr/include/");

    lab.plan(&[]).ok().changed(1);

    // The controller is killed while it compiles, and then what compiles.
    let running = lab.start(&[]);
    let objects = "ls /usr/local/src/evenkeel-python-3.9.2/tree/Objects/*.o";
    bounded("it compiles", || host.is(objects));
    running.signal("KILL");
    running.wait();
    host.sh("pkill -KILL -x make; pkill -KILL cc1 || true");
    bounded("nothing compiles any more", || {
        host.is("! pgrep -x 'make|gcc|cc1'")
    });
    assert!(host.is("test ! -e /usr/local/bin/python3.9"));

    lab.run(&[]).ok().changed(1);
    assert_eq!(host.sh("python3.9 -V"), "Python 3.9.2\n");
    host.sh("python3.9 -c 'import ssl, sqlite3, bz2, zlib, ctypes, lzma'");
    assert!(
        host.sh("python3.9 -m pip --version")
            .starts_with("pip 20.2.3 from /usr/local/lib/python3.9/")
    );
    assert!(
        host.is("grep -q '^== make altinstall' /usr/local/src/evenkeel-python-3.9.2/build.log")
    );
    assert!(host.is("test ! -e /usr/local/src/evenkeel-python-3.9.2/tree"));

    quiet(&lab);

    // Without what a build leaves at its end it is not done, whatever is installed.
    host.sh("rm /usr/local/lib/python3.9/evenkeel-build.txt");
    let plan = lab.plan(&[]).ok().changed(1);
    assert!(plan.to_string().contains("never finished"), "{plan}");

    // What was compiled is kept here: a host like it, without a Python and a compiler, is not compiled again.
    host.sh("rm -r /usr/local/bin/*3.9* /usr/local/lib/python3.9 /usr/local/include/python3.9; mv /usr/bin/gcc /root/; mv /usr/bin/cc /root/");
    let run = lab.run(&[]).ok().changed(1);
    assert_eq!(
        run.task("python").whats(),
        ["python3.9 as another host compiled it"]
    );
    host.sh("mv /root/gcc /root/cc /usr/bin/");
    host.sh("python3.9 -c 'import ssl, sqlite3, bz2, zlib, ctypes, lzma'");
    assert!(host.is("/usr/local/bin/pip3.9 --version"));
    lab.run(&[]).ok().changed(0).exchanges(1);

    // As it is after a power cut while pip replaced itself.
    host.sh("cd /usr/local/lib/python3.9 && rm -r evenkeel-build.txt site-packages/pip/_internal/commands && pip3.9 list >/dev/null 2>&1 && exit 1 || true");
    lab.run(&[]).ok().changed(1);
    host.sh("/usr/local/bin/pip3.9 install --help");
}

/// The next run starts neither a compiler nor pip, and takes no second.
fn quiet(lab: &Lab) {
    let host = lab.host("one");
    let sshd = host.sh("pgrep -o -x sshd");
    host.sh(&format!(
        "nohup strace -f -q -e trace=execve -o /root/started -p {} >/dev/null 2>&1 </dev/null & \
         until grep -q '^TracerPid:.*[1-9]' /proc/{}/status; do :; done",
        sshd.trim(),
        sshd.trim()
    ));
    let begun = Instant::now();
    lab.run(&[]).ok().changed(0).exchanges(1);
    let took = begun.elapsed();
    host.sh("pkill strace; until ! pgrep -x strace; do :; done");
    let started = host.sh("cat /root/started");
    assert!(started.contains("/usr/local/bin/python3.9"), "{started}");
    for program in ["/gcc", "/cc", "/make", "pip3", "\"pip\""] {
        assert!(!started.contains(program), "{program}: {started}");
    }
    println!("an unchanged run took {took:?}");
    assert!(took < Duration::from_secs(5), "{took:?}");
}

/// Like [`until`], for what takes minutes.
fn bounded(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(300);
    while !holds() {
        assert!(Instant::now() < end, "{what}: not within five minutes");
        std::thread::sleep(Duration::from_millis(500));
    }
    until(what, holds);
}
