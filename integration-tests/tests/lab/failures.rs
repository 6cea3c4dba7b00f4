//! The gallery of failures: what a task that fails on a real host says, all of it, as it stands on the terminal.
//!
//! `EVENKEEL_BLESS=1` before the command writes the pages (`failures/*.txt`) anew: the difference is the review.

use std::path::Path;

use evenkeel_integration_tests::{Host, Lab, need_lab, until};
use regex::Regex;

#[test]
#[ignore = "needs root and a lab"]
fn failures_say_what_why_and_what_to_do() {
    if !need_lab() {
        return;
    }
    let lab = Lab::plan()
        .postgresql()
        .host("deb")
        .packages(&[])
        .rhel()
        .host("rhel")
        .boot();
    debian(lab.host("deb"));
    red_hat(lab.host("rhel"));
    let wrong: Vec<String> = lab
        .hosts()
        .iter()
        .filter_map(|host| differs(&lab, host.name()))
        .collect();
    for host in lab.hosts() {
        host.sh("systemctl stop 'holder*'; umount /small 2>/dev/null; userdel -r busy 2>/dev/null; rm -f /run/held /run/hold.pl");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

fn debian(host: &Host) {
    host.sh("mkdir /small && mount -t tmpfs -o size=64k none /small");
    host.sh("useradd -m busy && systemd-run -q --unit=holder-busy --uid=busy sleep 600");
    // A lock as apt takes it: of the whole file, by fcntl.
    let hold = "use Fcntl; open F, '>>', '/var/lib/dpkg/lock-frontend'; my $lock = pack 's s x4 q q l x4', F_WRLCK, 0, 0, 0, 0;
        fcntl F, F_SETLK, $lock or die; open D, '>', '/run/held'; sleep 600;";
    host.write("/run/hold.pl", hold);
    host.sh("systemd-run -q --unit=holder-apt perl /run/hold.pl");
    until("the lock is held", || host.is("test -e /run/held"));
    host.wait_for_postgresql();
    host.sh("runuser -u postgres -- psql -XqAtc \"CREATE ROLE airflow LOGIN PASSWORD 'x'\" -c 'CREATE DATABASE shop'");
    host.sh("systemd-run -q --unit=holder-session --uid=postgres psql -Xq -d shop -c 'SELECT pg_sleep(600)'");
    until("somebody is connected", || {
        let count = "SELECT count(*) FROM pg_stat_activity WHERE datname = $$shop$$";
        host.sh(&format!("runuser -u postgres -- psql -XqAtc '{count}'"))
            .trim()
            == "1"
    });
}

fn red_hat(host: &Host) {
    host.sh("systemd-run -q --unit=holder-dnf sh -c 'sleep 600 & echo $! >/var/lib/dnf/rpmdb_lock.pid; wait'");
    until("the lock is held", || {
        host.is("test -s /var/lib/dnf/rpmdb_lock.pid")
    });
}

/// The page of a host, if it is not what it was.
fn differs(lab: &Lab, host: &str) -> Option<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lab/failures");
    let play = std::fs::read_to_string(folder.join(format!("{host}.yml"))).unwrap();
    lab.file("site.yml", &play);
    let ran = lab
        .evenkeel(&["run", "-i", "inventory.ini", "site.yml"])
        .ok();
    let mut page = plain(&ran.stdout);
    if host == "rhel" {
        // What dnf prints differs each time: when, and how often it tried.
        let printed = Regex::new(r"(?m)^      \|.*\n").unwrap();
        page = printed.replace_all(&page, "").into_owned();
    }
    let page = in_order(&page);
    let kept = folder.join(format!("{host}.txt"));
    if std::env::var_os("EVENKEEL_BLESS").is_some() {
        std::fs::write(&kept, &page).unwrap();
        return None;
    }
    let expected = std::fs::read_to_string(&kept).unwrap_or_default();
    (page != expected).then(|| {
        let lines = similar::TextDiff::from_lines(&expected, &page);
        format!("{host} says something else:\n{}", lines.unified_diff())
    })
}

/// Tasks that do not depend on each other are told as they end: here, as they stand in the playbook.
fn in_order(page: &str) -> String {
    let (tasks, counts) = page.split_once("\n\n").unwrap();
    let line = |told: &str| -> usize {
        let place = told.split_once("at: site.yml:").unwrap().1;
        place.split(':').next().unwrap().parse().unwrap()
    };
    let (head, told) = tasks.split_once("\nignored ").unwrap();
    let told = told.split("\nignored ");
    let mut told: Vec<&str> = told.collect();
    told.sort_by_key(|told| line(told));
    format!("{head}\nignored {}\n\n{counts}", told.join("\nignored "))
}

/// Without what is another each time.
fn plain(text: &str) -> String {
    let others = [
        (r"\b\d+(\.\d+)? m?s\b", "[TIME]"),
        // How long a task took is told where it took long.
        (r"; \[TIME\]\)", ")"),
        (r"the process \d+", "the process [PID]"),
        (r"by process \d+", "by process [PID]"),
        (r"\[\d+\]:", "[PID]:"),
        (r"\b[A-Z][a-z]{2} +\d+ \d\d:\d\d:\d\d\b", "[DATE]"),
        (r", \d+ exchanges?", ""),
        // apt says it once a second.
        (r"\n      \| Waiting for cache lock[^\n]*", ""),
        (r"`cron`: \S+ ->", "`cron`: [VERSION] ->"),
        (r"unpack \d+", "unpack [LENGTH]"),
    ];
    others.iter().fold(text.to_owned(), |text, (pattern, by)| {
        Regex::new(pattern)
            .unwrap()
            .replace_all(&text, *by)
            .into_owned()
    })
}
