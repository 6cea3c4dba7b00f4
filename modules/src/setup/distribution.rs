//! Which distribution a host runs, from its release files, as Ansible reads them.

mod forms;

use evenkeel_engine::{Map, Value};
use regex::Regex;

use super::section::{Raw, Section, Texts, trimmed};
use forms::of_file;

/// Release files in the order in which they are looked at: path, and whose form it is.
const FILES: &[(&str, &str)] = &[
    ("/etc/altlinux-release", "Altlinux"),
    ("/etc/oracle-release", "OracleLinux"),
    ("/etc/slackware-version", "Slackware"),
    ("/etc/centos-release", "CentOS"),
    ("/etc/redhat-release", "RedHat"),
    ("/etc/vmware-release", "VMwareESX"),
    ("/etc/openwrt_release", "OpenWrt"),
    ("/etc/os-release", "Amazon"),
    ("/etc/system-release", "Amazon"),
    ("/etc/alpine-release", "Alpine"),
    ("/etc/arch-release", "Archlinux"),
    ("/etc/os-release", "Archlinux"),
    ("/etc/os-release", "SUSE"),
    ("/etc/SuSE-release", "SUSE"),
    ("/etc/gentoo-release", "Gentoo"),
    ("/etc/os-release", "Debian"),
    ("/etc/lsb-release", "Debian"),
    ("/etc/lsb-release", "Mandriva"),
    ("/etc/sourcemage-release", "SMGL"),
    ("/usr/lib/os-release", "ClearLinux"),
    ("/etc/coreos/update.conf", "Coreos"),
    ("/etc/os-release", "Flatcar"),
    ("/etc/os-release", "NA"),
];

/// Files that say something by being there.
const MAY_BE_EMPTY: &[&str] = &["/etc/vmware-release", "/etc/arch-release"];

const FAMILIES: &[(&str, &[&str])] = &[
    (
        "RedHat",
        &[
            "RedHat",
            "RHEL",
            "Fedora",
            "CentOS",
            "Scientific",
            "SLC",
            "Ascendos",
            "CloudLinux",
            "PSBM",
            "OracleLinux",
            "OVS",
            "OEL",
            "Amazon",
            "Amzn",
            "Virtuozzo",
            "XenServer",
            "Alibaba",
            "EulerOS",
            "openEuler",
            "AlmaLinux",
            "Rocky",
            "TencentOS",
            "EuroLinux",
            "Kylin Linux Advanced Server",
            "MIRACLE",
        ],
    ),
    (
        "Debian",
        &[
            "Debian",
            "Ubuntu",
            "Raspbian",
            "Neon",
            "KDE neon",
            "Linux Mint",
            "SteamOS",
            "Devuan",
            "Kali",
            "Cumulus Linux",
            "Pop!_OS",
            "Parrot",
            "Pardus GNU/Linux",
            "Uos",
            "Deepin",
            "OSMC",
            "Linux Mint Debian Edition",
        ],
    ),
    (
        "Suse",
        &[
            "SuSE",
            "SLES",
            "SLED",
            "openSUSE",
            "openSUSE Tumbleweed",
            "SLES_SAP",
            "SUSE_LINUX",
            "openSUSE Leap",
            "ALP-Dolomite",
            "SL-Micro",
            "openSUSE MicroOS",
        ],
    ),
    ("Archlinux", &["Archlinux", "Antergos", "Manjaro"]),
    ("Mandrake", &["Mandrake", "Mandriva"]),
    ("Gentoo", &["Gentoo", "Funtoo"]),
    ("ClearLinux", &["Clear Linux OS", "Clear Linux Mix"]),
];

/// What `os-release` says.
struct OsRelease(Vec<(String, String)>);

impl OsRelease {
    fn new(text: &str) -> Self {
        let pairs = text.lines().filter_map(|line| {
            let (key, value) = line.trim().split_once('=')?;
            let value = shlex::split(value).map_or_else(|| value.to_owned(), |w| w.join(" "));
            Some((key.to_owned(), value))
        });
        Self(pairs.collect())
    }

    fn get(&self, key: &str) -> Option<&str> {
        let found = self.0.iter().rev().find(|(name, _)| name == key);
        found.map(|(_, value)| value.as_str())
    }
}

/// The first group of a pattern.
fn find(pattern: &str, text: &str) -> Option<String> {
    let found = Regex::new(pattern).ok()?.captures(text)?;
    Some(found.get(1)?.as_str().to_owned())
}

/// The one with the most dots, the first of equals.
fn most_exact<'a>(versions: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let dots = |version: &str| version.matches('.').count();
    versions.into_iter().fold(None, |best, version| match best {
        Some(best) if dots(best) >= dots(version) => Some(best),
        _ => Some(version),
    })
}

/// What is said of Linux without a look at each distribution's own files.
fn guess(texts: &Texts) -> Found {
    let text = texts
        .get("/etc/os-release")
        .or_else(|| texts.get("/usr/lib/os-release"));
    let release = OsRelease::new(text.map_or("", String::as_str));
    let id = release.get("ID").unwrap_or_default().to_lowercase();
    let of_file = trimmed(texts, "/etc/redhat-release")
        .or_else(|| trimmed(texts, "/etc/centos-release"))
        .and_then(|text| find(r"(\d[\d.]*)", text));
    let plain = release.get("VERSION_ID").map(str::to_owned);
    let plain = plain.or_else(|| of_file.clone());
    let version = match id.as_str() {
        "debian" => {
            let own = trimmed(texts, "/etc/debian_version");
            let own = own.filter(|own| own.starts_with(|c: char| c.is_ascii_digit()));
            most_exact(plain.as_deref().into_iter().chain(own)).map(str::to_owned)
        }
        "centos" => {
            let best = most_exact(plain.as_deref().into_iter().chain(of_file.as_deref()));
            best.map(|best| best.split('.').take(2).collect::<Vec<_>>().join("."))
        }
        _ => plain,
    };
    let words = |version: &str| {
        let inside = find(r"\((\D+)\)", version).or_else(|| find(r",\s*(\D+)", version));
        inside.map(|name| name.trim().to_owned())
    };
    let code = release
        .get("VERSION_CODENAME")
        .or_else(|| release.get("UBUNTU_CODENAME"))
        .map(str::to_owned)
        .or_else(|| release.get("VERSION").and_then(words))
        .or_else(|| trimmed(texts, "/etc/redhat-release").and_then(words));
    let name = match id.as_str() {
        "" => "OtherLinux".to_owned(),
        "amzn" => "Amazon".to_owned(),
        "rhel" => "Redhat".to_owned(),
        id => {
            let mut chars = id.chars();
            let first = chars.next().map(|c| c.to_uppercase().to_string());
            first.unwrap_or_default() + chars.as_str()
        }
    };
    let version = version.filter(|version| !version.is_empty());
    let version = version.unwrap_or_else(|| "NA".to_owned());
    let major = version.split('.').next().unwrap_or("NA").to_owned();
    Found::default()
        .with("distribution", name)
        .with("distribution_version", version)
        .with(
            "distribution_release",
            code.unwrap_or_else(|| "NA".to_owned()),
        )
        .with("distribution_major_version", major)
}

#[derive(Clone, Default)]
struct Found(Map);

impl Found {
    fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.insert(name.to_owned(), value.into());
        self
    }

    fn maybe(self, name: &str, value: Option<String>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// The version, and its first part.
    fn version(self, version: Option<String>) -> Self {
        let major = version
            .as_deref()
            .map(|version| version.split('.').next().unwrap_or_default().to_owned());
        self.maybe("distribution_version", version)
            .maybe("distribution_major_version", major)
    }

    fn text(&self, name: &str) -> &str {
        self.0.get(name).and_then(Value::as_str).unwrap_or_default()
    }
}

/// Facts of `distribution`.
pub(super) fn read(raw: &Raw) -> Map {
    let texts = raw.of(Section::Distribution);
    let guessed = guess(texts);
    let mut found = guessed.clone();
    for (path, form) in FILES {
        let Some(text) = texts.get(*path) else {
            continue;
        };
        let at = |found: Found| {
            found
                .with("distribution", *form)
                .with("distribution_file_path", *path)
                .with("distribution_file_variety", *form)
        };
        if MAY_BE_EMPTY.contains(path) {
            found = at(found);
            break;
        }
        let text = text.trim();
        if text.is_empty() {
            continue;
        }
        if let Some(more) = of_file(form, path, text, texts, &guessed) {
            found = at(found).with("distribution_file_parsed", true);
            found.0.extend(more.0);
            break;
        }
    }
    let name = found.text("distribution").to_owned();
    let family = FAMILIES
        .iter()
        .find(|(_, names)| names.contains(&name.as_str()))
        .map_or(name.as_str(), |(family, _)| family);
    let family = family.to_owned();
    found.with("os_family", family).0
}
