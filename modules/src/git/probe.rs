//! What a working copy holds, and what its repository has.

use std::collections::BTreeMap;

use evenkeel_engine::{NotYet, Probe, Thing, hex, sha256};

/// What is at a path, and, if that decides, what the repository has under a name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Checkout {
    /// The directory.
    pub dest: String,
    /// The address of the repository.
    pub repo: String,
    /// What it is called.
    pub remote: String,
    /// What is wanted of it.
    pub version: String,
    /// The program.
    pub program: String,
    /// How git calls ssh.
    pub ssh: String,
    /// Whether one that is there is compared with the repository.
    pub update: bool,
    /// Whether one that is not there is made.
    pub clone: bool,
    /// Whether submodules count.
    pub submodules: bool,
}

/// What a path is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Nothing, or an empty directory.
    Missing,
    /// A working copy.
    Copy,
    /// A repository without one.
    Bare,
    /// Something else.
    Other,
    /// A working copy that git does not want to read.
    Refused,
}

/// What a repository has under a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Far {
    /// It was not asked.
    NotAsked,
    /// It does not know the name.
    Unknown,
    /// It cannot be asked: why.
    Failed(String),
    /// A branch, by its name, and its last commit.
    Branch(String, String),
    /// A commit under another name.
    Commit(String),
}

/// What there is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// At the path.
    pub kind: Kind,
    /// The commit that is checked out; of a bare repository the one that the name stands for.
    pub head: Option<String>,
    /// The address that the working copy has for the repository; if git refuses to read it, why.
    pub url: Option<String>,
    /// How many files differ from what is checked out.
    pub dirty: u32,
    /// Whether a submodule is not at its commit.
    pub stale: bool,
    /// In the repository.
    pub far: Far,
}

impl Checkout {
    fn token(&self) -> String {
        let parts = [
            &self.dest,
            &self.repo,
            &self.remote,
            &self.version,
            &self.program,
            &self.ssh,
        ];
        let parts = parts.map(|part| format!("{part}\0")).concat();
        let flags = format!("{}{}{}", self.update, self.clone, self.submodules);
        hex(&sha256(format!("{parts}{flags}").as_bytes())[..12])
    }
}

impl Probe for Checkout {
    const KIND: &'static str = "checkout";
    const SCRIPT: &'static str = include_str!("look.sh");
    type Answer = State;

    fn operands(&self) -> Vec<Vec<u8>> {
        let flag = |yes: bool| if yes { "1" } else { "" }.to_owned();
        [
            self.token(),
            self.dest.clone(),
            self.repo.clone(),
            self.remote.clone(),
            self.version.clone(),
            self.program.clone(),
            self.ssh.clone(),
            flag(self.update),
            flag(self.clone),
            flag(self.submodules),
            flag(super::is_commit(&self.version)),
        ]
        .map(String::into_bytes)
        .into()
    }

    fn parse(batch: &[&Self], output: &[u8]) -> Result<Vec<Result<State, NotYet>>, String> {
        let text = String::from_utf8_lossy(output);
        let fields: Vec<&str> = text.split_terminator('\0').collect();
        let mut found = BTreeMap::new();
        for record in fields.chunks(9) {
            let [token, kind, head, url, dirty, stale, far, commit, name] = record else {
                return Err(format!("{record:?}"));
            };
            let kind = match *kind {
                "missing" => Kind::Missing,
                "copy" => Kind::Copy,
                "bare" => Kind::Bare,
                "other" => Kind::Other,
                "refused" => Kind::Refused,
                // An earlier task may install it.
                "nogit" => continue,
                _ => return Err(format!("{record:?}")),
            };
            let far = match *far {
                "" => Far::NotAsked,
                "unknown" => Far::Unknown,
                "failed" => Far::Failed((*name).to_owned()),
                "branch" => Far::Branch((*name).to_owned(), (*commit).to_owned()),
                "commit" => Far::Commit((*commit).to_owned()),
                _ => return Err(format!("{record:?}")),
            };
            let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
            let state = State {
                kind,
                head: some(head),
                url: some(url),
                dirty: dirty.parse().map_err(|_| format!("{record:?}"))?,
                stale: *stale == "1",
                far,
            };
            found.insert(*token, state);
        }
        let missing = |one: &Self| NotYet(format!("the program `{}` on the host", one.program));
        let answer = |one: &&Self| {
            found
                .get(one.token().as_str())
                .cloned()
                .ok_or_else(|| missing(one))
        };
        Ok(batch.iter().map(answer).collect())
    }

    fn expected(&self, state: &State) -> Option<Vec<u8>> {
        let kind = match state.kind {
            Kind::Missing => "missing",
            Kind::Copy => "copy",
            Kind::Bare => "bare",
            Kind::Other => "other",
            Kind::Refused => "refused",
        };
        let (far, commit, name) = match &state.far {
            Far::NotAsked => ("", "", ""),
            Far::Unknown => ("unknown", "", ""),
            Far::Failed(why) => ("failed", "", why.as_str()),
            Far::Branch(name, commit) => ("branch", commit.as_str(), name.as_str()),
            Far::Commit(commit) => ("commit", commit.as_str(), ""),
        };
        let (token, dirty) = (self.token(), state.dirty.to_string());
        let fields = [
            token.as_str(),
            kind,
            state.head.as_deref().unwrap_or_default(),
            state.url.as_deref().unwrap_or_default(),
            dirty.as_str(),
            if state.stale { "1" } else { "" },
            far,
            commit,
            name,
        ];
        Some(
            fields
                .map(|field| format!("{field}\0"))
                .concat()
                .into_bytes(),
        )
    }

    fn reads(&self) -> Vec<Thing> {
        let mut reads = vec![Thing::Tree(self.dest.clone())];
        if self.repo.starts_with('/') {
            reads.push(Thing::Tree(self.repo.clone()));
        }
        reads
    }
}
