//! Opens the way to a host.

use std::sync::Arc;

use evenkeel_engine::{LocalConnection, ScriptHost, Value, host::Host};

use crate::{diagnostic::Diagnostic, load::HostVars};

/// The way to a host of the inventory. This version knows the `local` connection.
pub(super) fn connect(host: &HostVars) -> Result<Arc<dyn Host>, Diagnostic> {
    let connection = match host.vars.get("ansible_connection") {
        Some(Value::Str(name)) => name.as_str(),
        // The host that is there without an inventory.
        _ if host.place.is_none() => "local",
        _ => "ssh",
    };
    match connection {
        "local" | "ansible.builtin.local" => Ok(local()),
        other => Err(Diagnostic::nowhere(
            "unsupported_connection",
            format!("`{}` would be reached over `{other}`", host.name),
        )
        .help(
            "this version reaches hosts over `local` only: set `ansible_connection: local`, or say \
             `--connection local`, if it is the machine evenkeel runs on",
        )),
    }
}

/// The machine we run on.
pub(super) fn local() -> Arc<dyn Host> {
    Arc::new(ScriptHost::new(LocalConnection::new()))
}
