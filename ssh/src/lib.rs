//! Hosts over SSH for `evenkeel-engine`: an [`SshConnection`] is a
//! [`Connection`](evenkeel_engine::Connection) on russh.
//!
//! Whoever embeds it says all there is to know in a [`Route`]: nothing here reads the environment
//! or looks for a home directory.

mod auth;
mod channel;
mod connection;
mod host_keys;
mod key_files;
mod route;
mod session;
mod trouble;

pub use connection::SshConnection;
pub use host_keys::{HostKeys, KnownHostsFiles, Strictness, Verdict};
pub use key_files::{Ask, KeyFiles, NoTerminal};
pub use route::{Endpoint, Identity, Patience, Route};
