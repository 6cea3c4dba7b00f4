//! `dir` of `include_vars`: which files of a folder are read, and in which order.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use evenkeel_modules::include_vars::Args;
use fancy_regex::Regex;

use super::{
    include::{ENDINGS, FOLDER},
    store,
};
use crate::template::Fault;

/// The files of variables of a folder: folder by folder, by name.
pub(super) fn files(args: &Args, dir: &str, folders: &[PathBuf]) -> Result<Vec<PathBuf>, Fault> {
    let root = store::find(dir, FOLDER, folders)?;
    if !root.is_dir() {
        let what = format!("`dir`: `{}` is no folder", root.display());
        return Err(Fault::new("no_such_file", what).help("one file is `file`"));
    }
    let matching = args.files_matching.as_deref();
    let matching = matching.map(|text| regex("files_matching", text));
    let matching = matching.transpose()?;
    let ends = args.ignore_files.iter();
    let ignored = ends.map(|text| regex("ignore_files", &format!("(?:{text})$")));
    let ignored = ignored.collect::<Result<Vec<_>, _>>()?;
    let endings: Vec<&str> = match args.extensions.as_slice() {
        [] => ENDINGS.into(),
        own => own
            .iter()
            .map(|text| text.trim_start_matches('.'))
            .collect(),
    };
    let levels = Some(args.depth).filter(|depth| *depth > 0);
    let (mut below, mut seen) = (Vec::new(), BTreeSet::new());
    within(&root, levels.unwrap_or(u32::MAX), &mut below, &mut seen)?;
    below.sort_by_key(|path| path.as_os_str().to_owned());
    let mut found = Vec::new();
    for folder in below {
        let paths = sorted(&folder)?.into_iter();
        for path in paths.filter(|path| path.is_file()) {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let fits = |regex: &Regex| regex.is_match(&*name).unwrap_or(false);
            if matching.as_ref().is_some_and(|regex| !fits(regex)) || ignored.iter().any(fits) {
                continue;
            }
            let ending = path.extension().and_then(|ending| ending.to_str());
            if ending.is_some_and(|ending| endings.contains(&ending)) {
                found.push(path);
            } else if !args.ignore_unknown_extensions {
                let what = format!(
                    "`{}` ends in none of `{}`",
                    path.display(),
                    endings.join("`, `")
                );
                return Err(Fault::new("no_such_file", what)
                    .help("`ignore_unknown_extensions: true` leaves such files out"));
            }
        }
    }
    Ok(found)
}

fn regex(name: &str, text: &str) -> Result<Regex, Fault> {
    Regex::new(text).map_err(|error| {
        let what = format!("`{name}`: `{text}` is no regular expression: {error}");
        Fault::new("wrong_arguments", what)
    })
}

/// A folder and those in it, so many levels deep; each once, though links may lead back to it.
fn within(
    folder: &Path,
    levels: u32,
    found: &mut Vec<PathBuf>,
    seen: &mut BTreeSet<PathBuf>,
) -> Result<(), Fault> {
    let real = folder.canonicalize();
    if levels == 0 || !seen.insert(real.map_err(|why| unread(folder, &why))?) {
        return Ok(());
    }
    found.push(folder.to_owned());
    let paths = sorted(folder)?.into_iter();
    paths
        .filter(|path| path.is_dir())
        .try_for_each(|path| within(&path, levels - 1, found, seen))
}

fn sorted(folder: &Path) -> Result<Vec<PathBuf>, Fault> {
    let entries = std::fs::read_dir(folder);
    let paths = entries.and_then(|all| all.map(|entry| Ok(entry?.path())).collect());
    let mut paths: Vec<PathBuf> = paths.map_err(|why| unread(folder, &why))?;
    paths.sort();
    Ok(paths)
}

fn unread(folder: &Path, why: &std::io::Error) -> Fault {
    let what = format!("`dir`: `{}` cannot be read: {why}", folder.display());
    Fault::new("unreadable", what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_a_folder() {
        let temp = tempfile::tempdir().unwrap();
        let root = temp.path();
        std::fs::create_dir_all(root.join("vars/all/b/c")).unwrap();
        for name in [
            "b.yml",
            "a.json",
            "b/x.yml",
            "b/c/y.yaml",
            "readme.txt",
            "z.yml~",
        ] {
            std::fs::write(root.join("vars/all").join(name), "").unwrap();
        }
        // Links that lead back are read once.
        for link in ["one", "two"] {
            std::os::unix::fs::symlink("..", root.join("vars/all/b").join(link)).unwrap();
        }
        let found = |args: Args| {
            let found = files(&args, "all", &[root.to_owned()]);
            let found = found.map_err(|fault| fault.message.clone())?;
            let shown = |path: &PathBuf| {
                let path = path.strip_prefix(root.join("vars/all")).unwrap();
                path.display().to_string()
            };
            Ok::<_, String>(found.iter().map(shown).collect::<Vec<_>>())
        };
        let known = Args {
            ignore_unknown_extensions: true,
            ..Args::default()
        };
        let all = ["a.json", "b.yml", "b/x.yml", "b/c/y.yaml"].map(str::to_owned);
        assert_eq!(found(known.clone()).unwrap(), all);
        assert!(
            found(Args::default())
                .unwrap_err()
                .contains("readme.txt` ends in none of")
        );
        let ignoring = Args {
            ignore_files: vec!["txt".into(), "~".into(), "b\\.yml".into()],
            depth: 2,
            ..Args::default()
        };
        assert_eq!(found(ignoring).unwrap(), ["a.json", "b/x.yml"]);
        let matching = Args {
            files_matching: Some("^[xy]".into()),
            ..Args::default()
        };
        assert_eq!(found(matching).unwrap(), ["b/x.yml", "b/c/y.yaml"]);
        let wrong = Args {
            files_matching: Some("(".into()),
            ..Args::default()
        };
        assert!(
            found(wrong)
                .unwrap_err()
                .starts_with("`files_matching`: `(` is no regular expression")
        );
        let own = Args {
            extensions: vec!["txt".into()],
            ..known
        };
        assert_eq!(found(own).unwrap(), ["readme.txt"]);
        let none = files(&Args::default(), "none", &[root.to_owned()]);
        assert!(none.unwrap_err().message.contains("none"));
    }
}
