//! What the modules of RabbitMQ have in common: questions to a broker and orders for it.
//!
//! Both are expressions for `rabbitmqctl eval`, which reads them from stdin. So a question about many
//! things costs one start of Erlang, a password is in no argument list, and no name can be taken for
//! anything else: all that comes from a playbook is written as numbers (`<<97,98>>`). The wrapper of
//! Debian hands arguments to a shell.

mod broker;

use std::fmt::Write as _;

use evenkeel_engine::{Content, Refusal, Run, Secret, sha256};
use sha2::{Digest as _, Sha512};

pub use broker::{Broker, Told, What};

/// What all questions read and all orders write.
pub(crate) const OBJECT: &str = "rabbitmq";

/// A salted hash of a password, as the broker may store it.
pub(crate) fn hash(password: &[u8]) -> Told {
    let salt = [0; 4];
    let sum = sha256(&[&salt, password].concat());
    let hex = evenkeel_engine::hex(&[&salt[..], &sum].concat());
    Told::Hash(
        Secret::new(hex),
        "rabbit_password_hashing_sha256".to_owned(),
    )
}

/// Whether a salted hash is the one of a password. Nothing if nobody here knows how it was made.
pub(crate) fn is_password(hash: &Secret, how: &str, password: &[u8]) -> Option<bool> {
    let hash = broker::bytes(std::str::from_utf8(hash.reveal()).ok()?)?;
    // Of a user without a password there is nothing.
    let Some((salt, rest)) = hash.split_at_checked(4) else {
        return Some(false);
    };
    let salted = [salt, password].concat();
    match how {
        "rabbit_password_hashing_sha256" => Some(sha256(&salted) == rest),
        "rabbit_password_hashing_sha512" => Some(Sha512::digest(&salted).as_slice() == rest),
        _ => None,
    }
}

/// A text as Erlang reads it, whatever is in it.
pub(crate) fn binary(bytes: impl AsRef<[u8]>) -> String {
    let mut text = "<<".to_owned();
    for (at, byte) in bytes.as_ref().iter().enumerate() {
        let comma = if at > 0 { "," } else { "" };
        // To a text this cannot fail.
        write!(text, "{comma}{byte}").unwrap_or_default();
    }
    text + ">>"
}

/// A list of them.
pub(crate) fn binaries<T: AsRef<[u8]>>(all: impl IntoIterator<Item = T>) -> String {
    let all: Vec<String> = all.into_iter().map(binary).collect();
    format!("[{}]", all.join(","))
}

/// Carries out expressions on a broker; each has to give `ok`, or it fails with what it gives.
pub(crate) fn order(node: Option<&String>, expressions: &[String]) -> Run {
    let content = Content::from(program(expressions).into_bytes());
    run(node, content)
}

/// The same where an expression holds a secret.
pub(crate) fn secret_order(node: Option<&String>, expressions: &[String]) -> Run {
    run(node, Content::Secret(Secret::new(program(expressions))))
}

/// Not one after the other whatever comes of them: the first that fails ends it.
fn program(expressions: &[String]) -> String {
    let funs: Vec<String> = expressions
        .iter()
        .map(|one| format!("fun() -> {one} end"))
        .collect();
    format!(
        "lists:foreach(fun(F) -> case F() of ok -> ok; {{ok, _}} -> ok; E -> throw({{evenkeel, E}}) end end, [\n{}]).\n",
        funs.join(",\n")
    )
}

fn run(node: Option<&String>, stdin: Content) -> Run {
    let argv = ["sh", "-c", ORDER, "rabbitmqctl"]
        .map(str::to_owned)
        .into_iter()
        .chain(node.cloned());
    Run {
        stdin,
        seconds: Some(120),
        ..Run::new(argv)
    }
}

/// Older ones say an error on stdout, and end well.
const ORDER: &str = r#"
PATH=$PATH:/usr/sbin:/sbin:/usr/lib/rabbitmq/bin
cd / || exit 1
if [ -n "$1" ]; then set -- -n "$1"; fi
said=$(LC_ALL=C.UTF-8 rabbitmqctl -q "$@" eval 2>&1)
status=$?
[ "$status" != 0 ] || case $said in ok) exit 0 ;; esac
printf '%s\n' "$said" >&2
[ "$status" != 0 ] || status=1
exit "$status"
"#;

/// Names that a broker takes; what is left is written as numbers.
pub(crate) fn check_name(what: &str, name: &str) -> Result<(), Refusal> {
    if name.is_empty() {
        return Err(Refusal::new(format!("the name of the {what} is empty")));
    }
    if name.len() > 255 {
        return Err(Refusal::new(format!(
            "the name of the {what} has {} bytes: 255 are allowed",
            name.len()
        )));
    }
    Ok(())
}

/// The name of a node becomes an argument that a shell of the host may read.
pub(crate) fn check_node(node: Option<&String>) -> Result<(), Refusal> {
    let wrong = |c: char| !(c.is_ascii_alphanumeric() || "-_.@".contains(c));
    match node {
        Some(node) if node.is_empty() || node.starts_with('-') || node.contains(wrong) => {
            Err(Refusal::new(format!(
                "`node: {}` is no name of a node",
                node.escape_debug()
            ))
            .help("it is like `rabbit@broker1`; without it, the node of the host is asked"))
        }
        _ => Ok(()),
    }
}
