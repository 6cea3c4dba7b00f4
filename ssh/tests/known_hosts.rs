//! `known_hosts`, by its public face; where `ssh-keygen` is installed, it is the judge.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::{fs, path::Path, process::Command};

use evenkeel_ssh::known_hosts::{CertificateFault, KnownHosts, Lookup, Verdict};
use proptest::prelude::*;
use russh::keys::{Algorithm, Certificate, PublicKey, PublicKeyOrCertificate};

/// A moment within the validity of what is valid.
const NOW: u64 = 1_800_000_000;

fn text(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/keys");
    let text = fs::read_to_string(path.join(format!("{name}.pub"))).unwrap();
    text.trim_end().to_owned()
}

fn key(name: &str) -> PublicKeyOrCertificate {
    PublicKey::from_openssh(&text(name)).unwrap().into()
}

fn certificate(name: &str) -> PublicKeyOrCertificate {
    let text = text(&format!("{name}-cert"));
    Certificate::from_openssh(&text).unwrap().into()
}

/// Lines whose `KEY` stands for a key's text.
fn files(lines: &str) -> KnownHosts {
    let mut lines = lines.to_owned();
    for name in ["ed25519", "ecdsa", "rsaca", "rsa", "other", "ca"] {
        lines = lines.replace(&format!("<{name}>"), &text(name));
    }
    KnownHosts::parse([("known_hosts", lines.as_str())])
}

/// A verdict in a word, with its line.
fn word(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Known(place) => format!("known {}", place.line),
        Verdict::Certified(place) => format!("certified {}", place.line),
        Verdict::Unknown { certificate: None } => "unknown".into(),
        Verdict::Unknown {
            certificate: Some(fault),
        } => format!("unknown, {fault}"),
        Verdict::Changed { known, .. } => {
            let lines: Vec<_> = known.iter().map(|key| key.place.line.to_string()).collect();
            format!("changed {}", lines.join("+"))
        }
        Verdict::Revoked(place) => format!("revoked {}", place.line),
    }
}

/// Lines, a host with its port that shows the ed25519 key, and what that means.
const KEYS: &[(&str, &str, u16, &str)] = &[
    (
        "web.example.com <ed25519>",
        "web.example.com",
        22,
        "known 1",
    ),
    (
        "WEB.Example.com\t<ed25519>\ta comment",
        "web.example.COM",
        22,
        "known 1",
    ),
    (
        "a,web.example.com,b <ed25519>\r\n",
        "web.example.com",
        22,
        "known 1",
    ),
    (
        "# a comment\n\n  web.example.com   <ed25519>",
        "web.example.com",
        22,
        "known 3",
    ),
    ("*.example.com <ed25519>", "web.example.com", 22, "known 1"),
    (
        "*.example.com,!web.example.com <ed25519>",
        "web.example.com",
        22,
        "unknown",
    ),
    (
        "web.example.com <other>",
        "web.example.com",
        22,
        "changed 1",
    ),
    ("web.example.com <rsa>", "web.example.com", 22, "changed 1"),
    (
        "web.example.com <other>\nweb.example.com <ed25519>",
        "web.example.com",
        22,
        "known 2",
    ),
    (
        "web.example.com <other>\nweb.example.com <rsa>",
        "web.example.com",
        22,
        "changed 1+2",
    ),
    ("db.example.com <ed25519>", "web.example.com", 22, "unknown"),
    (
        "[web.example.com]:2222 <ed25519>",
        "web.example.com",
        2222,
        "known 1",
    ),
    (
        "[web.example.com]:2222 <ed25519>",
        "web.example.com",
        22,
        "unknown",
    ),
    (
        "web.example.com <ed25519>",
        "web.example.com",
        2222,
        "known 1",
    ),
    (
        "web.example.com <other>",
        "web.example.com",
        2222,
        "unknown",
    ),
    (
        "[web.example.com]:2222 <other>\nweb.example.com <ed25519>",
        "web.example.com",
        2222,
        "changed 1",
    ),
    (
        "[*.example.com]:2222 <ed25519>",
        "web.example.com",
        2222,
        "known 1",
    ),
    (
        "@revoked * <ed25519>\nweb.example.com <ed25519>",
        "web.example.com",
        22,
        "revoked 1",
    ),
    (
        "web.example.com <ed25519>\n@revoked web.example.com <ed25519>",
        "web.example.com",
        22,
        "revoked 2",
    ),
    ("@revoked * <ed25519>", "web.example.com", 2222, "revoked 1"),
    (
        "@revoked * <other>\nweb.example.com <ed25519>",
        "web.example.com",
        22,
        "known 2",
    ),
    (
        "@cert-authority * <ed25519>",
        "web.example.com",
        22,
        "unknown",
    ),
    (
        "web.example.com ssh-ed25519 broken\nweb.example.com <ed25519>",
        "web.example.com",
        22,
        "known 2",
    ),
    ("|1|broken|= <ed25519>", "web.example.com", 22, "unknown"),
    ("", "web.example.com", 22, "unknown"),
];

#[test]
fn what_a_key_means() {
    let hashed = "|1|3KfbCP0gDRHAOOo4zp0u+n7mYM8=|+V+77OX7NP5XIAftRWwLQqNIQrs=";
    for (lines, host, port, wanted) in KEYS {
        let verdict = files(lines).check(&Lookup::new(host, *port), &key("ed25519"), NOW);
        assert_eq!(&word(&verdict), wanted, "{lines}");
    }
    // Made by `ssh-keygen -H` from `web.example.com`.
    let known = files(&format!("{hashed} <ed25519>"));
    for (host, wanted) in [
        ("web.example.com", "known 1"),
        ("other.example.com", "unknown"),
    ] {
        let verdict = known.check(&Lookup::new(host, 22), &key("ed25519"), NOW);
        assert_eq!(word(&verdict), wanted, "{host}");
    }
}

#[test]
fn what_a_certificate_means() {
    let authority = "@cert-authority *.example.com <ca>";
    for (lines, shown, wanted) in [
        (authority, "good", "certified 1"),
        (authority, "wild", "certified 1"),
        (authority, "all", "certified 1"),
        (authority, "expired", "unknown, it has expired"),
        (authority, "future", "unknown, it is not valid yet"),
        (
            authority,
            "user",
            "unknown, it is a certificate of a user, not of a host",
        ),
        (
            authority,
            "critical",
            "unknown, it sets the condition `odd@example.com`, which is not known",
        ),
        (
            "@cert-authority * <rsaca>",
            "weak",
            "unknown, it is signed with `ssh-rsa`, which is not safe",
        ),
        ("@cert-authority * <other>", "good", "unknown"),
        ("@cert-authority other.org <ca>", "good", "unknown"),
        ("*.example.com <ca>", "good", "changed 1"),
        // What does not count as a certificate still is a key.
        (
            "@cert-authority * <ca>\nweb.example.com <ed25519>",
            "expired",
            "known 2",
        ),
        (
            "@cert-authority * <ca>\nweb.example.com <other>",
            "expired",
            "changed 2",
        ),
        ("web.example.com <ed25519>", "good", "known 1"),
        (
            "@cert-authority * <ca>\n@revoked * <ca>",
            "good",
            "revoked 2",
        ),
        (
            "@cert-authority * <ca>\n@revoked * <ed25519>",
            "good",
            "revoked 2",
        ),
    ] {
        let host = Lookup::new("web.example.com", 22);
        let verdict = files(lines).check(&host, &certificate(shown), NOW);
        assert_eq!(word(&verdict), wanted, "{lines} {shown}");
    }
}

#[test]
fn a_certificate_is_for_the_name_without_port_and_for_an_alias() {
    let known = files("@cert-authority [*]:2222,web.example.com <ca>");
    let verdict = known.check(
        &Lookup::new("WEB.example.com", 2222),
        &certificate("good"),
        NOW,
    );
    assert_eq!(word(&verdict), "certified 1");
    let verdict = known.check(&Lookup::new("10.0.0.1", 2222), &certificate("good"), NOW);
    let wanted = CertificateFault::OtherHost {
        host: "10.0.0.1".into(),
        principals: vec!["web.example.com".into()],
    };
    assert_eq!(
        verdict,
        Verdict::Unknown {
            certificate: Some(wanted)
        }
    );
    let verdict = known.check(&Lookup::alias("web.example.com"), &certificate("good"), NOW);
    assert_eq!(word(&verdict), "certified 1");
}

#[test]
fn the_address_is_looked_at_where_it_is_wanted() {
    let host = Lookup::new("web", 22).address("192.0.2.1");
    for (lines, wanted) in [
        ("web <ed25519>", "known 1"),
        ("web <ed25519>\n192.0.2.1 <other>", "changed 2"),
        ("web <ed25519>\n@revoked 192.0.2.1 <ed25519>", "revoked 2"),
        ("192.0.2.1 <ed25519>", "unknown"),
    ] {
        assert_eq!(
            word(&files(lines).check(&host, &key("ed25519"), NOW)),
            wanted,
            "{lines}"
        );
    }
}

#[test]
fn the_first_algorithms_are_those_a_host_is_known_by() {
    let first = |lines: &str, port| {
        let algorithms = files(lines).algorithms_for(&Lookup::new("web", port));
        let names: Vec<_> = algorithms.keys.iter().map(Algorithm::to_string).collect();
        (
            names[..2].join(" "),
            names.len(),
            algorithms.certificates.len(),
        )
    };
    let rsa = "rsa-sha2-512 rsa-sha2-256".to_owned();
    let usual = "ssh-ed25519 ecdsa-sha2-nistp256".to_owned();
    assert_eq!(first("web <rsa>", 22), (rsa.clone(), 6, 0));
    assert_eq!(first("web <rsa>", 2222), (rsa, 6, 0));
    assert_eq!(first("db <rsa>", 22), (usual.clone(), 6, 0));
    assert_eq!(first("@revoked web <rsa>", 22), (usual.clone(), 6, 0));
    assert_eq!(first("@cert-authority w* <ca>", 22), (usual, 6, 6));
    let ecdsa = "ecdsa-sha2-nistp256 ssh-ed25519".to_owned();
    assert_eq!(first("[web]:2222 <ecdsa>\nweb <rsa>", 2222), (ecdsa, 6, 0));
}

#[test]
fn a_line_that_is_added_is_known_afterwards() {
    let PublicKeyOrCertificate::PublicKey { key: bare, .. } = key("ed25519") else {
        unreachable!()
    };
    for host in [
        Lookup::new("Web.example.com", 22),
        Lookup::new("web", 2222),
        Lookup::new("2001:db8::1", 22),
        Lookup::alias("cluster"),
    ] {
        for salt in [None, Some([7; 20])] {
            let line = KnownHosts::line_for(&host, &bare, salt);
            assert!(
                line.ends_with('\n') && line.starts_with("|1|") == salt.is_some(),
                "{line}"
            );
            let known = KnownHosts::parse([("added", line.as_str())]);
            assert_eq!(word(&known.check(&host, &key("ed25519"), NOW)), "known 1");
            assert_eq!(known.damaged(), []);
        }
    }
}

#[test]
fn damaged_lines_are_named_and_cost_no_other() {
    let known = files(
        "@odd web <ed25519>\nweb\nweb ssh-ed25519 AAAA\n|2|x|y <ed25519>\n|1|eA==|eA== <ed25519>\n\
         web 1024 35 1234567\nweb <ed25519>",
    );
    let told: Vec<_> = known
        .damaged()
        .iter()
        .map(|damaged| format!("{}: {}", damaged.place, damaged.why))
        .collect();
    assert_eq!(
        told,
        [
            "known_hosts:1: `@odd` is no marker",
            "known_hosts:2: it ends after the names of the hosts",
            "known_hosts:3: its `ssh-ed25519` key cannot be read: length invalid",
            "known_hosts:4: its hashed name is of a form that is not known",
            "known_hosts:5: its hashed name is damaged",
            "known_hosts:6: its key is of version 1 of the protocol, which nobody speaks any more",
        ]
    );
    let verdict = known.check(&Lookup::new("web", 22), &key("ed25519"), NOW);
    assert_eq!(word(&verdict), "known 7");
}

/// The lines that `ssh-keygen -F` finds; nothing where there is no `ssh-keygen`.
fn found_by_ssh_keygen(file: &Path, host: &str) -> Option<Vec<usize>> {
    let output = Command::new("ssh-keygen")
        .arg("-F")
        .arg(host)
        .arg("-f")
        .arg(file)
        .output()
        .ok()?;
    let found = String::from_utf8(output.stdout).unwrap();
    Some(
        found
            .lines()
            .filter_map(|line| line.strip_prefix("# Host ")?.split(" line ").nth(1))
            .map(|rest| rest.split(' ').next().unwrap().parse().unwrap())
            .collect(),
    )
}

#[test]
fn finds_the_lines_that_ssh_keygen_finds() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("known_hosts");
    let names = [
        "web.example.com",
        "*.example.com",
        "!web.example.com,*",
        "[web.example.com]:2222",
        "10.0.0.?",
        "WEB.EXAMPLE.COM,db",
        "w*b.e*e.com",
        "!*",
        "*,!db",
        "",
        "db,",
        "2001:db8::1",
        "**",
        "?b",
    ];
    let key_text = text("ed25519");
    let plain: Vec<String> = names
        .iter()
        .map(|name| format!("{name} {key_text}\n"))
        .collect();
    fs::write(&file, plain.concat()).unwrap();
    for host in [
        "web.example.com",
        "db",
        "[web.example.com]:2222",
        "10.0.0.1",
        "10.0.0.12",
        "2001:db8::1",
    ] {
        let Some(theirs) = found_by_ssh_keygen(&file, host) else {
            eprintln!("skipped: no `ssh-keygen` here");
            return;
        };
        let ours: Vec<usize> = plain
            .iter()
            .enumerate()
            .filter(|(_, line)| {
                let known = KnownHosts::parse([("f", line.as_str())]);
                known
                    .check(&Lookup::alias(host), &key("ed25519"), NOW)
                    .is_good()
            })
            .map(|(index, _)| index + 1)
            .collect();
        assert_eq!(ours, theirs, "{host}");
    }
    // Names that `ssh-keygen` hashed, and ours that it has to find.
    fs::write(
        &file,
        format!("web.example.com {key_text}\n[db]:2222 {key_text}\n"),
    )
    .unwrap();
    assert!(
        Command::new("ssh-keygen")
            .arg("-Hf")
            .arg(&file)
            .output()
            .unwrap()
            .status
            .success()
    );
    let hashed = fs::read_to_string(&file).unwrap();
    let known = KnownHosts::parse([("f", hashed.as_str())]);
    let check = |host, port| word(&known.check(&Lookup::new(host, port), &key("ed25519"), NOW));
    assert_eq!(
        (check("web.example.com", 22), check("db", 2222)),
        ("known 1".into(), "known 2".into())
    );
    let bare = PublicKey::from_openssh(&key_text).unwrap();
    let host = Lookup::new("Web", 2222);
    fs::write(&file, KnownHosts::line_for(&host, &bare, Some([9; 20]))).unwrap();
    assert_eq!(found_by_ssh_keygen(&file, "[web]:2222"), Some(vec![1]));
}

/// Pieces that a file may be made of, put together anyhow.
fn any_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("@revoked ".to_owned()),
        Just("@cert-authority\t".to_owned()),
        Just("|1|3KfbCP0gDRHAOOo4zp0u+n7mYM8=|+V+77OX7NP5XIAftRWwLQqNIQrs= ".to_owned()),
        Just(text("ed25519")),
        Just(text("rsa")),
        Just("\n".to_owned()),
        Just("web ".to_owned()),
        "[*?!,@|#\\[\\]:=]{0,20}",
        any::<String>(),
    ];
    proptest::collection::vec(piece, 0..30).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_text_is_read(text in any_text(), host in any::<String>(), port: u16) {
        let known = KnownHosts::parse([("a", text.as_str()), ("b", text.as_str())]);
        let host = Lookup::new(&host, port);
        let verdict = known.check(&host, &key("ed25519"), NOW);
        if text.is_empty() {
            prop_assert_eq!(verdict, Verdict::Unknown { certificate: None });
        }
        known.check(&host, &certificate("good"), NOW);
        prop_assert_eq!(known.algorithms_for(&host).keys.len(), 6);
        prop_assert!(known.damaged().len() <= 2 * text.split('\n').count());
    }
}
