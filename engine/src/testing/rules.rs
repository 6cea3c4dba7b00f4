//! The laws.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    Case, Law, changes,
    drive::{self, Run, Trouble},
    is_state, quiet,
};
use crate::{
    effects::{covers, foretell, of_step},
    fake::{Cut, FakeHost, World},
    module::Stop,
    probe::{AnyProbe, Key, Probes},
    rehearsal::Rehearsal,
    seen::Seen,
    step::{Action, Diff, Done, Plan},
    thing::{Thing, Touches},
};

type Found = Vec<(Law, String)>;

/// All laws that the case breaks.
pub(super) fn all(case: &Case) -> Found {
    let mut found = Vec::new();
    let host = case.host.clone();
    let before = host.world();
    let looked = drive::look(case, &host);
    let changed = host.world().changed_since(&before);
    if !changed.is_empty() {
        found.push((Law::Look, format!("it changed {changed:?}")));
    }
    let differences = host.world().differences(&before);
    if !differences.is_empty() {
        found.push((Law::Look, differences.join("; ")));
    }
    let (seen, asked) = match looked {
        Ok(looked) => looked,
        Err(why) => {
            found.push((Law::Look, why.to_string()));
            return found;
        }
    };
    found.extend(same_order(case, &seen));
    found.extend(reads(case, &asked));
    found.extend(secrets_in(
        case,
        asked
            .iter()
            .map(|probe| format!("{:?} {probe:?}", probe.key())),
    ));
    let host = case.host.clone();
    match drive::run(case, &host) {
        Ok(run) => {
            if let Some(wanted) = &case.refuses {
                found.push((Law::Refuses, format!("`{wanted}` was not refused")));
            }
            found.extend(after(case, &before, &host, &run));
        }
        Err(Trouble::Refused(refusal)) => {
            found.extend(secrets_in(case, [format!("{refusal:?}")]));
            let wanted = case.refuses.as_deref();
            if wanted.is_none_or(|wanted| !refusal.message.contains(wanted)) {
                let wanted = wanted.unwrap_or("nothing");
                found.push((Law::Refuses, format!("{refusal}, where {wanted} was to be")));
            }
        }
        Err(why) => found.push((Law::Applied, why.to_string())),
    }
    found
}

fn same_order(case: &Case, seen: &Seen) -> Found {
    let plan = || format!("{:?}", case.task.plan(seen));
    let questions = || format!("{:?}", case.task.observe(seen));
    let mut found = Vec::new();
    for (first, second) in [(plan(), plan()), (questions(), questions())] {
        if first != second {
            found.push((Law::SameOrder, format!("{first} / {second}")));
        }
    }
    found
}

/// What holds after a run that went well.
fn after(case: &Case, before: &World, host: &FakeHost, run: &Run) -> Found {
    let mut found = Found::new();
    let world = host.world();
    match case.task.plan(&run.after) {
        Ok(plan) if quiet(&plan) => {}
        Ok(plan) => found.push((Law::Quiet, format!("{:?} is left", changes(&plan)))),
        Err(stop) => found.push((Law::Quiet, Trouble::from(stop).to_string())),
    }
    match run.output(case) {
        Ok(output) => found.extend(secrets_in(case, [output.to_json().to_string()])),
        Err(why) => found.push((Law::Quiet, why)),
    }
    found.extend(foretold(case, host, run));
    found.extend(rehearsed(case, before, run));
    found.extend(writes(case, before, &world));
    for plan in &run.plans {
        found.extend(links(case, plan));
        found.extend(secrets_in(case, shown(case, plan)));
    }
    found.extend(cuts(case, &world, run));
    found
}

fn foretold(case: &Case, host: &FakeHost, run: &Run) -> Found {
    let Some(plan) = run.plans.last() else {
        return Vec::new();
    };
    let (mut seen, asked) = run.before.clone();
    let mut probes: BTreeMap<Key, Arc<dyn AnyProbe>> =
        asked.iter().map(|p| (p.key(), p.clone())).collect();
    for step in plan.changes.iter().flat_map(|change| &change.steps) {
        // Which probes it speaks of does not depend on what was seen.
        for effect in of_step(step, &|key| seen.raw(key).cloned()) {
            probes.insert(effect.probe.key(), effect.probe.clone());
        }
    }
    foretell(&mut seen, &asked, plan);
    let mut found = Vec::new();
    match case.task.plan(&seen) {
        Ok(plan) if quiet(&plan) => {}
        Err(Stop::NotYet(_)) => {}
        Ok(plan) => {
            let left = changes(&plan);
            found.push((
                Law::Foretold,
                format!("on foretold answers, {left:?} is left"),
            ));
        }
        Err(Stop::Refused(why)) => {
            found.push((
                Law::Foretold,
                format!("on foretold answers, it refuses: {why}"),
            ));
        }
    }
    let probes: Probes = probes.into_values().collect();
    let answers = match drive::answers(case, &host.clone(), &probes) {
        Ok(answers) => answers,
        Err(why) => return vec![(Law::Foretold, why.to_string())],
    };
    for (probe, answer) in probes.iter().zip(answers) {
        let Some(foretold) = seen.raw(&probe.key()).filter(|known| known.is_ok()) else {
            continue;
        };
        if !probe.same(foretold, &answer) {
            let (foretold, answer) = (probe.show(foretold), probe.show(&answer));
            let what = format!("{probe:?}: foretold {foretold}, seen {answer}");
            found.push((Law::Foretold, what));
        }
    }
    found
}

/// A rehearsal changes nothing, and says what the run leaves.
fn rehearsed(case: &Case, before: &World, run: &Run) -> Found {
    let [plan] = run.plans.as_slice() else {
        return Vec::new();
    };
    let question = plan.rehearsal.as_ref().map(Rehearsal::question);
    let Some(Ok(probe)) = question else {
        return Vec::new();
    };
    let mut found = Vec::new();
    let host = case.host.clone();
    let answers = drive::answers(case, &host, &vec![Arc::clone(probe)]);
    let differences = host.world().differences(before);
    if !differences.is_empty() || !host.world().changed_since(before).is_empty() {
        let what = format!("the rehearsal changed it: {}", differences.join("; "));
        found.push((Law::Look, what));
    }
    let answer = match answers {
        Ok(mut answers) => answers.pop(),
        Err(why) => return vec![(Law::Foretold, why.to_string())],
    };
    let ended = |done: &Done| (done.status, done.stdout.clone(), done.stderr.clone());
    if let Some(Ok(told)) = answer.as_ref().map(Rehearsal::read)
        && !told.iter().map(ended).eq(run.done.iter().map(ended))
    {
        let what = format!("rehearsed: {told:?}, done: {:?}", run.done);
        found.push((Law::Foretold, what));
    }
    let shown = [format!("{:?} {probe:?}", probe.key())];
    found.extend(secrets_in(case, shown));
    found
}

/// Cuts the connection before and after each step, and runs again.
fn cuts(case: &Case, uncut: &World, run: &Run) -> Found {
    let (mut found, base) = (Vec::new(), case.host.steps());
    let steps = |plan: &Plan| plan.changes.iter().map(|c| c.steps.len()).sum::<usize>();
    let count = run.plans.iter().map(steps).sum::<usize>() as u64;
    for (step, cut) in (1..=count).flat_map(|n| [(n, Cut::Before), (n, Cut::After)]) {
        let host = case.host.clone();
        host.set_break(base + step, cut);
        let place = format!("cut {} step {step}", format!("{cut:?}").to_lowercase());
        if drive::run(case, &host).is_ok() {
            found.push((Law::Cut, format!("{place}: nothing was cut")));
            continue;
        }
        match drive::run(case, &host) {
            Err(why) => found.push((Law::Cut, format!("{place}: the next run: {why}"))),
            Ok(_) if !run.plans.iter().all(is_state) => {}
            Ok(_) => {
                let differences = host.world().differences(uncut);
                if !differences.is_empty() {
                    found.push((Law::Cut, format!("{place}: {}", differences.join("; "))));
                }
            }
        }
    }
    found
}

/// What of a plan and a task may be printed.
fn shown(case: &Case, plan: &Plan) -> Vec<String> {
    let mut texts = vec![
        case.task.subject(),
        format!("{:?}", case.task.touches()),
        plan.warnings.join("\n"),
    ];
    for change in &plan.changes {
        texts.push(change.what.clone());
        texts.push(change.before.to_json().to_string());
        texts.push(change.after.to_json().to_string());
        match &change.diff {
            Some(Diff::Texts {
                name,
                before,
                after,
            }) => texts.extend([name, before, after].map(Clone::clone)),
            Some(diff @ Diff::File { .. }) => texts.push(format!("{diff:?}")),
            None => {}
        }
        for step in &change.steps {
            match &step.action {
                // A user's own command may hold one; it is masked where it is printed.
                Action::Run(run) if !run.secret_argv.is_empty() => {}
                action => texts.push(format!("{action:?}")),
            }
        }
    }
    texts
}

fn secrets_in(case: &Case, texts: impl IntoIterator<Item = String>) -> Found {
    let secrets = case.task.args().secrets();
    let secrets: Vec<_> = secrets
        .iter()
        .map(|secret| String::from_utf8_lossy(secret.reveal()).into_owned())
        .filter(|secret| secret.len() > 3)
        .flat_map(|secret| [secret.escape_debug().to_string(), secret])
        .collect();
    texts
        .into_iter()
        .filter(|text| secrets.iter().any(|secret| text.contains(secret)))
        .map(|text| {
            let masked = secrets.iter().fold(text, |t, s| t.replace(s, "***"));
            (Law::Secrets, format!("one is in: {masked}"))
        })
        .collect()
}

fn writes(case: &Case, before: &World, after: &World) -> Found {
    let writes = with_real(before, case.task.touches().writes);
    let missing = |what: String| {
        (
            Law::Touches,
            format!("{what} changed, and is not in `writes`"),
        )
    };
    let paths = after.changed_since(before).into_iter();
    let paths = paths.filter(|path| !covers(&writes, path));
    let accounts = after.accounts_changed_since(before).into_iter();
    let known = |thing: &Thing| writes.contains(thing) || writes.contains(&Thing::Everything);
    let accounts = accounts.filter(|thing| !known(thing));
    paths
        .map(|path| missing(format!("`{path}`")))
        .chain(accounts.map(|thing| missing(thing.to_string())))
        .collect()
}

/// A link that is made must be told beforehand: it gives other paths another name. Who writes a whole
/// tree need not know what links there are in it.
fn links(case: &Case, plan: &Plan) -> Found {
    let Touches { writes, links, .. } = case.task.touches();
    let steps = plan.changes.iter().flat_map(|change| &change.steps);
    let made = steps.filter_map(|step| match &step.action {
        Action::Link { path, target } => Some((path.clone(), target.clone())),
        _ => None,
    });
    let within = |path: &str| {
        let is_above = |thing: &Thing| !matches!(thing, Thing::Tree(tree) if tree == path);
        let above: Vec<Thing> = writes.iter().filter(|t| is_above(t)).cloned().collect();
        writes.contains(&Thing::Everything) || covers(&above, path)
    };
    let untold = made
        .filter(|(path, target)| !within(path) && !links.contains(&(path.clone(), target.clone())));
    untold
        .map(|(path, target)| {
            let what = format!("the link `{path}` to `{target}` is made, and is not in `links`");
            (Law::Touches, what)
        })
        .collect()
}

/// Also what paths lead to: the engine compares them with all links resolved.
fn with_real(world: &World, mut things: Vec<Thing>) -> Vec<Thing> {
    let real = |thing: &Thing| match thing {
        Thing::Path(path) => Some(Thing::Path(world.real(path))),
        Thing::Tree(path) => Some(Thing::Tree(world.real(path))),
        _ => None,
    };
    let more: Vec<_> = things.iter().filter_map(real).collect();
    things.extend(more);
    things
}

/// What is asked in later rounds must be told beforehand too.
fn reads(case: &Case, asked: &Probes) -> Found {
    let Touches { reads, writes, .. } = case.task.touches();
    let known = reads.into_iter().chain(writes).collect();
    let known = with_real(&case.host.world(), known);
    let covered = |thing: &Thing| match thing {
        Thing::Path(path) | Thing::Tree(path) if !known.contains(thing) => known
            .iter()
            .any(|k| !matches!(k, Thing::Path(_)) && covers(std::slice::from_ref(k), path)),
        thing => known.contains(thing) || known.contains(&Thing::Everything),
    };
    let missing = asked.iter().flat_map(|probe| {
        let things = probe.reads().into_iter().filter(|thing| !covered(thing));
        things.map(move |thing| format!("{probe:?} reads {thing}, which is not in `reads`"))
    });
    missing.map(|what| (Law::Touches, what)).collect()
}
