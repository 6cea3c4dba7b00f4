//! How a server is reached, and as whom: the same arguments in all modules of PostgreSQL.

use evenkeel_engine::{Refusal, Secret, Text, Thing};

/// A login to one database of a server.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Login {
    /// Name, address, or directory of the socket; the usual socket if empty.
    pub host: String,
    /// Its port, if not the usual.
    pub port: Option<u16>,
    /// The role that logs in.
    pub user: String,
    /// Its password, where it needs one.
    pub password: Option<Secret>,
    /// The database.
    pub database: String,
    /// The role that it then takes.
    pub role: Option<String>,
    /// `PGSSL…`, each with its value.
    pub tls: Vec<(&'static str, String)>,
}

/// Releases whose packages name their unit after them.
pub(crate) const RELEASES: std::ops::RangeInclusive<u8> = 10..=18;

impl Login {
    /// What `psql` is told by its environment; so no name can be an option or an address.
    pub(crate) fn env(&self) -> Vec<(String, Text)> {
        let mut env = vec![
            ("PGHOST".to_owned(), Text::from(self.host.as_str())),
            (
                "PGPORT".to_owned(),
                self.port
                    .map(|port| port.to_string())
                    .unwrap_or_default()
                    .into(),
            ),
            ("PGUSER".to_owned(), self.user.as_str().into()),
            ("PGDATABASE".to_owned(), self.database.as_str().into()),
        ];
        let password = self
            .password
            .clone()
            .map_or_else(|| "".into(), Text::Secret);
        env.push(("PGPASSWORD".to_owned(), password));
        env.extend(
            self.tls
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.as_str().into())),
        );
        env
    }

    /// What names the server in messages, and in what tasks touch.
    pub(crate) fn server(&self) -> String {
        let port = self.port.map(|port| format!(":{port}")).unwrap_or_default();
        if self.host.is_empty() {
            format!("PostgreSQL{port}")
        } else {
            format!("PostgreSQL at {}{port}", self.host)
        }
    }

    /// Something of the server.
    pub(crate) fn object(&self, what: &str, name: &str) -> Thing {
        Thing::Object(format!("{}: {what} {name}", self.server()))
    }

    /// What keeps tasks on one server in their order: each writes it, no question reads it.
    pub(crate) fn order(&self) -> Thing {
        Thing::Object(self.server())
    }

    /// The units that may be the server: a start or a stop makes all answers stale.
    pub(crate) fn units() -> Vec<Thing> {
        let of = |release| Thing::Unit(format!("postgresql-{release}.service"));
        let mut units = vec![Thing::Unit("postgresql.service".to_owned())];
        units.extend(RELEASES.map(of));
        units
    }

    /// Refuses what can be no login.
    pub(crate) fn check(&self) -> Result<(), Refusal> {
        let texts = [
            ("login_host", &self.host),
            ("login_user", &self.user),
            ("login_db", &self.database),
        ];
        for (what, text) in texts {
            if text.contains('\0') {
                return Err(Refusal::new(format!("`{what}` contains a NUL")));
            }
        }
        super::quote::check_name("login_user", &self.user)?;
        super::quote::check_name("login_db", &self.database)?;
        self.role.as_ref().map_or(Ok(()), |role| {
            super::quote::check_name("session_role", role)
        })
    }
}

/// Where the server is: the socket counts where the name says no more than that it is here.
pub(crate) fn server(host: Option<&str>, socket: Option<&str>) -> String {
    let here = matches!(host, None | Some("" | "localhost"));
    let socket = socket.filter(|socket| here && !socket.is_empty());
    socket.or(host).unwrap_or_default().to_owned()
}

/// The arguments of a module, with those of its login behind them.
macro_rules! with_login {
    ($(#[$about:meta])* pub struct Args { $($own:tt)* }) => {
        $(#[$about])*
        #[derive(Clone, Debug, Default, ::serde::Deserialize, ::serde::Serialize, ::schemars::JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub struct Args {
            $($own)*
            /// The server's name or address, or the directory of its socket; the usual socket of
            /// the host if unset. As root, one acts as `login_user` then.
            #[serde(default, alias = "host", skip_serializing_if = "Option::is_none")]
            pub login_host: Option<String>,
            /// The directory of the server's socket, where `login_host` is unset or `localhost`.
            #[serde(default, alias = "unix_socket", skip_serializing_if = "Option::is_none")]
            pub login_unix_socket: Option<String>,
            /// The server's port.
            #[serde(default, alias = "port", skip_serializing_if = "Option::is_none")]
            pub login_port: Option<u16>,
            /// The role that logs in; `postgres` if unset.
            #[serde(default, alias = "login", skip_serializing_if = "Option::is_none")]
            pub login_user: Option<String>,
            /// Its password, if the server asks for one.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub login_password: Option<::evenkeel_engine::Text>,
            /// The database to log in to; `postgres` if unset.
            #[serde(
                default,
                alias = "db",
                alias = "database",
                alias = "maintenance_db",
                skip_serializing_if = "Option::is_none"
            )]
            pub login_db: Option<String>,
            /// The role that it takes after the login.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub session_role: Option<String>,
            /// How the connection is protected: `disable`, `allow`, `prefer`, `require`, `verify-ca`,
            /// `verify-full`.
            #[serde(default, alias = "sslmode", skip_serializing_if = "Option::is_none")]
            pub ssl_mode: Option<String>,
            /// A file of the host with the certificates that are trusted.
            #[serde(default, alias = "ssl_rootcert", skip_serializing_if = "Option::is_none")]
            pub ca_cert: Option<String>,
            /// A file of the host with the certificate to log in with.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub ssl_cert: Option<String>,
            /// A file of the host with its key.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub ssl_key: Option<String>,
            /// Refuses names that hold quotes, `;`, `--` and the like, if it is off.
            #[serde(default = "crate::many::yes", skip_serializing_if = "crate::many::is_yes")]
            pub trust_input: bool,
        }

        impl Args {
            /// Where it logs in.
            fn login(&self) -> crate::psql::Login {
                let or = |text: &Option<String>, other: &str| {
                    text.clone().unwrap_or_else(|| other.to_owned())
                };
                let tls = [
                    ("PGSSLMODE", &self.ssl_mode),
                    ("PGSSLROOTCERT", &self.ca_cert),
                    ("PGSSLCERT", &self.ssl_cert),
                    ("PGSSLKEY", &self.ssl_key),
                ];
                crate::psql::Login {
                    host: crate::psql::login::server(
                        self.login_host.as_deref(),
                        self.login_unix_socket.as_deref(),
                    ),
                    port: self.login_port,
                    user: or(&self.login_user, "postgres"),
                    password: self
                        .login_password
                        .as_ref()
                        .filter(|password| !password.bytes().is_empty())
                        .map(|password| ::evenkeel_engine::Secret::new(password.bytes())),
                    database: or(&self.login_db, "postgres"),
                    role: self.session_role.clone(),
                    tls: tls
                        .into_iter()
                        .filter_map(|(name, value)| Some((name, value.clone()?)))
                        .collect(),
                }
            }
        }
    };
}
pub(crate) use with_login;

#[cfg(test)]
mod tests {
    use super::server;

    #[test]
    fn the_socket_counts_on_this_host() {
        for (host, socket, at) in [
            (None, None, ""),
            (Some("db"), None, "db"),
            (Some("localhost"), None, "localhost"),
            (None, Some("/run/pg"), "/run/pg"),
            (Some("localhost"), Some("/run/pg"), "/run/pg"),
            (Some(""), Some("/run/pg"), "/run/pg"),
            (Some("localhost"), Some(""), "localhost"),
            (Some("db"), Some("/run/pg"), "db"),
        ] {
            assert_eq!(server(host, socket), at, "{host:?} {socket:?}");
        }
    }
}
