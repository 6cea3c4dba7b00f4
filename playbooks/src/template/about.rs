//! What a template may say of itself: `template_path`, `template_host` …

use std::{
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, absolute},
};

use evenkeel_engine::Map;
use jiff::{Timestamp, tz::TimeZone};

use super::{Uses, filters::dates::begun};

/// The variables of this kind that a template uses, and `template_path`. What comes of the present is of the
/// beginning of the run, so that a template gives the same each time it is looked at.
pub(crate) fn about(path: &Path, uses: &Uses) -> Map {
    let used = |name: &str| uses.names().any(|used| used.name == name);
    let mut found = Map::new();
    let mut add = |name: &str, value: Option<String>| {
        found.insert(name.to_owned(), value.unwrap_or_default().into());
    };
    add("template_path", Some(path.to_string_lossy().into_owned()));
    if used("template_fullpath") {
        let whole = absolute(path).ok();
        add(
            "template_fullpath",
            whole.map(|path| path.display().to_string()),
        );
    }
    if used("template_host") {
        let host = fs::read_to_string("/proc/sys/kernel/hostname").ok();
        add("template_host", host.map(|name| name.trim().to_owned()));
    }
    if used("template_uid") {
        let owner = fs::metadata(path).ok().map(|meta| meta.uid());
        add("template_uid", owner.map(name_of));
    }
    if used("template_mtime") {
        let changed = fs::metadata(path).and_then(|meta| meta.modified()).ok();
        let changed = changed.and_then(|time| Timestamp::try_from(time).ok());
        add("template_mtime", changed.map(written));
    }
    if used("template_run_date") {
        add("template_run_date", Some(written(begun())));
    }
    found
}

/// As Python writes a time.
fn written(time: Timestamp) -> String {
    let local = time.to_zoned(TimeZone::system());
    local.strftime("%Y-%m-%d %H:%M:%S.%6f").to_string()
}

/// The name of a user of this machine; the number if there is none.
fn name_of(uid: u32) -> String {
    let number = uid.to_string();
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let named = users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1) == Some(&number)).then(|| name.to_owned())
    });
    named.unwrap_or(number)
}

#[cfg(test)]
mod tests {
    use evenkeel_engine::Value;

    use super::*;

    #[test]
    fn only_what_is_used_is_found_out() {
        let uses =
            Uses::of_template("{{ template_uid }} {{ template_mtime }} {{ template_fullpath }}");
        let found = about(Path::new("Cargo.toml"), &uses);
        let text = |name: &str| found.get(name).and_then(Value::as_str).unwrap_or_default();
        assert_eq!(text("template_path"), "Cargo.toml");
        assert!(text("template_fullpath").starts_with('/'));
        assert!(!text("template_uid").is_empty());
        assert_eq!(
            text("template_mtime").len(),
            "2024-01-31 12:00:00.000000".len()
        );
        assert!(!found.contains_key("template_run_date"));
        assert_eq!(name_of(0), "root");
    }
}
