//! What the modules of `RabbitMQ` have in common: questions to a broker and orders for it.
//!
//! Both are expressions for `rabbitmqctl eval`, which reads them from stdin. So a question about many
//! things costs one start of Erlang, a password is in no argument list, and no name can be taken for
//! anything else: all that comes from a playbook is written as numbers (`<<97,98>>`). The wrapper of
//! Debian hands arguments to a shell.

mod broker;

use std::fmt::Write as _;

use evenkeel_engine::{Content, Done, Refusal, Run, Secret, sha256};
use sha2::{Digest as _, Sha512};

pub(crate) use broker::known;
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

/// Not one after the other whatever comes of them: the first that fails ends it. Why goes out in octal
/// digits, as `rabbitmqctl` breaks and quotes texts in its own way. No stack is told: arguments are in it.
fn program(expressions: &[String]) -> String {
    let funs: Vec<String> = expressions
        .iter()
        .map(|one| format!("fun() -> {one} end"))
        .collect();
    format!(
        "Why = fun(E) -> L = case E of {{error_string, S}} -> io_lib:format(\"~ts\", [S]); _ -> io_lib:format(\"~0tp\", [E]) end, \
         T = unicode:characters_to_binary([case C of 10 -> 32; _ -> C end || C <- lists:flatten(L)]), \
         {{evenkeel, list_to_binary([io_lib:format(\"~3.8.0b\", [X]) || <<X>> <= T])}} end,\n\
         try lists:foreach(fun(F) -> case F() of ok -> ok; {{ok, _}} -> ok; E -> throw(E) end end, [\n{}])\n\
         catch throw:E -> Why(E); exit:E -> Why(E); error:{{E, _}} -> Why(E); error:E -> Why(E) end.\n",
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
        explain: Some(explain),
        ..Run::new(argv)
    }
}

/// Older ones say an error on stdout, and end well. What the broker itself objects to begins with `broker: `; lines
/// of its log may come before that.
const ORDER: &str = r#"
PATH=$PATH:/usr/sbin:/sbin:/usr/lib/rabbitmq/bin
cd / || exit 1
if [ -n "$1" ]; then set -- -n "$1"; fi
said=$(LC_ALL=C.UTF-8 rabbitmqctl -q "$@" eval 2>&1)
status=$?
case $status$said in
0ok|0*'
ok') exit 0 ;;
0*'{evenkeel,'*)
  said=${said##*'{evenkeel,'}
  said=$(printf %s "$said" | tr -cd 0-7 | sed 's/.../\\&/g')
  printf "broker: $said\n" >&2
  exit 1 ;;
esac
printf '%s\n' "$said" >&2
[ "$status" != 0 ] || status=1
exit "$status"
"#;

/// What an order that failed means.
fn explain(done: &Done) -> Option<Refusal> {
    let text = String::from_utf8_lossy(&done.stderr);
    let Some(why) = text.lines().find_map(|line| line.strip_prefix("broker: ")) else {
        let why = known(&text)?;
        return Some(Refusal::new(format!("RabbitMQ takes no orders: {why}")));
    };
    let refusal = Refusal::new(format!("RabbitMQ refuses it: {why}"));
    let help = [
        (
            "no_such_vhost",
            "make the virtual host first, with `rabbitmq-vhost`",
        ),
        (
            "no_such_user",
            "somebody removed the user in this moment: run again",
        ),
        (
            "user_already_exists",
            "somebody made the user in this moment: run again",
        ),
        (
            "invalid_regexp",
            "correct the pattern: it is a regular expression of Erlang",
        ),
        (
            "undef",
            "this version of RabbitMQ does this in another way: see `rabbitmqctl version`",
        ),
        (
            "Validation failed",
            "correct the definition: see the broker's list of policy keys",
        ),
    ];
    let help = help.iter().find(|(word, _)| why.contains(word));
    Some(refusal.help(
        help.map_or("see the broker's log in /var/log/rabbitmq", |(_, help)| {
            help
        }),
    ))
}

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
