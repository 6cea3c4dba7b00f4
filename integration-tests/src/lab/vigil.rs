//! Secrets are watched for as long as a lab is up.
//!
//! What a test wants kept secret has [`MARK`] in it. It may be in no argument list while a run goes on, nor be said by
//! a run; at the end it may be in no journal and no log of a host, in no file there that others may read, and in no
//! record of a run.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use super::{Host, Lab};

/// What each secret of a test has in it.
pub const MARK: &str = "s3cret";

/// It, in Base64 at each of three places, in hexadecimal, and as numbers of bytes.
const DISGUISES: [&str; 6] = [
    MARK,
    "czNjcmV0",
    "MzY3Jld",
    "zM2NyZX",
    "733363726574",
    "115,51,99,114",
];

/// How often a new process is looked at each time: it has another argument list once it runs another program.
const LOOKS: u32 = 4;

/// Later it is looked at each so many times: on a busy machine the other program takes a while to come.
const SELDOM: u32 = 16;

/// Reads the argument lists of this machine's processes, those of its labs among them, until it is told to stop.
#[derive(Debug)]
pub(super) struct Vigil {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<Watched>>,
}

/// What a watch has seen.
#[derive(Debug, Default)]
struct Watched {
    processes: usize,
    found: BTreeSet<String>,
}

impl Vigil {
    /// Watches a lab by the name of its control group.
    pub(super) fn begin(lab: &Path) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let until = Arc::clone(&stop);
        let group = lab.file_name().unwrap().to_string_lossy().into_owned();
        let thread = thread::spawn(move || {
            let (mut watched, mut looks) = (Watched::default(), BTreeMap::new());
            while !until.load(Ordering::Relaxed) {
                look(&group, &mut looks, &mut watched);
                thread::park_timeout(Duration::from_millis(5));
            }
            watched
        });
        Self {
            stop,
            thread: Some(thread),
        }
    }

    /// Argument lists in which a secret was seen.
    pub(super) fn end(&mut self) -> Vec<String> {
        self.stop.store(true, Ordering::Relaxed);
        let Some(thread) = self.thread.take() else {
            return Vec::new();
        };
        let watched = thread.join().unwrap();
        assert!(watched.processes > 0, "nothing was watched");
        let said = |line| format!("a secret in the argument list `{line}`");
        watched.found.into_iter().map(said).collect()
    }
}

impl Drop for Vigil {
    fn drop(&mut self) {
        // Of a test that failed nothing more is to be watched.
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// Looks at all processes whose turn it is.
fn look(lab: &str, looks: &mut BTreeMap<String, u32>, watched: &mut Watched) {
    let now: BTreeSet<String> = super::leftovers::processes(|_| true).into_iter().collect();
    // A number is given to another process later.
    looks.retain(|pid, _| now.contains(pid));
    for pid in now {
        let dir = Path::new("/proc").join(&pid);
        let count = looks.entry(pid).or_insert(0);
        *count += 1;
        if *count > LOOKS && !count.is_multiple_of(SELDOM) {
            continue;
        }
        let line = fs::read(dir.join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        watched.processes += usize::from(*count == 1);
        // What a test itself does on a host is in no control group of the lab.
        let program = line.split(' ').next().unwrap_or_default();
        let is_a_run = || program.ends_with("/evenkeel") && is_begun_here(&dir);
        if is_marked(&line) && (is_within(&dir, lab) || is_a_run()) {
            watched.found.insert(line);
        }
    }
}

/// Whether a process comes of this one. Other tests may run on this machine.
fn is_begun_here(process: &Path) -> bool {
    let parent = |dir: &Path| {
        let status = fs::read_to_string(dir.join("status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("PPid:"))?;
        Some(line.trim().to_owned())
    };
    let here = std::process::id().to_string();
    let above = |pid: &String| parent(&Path::new("/proc").join(pid));
    std::iter::successors(parent(process), above).any(|pid| pid == here)
}

fn is_within(process: &Path, lab: &str) -> bool {
    fs::read_to_string(process.join("cgroup")).is_ok_and(|groups| groups.contains(lab))
}

/// Whether there is a secret in a text, in whatever form.
pub(crate) fn is_marked(text: &str) -> bool {
    DISGUISES.iter().any(|mark| text.contains(mark))
}

impl Host {
    /// Logs, and files that others may read, in which there is a secret.
    pub(super) fn leaks(&self) -> Vec<String> {
        let marks: Vec<String> = DISGUISES.iter().map(|mark| format!("-e {mark}")).collect();
        let marks = marks.join(" ");
        let everywhere = "/etc /home /opt /srv /tmp /usr/local /var /run /dev/shm";
        let found = self.sh(&format!(
            "grep -rslFa {marks} /var/log --exclude-dir=journal
             setpriv --reuid=65534 --regid=65534 --clear-groups \
               find {everywhere} -xdev -type f -readable -exec grep -slFa {marks} {{}} + 2>/dev/null
             journalctl -b -a -q --no-pager | grep -qFa {marks} && echo its journal
             true"
        ));
        let said = |place| format!("a secret in {place} of {}", self.name());
        found.lines().map(said).collect()
    }
}

impl Lab {
    /// Records of runs in which there is a secret.
    pub(super) fn leaks(&self) -> Vec<String> {
        let records = self.has(".state").then(|| self.tree(".state"));
        let records = records.unwrap_or_default();
        let marked = records.lines().filter(|line| is_marked(line));
        marked
            .map(|line| format!("a secret in a record: {line}"))
            .collect()
    }
}
