//! The program `evenkeel`: all of it is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    evenkeel::main(std::env::args_os()).into()
}
