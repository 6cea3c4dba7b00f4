//! Keys that an agent holds.

use crate::{barred, is_in, place::Place, say};

#[tokio::test]
async fn an_agents_keys_of_all_kinds() {
    let Some(place) = Place::new() else { return };
    let sshd = place.sshd("");
    let kinds: [(&str, &[&str]); 3] = [
        ("rsa", &["-t", "rsa", "-b", "2048"]),
        ("ecdsa", &["-t", "ecdsa"]),
        ("ed25519", &["-t", "ed25519"]),
    ];
    for (name, arguments) in kinds {
        place.key(name, arguments);
        place.lets_in(&[name]);
        let _agent = place.agent(&[name]);
        let mut route = place.route(&sshd, &[]);
        route.host.agent = Some(place.path("agent"));
        let said = say(&route, "echo in").await;
        assert_eq!(said.as_deref(), Ok("in\n"), "{name}");
    }
}

#[tokio::test]
async fn an_agent_signs_with_sha_2() {
    let Some(place) = Place::new() else { return };
    place.key("rsa", &["-t", "rsa", "-b", "2048"]);
    place.lets_in(&["rsa"]);
    let _agent = place.agent(&["rsa"]);
    let sshd = place.sshd("PubkeyAcceptedAlgorithms rsa-sha2-512");
    let mut route = place.route(&sshd, &[]);
    route.host.agent = Some(place.path("agent"));
    is_in(&say(&route, "echo in").await);
}

#[tokio::test]
async fn a_locked_key_is_used_by_the_agent_that_holds_it_open() {
    let Some(place) = Place::new() else { return };
    place.keygen(&["-N", "open sesame", "-f", "locked", "-t", "ed25519"]);
    place.lets_in(&["locked"]);
    let sshd = place.sshd("");
    let _agent = place.agent(&[]);
    place.ssh_add(&[place.path("locked").to_str().unwrap()], "open sesame");
    let mut route = place.route(&sshd, &["locked"]);
    route.host.agent = Some(place.path("agent"));
    route.host.identities_only = true;
    is_in(&say(&route, "echo in").await);
    // Also where the public half does not lie beside it.
    std::fs::remove_file(place.path("locked.pub")).unwrap();
    is_in(&say(&route, "echo in").await);
    // An agent that is locked holds nothing.
    place.ssh_add(&["-x"], "closed");
    let (why, help) = barred(say(&route, "echo in").await);
    assert!(why.contains("its passphrase is not known"), "{why}");
    assert!(help.contains("ssh-add"), "{help}");
}

#[tokio::test]
async fn a_public_key_may_be_named_whose_other_half_the_agent_holds() {
    let Some(place) = Place::new() else { return };
    for name in ["one", "two"] {
        place.key(name, &["-t", "ed25519"]);
    }
    place.lets_in(&["two"]);
    let sshd = place.sshd("MaxAuthTries 1");
    let _agent = place.agent(&["one", "two"]);
    let mut route = place.route(&sshd, &["two.pub"]);
    route.host.agent = Some(place.path("agent"));
    route.host.identities_only = true;
    is_in(&say(&route, "echo in").await);
}

#[tokio::test]
async fn the_agents_other_keys_stay_out_if_that_is_wished() {
    let Some(place) = Place::new() else { return };
    place.key("held", &["-t", "ed25519"]);
    place.lets_in(&["held"]);
    let sshd = place.sshd("");
    let _agent = place.agent(&["held"]);
    let mut route = place.route(&sshd, &["user"]);
    route.host.agent = Some(place.path("agent"));
    is_in(&say(&route, "echo in").await);
    route.host.identities_only = true;
    let (why, _) = barred(say(&route, "echo in").await);
    assert!(why.contains("refused: key `"), "{why}");
    assert!(!why.contains("of the agent"), "{why}");
}

#[tokio::test]
async fn an_agents_certificates() {
    let Some(place) = Place::new() else { return };
    place.key("authority", &["-t", "ed25519"]);
    let sshd = place.sshd("TrustedUserCAKeys %/authority.pub\nAuthorizedKeysFile none");
    for (name, arguments) in [
        ("rsa", &["-t", "rsa", "-b", "2048"][..]),
        ("ecdsa", &["-t", "ecdsa"]),
        ("ed25519", &["-t", "ed25519"]),
    ] {
        place.key(name, arguments);
        let public = format!("{name}.pub");
        place.keygen(&["-s", "authority", "-I", "ada", "-n", place.user(), &public]);
        // With the key comes the certificate that lies beside it.
        let _agent = place.agent(&[name]);
        let mut route = place.route(&sshd, &[]);
        route.host.agent = Some(place.path("agent"));
        let said = say(&route, "echo in").await;
        assert_eq!(said.as_deref(), Ok("in\n"), "{name}");
    }
}

#[tokio::test]
async fn an_agent_that_is_not_there_is_named_if_nothing_else_helps() {
    let Some(place) = Place::new() else { return };
    let sshd = place.sshd("");
    let mut route = place.route(&sshd, &["user"]);
    route.host.agent = Some(place.path("nobody"));
    is_in(&say(&route, "echo in").await);
    place.lets_in(&[]);
    let (why, _) = barred(say(&route, "echo in").await);
    let name = format!("the agent at `{}`", place.path("nobody").display());
    assert!(why.contains(&name), "{why}");
}
