//! `password`: a password that a file of this machine keeps; made, with the file, when a task's turn comes.
//!
//! The file has what Ansible's has: the password, and after it ` salt=` and ` ident=` where it is given out as a hash.

use std::{
    fs,
    io::{ErrorKind, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use evenkeel_engine::Secret;
use minijinja::{
    Error, State,
    value::{Kwargs, Value as Jinja, ValueKind},
};

use super::{refuse, runs};
use crate::{
    looked,
    template::{
        filters::password::{hashed, salt_of},
        random::{Random, Seed},
        session,
    },
};

/// Never kept: another one each time.
const NOWHERE: &str = "/dev/null";

/// A longer one is a mistake.
const LONGEST: usize = 10_000;

/// What is wanted of a password.
struct Wanted {
    length: usize,
    letters: Vec<char>,
    encrypt: Option<String>,
    ident: Option<String>,
    seed: Option<String>,
}

/// What a file keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Kept {
    password: String,
    salt: Option<String>,
    ident: Option<String>,
}

/// The password of each term: a path, and options as `length=20`.
pub(super) fn of(
    state: &State<'_, '_>,
    terms: &[Jinja],
    kwargs: &Kwargs,
) -> Result<Vec<Jinja>, Error> {
    let mut named = Vec::new();
    for name in ["length", "chars", "encrypt", "ident", "seed"] {
        if let Some(value) = kwargs.get::<Option<Jinja>>(name)? {
            let text = match value.kind() {
                ValueKind::Seq => {
                    let parts = value.try_iter()?.map(|part| match part.as_str() {
                        Some(",") => ",,".to_owned(),
                        _ => part.to_string(),
                    });
                    parts.collect::<Vec<_>>().join(",")
                }
                ValueKind::None => continue,
                _ => value.to_string(),
            };
            named.push((name.to_owned(), text));
        }
    }
    terms
        .iter()
        .map(|term| {
            let (path, options) = read_term(&term.to_string());
            let wanted = Wanted::of(named.iter().chain(&options))?;
            let text = wanted.given(state, &path)?;
            session::used(&Secret::new(&text));
            Ok(Jinja::from(text))
        })
        .collect()
}

/// A path, and what is said behind it.
fn read_term(term: &str) -> (String, Vec<(String, String)>) {
    let mut options = Vec::new();
    let mut path = Vec::new();
    for word in term.split(' ') {
        match word.split_once('=') {
            Some((name, value)) if !name.contains('/') && !name.is_empty() => {
                options.push((name.to_owned(), value.to_owned()));
            }
            _ => path.push(word),
        }
    }
    (path.join(" ").trim().to_owned(), options)
}

/// Letters by a name of Python's, or as they are; `,,` is a comma.
fn letters(text: &str) -> Vec<char> {
    let (rest, comma) = if text.contains(",,") {
        (text.replace(",,", ","), ",")
    } else {
        (text.to_owned(), "")
    };
    let parts = rest.split(',').filter(|part| !part.is_empty());
    let lower: String = ('a'..='z').collect();
    let upper: String = ('A'..='Z').collect();
    let digits = "0123456789";
    let marks: String = ('!'..='~').filter(char::is_ascii_punctuation).collect();
    let blanks = " \t\n\r\u{b}\u{c}";
    let all = parts.map(|part| match part {
        "ascii_letters" => format!("{lower}{upper}"),
        "ascii_lowercase" => lower.clone(),
        "ascii_uppercase" => upper.clone(),
        "digits" => digits.to_owned(),
        "hexdigits" => format!("{digits}abcdefABCDEF"),
        "octdigits" => "01234567".to_owned(),
        "punctuation" => marks.clone(),
        "printable" => format!("{digits}{lower}{upper}{marks}{blanks}"),
        "whitespace" => blanks.to_owned(),
        other => other.to_owned(),
    });
    let all: String = all.collect::<String>() + comma;
    all.chars().filter(|c| !matches!(c, '"' | '\'')).collect()
}

impl Wanted {
    fn of<'a>(options: impl Iterator<Item = &'a (String, String)>) -> Result<Self, Error> {
        let mut wanted = Self {
            length: 20,
            letters: letters("ascii_letters,digits,.,,:-_"),
            encrypt: None,
            ident: None,
            seed: None,
        };
        for (name, value) in options {
            let value = value.clone();
            match name.as_str() {
                "length" => {
                    let length = value.parse().ok().filter(|length| *length <= LONGEST);
                    wanted.length = length.ok_or_else(|| {
                        wrong(&format!(
                            "`length` is a whole number up to {LONGEST}, not `{value}`"
                        ))
                    })?;
                }
                "chars" => wanted.letters = letters(&value),
                "encrypt" => wanted.encrypt = Some(value).filter(|kind| !kind.is_empty()),
                "ident" => wanted.ident = Some(value),
                "seed" => wanted.seed = Some(value),
                other => {
                    return Err(wrong(&format!(
                        "there is no option `{other}`: there are `length`, `chars`, `encrypt`, `ident` and `seed`"
                    )));
                }
            }
        }
        if wanted.letters.is_empty() {
            return Err(wrong("`chars` holds no character"));
        }
        Ok(wanted)
    }

    fn given(&self, state: &State<'_, '_>, path: &str) -> Result<String, Error> {
        if path.is_empty() {
            return Err(wrong(
                "it wants the path of a file that keeps the password; `/dev/null` keeps none",
            ));
        }
        let kept = if path == NOWHERE {
            runs::at_turn("password", "makes")?;
            self.made()?
        } else {
            let path = place(state, path);
            let found = kept(&path)?;
            looked::note(&path, found.is_some());
            let whole = |kept: &Kept| self.encrypt.is_none() || kept.salt.is_some();
            match found {
                Some(kept) if whole(&kept) => kept,
                found => {
                    runs::at_turn("password", "makes")?;
                    self.keep(&path, found)?
                }
            }
        };
        match &self.encrypt {
            None => Ok(kept.password),
            Some(kind) => {
                let salt = kept.salt.unwrap_or_default();
                let ident = self.ident.as_deref().or(kept.ident.as_deref());
                hashed(&kept.password, kind, &salt, ident)
            }
        }
    }

    fn made(&self) -> Result<Kept, Error> {
        let mut random = match &self.seed {
            Some(seed) => Random::seeded(&Seed::Text(seed)),
            None => Random::System,
        };
        let mut password = String::new();
        for _ in 0..self.length {
            password.push(self.letters[random.index(self.letters.len())?]);
        }
        self.salted(Kept {
            password,
            salt: None,
            ident: None,
        })
    }

    fn salted(&self, mut kept: Kept) -> Result<Kept, Error> {
        if let Some(kind) = &self.encrypt
            && kept.salt.is_none()
        {
            kept.salt = Some(salt_of(kind)?);
            kept.ident.clone_from(&self.ident);
        }
        Ok(kept)
    }

    /// Writes the file, if nobody else did so meanwhile.
    fn keep(&self, path: &Path, found: Option<Kept>) -> Result<Kept, Error> {
        let known = found.is_some();
        let new = match found {
            Some(kept) => self.salted(kept)?,
            None => self.made()?,
        };
        let cannot = |error: std::io::Error| {
            wrong(&format!("`{}` cannot be written: {error}", path.display()))
        };
        let folder = path.parent().unwrap_or(Path::new("/"));
        let mut folders = fs::DirBuilder::new();
        folders.recursive(true).mode(0o700);
        folders.create(folder).map_err(cannot)?;
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}", std::process::id()));
        let part = folder.join(name);
        let mut options = fs::OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let mut file = options.open(&part).map_err(cannot)?;
        file.write_all(new.text().as_bytes()).map_err(cannot)?;
        file.sync_all().map_err(cannot)?;
        // A link is not made where something is: who came first counts.
        let done = if known {
            fs::rename(&part, path)
        } else {
            let done = fs::hard_link(&part, path);
            fs::remove_file(&part).map_err(cannot)?;
            done
        };
        match done {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                let kept = kept(path)?.unwrap_or(new);
                self.salted(kept)
            }
            Err(error) => Err(cannot(error)),
            Ok(()) => Ok(new),
        }
    }
}

impl Kept {
    fn text(&self) -> String {
        let mut text = self.password.clone();
        for (name, value) in [("salt", &self.salt), ("ident", &self.ident)] {
            if let Some(value) = value {
                text += " ";
                text += name;
                text += "=";
                text += value;
            }
        }
        text.push('\n');
        text
    }

    fn read(text: &str) -> Self {
        let text = text.trim_end();
        let (password, rest) = match text.rsplit_once(" salt=") {
            Some((password, rest)) => (password, Some(rest)),
            None => (text, None),
        };
        let (salt, ident) = match rest.map(|rest| rest.split_once(" ident=").ok_or(rest)) {
            Some(Ok((salt, ident))) => (Some(salt), Some(ident)),
            Some(Err(salt)) => (Some(salt), None),
            None => (None, None),
        };
        Self {
            password: password.to_owned(),
            salt: salt.map(str::to_owned),
            ident: ident.map(str::to_owned),
        }
    }
}

fn kept(path: &Path) -> Result<Option<Kept>, Error> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(Kept::read(&text))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(wrong(&format!(
            "`{}` cannot be read: {error}",
            path.display()
        ))),
    }
}

/// Where the file is: from the folder of the playbook on.
fn place(state: &State<'_, '_>, path: &str) -> PathBuf {
    if let Some(rest) = path.strip_prefix("~/")
        && let Some(home) = std::env::var_os("HOME")
    {
        return Path::new(&home).join(rest);
    }
    let folder = state.lookup("playbook_dir");
    let folder = folder.map_or_else(PathBuf::new, |folder| folder.to_string().into());
    folder.join(path)
}

fn wrong(why: &str) -> Error {
    refuse(format!("`lookup('password', …)`: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_say_a_path_and_options() {
        let options = |all: &[(&str, &str)]| -> Vec<(String, String)> {
            let all = all.iter();
            all.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect()
        };
        for (term, path, said) in [
            ("/a/b", "/a/b", &[][..]),
            (
                "/a/b length=5 chars=digits",
                "/a/b",
                &[("length", "5"), ("chars", "digits")],
            ),
            ("keys/a=b/c", "keys/a=b/c", &[]),
            ("a b seed=x", "a b", &[("seed", "x")]),
        ] {
            assert_eq!(read_term(term), (path.to_owned(), options(said)), "{term}");
        }
    }

    #[test]
    fn letters_are_those_of_python() {
        let text = |said: &str| letters(said).into_iter().collect::<String>();
        assert_eq!(text("digits"), "0123456789");
        assert_eq!(text("hexdigits,z"), "0123456789abcdefABCDEFz");
        assert_eq!(text("ab,,c"), "abc,");
        assert_eq!(text("a\"'b"), "ab");
        assert_eq!(text("punctuation"), "!#$%&()*+,-./:;<=>?@[\\]^_`{|}~");
    }

    #[test]
    fn what_is_kept_is_read_again() {
        for text in ["pass\n", "pass salt=abc\n", "pa ss salt=abc ident=2b\n"] {
            assert_eq!(Kept::read(text).text(), text);
        }
    }

    #[test]
    fn who_comes_first_counts_and_nobody_else_may_read_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("deep/er/password");
        let wanted = Wanted::of([].iter()).unwrap();
        let first = wanted.keep(&path, None).unwrap();
        assert_eq!(first.password.chars().count(), 20);
        assert_eq!(wanted.keep(&path, None).unwrap(), first);
        assert_eq!(kept(&path).unwrap(), Some(first.clone()));
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(path.parent().unwrap()), 0o700);
        // A hash wants a salt, which is kept beside it.
        let hashing = [("encrypt".to_owned(), "sha512_crypt".to_owned())];
        let hashing = Wanted::of(hashing.iter()).unwrap();
        let salted = hashing.keep(&path, Some(first.clone())).unwrap();
        assert_eq!(salted.password, first.password);
        assert!(salted.salt.is_some());
        assert_eq!(kept(&path).unwrap(), Some(salted));
        let files = fs::read_dir(path.parent().unwrap()).unwrap();
        assert_eq!(files.count(), 1, "nothing else is left");
    }
}
