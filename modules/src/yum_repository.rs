//! Repositories of RPM packages: a section of a file that dnf and yum read.

mod section;

use evenkeel_engine::{
    Action, Change, Content, Done, Late, Module, Plan, Probes, Refusal, Secret, Seen, Stop, Text,
    Thing, Touches,
    probes::{Contents, Kind, Stat},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    args::is_default,
    attributes::Wanted,
    look::Look,
    many::{comma_list, one_or_many},
    mode::Mode,
    paths,
    put::{Put, Target},
};
use section::Sections;

/// The module `yum-repository`.
#[derive(Debug)]
pub struct YumRepository;

/// Arguments of `yum-repository`. What is not named is not in the section: dnf then has its own
/// default for it.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The name of the section, by which `enablerepo` knows it.
    pub name: String,
    /// What people are shown; has to be there with `state: present`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Addresses of the repository.
    #[serde(
        default,
        deserialize_with = "one_or_many",
        skip_serializing_if = "is_default"
    )]
    pub baseurl: Vec<String>,
    /// The address of a list of mirrors, in XML.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metalink: Option<String>,
    /// The address of a list of mirrors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mirrorlist: Option<String>,
    /// Whether it is in its file.
    #[serde(default, skip_serializing_if = "is_default")]
    pub state: State,
    /// The name of the file, without `.repo`; that of the section if unset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The directory of the file.
    #[serde(default = "reposdir", skip_serializing_if = "is_reposdir")]
    pub reposdir: String,
    /// Whether it is used unless `enablerepo` names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Whether the signatures of packages are checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpgcheck: Option<bool>,
    /// Whether the signature of the lists is checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repo_gpgcheck: Option<bool>,
    /// Addresses of the keys that sign.
    #[serde(
        default,
        deserialize_with = "one_or_many",
        skip_serializing_if = "is_default"
    )]
    pub gpgkey: Vec<String>,
    /// The address of the key that signs the keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpgcakey: Option<String>,
    /// Which repository is asked first: the smaller number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<i64>,
    /// How dear it is to fetch from there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<i64>,
    /// Whether its packages count even where a module has other ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub module_hotfixes: Option<bool>,
    /// Packages that are never taken from it.
    #[serde(
        default,
        alias = "excludepkgs",
        deserialize_with = "comma_list",
        skip_serializing_if = "is_default"
    )]
    pub exclude: Vec<String>,
    /// The only packages that are taken from it.
    #[serde(
        default,
        deserialize_with = "comma_list",
        skip_serializing_if = "is_default"
    )]
    pub includepkgs: Vec<String>,
    /// Whether a run goes on without it if it cannot be reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skip_if_unavailable: Option<bool>,
    /// Whether the certificate of the server is checked.
    #[serde(
        default,
        alias = "validate_certs",
        skip_serializing_if = "Option::is_none"
    )]
    pub sslverify: Option<bool>,
    /// The file of the authorities that sign certificates.
    #[serde(default, alias = "ca_cert", skip_serializing_if = "Option::is_none")]
    pub sslcacert: Option<String>,
    /// The file of the certificate that it is asked with.
    #[serde(
        default,
        alias = "client_cert",
        skip_serializing_if = "Option::is_none"
    )]
    pub sslclientcert: Option<String>,
    /// The file of the key of that certificate.
    #[serde(default, alias = "client_key", skip_serializing_if = "Option::is_none")]
    pub sslclientkey: Option<String>,
    /// The address of a proxy; `_none_` for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy: Option<String>,
    /// Who asks the proxy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy_username: Option<String>,
    /// The password for the proxy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy_password: Option<Late<Text>>,
    /// Who asks the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The password for the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Late<Text>>,
    /// How many seconds a connection may hang.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<i64>,
    /// How often it is tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retries: Option<i64>,
    /// How long the lists are good, as `6h`, in seconds, or `never`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata_expire: Option<String>,
    /// How much is fetched in a second at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bandwidth: Option<String>,
    /// How much of it is used at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub throttle: Option<String>,
    /// Which addresses are asked for: `4`, `6` or `whatever`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip_resolve: Option<String>,
    /// Whether connections are used again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keepalive: Option<bool>,
    /// Has no effect on dnf; for yum.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failovermethod: Option<String>,
    /// The owner of the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The group of the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The mode of the file; of a new one 0644, or 0600 if it holds a password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
}

fn reposdir() -> String {
    "/etc/yum.repos.d".to_owned()
}

fn is_reposdir(dir: &str) -> bool {
    dir == "/etc/yum.repos.d"
}

/// Whether it is in its file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It is.
    #[default]
    Present,
    /// It is not; nor is the file, if it was the last one there.
    Absent,
}

/// What `register` gives.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
pub struct Output {
    /// The name of the section.
    pub repo: String,
    /// Whether it is there.
    pub state: State,
    /// The file.
    pub path: String,
}

impl Module for YumRepository {
    const NAME: &'static str = "yum-repository";
    const ALIASES: &'static [&'static str] = &[
        "yum_repository",
        "ansible.builtin.yum_repository",
        "ansible.legacy.yum_repository",
    ];
    const ABOUT: &'static str = "keeps repositories of RPM packages configured";
    const EXAMPLE: &'static str = "\
- yum-repository:
    name: tools
    description: Our own tools
    baseurl: https://packages.example.com/el9/
    gpgcheck: true
    gpgkey: https://packages.example.com/key.asc
";
    const CHANGED_WHEN: &'static str = "The section would say something else, or the file would have another owner, group or mode.";
    const LIMITS: &'static str = "\
        Options that are not given are dropped from the section; what else is in the file stays as it \
        is. It fetches nothing, and does not ask whether the repository answers.";
    type Args = Args;
    type Output = Output;

    fn check(args: &Args) -> Result<(), Refusal> {
        // Those that dnf takes: a repository with another name is passed over.
        let odd = |c: char| !(c.is_ascii_alphanumeric() || "-_.:".contains(c));
        if args.name.is_empty() || args.name.contains(odd) {
            return Err(Refusal::new(format!(
                "`{}` cannot be the name of a repository",
                args.name
            ))
            .help(
                "dnf takes letters and digits of ASCII and `-_.:`; what people are shown is `description`",
            ));
        }
        let file = args.file.as_deref().unwrap_or("x");
        if file.is_empty() || file.contains(['/', '\0', '\n']) {
            return Err(
                Refusal::new(format!("`{file}` cannot be the name of a file"))
                    .help("it is without directory (that is `reposdir`) and without `.repo`"),
            );
        }
        if !paths::is_absolute(&args.reposdir) {
            return Err(Refusal::new("`reposdir` has to be an absolute path"));
        }
        if args.mode.as_ref().is_some_and(Mode::is_preserve) {
            return Err(Refusal::new("`mode: preserve` is for copies only"));
        }
        if args.state == State::Absent {
            return Ok(());
        }
        if args.description.is_none() {
            return Err(Refusal::new("`description` is missing")
                .help("dnf calls a repository without it faulty"));
        }
        if args.baseurl.is_empty() && args.metalink.is_none() && args.mirrorlist.is_none() {
            return Err(Refusal::new(
                "one of `baseurl`, `metalink` and `mirrorlist` is needed",
            ));
        }
        for (key, values) in args.settings().unwrap_or_default() {
            if values
                .iter()
                .any(|value| value.bytes().iter().any(|byte| b"\n\r\0".contains(byte)))
            {
                return Err(Refusal::new(format!("`{key}` holds the end of a line")));
            }
        }
        Ok(())
    }

    fn observe(args: &Args, seen: &Seen) -> Probes {
        Look::observe(seen, |look| decide(args, look))
    }

    fn plan(args: &Args, seen: &Seen) -> Result<Plan, Stop> {
        decide(args, &Look::new(seen))
    }

    fn output(args: &Args, _: &Seen, _: &[Done]) -> Result<Output, Stop> {
        Ok(Output {
            repo: args.name.clone(),
            state: args.state,
            path: args.path(),
        })
    }

    fn touches(args: &Args) -> Touches {
        Touches::writes([Thing::Path(args.path())])
    }

    fn subject(args: &Args) -> String {
        args.name.clone()
    }
}

impl Args {
    fn path(&self) -> String {
        let file = self.file.as_ref().unwrap_or(&self.name);
        let file = file.strip_suffix(".repo").unwrap_or(file);
        paths::clean(&format!("{}/{file}.repo", self.reposdir))
    }

    /// The settings of the section, each with its values, in their order.
    fn settings(&self) -> Result<Vec<(&'static str, Vec<Text>)>, Stop> {
        let plain = |text: &String| Text::Plain(text.clone());
        let many = |list: &[String]| list.iter().map(plain).collect::<Vec<_>>();
        let one = |text: &Option<String>| text.iter().map(plain).collect::<Vec<_>>();
        let yes = |is: Option<bool>| {
            let word = is.map(|is| if is { "1" } else { "0" });
            word.map(|word| Text::Plain(word.to_owned()))
                .into_iter()
                .collect::<Vec<_>>()
        };
        let number = |number: Option<i64>| {
            number
                .map(|number| Text::Plain(number.to_string()))
                .into_iter()
                .collect::<Vec<_>>()
        };
        let secret = |late: &Option<Late<Text>>| -> Result<Vec<Text>, Stop> {
            Ok(match late {
                Some(late) => vec![late.get()?.clone()],
                None => Vec::new(),
            })
        };
        let words = |list: &[String]| {
            let joined = (!list.is_empty()).then(|| Text::Plain(list.join(" ")));
            joined.into_iter().collect::<Vec<_>>()
        };
        let all = vec![
            ("name", one(&self.description)),
            ("baseurl", many(&self.baseurl)),
            ("metalink", one(&self.metalink)),
            ("mirrorlist", one(&self.mirrorlist)),
            ("enabled", yes(self.enabled)),
            ("gpgcheck", yes(self.gpgcheck)),
            ("repo_gpgcheck", yes(self.repo_gpgcheck)),
            ("gpgkey", many(&self.gpgkey)),
            ("gpgcakey", one(&self.gpgcakey)),
            ("priority", number(self.priority)),
            ("cost", number(self.cost)),
            ("module_hotfixes", yes(self.module_hotfixes)),
            ("excludepkgs", words(&self.exclude)),
            ("includepkgs", words(&self.includepkgs)),
            ("skip_if_unavailable", yes(self.skip_if_unavailable)),
            ("sslverify", yes(self.sslverify)),
            ("sslcacert", one(&self.sslcacert)),
            ("sslclientcert", one(&self.sslclientcert)),
            ("sslclientkey", one(&self.sslclientkey)),
            ("proxy", one(&self.proxy)),
            ("proxy_username", one(&self.proxy_username)),
            ("proxy_password", secret(&self.proxy_password)?),
            ("username", one(&self.username)),
            ("password", secret(&self.password)?),
            ("timeout", number(self.timeout)),
            ("retries", number(self.retries)),
            ("metadata_expire", one(&self.metadata_expire)),
            ("bandwidth", one(&self.bandwidth)),
            ("throttle", one(&self.throttle)),
            ("ip_resolve", one(&self.ip_resolve)),
            ("keepalive", yes(self.keepalive)),
            ("failovermethod", one(&self.failovermethod)),
        ];
        Ok(all
            .into_iter()
            .filter(|(_, values)| !values.is_empty())
            .collect())
    }

    fn holds_password(&self) -> bool {
        self.password.is_some() || self.proxy_password.is_some()
    }
}

fn decide(args: &Args, look: &Look<'_>) -> Result<Plan, Stop> {
    let private: Mode = Mode::bits(0o600);
    let path = args.path();
    let contents = Contents(path.clone());
    let wanted = Wanted {
        owner: args.owner.as_deref(),
        group: args.group.as_deref(),
        mode: args.mode.as_ref(),
    };
    wanted.ask(look);
    look.ask(&contents);
    Put::ask(look, &path);
    let there = match look.get(&Stat(path.clone()))? {
        None => Vec::new(),
        Some(stat) if stat.kind == Kind::File => look.get(&contents)?.clone().unwrap_or_default(),
        Some(_) => return Err(Stop::refused(format!("`{path}` is not a file"))),
    };
    let exists = look.get(&Stat(path.clone()))?.is_some();
    let sections = Sections::new(&there);
    if args.state == State::Absent {
        let Some(rest) = sections.without(&args.name) else {
            return Ok(Plan::nothing());
        };
        if !Sections::new(&rest).any() {
            let change = Change::new("file", path.as_str(), evenkeel_engine::Value::Null);
            return Ok(change.step(Action::Remove { path }).into());
        }
        return put(look, &path, Wanted::default(), Content::from(rest));
    }
    let settings = args.settings()?;
    let same = sections.has(&args.name, &settings);
    let content = if same {
        there.clone()
    } else {
        sections.with(&args.name, &settings)
    };
    // Who may read the passwords of others that are in the file must not learn them from us.
    let secret = settings
        .iter()
        .flat_map(|(_, values)| values)
        .any(Text::is_secret);
    let content = if secret {
        Content::Secret(Secret::new(content))
    } else {
        Content::from(content)
    };
    let wanted = Wanted {
        mode: wanted
            .mode
            .or((args.holds_password() && !exists).then_some(&private)),
        ..wanted
    };
    put(look, &path, wanted, content)
}

fn put(look: &Look<'_>, path: &str, wanted: Wanted<'_>, content: Content) -> Result<Plan, Stop> {
    let put = Put {
        wanted,
        force: true,
        backup: false,
        validate: None,
    };
    let target = Target {
        path: path.to_owned(),
        asked: path.to_owned(),
        missing: Vec::new(),
    };
    Ok(put.changes(look, &target, &Ok(content))?.into())
}
