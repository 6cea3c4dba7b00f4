//! Hosts that want more than one thing, and hosts that lose patience.

use crate::{barred, is_in, place::Place, say};

#[tokio::test]
async fn two_keys_one_after_the_other() {
    let Some(place) = Place::new() else { return };
    place.key("second", &["-t", "ecdsa"]);
    place.lets_in(&["user", "second"]);
    let sshd = place.sshd("AuthenticationMethods publickey,publickey");
    is_in(&say(&place.route(&sshd, &["user", "second"]), "echo in").await);
    let (why, help) = barred(say(&place.route(&sshd, &["user"]), "echo in").await);
    let taken = format!("The host has taken key `{}`", place.path("user").display());
    assert!(why.contains(&taken), "{why}");
    assert!(why.contains(", and wants publickey as well"), "{why}");
    assert!(!why.contains("refused"), "{why}");
    assert!(help.contains("another key"), "{help}");
}

#[tokio::test]
async fn a_host_that_takes_few_attempts() {
    let Some(place) = Place::new() else { return };
    let names = ["one", "two", "three", "four"];
    for name in names {
        place.key(name, &["-t", "ed25519"]);
    }
    let sshd = place.sshd("MaxAuthTries 2");
    let _agent = place.agent(&names);
    let mut route = place.route(&sshd, &[]);
    route.host.agent = Some(place.path("agent"));
    let (why, help) = barred(say(&route, "echo in").await);
    assert!(why.contains("takes no more than 2 attempts"), "{why}");
    assert_eq!(why.matches("of the agent").count(), 2, "{why}");
    assert!(help.contains("IdentitiesOnly"), "{help}");
    // The right one first.
    route.host.identities = place.identities(&["user"]);
    is_in(&say(&route, "echo in").await);
}
