//! What a role may.

use evenkeel_engine::Refusal;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use crate::{many::comma_list, psql::Role};

/// One of the attributes of a role, or its opposite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Flag {
    Superuser,
    NoSuperuser,
    CreateRole,
    NoCreateRole,
    CreateUser,
    NoCreateUser,
    CreateDb,
    NoCreateDb,
    Inherit,
    NoInherit,
    Login,
    NoLogin,
    Replication,
    NoReplication,
    BypassRls,
    NoBypassRls,
}

const ALL: [(&str, Flag); 16] = [
    ("SUPERUSER", Flag::Superuser),
    ("NOSUPERUSER", Flag::NoSuperuser),
    ("CREATEROLE", Flag::CreateRole),
    ("NOCREATEROLE", Flag::NoCreateRole),
    ("CREATEUSER", Flag::CreateUser),
    ("NOCREATEUSER", Flag::NoCreateUser),
    ("CREATEDB", Flag::CreateDb),
    ("NOCREATEDB", Flag::NoCreateDb),
    ("INHERIT", Flag::Inherit),
    ("NOINHERIT", Flag::NoInherit),
    ("LOGIN", Flag::Login),
    ("NOLOGIN", Flag::NoLogin),
    ("REPLICATION", Flag::Replication),
    ("NOREPLICATION", Flag::NoReplication),
    ("BYPASSRLS", Flag::BypassRls),
    ("NOBYPASSRLS", Flag::NoBypassRls),
];

/// A text with commas, or a list, in any case.
pub(super) fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Flag>, D::Error> {
    let one = |word: String| {
        let upper = word.to_uppercase();
        let known = ALL.iter().find(|(name, _)| *name == upper);
        known.map(|(_, flag)| *flag).ok_or_else(|| {
            let names: Vec<&str> = ALL.iter().map(|(name, _)| *name).collect();
            D::Error::custom(format!(
                "Invalid role_attr_flags specified: {word}; there are {}",
                names.join(", ")
            ))
        })
    };
    comma_list(deserializer)?.into_iter().map(one).collect()
}

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        let known = ALL.iter().find(|(name, _)| *name == word);
        known
            .map(|(_, flag)| *flag)
            .ok_or_else(|| D::Error::custom(format!("`{word}` is no flag")))
    }
}

impl Flag {
    /// The word of SQL.
    pub(super) fn word(self) -> &'static str {
        match self {
            // The old name of the same.
            Self::CreateUser => "CREATEROLE",
            Self::NoCreateUser => "NOCREATEROLE",
            flag => ALL
                .iter()
                .find(|(_, known)| *known == flag)
                .map_or("", |(name, _)| name),
        }
    }

    /// Whether it gives, or takes away.
    fn gives(self) -> bool {
        !self.word().starts_with("NO")
    }

    /// What it is about.
    pub(super) fn about(self) -> String {
        let word = self.word();
        word.strip_prefix("NO").unwrap_or(word).to_lowercase()
    }

    fn field(self, role: &mut Role) -> &mut bool {
        match self {
            Self::Superuser | Self::NoSuperuser => &mut role.superuser,
            Self::CreateRole | Self::NoCreateRole | Self::CreateUser | Self::NoCreateUser => {
                &mut role.createrole
            }
            Self::CreateDb | Self::NoCreateDb => &mut role.createdb,
            Self::Inherit | Self::NoInherit => &mut role.inherit,
            Self::Login | Self::NoLogin => &mut role.login,
            Self::Replication | Self::NoReplication => &mut role.replication,
            Self::BypassRls | Self::NoBypassRls => &mut role.bypassrls,
        }
    }

    /// Sets it; whether that is a change.
    pub(super) fn set(self, role: &mut Role) -> bool {
        let field = self.field(role);
        let differs = *field != self.gives();
        *field = self.gives();
        differs
    }
}

/// Refuses what contradicts itself.
pub(super) fn check(flags: &[Flag]) -> Result<(), Refusal> {
    for (at, flag) in flags.iter().enumerate() {
        let other = flags[..at]
            .iter()
            .find(|other| other.about() == flag.about());
        if let Some(other) = other {
            return Err(Refusal::new(format!(
                "`role_attr_flags` names both `{}` and `{}`",
                other.word(),
                flag.word()
            )));
        }
    }
    Ok(())
}
