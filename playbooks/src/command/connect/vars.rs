//! A host's variables, as the types that a connection wants.

use evenkeel_engine::{Secret, Value};

use crate::{diagnostic::Diagnostic, load::HostVars};

/// A host's variables, as what they must be.
pub(super) struct Vars<'a>(pub(super) &'a HostVars);

impl Vars<'_> {
    fn first(&self, names: &[&'static str]) -> Option<(&'static str, &Value)> {
        let mut names = names.iter();
        names.find_map(|name| Some((*name, self.0.vars.get(*name)?)))
    }

    fn wrong(&self, name: &str, want: &str) -> Diagnostic {
        Diagnostic::nowhere(
            "inventory",
            format!("`{name}` of `{}` is not {want}", self.0.name),
        )
        .help("correct it in the inventory, in `host_vars` or `group_vars`")
    }

    pub(super) fn text(&self, names: &[&'static str]) -> Result<Option<String>, Diagnostic> {
        match self.first(names) {
            None | Some((_, Value::Null)) => Ok(None),
            Some((_, Value::Str(text))) if text.is_empty() => Ok(None),
            Some((_, Value::Str(text))) => Ok(Some(text.clone())),
            Some((_, Value::Int(number))) => Ok(Some(number.to_string())),
            // A file of `host_vars` that is encrypted as a whole also says where its host is.
            Some((_, Value::Secret(secret))) => Ok(std::str::from_utf8(secret.reveal())
                .ok()
                .filter(|text| !text.is_empty())
                .map(str::to_owned)),
            Some((name, _)) => Err(self.wrong(name, "a text")),
        }
    }

    pub(super) fn secret(&self, names: &[&'static str]) -> Result<Option<Secret>, Diagnostic> {
        match self.first(names) {
            Some((_, Value::Secret(secret))) => Ok(Some(secret.clone())),
            _ => Ok(self.text(names)?.map(Secret::new)),
        }
    }

    pub(super) fn number(&self, names: &[&'static str]) -> Result<Option<u64>, Diagnostic> {
        let Some((name, _)) = self.first(names) else {
            return Ok(None);
        };
        let text = self.text(names)?;
        text.map(|text| {
            text.trim()
                .parse()
                .map_err(|_| self.wrong(name, "a number"))
        })
        .transpose()
    }

    pub(super) fn port(&self, names: &[&'static str]) -> Result<Option<u16>, Diagnostic> {
        let port = self.number(names)?.map(u16::try_from).transpose();
        port.map_err(|_| self.wrong(names[0], "a port: a number up to 65535"))
    }

    pub(super) fn flag(&self, names: &[&'static str]) -> Result<Option<bool>, Diagnostic> {
        match self.first(names) {
            None | Some((_, Value::Null)) => Ok(None),
            Some((_, Value::Bool(flag))) => Ok(Some(*flag)),
            Some((_, Value::Str(text)))
                if ["true", "yes", "on", "1"].contains(&text.to_lowercase().as_str()) =>
            {
                Ok(Some(true))
            }
            Some((_, Value::Str(text)))
                if ["false", "no", "off", "0"].contains(&text.to_lowercase().as_str()) =>
            {
                Ok(Some(false))
            }
            Some((name, _)) => Err(self.wrong(name, "a truth value")),
        }
    }
}
