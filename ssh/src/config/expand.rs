//! What stands for something else in a value: `~`, `${VARIABLE}` and `%` with a letter.

use sha1::{Digest as _, Sha1};

use super::Machine;

/// What the letters stand for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tokens<'a> {
    pub(super) machine: &'a Machine,
    pub(super) host: &'a str,
    pub(super) original: &'a str,
    pub(super) port: u16,
    pub(super) user: &'a str,
    pub(super) alias: Option<&'a str>,
    pub(super) jump: &'a str,
}

/// The letters that a path may use.
const IN_PATHS: &str = "CdhijkLlnpru";

impl Tokens<'_> {
    /// Puts in what letters stand for; only those of `allowed`, and `%%`, have a meaning.
    pub(super) fn expand(&self, text: &str, allowed: &str) -> Result<String, String> {
        self.run(text, allowed, None)
    }

    /// The same for a path: with the home directory and variables, and all letters.
    pub(super) fn path(&self, text: &str) -> Result<String, String> {
        let text = home(text, self.machine);
        self.run(&text, IN_PATHS, Some(self.machine))
    }

    /// Once over the text: what was put in is not looked at again.
    fn run(
        &self,
        text: &str,
        allowed: &str,
        variables: Option<&Machine>,
    ) -> Result<String, String> {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find(['%', '$']) {
            out.push_str(&rest[..at]);
            let found = &rest[at..];
            if let (Some(machine), true) = (variables, found.starts_with("${")) {
                rest = variable(found, machine, &mut out)?;
                continue;
            }
            let mut after = found.chars();
            if after.next() == Some('$') {
                out.push('$');
                rest = after.as_str();
                continue;
            }
            let token = after.next();
            match token {
                Some('%') => out.push('%'),
                Some(token) if allowed.contains(token) => self.put(token, &mut out),
                _ => {
                    let token: String = token.into_iter().collect();
                    return Err(format!(
                        "`%{token}` in `{text}` has no meaning here; a percent sign is written `%%`"
                    ));
                }
            }
            rest = after.as_str();
        }
        out.push_str(rest);
        Ok(out)
    }

    fn put(&self, token: char, out: &mut String) {
        let (port, uid) = (self.port.to_string(), self.machine.uid.to_string());
        let hash = (token == 'C').then(|| self.connection_hash(&port));
        out.push_str(match token {
            'C' => hash.as_deref().unwrap_or_default(),
            'd' => &self.machine.home,
            'h' => self.host,
            'i' => &uid,
            'j' => self.jump,
            'k' => self.alias.unwrap_or(self.original),
            'L' => &self.machine.host,
            'l' => &self.machine.full_host,
            'n' => self.original,
            'p' => &port,
            'r' => self.user,
            _ => &self.machine.user,
        });
    }

    fn connection_hash(&self, port: &str) -> String {
        let mut hash = Sha1::new();
        for part in [
            &self.machine.full_host,
            self.host,
            port,
            self.user,
            self.jump,
        ] {
            hash.update(part.as_bytes());
        }
        data_encoding::HEXLOWER.encode(&hash.finalize())
    }
}

/// Puts in variables of the environment.
pub(super) fn variables(text: &str, machine: &Machine) -> Result<String, String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        out.push_str(&rest[..at]);
        rest = variable(&rest[at..], machine, &mut out)?;
    }
    out.push_str(rest);
    Ok(out)
}

/// Puts in the variable that `text` starts with, and gives what follows it.
fn variable<'a>(text: &'a str, machine: &Machine, out: &mut String) -> Result<&'a str, String> {
    let inner = text.strip_prefix("${").unwrap_or(text);
    let Some((name, after)) = inner.split_once('}') else {
        return Err(format!("`{text}` is not closed"));
    };
    let value = machine.env.get(name);
    out.push_str(value.ok_or_else(|| format!("the variable `{name}` is not set"))?);
    Ok(after)
}

/// Puts in the home directory. Those of others are not known here.
pub(super) fn home(text: &str, machine: &Machine) -> String {
    let own = format!("~{}", machine.user);
    for tilde in ["~", own.as_str()] {
        match text.strip_prefix(tilde) {
            Some("") => return machine.home.clone(),
            Some(rest) if rest.starts_with('/') => return format!("{}{rest}", machine.home),
            _ => {}
        }
    }
    text.to_owned()
}
