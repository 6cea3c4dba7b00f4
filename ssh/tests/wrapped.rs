//! Containers by a program that stands in for `docker`, and directories by the real `chroot`.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::{fs, os::unix::fs::PermissionsExt as _, process::Command};

use evenkeel_engine::{Connection, host::HostError};
use evenkeel_ssh::WrappedConnection;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// Runs a command with an input: its status, stdout and stderr.
async fn run(
    connection: &dyn Connection,
    command: &str,
    input: &str,
) -> Result<(i32, String, String), HostError> {
    let mut channel = connection.open(command).await?;
    // What ends early reads no more.
    drop(channel.stdin.write_all(input.as_bytes()).await);
    drop(channel.stdin);
    let (mut out, mut err) = (String::new(), String::new());
    channel.stdout.read_to_string(&mut out).await.unwrap();
    channel.stderr.read_to_string(&mut err).await.unwrap();
    Ok((channel.ended.await?, out, err))
}

#[tokio::test]
async fn a_container_is_entered_by_exec() {
    let dir = tempfile::tempdir().unwrap();
    let docker = dir.path().join("docker");
    // Tells how it was called, then does what it was asked for.
    let text = "#!/bin/sh\necho \"$@\" | head -n 1 >&2\nwhile [ \"$1\" != -- ]; do shift; done\n\
                [ \"$2\" = web ] || { echo \"Error: no such container: $2\" >&2; exit 1; }\n\
                shift 2\nexec \"$@\"\n";
    fs::write(&docker, text).unwrap();
    fs::set_permissions(&docker, fs::Permissions::from_mode(0o755)).unwrap();

    let web = WrappedConnection::container(&docker, &["--tls".into()], "web", Some("app"));
    let (status, out, err) = run(&web, "cat; exit 3", "some input").await.unwrap();
    assert_eq!((status, out.as_str()), (3, "some input"));
    assert_eq!(
        err,
        "--tls exec -i --user app -- web /bin/sh -c cat; exit 3\n"
    );

    let none = WrappedConnection::container(&docker, &[], "db", None);
    let (status, out, err) = run(&none, "cat", "").await.unwrap();
    assert_eq!((status, out.as_str()), (1, ""));
    assert!(err.ends_with("Error: no such container: db\n"), "{err}");
}

#[tokio::test]
async fn a_program_that_is_missing_is_named() {
    let web = WrappedConnection::container("no-such-program-here", &[], "web", None);
    let error = run(&web, "true", "").await.unwrap_err();
    assert!(
        matches!(&error, HostError::Barred { why, .. } if why.contains("`no-such-program-here`")),
        "{error}"
    );
}

#[tokio::test]
async fn a_directory_is_entered_by_chroot() {
    if Command::new("id").arg("-u").output().unwrap().stdout != b"0\n" {
        eprintln!("skipped: `chroot` needs root");
        return;
    }
    let inside = WrappedConnection::chroot("chroot", "/");
    let (status, out, _) = run(&inside, "cat; pwd", "in:").await.unwrap();
    assert_eq!((status, out.as_str()), (0, "in:/\n"));
    let dir = tempfile::tempdir().unwrap();
    let nowhere = WrappedConnection::chroot("chroot", dir.path().join("none"));
    let (status, out, err) = run(&nowhere, "cat", "").await.unwrap();
    assert_eq!((status, out.as_str()), (125, ""));
    assert!(err.contains("No such file or directory"), "{err}");
}
