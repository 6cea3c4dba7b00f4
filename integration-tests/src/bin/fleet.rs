//! Simulated hosts to try things on, by hand, until stdin ends.
//!
//! ```text
//! fleet 200 DIR     serves h1 to h200; DIR gets inventory.ini, .ssh/ and homes/
//! evenkeel run -i DIR/inventory.ini --ssh-config DIR/.ssh/config site.yml
//! ```
#![expect(clippy::print_stderr, reason = "this talks to its user")]

use std::{fs, io::Read as _, path::Path, process::ExitCode};

use evenkeel_integration_tests::Fleet;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [count, dir] = args.as_slice() else {
        eprintln!("fleet COUNT DIR");
        return ExitCode::from(2);
    };
    let Ok(count) = count.parse() else {
        eprintln!("fleet: `{count}` is no number");
        return ExitCode::from(2);
    };
    let dir = fs::create_dir_all(dir).and_then(|()| Path::new(dir).canonicalize());
    let dir = match dir {
        Ok(dir) => dir,
        Err(error) => {
            eprintln!("fleet: {error}");
            return ExitCode::FAILURE;
        }
    };
    let fleet = Fleet::within(&dir, count);
    eprintln!("{count} hosts are up; they end with the input");
    drop(std::io::stdin().read_to_end(&mut Vec::new()));
    eprintln!("{} logins", fleet.logins());
    ExitCode::SUCCESS
}
