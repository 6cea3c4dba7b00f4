//! Which distribution a host runs, from its release files, as Ansible reads them.

use evenkeel_engine::{Map, Value};
use regex::Regex;

use super::section::{Raw, Section, Texts, map, trimmed};

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
        .with("distribution_release", code.unwrap_or_else(|| "NA".to_owned()))
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

/// What one release file says; nothing if it is not of this form.
fn of_file(form: &str, path: &str, text: &str, texts: &Texts, guessed: &Found) -> Option<Found> {
    let found = Found::default();
    let text = text.trim_matches(['\'', '"', '\\']);
    let searched = match form {
        "OracleLinux" => Some("Oracle Linux"),
        "RedHat" => Some("Red Hat"),
        "Altlinux" => Some("ALT"),
        "SMGL" => Some("Source Mage GNU/Linux"),
        _ => None,
    };
    if let Some(searched) = searched {
        return Some(if text.contains(searched) {
            found
                .with("distribution", form)
                .with("distribution_file_search_string", searched)
        } else {
            let first = text.split_whitespace().next().unwrap_or_default();
            found.with("distribution", first)
        });
    }
    match form {
        "Archlinux" => text
            .contains("Arch Linux")
            .then(|| found.with("distribution", form)),
        "CentOS" if text.contains("CentOS Stream") => {
            Some(found.with("distribution_release", "Stream"))
        }
        "CentOS" => text
            .contains("TencentOS Server")
            .then(|| found.with("distribution", "TencentOS")),
        "Slackware" => text.contains("Slackware").then(|| {
            found.maybe("distribution_version", find(r"(\w+[.]\w+\+?)", text))
        }),
        "OpenWrt" => text.contains("OpenWrt").then(|| {
            found
                .maybe("distribution_version", find(r#"DISTRIB_RELEASE="(.*)""#, text))
                .maybe("distribution_release", find(r#"DISTRIB_CODENAME="(.*)""#, text))
        }),
        "Amazon" => text.contains("Amazon").then(|| amazon(path, text)),
        "Alpine" => Some(found.with("distribution_version", text)),
        "SUSE" => suse(path, text, texts, guessed),
        "Debian" => debian(path, text, texts),
        "Mandriva" => text.contains("Mandriva").then(|| {
            found
                .maybe("distribution_version", find(r#"DISTRIB_RELEASE="(.*)""#, text))
                .maybe("distribution_release", find(r#"DISTRIB_CODENAME="(.*)""#, text))
        }),
        "ClearLinux" => {
            let name = find(r#"NAME="(.*)""#, text)?;
            name.contains("Clear Linux").then(|| {
                let version = find("VERSION_ID=(.*)", text);
                found
                    .with("distribution", name)
                    .maybe("distribution_major_version", version.clone())
                    .maybe("distribution_version", version)
                    .maybe("distribution_release", find("ID=(.*)", text))
            })
        }
        "Coreos" => (guessed.text("distribution") == "Coreos")
            .then(|| found.maybe("distribution_release", find("(?m)^GROUP=(.*)", text))),
        "Flatcar" => (guessed.text("distribution") == "Flatcar").then(|| {
            let version = find("VERSION=(.*)", text);
            found.version(version.map(|version| version.trim_matches('"').to_owned()))
        }),
        "NA" => {
            let quoted = |text: String| text.trim_matches('"').to_owned();
            let version = find("(?m)^VERSION=(.*)", text).map(quoted);
            let version = version.filter(|_| guessed.text("distribution_version") == "NA");
            Some(
                found
                    .maybe("distribution", find("(?m)^NAME=(.*)", text).map(quoted))
                    .maybe("distribution_version", version),
            )
        }
        _ => None,
    }
}

fn amazon(path: &str, text: &str) -> Found {
    let found = Found::default().with("distribution", "Amazon");
    if path != "/etc/os-release" {
        let digits = |word: &&str| word.bytes().all(|byte| byte.is_ascii_digit());
        let version = text.split_whitespace().find(digits).unwrap_or("NA");
        return found.with("distribution_version", version);
    }
    let Some(version) = find(r#"VERSION_ID="(.*)""#, text) else {
        return found;
    };
    let (major, minor) = version.split_once('.').unwrap_or((&version, "NA"));
    found
        .with("distribution_major_version", major)
        .with("distribution_minor_version", minor)
        .with("distribution_version", version.as_str())
}

fn suse(path: &str, text: &str, texts: &Texts, guessed: &Found) -> Option<Found> {
    let lower = text.to_lowercase();
    if !lower.contains("suse") {
        return None;
    }
    let mut found = Found::default();
    if path == "/etc/os-release" {
        let name = find("(?m)^NAME=(.*)", text);
        let version = find(r#"(?m)^VERSION_ID="?([0-9]+\.?[0-9]*)"?"#, text);
        let release = find(r#"(?m)^VERSION_ID="?[0-9]+\.?([0-9]*)"?"#, text);
        let release = if lower.contains("open") {
            release
        } else {
            release.map(|part| if part.is_empty() { "0".to_owned() } else { part })
        };
        found = found
            .maybe("distribution", name.map(|name| name.trim_matches('"').to_owned()))
            .version(version)
            .maybe("distribution_release", release);
    } else if lower.contains("open") {
        let first = text.split_whitespace().next().unwrap_or_default();
        found = found
            .with("distribution", first)
            .maybe("distribution_release", find("CODENAME *= *([^\n]+)", text));
    } else if lower.contains("enterprise") {
        let name = if text.contains("Server") { "SLES" } else { "SLED" };
        let level = find("PATCHLEVEL = ([0-9]+)", text);
        let version = level
            .as_ref()
            .map(|level| format!("{}.{level}", guessed.text("distribution_version")));
        found = found
            .with("distribution", name)
            .maybe("distribution_release", level)
            .maybe("distribution_version", version);
    }
    let product = trimmed(texts, "product").unwrap_or_default();
    let special = match find(r#"(?m)^VARIANT_ID="?([^"\n]*)"?"#, text).as_deref() {
        Some("server-sap" | "sles-sap") => Some("SLES_SAP"),
        Some("transactional") => Some("SL-Micro"),
        None if product.ends_with("SLES_SAP.prod") => Some("SLES_SAP"),
        None if product.ends_with("SL-Micro.prod") => Some("SL-Micro"),
        _ => None,
    };
    Some(found.maybe("distribution", special.map(str::to_owned)))
}

fn debian(path: &str, text: &str, texts: &Texts) -> Option<Found> {
    let named = |name: &str| Found::default().with("distribution", name);
    let quoted_version = || find(r#"VERSION_ID="(.*)""#, text);
    let code = || find(r#"VERSION_CODENAME="?([^"\n]+)"?"#, text);
    let has = |word: &str| text.contains(word);
    let known = ["/etc/lsb-release", "/etc/os-release"].contains(&path);
    Some(if has("Debian") || has("Raspbian") {
        let own = trimmed(texts, "/etc/debian_version").unwrap_or_default();
        named("Debian")
            .maybe(
                "distribution_release",
                find(r"PRETTY_NAME=[^(]+ \(?([^)]+?)\)", text),
            )
            .maybe("distribution_minor_version", find(r"\d+\.(\d+)", own))
    } else if has("Ubuntu") {
        named("Ubuntu")
    } else if has("SteamOS") {
        named("SteamOS")
    } else if known && (has("Kali") || has("Parrot")) {
        named(if has("Kali") { "Kali" } else { "Parrot" })
            .maybe("distribution_release", find("DISTRIB_RELEASE=(.*)", text))
    } else if has("Devuan") {
        let version = quoted_version();
        named("Devuan")
            .maybe(
                "distribution_release",
                find(r#"PRETTY_NAME="?[^("]+ \(?([^) "]+)\)?"#, text),
            )
            .maybe("distribution_major_version", version.clone())
            .maybe("distribution_version", version)
    } else if has("Cumulus") {
        named("Cumulus Linux")
            .version(find("VERSION_ID=(.*)", text))
            .maybe("distribution_release", find(r#"VERSION="(.*)""#, text))
    } else if has("Mint") {
        named("Linux Mint").version(quoted_version())
    } else if has("UOS") || has("Uos") || has("uos") {
        named("Uos")
            .maybe("distribution_release", code())
            .version(quoted_version())
    } else if has("Deepin") || has("deepin") {
        named("Deepin")
            .maybe("distribution_release", code())
            .version(quoted_version())
    } else if has("LMDE") {
        named("Linux Mint Debian Edition")
    } else {
        return None;
    })
}

/// `lsb`: what `lsb_release` says, else its file.
pub(super) fn lsb(raw: &Raw) -> Map {
    let texts = raw.of(Section::Lsb);
    let mut found = Map::new();
    let mut note = |name: &str, value: &str| {
        let value = value.trim().trim_matches(['\'', '"', '\\']);
        found.insert(name.to_owned(), value.into());
    };
    match trimmed(texts, "program") {
        Some(text) => {
            for (key, value) in text.lines().filter_map(|line| line.split_once(':')) {
                match key.trim() {
                    "LSB Version" | "Release" => note("release", value),
                    "Distributor ID" => note("id", value),
                    "Description" => note("description", value),
                    "Codename" => note("codename", value),
                    _ => {}
                }
            }
        }
        None => {
            let text = texts.get("file").map_or("", String::as_str);
            for (key, value) in text.lines().filter_map(|line| line.split_once('=')) {
                match key.trim() {
                    "DISTRIB_ID" => note("id", value),
                    "DISTRIB_RELEASE" => note("release", value),
                    "DISTRIB_DESCRIPTION" => note("description", value),
                    "DISTRIB_CODENAME" => note("codename", value),
                    _ => {}
                }
            }
        }
    }
    if let Some(release) = found.get("release").and_then(Value::as_str) {
        let major = release.split('.').next().unwrap_or_default().to_owned();
        found.insert("major_release".to_owned(), major.into());
    }
    map([("lsb", Value::Map(found))])
}
