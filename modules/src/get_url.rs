//! Files that a server holds.

mod decide;

use std::collections::BTreeMap;

use evenkeel_engine::{
    Done, Module, Plan, Probes, Refusal, Seen, Stop, Text, Thing, Touches, Value, hex,
    probes::Digest,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use crate::download::{Fetched, Request, Served, Serving, State};
use crate::{
    args::{Unsupported, is_default},
    attributes::{Attributes, Wanted},
    copy::{self, Copy, Src},
    download::{Checksum, parse_checksum},
    look::Look,
    mode::Mode,
    paths,
};

/// The module `get-url`.
#[derive(Debug)]
pub struct GetUrl;

/// Arguments of `get-url`.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The address: `https://`, `http://`, or `file:///` for a file of the host.
    pub url: Text,
    /// The file; or a directory that is there, which holds it under the name that the server or the address gives.
    pub dest: String,
    /// What it must have: `sha256:` (or another algorithm) and its digits, or the address of a checksum file. With
    /// it, a file that is right costs no request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<String>,
    /// Compares what the server has even if it says that nothing has changed since the last run.
    #[serde(default, alias = "thirsty", skip_serializing_if = "is_default")]
    pub force: bool,
    /// Headers of the request.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, Text>,
    /// How many seconds a connection, and a pause in the answer, may take; 10 if unset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<u32>,
    /// Who logs in.
    #[serde(default, alias = "username", skip_serializing_if = "Option::is_none")]
    pub url_username: Option<Text>,
    /// The password.
    #[serde(default, alias = "password", skip_serializing_if = "Option::is_none")]
    pub url_password: Option<Text>,
    /// The login is always sent with the first request.
    #[serde(default, skip_serializing_if = "is_default")]
    pub force_basic_auth: bool,
    /// What the client calls itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_agent: Option<String>,
    /// Whether a proxy of the environment is used (the default).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub use_proxy: Option<bool>,
    /// Whether the certificate of the server must be good (the default).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validate_certs: Option<bool>,
    /// A file of the host with certificates of authorities.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_path: Option<String>,
    /// A file of the host with the client's certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_cert: Option<String>,
    /// A file of the host with its key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_key: Option<String>,
    /// A directory of the host for what has come so far; that of the file if unset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tmp_dest: Option<String>,
    /// Whether what the server sends with `Content-Encoding: gzip` is unpacked (the default).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decompress: Option<bool>,
    /// Keeps a copy of the old file beside it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub backup: bool,
    /// Owner: name or number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Group: name or number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Permission bits: `"0644"` or `u=rw,go=r`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// Not supported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub seuser: Option<Unsupported>,
    /// Not supported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub serole: Option<Unsupported>,
    /// Not supported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub setype: Option<Unsupported>,
    /// Not supported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub selevel: Option<Unsupported>,
    /// Not supported.
    #[serde(default, alias = "attr", skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub attributes: Option<Unsupported>,
    /// Not supported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub unsafe_writes: Option<Unsupported>,
}

/// What `register` gives.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Output {
    /// The address, without a login.
    pub url: String,
    /// The file.
    pub dest: String,
    /// Its SHA-256.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<String>,
    /// Where the old file is, with `backup`, if it changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup_file: Option<String>,
    /// State, owner, group, mode.
    #[serde(flatten)]
    pub attributes: Attributes,
}

impl Module for GetUrl {
    const NAME: &'static str = "get-url";
    const ALIASES: &'static [&'static str] = &[
        "get_url",
        "ansible.builtin.get_url",
        "ansible.legacy.get_url",
    ];
    const ABOUT: &'static str = "keeps files that a server holds";
    const EXAMPLE: &'static str = "\
- name: the constraints of Airflow
  get-url:
    url: https://example.com/constraints-3.9.txt
    dest: /opt/airflow/constraints.txt
    checksum: sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
    mode: \"0644\"
";
    const CHANGED_WHEN: &'static str = "\
The file is not there, does not have the checksum, or holds something else than the server has; or its owner, group or \
mode differ. Without a `checksum` the server is asked each time: a file of the same size and time counts as the same \
(unless `force`), else what comes is compared as it comes, and nothing is written.";
    const LIMITS: &'static str = "\
The host downloads with its `curl` or `wget`. Where it has neither, the machine that runs the playbook does, once for \
all hosts, into a cache of its user (`~/.cache/evenkeel`, kept for 30 days), and the file is sent: a plan does that too, \
and files of the host (`ca_path`, `client_cert`) are of no use then. A part that has come is gone on with; with wget it \
begins anew. A secret address, header or login is in no question to a host: such a file counts as long as it is what \
the task put there. Addresses are `http`, `https` and `file`. A download takes an hour at most.";
    type Args = Args;
    type Output = Output;

    fn check(args: &Args) -> Result<(), Refusal> {
        if args.dest.is_empty() {
            return Err(Refusal::new("`dest` is empty"));
        }
        if args.url_password.is_some() && args.url_username.is_none() {
            return Err(Refusal::new("`url_password` without `url_username`"));
        }
        if args.timeout == Some(0) {
            return Err(Refusal::new("`timeout: 0` leaves no time"));
        }
        let checksum = args.checksum.as_deref().map(parse_checksum).transpose()?;
        if args.local().is_some() {
            return Args::check_local(checksum.as_ref());
        }
        let request = args.request();
        request.check()?;
        if let Some(Checksum::In(_, url)) = &checksum {
            let beside = request.to(url);
            if url.starts_with("file:///") {
                return Ok(());
            }
            beside.check()?;
            if beside.is_secret() {
                let what = "a checksum file is not asked for with a secret login or header";
                return Err(Refusal::new(what).help("write the digits themselves in `checksum`"));
            }
        }
        Ok(())
    }

    fn observe(args: &Args, seen: &Seen) -> Probes {
        match args.copy() {
            Some(copy) => Copy::observe(&copy, seen),
            None => Look::observe(seen, |look| decide::decide(args, look)),
        }
    }

    fn plan(args: &Args, seen: &Seen) -> Result<Plan, Stop> {
        match args.copy() {
            Some(copy) => Copy::plan(&copy, seen),
            None => decide::decide(args, &Look::new(seen)),
        }
    }

    fn output(args: &Args, after: &Seen, done: &[Done]) -> Result<Output, Stop> {
        let (look, url) = (Look::new(after), args.request().shown());
        let result = match args.copy() {
            Some(copy) => Copy::output(&copy, after, done)?,
            None => copy::result(
                &look,
                &decide::place(args, &look)?.0,
                copy::Written::Unknown,
            )?,
        };
        Ok(Output {
            url,
            dest: result.dest,
            checksum: result.checksum,
            backup_file: None,
            attributes: result.attributes,
        })
    }

    fn touches(args: &Args) -> Touches {
        if let Some(copy) = args.copy() {
            return Copy::touches(&copy);
        }
        if !paths::is_absolute(&args.dest) {
            return Touches::everything();
        }
        // What it is called in a directory is for the server to say, and parts are kept beside it.
        let path = paths::clean(&args.dest);
        let dir = paths::parent(&path).unwrap_or("/").to_owned();
        let mut touches = copy::writes(&args.dest, None, args.backup);
        touches.writes.push(Thing::Path(decide::beside(&path)));
        touches.writes.push(Thing::Tree(paths::join(
            &dir,
            &format!(".{}.evenkeel-part", paths::name(&path)),
        )));
        touches.writes.push(Thing::Tree(path));
        touches
    }

    fn subject(args: &Args) -> String {
        args.dest.clone()
    }

    fn witness(args: &Args, after: &Seen) -> Option<Value> {
        let look = Look::new(after);
        let (path, _) = decide::place(args, &look).ok()?;
        let digest = after.get(&Digest(path)).ok()?.as_ref()?;
        args.checksum.is_none().then(|| hex(digest).into())
    }
}

impl Args {
    /// The file of the host that the address names.
    fn local(&self) -> Option<&str> {
        let Text::Plain(url) = &self.url else {
            return None;
        };
        url.strip_prefix("file://")
            .filter(|path| path.starts_with('/'))
    }

    fn check_local(checksum: Option<&Checksum>) -> Result<(), Refusal> {
        match checksum {
            Some(Checksum::Known(hash)) if hash.algorithm.name() == "sha256" => Ok(()),
            Some(_) => Err(Refusal::new(
                "of a file of the host only a `checksum` with `sha256:` and digits is held",
            )),
            None => Ok(()),
        }
    }

    /// A file of the host is copied.
    fn copy(&self) -> Option<copy::Args> {
        let src = self.local()?;
        let checksum = match self.checksum.as_deref().map(parse_checksum) {
            Some(Ok(Checksum::Known(hash))) => Some(hash.digits),
            _ => None,
        };
        Some(copy::Args {
            src: Some(Src::Host(src.to_owned())),
            dest: self.dest.clone(),
            remote_src: true,
            checksum,
            backup: self.backup,
            owner: self.owner.clone(),
            group: self.group.clone(),
            mode: self.mode.clone(),
            ..copy::Args::default()
        })
    }

    fn request(&self) -> Request {
        Request {
            url: self.url.clone(),
            headers: self
                .headers
                .iter()
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
            user: self.url_username.clone(),
            password: self.url_password.clone(),
            timeout: self.timeout.unwrap_or(10),
            verify: self.validate_certs.unwrap_or(true),
            proxy: self.use_proxy.unwrap_or(true),
            agent: self.http_agent.clone(),
            authorities: self.ca_path.clone(),
            certificate: self.client_cert.clone(),
            key: self.client_key.clone(),
        }
    }

    fn wanted(&self) -> Wanted<'_> {
        Wanted {
            owner: self.owner.as_deref(),
            group: self.group.as_deref(),
            mode: self.mode.as_ref(),
        }
    }
}
