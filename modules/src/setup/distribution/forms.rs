//! The forms of release files.

use super::{Found, find};
use crate::setup::section::{Texts, trimmed};

/// What one release file says; nothing if it is not of this form.
pub(super) fn of_file(
    form: &str,
    path: &str,
    text: &str,
    texts: &Texts,
    guessed: &Found,
) -> Option<Found> {
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
        "Slackware" => text
            .contains("Slackware")
            .then(|| found.maybe("distribution_version", find(r"(\w+[.]\w+\+?)", text))),
        "OpenWrt" => text.contains("OpenWrt").then(|| lsb(found, text)),
        "Amazon" => text.contains("Amazon").then(|| amazon(path, text)),
        "Alpine" => Some(found.with("distribution_version", text)),
        "SUSE" => suse(path, text, texts, guessed),
        "Debian" => debian(path, text, texts),
        "Mandriva" => text.contains("Mandriva").then(|| lsb(found, text)),
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

/// What a file of the Linux Standard Base says.
fn lsb(found: Found, text: &str) -> Found {
    found
        .maybe(
            "distribution_version",
            find(r#"DISTRIB_RELEASE="(.*)""#, text),
        )
        .maybe(
            "distribution_release",
            find(r#"DISTRIB_CODENAME="(.*)""#, text),
        )
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
            release.map(|part| {
                if part.is_empty() {
                    "0".to_owned()
                } else {
                    part
                }
            })
        };
        found = found
            .maybe(
                "distribution",
                name.map(|name| name.trim_matches('"').to_owned()),
            )
            .version(version)
            .maybe("distribution_release", release);
    } else if lower.contains("open") {
        let first = text.split_whitespace().next().unwrap_or_default();
        found = found
            .with("distribution", first)
            .maybe("distribution_release", find("CODENAME *= *([^\n]+)", text));
    } else if lower.contains("enterprise") {
        let name = if text.contains("Server") {
            "SLES"
        } else {
            "SLED"
        };
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
