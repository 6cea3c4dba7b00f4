//! The keys by which ssh knows hosts.

mod line;

use evenkeel_engine::{Done, Module, Plan, Probes, Refusal, Seen, Stop, Text, Touches};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    args::is_default,
    attributes::Wanted,
    look::Look,
    mode::Mode,
    rewrite::{Missing, Rewrite, Rewritten},
};
use line::Line;

/// The module `known_hosts`.
#[derive(Debug)]
pub struct KnownHosts;

/// Arguments of `known_hosts`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The host, as ssh calls it: `example.org`, `[example.org]:2222`.
    #[serde(alias = "host")]
    pub name: String,
    /// Its keys, a line each, as `ssh-keyscan` prints them: `example.org ssh-ed25519 AAAA…`. Without it, `state: absent`
    /// takes all of the host's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Text>,
    /// The file; `~/.ssh/known_hosts` if unset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Whether the name is written as a hash, so that nobody can read it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub hash_host: bool,
    /// Whether they are known.
    #[serde(default, skip_serializing_if = "is_default")]
    pub state: State,
}

/// Whether the keys are known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// They are; another key of the same type is replaced.
    #[default]
    Present,
    /// They are not.
    Absent,
}

impl Module for KnownHosts {
    const NAME: &'static str = "known_hosts";
    const ALIASES: &'static [&'static str] =
        &["ansible.builtin.known_hosts", "ansible.legacy.known_hosts"];
    const ABOUT: &'static str = "keeps the keys by which ssh knows hosts";
    const EXAMPLE: &'static str = "\
- known_hosts:
    path: /etc/ssh/ssh_known_hosts
    name: git.example.org
    key: git.example.org ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKLAmC2xGmWKr6OTZ4wPGJ0zqHd4hOMP9q0bXzGkQyVu
";
    const CHANGED_WHEN: &'static str = "\
        A key of the host is not in the file, another one of its type is, its name is hashed and should not be or \
        the other way round; or, with `state: absent`, it is there.";
    const LIMITS: &'static str = "\
        It asks no host for its key: who does that without looking trusts whoever answers. A line for several hosts \
        goes as a whole with `state: absent`.";
    type Args = Args;
    type Output = Rewritten;

    fn check(args: &Args) -> Result<(), Refusal> {
        let name = &args.name;
        if name.is_empty() || name.contains(',') || name.contains(char::is_whitespace) {
            return Err(Refusal::new(format!(
                "`{}` is not the name of one host",
                name.escape_debug()
            ))
            .help("each name is a task of its own: `loop`"));
        }
        if args.key.as_ref().is_some_and(Text::is_secret) {
            return Err(
                Refusal::new("`key` is a secret, and a host's public key is none").help(
                    "is it the private key? The public one is in the file that ends in `.pub`",
                ),
            );
        }
        let keys = args.keys()?;
        if args.state == State::Present && keys.is_empty() {
            return Err(Refusal::new("`key` is missing")
                .help("`ssh-keyscan HOST` prints it; compare it with what the host's owner says"));
        }
        Ok(())
    }

    fn observe(args: &Args, seen: &Seen) -> Probes {
        Look::observe(seen, |look| decide(args, look))
    }

    fn plan(args: &Args, seen: &Seen) -> Result<Plan, Stop> {
        decide(args, &Look::new(seen))
    }

    fn output(args: &Args, after: &Seen, done: &[Done]) -> Result<Rewritten, Stop> {
        args.rewrite(&Mode::bits(0o700)).output(after, done)
    }

    fn touches(args: &Args) -> Touches {
        args.rewrite(&Mode::bits(0o700)).touches()
    }

    fn subject(args: &Args) -> String {
        args.name.clone()
    }
}

impl Args {
    /// The keys that are given, each of this host.
    fn keys(&self) -> Result<Vec<Line>, Refusal> {
        let text = self.key.as_ref().map_or("", Text::shown);
        let mut keys = Vec::new();
        for text in text.lines().map(str::trim) {
            if text.is_empty() || text.starts_with('#') {
                continue;
            }
            let Some(line) = Line::parse(text) else {
                return Err(Refusal::new(format!("`{text}` is no line of known hosts"))
                    .help("it has the host's name, the type of the key and the key: `example.org ssh-ed25519 AAAA…`"));
            };
            if !line.is_of(&self.name) {
                let what = format!("`key` is of `{}`, not of `{}`", line.hosts, self.name);
                return Err(
                    Refusal::new(what).help("`name` has to be a name that the line begins with")
                );
            }
            keys.push(line);
        }
        Ok(keys)
    }

    fn rewrite<'a>(&'a self, mode: &'a Mode) -> Rewrite<'a> {
        Rewrite {
            missing: match self.state {
                State::Present => Missing::Create,
                State::Absent => Missing::Fine,
            },
            above: Wanted {
                mode: Some(mode),
                ..Wanted::default()
            },
            ..Rewrite::new(self.path.as_deref().unwrap_or("~/.ssh/known_hosts"))
        }
    }

    /// The new text.
    fn edit(&self, before: &str, keys: &[Line]) -> String {
        let mut after = String::new();
        // Which keys are written already.
        let mut done = vec![false; keys.len()];
        for text in before.split_inclusive('\n') {
            let known = Line::parse(text).filter(|line| line.is_of(&self.name));
            let Some(known) = known else {
                after.push_str(text);
                continue;
            };
            if self.state == State::Absent {
                let gone = keys.is_empty() || keys.iter().any(|key| key.is_key(&known));
                if !gone {
                    after.push_str(text);
                }
                continue;
            }
            let Some(at) = keys.iter().position(|key| key.is_type(&known)) else {
                after.push_str(text);
                continue;
            };
            let same = keys.iter().position(|key| key.is_key(&known));
            match same {
                _ if done[same.unwrap_or(at)] => {}
                Some(same) if known.is_hashed() == self.hash_host => {
                    after.push_str(text);
                    done[same] = true;
                }
                _ => {
                    let at = same.unwrap_or(at);
                    after.push_str(&self.line(&keys[at]));
                    done[at] = true;
                }
            }
        }
        if self.state == State::Present {
            for (key, _) in keys.iter().zip(&done).filter(|(_, done)| !**done) {
                if !after.is_empty() && !after.ends_with('\n') {
                    after.push('\n');
                }
                after.push_str(&self.line(key));
            }
        }
        after
    }

    fn line(&self, key: &Line) -> String {
        if self.hash_host && !key.is_hashed() {
            key.hashed(&self.name).text()
        } else {
            key.text()
        }
    }
}

fn decide(args: &Args, look: &Look<'_>) -> Result<Plan, Stop> {
    let keys = args.keys()?;
    let mode = Mode::bits(0o700);
    args.rewrite(&mode).plan(look, |before| {
        let text = std::str::from_utf8(before).map_err(|_| {
            Refusal::new("the file of known hosts is not text (UTF-8)")
                .help("look at it: ssh writes none such")
        })?;
        let after = args.edit(text, &keys);
        Ok((after != text).then(|| after.into_bytes()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "h ssh-rsa AAAA";

    fn edited(args: &Args, before: &str) -> String {
        args.edit(before, &args.keys().unwrap())
    }

    fn args(key: &str) -> Args {
        Args {
            name: "h".to_owned(),
            key: Some(key.into()),
            ..Args::default()
        }
    }

    #[test]
    fn a_key_of_its_type_is_replaced_and_others_stay() {
        let before = "# ours\nh ssh-rsa BBBB\nother ssh-rsa CCCC\nh ssh-ed25519 DDDD";
        let after = edited(&args(KEY), before);
        assert_eq!(after, before.replace("BBBB", "AAAA"));
        assert_eq!(edited(&args(KEY), &after), after);
        assert_eq!(edited(&args(KEY), "x y z"), "x y z\nh ssh-rsa AAAA\n");
    }

    #[test]
    fn several_keys_of_a_host_are_written_once() {
        let both = args("h ssh-rsa AAAA\n# from h\nh ssh-ed25519 BBBB c\n");
        let after = edited(&both, "");
        assert_eq!(after, "h ssh-rsa AAAA\nh ssh-ed25519 BBBB c\n");
        assert_eq!(edited(&both, &after), after);
        assert_eq!(
            edited(&args(KEY), &format!("{KEY}\n{KEY}\n")),
            format!("{KEY}\n")
        );
    }

    #[test]
    fn a_marked_key_is_another_one() {
        let revoked = args("@revoked h ssh-rsa AAAA");
        assert_eq!(
            edited(&revoked, "h ssh-rsa AAAA\n"),
            "h ssh-rsa AAAA\n@revoked h ssh-rsa AAAA\n"
        );
    }

    #[test]
    fn names_are_hashed_and_told_again() {
        let hashed = Args {
            hash_host: true,
            ..args(KEY)
        };
        let after = edited(&hashed, &format!("{KEY}\n"));
        assert!(
            after.starts_with("|1|") && after.ends_with(" ssh-rsa AAAA\n"),
            "{after}"
        );
        assert_eq!(edited(&hashed, &after), after);
        assert_eq!(edited(&args(KEY), &after), format!("{KEY}\n"));
        let gone = Args {
            state: State::Absent,
            key: None,
            ..args(KEY)
        };
        assert_eq!(
            edited(&gone, &format!("{after}other ssh-rsa X\n")),
            "other ssh-rsa X\n"
        );
    }
}
