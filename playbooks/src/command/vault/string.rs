//! `encrypt-string`: one value, as it is pasted into a YAML file.

use evenkeel_engine::Secret;
use zeroize::Zeroizing;

use super::{
    Key, Wrong,
    files::{From, To, read},
    wrong,
};
use crate::{cli, command::password, exit::Exit, report::out};

/// Blanks before each line, as `ansible-vault` writes them.
const INDENT: &str = "          ";

pub(super) fn encrypt(args: &cli::EncryptString) -> Result<Exit, Wrong> {
    if !args.text.is_empty() {
        return Err(wrong(
            "a text on the command line is seen by everyone who lists processes",
            "give it on stdin, `evenkeel vault encrypt-string --name NAME < FILE`, or be asked with `--prompt`",
        ));
    }
    let plain = if args.prompt {
        asked(args.name.as_deref())?
    } else {
        if console::user_attended() {
            out::talk("type the value; Ctrl-D ends it (twice, where no line was ended)\n");
        }
        Secret::new(&*read(&From::Stdin)?)
    };
    let key = Key::to_encrypt(&args.vault, args.encrypt_vault_id.as_deref())?;
    let text = value(args.name.as_deref(), &key.seal(plain.reveal())?);
    let to = args.output.as_deref().map_or(To::Stdout, To::of);
    to.write(text.as_bytes())?;
    Ok(Exit::Good)
}

fn asked(name: Option<&str>) -> Result<Secret, Wrong> {
    let what = name.map_or_else(|| "value".to_owned(), |name| format!("value of `{name}`"));
    password::ask(&what).map_err(|error| {
        wrong(
            format!("the value cannot be asked for: {error}"),
            "give it on stdin instead, without `--prompt`",
        )
    })
}

/// The value as YAML.
fn value(name: Option<&str>, sealed: &str) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::new());
    if let Some(name) = name {
        text.push_str(name);
        text.push_str(": ");
    }
    text.push_str("!vault |\n");
    for line in sealed.lines() {
        text.push_str(INDENT);
        text.push_str(line);
        text.push('\n');
    }
    text
}
