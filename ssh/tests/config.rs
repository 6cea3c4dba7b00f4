//! The configuration of ssh, by its public face; where `ssh` is installed, `ssh -G` is the judge.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::{collections::BTreeMap, fs, io, process::Command, time::Duration};

use evenkeel_ssh::config::{
    AddressFamily, Config, DiskFiles, Files, ForwardAgent, Given, HostConfig, IdentityAgent,
    Machine, Proxy, Sources, StrictHostKeyChecking,
};
use proptest::prelude::*;

/// Files in memory.
#[derive(Default)]
struct Texts(BTreeMap<String, String>);

impl Files for Texts {
    fn read(&self, path: &str) -> io::Result<Option<String>> {
        Ok(self.0.get(path).cloned())
    }

    fn glob(&self, pattern: &str) -> io::Result<Vec<String>> {
        let (before, after) = pattern.split_once('*').unwrap_or((pattern, ""));
        let named = |path: &&String| path.starts_with(before) && path.ends_with(after);
        Ok(self
            .0
            .keys()
            .filter(named)
            .filter(|path| pattern.contains('*') || *path == pattern)
            .cloned()
            .collect())
    }
}

fn machine() -> Machine {
    Machine {
        user: "ann".into(),
        uid: 1000,
        home: "/home/ann".into(),
        host: "desk".into(),
        full_host: "desk.example.com".into(),
        env: BTreeMap::from([("KEYS".into(), "/keys/%h".into())]),
    }
}

/// What one file in the user's home means.
fn resolve(text: &str, host: &str) -> Result<HostConfig, String> {
    resolve_files(&[("/home/ann/.ssh/config", text)], host)
}

fn resolve_files(files: &[(&str, &str)], host: &str) -> Result<HostConfig, String> {
    let files = files
        .iter()
        .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
    let files = Texts(files.collect());
    Config::read(&Sources::Usual, &files, &machine())
        .and_then(|config| config.resolve(host, &Given::default(), &machine()))
        .map_err(|error| error.to_string())
}

fn told(text: &str) -> Vec<String> {
    let warnings = resolve(text, "web").unwrap().warnings;
    warnings
        .iter()
        .map(|warning| {
            let said = warning.what.split(';').next().unwrap_or_default();
            format!("{} {said}", warning.place.line)
        })
        .collect()
}

#[test]
fn nothing_said_means_the_defaults_of_ssh() {
    let host = resolve("", "web").unwrap();
    assert_eq!(
        (host.host.as_str(), host.port, host.user.as_str()),
        ("web", 22, "ann")
    );
    assert_eq!(host.identity_files[3], "/home/ann/.ssh/id_ed25519");
    assert!(!host.identity_files_chosen);
    assert_eq!(host.user_known_hosts_files[0], "/home/ann/.ssh/known_hosts");
    assert_eq!(host.strict_host_key_checking, StrictHostKeyChecking::Ask);
    assert_eq!((host.proxy, host.connect_timeout), (Proxy::Direct, None));
}

#[test]
fn letters_stand_for_parts_of_the_connection() {
    let text = "HostName %h.example.com\nPort 2222\nUser bob\nHostKeyAlias cluster\n\
                IdentityFile ~/%r@%h:%p-%n-%k-%L-%l-%d-%i-%u-%%\nIdentityFile ${KEYS}\n\
                IdentityFile ~ann/x\nUserKnownHostsFile ~/%C none";
    let host = resolve(text, "web").unwrap();
    assert_eq!(
        host.identity_files,
        [
            "/home/ann/bob@web.example.com:2222-web-cluster-desk-desk.example.com-/home/ann-1000-ann-%",
            // What a variable holds is not looked at again.
            "/keys/%h",
            "/home/ann/x",
        ]
    );
    assert_eq!(
        host.user_known_hosts_files,
        ["/home/ann/88b68e8577998baf703989c930e14f04ad765890"]
    );
}

#[test]
fn what_is_given_counts_more() {
    let files = Texts(BTreeMap::from([(
        "/c".to_owned(),
        "User low\nPort 1\nIdentityFile b\nMatch user up\nHostName there".to_owned(),
    )]));
    let config = Config::read(&Sources::Only("/c".into()), &files, &machine()).unwrap();
    let given = Given {
        user: Some("up".into()),
        port: Some(2),
        identity_files: vec!["a".into()],
    };
    let host = config.resolve("web", &given, &machine()).unwrap();
    assert_eq!(
        (host.user.as_str(), host.port, host.host.as_str()),
        ("up", 2, "there")
    );
    assert_eq!(host.identity_files, ["a", "b"]);
}

#[test]
fn included_files_stand_where_they_are_included() {
    let files = [
        (
            "/home/ann/.ssh/config",
            "Host web\n  Include conf.d/*.conf\n  User last\nHost *\n  Port 4",
        ),
        (
            "/home/ann/.ssh/conf.d/a.conf",
            "Port 2\nHost db\n  User wrong\n",
        ),
        ("/home/ann/.ssh/conf.d/b.conf", "Host w*\n  User b"),
        (
            "/etc/ssh/ssh_config",
            "Include ssh_config.d/*.conf\nUser system\nIdentitiesOnly yes",
        ),
        (
            "/etc/ssh/ssh_config.d/x.conf",
            "Host none\nHashKnownHosts yes",
        ),
    ];
    let host = resolve_files(&files, "web").unwrap();
    assert_eq!((host.port, host.user.as_str()), (2, "b"));
    assert!(host.identities_only && !host.hash_known_hosts);
    let host = resolve_files(&files, "db").unwrap();
    assert_eq!((host.port, host.user.as_str()), (4, "system"));
}

#[test]
fn files_that_include_themselves_end() {
    let error = resolve("Include config", "web").unwrap_err();
    assert!(
        error.starts_with("/home/ann/.ssh/config:1: files include files more than 16 deep"),
        "{error}"
    );
    let error = resolve("Include config config\nInclude *", "web").unwrap_err();
    assert!(error.starts_with("/home/ann/.ssh/config:1: "), "{error}");
}

#[test]
fn what_ssh_refuses_is_refused_with_its_place() {
    for (text, wanted) in [
        (
            "\nPort x",
            "2: `x` is no value for `port`, which wants a number from 1 to 65535",
        ),
        ("Port", "1: `port` needs a value"),
        ("Port 1 2", "1: `port` takes one value, not 2"),
        ("User \"a", "1: a quote is not closed"),
        (
            "StrictHostKeyChecking maybe",
            "1: `maybe` is no value for `stricthostkeychecking`, which wants `yes`, `no`, `ask` or `accept-new`",
        ),
        (
            "ProxyJump -oProxyCommand=x",
            "1: `-oProxyCommand=x` is no host to go through, which is written `[user@]host[:port]`",
        ),
        ("Match", "1: `match` needs a condition"),
        ("Match moon full", "1: `moon` is no condition of `match`"),
        (
            "Match all host x",
            "1: `match all` cannot be joined with other conditions",
        ),
        (
            "IdentityFile %z",
            "1: `%z` in `%z` has no meaning here; a percent sign is written `%%`",
        ),
        (
            "HostName %",
            "1: `%` in `%` has no meaning here; a percent sign is written `%%`",
        ),
        (
            "HostName %p",
            "1: `%p` in `%p` has no meaning here; a percent sign is written `%%`",
        ),
        (
            "IdentityFile ${NONE}/x",
            "1: the variable `NONE` is not set",
        ),
        ("Host", "1: `host` needs a pattern"),
    ] {
        let error = resolve(text, "web").unwrap_err();
        assert_eq!(error, format!("/home/ann/.ssh/config:{wanted}"));
    }
    let missing = Config::read(
        &Sources::Only("/none".into()),
        &Texts::default(),
        &machine(),
    );
    assert_eq!(
        missing.unwrap_err().to_string(),
        "/none:1: there is no such file"
    );
    let error = resolve("ProxyCommand nc %h %p", "a;reboot").unwrap_err();
    assert!(
        error.contains("the name `a;reboot`, which means something to a shell"),
        "{error}"
    );
}

#[test]
fn what_is_not_followed_and_matters_is_said() {
    assert_eq!(
        told(
            "VerifyHostKeyDNS no\nVerifyHostKeyDNS ask\nCiphers aes128-ctr\nLogLevel DEBUG\nMoon full"
        ),
        [
            "2 `verifyhostkeydns` is not followed",
            "3 `ciphers` is not followed",
            "5 `moon` is no option of ssh that is known here",
        ]
    );
    assert_eq!(told("IgnoreUnknown Mo*\nMoon full"), Vec::<String>::new());
    assert_eq!(told("Host db\nMoon full\nCiphers x"), Vec::<String>::new());
    let condition = "the condition `exec` is not looked at, and what follows it does not count";
    assert_eq!(
        told("Match host web exec \"true x\"\nUser x"),
        [format!("1 {condition}")]
    );
    assert_eq!(told("Match exec x host db\nUser x"), Vec::<String>::new());
    assert_eq!(
        resolve("Match exec true\nUser x", "web").unwrap().user,
        "ann"
    );
    // The system's choice of algorithms is no news.
    let system = [(
        "/etc/ssh/ssh_config",
        "Ciphers x\nMACs y\nRevokedHostKeys /z",
    )];
    assert_eq!(resolve_files(&system, "web").unwrap().warnings.len(), 1);
}

#[test]
fn ways_through_other_hosts() {
    let proxy = |text: &str| resolve(text, "web").unwrap().proxy;
    let Proxy::Jump(jumps) = proxy("ProxyJump me@gate:2222,%h.inner") else {
        panic!("no jump");
    };
    assert_eq!(
        (jumps[0].user.as_deref(), jumps[0].port),
        (Some("me"), Some(2222))
    );
    assert_eq!(jumps[1].host, "web.inner");
    assert_eq!(proxy("ProxyJump none\nProxyCommand x"), Proxy::Direct);
    assert_eq!(proxy("ProxyCommand none\nProxyJump x"), Proxy::Direct);
    assert_eq!(
        proxy("ProxyCommand = ssh -W '%h:%p' \"gate\" # not a comment"),
        Proxy::Command("ssh -W 'web:22' \"gate\" # not a comment".into())
    );
}

#[test]
fn agents() {
    let agents = |text: &str| {
        let host = resolve(text, "web").unwrap();
        (host.identity_agent, host.forward_agent)
    };
    assert_eq!(agents(""), (IdentityAgent::Environment, ForwardAgent::No));
    assert_eq!(
        agents("IdentityAgent ~/%r\nForwardAgent yes"),
        (
            IdentityAgent::Socket("/home/ann/ann".into()),
            ForwardAgent::Yes
        )
    );
    assert_eq!(
        agents("IdentityAgent $KEYS\nForwardAgent $NONE"),
        (IdentityAgent::Socket("/keys/%h".into()), ForwardAgent::No)
    );
    assert_eq!(agents("IdentityAgent none").0, IdentityAgent::Nobody);
}

/// Configurations over which ssh and we have to agree, for each of these hosts.
const HOSTS: [&str; 4] = ["web", "WEB", "db1.example.com", "192.0.2.7"];
const CONFIGS: &[&str] = &[
    "",
    "User ann\nPort 2222\nHostName %h.example.com",
    "Host web\n  HostName 192.0.2.1\n  Port=2200\nHost *\n  HostName other\n  Port = 22\n  User \"x y\"",
    "Host w* !web\n  User a\nHost !db* *\n  User b\nHost *.example.com 192.0.2.?\n  User c",
    "Host w?b db[1]*\nUser a\nhost\t\"web\"   db1.example.com\nPORT 7",
    "HOST *\nhostname Other.Example.COM\nHostKeyAlias Alias\ncheckhostip yes\nHashKnownHosts true",
    "IdentityFile ~/a\nIdentityFile \"/b c\"\nIdentityFile ~/a\nIdentitiesOnly yes\nCertificateFile ~/a-cert.pub",
    "IdentityAgent none\nForwardAgent yes\nPubkeyAuthentication no\nPasswordAuthentication no",
    "IdentityAgent /run/x\nKbdInteractiveAuthentication no\nPreferredAuthentications publickey,password",
    "ConnectTimeout 1m30\nConnectionAttempts 3\nServerAliveInterval 1h\nServerAliveCountMax 9\nAddressFamily inet6",
    "ConnectTimeout none\nBindAddress 192.0.2.9\nStrictHostKeyChecking accept-new\nStrictHostKeyChecking no",
    "StrictHostKeyChecking off\nUserKnownHostsFile ~/x /y/%h-%n-%p-%r-%% \"/z z\"\nGlobalKnownHostsFile /g ~/h",
    "ProxyJump me@gate:2222,gate2\nProxyCommand never",
    "ProxyCommand nc -X connect \"%h\" %p # x\nProxyJump never",
    "ProxyJump none\nProxyCommand never",
    "Match host web\n User a\nMatch originalhost w*,db* !user a\n Port 9\nMatch all\n Port 8",
    "HostName there\nMatch host there\n User a\nMatch !host there\n User b\nMatch localuser nobody-here\n Port 5",
    "User first\nMatch user first,second\n Port 6\nMatch !user first\n Port 7",
    "Match final host there\n User last\nMatch host web\n HostName there\nMatch canonical\n Port 44",
    "Match final all\n User last\nHost *\n HostName %h.final",
    "# comment\n\n  # another\nUser a # not a word\nPort 22 # 33",
    "User 'a\"b' \nHostName a\\ b",
    "LogLevel ERROR\nSendEnv LANG\nIgnoreUnknown Moon,Sun*\nMoon full\nSunshine 1\nUser a",
    "ServerAliveInterval 15\r\nUser crlf\r\n",
];

/// What `ssh -G` prints: the values of each option.
fn printed(file: &str, host: &str) -> Option<BTreeMap<String, Vec<String>>> {
    let output = Command::new("ssh")
        .args(["-G", "-F", file, host])
        .output()
        .ok()?;
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{errors}");
    let mut options: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let (name, value) = line.split_once(' ').unwrap_or((line, ""));
        options
            .entry(name.to_owned())
            .or_default()
            .push(value.to_owned());
    }
    Some(options)
}

/// The same, as we would print it; several values are joined by `|`.
fn ours(host: &HostConfig) -> BTreeMap<&'static str, String> {
    let mut all = keys(host);
    let seconds = |time: Option<Duration>, none: &str| {
        time.map_or(none.to_owned(), |time| time.as_secs().to_string())
    };
    let family = match host.address_family {
        AddressFamily::Any => "any",
        AddressFamily::Inet => "inet",
        AddressFamily::Inet6 => "inet6",
    };
    all.extend([
        ("hostname", host.host.clone()),
        ("port", host.port.to_string()),
        ("user", host.user.clone()),
        ("addressfamily", family.to_owned()),
        ("bindaddress", host.bind_address.clone().unwrap_or_default()),
        ("connecttimeout", seconds(host.connect_timeout, "none")),
        ("connectionattempts", host.connection_attempts.to_string()),
        (
            "serveraliveinterval",
            seconds(host.server_alive_interval, "0"),
        ),
        (
            "serveralivecountmax",
            host.server_alive_count_max.to_string(),
        ),
    ]);
    match &host.proxy {
        Proxy::Direct => {}
        Proxy::Command(text) => drop(all.insert("proxycommand", text.clone())),
        Proxy::Jump(hosts) => {
            let hops = hosts.iter().map(|jump| {
                let user = jump.user.as_ref().map(|user| format!("{user}@"));
                let port = jump.port.map(|port| format!(":{port}"));
                format!(
                    "{}{}{}",
                    user.unwrap_or_default(),
                    jump.host,
                    port.unwrap_or_default()
                )
            });
            all.insert("proxyjump", hops.collect::<Vec<_>>().join(","));
        }
    }
    all
}

/// The part about keys, those of hosts too.
fn keys(host: &HostConfig) -> BTreeMap<&'static str, String> {
    let flag = |value: bool| if value { "yes" } else { "no" }.to_owned();
    let agent = match &host.identity_agent {
        IdentityAgent::Environment => String::new(),
        IdentityAgent::Nobody => "none".into(),
        IdentityAgent::Socket(path) => path.clone(),
    };
    let forwarded = match &host.forward_agent {
        ForwardAgent::No => flag(false),
        ForwardAgent::Yes => flag(true),
        ForwardAgent::Socket(path) => path.clone(),
    };
    let strict = match host.strict_host_key_checking {
        StrictHostKeyChecking::Yes => "true",
        StrictHostKeyChecking::Ask => "ask",
        StrictHostKeyChecking::AcceptNew => "accept-new",
        StrictHostKeyChecking::No => "false",
    };
    BTreeMap::from([
        ("identityfile", host.identity_files.join("|")),
        ("certificatefile", host.certificate_files.join("|")),
        ("identitiesonly", flag(host.identities_only)),
        ("identityagent", agent),
        ("forwardagent", forwarded),
        ("passwordauthentication", flag(host.password_authentication)),
        (
            "kbdinteractiveauthentication",
            flag(host.kbd_interactive_authentication),
        ),
        (
            "preferredauthentications",
            host.preferred_authentications.join(","),
        ),
        ("stricthostkeychecking", strict.to_owned()),
        ("userknownhostsfile", host.user_known_hosts_files.join(" ")),
        (
            "globalknownhostsfile",
            host.global_known_hosts_files.join(" "),
        ),
        (
            "hostkeyalias",
            host.host_key_alias.clone().unwrap_or_default(),
        ),
        ("checkhostip", flag(host.check_host_ip)),
        ("hashknownhosts", flag(host.hash_known_hosts)),
    ])
}

#[test]
fn agrees_with_what_ssh_prints() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("config");
    let file = file.to_str().unwrap();
    fs::write(file, "").unwrap();
    let Some(plain) = printed(file, "web") else {
        eprintln!("skipped: no `ssh` here");
        return;
    };
    let known_hosts = plain["userknownhostsfile"][0].clone();
    let home = known_hosts.split("/.ssh/").next().unwrap().to_owned();
    let machine = Machine {
        user: plain["user"][0].clone(),
        home: home.clone(),
        ..Machine::default()
    };
    let mut different = Vec::new();
    for text in CONFIGS {
        fs::write(file, text).unwrap();
        let config = Config::read(&Sources::Only(file.into()), &DiskFiles, &machine).unwrap();
        for host in HOSTS {
            let theirs = printed(file, host).unwrap();
            let host_config = config.resolve(host, &Given::default(), &machine).unwrap();
            for (name, value) in ours(&host_config) {
                let mut wanted = theirs.get(name).cloned().unwrap_or_default();
                for path in wanted.iter_mut().filter(|_| name.ends_with("file")) {
                    *path = path.replacen("~/", &format!("{home}/"), 1);
                }
                if name == "proxycommand" {
                    let put =
                        |text: &String| text.replace("%h", &host_config.host).replace("%p", "22");
                    wanted = wanted.iter().map(put).collect();
                }
                // `none` names no file; some versions tell of an agent that is not set.
                wanted.retain(|value| {
                    !(name == "identityfile" && value == "none") && value != "SSH_AUTH_SOCK"
                });
                let wanted = wanted.join("|");
                if value != wanted {
                    different.push(format!(
                        "{text:?} {host}: {name}: ssh {wanted:?}, we {value:?}"
                    ));
                }
            }
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}

/// Lines that a file may be made of, put together anyhow.
fn any_config() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        Just("web".to_owned()),
        Just("Host".to_owned()),
        Just("Match".to_owned()),
        Just("final".to_owned()),
        Just("all".to_owned()),
        Just("Include".to_owned()),
        Just("config".to_owned()),
        Just("HostName".to_owned()),
        Just("IdentityFile".to_owned()),
        Just("ProxyJump".to_owned()),
        Just("\n".to_owned()),
        "[a-zA-Z]{1,12}",
        "[%~$={}\"'\\\\#!*?,@:\\[\\]]{1,6}",
        any::<String>(),
    ];
    proptest::collection::vec(word, 0..40).prop_map(|words| words.join(" "))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_text_is_read_or_refused(text in any_config(), host in any::<String>()) {
        // Either is fine; what counts is that it ends.
        drop(resolve(&text, &host));
        drop(resolve(&text, "web"));
    }

    #[test]
    fn any_value_is_read_or_refused(
        keyword in prop::sample::select(vec![
            "Port", "ConnectTimeout", "ProxyJump", "ProxyCommand", "IdentityFile", "HostName",
            "UserKnownHostsFile", "Match host", "Match", "Host", "IdentityAgent", "StrictHostKeyChecking",
        ]),
        value in any::<String>(),
    ) {
        if let Ok(host) = resolve(&format!("{keyword} {value}"), "web") {
            prop_assert!(host.port != 0 && host.connection_attempts > 0);
        }
    }
}
