//! What is left behind: by runs on the hosts and on this machine, and by a lab.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use super::{Host, Lab};
use crate::running::within_a_minute;

/// Temporary files of a host.
#[derive(Debug, Default)]
pub(super) struct Traces(BTreeSet<String>);

/// Where programs put what they mean to remove again. What a unit of systemd has there goes with that unit;
/// what a server or dnf keeps there is theirs.
const FILES: &str = "find /tmp /var/tmp /dev/shm /run /run/lock /run/user -mindepth 1 -maxdepth 1 \
                     ! -name 'systemd-private-*' ! -path '/run/user/[0-9]*' ! -path /run/motd.dynamic \
                     ! -path '/dev/shm/PostgreSQL.*' ! -path '/var/tmp/dnf-*'";

/// The command lines of processes that a login began, or that were detached from one. What belongs to a service of the
/// system is not among them, nor is what systemd keeps for a user.
const PROCESSES: &str = "for dir in /proc/[0-9]*; do
  read -r group <$dir/cgroup || continue
  case $group in
    */init.scope) ;;
    */session-*|*/user@*|*/run-*|*evenkeel*) tr '\\0' ' ' <$dir/cmdline; echo ;;
  esac
done 2>/dev/null";

impl Traces {
    pub(super) fn of(host: &Host) -> Self {
        Self(host.sh(FILES).lines().map(str::to_owned).collect())
    }
}

impl Host {
    /// No run has left a process or a temporary file on it.
    #[track_caller]
    pub fn assert_nothing_left(&self) {
        let left = self.left();
        assert!(left.is_empty(), "left behind: {left:#?}");
    }

    fn left(&self) -> Vec<String> {
        // A session ends a moment after its connection.
        let mut processes = String::new();
        within_a_minute(|| {
            processes = self.try_sh(PROCESSES).stdout;
            processes.is_empty()
        });
        let processes = processes.lines().map(|line| format!("process `{line}`"));
        let now = Traces::of(self);
        let files = now
            .0
            .difference(&self.before.0)
            .map(|path| format!("file {path}"));
        let on = |what| format!("{what} on {}", self.name());
        processes.chain(files).map(on).collect()
    }
}

impl Lab {
    /// What runs have left behind on this machine.
    fn left(&self) -> Vec<String> {
        let own = fs::read_link("/proc/self/ns/pid").unwrap();
        // `unshare` itself waits beside the process namespace that it made.
        let controllers = |pid: &str| {
            let name = fs::read_to_string(format!("/proc/{pid}/comm"));
            link(pid, "net").as_ref() == Some(&self.namespaces[0])
                && link(pid, "pid").as_ref() == Some(&own)
                && name.is_ok_and(|name| name != "unshare\n")
        };
        let mut left = Vec::new();
        within_a_minute(|| {
            left = processes(controllers);
            left.is_empty()
        });
        let files = fs::read_dir(self.path(".tmp")).unwrap();
        let files = files.map(|file| format!("file {}", file.unwrap().path().display()));
        left.into_iter()
            .map(|pid| format!("process {pid}"))
            .chain(files)
            .collect()
    }

    /// Ends it. What is left of it afterwards is a mistake of its own.
    fn end(&mut self) -> Vec<String> {
        drop(self.up.stdin.take());
        let mut left = Vec::new();
        if !within_a_minute(|| self.up.try_wait().is_ok_and(|end| end.is_some())) {
            left.push("its first process".to_owned());
        }
        let inside = |pid: &str| {
            let kinds = ["net", "mnt", "pid"].iter().zip(&self.namespaces);
            kinds
                .into_iter()
                .any(|(kind, it)| link(pid, kind).as_ref() == Some(it))
        };
        // What is killed with its namespace takes a moment to be gone.
        let mut still = Vec::new();
        within_a_minute(|| {
            still = processes(inside);
            still.is_empty()
        });
        left.extend(
            still
                .into_iter()
                .map(|pid| format!("process {pid} of the lab")),
        );
        let dir = self.dir.path();
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
        let mounts = mounts
            .lines()
            .filter(|line| line.contains(&*dir.to_string_lossy()));
        left.extend(mounts.map(|line| format!("mount {line}")));
        let groups = groups()
            .into_iter()
            .map(|root| root.join(dir.file_name().unwrap()));
        left.extend(
            groups
                .filter(|group| group.exists())
                .map(|group| format!("{}", group.display())),
        );
        left
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // What a failed test leaves behind would only hide why it failed.
            self.end();
            return;
        }
        // Before anybody looks for secrets in files: who does so has them in its own argument list.
        let mut left = self.vigil.end();
        if !self.quiet {
            left.extend(self.left());
            let on = self.hosts.iter().filter(|host| host.first().is_some());
            left.extend(on.flat_map(|host| [host.left(), host.leaks()].concat()));
            left.extend(self.leaks());
        }
        left.extend(self.end());
        assert!(left.is_empty(), "left behind: {left:#?}");
    }
}

/// Where labs have their control groups.
fn groups() -> Vec<PathBuf> {
    let root = Path::new("/sys/fs/cgroup");
    let kinds = fs::read_dir(root).unwrap().map(|kind| kind.unwrap().path());
    let all = kinds.chain([root.to_owned()]);
    all.map(|dir| dir.join("evenkeel-lab")).collect()
}

/// The numbers of the processes of this machine of which something is so.
pub(super) fn processes(is_so: impl Fn(&str) -> bool) -> Vec<String> {
    let all = fs::read_dir("/proc")
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    let all = all.filter_map(|name| name.into_string().ok());
    let all = all.filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()));
    all.filter(|pid| is_so(pid)).collect()
}

/// The namespace of a process.
fn link(pid: &str, kind: &str) -> Option<PathBuf> {
    fs::read_link(format!("/proc/{pid}/ns/{kind}")).ok()
}
