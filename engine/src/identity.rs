//! As whom things are done on a host.

use crate::secret::Secret;

/// As whom a task looks and acts. The default: as the user who is logged in.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Identity {
    /// The user to become; `None`: the login user.
    pub user: Option<String>,
    /// How.
    pub method: Method,
    /// The password that the method asks for.
    pub secret: Option<Secret>,
    /// Arguments for the method's program, before ours.
    pub flags: Vec<String>,
}

/// How to become another user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    /// `sudo`.
    #[default]
    Sudo,
    /// `su`.
    Su,
    /// `doas`.
    Doas,
}

impl Identity {
    /// The login user.
    pub fn login() -> Self {
        Self::default()
    }

    /// Another user, by sudo without a password.
    pub fn user(name: impl Into<String>) -> Self {
        Self {
            user: Some(name.into()),
            ..Self::default()
        }
    }

    /// Whether it becomes root.
    pub fn is_root(&self) -> bool {
        self.user.as_deref() == Some("root")
    }
}
