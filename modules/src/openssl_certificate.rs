//! A private key, and a certificate that it has signed itself.

mod config;
mod decide;
mod facts;
mod made;
mod pair;
mod wish;

use evenkeel_engine::{Done, Module, Plan, Probes, Refusal, Seen, Stop, Thing, Touches};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use facts::{Facts, Kind};
pub use pair::{CertificateFile, Kept, KeyFile, Pair};

use crate::{
    args::is_default,
    attributes::{Attributes, Wanted},
    copy,
    look::Look,
    mode::Mode,
    paths,
};
use wish::Wish;

/// The module `openssl-certificate`.
#[derive(Debug)]
pub struct OpensslCertificate;

/// What a key is made with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Type {
    /// RSA, of `size` bits.
    #[default]
    #[serde(alias = "RSA")]
    Rsa,
    /// An elliptic curve: `curve`.
    #[serde(alias = "EC", alias = "ECC", alias = "ecc")]
    Ec,
    /// Ed25519; not every browser takes it.
    #[serde(alias = "Ed25519")]
    Ed25519,
}

/// What a certificate is signed over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Digest {
    /// SHA-256.
    #[default]
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

/// Whether they are there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// They are.
    #[default]
    Present,
    /// They are not: both files are removed, the key too.
    Absent,
}

/// One value, or several.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Values {
    /// One.
    One(String),
    /// Each in an entry of its own, in this order.
    Many(Vec<String>),
}

/// Arguments of `openssl-certificate`.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The file of the certificate.
    pub path: String,
    /// The file of the private key, without a passphrase. One that is there is kept if it is as `type`, `size` and
    /// `curve` say.
    pub key: String,
    /// The name in the subject, its last entry: of a server, its host name.
    #[serde(default, alias = "cn", skip_serializing_if = "Option::is_none")]
    pub common_name: Option<String>,
    /// The other entries of the subject, in order: `O`, `OU`, `C`, `ST`, `L` …, by their short or long names or
    /// numbers.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub subject: IndexMap<String, Values>,
    /// For what it holds: `DNS:name`, `IP:address`, `email:address` or `URI:address`. If unset, for the
    /// `common_name`, if that is the name or the address of a host.
    #[serde(
        default,
        alias = "subject_alt_name",
        skip_serializing_if = "Option::is_none"
    )]
    pub san: Option<Vec<String>>,
    /// How many days it holds; 365 if unset. What runs again makes it anew in time, and TLS clients refuse those that
    /// hold for years.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<u32>,
    /// It is made anew when it ends within so many days; 30 if unset, or a third of `days` if that is less.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renew_before: Option<u32>,
    /// What kind of key.
    #[serde(default, rename = "type", skip_serializing_if = "is_default")]
    pub kind: Type,
    /// How many bits an RSA key has: 2048 to 16384; 4096 if unset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u32>,
    /// On which curve an `ec` key is: `P-256` (if unset), `P-384` or `P-521`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub curve: Option<String>,
    /// What the key may be used for: `digitalSignature`, `keyEncipherment` …; if unset, of an authority
    /// `keyCertSign` and `cRLSign`, else it does not say.
    #[serde(default, alias = "key_usage", skip_serializing_if = "Option::is_none")]
    pub usage: Option<Vec<String>>,
    /// For what: `serverAuth`, `clientAuth`, `codeSigning`, `emailProtection`, `timeStamping`, `OCSPSigning`, or
    /// numbers (`1.3.6.1…`).
    #[serde(
        default,
        alias = "extended_key_usage",
        skip_serializing_if = "is_default"
    )]
    pub extended_usage: Vec<String>,
    /// Whether it is an authority's, that signs others.
    #[serde(default, skip_serializing_if = "is_default")]
    pub is_ca: bool,
    /// What is signed; an Ed25519 key has its own.
    #[serde(default, skip_serializing_if = "is_default")]
    pub digest: Digest,
    /// Owner of the certificate: name or number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Its group: name or number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Its permission bits; a new one has `0644` if unset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// Owner of the key; that of the certificate if unset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_owner: Option<String>,
    /// Its group; that of the certificate if unset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_group: Option<String>,
    /// Its permission bits; `0600` if unset, also of one that is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_mode: Option<Mode>,
    /// Whether they are there.
    #[serde(default, skip_serializing_if = "is_default")]
    pub state: State,
    /// Makes both anew each time.
    #[serde(default, skip_serializing_if = "is_default")]
    pub force: bool,
}

/// What `register` gives.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Output {
    /// The file of the certificate.
    pub path: String,
    /// The file of the key.
    pub key: String,
    /// State, owner, group, mode of the certificate.
    #[serde(flatten)]
    pub attributes: Attributes,
}

impl Module for OpensslCertificate {
    const NAME: &'static str = "openssl-certificate";
    const ALIASES: &'static [&'static str] = &["openssl_certificate"];
    const ABOUT: &'static str = "keeps a private key and a certificate that it has signed itself";
    const EXAMPLE: &'static str = "\
- name: TLS of the web server
  openssl-certificate:
    path: /etc/ssl/certs/airflow.pem
    key: /etc/ssl/private/airflow.key
    common_name: airflow.example.com
    subject: {C: DE, O: Example}
    san: ['DNS:airflow.example.com', 'IP:192.0.2.7']
    extended_usage: [serverAuth]
    key_owner: root
    key_group: ssl-cert
    key_mode: \"0640\"
";
    const CHANGED_WHEN: &'static str = "\
The key is not there, is damaged, or is of another kind: then both are made. The certificate is not there, is damaged, \
is not this key's, is not signed by itself, ends soon, or says something else: then it is made anew for the same key. \
Or owner, group or mode differ.";
    const LIMITS: &'static str = "\
The host needs `openssl` (1.1.1 or later). There are no passphrases: a key that has one is refused and never replaced, \
and so is a file that holds something else. Other `days` alone make no new certificate. There are no requests and no \
other authorities. What uses the files has to be told of new ones (`notify`).";
    type Args = Args;
    type Output = Output;

    fn check(args: &Args) -> Result<(), Refusal> {
        for (name, path) in [("path", &args.path), ("key", &args.key)] {
            if path.is_empty() || path.ends_with('/') {
                return Err(Refusal::new(format!("`{name}: {path}` is no file")));
            }
        }
        if paths::clean(&args.path) == paths::clean(&args.key) {
            return Err(Refusal::new("`path` and `key` are the same file")
                .help("the key is kept in a file of its own, which others cannot read"));
        }
        if args.state == State::Absent {
            return Ok(());
        }
        Wish::of(args)?;
        Ok(())
    }

    fn observe(args: &Args, seen: &Seen) -> Probes {
        Look::observe(seen, |look| decide::decide(args, look))
    }

    fn plan(args: &Args, seen: &Seen) -> Result<Plan, Stop> {
        decide::decide(args, &Look::new(seen))
    }

    fn output(args: &Args, after: &Seen, _: &[Done]) -> Result<Output, Stop> {
        let look = Look::new(after);
        let path = paths::absolute(&args.path, &look)?;
        let end = paths::follow(&path, &look)?;
        let stat = after.get(&evenkeel_engine::probes::Stat(end))?.as_ref();
        Ok(Output {
            path,
            key: paths::absolute(&args.key, &look)?,
            attributes: Attributes::of(stat),
        })
    }

    fn touches(args: &Args) -> Touches {
        if !paths::is_absolute(&args.path) || !paths::is_absolute(&args.key) {
            return Touches::everything();
        }
        let mut touches = copy::writes(&args.path, None, false);
        for path in [&args.path, &args.key] {
            let path = paths::clean(path);
            touches.writes.push(Thing::Path(made::beside(&path)));
            touches.writes.push(Thing::Path(path));
        }
        touches
    }

    fn subject(args: &Args) -> String {
        args.path.clone()
    }
}

impl Args {
    /// Owner, group and mode of the certificate.
    fn wanted(&self) -> Wanted<'_> {
        Wanted {
            owner: self.owner.as_deref(),
            group: self.group.as_deref(),
            mode: self.mode.as_ref(),
        }
    }

    /// Owner and group of the key, and its mode, which `otherwise` is if nothing is said.
    fn wanted_of_key<'a>(&'a self, otherwise: &'a Mode) -> Wanted<'a> {
        Wanted {
            owner: self.key_owner.as_deref().or(self.owner.as_deref()),
            group: self.key_group.as_deref().or(self.group.as_deref()),
            mode: Some(self.key_mode.as_ref().unwrap_or(otherwise)),
        }
    }

    fn days(&self) -> u32 {
        self.days.unwrap_or(365)
    }

    fn renew_before(&self) -> u32 {
        self.renew_before.unwrap_or(30.min(self.days() / 3))
    }
}
