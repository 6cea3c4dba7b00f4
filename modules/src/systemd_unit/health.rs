//! What shows that a unit does its work.

use evenkeel_engine::Refusal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::args::is_default;

/// What has to answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Health {
    /// An address that has to answer a GET, asked by the host itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Whether the certificate of an `https` address is looked at; yes if unset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validate_certs: Option<bool>,
    /// The statuses that `url` may answer with; all from 200 to 399 if unset.
    #[serde(default, skip_serializing_if = "is_default")]
    pub status: Vec<u16>,
    /// A TCP port that has to accept connections.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// Where the port is, as the host sees it; `127.0.0.1` if unset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// A line for `sh` that has to succeed. It must change nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// How many seconds it may take until it answers; 60 if unset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<u32>,
}

impl Health {
    pub(super) fn check(&self) -> Result<(), Refusal> {
        let ways = [
            self.url.is_some(),
            self.port.is_some(),
            self.command.is_some(),
        ];
        if ways.iter().filter(|way| **way).count() != 1 {
            return Err(Refusal::new(
                "`health` needs one of `url`, `port` and `command`",
            ));
        }
        if self.port == Some(0) {
            return Err(Refusal::new("`health`: there is no port 0"));
        }
        if self.host.is_some() && self.port.is_none() {
            return Err(Refusal::new("`health`: `host` belongs to `port`"));
        }
        if !self.status.is_empty() && self.url.is_none() {
            return Err(Refusal::new("`health`: `status` belongs to `url`"));
        }
        if self.validate_certs.is_some() && self.url.is_none() {
            return Err(Refusal::new("`health`: `validate_certs` belongs to `url`"));
        }
        if let Some(url) = &self.url
            && !url.starts_with("http://")
            && !url.starts_with("https://")
        {
            return Err(
                Refusal::new(format!("`health`: `{url}` is no address of HTTP"))
                    .help("it begins with `http://` or `https://`"),
            );
        }
        Ok(())
    }

    /// What the script is told.
    pub(super) fn words(health: Option<&Self>) -> [String; 3] {
        let Some(health) = health else {
            return ["none".to_owned(), String::new(), String::new()];
        };
        if let Some(url) = &health.url {
            let statuses: Vec<String> = health.status.iter().map(u16::to_string).collect();
            let kind = match health.validate_certs {
                Some(false) => "url_of_anybody",
                _ => "url",
            };
            return [kind.to_owned(), url.clone(), statuses.join(",")];
        }
        if let Some(port) = health.port {
            let host = health
                .host
                .clone()
                .unwrap_or_else(|| "127.0.0.1".to_owned());
            return ["port".to_owned(), host, port.to_string()];
        }
        [
            "command".to_owned(),
            health.command.clone().unwrap_or_default(),
            String::new(),
        ]
    }
}
