//! The question to a broker.

use std::collections::BTreeMap;

use evenkeel_engine::{NotYet, Probe, Secret, Thing, hex, sha256};
use serde_json::Value;

use super::binary;

/// What a broker is asked about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// A user: its tags and permissions.
    User(String),
    /// The salted hash of a user's password.
    Hash(String),
    /// A virtual host.
    Vhost(String),
    /// A policy of a virtual host.
    Policy(String, String),
}

/// A question to the broker of a host. All questions of a run are one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Broker {
    /// The node; the host's own if there is none.
    pub node: Option<String>,
    /// What it is about.
    pub what: What,
}

/// What it tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// There is no such thing.
    Nothing,
    /// What it knows of it.
    Of(Value),
    /// A salted hash, and what it was made with.
    Hash(Secret, String),
}

impl Broker {
    /// What it is called in the answer: names may hold any byte.
    fn token(&self) -> String {
        hex(&sha256(self.expression().as_bytes())[..12])
    }

    fn expression(&self) -> String {
        match &self.what {
            What::User(name) => format!("User({})", binary(name)),
            What::Hash(name) => format!("Hash({})", binary(name)),
            What::Vhost(name) => format!("Vhost({})", binary(name)),
            What::Policy(vhost, name) => format!("Policy({},{})", binary(vhost), binary(name)),
        }
    }

    fn read(&self, value: Value) -> Told {
        match (&self.what, value) {
            (_, Value::Null) => Told::Nothing,
            (What::Hash(_), Value::Array(parts)) => {
                let text = |at: usize| parts.get(at).and_then(Value::as_str).unwrap_or_default();
                Told::Hash(Secret::new(text(0)), text(1).to_owned())
            }
            (_, value) => Told::Of(value),
        }
    }
}

impl Probe for Broker {
    const KIND: &'static str = "rabbitmq";
    const SCRIPT: &'static str = r#"
ek_rmq_ctl() {
  PATH=$PATH:/usr/sbin:/sbin:/usr/lib/rabbitmq/bin
  cd / || return 0
  if [ -n "$1" ]; then set -- -n "$1"; else set --; fi
  LC_ALL=C.UTF-8 timeout 60 rabbitmqctl -q "$@" eval 2>&1
}
( PATH=$PATH:/usr/sbin:/sbin:/usr/lib/rabbitmq/bin
  command -v rabbitmqctl >/dev/null 2>&1 ) || { printf 'missing\0'; return 0; }
ek_rmq_done=' '
for ek_a in "$@"; do
  ek_m=${ek_a%%|*}
  case $ek_rmq_done in *" $ek_m "*) continue ;; esac
  ek_rmq_done="$ek_rmq_done$ek_m "
  ek_q=
  for ek_b in "$@"; do
    case $ek_b in "$ek_m|"*) ek_q="$ek_q${ek_q:+,
}{${ek_b#*|}" ;; esac
  done
  ek_o=$(ek_rmq_ctl "$ek_m" <<EOF
Find = fun(K, L) -> proplists:get_value(K, L) end,
Bin = fun(A) when is_atom(A) -> atom_to_binary(A, utf8); (B) when is_binary(B) -> B; (L) when is_list(L) -> list_to_binary(L) end,
Hex = fun(B) -> list_to_binary([io_lib:format("~2.16.0b", [X]) || <<X>> <= iolist_to_binary(B)]) end,
Perms = rabbit_auth_backend_internal:list_permissions(),
Topics = rabbit_auth_backend_internal:list_topic_permissions(),
Mine = fun(N, L, Ks) -> lists:sort([[Find(K, P) || K <- Ks] || P <- L, Find(user, P) =:= N]) end,
User = fun(N) -> case rabbit_auth_backend_internal:lookup_user(N) of
  {ok, U} -> [lists:sort([Bin(T) || T <- internal_user:get_tags(U)]),
    Mine(N, Perms, [vhost, configure, write, read]), Mine(N, Topics, [vhost, exchange, write, read])];
  _ -> null end end,
Hash = fun(N) -> case rabbit_auth_backend_internal:lookup_user(N) of
  {ok, U} -> [Hex(internal_user:get_password_hash(U)), Bin(internal_user:get_hashing_algorithm(U))];
  _ -> null end end,
Vhost = fun(N) -> case rabbit_vhost:exists(N) of true -> [rabbit_trace:enabled(N)]; false -> null end end,
Policy = fun(V, N) -> case rabbit_vhost:exists(V) of false -> null; true ->
  case [P || P <- rabbit_policy:list(V), Find(name, P) =:= N] of
    [P] -> [Find(pattern, P), Bin(Find('apply-to', P)), Find(priority, P), maps:from_list(Find(definition, P))];
    _ -> null end end end,
Hex(rabbit_json:encode(maps:from_list([
$ek_q
]))).
EOF
)
  printf '%s\0%s\0' "$ek_m" "$ek_o"
done"#;
    type Answer = Told;

    fn operands(&self) -> Vec<Vec<u8>> {
        let node = self.node.as_deref().unwrap_or_default();
        let asked = format!("{node}|{},{}}}", binary(self.token()), self.expression());
        vec![asked.into_bytes()]
    }

    fn parse(batch: &[&Self], output: &[u8]) -> Result<Vec<Result<Told, NotYet>>, String> {
        let text = String::from_utf8_lossy(output);
        if text.starts_with("missing\0") {
            let missing = || NotYet::new("RabbitMQ (there is no `rabbitmqctl` on this host)");
            return Ok(batch.iter().map(|_| Err(missing())).collect());
        }
        let parts: Vec<&str> = text.split('\0').collect();
        let nodes: BTreeMap<&str, &str> = parts
            .chunks_exact(2)
            .map(|pair| (pair[0], pair[1]))
            .collect();
        let mut told: BTreeMap<&str, Result<Value, String>> = BTreeMap::new();
        for (node, said) in nodes {
            told.insert(node, json(said).ok_or_else(|| trouble(said)));
        }
        let answer = |probe: &&Self| match told.get(probe.node.as_deref().unwrap_or_default()) {
            Some(Ok(all)) => match all.get(probe.token()) {
                Some(value) => Ok(probe.read(value.clone())),
                None => Err(NotYet::new("what the broker says")),
            },
            Some(Err(why)) => Err(NotYet(format!("an answer of RabbitMQ: {why}"))),
            None => Err(NotYet::new("an answer of RabbitMQ")),
        };
        Ok(batch.iter().map(answer).collect())
    }

    fn expected(&self, _: &Told) -> Option<Vec<u8>> {
        // A hash is salted, and all are one answer.
        None
    }

    fn reads(&self) -> Vec<Thing> {
        // A broker that does not run has no answer: once it is started it is asked anew.
        let unit = Thing::Unit("rabbitmq-server.service".to_owned());
        vec![Thing::Object(super::OBJECT.to_owned()), unit]
    }
}

/// `<<"…">>` in hexadecimal digits, which may be broken into several lines.
fn json(said: &str) -> Option<Value> {
    let text = said.split_once("<<\"")?.1.split_once(">>")?.0;
    let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
    serde_json::from_slice(&bytes(&digits)?).ok()
}

/// What hexadecimal digits stand for.
pub(super) fn bytes(digits: &str) -> Option<Vec<u8>> {
    let pairs = digits.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}

/// Why it does not answer, in a line.
fn trouble(said: &str) -> String {
    let first = said
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty() && !line.contains("getcwd"));
    let first = first.unwrap_or("it says nothing within a minute");
    known(said).map_or_else(|| first.to_owned(), str::to_owned)
}

/// Why `rabbitmqctl` cannot, if that is known, and what to do.
pub(crate) fn known(said: &str) -> Option<&'static str> {
    let says = |words: &[&str]| words.iter().any(|word| said.contains(word));
    if says(&[
        "nodedown",
        "unable to perform an operation on node",
        "unable to connect",
    ]) {
        return Some("its node does not run (start it: `systemctl start rabbitmq-server`)");
    }
    if says(&["Only root"]) {
        return Some("only `root` and `rabbitmq` may ask it: `become: true`");
    }
    says(&[
        "not_running",
        "is not running",
        "undef",
        "noproc",
        "no_exists",
    ])
    .then_some("the broker is still starting, or was stopped (`rabbitmqctl await_startup`)")
}
