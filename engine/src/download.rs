//! Files of servers for hosts that have no program to download with: this machine gets them, and they
//! are sent as any local file.
//!
//! The engine speaks to no server of its own accord: whoever embeds it says how ([`Downloads`] in
//! [`Options`](crate::run::Options)). What a server has is a question like any other,
//! [`Downloaded`] and [`DownloadedText`]; a run answers it without asking the host.

use std::{fmt, io};

use async_trait::async_trait;

use crate::{
    here::{About, answered_here},
    secret::Text,
    source::{Sha, Source, hex, sha256, unhex},
    thing::Thing,
};

/// What is wanted of a server.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Order {
    /// The address: `https://` or `http://`.
    pub url: Text,
    /// What messages call it: the address without a login.
    pub shown: String,
    /// Headers of the request.
    pub headers: Vec<(String, Text)>,
    /// Who logs in, and the password.
    pub login: Option<(Text, Text)>,
    /// What the client calls itself.
    pub agent: Option<String>,
    /// How many seconds a connection, and a pause in the answer, may take.
    pub timeout: u32,
    /// Whether the certificate must be good.
    pub verify: bool,
    /// Whether a proxy of the environment is used.
    pub proxy: bool,
    /// Whether what comes with `Content-Encoding: gzip` is unpacked.
    pub decompress: bool,
    /// What it must have.
    pub checksum: Option<Checksum>,
}

impl Order {
    /// A plain request.
    pub fn new(url: impl Into<Text>) -> Self {
        let url = url.into();
        Self {
            shown: url.shown().to_owned(),
            url,
            headers: Vec::new(),
            login: None,
            agent: None,
            timeout: 10,
            verify: true,
            proxy: true,
            decompress: true,
            checksum: None,
        }
    }

    /// The SHA-256 that it must have.
    pub(crate) fn sha256(&self) -> Option<Sha> {
        let sum = self.checksum.as_ref()?;
        (sum.algorithm == Algorithm::Sha256)
            .then(|| unhex(&sum.digits))
            .flatten()
    }

    /// Stands for all that decides what comes, and tells nothing of it.
    pub fn id(&self) -> String {
        let text = |text: &Text| hex(&sha256(text.bytes()));
        let headers: Vec<_> = self.headers.iter().map(|(n, v)| (n, text(v))).collect();
        let login = self.login.as_ref().map(|(n, p)| (text(n), text(p)));
        let all = (
            text(&self.url),
            headers,
            login,
            &self.agent,
            self.decompress,
        );
        hex(&sha256(format!("{all:?}").as_bytes()))
    }
}

/// How a checksum is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Algorithm {
    /// MD5.
    Md5,
    /// SHA-1.
    Sha1,
    /// SHA-224.
    Sha224,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl Algorithm {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Md5,
        Self::Sha1,
        Self::Sha224,
        Self::Sha256,
        Self::Sha384,
        Self::Sha512,
    ];

    /// As in `sha256sum`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::Sha224 => "sha224",
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }

    /// How many hexadecimal digits it has.
    pub fn digits(self) -> usize {
        match self {
            Self::Md5 => 32,
            Self::Sha1 => 40,
            Self::Sha224 => 56,
            Self::Sha256 => 64,
            Self::Sha384 => 96,
            Self::Sha512 => 128,
        }
    }
}

/// A checksum that is known.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Checksum {
    /// How it is made.
    pub algorithm: Algorithm,
    /// Lower-case hexadecimal.
    pub digits: String,
}

/// What came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Got {
    /// The file, on this machine.
    pub source: Source,
    /// Its name, if the server gives one: without a path in it.
    pub name: Option<String>,
}

/// Gets files of servers. What was got is kept by whoever implements it for as long as a run may
/// want it; a future that is dropped leaves nothing behind that a later one could take for whole.
#[async_trait]
pub trait Downloads: fmt::Debug + Send + Sync {
    /// The file, whole and with the checksum that is asked for; the same for everybody who orders it
    /// in one run. An error says why, and names no secret.
    async fn get(&self, order: &Order) -> io::Result<Got>;
}

/// Downloads nothing: what [`Options`](crate::run::Options) begin with.
#[derive(Clone, Copy, Debug, Default)]
pub struct DownloadNothing;

#[async_trait]
impl Downloads for DownloadNothing {
    async fn get(&self, _: &Order) -> io::Result<Got> {
        Err(io::Error::other(
            "the host has neither `curl` nor `wget`, and this program downloads nothing itself; install one of them on the host",
        ))
    }
}

impl About for Order {
    fn operands(&self) -> Vec<Vec<u8>> {
        let sum = self.checksum.as_ref().map(|sum| sum.digits.as_str());
        vec![self.id().into_bytes(), sum.unwrap_or_default().into()]
    }

    fn reads(&self) -> Vec<Thing> {
        Vec::new()
    }
}

answered_here! {
    /// What a server has, got to this machine; or why it cannot be had.
    Downloaded(Order), "downloaded", Got, only_at_its_turn: true
}

answered_here! {
    /// The text of a small file of a server, got to this machine; or why it cannot be had.
    DownloadedText(Order), "downloaded_text", String, only_at_its_turn: true
}
