//! The SSH key of a user.

use evenkeel_engine::{
    Cause, Change, Effect, Late, NotYet, Run, Step, Stop,
    probes::{Contents, FileStat, Kind, Stat},
    sha256,
};

use super::{Args, Output};
use crate::{accounts::Entry, look::Look, paths};

/// Made by the user itself, so that no link that it planted leads anywhere it could not write; first
/// beside its place, so that half a key is never taken for one. The passphrase comes by the
/// environment, and goes to `ssh-keygen` through a program that prints it.
const MAKE: &str = r#"
set -e
if [ "$EK_AS" != 1 ] && [ "$(id -un)" != "$1" ]; then
  export EK_AS=1
  if command -v setpriv >/dev/null 2>&1; then
    exec setpriv --reuid "$1" --regid "$(id -g -- "$1")" --init-groups -- "$SHELL_OF_US" -c "$EK_MAKE" sh "$@"
  elif command -v runuser >/dev/null 2>&1; then
    exec runuser -u "$1" -- "$SHELL_OF_US" -c "$EK_MAKE" sh "$@"
  fi
  echo "neither \`setpriv\` nor \`runuser\` is there to act as $1" >&2
  exit 1
fi
umask 077
cd /
ek_dir=${2%/*}
[ -d "$ek_dir" ] || mkdir -p -m 700 -- "$ek_dir"
ek_new=$(mktemp -d -- "$ek_dir/.evenkeel.XXXXXXXX")
trap 'rm -rf -- "$ek_new"' EXIT
ek_type=$3 ek_bits=$4 ek_comment=$5 ek_file=$2
[ -n "$ek_comment" ] || ek_comment="ansible-generated on $(uname -n)"
set -- -q -t "$ek_type" -C "$ek_comment" -f "$ek_new/key"
[ -z "$ek_bits" ] || set -- "$@" -b "$ek_bits"
if [ -n "$EK_PASSPHRASE" ]; then
  printf '#!/bin/sh\nprintf "%%s\\n" "$EK_PASSPHRASE"\n' >"$ek_new/ask"
  chmod 700 "$ek_new/ask"
  DISPLAY=none:0 SSH_ASKPASS=$ek_new/ask SSH_ASKPASS_REQUIRE=force ssh-keygen "$@" </dev/null
else
  ssh-keygen -N '' "$@" </dev/null
fi
chmod 644 "$ek_new/key.pub"
mv -f -- "$ek_new/key.pub" "$ek_file.pub"
mv -f -- "$ek_new/key" "$ek_file"
"#;

impl Args {
    fn key_type(&self) -> &str {
        self.ssh_key_type.as_deref().unwrap_or("rsa")
    }

    fn key_file(&self, home: &str) -> String {
        match self.ssh_key_file.as_deref() {
            Some(file) if paths::is_absolute(file) => paths::clean(file),
            Some(file) => paths::clean(&paths::join(home, file.trim_start_matches("~/"))),
            None => paths::clean(&paths::join(home, &format!(".ssh/id_{}", self.key_type()))),
        }
    }
}

/// What has to be known of the key.
pub(super) fn ask(args: &Args, look: &Look<'_>, home: &str) {
    if args.generate_ssh_key {
        let file = args.key_file(home);
        look.ask(&Stat(file.clone()));
        look.ask(&Stat(format!("{file}.pub")));
        look.ask(&Contents(format!("{file}.pub")));
    }
}

/// Makes the key that is not there.
pub(super) fn plan(
    args: &Args,
    look: &Look<'_>,
    entry: &Entry,
    group: &str,
) -> Result<Option<Change>, Stop> {
    if !args.generate_ssh_key {
        return Ok(None);
    }
    let file = args.key_file(&entry.home);
    let public = format!("{file}.pub");
    ask(args, look, &entry.home);
    // Of a home that is only foretold, nothing below is known, and there is no key.
    let known = look.get(&Stat(file.clone()));
    let there = match (known, look.get(&args.login())?) {
        (Ok(stat), _) => stat.is_some(),
        (Err(_), None) => false,
        (Err(why), Some(_)) => return Err(why.into()),
    };
    if there && !args.force {
        return Ok(None);
    }
    let bits = args
        .ssh_key_bits
        .map(|bits| bits.to_string())
        .unwrap_or_default();
    let comment = args.ssh_key_comment.clone().unwrap_or_default();
    let argv = [
        "sh",
        "-c",
        MAKE,
        "sh",
        &args.name,
        &file,
        args.key_type(),
        &bits,
        &comment,
    ];
    let mut run = Run::new(argv);
    run.env.push(("EK_MAKE".to_owned(), MAKE.into()));
    run.env.push(("SHELL_OF_US".to_owned(), "sh".into()));
    run.env.push(("EK_AS".to_owned(), "".into()));
    let passphrase = match &args.ssh_key_passphrase {
        Some(text) => text.get()?.clone(),
        None => "".into(),
    };
    run.env.push(("EK_PASSPHRASE".to_owned(), passphrase));
    let stat = |mode| FileStat {
        kind: Kind::File,
        mode,
        uid: entry.uid,
        gid: entry.gid,
        owner: args.name.clone(),
        group: group.to_owned(),
    };
    let step = Step::from(run)
        .effect(Effect::new(Stat(file.clone()), Some(stat(0o600))))
        .effect(Effect::new(Stat(public.clone()), Some(stat(0o644))))
        .effect(Effect::unknown(Contents(public), "the key that is made"));
    let cause = if there { Cause::Act } else { Cause::Differs };
    Ok(Some(
        Change::new("ssh_key", None::<String>, file)
            .step(step)
            .because(cause),
    ))
}

/// What the result says of the key. A link in the place of the public key is not followed.
pub(super) fn show(args: &Args, entry: &Entry, look: &Look<'_>, output: &mut Output) {
    let file = args.key_file(&entry.home);
    let public = format!("{file}.pub");
    let text = |look: &Look<'_>| -> Result<String, NotYet> {
        let stat = look.get(&Stat(public.clone()))?;
        if !stat.as_ref().is_some_and(|stat| stat.kind == Kind::File) {
            return Ok(String::new());
        }
        let bytes = look.get(&Contents(public.clone()))?;
        Ok(
            String::from_utf8_lossy(bytes.as_deref().unwrap_or_default())
                .trim()
                .to_owned(),
        )
    };
    let late = |text: Result<String, NotYet>| text.map_or_else(Late::NotYet, Late::Known);
    let text = text(look);
    output.ssh_fingerprint = Some(late(
        text.clone()
            .map(|text| fingerprint(&text).unwrap_or_default()),
    ));
    output.ssh_public_key = Some(late(text));
    output.ssh_key_file = Some(file);
}

/// As `ssh-keygen -l` shows it: bits, digest, comment, type.
fn fingerprint(line: &str) -> Option<String> {
    let mut words = line.splitn(3, ' ');
    let (name, blob) = (words.next()?, decode(words.next()?)?);
    let comment = words
        .next()
        .filter(|text| !text.is_empty())
        .unwrap_or("no comment");
    let (bits, kind) = match name {
        "ssh-rsa" => (rsa_bits(&blob)?, "RSA"),
        "ssh-ed25519" => (256, "ED25519"),
        "ssh-dss" => (1024, "DSA"),
        name => (
            name.strip_prefix("ecdsa-sha2-nistp")?.parse().ok()?,
            "ECDSA",
        ),
    };
    Some(format!(
        "{bits} SHA256:{} {comment} ({kind})",
        encode(&sha256(&blob))
    ))
}

/// The third field of the blob is the modulus.
fn rsa_bits(blob: &[u8]) -> Option<usize> {
    let mut rest = blob;
    let mut field = || {
        let (length, after) = rest.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (field, after) = after.split_at_checked(length)?;
        rest = after;
        Some(field)
    };
    let (_, _, modulus) = (field()?, field()?, field()?);
    let zeros = modulus.iter().take_while(|byte| **byte == 0).count();
    let first = modulus.get(zeros)?;
    Some((modulus.len() - zeros) * 8 - usize::try_from(first.leading_zeros()).ok()?)
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Base64 to bytes.
fn decode(text: &str) -> Option<Vec<u8>> {
    let (mut bits, mut held, mut all) = (0_u32, 0, Vec::new());
    for byte in text.trim_end_matches('=').bytes() {
        let value = ALPHABET.iter().position(|known| *known == byte)?;
        bits = (bits << 6) | u32::try_from(value).ok()?;
        held += 6;
        if held >= 8 {
            held -= 8;
            all.push(u8::try_from((bits >> held) & 0xff).ok()?);
        }
    }
    Some(all)
}

/// Bytes to Base64 without padding.
fn encode(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let word = [
            chunk[0],
            chunk.get(1).copied().unwrap_or(0),
            chunk.get(2).copied().unwrap_or(0),
        ];
        let word = u32::from_be_bytes([0, word[0], word[1], word[2]]);
        for at in 0..=chunk.len() {
            let index = usize::try_from((word >> (18 - 6 * at)) & 63).unwrap_or(0);
            text.push(char::from(ALPHABET[index]));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use evenkeel_engine::hex;

    use super::*;

    #[test]
    fn base64_and_back() {
        for bytes in [&b""[..], b"a", b"ab", b"abc", b"\xff\x00\x10\x80"] {
            assert_eq!(decode(&encode(bytes)).unwrap(), bytes);
        }
        assert_eq!(encode(b"abcd"), "YWJjZA");
        assert_eq!(hex(&decode("AAAA").unwrap()), "000000");
        assert_eq!(decode("a b"), None);
    }

    /// Against the real program.
    #[test]
    fn fingerprints_are_those_of_ssh_keygen() {
        let dir = tempfile::tempdir().expect("a directory");
        for (kind, bits) in [("rsa", "2048"), ("ed25519", "256"), ("ecdsa", "384")] {
            let file = dir.path().join(kind);
            let argv = ["-q", "-t", kind, "-b", bits, "-N", "", "-C", "a b", "-f"];
            let made = std::process::Command::new("ssh-keygen")
                .args(argv)
                .arg(&file)
                .status();
            if !made.is_ok_and(|status| status.success()) {
                return;
            }
            let shown = std::process::Command::new("ssh-keygen")
                .arg("-lf")
                .arg(&file)
                .output();
            let line = std::fs::read_to_string(file.with_extension("pub")).expect("a key");
            let shown = String::from_utf8(shown.expect("it ran").stdout).expect("text");
            assert_eq!(fingerprint(line.trim()).unwrap(), shown.trim());
        }
    }
}
