//! The passwords of vaults: from the command line, `evenkeel.yml`, the environment and `ansible.cfg`.

use std::{
    env,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{ansible_cfg::AnsibleCfg, password};
use crate::{
    cli,
    diagnostic::Diagnostic,
    files::Files,
    settings,
    vault::{Asker, DEFAULT, Identity, Keyring, Origin},
};

/// The passwords that are given for a playbook; none need to be.
pub(super) fn keyring(options: &cli::Vault, playbook: &Path) -> Result<Keyring, Diagnostic> {
    given(options, playbook, &asker()).map(Keyring::new)
}

/// The same without a playbook: of the folder in which we are.
pub(super) fn given_here(options: &cli::Vault, ask: &Asker) -> Result<Vec<Identity>, Diagnostic> {
    given(options, Path::new("vault.yml"), ask)
}

/// Asks on the terminal.
pub(super) fn asker() -> Asker {
    Arc::new(|what: &str| password::ask(what).map_err(|error| error.to_string()))
}

/// The same twice, for a password that is new.
pub(super) fn asker_of_new() -> Asker {
    Arc::new(|what: &str| {
        let ask = |what: String| password::ask(&what).map_err(|error| error.to_string());
        let first = ask(format!("new {what}"))?;
        if ask(format!("new {what}, again"))? == first {
            Ok(first)
        } else {
            Err("the two that were typed differ".to_owned())
        }
    })
}

fn given(options: &cli::Vault, playbook: &Path, ask: &Asker) -> Result<Vec<Identity>, Diagnostic> {
    let mut found = Vec::new();
    let cfg = AnsibleCfg::here()?;
    for word in &options.vault_id {
        found.push(identity(word, Path::new(""), ask)?);
    }
    for path in &options.vault_password_file {
        found.push(Identity::new(DEFAULT, file(path.clone(), None)?));
    }
    if options.ask_vault_pass {
        found.push(Identity::new(DEFAULT, Origin::Person(Arc::clone(ask))));
    }
    let listed = match variable("ANSIBLE_VAULT_IDENTITY_LIST") {
        Some(list) => Some((list, PathBuf::new())),
        None => cfg.vault_identities(),
    };
    if let Some((list, folder)) = listed {
        let words = list.split(',').map(str::trim);
        for word in words.filter(|word| !word.is_empty()) {
            found.push(identity(word, &folder, ask)?);
        }
    }
    if let Some((path, from)) = usual_file(&cfg, playbook) {
        found.push(Identity::new(DEFAULT, file(path, Some(&from))?));
    }
    Ok(found)
}

/// The file that is named without the command line, and where it is named.
fn usual_file(cfg: &AnsibleCfg, playbook: &Path) -> Option<(PathBuf, String)> {
    const VARIABLE: &str = "ANSIBLE_VAULT_PASSWORD_FILE";
    if let Some(path) = variable(VARIABLE) {
        return Some((home(&path, Path::new("")), format!("`{VARIABLE}`")));
    }
    // What is wrong with the settings is said when the playbook is loaded.
    let (settings, _) = settings::load(&mut Files::new(), playbook);
    match settings.vault_password_file {
        Some(path) => Some((path, format!("`{}`", settings::FILE))),
        None => cfg.vault_password_file(),
    }
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// A path as settings have it: `~/` is the home directory, others are relative to their folder.
pub(super) fn home(path: &str, folder: &Path) -> PathBuf {
    match path.strip_prefix("~/") {
        Some(rest) => Path::new(&env::var_os("HOME").unwrap_or_default()).join(rest),
        None => folder.join(path),
    }
}

/// `ID@SOURCE`, or a source alone.
pub(super) fn identity(word: &str, folder: &Path, ask: &Asker) -> Result<Identity, Diagnostic> {
    let (id, source) = match word.split_once('@') {
        Some(("", source)) => (DEFAULT, source),
        Some((id, source)) => (id, source),
        None => (DEFAULT, word),
    };
    if matches!(source, "prompt" | "prompt_ask_vault_pass") {
        return Ok(Identity::new(id, Origin::Person(Arc::clone(ask))));
    }
    let whole = home(source, folder);
    let path = if whole.exists() {
        whole
    } else {
        home(source, Path::new(""))
    };
    if !path.exists() && !word.contains('@') {
        let message = format!("`--vault-id {word}`: there is no file `{word}`");
        return Err(Diagnostic::nowhere("option", message).help(format!(
            "`--vault-id {word}@FILE`, or `--vault-id {word}@prompt`"
        )));
    }
    Ok(Identity::new(id, file(path, None)?))
}

/// A file that has to be there.
fn file(path: PathBuf, named: Option<&str>) -> Result<Origin, Diagnostic> {
    let why = match std::fs::metadata(&path) {
        Ok(meta) if meta.is_dir() => "it is a directory".to_owned(),
        Ok(_) => return Ok(Origin::File(path)),
        Err(error) => error.to_string(),
    };
    let named = named.map(|place| format!(", which {place} names,"));
    let message = format!(
        "the password of the vault in `{}`{} cannot be read: {why}",
        path.display(),
        named.unwrap_or_default()
    );
    Err(Diagnostic::nowhere("option", message)
        .help("name a file with the password in it, or a program that prints it"))
}
