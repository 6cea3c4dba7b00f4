//! How dnf is called.

use evenkeel_engine::{Run, Step};

use super::{
    Args, State,
    resolve::{Resolve, Unless},
    spec::for_dnf,
    would::explain,
};

/// A transaction may take long; one that takes longer than this hangs.
const LIMIT: u64 = 2 * 3600;

/// How long it waits for another dnf.
const PATIENCE: u64 = 30;

/// Runs its arguments until they find dnf's lock free, so many times at most, a second apart: dnf
/// itself would wait without end, and without a word.
const PATIENT: &str = r#"ek_n=$1; shift
while :; do
  "$@"; ek_s=$?
  if [ "$ek_s" != 200 ] || [ "$ek_n" -le 0 ]; then exit "$ek_s"; fi
  ek_n=$((ek_n - 1)); sleep 1
done"#;

/// dnf with the options of a task.
pub(super) struct Dnf<'a> {
    pub(super) args: &'a Args,
    pub(super) program: &'static str,
}

impl Dnf<'_> {
    /// A step that does it.
    pub(super) fn run(&self, verb: &[&str], names: Option<Vec<String>>) -> Step {
        let mut argv = vec![self.program.to_owned()];
        argv.extend(self.options());
        argv.push("-y".to_owned());
        argv.extend(verb.iter().map(|&word| word.to_owned()));
        let patience = self.args.lock_timeout.unwrap_or(PATIENCE);
        let under = ["sh", "-c", PATIENT, "dnf"].map(str::to_owned);
        Step::from(Run {
            under: under.into_iter().chain([patience.to_string()]).collect(),
            joins: names.map(|names| names.iter().map(|name| for_dnf(name)).collect()),
            seconds: Some(LIMIT + patience),
            long: true,
            env: vec![("LC_ALL".to_owned(), "C".into())],
            explain: Some(explain),
            ..Run::new(argv)
        })
    }

    fn options(&self) -> Vec<String> {
        options(self.args)
    }
}

/// The question what dnf would do.
pub(super) fn would(
    args: &Args,
    verb: &[&str],
    names: &[&str],
    unless: Unless,
    labels: Vec<String>,
) -> Resolve {
    let mut head = options(args);
    head.push("--assumeno".to_owned());
    head.extend(verb.iter().map(|&word| word.to_owned()));
    Resolve {
        unless,
        head,
        names: names.iter().map(|name| for_dnf(name)).collect(),
        labels,
    }
}

fn options(args: &Args) -> Vec<String> {
    let mut words = Vec::new();
    let mut add = |word: String| words.push(word);
    let lists = [
        ("--enablerepo", &args.enablerepo),
        ("--disablerepo", &args.disablerepo),
        ("--exclude", &args.exclude),
        ("--enableplugin", &args.enable_plugin),
        ("--disableplugin", &args.disable_plugin),
    ];
    for (name, values) in lists {
        for value in values {
            add(format!("{name}={value}"));
        }
    }
    let valued = [
        ("--disableexcludes", &args.disable_excludes),
        ("--config", &args.conf_file),
        ("--releasever", &args.releasever),
    ];
    for (name, value) in valued {
        if let Some(value) = value {
            add(format!("{name}={value}"));
        }
    }
    if args.download_only {
        add("--downloadonly".to_owned());
    }
    if let Some(dir) = &args.download_dir {
        add(format!("--downloaddir={dir}"));
    }
    let flags = [
        (args.update_cache && !args.cacheonly, "--refresh"),
        (args.cacheonly, "--cacheonly"),
        (args.disable_gpg_check, "--nogpgcheck"),
        // An archive is looked at as what comes from a repository is.
        (!args.disable_gpg_check, "--setopt=localpkg_gpgcheck=1"),
        (args.allowerasing, "--allowerasing"),
        (args.nobest, "--nobest"),
        (args.skip_broken, "--skip-broken"),
        (!args.install_weak_deps, "--setopt=install_weak_deps=False"),
        (!args.validate_certs, "--setopt=sslverify=False"),
        (args.state == State::Latest && !args.nobest, "--best"),
        // The configuration may say otherwise, but then a task would not say all that it does.
        (
            !args.autoremove,
            "--setopt=clean_requirements_on_remove=False",
        ),
        (
            args.autoremove,
            "--setopt=clean_requirements_on_remove=True",
        ),
    ];
    flags
        .iter()
        .filter(|(on, _)| *on)
        .for_each(|(_, flag)| add((*flag).to_owned()));
    add("--setopt=exit_on_lock=True".to_owned());
    words
}
