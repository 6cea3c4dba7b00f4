//! Hosts to try things on, by hand: a shell in a lab's network, which ends with that shell.
//!
//! ```text
//! lab up 3 [PACKAGE...]     boots h1, h2, h3, and begins a shell there
//! lab rhel 3 [PACKAGE...]   the same with hosts that answer as Red Hat's do
//! lab sh h1 LINE            in that shell: runs a line as root on a host, not over ssh
//! lab off|on|cut|mend|freeze|thaw h1
//! lab slow h1 50            each way takes so many milliseconds; `lab fast h1` ends that
//! ```
#![expect(clippy::print_stderr, reason = "this talks to its user")]

use std::{
    io::Write as _,
    process::{Command, ExitCode},
};

use evenkeel_integration_tests::{Host, Lab, Line, need_lab};

/// How the shell's commands find the lab.
const LAB: &str = "EVENKEEL_LAB_DIR";

type Act = fn(&Host);

const FAULTS: [(&str, Act); 7] = [
    ("off", |host| host.power_off()),
    ("on", |host| host.power_on()),
    ("cut", Host::cut),
    ("mend", Host::mend),
    ("freeze", Host::freeze),
    ("thaw", Host::thaw),
    ("fast", Host::fast),
];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        [kind @ ("up" | "rhel"), count, packages @ ..] => match count.parse() {
            Ok(count) if need_lab() => up(*kind == "rhel", count, packages),
            _ => ExitCode::FAILURE,
        },
        ["sh", host, line] => on(host, |host| {
            let ended = host.try_sh(line);
            std::io::stdout().write_all(ended.stdout.as_bytes()).ok();
            eprint!("{}", ended.stderr);
            ended.status
        }),
        [fault, host] if FAULTS.iter().any(|(name, _)| name == fault) => on(host, |host| {
            let known = FAULTS.iter().filter(|(name, _)| name == fault);
            known.for_each(|(_, act)| act(host));
            0
        }),
        ["slow", host, delay] => match delay.parse() {
            Ok(delay) => on(host, |host| {
                host.slow(Line {
                    delay,
                    ..Line::default()
                });
                0
            }),
            Err(_) => ExitCode::from(2),
        },
        _ => {
            eprintln!(
                "lab up|rhel COUNT [PACKAGE...]\nlab sh HOST LINE\nlab off|on|cut|mend|freeze|thaw|fast HOST\nlab slow HOST MILLISECONDS"
            );
            ExitCode::from(2)
        }
    }
}

fn up(rhel: bool, count: usize, packages: &[&str]) -> ExitCode {
    let plan = Lab::plan();
    let plan = if rhel { plan.rhel() } else { plan };
    let mut lab = plan.packages(packages).hosts(count).boot();
    let mut shell = lab.within(std::env::var_os("SHELL").unwrap_or("bash".into()));
    shell.env(LAB, lab.dir());
    if let Ok(own) = std::env::current_exe() {
        let path = std::env::var("PATH").unwrap_or_default();
        let dir = own.parent().unwrap_or(&own).display();
        shell.env("PATH", format!("{dir}:{path}"));
    }
    eprintln!("hosts h1 to h{count} are up; this shell is in their network, and they end with it:");
    eprintln!(
        "  ssh -F .ssh/config h1       evenkeel run -i inventory.ini site.yml       lab sh h1 'journalctl -b'"
    );
    let ended = shell.status();
    lab.keep_quiet();
    match ended {
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}: {error}", Command::get_program(&shell).display());
            ExitCode::FAILURE
        }
    }
}

fn on(name: &str, act: impl FnOnce(&Host) -> i32) -> ExitCode {
    let host = std::env::var_os(LAB).and_then(|dir| Host::find(dir.as_ref(), name));
    let Some(host) = host else {
        eprintln!("no host `{name}`: is this the shell of `lab up`?");
        return ExitCode::FAILURE;
    };
    ExitCode::from(u8::try_from(act(&host)).unwrap_or(1))
}
