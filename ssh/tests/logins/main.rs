//! Logging in to a real sshd on loopback, that runs as whoever runs the tests; skipped where OpenSSH is not
//! installed.

#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(clippy::print_stderr, reason = "a test that is skipped says so")]

mod agents;
mod certificates;
mod keys;
mod place;
mod several;
mod ways;

use std::time::Duration;

use evenkeel_engine::{Channel, Connection as _, host::HostError};
use evenkeel_ssh::{Route, SshConnection};
use tokio::{io::AsyncReadExt as _, time::timeout};

/// What a command says at the end of a way.
async fn say(route: &Route, command: &str) -> Result<String, HostError> {
    let said = async {
        let connection = SshConnection::new(route.clone());
        let Channel {
            stdin,
            mut stdout,
            ended,
            ..
        } = connection.open(command).await?;
        drop(stdin);
        let mut out = String::new();
        stdout.read_to_string(&mut out).await.unwrap();
        assert_eq!(ended.await?, 0, "{command}");
        Ok(out)
    };
    timeout(Duration::from_secs(60), said)
        .await
        .expect("it ends")
}

/// A way leads there.
#[track_caller]
fn is_in(said: &Result<String, HostError>) {
    assert_eq!(said, &Ok("in\n".to_owned()));
}

/// Why there is no way, and what to do.
#[track_caller]
fn barred(said: Result<String, HostError>) -> (String, String) {
    match said {
        Err(HostError::Barred { why, help }) => (why, help),
        other => panic!("{other:?}"),
    }
}
