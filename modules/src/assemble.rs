//! A file made of the fragments in a directory.

use evenkeel_engine::{
    Done, Module, NotYet, Plan, Probes, Refusal, Seen, Stop, Thing, Touches,
    probes::{Ask, Contents},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    args::{Unsupported, is_default},
    attributes::Wanted,
    look::Look,
    many::{is_yes, yes},
    mode::Mode,
    paths,
    pattern::Pattern,
    put,
    rewrite::{Missing, Rewrite, Rewritten},
};

/// The module `assemble`.
#[derive(Debug)]
pub struct Assemble;

/// Arguments of `assemble`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The directory of the host that has the fragments, each a file of at most 1 MiB. They are put together in the order of
    /// their names.
    pub src: String,
    /// The file.
    pub dest: String,
    /// What stands between two fragments; `\n` in it is a new line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<String>,
    /// Only fragments whose names match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regexp: Option<String>,
    /// Leaves out fragments whose names begin with a dot.
    #[serde(default, skip_serializing_if = "is_default")]
    pub ignore_hidden: bool,
    /// Whether the directory is on the host (the default). No: it is refused.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub remote_src: bool,
    /// Keeps a copy of the old file beside it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub backup: bool,
    /// A command that must accept the new file before it takes its place; `%s` is its path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validate: Option<String>,
    /// Owner: name or number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Group: name or number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Permission bits: `"0644"` or `u=rw,go=r`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// Not supported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub seuser: Option<Unsupported>,
    /// Not supported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub serole: Option<Unsupported>,
    /// Not supported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub setype: Option<Unsupported>,
    /// Not supported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub selevel: Option<Unsupported>,
    /// Not supported.
    #[serde(default, alias = "attr", skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub attributes: Option<Unsupported>,
    /// Not supported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub unsafe_writes: Option<Unsupported>,
}

/// The files in a directory, links to files too: their names, a line each.
pub fn fragments(dir: &str) -> Ask {
    let dir = paths::clean(dir);
    // With a slash behind it: the directory itself may be a link.
    let from = format!("{dir}/");
    let words = [
        "-L",
        &from,
        "-mindepth",
        "1",
        "-maxdepth",
        "1",
        "-type",
        "f",
        "-printf",
        "%f\\n",
    ];
    Ask::new(std::iter::once("find").chain(words)).reading([Thing::Tree(dir)])
}

impl Module for Assemble {
    const NAME: &'static str = "assemble";
    const ALIASES: &'static [&'static str] =
        &["ansible.builtin.assemble", "ansible.legacy.assemble"];
    const ABOUT: &'static str = "keeps a file put together from fragments";
    const EXAMPLE: &'static str = "\
- assemble:
    src: /etc/app/conf.d
    dest: /etc/app.conf
    delimiter: '# --'
";
    const CHANGED_WHEN: &'static str = "\
        The file is not what the fragments make, or owner, group or mode differ.";
    const LIMITS: &'static str = "\
        Fragments are files of the host: `copy` brings them there. For those of this machine, a template with \
        `lookup('fileglob', …)` does it.";
    type Args = Args;
    type Output = Rewritten;

    fn check(args: &Args) -> Result<(), Refusal> {
        for (what, path) in [("src", &args.src), ("dest", &args.dest)] {
            if path.is_empty() {
                return Err(Refusal::new(format!("`{what}` is empty")));
            }
        }
        if !args.remote_src {
            return Err(Refusal::new("`remote_src: false` is not supported: fragments are files of the host").help(
                "bring them there by `copy`; or a template: `{% for f in query('fileglob', 'fragments/*') | sort %}{{ lookup('file', f) }}{% endfor %}`",
            ));
        }
        if args.mode.as_ref().is_some_and(Mode::is_preserve) {
            return Err(Refusal::new("`mode: preserve` is for copies only"));
        }
        args.validate.as_deref().map(put::validator).transpose()?;
        args.pattern().map(drop)
    }

    fn observe(args: &Args, seen: &Seen) -> Probes {
        Look::observe(seen, |look| decide(args, look))
    }

    fn plan(args: &Args, seen: &Seen) -> Result<Plan, Stop> {
        decide(args, &Look::new(seen))
    }

    fn output(args: &Args, after: &Seen, done: &[Done]) -> Result<Rewritten, Stop> {
        args.rewrite().output(after, done)
    }

    fn touches(args: &Args) -> Touches {
        if !paths::is_absolute(&args.src) {
            return Touches::everything();
        }
        let src = Thing::Tree(paths::clean(&args.src));
        args.rewrite().touches().reading([src])
    }

    fn subject(args: &Args) -> String {
        args.dest.clone()
    }
}

impl Args {
    fn pattern(&self) -> Result<Option<Pattern>, Refusal> {
        let pattern = |text| Pattern::new("regexp", text);
        self.regexp.as_deref().map(pattern).transpose()
    }

    fn rewrite(&self) -> Rewrite<'_> {
        Rewrite {
            missing: Missing::Create,
            wanted: Wanted {
                owner: self.owner.as_deref(),
                group: self.group.as_deref(),
                mode: self.mode.as_ref(),
            },
            backup: self.backup,
            validate: self.validate.as_deref(),
            ..Rewrite::new(&self.dest)
        }
    }

    /// The fragments with what is between them.
    fn joined(&self, fragments: &[&[u8]]) -> Vec<u8> {
        let delimiter = self.delimiter.as_deref().map(unescaped);
        let mut text = Vec::new();
        for (at, fragment) in fragments.iter().enumerate() {
            if at > 0 {
                // A last line that is not ended would run into the next fragment.
                if fragments[at - 1].last() != Some(&b'\n') {
                    text.push(b'\n');
                }
                if let Some(delimiter) = &delimiter {
                    text.extend_from_slice(delimiter.as_bytes());
                    if !delimiter.ends_with('\n') {
                        text.push(b'\n');
                    }
                }
            }
            text.extend_from_slice(fragment);
        }
        text
    }
}

/// A text with what `\n`, `\t`, `\r` and `\\` mean.
fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => match letters.next() {
                Some('n') => out.push('\n'),
                Some('t') => out.push('\t'),
                Some('r') => out.push('\r'),
                Some('\\') | None => out.push('\\'),
                Some(other) => out.extend(['\\', other]),
            },
            other => out.push(other),
        }
    }
    out
}

fn decide(args: &Args, look: &Look<'_>) -> Result<Plan, Stop> {
    let rewrite = args.rewrite();
    // What the file is now is asked together with the fragments.
    drop(rewrite.plan(look, |_| Ok(None)));
    let src = paths::absolute(&args.src, look)?;
    let listed = look.get(&fragments(&src))?;
    if listed.status != 0 {
        return Err(NotYet(format!("the directory `{src}`")).into());
    }
    let pattern = args.pattern()?;
    let mut names = Vec::new();
    for name in listed.stdout.lines() {
        let hidden = args.ignore_hidden && name.starts_with('.');
        let fits = (pattern.as_ref()).is_none_or(|pattern| pattern.matches(name.as_bytes()));
        if fits && !hidden {
            names.push(name);
        }
    }
    names.sort_unstable();
    let probes: Vec<Contents> = names
        .iter()
        .map(|name| Contents(paths::join(&src, name)))
        .collect();
    for probe in &probes {
        look.ask(probe);
    }
    let mut parts: Vec<&[u8]> = Vec::new();
    for probe in &probes {
        let part = look.get(probe)?.as_ref();
        parts.push(part.ok_or_else(|| NotYet(format!("what `{}` holds", probe.0)))?);
    }
    let text = args.joined(&parts);
    rewrite.plan(look, |before| {
        Ok((before != text || before.is_empty()).then_some(text))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fragments_do_not_run_into_each_other() {
        let joined = |delimiter: Option<&str>, parts: &[&str]| {
            let args = Args {
                delimiter: delimiter.map(str::to_owned),
                ..Args::default()
            };
            let parts: Vec<&[u8]> = parts.iter().map(|part| part.as_bytes()).collect();
            String::from_utf8(args.joined(&parts)).unwrap()
        };
        assert_eq!(joined(None, &["a\n", "b", "c"]), "a\nb\nc");
        assert_eq!(joined(Some("# --"), &["a", "b\n"]), "a\n# --\nb\n");
        assert_eq!(joined(Some(r"\n#\n"), &["a\n", "b"]), "a\n\n#\nb");
        assert_eq!(joined(Some("#"), &[]), "");
        assert_eq!(unescaped(r"\\n\x\"), r"\n\x\");
    }
}
