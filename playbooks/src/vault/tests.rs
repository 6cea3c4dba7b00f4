use std::{
    os::unix::fs::PermissionsExt as _,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use evenkeel_engine::Secret;
use proptest::prelude::*;

use super::*;

/// Made by `ansible-vault encrypt` of ansible-core 2.19; the words are `hunter2`, `dev-pass` and `pässwörd`.
const BY_ANSIBLE: &str = include_str!("vectors/default.vault");
const BY_ANSIBLE_DEV: &str = include_str!("vectors/dev.vault");
const BY_ANSIBLE_UTF8: &str = include_str!("vectors/utf8.vault");
const BY_ANSIBLE_EMPTY: &str = include_str!("vectors/empty.vault");
const PLAIN: &str = include_str!("vectors/plain.yml");

fn envelope(text: &str) -> Envelope {
    Envelope::parse(text.as_bytes()).unwrap()
}

fn word(text: &str) -> Secret {
    Secret::new(text)
}

fn known(id: &str, text: &str) -> Identity {
    Identity::new(id, Origin::Known(word(text)))
}

#[test]
fn what_ansible_wrote_is_read() {
    let open = |text: &str, password: &str| {
        let plain = envelope(text).open(&word(password)).unwrap();
        String::from_utf8(plain.to_vec()).unwrap()
    };
    assert_eq!(open(BY_ANSIBLE, "hunter2"), PLAIN);
    assert_eq!(open(BY_ANSIBLE_DEV, "dev-pass"), PLAIN);
    assert_eq!(open(BY_ANSIBLE_UTF8, "pässwörd"), PLAIN);
    assert_eq!(open(BY_ANSIBLE_EMPTY, "hunter2"), "");
    assert_eq!(envelope(BY_ANSIBLE).id(), None);
    assert_eq!(envelope(BY_ANSIBLE_DEV).id(), Some("dev"));
    assert_eq!(
        envelope(BY_ANSIBLE).open(&word("hunter")),
        Err(Misfit::Seal)
    );
}

#[test]
fn it_is_written_as_ansible_writes_it() {
    // Taken apart and put together again, nothing is different.
    for text in [
        BY_ANSIBLE,
        BY_ANSIBLE_DEV,
        BY_ANSIBLE_UTF8,
        BY_ANSIBLE_EMPTY,
    ] {
        assert_eq!(envelope(text).text(), text);
    }
    // With the salt that Ansible took, the same bytes come out.
    let salt = digits(BY_ANSIBLE)[..32].try_into().unwrap();
    let ours = Envelope::seal(PLAIN.as_bytes(), &word("hunter2"), None, &salt);
    assert_eq!(ours.text(), BY_ANSIBLE);
}

/// The salt, and what follows it.
fn digits(text: &str) -> Vec<u8> {
    let two = |text: &str| -> Vec<u8> {
        let digits: Vec<char> = text.chars().filter(|c| !c.is_whitespace()).collect();
        digits
            .chunks(2)
            .map(|two| u8::from_str_radix(&two.iter().collect::<String>(), 16).unwrap())
            .collect()
    };
    let lines = two(text.split_once('\n').unwrap().1);
    two(std::str::from_utf8(&lines).unwrap().lines().next().unwrap())
}

#[test]
fn blanks_and_carriage_returns_do_not_matter() {
    let text = BY_ANSIBLE.replace('\n', "  \r\n  ");
    assert_eq!(envelope(&text), envelope(BY_ANSIBLE));
}

#[test]
fn what_is_damaged_is_told() {
    let told = |text: &str| Envelope::parse(text.as_bytes()).unwrap_err().to_string();
    assert_eq!(told("x: 1\n"), "it does not begin with `$ANSIBLE_VAULT;`");
    assert_eq!(
        told("$ANSIBLE_VAULT;1.0;AES\n3030\n"),
        "its format is `1.0`: 1.1 and 1.2 are there"
    );
    assert_eq!(
        told("$ANSIBLE_VAULT;1.1;AES\n3030\n"),
        "its cipher is `AES`: AES256 is there"
    );
    assert_eq!(
        told("$ANSIBLE_VAULT;1.1;AES256\nxyz\n"),
        "it is damaged: what follows its first line is not hexadecimal"
    );
    assert_eq!(
        told("$ANSIBLE_VAULT;1.1;AES256\n303\n"),
        "it is damaged: a digit is missing"
    );
    assert_eq!(
        told("$ANSIBLE_VAULT;1.1;AES256\n"),
        "it is damaged: its salt is missing"
    );
    let cut: String = BY_ANSIBLE
        .lines()
        .take(4)
        .fold(String::new(), |text, line| text + line + "\n");
    assert!(told(&cut).starts_with("it is damaged: "), "{}", told(&cut));
}

#[test]
fn the_password_of_its_id_is_tried_first_and_others_too() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let ask: Asker = Arc::new(move |what: &str| {
        count.fetch_add(1, Ordering::Relaxed);
        assert_eq!(what, "password of the vault");
        Ok(word("hunter2"))
    });
    let keys = Keyring::new(vec![
        Identity::new(DEFAULT, Origin::Person(ask)),
        known("dev", "dev-pass"),
    ]);
    let (found, plain) = keys.find(&envelope(BY_ANSIBLE_DEV)).unwrap();
    assert_eq!((found.id(), plain.reveal()), ("dev", PLAIN.as_bytes()));
    // That of the id was enough: nobody was asked.
    assert_eq!(asked.load(Ordering::Relaxed), 0);
    for _ in 0..3 {
        assert_eq!(
            keys.open(&envelope(BY_ANSIBLE)).unwrap().reveal(),
            PLAIN.as_bytes()
        );
    }
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    // An id is a hint, no more.
    let keys = Keyring::new(vec![known("other", "dev-pass")]);
    assert!(keys.open(&envelope(BY_ANSIBLE_DEV)).is_ok());
}

#[test]
fn what_stays_closed_says_what_to_give() {
    let told = |keys: Vec<Identity>, text: &str| {
        let trouble = Keyring::new(keys).open(&envelope(text)).unwrap_err();
        (trouble.message, trouble.help)
    };
    let (message, help) = told(Vec::new(), BY_ANSIBLE_DEV);
    assert_eq!(
        message,
        "this is encrypted (its id is `dev`), and no password of a vault is given"
    );
    assert_eq!(
        help,
        "give it: `--vault-id dev@FILE`, or `--ask-vault-pass` to be asked"
    );
    let (message, help) = told(Vec::new(), BY_ANSIBLE);
    assert_eq!(
        message,
        "this is encrypted, and no password of a vault is given"
    );
    assert_eq!(
        help,
        "give it: `--vault-password-file FILE`, or `--ask-vault-pass` to be asked"
    );
    let (message, _) = told(vec![known(DEFAULT, "x")], BY_ANSIBLE);
    assert_eq!(message, "the password that is given does not open it");
    let wrong = || vec![known("prod", "x"), known(DEFAULT, "y")];
    let (message, help) = told(wrong(), BY_ANSIBLE_DEV);
    assert_eq!(
        message,
        "no password opens it: tried those of `prod` and `default`; it wants that of the id `dev`"
    );
    assert_eq!(help, "give that: `--vault-id dev@FILE`");
    let broken: Asker = Arc::new(|_: &str| Err("there is no terminal to ask on".to_owned()));
    let (message, help) = told(
        vec![Identity::new(DEFAULT, Origin::Person(broken))],
        BY_ANSIBLE,
    );
    assert_eq!(
        message,
        "the password of the vault id `default` is not to be had: there is no terminal to ask on"
    );
    assert_eq!(help, "it is to come from the terminal");
}

#[test]
fn passwords_come_from_files_and_programs() {
    let folder = tempfile::tempdir().unwrap();
    let make = |name: &str, text: &str, mode: u32| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        Origin::File(path)
    };
    let file = make("file", "\n  two words \r\n\n", 0o600);
    assert_eq!(file.password(DEFAULT).unwrap().reveal(), b"two words");
    let program = make("program", "#!/bin/sh\necho \" $# \"\n", 0o700);
    assert_eq!(program.password("dev").unwrap().reveal(), b" 0 ");
    let client = make("ours-client.sh", "#!/bin/sh\necho \"$1 $2\"\n", 0o700);
    assert_eq!(client.password("dev").unwrap().reveal(), b"--vault-id dev");
    let none = make("none-client", "#!/bin/sh\nexit 2\n", 0o700);
    let why = none.password("dev").unwrap_err();
    assert_eq!(why, "it has no password for this id (exit status 2)");
    let broken = make("broken", "#!/bin/sh\nexit 7\n", 0o700);
    assert_eq!(
        broken.password("dev").unwrap_err(),
        "it ended with exit status: 7"
    );
    assert_eq!(
        make("empty", " \n", 0o600).password("x").unwrap_err(),
        "it is empty"
    );
    let again = make("again", BY_ANSIBLE, 0o600).password("x").unwrap_err();
    assert_eq!(again, "it is itself encrypted by a vault");
    let missing = Origin::File(folder.path().join("missing"))
        .password("x")
        .unwrap_err();
    assert!(missing.contains("No such file"), "{missing}");
}

#[test]
fn a_program_that_does_not_end_is_ended() {
    let mut program = std::process::Command::new("sh");
    program.args(["-c", "exec sleep 60"]);
    let begun = Instant::now();
    let why = program_output(program, Duration::from_millis(100)).unwrap_err();
    assert_eq!(why, "it took longer than 0 seconds");
    assert!(begun.elapsed() < Duration::from_secs(30));
}

#[test]
fn values_stay_closed_for_who_shows_no_secrets() {
    let keys = Arc::new(Keyring::default().closed());
    let sealed = Sealed::new(BY_ANSIBLE, &keys).unwrap();
    assert_eq!(sealed.open().unwrap(), word(""));
    assert_eq!(format!("{sealed:?}"), "Envelope(None, 48 bytes)");
    assert_eq!(Sealed::new("plain", &keys), Err(Damage::NoVault));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn what_is_sealed_opens(
        plain in prop::collection::vec(any::<u8>(), 0..100),
        password in ".{1,20}",
        id in prop::option::of("[a-z]{1,8}"),
        salt in any::<[u8; 32]>(),
        flip in any::<prop::sample::Index>(),
    ) {
        let sealed = Envelope::seal(&plain, &word(&password), id.as_deref(), &salt);
        let text = sealed.text();
        prop_assert!(text.lines().all(|line| line.len() <= 80));
        let read = Envelope::parse(text.as_bytes()).unwrap();
        prop_assert_eq!(&read, &sealed);
        prop_assert_eq!(&*read.open(&word(&password)).unwrap(), &plain);
        prop_assert_eq!(read.open(&word(&format!("{password}x"))), Err(Misfit::Seal));
        // One letter changed anywhere after the first line: never opened.
        let mut bytes = text.into_bytes();
        let start = bytes.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        let at = start + flip.index(bytes.len() - start);
        bytes[at] = if bytes[at] == b'1' { b'2' } else { b'1' };
        if let Ok(read) = Envelope::parse(&bytes) {
            prop_assert!(read == sealed || read.open(&word(&password)).is_err());
        }
    }
}

proptest! {
    #[test]
    fn hostile_texts_end_in_a_word(
        head in "(\\$ANSIBLE_VAULT;)?[0-9.;AES ]{0,20}",
        version in prop::sample::select(vec!["", "1.1;AES256", "1.2;AES256;x;y", "1.2;AES256;"]),
        body in "([0-9a-f]{0,40}\n|30*a?|\\PC{0,9}\r\n){0,8}",
    ) {
        for text in [format!("{head}\n{body}"), format!("$ANSIBLE_VAULT;{version}\n{body}"), body] {
            if let Ok(envelope) = Envelope::parse(text.as_bytes()) {
                prop_assert!(Envelope::parse(envelope.text().as_bytes()).is_ok());
            }
        }
    }
}
