//! What a file of a host holds.

use evenkeel_engine::{
    Done, Module, Nature, NotYet, Plan, Probes, Refusal, Seen, Stop, Touches,
    probes::{Contents, Kind, Stat},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{attributes::kind_name, look::Look, paths};

/// The module `slurp`.
#[derive(Debug)]
pub struct Slurp;

/// Arguments of `slurp`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The file, of at most 1 MiB.
    #[serde(alias = "path")]
    pub src: String,
}

/// What `register` gives.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Output {
    /// The file.
    pub source: String,
    /// What it holds, in base64: `{{ … | b64decode }}`.
    pub content: String,
    /// Always `base64`.
    pub encoding: String,
}

impl Module for Slurp {
    const NAME: &'static str = "slurp";
    const ALIASES: &'static [&'static str] = &["ansible.builtin.slurp", "ansible.legacy.slurp"];
    const NATURE: Nature = Nature::Passive;
    const ABOUT: &'static str = "reads a file of a host";
    const EXAMPLE: &'static str = "\
- slurp:
    src: /etc/machine-id
  register: id
";
    const CHANGED_WHEN: &'static str = "Never.";
    const LIMITS: &'static str = "It is for small files: at most 1 MiB. Larger ones are not read.";
    type Args = Args;
    type Output = Output;

    fn check(args: &Args) -> Result<(), Refusal> {
        if args.src.is_empty() {
            return Err(Refusal::new("`src` is empty"));
        }
        Ok(())
    }

    fn observe(args: &Args, seen: &Seen) -> Probes {
        Look::observe(seen, |look| {
            drop(read(args, look));
            Ok(Plan::nothing())
        })
    }

    fn plan(args: &Args, seen: &Seen) -> Result<Plan, Stop> {
        read(args, &Look::new(seen))?;
        Ok(Plan::nothing())
    }

    fn output(args: &Args, after: &Seen, _: &[Done]) -> Result<Output, Stop> {
        let (source, bytes) = read(args, &Look::new(after))?;
        Ok(Output {
            source,
            content: base64(&bytes),
            encoding: "base64".to_owned(),
        })
    }

    fn touches(_: &Args) -> Touches {
        Touches::nothing()
    }

    fn subject(args: &Args) -> String {
        args.src.clone()
    }
}

fn read(args: &Args, look: &Look<'_>) -> Result<(String, Vec<u8>), Stop> {
    let path = paths::absolute(&args.src, look)?;
    let (stat, contents) = (Stat(path.clone()), Contents(path.clone()));
    look.ask(&stat);
    look.ask(&contents);
    let bytes = look.get(&contents)?;
    match (bytes, look.get(&stat)?.as_ref().map(|stat| &stat.kind)) {
        (Some(bytes), _) => Ok((path, bytes.clone())),
        // A link may lead to what an earlier task makes.
        (None, None | Some(Kind::File | Kind::Link(_))) => {
            Err(NotYet(format!("the file `{path}`")).into())
        }
        (None, Some(kind)) => {
            let kind = kind_name(kind);
            Err(Stop::refused(format!("`{path}` is not a file: {kind}")))
        }
    }
}

const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn base64(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let group = (byte(0) << 16) | (byte(1) << 8) | byte(2);
        for at in 0..4 {
            if at > chunk.len() {
                text.push('=');
            } else {
                let letter = (group >> (18 - 6 * at)) & 63;
                text.push(char::from(LETTERS[letter as usize]));
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn letters() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
        ] {
            assert_eq!(super::base64(bytes.as_bytes()), text);
        }
    }
}
