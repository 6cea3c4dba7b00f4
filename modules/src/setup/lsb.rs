//! `lsb`.

use evenkeel_engine::{Map, Value};

use super::section::{Raw, Section, map, trimmed};

/// `lsb`: what `lsb_release` says, else its file.
pub(super) fn read(raw: &Raw) -> Map {
    let texts = raw.of(Section::Lsb);
    let mut found = Map::new();
    let mut note = |name: &str, value: &str| {
        let value = value.trim().trim_matches(['\'', '"', '\\']);
        found.insert(name.to_owned(), value.into());
    };
    if let Some(text) = trimmed(texts, "program") {
        for (key, value) in text.lines().filter_map(|line| line.split_once(':')) {
            match key.trim() {
                "LSB Version" | "Release" => note("release", value),
                "Distributor ID" => note("id", value),
                "Description" => note("description", value),
                "Codename" => note("codename", value),
                _ => {}
            }
        }
    } else {
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
    if let Some(release) = found.get("release").and_then(Value::as_str) {
        let major = release.split('.').next().unwrap_or_default().to_owned();
        found.insert("major_release".to_owned(), major.into());
    }
    map([("lsb", Value::Map(found))])
}
