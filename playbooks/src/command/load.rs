//! From the command line to playbooks that can be run; what is wrong with them is printed.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use evenkeel_engine as engine;

use super::{
    ansible_cfg::AnsibleCfg,
    connect::{self, Ways},
    keys, password, prompts, wrong,
};
use crate::{
    cli::{self, Foreign, Method, Selection},
    diagnostic::{Colour, Diagnostic, render_all},
    exit::Exit,
    files::Files,
    load::{Loaded, Privilege, Refused, Request},
    report::out,
};

/// Loads the playbooks; on stderr what is wrong or worth knowing.
pub(super) fn load(selection: &Selection, check: bool, diff: bool) -> Result<Loaded, Exit> {
    load_for(selection, check, diff, (false, false))
}

/// The same; with `json` what is wrong is also an object on stdout, as `validate` prints it; with `asks` somebody is
/// asked for what `vars_prompt` names, once nothing else is wrong.
pub(super) fn load_for(
    selection: &Selection,
    check: bool,
    diff: bool,
    (json, asks): (bool, bool),
) -> Result<Loaded, Exit> {
    let mut request = match request(selection, check, diff) {
        Ok(request) => request,
        Err(error) => {
            if json {
                let none = Refused::of(error.clone());
                out::report(&super::validate::refused(selection, none));
            }
            return Err(said(&error));
        }
    };
    let mut read_once = read(&request, &selection.connection);
    if let (true, Ok(loaded)) = (asks, &read_once) {
        if !loaded.prompts.is_empty() {
            let answers = prompts::answers(&loaded.prompts).map_err(|error| said(&error))?;
            request.answers = Some(answers);
            read_once = read(&request, &selection.connection);
        }
    }
    match read_once {
        Ok(loaded) => {
            out::talk(&pages(&loaded.warnings, &loaded.files));
            Ok(loaded)
        }
        Err(refused) => {
            out::talk(&pages(&refused.diagnostics, &refused.files));
            if json {
                out::report(&super::validate::refused(selection, refused));
            }
            Err(Exit::Input)
        }
    }
}

/// What a command selects that has no playbook.
pub(super) fn line(
    inventory: &[String],
    privilege: &cli::Privilege,
    connection: &cli::Connection,
    vault: &cli::Vault,
) -> Selection {
    Selection {
        playbooks: vec![PathBuf::from("the command line")],
        inventory: inventory.to_vec(),
        limit: None,
        tags: Vec::new(),
        skip_tags: Vec::new(),
        extra_vars: Vec::new(),
        privilege: privilege.clone(),
        connection: connection.clone(),
        vault: vault.clone(),
        foreign: Foreign::default(),
    }
}

/// Loads one playbook whose text the command line stands for.
pub(super) fn load_text(selection: &Selection, text: &str) -> Result<Loaded, Exit> {
    load_text_for(selection, text, false, false, false)
}

/// The same for a run; with `json` what is wrong is also an object on stdout.
pub(super) fn load_text_for(
    selection: &Selection,
    text: &str,
    check: bool,
    diff: bool,
    json: bool,
) -> Result<Loaded, Exit> {
    let mut request = request(selection, check, diff).map_err(|error| {
        if json {
            let none = Refused::of(error.clone());
            out::report(&super::validate::refused(selection, none));
        }
        said(&error)
    })?;
    request.text = Some(text.to_owned());
    read(&request, &selection.connection).map_err(|refused| {
        out::talk(&pages(&refused.diagnostics, &refused.files));
        if json {
            out::report(&super::validate::refused(selection, refused));
        }
        Exit::Input
    })
}

/// Loads the playbooks; with what is wrong come the texts in which it is.
pub(super) fn read(request: &Request, options: &cli::Connection) -> Result<Loaded, Refused> {
    let modules = Arc::new(evenkeel_modules::standard());
    let playbook = request.playbooks.first();
    let ways = Ways::new(options, playbook.map_or(Path::new(""), PathBuf::as_path));
    let ways = ways.map_err(Refused::of)?;
    let mut loaded = crate::load::load_with_files(request, &modules, &|host| ways.connect(host))?;
    loaded.warnings.extend(ways.warnings());
    Ok(loaded)
}

/// What is wrong with an option.
fn wrong_option(message: &str, help: &str) -> Diagnostic {
    Diagnostic::nowhere("option", message).help(help)
}

/// Says what is wrong with an option.
pub(super) fn said(error: &Diagnostic) -> Exit {
    wrong(&error.message, error.help.as_deref().unwrap_or_default())
}

/// Diagnostics as people read them.
pub(super) fn pages(diagnostics: &[Diagnostic], files: &Files) -> String {
    render_all(diagnostics, files, Colour::Always)
}

/// What is to be loaded; refuses what this version cannot do.
pub(super) fn request(
    selection: &Selection,
    check: bool,
    diff: bool,
) -> Result<Request, Diagnostic> {
    if let Some((option, instead)) = selection.foreign.refused() {
        let what = format!("`{option}` is an option of Ansible that is not there");
        return Err(wrong_option(&what, instead));
    }
    if let Some(name) = &selection.connection.connection {
        connect::refuse_unknown(name)?;
    }
    let playbook = selection.playbooks.first();
    let cfg = AnsibleCfg::of(playbook.map_or(Path::new(""), PathBuf::as_path))?;
    Ok(Request {
        answers: None,
        playbooks: selection.playbooks.clone(),
        text: None,
        inventory: selection.inventory.clone(),
        limit: selection.limit.clone(),
        tags: selection.tags.clone(),
        skip_tags: selection.skip_tags.clone(),
        extra_vars: selection.extra_vars.clone(),
        privilege: privilege(&selection.privilege)?,
        connection: selection.connection.connection.clone(),
        user: cfg.fill(&selection.connection).user,
        check,
        diff,
        roles_path: cfg.roles_path(),
        around: cfg.around(),
        keys: Arc::new(keys::keyring(
            &selection.vault,
            selection
                .playbooks
                .first()
                .map_or(Path::new(""), PathBuf::as_path),
        )?),
    })
}

/// How another user is become, as the command line asks for it.
fn privilege(options: &crate::cli::Privilege) -> Result<Privilege, Diagnostic> {
    let password = match &options.become_password_file {
        Some(path) => Some(password::from_file(path).map_err(|error| {
            wrong_option(
                &format!(
                    "the password in `{}` cannot be read: {error}",
                    path.display()
                ),
                "name a file with the password as its first line, or a program that prints it",
            )
        })?),
        None if options.ask_become_pass => Some(ask()?),
        None => None,
    };
    Ok(Privilege {
        on: options.become_user_or_root,
        user: options.become_user.clone(),
        method: options.become_method.map(method),
        password,
    })
}

/// Asks for the password of sudo, su or doas.
pub(super) fn ask() -> Result<engine::Secret, Diagnostic> {
    ask_for(
        "password of sudo, su or doas",
        "`--become-password-file FILE` takes it from a file",
    )
}

/// Asks for a password; where that cannot be, says what else there is.
pub(super) fn ask_for(what: &str, else_: &str) -> Result<engine::Secret, Diagnostic> {
    password::ask(what)
        .map_err(|error| wrong_option(&format!("the password cannot be asked for: {error}"), else_))
}

/// The engine's word for it.
pub(super) fn method(method: Method) -> engine::Method {
    match method {
        Method::Sudo => engine::Method::Sudo,
        Method::Su => engine::Method::Su,
        Method::Doas => engine::Method::Doas,
    }
}
