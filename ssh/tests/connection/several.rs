//! Hosts that want several things, or things of a kind.

use std::process::Command;

use evenkeel_engine::Secret;
use evenkeel_ssh::Identity;
use russh::{
    MethodKind,
    keys::{Algorithm, HashAlg, PrivateKey},
};

use super::{Manners, Server, SshConnection, User, barred, key, say};

/// Lets in who has key 2 and the password, both.
async fn wants(methods: &'static [MethodKind]) -> Server {
    Server::start(Manners {
        password: Some("open sesame"),
        wants: methods,
        ..Manners::default()
    })
    .await
}

#[tokio::test]
async fn a_key_and_the_password_in_either_order() {
    use MethodKind::{KeyboardInteractive, Password, PublicKey};
    let orders: [&[MethodKind]; 5] = [
        &[PublicKey, Password],
        &[Password, PublicKey],
        &[PublicKey, KeyboardInteractive],
        &[KeyboardInteractive, PublicKey],
        &[PublicKey, Password, KeyboardInteractive],
    ];
    for order in orders {
        let (user, server) = (User::new(), wants(order).await);
        let mut route = user.route(&server);
        route.host.password = Some(Secret::new("open sesame"));
        let ended = say(&SshConnection::new(route), "exit 5", b"").await;
        assert_eq!(ended.unwrap().status, Ok(5), "{order:?}");
    }
}

#[tokio::test]
async fn what_is_still_wanted_is_said() {
    use MethodKind::{Password, PublicKey};
    let (user, server) = (User::new(), wants(&[PublicKey, Password]).await);
    let mut route = user.route(&server);
    let (why, help) = barred(route.clone()).await;
    let taken = format!("The host has taken key `{}`", user.path("key").display());
    assert!(why.contains(&taken), "{why}");
    assert!(why.contains(", and wants password as well"), "{why}");
    assert!(!why.contains("refused"), "{why}");
    assert!(help.contains("set `ansible_password`"), "{help}");

    route.host.password = Some(Secret::new("wrong"));
    let (why, help) = barred(route).await;
    assert!(why.contains("refused: the password"), "{why}");
    assert!(help.contains("correct the password"), "{help}");

    // The password first, then a key that it does not know.
    let server = wants(&[Password, PublicKey]).await;
    let mut route = user.route(&server);
    route.host.password = Some(Secret::new("open sesame"));
    let file = user.write_key("other", &key(3));
    route.host.identities = vec![Identity { file, named: true }];
    let (why, help) = barred(route).await;
    let taken = "The host has taken the password, and wants publickey as well; refused: key `";
    assert!(why.contains(taken), "{why}");
    assert_eq!(why.matches("refused: key `").count(), 1, "{why}");
    assert!(help.contains("name another key"), "{help}");
}

#[tokio::test]
async fn rsa_keys_sign_with_what_the_host_offers() {
    let user = User::new();
    let mut keygen = Command::new("ssh-keygen");
    keygen.args(["-q", "-t", "rsa", "-b", "2048", "-N", "", "-f"]);
    if keygen.arg(user.path("rsa")).status().is_err() {
        eprintln!("skipped: no `ssh-keygen` here");
        return;
    }
    let file = user.path("rsa");
    let rsa = PrivateKey::read_openssh_file(&file).unwrap();
    for hash in [HashAlg::Sha256, HashAlg::Sha512] {
        let server = Server::start(Manners {
            keys: vec![rsa.public_key().clone()],
            signatures: vec![Algorithm::Ed25519, Algorithm::Rsa { hash: Some(hash) }],
            ..Manners::default()
        })
        .await;
        let mut route = user.route(&server);
        route.host.identities = vec![Identity {
            file: file.clone(),
            named: true,
        }];
        let ended = say(&SshConnection::new(route), "exit 5", b"").await;
        assert_eq!(ended.unwrap().status, Ok(5), "{hash:?}");
    }
}
