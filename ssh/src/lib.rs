//! Hosts over SSH for `evenkeel-engine`: an [`SshConnection`] is a
//! [`Connection`](evenkeel_engine::Connection) on russh. Beside it: an [`OpensshConnection`] over the
//! system's `ssh`, and a [`WrappedConnection`] into containers and directories.
//!
//! Whoever embeds it says all there is to know in a [`Route`]: nothing here reads the environment
//! or looks for a home directory.

mod auth;
mod channel;
pub mod config;
mod connection;
mod gateways;
mod host_keys;
mod key_files;
pub mod known_hosts;
mod openssh;
mod pattern;
mod place;
mod program;
mod route;
mod session;
mod short_keys;
mod stream;
mod trouble;
mod wrapped;

pub use connection::SshConnection;
pub use gateways::Gateways;
pub use host_keys::{HostKeys, Strictness};
pub use key_files::{Ask, KeyFiles, NoTerminal};
pub use openssh::{OpensshConnection, OpensshOptions};
pub use place::Place;
pub use route::{Endpoint, Family, Identity, Methods, Patience, Route};
pub use wrapped::WrappedConnection;
