//! What an authority says of users and hosts.

use crate::{barred, is_in, place::Place, say};

#[tokio::test]
async fn users_certificates_beside_their_keys_and_elsewhere() {
    let Some(place) = Place::new() else { return };
    place.key("authority", &["-t", "ed25519"]);
    let sshd = place.sshd("TrustedUserCAKeys %/authority.pub\nAuthorizedKeysFile none");
    for (name, arguments) in [
        ("rsa", &["-t", "rsa", "-b", "2048"][..]),
        ("ecdsa", &["-t", "ecdsa"]),
        ("ed25519", &["-t", "ed25519"]),
    ] {
        place.key(name, arguments);
        let route = place.route(&sshd, &[name]);
        let (why, _) = barred(say(&route, "echo in").await);
        assert!(why.contains("refused: key `"), "{why}");
        let public = format!("{name}.pub");
        place.keygen(&["-s", "authority", "-I", "ada", "-n", place.user(), &public]);
        let said = say(&route, "echo in").await;
        assert_eq!(said.as_deref(), Ok("in\n"), "{name}");

        let beside = place.path(&format!("{name}-cert.pub"));
        let moved = place.path(&format!("{name}-moved"));
        std::fs::rename(beside, &moved).unwrap();
        let mut route = place.route(&sshd, &[name]);
        route.host.certificates = vec![moved];
        let said = say(&route, "echo in").await;
        assert_eq!(said.as_deref(), Ok("in\n"), "{name}");
    }
}

#[tokio::test]
async fn an_rsa_certificate_is_used_with_sha_2() {
    let Some(place) = Place::new() else { return };
    place.key("authority", &["-t", "ed25519"]);
    place.key("rsa", &["-t", "rsa", "-b", "2048"]);
    place.keygen(&[
        "-s",
        "authority",
        "-I",
        "ada",
        "-n",
        place.user(),
        "rsa.pub",
    ]);
    let _agent = place.agent(&["rsa"]);
    let sshd = place.sshd(
        "TrustedUserCAKeys %/authority.pub\nAuthorizedKeysFile none\n\
         PubkeyAcceptedAlgorithms rsa-sha2-512-cert-v01@openssh.com",
    );
    is_in(&say(&place.route(&sshd, &["rsa"]), "echo in").await);
    let mut route = place.route(&sshd, &[]);
    route.host.agent = Some(place.path("agent"));
    is_in(&say(&route, "echo in").await);
}

#[tokio::test]
async fn a_certificate_that_does_not_hold_is_named() {
    let Some(place) = Place::new() else { return };
    place.key("authority", &["-t", "ed25519"]);
    let sshd = place.sshd("TrustedUserCAKeys %/authority.pub\nAuthorizedKeysFile none");
    for (wrong, arguments) in [
        (
            "it has expired",
            &["-n", place.user(), "-V", "20010101:20010102"][..],
        ),
        ("it is for `nobody-else`", &["-n", "nobody-else"]),
    ] {
        place.keygen(&[&["-s", "authority", "-I", "ada"], arguments, &["user.pub"]].concat());
        let (why, _) = barred(say(&place.route(&sshd, &["user"]), "echo in").await);
        let refused = "refused: certificate `ada` of key `";
        assert!(why.contains(refused), "{why}");
        assert!(why.contains(wrong), "{why}");
    }
}

/// A host with a certificate for `names`, signed by `authority`.
fn certified(place: &Place, names: &str, more: &[&str]) -> crate::place::Runs {
    let arguments = ["-s", "authority", "-h", "-I", "web", "-n", names];
    place.keygen(&[&arguments, more, &["host.pub"]].concat());
    let sshd = place.sshd("HostKey %/host\nHostCertificate %/host-cert.pub");
    let authority = place.read("authority.pub");
    place.write(
        "known",
        &format!("@cert-authority 127.0.0.*,[127.0.0.*]:* {authority}"),
    );
    sshd
}

#[tokio::test]
async fn a_hosts_certificate_by_a_known_authority() {
    let Some(place) = Place::new() else { return };
    for kind in [
        &["-t", "ed25519"][..],
        &["-t", "ecdsa"],
        &["-t", "rsa", "-b", "2048"],
    ] {
        for name in ["authority", "authority.pub", "host", "host.pub"] {
            drop(std::fs::remove_file(place.path(name)));
        }
        place.key("authority", kind);
        place.key("host", kind);
        let sshd = certified(&place, "127.0.0.1", &[]);
        let said = say(&place.route(&sshd, &["user"]), "echo in").await;
        assert_eq!(said.as_deref(), Ok("in\n"), "{kind:?}");
    }
}

#[tokio::test]
async fn a_hosts_certificate_that_does_not_hold() {
    let Some(place) = Place::new() else { return };
    place.key("authority", &["-t", "ed25519"]);
    for (names, more) in [
        ("elsewhere", &[][..]),
        ("127.0.0.1", &["-V", "20010101:20010102"]),
    ] {
        let sshd = certified(&place, names, more);
        let (why, help) = barred(say(&place.route(&sshd, &["user"]), "echo in").await);
        assert!(why.contains("its key is not known"), "{why}");
        assert!(why.contains("its certificate does not hold: "), "{why}");
        assert!(help.contains("ssh-keyscan"), "{help}");
    }
    // The key itself may still be known.
    let sshd = certified(&place, "elsewhere", &[]);
    place.knows(sshd.port, "host");
    is_in(&say(&place.route(&sshd, &["user"]), "echo in").await);
}
