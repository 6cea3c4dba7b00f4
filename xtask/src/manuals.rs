//! The manuals below docs/modules: made from the modules themselves.

use std::{collections::BTreeMap, fs, io, path::Path};

use evenkeel::manual::Manual;

/// Where they are, below the root of the project.
const DIR: &str = "docs/modules";

/// All pages that there should be, by the names of their files.
fn pages() -> BTreeMap<String, String> {
    let registry = evenkeel_modules::standard();
    let mut index =
        "# Modules\n\nMade by `cargo xtask manuals` from what the modules say of themselves; \
        `evenkeel modules NAME` shows the same.\n\n"
            .to_owned();
    let mut pages = BTreeMap::new();
    for module in registry.iter() {
        let name = module.name();
        index.extend(["- [", name, "](", name, ".md): ", module.about(), "\n"]);
        pages.insert(format!("{name}.md"), Manual::of(module).markdown());
    }
    pages.insert("README.md".to_owned(), index);
    pages
}

/// The pages that there are.
fn there(root: &Path) -> io::Result<BTreeMap<String, String>> {
    let mut pages = BTreeMap::new();
    for entry in fs::read_dir(root.join(DIR))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        pages.insert(name, fs::read_to_string(entry.path())?);
    }
    Ok(pages)
}

/// Writes them, and removes those of modules that are no more.
pub(crate) fn write(root: &Path) -> Result<String, String> {
    let pages = pages();
    let written = || -> io::Result<()> {
        fs::create_dir_all(root.join(DIR))?;
        for name in there(root)?
            .keys()
            .filter(|name| !pages.contains_key(*name))
        {
            fs::remove_file(root.join(DIR).join(name))?;
        }
        for (name, text) in &pages {
            fs::write(root.join(DIR).join(name), text)?;
        }
        Ok(())
    };
    written().map_err(|error| format!("{DIR} cannot be written: {error}"))?;
    Ok(format!("{} pages are in {DIR}", pages.len()))
}

/// Whether they are what they should be.
pub(crate) fn check(root: &Path) -> Result<String, String> {
    let there = there(root).map_err(|error| format!("{DIR} cannot be read: {error}"))?;
    let pages = pages();
    let names = pages.keys().chain(there.keys());
    let mut stale: Vec<_> = (names.filter(|name| pages.get(*name) != there.get(*name)))
        .map(String::as_str)
        .collect();
    stale.sort_unstable();
    stale.dedup();
    if stale.is_empty() {
        return Ok(format!(
            "{} pages in {DIR} are as they should be",
            pages.len()
        ));
    }
    let stale = stale.join(", ");
    Err(format!(
        "in {DIR}, {stale} are not what the modules say: run `cargo xtask manuals`"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn manuals_are_what_the_modules_say() {
        check(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..")).unwrap();
    }

    #[test]
    fn a_page_that_is_stale_or_too_much_is_told_and_mended() {
        let root = tempfile::tempdir().unwrap();
        write(root.path()).unwrap();
        check(root.path()).unwrap();
        fs::write(root.path().join(DIR).join("file.md"), "old").unwrap();
        fs::write(root.path().join(DIR).join("gone.md"), "").unwrap();
        let told = check(root.path()).unwrap_err();
        assert!(told.contains("file.md, gone.md"), "{told}");
        write(root.path()).unwrap();
        check(root.path()).unwrap();
    }
}
