//! `evenkeel vault`: encrypts, decrypts, shows and changes files and values.
//!
//! Neither a password nor what is encrypted ever stands on a command line, not even on that of the editor.

mod edit;
mod files;
mod string;

use std::path::Path;

use evenkeel_engine::Secret;

use super::keys;
use crate::{
    cli::{self, VaultCommand},
    diagnostic::Diagnostic,
    exit::Exit,
    report::out,
    vault::{DEFAULT, Envelope, Identity, Keyring, Origin, is_vault},
};
use files::{Place, read};
pub(super) use files::{private, random};

/// What is wrong.
type Wrong = Diagnostic;

/// `evenkeel vault`.
pub(super) fn vault(command: &VaultCommand) -> Exit {
    let done = match command {
        VaultCommand::Encrypt(args) => encrypt(args),
        VaultCommand::Decrypt(args) => decrypt(args),
        VaultCommand::View(args) => view(args),
        VaultCommand::Edit(args) => edit::edit(args),
        VaultCommand::Create(args) => edit::create(args),
        VaultCommand::Rekey(args) => rekey(args),
        VaultCommand::EncryptString(args) => string::encrypt(args),
    };
    done.unwrap_or_else(|error| super::load::said(&error))
}

fn wrong(message: impl Into<String>, help: impl Into<String>) -> Wrong {
    Diagnostic::nowhere("vault", message).help(help)
}

fn encrypt(args: &cli::Encrypt) -> Result<Exit, Wrong> {
    let places = Place::all(&args.files, args.output.as_deref())?;
    let mut texts = Vec::new();
    for place in &places {
        let text = read(&place.from)?;
        if is_vault(&text) {
            return Err(wrong(
                format!("{} is encrypted already", place.from),
                "`evenkeel vault rekey` gives it another password, `edit` changes what is in it",
            ));
        }
        texts.push(text);
    }
    let key = Key::to_encrypt(&args.vault, args.encrypt_vault_id.as_deref())?;
    for (place, text) in places.iter().zip(&texts) {
        place.to.write(key.seal(text)?.as_bytes())?;
    }
    told(&places, "encrypted");
    Ok(Exit::Good)
}

fn decrypt(args: &cli::Decrypt) -> Result<Exit, Wrong> {
    let places = Place::all(&args.files, args.output.as_deref())?;
    let keys = keyring(&args.vault)?;
    let opened = places.iter().map(|place| open(&place.from, &keys));
    // All are opened before the first is written.
    let opened = opened.collect::<Result<Vec<_>, _>>()?;
    for (place, opened) in places.iter().zip(&opened) {
        place.to.write(opened.plain.reveal())?;
    }
    told(&places, "decrypted");
    Ok(Exit::Good)
}

fn view(args: &cli::View) -> Result<Exit, Wrong> {
    let keys = keyring(&args.vault)?;
    for file in &args.files {
        let opened = open(&files::From::of(file), &keys)?;
        files::To::Stdout.write(opened.plain.reveal())?;
    }
    Ok(Exit::Good)
}

fn rekey(args: &cli::Rekey) -> Result<Exit, Wrong> {
    let places = Place::all(&args.files, None)?;
    let keys = keyring(&args.vault)?;
    let opened = places.iter().map(|place| open(&place.from, &keys));
    let opened = opened.collect::<Result<Vec<_>, _>>()?;
    let ask = keys::asker_of_new();
    let new = match (&args.new_vault_id, &args.new_vault_password_file) {
        (Some(word), _) => keys::identity(word, Path::new(""), &ask)?,
        (None, Some(path)) => Identity::new(DEFAULT, Origin::File(path.clone())),
        (None, None) => Identity::new(DEFAULT, Origin::Person(ask)),
    };
    let password = password(&new)?;
    for (place, opened) in places.iter().zip(&opened) {
        // A password alone changes nothing about whose it is.
        let id = match &args.new_vault_id {
            Some(_) => Some(new.id().to_owned()),
            None => opened.id.clone(),
        };
        let key = Key {
            id,
            password: password.clone(),
        };
        place
            .to
            .write(key.seal(opened.plain.reveal())?.as_bytes())?;
    }
    told(&places, "encrypted anew");
    Ok(Exit::Good)
}

/// A word for each file that was replaced.
fn told(places: &[Place], what: &str) {
    for place in places {
        if let files::To::File(path) = &place.to {
            let path = path.display().to_string();
            out::talk(&format!("{what}: {}\n", crate::printable::line(&path)));
        }
    }
}

/// The passwords that are given; where none is, somebody is asked.
fn keyring(options: &cli::Vault) -> Result<Keyring, Wrong> {
    let ask = keys::asker();
    let mut given = keys::given_here(options, &ask)?;
    if given.is_empty() {
        given.push(Identity::new(DEFAULT, Origin::Person(ask)));
    }
    Ok(Keyring::new(given))
}

fn password(identity: &Identity) -> Result<Secret, Wrong> {
    identity.password().cloned().map_err(|why| {
        wrong(
            format!("the password of the vault is not to be had: {why}"),
            "`--vault-password-file FILE` takes it from a file or a program",
        )
    })
}

/// What was encrypted, and with what.
struct Opened {
    plain: Secret,
    id: Option<String>,
    password: Secret,
}

/// Opens a file.
fn open(from: &files::From, keys: &Keyring) -> Result<Opened, Wrong> {
    let text = read(from)?;
    if !is_vault(&text) {
        return Err(wrong(
            format!("{from} is not encrypted"),
            "`evenkeel vault encrypt` encrypts it",
        ));
    }
    let envelope = Envelope::parse(&text)
        .map_err(|damage| wrong(format!("{from} cannot be opened: {damage}"), damage.help()))?;
    let (identity, plain) = keys
        .find(&envelope)
        .map_err(|trouble| wrong(format!("{from}: {}", trouble.message), trouble.help))?;
    Ok(Opened {
        password: password(identity)?,
        plain,
        id: envelope.id().map(str::to_owned),
    })
}

/// What texts are encrypted with.
struct Key {
    id: Option<String>,
    password: Secret,
}

impl Key {
    /// The only password that is given, or that of an id; where none is, somebody is asked.
    fn to_encrypt(options: &cli::Vault, id: Option<&str>) -> Result<Self, Wrong> {
        let ask = keys::asker_of_new();
        let given = keys::given_here(options, &ask)?;
        let ids: Vec<&str> = given.iter().map(Identity::id).collect();
        let found = match (id, &given[..]) {
            (None, []) => &Identity::new(DEFAULT, Origin::Person(ask)),
            (Some(id), []) => &Identity::new(id, Origin::Person(ask)),
            (None, [one]) => one,
            (Some(id), all) => all.iter().find(|one| one.id() == id).ok_or_else(|| {
                wrong(
                    format!("no password of the vault id `{id}` is given"),
                    format!(
                        "`--vault-id {id}@FILE`, or one of {}",
                        crate::words::list(&ids, "and")
                    ),
                )
            })?,
            (None, _) => {
                return Err(wrong(
                    format!(
                        "several passwords are given: {}",
                        crate::words::list(&ids, "and")
                    ),
                    "say which one encrypts: `--encrypt-vault-id ID`",
                ));
            }
        };
        Ok(Self {
            password: password(found)?,
            id: Some(found.id())
                .filter(|id| *id != DEFAULT)
                .map(str::to_owned),
        })
    }

    /// Encrypts bytes.
    fn seal(&self, plain: &[u8]) -> Result<String, Wrong> {
        let mut salt = [0; 32];
        getrandom::fill(&mut salt).map_err(|error| {
            wrong(
                format!("this machine gives no random numbers: {error}"),
                "look at `/dev/urandom`",
            )
        })?;
        let id = self.id.as_deref();
        if let Some(id) = id.filter(|id| id.contains([';', '\n']) || id.trim() != *id) {
            return Err(wrong(
                format!("`{id}` cannot be a vault id"),
                "letters, digits, `-` and `_` are fine",
            ));
        }
        Ok(Envelope::seal(plain, &self.password, id, &salt).text())
    }
}

/// Whether a path stands for stdin or stdout.
fn is_dash(path: &Path) -> bool {
    path.as_os_str() == "-"
}
