//! The smaller facts of a system.

use evenkeel_engine::{Map, Value};

use super::{
    distribution,
    section::{Raw, Section, Texts, list, map, trimmed},
};

fn number(text: &str) -> Value {
    text.trim()
        .parse::<i64>()
        .map_or_else(|_| text.into(), Value::from)
}

fn there(texts: &Texts, path: &str) -> bool {
    texts.contains_key(path)
}

fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

pub(super) fn platform(raw: &Raw) -> Map {
    let texts = raw.of(Section::Platform);
    let uname = trimmed(texts, "uname").unwrap_or_default();
    let mut words = uname.splitn(4, ' ');
    let mut word = || words.next().unwrap_or_default();
    let (system, node, kernel, rest) = (word(), word(), word(), word());
    let (version, machine) = rest.rsplit_once(' ').unwrap_or(("", rest));
    let of_name = || {
        if machine.ends_with("64") || machine == "s390x" {
            "64"
        } else {
            "32"
        }
    };
    let bits = trimmed(texts, "bits").unwrap_or_else(of_name);
    let intel = matches!(machine, "i386" | "i486" | "i586" | "i686" | "i86pc");
    let mut facts = map([
        ("system", system.into()),
        ("kernel", kernel.into()),
        ("kernel_version", version.into()),
        ("machine", machine.into()),
        ("architecture", if intel { "i386" } else { machine }.into()),
        ("userspace_bits", bits.into()),
        ("hostname", node.split('.').next().unwrap_or(node).into()),
        ("nodename", node.into()),
    ]);
    if intel || machine == "x86_64" {
        let userspace = if bits == "64" { "x86_64" } else { "i386" };
        facts.insert("userspace_architecture".to_owned(), userspace.into());
    }
    if let Some(id) = trimmed(texts, "dbus").or_else(|| trimmed(texts, "etc")) {
        facts.insert("machine_id".to_owned(), id.into());
    }
    facts
}

pub(super) fn fqdn(raw: &Raw) -> Map {
    let texts = raw.of(Section::Fqdn);
    let node = trimmed(texts, "node").unwrap_or_default();
    let full = match trimmed(texts, "reverse") {
        Some(line) => {
            // An address, and the names that it has.
            let names: Vec<&str> = line
                .lines()
                .flat_map(|line| line.split_whitespace().skip(1))
                .collect();
            let dotted = names.iter().find(|name| name.contains('.'));
            dotted.or(names.first()).copied().unwrap_or(node)
        }
        None => trimmed(texts, "full").unwrap_or(node),
    };
    let domain = full.split_once('.').map_or("", |(_, domain)| domain);
    map([("fqdn", full.into()), ("domain", domain.into())])
}

pub(super) fn user(raw: &Raw) -> Map {
    let texts = raw.of(Section::User);
    let ids: Vec<&str> = trimmed(texts, "id")
        .unwrap_or_default()
        .splitn(4, ' ')
        .collect();
    let [real, effective, group, name] = ids[..] else {
        return Map::new();
    };
    let mut facts = map([
        ("user_id", name.into()),
        ("real_user_id", number(real)),
        ("effective_user_id", number(effective)),
        ("real_group_id", number(group)),
        ("effective_group_id", number(group)),
    ]);
    let entry: Vec<&str> = trimmed(texts, "passwd")
        .unwrap_or_default()
        .split(':')
        .collect();
    if let [_, _, uid, gid, gecos, dir, shell] = entry[..] {
        facts.extend(map([
            ("user_uid", number(uid)),
            ("user_gid", number(gid)),
            ("user_gecos", gecos.into()),
            ("user_dir", dir.into()),
            ("user_shell", shell.into()),
        ]));
    }
    facts
}

pub(super) fn env(raw: &Raw) -> Map {
    let text = raw.of(Section::Env).get("env");
    let pairs = text.map_or("", String::as_str).split('\u{1}');
    let pairs = pairs.filter_map(|pair| pair.split_once('='));
    let env: Map = pairs
        .map(|(name, value)| (name.to_owned(), value.into()))
        .collect();
    map([("env", Value::Map(env))])
}

pub(super) fn loadavg(raw: &Raw) -> Map {
    let text = trimmed(raw.of(Section::Loadavg), "loadavg").unwrap_or_default();
    let mut loads = text
        .split(' ')
        .map(|load| Value::Float(load.parse().unwrap_or_default()));
    let mut load = || loads.next().unwrap_or_default();
    let all = map([("1m", load()), ("5m", load()), ("15m", load())]);
    map([("loadavg", Value::Map(all))])
}

pub(super) fn dns(raw: &Raw) -> Map {
    let mut found = Map::new();
    let text = raw.of(Section::Dns).get("resolv");
    for line in text.map_or("", String::as_str).lines() {
        if line.starts_with(['#', ';']) {
            continue;
        }
        let mut words = line.split_whitespace();
        let Some(key) = words.next() else { continue };
        match key {
            "nameserver" => {
                let entry = found
                    .entry("nameservers".to_owned())
                    .or_insert_with(|| Value::Seq(Vec::new()));
                if let Value::Seq(all) = entry {
                    all.extend(words.map(Value::from));
                }
            }
            "domain" => {
                if let Some(domain) = words.next() {
                    found.insert("domain".to_owned(), domain.into());
                }
            }
            "search" | "sortlist" => {
                found.insert(key.to_owned(), list(words));
            }
            "options" => {
                let option = |word: &str| match word.split_once(':') {
                    Some((name, value)) if !value.is_empty() => (name.to_owned(), value.into()),
                    Some((name, _)) => (name.to_owned(), true.into()),
                    None => (word.to_owned(), true.into()),
                };
                let options: Map = words.map(option).collect();
                found.insert("options".to_owned(), Value::Map(options));
            }
            _ => {}
        }
    }
    map([("dns", Value::Map(found))])
}

pub(super) fn apparmor(raw: &Raw) -> Map {
    let on = there(raw.of(Section::Apparmor), "/sys/kernel/security/apparmor");
    let status = if on { "enabled" } else { "disabled" };
    map([("apparmor", Value::Map(map([("status", status.into())])))])
}

pub(super) fn fips(raw: &Raw) -> Map {
    let on = trimmed(raw.of(Section::Fips), "enabled") == Some("1");
    map([("fips", on.into())])
}

pub(super) fn chroot(raw: &Raw) -> Map {
    let texts = raw.of(Section::Chroot);
    if trimmed(texts, "name").is_some() {
        return map([("is_chroot", true.into())]);
    }
    let roots: Vec<&str> = trimmed(texts, "roots")
        .unwrap_or_default()
        .lines()
        .collect();
    let inside = match roots[..] {
        [mine, first] => mine != first,
        // Only root may look at the first process: the number of the root of a file system tells.
        [mine] => {
            let root = match trimmed(texts, "type") {
                Some("btrfs") => "256",
                Some("xfs") => "128",
                _ => "2",
            };
            mine.split_once(':').is_some_and(|(_, inode)| inode != root)
        }
        _ => false,
    };
    map([("is_chroot", inside.into())])
}

pub(super) fn cmdline(raw: &Raw) -> Map {
    let Some(text) = trimmed(raw.of(Section::Cmdline), "cmdline") else {
        return Map::new();
    };
    let (mut last, mut all) = (Map::new(), Map::new());
    for word in quoted_words(text) {
        let Some((name, value)) = word.split_once('=') else {
            last.insert(word.to_owned(), true.into());
            all.insert(word.to_owned(), true.into());
            continue;
        };
        last.insert(name.to_owned(), value.into());
        match all.get_mut(name) {
            Some(Value::Seq(values)) => values.push(value.into()),
            Some(first) => *first = [first.clone(), value.into()].into_iter().collect(),
            None => {
                all.insert(name.to_owned(), value.into());
            }
        }
    }
    map([
        ("cmdline", Value::Map(last)),
        ("proc_cmdline", Value::Map(all)),
    ])
}

/// Words, with space in quotes kept, and the quotes too.
fn quoted_words(text: &str) -> Vec<&str> {
    let (mut words, mut start, mut quote) = (Vec::new(), 0, None);
    for (at, c) in text.char_indices() {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if c == '"' || c == '\'' => quote = Some(c),
            None if c.is_whitespace() => {
                words.push(&text[start..at]);
                start = at + c.len_utf8();
            }
            None => {}
        }
    }
    words.push(&text[start..]);
    words.retain(|word| !word.is_empty());
    words
}

pub(super) fn selinux(raw: &Raw) -> Map {
    let texts = raw.of(Section::Selinux);
    let config = texts.get("config").map_or("", String::as_str);
    let setting = |name: &str| {
        let lines = config
            .lines()
            .filter_map(|line| line.trim().split_once('='));
        lines
            .filter(|(key, _)| key.trim() == name)
            .map(|(_, value)| value.trim().to_lowercase())
            .next_back()
    };
    let facts = match trimmed(texts, "enforce") {
        None => map([("status", "disabled".into())]),
        Some(mode) => {
            let unknown = || "unknown".to_owned();
            map([
                ("status", "enabled".into()),
                (
                    "policyvers",
                    trimmed(texts, "policyvers").map_or_else(|| "unknown".into(), number),
                ),
                (
                    "config_mode",
                    setting("SELINUX").unwrap_or_else(unknown).into(),
                ),
                (
                    "mode",
                    if mode == "1" {
                        "enforcing"
                    } else {
                        "permissive"
                    }
                    .into(),
                ),
                (
                    "type",
                    setting("SELINUXTYPE").unwrap_or_else(unknown).into(),
                ),
            ])
        }
    };
    map([
        ("selinux", Value::Map(facts)),
        ("selinux_python_present", true.into()),
    ])
}

/// Programs and the package manager that each stands for; the last one that is there counts.
const MANAGERS: &[(&str, &str)] = &[
    ("/usr/bin/rpm-ostree", "atomic_container"),
    ("/usr/bin/yum", "dnf"),
    ("/usr/bin/dnf-3", "dnf"),
    ("/usr/bin/dnf5", "dnf5"),
    ("/usr/bin/apt-get", "apt"),
    ("/usr/bin/zypper", "zypper"),
    ("/usr/sbin/urpmi", "urpmi"),
    ("/usr/bin/pacman", "pacman"),
    ("/bin/opkg", "opkg"),
    ("/usr/pkg/bin/pkgin", "pkgin"),
    ("/sbin/apk", "apk"),
    ("/usr/bin/emerge", "portage"),
    ("/usr/bin/pkg", "pkg5"),
    ("/usr/bin/xbps-install", "xbps"),
    ("/usr/bin/swupd", "swupd"),
    ("/usr/sbin/sorcery", "sorcery"),
];

pub(super) fn pkg_mgr(raw: &Raw) -> Map {
    let texts = raw.of(Section::PkgMgr);
    let distribution = distribution::read(raw);
    let family = distribution.get("os_family").and_then(Value::as_str);
    let found = MANAGERS
        .iter()
        .filter(|(path, _)| !(family == Some("Altlinux") && *path == "/usr/bin/pkg"))
        .rfind(|(path, _)| there(texts, path))
        .map_or("unknown", |(_, name)| *name);
    let dnf = || {
        let program = ["/usr/bin/dnf", "/usr/bin/microdnf"]
            .into_iter()
            .find(|path| there(texts, path));
        match program {
            Some(path) if trimmed(texts, &format!("to{path}")) == Some("/usr/bin/dnf5") => "dnf5",
            Some(_) => "dnf",
            None => "unknown",
        }
    };
    let name = match family {
        Some("RedHat") if there(texts, "/run/ostree-booted") => "atomic_container",
        Some("RedHat") => dnf(),
        Some("Debian") => "apt",
        Some("Altlinux") if found == "apt" => "apt_rpm",
        _ => found,
    };
    let name = if name == "apt" && there(texts, "apt_rpm") {
        "apt_rpm"
    } else {
        name
    };
    map([("pkg_mgr", name.into())])
}

pub(super) fn service_mgr(raw: &Raw) -> Map {
    let texts = raw.of(Section::ServiceMgr);
    let first = trimmed(texts, "comm").or_else(|| trimmed(texts, "init"));
    let first = first.map(base);
    let told = first.filter(|name| *name != "init" && !name.ends_with("sh"));
    let booted = [
        "/run/systemd/system/",
        "/dev/.run/systemd/",
        "/dev/.systemd/",
    ];
    let systemctl = there(texts, "systemctl");
    let name = match told {
        Some("procd") => "openwrt_init",
        Some("runit-init") => "runit",
        Some("svscan") => "svc",
        Some("openrc-init") => "openrc",
        Some(name) => name,
        None if systemctl && booted.iter().any(|path| there(texts, path)) => "systemd",
        None if there(texts, "initctl") && there(texts, "/etc/init/") => "upstart",
        None if there(texts, "/sbin/openrc") => "openrc",
        None if systemctl && trimmed(texts, "init").map(base) == Some("systemd") => "systemd",
        None if there(texts, "/etc/init.d/") => "sysvinit",
        None if there(texts, "/etc/dinit.d/") => "dinit",
        None => "service",
    };
    map([("service_mgr", name.into())])
}

pub(super) fn systemd(raw: &Raw) -> Map {
    let Some(text) = trimmed(raw.of(Section::Systemd), "version") else {
        return Map::new();
    };
    let version = text.split_whitespace().nth(1).unwrap_or_default();
    let features = text.lines().nth(1).unwrap_or_default();
    let all = map([("features", features.into()), ("version", number(version))]);
    map([("systemd", Value::Map(all))])
}

pub(super) fn ssh_pub_keys(raw: &Raw) -> Map {
    let texts = raw.of(Section::SshPubKeys);
    let mut facts = Map::new();
    for folder in ["/etc/ssh", "/etc/openssh", "/etc"] {
        for kind in ["dsa", "rsa", "ecdsa", "ed25519"] {
            let Some(line) = trimmed(texts, &format!("{folder}/{kind}")) else {
                continue;
            };
            let mut words = line.split_whitespace();
            if let (Some(keytype), Some(key)) = (words.next(), words.next()) {
                let name = format!("ssh_host_key_{kind}_public");
                facts.insert(format!("{name}_keytype"), keytype.into());
                facts.insert(name, key.into());
            }
        }
        if !facts.is_empty() {
            break;
        }
    }
    facts
}

pub(super) fn python(raw: &Raw) -> Map {
    let text = trimmed(raw.of(Section::Python), "python").unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let [executable, version, kind, ssl] = lines[..] else {
        return Map::new();
    };
    let info: Vec<Value> = version.split(' ').map(number).collect();
    let names = ["major", "minor", "micro", "releaselevel", "serial"];
    let named = names.map(str::to_owned).into_iter().zip(info.clone());
    let dotted: Vec<&str> = version.split(' ').take(3).collect();
    let python = map([
        ("executable", executable.into()),
        ("version", Value::Map(named.collect())),
        ("version_info", Value::Seq(info)),
        (
            "type",
            if kind.is_empty() {
                Value::Null
            } else {
                kind.into()
            },
        ),
        ("has_sslcontext", (ssl == "ssl").into()),
    ]);
    map([
        ("python", Value::Map(python)),
        ("python_version", dotted.join(".").into()),
    ])
}
