//! What `SELinux` calls a path (`seuser`, `serole`, `setype`, `selevel`): what any module of files keeps beside the rest.

use std::{fmt, sync::Arc};

use evenkeel_engine::{
    Bound, Change, Done, Effect, Map, Plan, Probes, Refusal, Run, Seen, Step, Stop, Thing, Value,
    Wrap, ask,
    probes::{Answered, Ask, Glob},
};

/// The arguments, in the order of the parts of a context, and the option of `chcon` for each.
pub const PARTS: [(&str, &str); 4] = [
    ("seuser", "-u"),
    ("serole", "-r"),
    ("setype", "-t"),
    ("selevel", "-l"),
];

/// It is there where `SELinux` is enabled.
const ENABLED: &str = "/sys/fs/selinux/enforce";

/// What is wanted of a context: each part that is named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Label(pub [Option<String>; 4]);

impl Label {
    /// Whether nothing is wanted.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(Option::is_none)
    }

    fn named(&self) -> impl Iterator<Item = ((&'static str, &'static str), &String)> {
        let parts = PARTS.into_iter().zip(&self.0);
        parts.filter_map(|(part, wanted)| Some((part, wanted.as_ref()?)))
    }

    /// A context as it is to be, of what it is.
    fn over(&self, context: &str) -> String {
        let mut parts: Vec<&str> = context.splitn(4, ':').collect();
        for (at, wanted) in self.0.iter().enumerate() {
            if let Some(wanted) = wanted {
                if at == parts.len() {
                    parts.push(wanted);
                } else if let Some(part) = parts.get_mut(at) {
                    *part = wanted;
                }
            }
        }
        parts.join(":")
    }
}

/// A module of files, and what `SELinux` is to call the path.
pub struct Labelled {
    /// The module with its other arguments.
    pub bound: Arc<dyn Bound>,
    /// What is wanted.
    pub label: Label,
}

impl fmt::Debug for Labelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Labelled({})", self.bound.subject())
    }
}

impl Labelled {
    /// The path that is meant, and whether a link there is followed; nothing where it is to be away.
    fn path(&self, seen: &Seen) -> Result<Option<(String, bool)>, Stop> {
        let args = self.bound.args();
        let text = |name: &str| args.get(name).and_then(Value::as_str);
        if text("state") == Some("absent") {
            return Ok(None);
        }
        let output = self.bound.output(seen, &[])?;
        let said = ["dest", "path"].map(|name| output.get(name).and_then(Value::as_str));
        let path = said.into_iter().flatten().next();
        let path = path.map_or_else(|| self.bound.subject(), str::to_owned);
        let follows = args.get("follow") != Some(&Value::Bool(false));
        Ok(Some((path, follows && text("state") != Some("link"))))
    }
}

/// What a path is called now.
fn context(path: &str, follows: bool) -> Ask {
    let how = if follows { "-Lc" } else { "-c" };
    Ask::new(["stat", how, "%C", "--", path]).reading([Thing::Path(path.to_owned())])
}

/// A context, if that is one.
fn known(answer: &Answered) -> Option<&str> {
    let text = answer.stdout.trim_end_matches('\0');
    (answer.status == 0 && text.matches(':').count() >= 2).then_some(text)
}

impl Wrap for Labelled {
    fn inner(&self) -> &dyn Bound {
        self.bound.as_ref()
    }
    fn args(&self) -> Value {
        let mut args = match self.bound.args() {
            Value::Map(args) => args,
            _ => Map::new(),
        };
        let named = self.label.named();
        args.extend(named.map(|((name, _), wanted)| (name.to_owned(), wanted.as_str().into())));
        Value::Map(args)
    }
    fn check(&self) -> Result<(), Refusal> {
        self.bound.check()?;
        let args = self.bound.args();
        let wrong = self.label.named().find(|(_, wanted)| {
            wanted.is_empty()
                || wanted.starts_with(['_', '-'])
                || wanted.contains(char::is_whitespace)
        });
        if let Some(((name, _), wanted)) = wrong {
            let what = format!("`{name}: {wanted}` is no part of a context");
            let help = "name it; what the policy says by itself, `command: restorecon PATH` gives";
            return Err(Refusal::new(what).help(help));
        }
        let tree =
            matches!(args.get("src"), Some(Value::Source(source)) if source.tree().is_some());
        if tree || args.get("recurse") == Some(&Value::Bool(true)) {
            let what = "what SELinux calls all that is in a folder is no state of one task";
            let help = "say it to the policy (`command: semanage fcontext …`), and use `command: restorecon -R PATH`";
            return Err(Refusal::new(what).help(help));
        }
        Ok(())
    }
    fn observe(&self, seen: &Seen) -> Probes {
        let mut probes = self.bound.observe(seen);
        probes.push(ask(Glob(ENABLED.to_owned())));
        if let Ok(Some(_)) = seen.get(&Glob(ENABLED.to_owned()))
            && let Ok(Some((path, follows))) = self.path(seen)
        {
            probes.push(ask(context(&path, follows)));
        }
        probes
    }
    fn plan(&self, seen: &Seen) -> Result<Plan, Stop> {
        let mut plan = self.bound.plan(seen)?;
        if seen.get(&Glob(ENABLED.to_owned()))?.is_none() {
            return Ok(plan);
        }
        let Some((path, follows)) = self.path(seen)? else {
            return Ok(plan);
        };
        let probe = context(&path, follows);
        let now = known(seen.get(&probe)?).map(str::to_owned);
        let wanted = now.as_deref().map(|now| self.label.over(now));
        if wanted.is_some() && wanted == now && plan.changes.is_empty() {
            return Ok(plan);
        }
        let mut argv = vec!["chcon".to_owned()];
        argv.extend((!follows).then(|| "-h".to_owned()));
        for ((_, option), part) in self.label.named() {
            argv.extend([option.to_owned(), part.clone()]);
        }
        argv.extend(["--".to_owned(), path]);
        let step = Step::from(Run::new(argv)).effect(match &wanted {
            Some(stdout) => Effect::new(
                probe,
                Answered {
                    status: 0,
                    stdout: stdout.clone(),
                },
            ),
            None => Effect::unknown(probe, "what SELinux calls it"),
        });
        match plan.changes.last_mut() {
            // What is written anew is called as the policy says, until it is told otherwise.
            Some(last) if now.is_none() || now == wanted => last.steps.push(step),
            _ => {
                let change = Change::new(
                    "context",
                    now.unwrap_or_default(),
                    wanted.unwrap_or_default(),
                );
                plan.changes.push(change.step(step));
            }
        }
        Ok(plan)
    }
    fn output(&self, after: &Seen, done: &[Done]) -> Result<Value, Stop> {
        // The last program is ours.
        let mut value = self.bound.output(after, done)?;
        if let (Value::Map(map), Ok(Some((path, follows)))) = (&mut value, self.path(after))
            && let Ok(answer) = after.get(&context(&path, follows))
            && let Some(context) = known(answer)
        {
            map.insert("secontext".to_owned(), context.into());
        }
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use evenkeel_engine::{Action, With, fake::FakeHost, probes::Stat};

    use super::*;
    use crate::file::{Args, File, State};

    fn labelled(state: State) -> Labelled {
        Labelled {
            bound: Arc::new(With::<File>(Args {
                path: "/srv/www".into(),
                state: Some(state),
                ..Args::default()
            })),
            label: Label([None, None, Some("httpd_sys_content_t".to_owned()), None]),
        }
    }

    fn seen(enabled: bool, there: Option<&str>) -> Seen {
        let host = match there {
            Some(_) => FakeHost::new().dir("/srv/www"),
            None => FakeHost::new().dir("/srv"),
        };
        let stat = |path: &str| Stat(path.to_owned());
        let mut seen = Seen::default().with(
            &Glob(ENABLED.to_owned()),
            enabled.then(|| ENABLED.to_owned()),
        );
        for path in ["/srv/www", "/srv", "/"] {
            seen = seen.with(&stat(path), host.world().stat(path));
        }
        let answer = Answered {
            status: i32::from(there.is_none()),
            stdout: there.unwrap_or_default().to_owned(),
        };
        seen.with(&context("/srv/www", true), answer)
    }

    /// The programs of a plan, and what is said to differ.
    fn planned(state: State, seen: &Seen) -> (Vec<String>, Vec<String>) {
        let plan = Bound::plan(&labelled(state), seen).unwrap();
        let steps = plan.changes.iter().flat_map(|change| &change.steps);
        let runs = steps.filter_map(|step| match &step.action {
            Action::Run(run) => Some(run.argv.join(" ")),
            _ => None,
        });
        let what = plan.changes.iter().map(|change| change.what.clone());
        (runs.collect(), what.collect())
    }

    #[test]
    fn it_has_no_effect_where_there_is_no_selinux() {
        let seen = seen(false, Some("system_u:object_r:var_t:s0"));
        assert_eq!(planned(State::Directory, &seen), (vec![], vec![]));
    }

    #[test]
    fn only_another_context_is_changed() {
        let right = seen(true, Some("system_u:object_r:httpd_sys_content_t:s0"));
        assert_eq!(planned(State::Directory, &right), (vec![], vec![]));
        let chcon = vec!["chcon -t httpd_sys_content_t -- /srv/www".to_owned()];
        let wrong = seen(true, Some("system_u:object_r:var_t:s0"));
        assert_eq!(
            planned(State::Directory, &wrong),
            (chcon.clone(), vec!["context".to_owned()])
        );
        // What is made gets it in the same change.
        let (runs, what) = planned(State::Directory, &seen(true, None));
        assert_eq!((runs, what.len()), (chcon, 1));
        assert_eq!(planned(State::Absent, &right).0, Vec::<String>::new());
    }

    #[test]
    fn parts_are_laid_over_what_is_there() {
        let label = Label([None, None, Some("a_t".to_owned()), Some("s1".to_owned())]);
        assert_eq!(label.over("u:r:t:s0:c1,c2"), "u:r:a_t:s1");
        assert_eq!(label.over("u:r:t"), "u:r:a_t:s1");
    }

    #[test]
    fn no_part_of_a_context_and_what_goes_below_is_refused() {
        let mut all = labelled(State::Directory);
        assert!(Bound::check(&all).is_ok());
        all.label.0[2] = Some("_default".to_owned());
        assert!(Bound::check(&all).is_err());
        all = Labelled {
            bound: Arc::new(With::<File>(Args {
                path: "/srv/www".into(),
                recurse: true,
                ..Args::default()
            })),
            ..labelled(State::Directory)
        };
        assert!(Bound::check(&all).is_err());
    }
}
