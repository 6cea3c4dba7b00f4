//! Filters that hash.

use minijinja::{Environment, Error, value::Kwargs};
use sha1::Sha1;
use sha2::{Digest as _, Sha224, Sha256, Sha384, Sha512};

use super::refuse;
use crate::template::session;

pub(super) fn add(env: &mut Environment<'static>) {
    env.add_filter("hash", |text: String, kind: Option<String>| {
        hash(&text, kind.as_deref().unwrap_or("sha1"))
    });
    env.add_filter("sha256", |text: String| hash(&text, "sha256"));
    env.add_filter("sha1", |text: String| hash(&text, "sha1"));
    env.add_filter("md5", |text: String| hash(&text, "md5"));
    env.add_filter("checksum", |text: String| hash(&text, "sha1"));
    env.add_filter("password_hash", password_hash);
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

/// The salt must be given: one made up would differ in each run, and with it the file.
fn password_hash(
    password: String,
    kind: Option<String>,
    salt: Option<String>,
    kwargs: Kwargs,
) -> Result<String, Error> {
    session::derived();
    let kind = kind.unwrap_or_else(|| "sha512".to_owned());
    let salt = salt.map_or_else(
        || kwargs.get::<Option<String>>("salt"),
        |salt| Ok(Some(salt)),
    )?;
    let rounds = kwargs.get::<Option<u32>>("rounds")?;
    kwargs.assert_all_used()?;
    if kind != "sha512" {
        return Err(refuse(format!(
            "`password_hash` knows `sha512` only, not `{kind}`"
        )));
    }
    let Some(salt) = salt else {
        return Err(refuse(
            "`password_hash` without a salt gives another text in each run; give it one: `password_hash('sha512', salt)`",
        ));
    };
    Ok(super::super::crypt::sha512(&password, &salt, rounds))
}
