//! `hostvars` and `vars`: variables by names that are made at run.

use std::{fmt, sync::Arc};

use super::Scope;
use crate::template::{Entries, Fault, Variable, Variables as _};

/// Variables of all hosts, as the tasks of one see them.
pub(super) struct HostVars(pub Scope);

impl fmt::Debug for HostVars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("hostvars")
    }
}

impl Entries for HostVars {
    fn get(&self, host: &str) -> Result<Option<Variable>, Fault> {
        let known = self.0.0.world.hosts.contains_key(host);
        Ok(known.then(|| Variable::Lazy(Arc::new(Own(self.0.of_host(host))))))
    }

    fn keys(&self) -> Vec<String> {
        self.0.0.world.hosts.keys().cloned().collect()
    }
}

/// Variables of one host.
pub(super) struct Own(pub Scope);

impl fmt::Debug for Own {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "variables of {}", self.0.host())
    }
}

impl Entries for Own {
    fn get(&self, name: &str) -> Result<Option<Variable>, Fault> {
        self.0.get(name)
    }

    /// Those that can be rendered: who walks over all of them asks for no one in particular.
    fn keys(&self) -> Vec<String> {
        let itself = ["hostvars", "vars"];
        let there = |name: &String| {
            !itself.contains(&name.as_str()) && matches!(self.0.get(name), Ok(Some(_)))
        };
        self.0.names().into_iter().filter(there).collect()
    }
}
