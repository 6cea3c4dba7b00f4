//! `openssl-certificate`: what it decides, and what it tells `openssl`. What that makes of it is in the lab's tests.

use std::collections::BTreeMap;

use evenkeel_engine::{
    Done,
    fake::{self, Call, FakeHost, World},
    testing::Law,
};
use evenkeel_modules::openssl_certificate::{CertificateFile, Facts, Kept, KeyFile, Kind, Pair};

use crate::support::{Expect, case};

/// Together, these set every argument there is, none to its default.
pub(crate) const SAMPLES: &[&str] = &[
    "openssl-certificate: {path: /c, key: /k, common_name: h, subject: {O: x, OU: [a, b]}, san: ['DNS:h'], days: 9, \
     renew_before: 2, type: ec, curve: P-384, usage: [keyAgreement], extended_usage: [serverAuth], is_ca: true, \
     digest: sha512, owner: a, group: b, mode: '0640', key_owner: c, key_group: d, key_mode: '0400', force: true}",
    "openssl-certificate: {path: /c, key: /k, common_name: h, size: 2048, state: absent}",
];

/// What a file of a key holds here.
fn key_file(kind: &str) -> String {
    format!("KEY {kind} of old")
}

/// What a file of a certificate holds here: marks, the key, and the configuration it was made with.
fn certificate(marks: &str, key: &str, config: &str) -> String {
    format!("CERT {marks}\n{key}\n{config}")
}

/// A value of a configuration, as `openssl` reads it.
fn unquoted(text: &str) -> String {
    let Some(text) = text.strip_prefix('"') else {
        return text.to_owned();
    };
    let (mut value, mut chars) = (String::new(), text.chars());
    while let Some(c) = chars.next() {
        match c {
            '"' => break,
            '\\' => value.extend(chars.next()),
            _ => value.push(c),
        }
    }
    assert_eq!(chars.next(), None, "nothing follows a quoted value: {text}");
    value
}

/// The sections of a configuration.
fn sections(config: &str) -> BTreeMap<String, Vec<(String, String)>> {
    let (mut all, mut section) = (BTreeMap::new(), String::new());
    for line in config.lines() {
        if let Some(name) = line
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            name.clone_into(&mut section);
            continue;
        }
        let (name, value) = line.split_once(" = ").expect("a name and a value");
        let entries: &mut Vec<_> = all.entry(section.clone()).or_default();
        entries.push((name.to_owned(), unquoted(value)));
    }
    all
}

fn facts(text: &str, key: Option<&str>) -> Facts {
    let mut lines = text.splitn(3, '\n');
    let mut next = || lines.next().unwrap_or_default();
    let (marks, of, config) = (next(), next(), next());
    let all = sections(config);
    let list = |name: &str| all.get(name).cloned().unwrap_or_default();
    let subject = list("subject");
    let subject = subject.into_iter().map(|(name, value)| {
        let (_, number) = name.split_once('.').expect("its place comes first");
        (number.to_owned(), value)
    });
    let names = list("names").into_iter().map(|(name, value)| {
        let (kind, _) = name.split_once('.').expect("its place comes last");
        format!("{kind}:{value}")
    });
    let extensions: BTreeMap<String, String> = list("extensions").into_iter().collect();
    let words = |name: &str| {
        let words = extensions
            .get(name)
            .map(|text| text.split(", ").collect::<Vec<_>>());
        let words = words.unwrap_or_default().into_iter();
        words
            .filter(|word| *word != "critical")
            .map(ToOwned::to_owned)
            .collect()
    };
    let digest = ["sha256", "sha384", "sha512"]
        .into_iter()
        .find(|name| marks.contains(name));
    Facts {
        subject: subject.collect(),
        own: !marks.contains("issued"),
        names: names.collect(),
        usage: words("keyUsage"),
        extended: words("extendedKeyUsage"),
        is_ca: extensions["basicConstraints"] == "critical, CA:TRUE",
        digest: digest.map(ToOwned::to_owned),
        fits: key == Some(of),
        ends: marks.contains("ends"),
    }
}

fn kind(text: &str) -> Kind {
    let words: Vec<&str> = text.split(' ').collect();
    match words[..] {
        ["KEY", "rsa", bits, ..] => Kind::Rsa(bits.parse().expect("a number")),
        ["KEY", "ec", curve, ..] => Kind::Ec(curve.to_owned()),
        ["KEY", "ed25519", ..] => Kind::Ed25519,
        _ => panic!("{text}"),
    }
}

fn kept(world: &World, pair: &Pair) -> Kept {
    let key = world.text(&pair.key);
    let certificate = match world.text(&pair.path).as_deref() {
        None => CertificateFile::Absent,
        Some("DAMAGED") => CertificateFile::Damaged,
        Some(text) if text.starts_with("KEY") => CertificateFile::Key,
        Some(text) if text.starts_with("CERT") => {
            CertificateFile::Certificate(facts(text, key.as_deref()))
        }
        Some(_) => CertificateFile::Other,
    };
    let key = match key.as_deref() {
        None => KeyFile::Absent,
        Some("DENIED") => KeyFile::Denied,
        Some("DAMAGED") => KeyFile::Damaged,
        Some("ENCRYPTED") => KeyFile::Encrypted,
        Some(text) if text.starts_with("KEY") => KeyFile::Key(kind(text)),
        Some(_) => KeyFile::Other,
    };
    Kept { key, certificate }
}

fn openssl(world: &mut World, call: &Call) -> Done {
    let args = call.args();
    let after = |option: &str| {
        let at = args.iter().position(|word| *word == option)?;
        args.get(at + 1).copied()
    };
    let Some(out) = after("-out") else {
        return fake::failed(1, "no -out");
    };
    assert!(!world.exists(out), "nothing is written over");
    let text = match args[0] {
        "genpkey" => {
            let option = after("-pkeyopt").and_then(|option| option.split_once(':'));
            let kind = match (after("-algorithm"), option) {
                (Some("RSA"), Some(("rsa_keygen_bits", bits))) => format!("rsa {bits}"),
                (Some("EC"), Some(("ec_paramgen_curve", curve))) => format!("ec {curve}"),
                (Some("ED25519"), None) => "ed25519".to_owned(),
                other => panic!("{other:?}"),
            };
            format!("KEY {kind} of new")
        }
        "req" => {
            let key = after("-key").and_then(|path| world.text(path));
            let Some(key) = key else {
                return fake::failed(1, "no key");
            };
            let digest = args.iter().find_map(|word| word.strip_prefix("-sha"));
            let digest = digest.map(|bits| format!("sha{bits}")).unwrap_or_default();
            assert_eq!(after("-config"), Some("/dev/stdin"));
            let config = String::from_utf8(call.stdin.clone()).expect("a text");
            certificate(
                &format!(
                    "{digest} for {}",
                    after("-days").expect("how long it holds")
                ),
                &key,
                &config,
            )
        }
        other => panic!("{other}"),
    };
    world.write(out, text);
    world.chmod(out, 0o600);
    fake::ok("")
}

fn bare() -> FakeHost {
    FakeHost::new()
        .dir("/etc/ssl")
        .user("app", 1000)
        .model::<Pair>(|world, pair| Ok(kept(world, pair)))
        .program("openssl", openssl)
}

/// How the parts of a configuration come that say nothing but this common name.
fn config(name: &str, names: &str) -> String {
    format!(
        "[subject]\n0.2.5.4.3 = \"{name}\"\n[extensions]\nbasicConstraints = critical, CA:FALSE\n[names]\n{names}"
    )
}

fn ours() -> String {
    config("h.example", "DNS.0 = \"h.example\"")
}

/// A host that has these.
fn host(key: &str, certificate: &str) -> FakeHost {
    bare()
        .file("/etc/ssl/k", key)
        .mode("/etc/ssl/k", 0o600)
        .file("/etc/ssl/c", certificate)
}

/// A host whose certificate has these marks, and was made with this.
fn with(marks: &str, config: &str) -> FakeHost {
    let key = key_file("rsa 4096");
    host(&key, &certificate(marks, &key, config))
}

fn task(more: &str) -> String {
    format!(
        "openssl_certificate: {{path: /etc/ssl/c, key: /etc/ssl/k, common_name: h.example{more}}}"
    )
}

const NEW: &str = "certificate: null -> \"CN=h.example\"";

pub(crate) fn cases() -> Vec<Expect> {
    let mut all = made();
    all.extend(around());
    all.extend(differing());
    all.extend(kept_back());
    all.extend(misuse());
    all
}

fn made() -> Vec<Expect> {
    let key = key_file("rsa 4096");
    vec![
        case("OC-01 both are made", &task(""))
            .on(bare())
            .changes(["key: null -> \"rsa 4096\"", NEW])
            .then("/etc/ssl/k", "file 0600 root:root")
            .then("/etc/ssl/c", "file 0644 root:root")
            .then("/etc/ssl/.k.evenkeel", "nothing")
            .then("/etc/ssl/.c.evenkeel", "nothing")
            .gives("mode", "\"0644\""),
        case("OC-01 on a curve", &task(", type: ECC, curve: secp384r1"))
            .on(bare())
            .changes(["key: null -> \"ec P-384\"", NEW]),
        case("OC-01 with Ed25519", &task(", type: ed25519"))
            .on(bare())
            .changes(["key: null -> \"ed25519\"", NEW]),
        case("OC-01 the key is there", &task(""))
            .on(bare().file("/etc/ssl/k", &key).mode("/etc/ssl/k", 0o600))
            .changes([NEW])
            .then("/etc/ssl/k", &format!("file 0600 root:root = {key}")),
        case("OC-02 in its state", &task("")).on(with("sha256", &ours())),
        case(
            "OC-02 an order of names is none",
            &task(", san: ['DNS:B.example', 'IP:::1', 'DNS:a']"),
        )
        .on(with(
            "sha256",
            &config("h.example", "DNS.0 = a\nDNS.1 = b.example\nIP.2 = ::1"),
        )),
    ]
}

fn around() -> Vec<Expect> {
    vec![
        case(
            "OC-14 owner, group and mode",
            &task(", owner: app, mode: '0640', key_group: app"),
        )
        .on(bare())
        .changes(["key", "certificate"])
        .then("/etc/ssl/k", "file 0600 app:app")
        .then("/etc/ssl/c", "file 0640 app:root"),
        case("OC-14 a key that others can read", &task(""))
            .on(with("sha256", &ours()).mode("/etc/ssl/k", 0o644))
            .changes(["key mode: \"0644\" -> \"0600\""])
            .then("/etc/ssl/k", "file 0600 root:root"),
        case(
            "OC-14 a key for a group",
            &task(", key_mode: '0640', key_group: app, mode: '0600'"),
        )
        .on(with("sha256", &ours()))
        .changes([
            "key group: \"root\" -> \"app\"",
            "key mode: \"0600\" -> \"0640\"",
            "mode: \"0644\" -> \"0600\"",
        ]),
        case("OC-14 attributes stay with a new one", &task(""))
            .on(with("sha256 ends", &ours())
                .owned("/etc/ssl/c", "app", "app")
                .mode("/etc/ssl/c", 0o600))
            .changes(["validity"])
            .then("/etc/ssl/c", "file 0600 app:app"),
        case("OC-15 absent", &task(", state: absent"))
            .on(with("sha256", &ours()))
            .changes([
                "certificate: \"/etc/ssl/c\" -> null",
                "key: \"/etc/ssl/k\" -> null",
            ])
            .then("/etc/ssl/k", "nothing")
            .then("/etc/ssl/c", "nothing"),
        case("OC-15 absent already", &task(", state: absent")).on(bare()),
        case("OC-16 force", &task(", force: true"))
            .on(with("sha256", &ours()))
            .without(Law::Quiet, "it makes both anew each time")
            .changes([
                "key: \"rsa 4096\" -> \"rsa 4096\"",
                "certificate: \"of another key\" -> \"of the key\"",
            ]),
        case(
            "OC-21 links are followed",
            "openssl-certificate: {path: /c, key: /k, common_name: h.example}",
        )
        .on(with("sha256", &ours())
            .link("/c", "/etc/ssl/c")
            .link("/k", "/etc/ssl/k")
            .mode("/etc/ssl/k", 0o604))
        .changes(["key mode"])
        .rounds(2, "where a link leads is asked first")
        .then("/c", "link -> /etc/ssl/c"),
        case("OC-22 leftovers of a run that was cut", &task(""))
            .on(with("sha256", &ours())
                .file("/etc/ssl/.k.evenkeel", "half")
                .file("/etc/ssl/.c.evenkeel", ""))
            .changes(["key leftover", "leftover"])
            .then("/etc/ssl/.k.evenkeel", "nothing"),
        case("OC-22 a leftover beside what is made", &task(""))
            .on(bare().file("/etc/ssl/.k.evenkeel", "half"))
            .changes(["key", "certificate"]),
    ]
}

fn differing() -> Vec<Expect> {
    let key = key_file("rsa 4096");
    let stays = format!("file 0600 root:root = {key}");
    let hostile = r#"it's "$(touch /x)" \ # / + , = ☃ "#;
    let quoted = serde_json::Value::from(hostile).to_string();
    let subject = format!(", subject: {{O: {quoted}, OU: [b, a], 1.2.3.4: x}}");
    vec![
        case("OC-03 another subject", &task(", subject: {C: DE, O: x}"))
            .on(with("sha256", &ours()))
            .changes(["subject: \"CN=h.example\" -> \"C=DE, O=x, CN=h.example\""])
            .then("/etc/ssl/k", &stays),
        case("OC-20 values are only values", &task(&subject))
            .on(bare())
            .changes(["key", "certificate"]),
        case("OC-04 other names", &task(", san: ['DNS:h.example', 'IP:192.0.2.7']"))
            .on(with("sha256", &ours()))
            .changes(["names: [\"DNS:h.example\"] -> [\"DNS:h.example\",\"IP:192.0.2.7\"]"])
            .then("/etc/ssl/k", &stays),
        case("OC-04 no names", &task(", san: []"))
            .on(with("sha256", &ours()))
            .changes(["names: [\"DNS:h.example\"] -> []"]),
        case("OC-04 the common name is an address", "openssl-certificate: {path: /c, key: /k, common_name: '::1'}")
            .on(host("", "").file("/k", &key).mode("/k", 0o600).file(
                "/c",
                certificate("sha256", &key, &config("::1", "IP.0 = ::1")),
            )),
        case("OC-04 the common name is no host", "openssl-certificate: {path: /c, key: /k, common_name: A B}").on(
            host("", "").file("/k", &key).mode("/k", 0o600).file(
                "/c",
                certificate("sha256", &key, &config("A B", "")),
            ),
        ),
        case("OC-05 it ends soon", &task(""))
            .on(with("sha256 ends", &ours()))
            .changes(["validity: \"ends within 30 days\" -> \"holds 365 days\""])
            .then("/etc/ssl/k", &stays),
        case("OC-05 other days make no new one", &task(", days: 20")).on(with("sha256", &ours())),
        case("OC-06 another size of key", &task(", size: 2048"))
            .on(with("sha256", &ours()))
            .changes([
                "key: \"rsa 4096\" -> \"rsa 2048\"",
                "certificate: \"of another key\" -> \"of the key\"",
            ])
            .then("/etc/ssl/k", "file 0600 root:root"),
        case("OC-06 another type of key", &task(", type: ec"))
            .on(with("sha256", &ours()))
            .changes(["key: \"rsa 4096\" -> \"ec P-256\"", "certificate"]),
        case("OC-07 a damaged certificate", &task(""))
            .on(host(&key, "DAMAGED"))
            .changes(["certificate: \"damaged\" -> \"CN=h.example\""])
            .then("/etc/ssl/k", &stays),
        case("OC-08 a damaged key", &task(""))
            .on(host("DAMAGED", &certificate("sha256", &key, &ours())))
            .changes(["key: \"damaged\" -> \"rsa 4096\"", "certificate"]),
        case("OC-12 a certificate of another key", &task(""))
            .on(host(&key, &certificate("sha256", "KEY rsa 4096 of another", &ours())))
            .changes(["certificate: \"of another key\" -> \"of the key\""])
            .then("/etc/ssl/k", &stays),
        case("OC-13 issued by another", &task(""))
            .on(with("sha256 issued", &ours()))
            .changes(["issuer: \"another\" -> \"itself\""]),
        case(
            "OC-18 usage, purposes, authority and digest",
            &task(", usage: [KeyAgreement], extended_usage: [serverauth, 1.3.6.1.5.5.7.3.2, 1.2.3.4], is_ca: true, digest: sha512, san: []"),
        )
        .on(with("sha256", &ours()))
        .changes([
            "names",
            "usage: [] -> [\"keyAgreement\"]",
            "extended usage: [] -> [\"1.2.3.4\",\"clientAuth\",\"serverAuth\"]",
            "is_ca: false -> true",
            "digest: \"sha256\" -> \"sha512\"",
        ]),
        case("OC-18 an authority", &task(", is_ca: true"))
            .on(with("sha256", &ours()))
            .changes(["names", "usage: [] -> [\"cRLSign\",\"keyCertSign\"]", "is_ca"]),
    ]
}

fn kept_back() -> Vec<Expect> {
    let key = key_file("rsa 4096");
    vec![
        case("OC-09 a key with a passphrase", &task(", force: true"))
            .on(host("ENCRYPTED", "DAMAGED"))
            .refused("the key `/etc/ssl/k` has a passphrase: it is not replaced"),
        case("OC-09 a key that may not be read", &task(""))
            .on(host("DENIED", "DAMAGED"))
            .refused("`/etc/ssl/k` cannot be read by `root`"),
        case("OC-10 the certificate's file holds a key", &task(""))
            .on(host(&key, &key))
            .refused("`/etc/ssl/c` holds a private key"),
        case("OC-11 no key", &task(""))
            .on(host("root:x:0:0", "DAMAGED"))
            .refused("`/etc/ssl/k` holds no private key: it is not replaced"),
        case("OC-11 no certificate", &task(""))
            .on(host(&key, "root:x:0:0"))
            .refused("`/etc/ssl/c` holds no certificate: it is not replaced"),
        case("OC-11 a directory", &task(""))
            .on(bare().dir("/etc/ssl/k"))
            .refused("`/etc/ssl/k` is not a file: directory"),
        case("OC-11 a directory stays", &task(", state: absent"))
            .on(bare().dir("/etc/ssl/c"))
            .refused("`/etc/ssl/c` is a directory"),
        case("OC-17 no openssl", &task(""))
            .on(FakeHost::new().dir("/etc/ssl").model::<Pair>(|_, _| {
                Err(evenkeel_engine::NotYet::new(
                    "`openssl` on the host (install the package `openssl`)",
                ))
            }))
            .not_yet("install the package `openssl`"),
        case("OC-24 no directory", &task(""))
            .on(FakeHost::new().model::<Pair>(|world, pair| Ok(kept(world, pair))))
            .not_yet("the directory `/etc/ssl`"),
        case("OC-24 no owner", &task(", owner: nobody-yet"))
            .on(bare())
            .not_yet("the user `nobody-yet`"),
    ]
}

fn misuse() -> Vec<Expect> {
    let long = "a".repeat(65);
    let refused = |more: &str, why: &str| case("OC-19 misuse", &task(more)).refused(why);
    let named = |more: &str, why: &str| {
        case(
            "OC-19 misuse",
            &format!("openssl-certificate: {{path: /c, key: /k, {more}}}"),
        )
        .refused(why)
    };
    vec![
        case(
            "OC-19 misuse",
            "openssl-certificate: {path: /c, key: /./c, common_name: h}",
        )
        .refused("`path` and `key` are the same file"),
        case(
            "OC-19 misuse",
            "openssl-certificate: {path: /c/, key: /k, common_name: h}",
        )
        .refused("`path: /c/` is no file"),
        refused(
            ", renew_before: 365",
            "`renew_before: 365` with `days: 365`",
        ),
        refused(", days: 0", "`days: 0` is not between 1 and 36500"),
        refused(", size: 1024", "`size: 1024` is not between 2048 and 16384"),
        refused(", type: ec, size: 256", "`size` without `type: rsa`"),
        refused(", curve: P-256", "`curve` without `type: ec`"),
        refused(", type: ec, curve: P-1", "`curve: P-1` is not known"),
        refused(
            ", type: ed25519, digest: sha512",
            "`digest` with `type: ed25519`",
        ),
        refused(
            ", subject: {XX: a}",
            "`subject`: `XX` is no entry of a subject",
        ),
        refused(
            ", subject: {O: \"a\\nb\"}",
            "`subject`: `O` holds a line end",
        ),
        refused(", subject: {O: ''}", "`subject`: `O` is empty"),
        refused(", subject: {C: DEU}", "`C` has 3 characters; 2 is the most"),
        refused(", subject: {C: D}", "`C` is not the two letters"),
        refused(", subject: {C: ÄÖ}", "`C` may hold ASCII only"),
        refused(", subject: {CN: a}", "`common_name`, and `CN` in `subject`"),
        named("is_ca: true", "neither `common_name` nor `subject`"),
        named(
            &format!("common_name: {long}"),
            "has 65 characters; 64 is the most",
        ),
        refused(", san: [h]", "`san`: `h` has no kind"),
        refused(", san: ['DNS:a b']", "`DNS:a b` is no name of a host"),
        refused(
            ", san: ['DNS:ü.example']",
            "`DNS:ü.example` is no name of a host",
        ),
        refused(", san: ['IP:1.2.3']", "`IP:1.2.3` is no address"),
        refused(
            ", san: ['email:copy']",
            "`email:copy` is no address of mail",
        ),
        refused(", san: ['dirName:x']", "of a kind that is not supported"),
        refused(", usage: [sign]", "`usage`: `sign` is not known"),
        refused(
            ", extended_usage: [server]",
            "`extended_usage`: `server` is not known",
        ),
        refused(", provider: selfsigned", "provider"),
    ]
}
