//! `evenkeel vault`: encrypted files and values.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// Where the passwords of encrypted files and values come from.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Vault")]
pub struct Vault {
    /// A file with the password of vaults, or a program that prints it; repeatable.
    #[arg(long, visible_alias = "vault-pass-file", value_name = "FILE")]
    pub vault_password_file: Vec<PathBuf>,
    /// Ask for the password of vaults.
    #[arg(short = 'J', long, alias = "ask-vault-password")]
    pub ask_vault_pass: bool,
    /// The password of one vault id: `ID@FILE`, `ID@PROGRAM` or `ID@prompt`; repeatable.
    #[arg(long, value_name = "ID@SOURCE")]
    pub vault_id: Vec<String>,
}

/// What to do with a vault.
#[derive(Debug, Subcommand)]
pub enum VaultCommand {
    /// Encrypt files in place, or stdin to stdout.
    Encrypt(Encrypt),
    /// Decrypt files in place, or stdin to stdout.
    Decrypt(Decrypt),
    /// Show what is in encrypted files.
    View(View),
    /// Change an encrypted file with $VISUAL or $EDITOR.
    Edit(Edit),
    /// Write a new encrypted file with $VISUAL or $EDITOR.
    Create(Create),
    /// Encrypt files anew, with another password.
    Rekey(Rekey),
    /// Encrypt one value, to be pasted into a YAML file.
    #[command(alias = "encrypt_string")]
    EncryptString(EncryptString),
}

/// Encrypt files in place, or stdin to stdout.
#[derive(Debug, Args)]
pub struct Encrypt {
    /// The files; none, or `-`: stdin.
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Write here instead; `-`: to stdout.
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Of several ids the one to encrypt with.
    #[arg(long, value_name = "ID")]
    pub encrypt_vault_id: Option<String>,
    /// Passwords.
    #[command(flatten)]
    pub vault: Vault,
}

/// Decrypt files in place, or stdin to stdout.
#[derive(Debug, Args)]
pub struct Decrypt {
    /// The files; none, or `-`: stdin.
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Write here instead; `-`: to stdout.
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Passwords.
    #[command(flatten)]
    pub vault: Vault,
}

/// Show what is in encrypted files.
#[derive(Debug, Args)]
pub struct View {
    /// The files; `-`: stdin.
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// Passwords.
    #[command(flatten)]
    pub vault: Vault,
}

/// Change an encrypted file with $VISUAL or $EDITOR.
#[derive(Debug, Args)]
pub struct Edit {
    /// The file.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Passwords.
    #[command(flatten)]
    pub vault: Vault,
}

/// Write a new encrypted file with $VISUAL or $EDITOR.
#[derive(Debug, Args)]
pub struct Create {
    /// The file, which must not be there yet.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Of several ids the one to encrypt with.
    #[arg(long, value_name = "ID")]
    pub encrypt_vault_id: Option<String>,
    /// Passwords.
    #[command(flatten)]
    pub vault: Vault,
}

/// Encrypt files anew, with another password.
#[derive(Debug, Args)]
pub struct Rekey {
    /// The files.
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// A file with the new password, or a program that prints it. Ids stay.
    #[arg(long, value_name = "FILE", conflicts_with = "new_vault_id")]
    pub new_vault_password_file: Option<PathBuf>,
    /// The new id and where its password comes from.
    #[arg(long, value_name = "ID@SOURCE")]
    pub new_vault_id: Option<String>,
    /// Passwords.
    #[command(flatten)]
    pub vault: Vault,
}

/// Encrypt one value, which is read from stdin, to be pasted into a YAML file.
#[derive(Debug, Args)]
pub struct EncryptString {
    /// The name of the variable.
    #[arg(short, long, visible_alias = "stdin-name", value_name = "NAME")]
    pub name: Option<String>,
    /// Ask for the value instead of reading stdin.
    #[arg(short, long)]
    pub prompt: bool,
    /// Write here instead of stdout.
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Of several ids the one to encrypt with.
    #[arg(long, value_name = "ID")]
    pub encrypt_vault_id: Option<String>,
    /// Not taken: arguments are seen by everyone who lists processes.
    #[arg(value_name = "TEXT", hide = true)]
    pub text: Vec<String>,
    /// Passwords.
    #[command(flatten)]
    pub vault: Vault,
}
