//! Fingerprints of tasks: one digest to compare, one for each field to name what changed.
//!
//! The encoding is injective: every value has a tag of its type, every length is written before
//! what it counts. Canonical JSON would fold different numbers together.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{
    reason::Reason,
    source::{Sha, hex},
    value::Value,
};

/// Grows when the encoding changes: then every fingerprint is another.
const GENERATION: u8 = 1;

/// The digest of a task in its resolved form, with a digest for each field.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// The first 16 bytes of SHA-256 over all fields, hexadecimal.
    pub total: String,
    /// The same of each field. Fields that come from a local file are called `file:NAME`.
    pub fields: BTreeMap<String, String>,
}

impl Fingerprint {
    /// The fingerprint of a module with its arguments and what else decides what it does. Nothing
    /// if an argument is not known yet. `key` is the random value of the host's ledger: digests of
    /// secrets are useless without it.
    pub fn of(module: &str, args: &Value, extras: &[(&str, Value)], key: &[u8]) -> Option<Self> {
        if args.first_not_yet().is_some() {
            return None;
        }
        let mut fields = BTreeMap::new();
        let own = match args {
            Value::Map(map) => map
                .iter()
                .map(|(name, value)| (name.as_str(), value))
                .collect(),
            other => vec![("", other)],
        };
        let extras = extras.iter().map(|(name, value)| (*name, value));
        for (name, value) in own.into_iter().chain(extras) {
            let mut name = match value {
                Value::Source(source) => format!("file:{}", source.name()),
                _ => name.to_owned(),
            };
            while fields.contains_key(&name) {
                name.push('+');
            }
            fields.insert(name, short(&digest(value, key)));
        }
        let mut all = Encoder {
            hasher: Sha256::new(),
            key,
        };
        all.hasher.update([GENERATION]);
        all.bytes(b'n', b"task-fingerprint");
        all.bytes(b'm', module.as_bytes());
        for (name, digest) in &fields {
            all.bytes(b'k', name.as_bytes());
            all.bytes(b'v', digest.as_bytes());
        }
        Some(Self {
            total: short(&all.hasher.finalize().into()),
            fields,
        })
    }

    /// What of this differs from an older one, as a reason.
    pub fn changed_since(&self, old: &Self) -> Option<Reason> {
        if self.total == old.total {
            return None;
        }
        let differs = |name: &&String| self.fields.get(*name) != old.fields.get(*name);
        // What is new or different comes before what is gone.
        let field = self
            .fields
            .keys()
            .find(differs)
            .or_else(|| old.fields.keys().find(differs));
        Some(match field {
            Some(field) => match field.strip_prefix("file:") {
                Some(path) => Reason::FileChanged {
                    path: path.to_owned(),
                },
                None => Reason::ArgumentChanged {
                    field: field.clone(),
                },
            },
            None => Reason::Differs,
        })
    }
}

fn short(sha: &Sha) -> String {
    hex(&sha[..16])
}

/// The digest of one value in the injective encoding.
pub fn digest(value: &Value, key: &[u8]) -> Sha {
    let mut encoder = Encoder {
        hasher: Sha256::new(),
        key,
    };
    encoder.value(value);
    encoder.hasher.finalize().into()
}

struct Encoder<'a> {
    hasher: Sha256,
    key: &'a [u8],
}

impl Encoder<'_> {
    fn bytes(&mut self, tag: u8, bytes: &[u8]) {
        self.hasher.update([tag]);
        self.hasher.update((bytes.len() as u64).to_be_bytes());
        self.hasher.update(bytes);
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.bytes(b'0', b""),
            Value::Bool(value) => self.bytes(b'b', &[u8::from(*value)]),
            Value::Int(value) => self.bytes(b'i', &value.to_be_bytes()),
            Value::UInt(value) => self.bytes(b'u', &value.to_be_bytes()),
            Value::Float(value) => self.bytes(b'f', &value.to_bits().to_be_bytes()),
            Value::Str(value) => self.bytes(b's', value.as_bytes()),
            Value::Secret(secret) => {
                let keyed = keyed(self.key, secret.reveal());
                self.bytes(b'x', &keyed);
            }
            Value::Source(source) => {
                let mut known = match source.as_secret() {
                    Some(secret) => keyed(self.key, secret.reveal()).to_vec(),
                    None => source.digest().to_vec(),
                };
                known.extend(source.mode().to_be_bytes());
                self.bytes(b'F', &known);
            }
            // Never compared: `Fingerprint::of` refuses it.
            Value::NotYet(what) => self.bytes(b'?', what.0.as_bytes()),
            Value::Seq(items) => {
                self.bytes(b'l', &(items.len() as u64).to_be_bytes());
                for item in items {
                    self.value(item);
                }
            }
            Value::Map(map) => {
                self.bytes(b'd', &(map.len() as u64).to_be_bytes());
                let sorted: BTreeMap<_, _> = map.iter().collect();
                for (key, value) in sorted {
                    self.bytes(b'k', key.as_bytes());
                    self.value(value);
                }
            }
        }
    }
}

/// HMAC-SHA-256 (RFC 2104); the key is hashed first, so that it always fits a block.
fn keyed(key: &[u8], message: &[u8]) -> Sha {
    let mut block = [0; 64];
    block[..32].copy_from_slice(&Sha256::digest(key));
    let pad = |with: u8| block.map(|byte| byte ^ with);
    let inner = Sha256::new()
        .chain_update(pad(0x36))
        .chain_update(message)
        .finalize();
    Sha256::new()
        .chain_update(pad(0x5c))
        .chain_update(inner)
        .finalize()
        .into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{secret::Secret, value::Map};

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            any::<i64>().prop_map(Value::Int),
            (0_i64..3).prop_map(Value::Int),
            (i64::MAX as u64 + 1..).prop_map(Value::UInt),
            (-2.0..2.0).prop_map(Value::Float),
            "[ab01]{0,3}".prop_map(Value::Str),
            "[ab]{0,2}".prop_map(|text| Value::Secret(Secret::new(text))),
        ];
        leaf.prop_recursive(3, 16, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Seq),
                prop::collection::btree_map("[ab]{0,2}", inner, 0..4)
                    .prop_map(|map| Value::Map(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn equal_digests_mean_equal_values(a in values(), b in values()) {
            prop_assert_eq!(digest(&a, b"k") == digest(&b, b"k"), a == b);
        }
    }

    #[test]
    fn look_alikes_differ() {
        let alike = [
            Value::Int(1),
            Value::Float(1.0),
            Value::Str("1".into()),
            Value::Bool(true),
            Value::Seq(vec![Value::Int(1)]),
            Value::Secret(Secret::new("1")),
            Value::Seq(vec![Value::Str("ab".into()), Value::Str("c".into())]),
            Value::Seq(vec![Value::Str("a".into()), Value::Str("bc".into())]),
        ];
        for (at, a) in alike.iter().enumerate() {
            for b in &alike[at + 1..] {
                assert_ne!(digest(a, b""), digest(b, b""), "{a:?} and {b:?}");
            }
        }
    }

    #[test]
    fn a_map_is_the_same_in_any_order() {
        let map = |keys: [&str; 2]| {
            Value::Map(
                keys.map(|key| (key.to_owned(), key.into()))
                    .into_iter()
                    .collect(),
            )
        };
        assert_eq!(digest(&map(["a", "b"]), b""), digest(&map(["b", "a"]), b""));
    }

    #[test]
    fn a_secret_counts_only_with_the_key_of_the_host() {
        let secret = Value::Secret(Secret::new("hunter2"));
        assert_ne!(digest(&secret, b"one host"), digest(&secret, b"another"));
    }

    #[test]
    fn what_changed_is_named() {
        let args = |mode: &str| {
            Value::Map(Map::from_iter([
                ("mode".to_owned(), mode.into()),
                ("path".to_owned(), "/x".into()),
            ]))
        };
        let old = Fingerprint::of("file", &args("0644"), &[], b"").unwrap();
        let new = Fingerprint::of("file", &args("0600"), &[], b"").unwrap();
        assert_eq!(
            new.changed_since(&old),
            Some(Reason::ArgumentChanged {
                field: "mode".into()
            })
        );
        assert_eq!(new.changed_since(&new), None);
        let elsewhere = Fingerprint::of("file", &args("0600"), &[("user", "app".into())], b"");
        let reason = elsewhere.unwrap().changed_since(&new);
        assert_eq!(
            reason,
            Some(Reason::ArgumentChanged {
                field: "user".into()
            })
        );
    }
}
