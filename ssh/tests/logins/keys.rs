//! Keys in files, of users and of hosts.

use std::sync::Arc;

use evenkeel_ssh::KeyFiles;

use crate::{
    barred, is_in,
    place::{Place, Somebody},
    say,
};

/// Kinds of keys, as `ssh-keygen` makes them: the name and its arguments.
const KINDS: &[(&str, &[&str])] = &[
    ("rsa", &["-t", "rsa", "-b", "2048"]),
    ("rsa-pem", &["-t", "rsa", "-b", "2048", "-m", "PEM"]),
    ("rsa-pkcs8", &["-t", "rsa", "-b", "2048", "-m", "PKCS8"]),
    ("ecdsa-256", &["-t", "ecdsa", "-b", "256"]),
    ("ecdsa-384", &["-t", "ecdsa", "-b", "384"]),
    ("ecdsa-521", &["-t", "ecdsa", "-b", "521"]),
    ("ecdsa-pem", &["-t", "ecdsa", "-m", "PEM"]),
    ("ecdsa-pkcs8", &["-t", "ecdsa", "-m", "PKCS8"]),
    ("ed25519", &["-t", "ed25519"]),
];

#[tokio::test]
async fn users_keys_of_all_kinds() {
    let Some(place) = Place::new() else { return };
    let sshd = place.sshd("");
    for (name, arguments) in KINDS {
        place.key(name, arguments);
        place.lets_in(&[name]);
        let said = say(&place.route(&sshd, &[name]), "echo in").await;
        assert_eq!(said.as_deref(), Ok("in\n"), "{name}");
    }
}

#[tokio::test]
async fn rsa_keys_sign_with_sha_2() {
    let Some(place) = Place::new() else { return };
    place.key("rsa", &["-t", "rsa", "-b", "2048"]);
    place.lets_in(&["rsa"]);
    // That another hash is used where a host offers no better one is a matter for a server that can
    // offer less; sshd offers all that it was built with.
    let sshd = place.sshd("PubkeyAcceptedAlgorithms rsa-sha2-512");
    is_in(&say(&place.route(&sshd, &["rsa"]), "echo in").await);
}

#[tokio::test]
async fn hosts_keys_of_all_kinds() {
    let Some(place) = Place::new() else { return };
    let kinds = KINDS.iter().filter(|(name, _)| !name.contains('p'));
    for (name, arguments) in kinds {
        place.key(name, arguments);
        let sshd = place.sshd(&format!("HostKey %/{name}"));
        place.write("known", "");
        let (why, help) = barred(say(&place.route(&sshd, &["user"]), "echo in").await);
        assert!(why.contains("its key is not known: "), "{name}: {why}");
        let file = name.split('-').next().unwrap();
        assert!(help.contains(&format!("ssh_host_{file}_key.pub")), "{help}");
        place.knows(sshd.port, name);
        let said = say(&place.route(&sshd, &["user"]), "echo in").await;
        assert_eq!(said.as_deref(), Ok("in\n"), "{name}");
    }
}

#[tokio::test]
async fn of_several_host_keys_the_known_one_is_asked_for() {
    let Some(place) = Place::new() else { return };
    place.key("other", &["-t", "ecdsa"]);
    place.key("third", &["-t", "rsa", "-b", "2048"]);
    let sshd = place.sshd("HostKey %/host\nHostKey %/other\nHostKey %/third");
    for key in ["host", "other", "third"] {
        place.write("known", "");
        place.knows(sshd.port, key);
        is_in(&say(&place.route(&sshd, &["user"]), "echo in").await);
    }
}

#[tokio::test]
async fn a_passphrase_is_asked_for_once() {
    let Some(place) = Place::new() else { return };
    let sshd = place.sshd("");
    let kinds: [&[&str]; 5] = [
        &["-t", "ed25519"],
        &["-t", "rsa", "-b", "2048", "-m", "PEM"],
        &["-t", "ecdsa", "-m", "PKCS8"],
        &["-t", "rsa", "-b", "2048", "-m", "PKCS8"],
        &["-t", "rsa", "-b", "2048", "-Z", "aes256-gcm@openssh.com"],
    ];
    for (at, kind) in kinds.iter().enumerate() {
        let name = format!("locked-{at}");
        place.keygen(&[&["-N", "open sesame", "-f", &name], *kind].concat());
        place.lets_in(&[&name]);
        let mut route = place.route(&sshd, &[&name]);
        let knows = Somebody::says("open sesame");
        route.key_files = Arc::new(KeyFiles::new(knows.clone()));
        for _ in 0..2 {
            let said = say(&route, "echo in").await;
            assert_eq!(said.as_deref(), Ok("in\n"), "{kind:?}");
        }
        assert_eq!(knows.asked(), 1);

        let guesses = Somebody::says("wrong words");
        route.key_files = Arc::new(KeyFiles::new(guesses.clone()));
        for _ in 0..2 {
            let (why, help) = barred(say(&route, "echo in").await);
            let file = place.path(&name);
            let wrong = format!("key `{}`: that is not its passphrase", file.display());
            assert!(why.contains(&wrong), "{why}");
            assert!(!why.contains("wrong words"), "{why}");
            assert!(
                help.contains(&format!("`ssh-add {}`", file.display())),
                "{help}"
            );
        }
        assert_eq!(guesses.asked(), 1);
    }
}

#[tokio::test]
async fn without_anybody_to_ask_it_is_said_how_a_locked_key_is_given() {
    let Some(place) = Place::new() else { return };
    let sshd = place.sshd("");
    place.keygen(&["-N", "open sesame", "-f", "locked", "-t", "ed25519"]);
    let (why, help) = barred(say(&place.route(&sshd, &["locked"]), "echo in").await);
    assert!(why.contains("its passphrase is not known"), "{why}");
    assert!(help.contains("`ssh-add "), "{help}");
}

#[tokio::test]
async fn what_is_no_key_is_named() {
    let Some(place) = Place::new() else { return };
    let sshd = place.sshd("");
    place.write("scrawl", "not a key\n");
    let (why, _) = barred(say(&place.route(&sshd, &["scrawl"]), "echo in").await);
    assert!(why.contains("scrawl`: it is no private key"), "{why}");
    // The public half, by mistake.
    let (why, help) = barred(say(&place.route(&sshd, &["user.pub"]), "echo in").await);
    assert!(why.contains("user.pub`: it is a public key"), "{why}");
    assert!(help.contains("name a key"), "{help}");
}

#[tokio::test]
async fn a_key_that_is_locked_in_a_way_that_is_not_known() {
    let Some(place) = Place::new() else { return };
    let sshd = place.sshd("");
    let arguments = ["-t", "ecdsa", "-m", "PEM", "-N", "open sesame", "-f", "old"];
    place.keygen(&arguments);
    let mut route = place.route(&sshd, &["old"]);
    route.key_files = Arc::new(KeyFiles::new(Somebody::says("open sesame")));
    let (why, help) = barred(say(&route, "echo in").await);
    assert!(why.contains("`ssh-keygen -p -f FILE`"), "{why}");
    assert!(help.contains("`ssh-add "), "{help}");
}
