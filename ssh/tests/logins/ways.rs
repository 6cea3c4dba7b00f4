//! From where, and through what.

use std::sync::Arc;

use evenkeel_ssh::HostKeys;

use crate::{barred, place::Place, say};

#[tokio::test]
async fn from_an_address_of_ours() {
    let Some(place) = Place::new() else { return };
    let sshd = place.sshd("");
    let mut route = place.route(&sshd, &["user"]);
    route.host.bind = Some("127.0.0.2".parse().unwrap());
    let said = say(&route, "echo $SSH_CONNECTION").await.unwrap();
    assert!(said.starts_with("127.0.0.2 "), "{said}");
    // One that is not ours. TEST-NET-1: nobody's.
    route.host.bind = Some("192.0.2.1".parse().unwrap());
    let (why, help) = barred(say(&route, "echo in").await);
    assert!(why.contains("nothing can be sent from 192.0.2.1"), "{why}");
    assert!(help.contains("`BindAddress`"), "{help}");
    // One of another kind than the host's.
    route.host.bind = Some("::1".parse().unwrap());
    let error = say(&route, "echo in").await.unwrap_err().to_string();
    assert!(error.contains("cannot be connected to from ::1"), "{error}");
}

#[tokio::test]
async fn through_two_gateways() {
    let Some(place) = Place::new() else { return };
    let (first, second, host) = (place.sshd(""), place.sshd(""), place.sshd(""));
    let mut route = place.route(&host, &["user"]);
    route.gateways = vec![
        place.endpoint(&first, &["user"]),
        place.endpoint(&second, &["user"]),
    ];
    let said = say(&route, "echo $SSH_CONNECTION").await.unwrap();
    assert!(said.trim().ends_with(&host.port.to_string()), "{said}");

    // One that forwards nothing says so.
    let closed = place.sshd("AllowTcpForwarding no");
    let mut through = route.clone();
    through.gateways[1] = place.endpoint(&closed, &["user"]);
    let (why, help) = barred(say(&through, "echo in").await);
    assert!(
        why.contains("the gateway before it forwards no connections"),
        "{why}"
    );
    assert!(help.contains("AllowTcpForwarding"), "{help}");

    // The second of them is somebody else.
    route.gateways[1].host_keys = Arc::new(HostKeys::new([]));
    let (why, _) = barred(say(&route, "echo in").await);
    let name = format!(
        "gateway `127.0.0.1 port {}`: its key is not known",
        second.port
    );
    assert!(why.starts_with(&name), "{why}");

    // Behind the last one nobody is there.
    let mut nowhere = place.route(&host, &["user"]);
    nowhere.gateways = vec![place.endpoint(&first, &["user"])];
    drop(host);
    let (why, help) = barred(say(&nowhere, "echo in").await);
    assert!(
        why.contains("the gateway before it cannot connect to it"),
        "{why}"
    );
    assert!(help.contains("`ProxyJump`"), "{help}");
}
