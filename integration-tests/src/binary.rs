//! The program under test.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
    time::SystemTime,
};

static BINARY: LazyLock<PathBuf> = LazyLock::new(find);

/// The program, built from the sources as they are.
///
/// Cargo tells a test only of programs of its own package. `cargo test --workspace` builds it beside the
/// tests; where it is missing or older than a source, it is built here, once.
pub fn binary() -> &'static Path {
    &BINARY
}

fn find() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    // A test is at `target/PROFILE/deps/NAME`, one of documentation somewhere in a temporary directory.
    let profile = test
        .ancestors()
        .find(|dir| dir.join("deps").is_dir() && dir.join("build").is_dir());
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let profile = profile.map_or_else(|| root.join("target/debug"), Path::to_owned);
    let program = profile.join("evenkeel");
    let built = program.metadata().and_then(|file| file.modified());
    let sources =
        ["engine", "modules", "ssh", "download", "playbooks"].map(|name| format!("{name}/src"));
    let changed = sources.iter().map(|name| newest(&root.join(name))).max();
    if built.is_ok_and(|built| Some(built) >= changed) {
        return program;
    }
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--package", "evenkeel"]);
    cargo.current_dir(root).arg("--target-dir");
    cargo.arg(profile.parent().unwrap());
    if profile.ends_with("release") {
        cargo.arg("--release");
    }
    assert!(cargo.status().unwrap().success(), "{cargo:?} failed");
    program
}

fn newest(dir: &Path) -> SystemTime {
    let times = std::fs::read_dir(dir).unwrap().map(|entry| {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            newest(&entry.path())
        } else {
            entry.metadata().unwrap().modified().unwrap()
        }
    });
    times.max().unwrap_or(SystemTime::UNIX_EPOCH)
}
