//! The stream to the first machine of a route.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    process::Stdio,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, join},
    net::{TcpSocket, TcpStream},
    process::{Child, Command},
};

use crate::{
    route::{Endpoint, Family, Patience},
    trouble::Trouble,
};

/// A TCP connection.
pub(crate) async fn tcp(to: &Endpoint, patience: &Patience) -> Result<TcpStream, Trouble> {
    let mut why = None;
    for address in addresses(to).await? {
        let socket = match to.bind {
            // What is not ours is not ours at the next attempt either.
            Some(from) if from.is_ipv4() == address.is_ipv4() => bound(from)?,
            // Another of its addresses may be of our kind.
            Some(from) => {
                why = Some(format!("{address} cannot be connected to from {from}"));
                continue;
            }
            None => unbound(&address).map_err(|error| Trouble::passing(plain(&error)))?,
        };
        match socket.connect(address).await {
            Ok(stream) => {
                set_up(&stream, patience);
                return Ok(stream);
            }
            Err(error) => why = Some(format!("{address}: {}", plain(&error))),
        }
    }
    let why = why.unwrap_or_else(|| "its name has no address of the kind asked for".to_owned());
    Err(Trouble::passing(why))
}

async fn addresses(to: &Endpoint) -> Result<Vec<SocketAddr>, Trouble> {
    let found = tokio::net::lookup_host((to.host.as_str(), to.port)).await;
    let found = found.map_err(|error| {
        let text = error.to_string();
        let text = text.trim_start_matches("failed to lookup address information: ");
        let why = format!("the name `{}` has no address: {text}", to.host);
        if text.contains("emporary") {
            Trouble::passing(why)
        } else {
            Trouble::lasting(
                why,
                "correct the name, or say where the host is by `ansible_host` or `HostName`",
            )
        }
    })?;
    let wanted = |address: &SocketAddr| match to.family {
        Family::Any => true,
        Family::V4 => address.is_ipv4(),
        Family::V6 => address.is_ipv6(),
    };
    Ok(found.filter(wanted).collect())
}

fn unbound(like: &SocketAddr) -> io::Result<TcpSocket> {
    if like.is_ipv4() {
        TcpSocket::new_v4()
    } else {
        TcpSocket::new_v6()
    }
}

/// A socket with an address of ours.
fn bound(from: IpAddr) -> Result<TcpSocket, Trouble> {
    let from = SocketAddr::new(from, 0);
    let socket = unbound(&from).and_then(|socket| socket.bind(from).map(|()| socket));
    socket.map_err(|error| {
        Trouble::lasting(
            format!("nothing can be sent from {}: {}", from.ip(), plain(&error)),
            "correct `BindAddress` in the configuration of ssh: it is an address of this machine",
        )
    })
}

fn set_up(stream: &TcpStream, patience: &Patience) {
    // An exchange waits for each small packet: it must leave at once.
    drop(stream.set_nodelay(true));
    // What was written into a dead link must not be waited for by the kernel for a quarter of an
    // hour; keepalives say nothing while a write is stuck.
    if let Some(keepalive) = patience.keepalive {
        let beats = u32::try_from(patience.keepalives).unwrap_or(u32::MAX);
        let bound = keepalive.saturating_mul(beats.saturating_add(1));
        drop(socket2::SockRef::from(stream).set_tcp_user_timeout(Some(bound)));
    }
}

/// The input and output of a command of this machine.
pub(crate) fn command(
    text: &str,
) -> Result<(Child, impl AsyncRead + AsyncWrite + Send + Unpin + 'static), Trouble> {
    let failed = |why: String| {
        Trouble::lasting(
            format!("the command that leads there cannot be started: {why}"),
            "correct `ProxyCommand` in the configuration of ssh",
        )
    };
    let mut child = Command::new("/bin/sh")
        .args(["-c", text])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| failed(error.to_string()))?;
    match (child.stdout.take(), child.stdin.take()) {
        (Some(stdout), Some(stdin)) => Ok((child, join(stdout, stdin))),
        _ => Err(failed("it has no pipes".to_owned())),
    }
}

/// An error of the system without its number.
pub(crate) fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    match text.find(" (os error") {
        Some(at) => text[..at].to_lowercase(),
        None => text,
    }
}
