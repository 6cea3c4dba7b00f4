//! Working copies of repositories of git.

mod decide;
mod probe;

use evenkeel_engine::{Done, Module, Plan, Probes, Refusal, Seen, Stop, Thing, Touches};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    args::is_default,
    look::Look,
    many::{is_yes, yes},
    paths,
};

pub use probe::{Checkout, Far, Kind, State};

/// The module `git`.
#[derive(Debug)]
pub struct Git;

/// Arguments of `git`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The address of the repository, as git takes it: `https://…`, `ssh://…`, `git@host:path`, a path of the host.
    #[serde(alias = "name")]
    pub repo: String,
    /// The directory that holds the working copy; made if it is not there.
    pub dest: String,
    /// What is checked out: a branch, a tag, all 40 digits of a commit, a whole `refs/…`, or `HEAD` (the default),
    /// which is the branch that the repository has for its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// What the repository is called in the working copy; `origin` if unset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote: Option<String>,
    /// What is fetched besides, as git writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refspec: Option<String>,
    /// Throws away changes in the working copy that were not committed.
    #[serde(default, skip_serializing_if = "is_default")]
    pub force: bool,
    /// Fetches only so many commits, and only what is checked out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub depth: Option<u32>,
    /// Whether a working copy that is there is brought to what the repository has now (the default).
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub update: bool,
    /// Whether one that is not there is made (the default).
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub clone: bool,
    /// A repository without a working copy.
    #[serde(default, skip_serializing_if = "is_default")]
    pub bare: bool,
    /// A file of the host with the private key for ssh.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_file: Option<String>,
    /// Takes the key of a host that is not known yet, as `accept_newhostkey` does: a key that has changed is refused.
    #[serde(default, skip_serializing_if = "is_default")]
    pub accept_hostkey: bool,
    /// Takes the key of a host that is not known yet.
    #[serde(default, skip_serializing_if = "is_default")]
    pub accept_newhostkey: bool,
    /// More options for ssh, in one line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssh_opts: Option<String>,
    /// Whether submodules are checked out too (the default).
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub recursive: bool,
    /// Fetches only what is checked out.
    #[serde(default, skip_serializing_if = "is_default")]
    pub single_branch: bool,
    /// Permission bits that new files do not get: `"0022"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub umask: Option<String>,
    /// The program; `git` if unset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub executable: Option<String>,
}

/// What `register` gives.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Output {
    /// The commit that was checked out before; null if there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// The commit that is checked out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

impl Module for Git {
    const NAME: &'static str = "git";
    const ALIASES: &'static [&'static str] = &["ansible.builtin.git", "ansible.legacy.git"];
    const ABOUT: &'static str = "keeps working copies of repositories of git";
    const EXAMPLE: &'static str = "\
- name: the dags
  git:
    repo: https://example.com/dags.git
    dest: /opt/airflow/dags
    version: main
  become: true
  become_user: airflow
";
    const CHANGED_WHEN: &'static str = "\
Another commit is checked out than the one wanted, the repository has another address, a submodule is not at its \
commit, or (with `force`) something was changed and not committed. The repository is asked each time for a branch, by \
`git ls-remote`; for a commit, or a tag that is checked out, it is not.";
    const LIMITS: &'static str = "\
The host needs `git`. Uncommitted changes are refused without `force`; commits that only the host has are left \
behind (`git reflog` knows them). A commit is named by all its digits. An address or option is in argument lists of \
the host: put no password in it, use `key_file` or a credential helper. Signatures are not verified; `reference`, \
`archive` and `separate_git_dir` are not there.";
    type Args = Args;
    type Output = Output;

    fn check(args: &Args) -> Result<(), Refusal> {
        args.check()
    }

    fn observe(args: &Args, seen: &Seen) -> Probes {
        Look::observe(seen, |look| decide::decide(args, look))
    }

    fn plan(args: &Args, seen: &Seen) -> Result<Plan, Stop> {
        decide::decide(args, &Look::new(seen))
    }

    fn output(args: &Args, after: &Seen, done: &[Done]) -> Result<Output, Stop> {
        let look = Look::new(after);
        let head = look.get(&args.question(&look)?)?.head.clone();
        // The step begins by saying what there was.
        let before = done
            .last()
            .map(|done| String::from_utf8_lossy(&done.stdout).into_owned());
        let before = match before {
            Some(said) => said
                .lines()
                .next()
                .filter(|line| !line.is_empty())
                .map(str::to_owned),
            None => head.clone(),
        };
        Ok(Output {
            before,
            after: head,
        })
    }

    fn touches(args: &Args) -> Touches {
        if !paths::is_absolute(&args.dest) {
            return Touches::everything();
        }
        let reads = [&args.repo]
            .into_iter()
            .chain(&args.key_file)
            .filter(|path| path.starts_with('/'));
        Touches::writes([Thing::Tree(paths::clean(&args.dest))])
            .reading(reads.map(|path| Thing::Tree(path.clone())))
    }

    fn subject(args: &Args) -> String {
        args.dest.clone()
    }
}

impl Args {
    pub(crate) fn version(&self) -> &str {
        self.version.as_deref().unwrap_or("HEAD")
    }

    pub(crate) fn remote(&self) -> &str {
        self.remote.as_deref().unwrap_or("origin")
    }

    fn check(&self) -> Result<(), Refusal> {
        let texts = [
            ("repo", Some(self.repo.as_str())),
            ("dest", Some(&self.dest)),
            ("version", self.version.as_deref()),
            ("remote", self.remote.as_deref()),
            ("refspec", self.refspec.as_deref()),
            ("executable", self.executable.as_deref()),
        ];
        for (name, text) in texts {
            let Some(text) = text else { continue };
            if text.is_empty() {
                return Err(Refusal::new(format!("`{name}` is empty")));
            }
            if text.contains(char::is_control) {
                return Err(Refusal::new(format!(
                    "`{name}` holds a line break or a control character"
                )));
            }
            if name != "dest" && text.starts_with('-') {
                return Err(Refusal::new(format!(
                    "`{name}: {text}` would be an option of git"
                )));
            }
        }
        let odd = |c: char| " ~^:?*[\\".contains(c);
        for (name, text) in [("version", self.version()), ("remote", self.remote())] {
            if text.contains(odd)
                || text.contains("..")
                || text.contains("@{")
                || text.ends_with(['/', '.'])
            {
                return Err(Refusal::new(format!(
                    "`{name}: {text}` is no name that git knows"
                )));
            }
        }
        if self.repo.starts_with("ext::") {
            return Err(Refusal::new("`repo` is a command: git does not run it"));
        }
        if self.depth == Some(0) {
            return Err(Refusal::new("`depth: 0` leaves nothing"));
        }
        self.umask()?;
        Ok(())
    }

    pub(crate) fn umask(&self) -> Result<Option<u32>, Refusal> {
        let Some(text) = &self.umask else {
            return Ok(None);
        };
        match u32::from_str_radix(text, 8) {
            Ok(bits) if bits <= 0o777 => Ok(Some(bits)),
            _ => Err(Refusal::new(format!("`umask: {text}` is no mask")).help("write `\"0022\"`")),
        }
    }

    /// What is asked about it.
    fn question(&self, look: &Look<'_>) -> Result<Checkout, Stop> {
        Ok(Checkout {
            dest: paths::absolute(&self.dest, look)?,
            repo: self.repo.clone(),
            remote: self.remote().to_owned(),
            version: self.version().to_owned(),
            program: self.executable.clone().unwrap_or_else(|| "git".to_owned()),
            ssh: self.ssh(),
            update: self.update,
            clone: self.clone,
            submodules: self.recursive && !self.bare,
        })
    }

    /// The command that git reaches a host by: a line for a shell.
    fn ssh(&self) -> String {
        let mut line = "ssh -o BatchMode=yes".to_owned();
        if self.accept_hostkey || self.accept_newhostkey {
            line.push_str(" -o StrictHostKeyChecking=accept-new");
        }
        if let Some(key) = &self.key_file {
            line.push_str(" -o IdentitiesOnly=yes -i ");
            let quoted = key.replace('\'', r"'\''");
            line.extend(["'", &quoted, "'"]);
        }
        if let Some(options) = &self.ssh_opts {
            line.push(' ');
            line.push_str(options);
        }
        line
    }
}

/// Whether a version is a whole commit.
fn is_commit(version: &str) -> bool {
    matches!(version.len(), 40 | 64) && version.bytes().all(|byte| byte.is_ascii_hexdigit())
}
