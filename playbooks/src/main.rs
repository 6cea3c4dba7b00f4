//! The program `evenkeel`: all of it is in the library.

use std::process::ExitCode;

/// Loading playbooks is many small allocations: with this one ten thousand tasks take half the time that they take with glibc's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    evenkeel::main(std::env::args_os()).into()
}
