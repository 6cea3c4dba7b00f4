//! Filters that hash.

use minijinja::{
    Environment, Error,
    value::{Kwargs, Rest, Value as Jinja},
};
use sha1::Sha1;
use sha2::{Digest as _, Sha224, Sha256, Sha384, Sha512};

use super::{given, refuse};
use crate::template::session;

pub(super) fn add(env: &mut Environment<'static>) {
    env.add_filter("hash", |text: String, kind: Option<String>| {
        hash(&text, kind.as_deref().unwrap_or("sha1"))
    });
    env.add_filter("sha256", |text: String| hash(&text, "sha256"));
    env.add_filter("sha1", |text: String| hash(&text, "sha1"));
    env.add_filter("md5", |text: String| hash(&text, "md5"));
    env.add_filter("checksum", |text: String| hash(&text, "sha1"));
    env.add_filter("to_uuid", to_uuid);
}

fn hash(text: &str, kind: &str) -> Result<String, Error> {
    session::derived();
    let bytes = text.as_bytes();
    match kind {
        "md5" => Ok(evenkeel_engine::hex(&md5::compute(bytes).0)),
        "sha1" => Ok(evenkeel_engine::hex(&Sha1::digest(bytes))),
        "sha224" => Ok(evenkeel_engine::hex(&Sha224::digest(bytes))),
        "sha256" => Ok(evenkeel_engine::hex(&Sha256::digest(bytes))),
        "sha384" => Ok(evenkeel_engine::hex(&Sha384::digest(bytes))),
        "sha512" => Ok(evenkeel_engine::hex(&Sha512::digest(bytes))),
        other => Err(refuse(format!(
            "`{other}` digests are not supported; there are `md5`, `sha1`, `sha224`, `sha256`, `sha384` and `sha512`"
        ))),
    }
}

/// The namespace of Ansible's names.
const NAMESPACE: [u8; 16] = 0x361E_6D51_FAEC_444A_9079_3413_86DA_8E2E_u128.to_be_bytes();

/// A UUID of a name in a namespace (version 5): the same in each run.
fn to_uuid(name: String, args: Rest<Jinja>, kwargs: Kwargs) -> Result<String, Error> {
    session::derived();
    let [namespace] = given("to_uuid", &args, &kwargs, ["namespace"])?;
    let namespace = match namespace {
        None => NAMESPACE,
        Some(text) => {
            let text = text.to_string();
            uuid(&text).ok_or_else(|| {
                refuse(format!(
                    "`to_uuid`: the namespace `{text}` is not a UUID, which has 32 hexadecimal digits"
                ))
            })?
        }
    };
    let digest = Sha1::new()
        .chain_update(namespace)
        .chain_update(name)
        .finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    bytes[6] = bytes[6] & 0x0f | 0x50;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = evenkeel_engine::hex(&bytes);
    let parts = [
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ];
    Ok(parts.join("-"))
}

/// The bytes of a UUID, however it is written.
fn uuid(text: &str) -> Option<[u8; 16]> {
    let text = text.replace("urn:", "").replace("uuid:", "");
    let digits = text.trim_matches(['{', '}']).replace('-', "");
    let plain = digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let number = u128::from_str_radix(&digits, 16).ok()?;
    plain.then(|| number.to_be_bytes())
}
