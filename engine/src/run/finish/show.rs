//! Changes as they may be shown.

use similar::TextDiff;

use super::Context;
use crate::{
    event::ChangeShown,
    probe::AnyProbe,
    probes::Contents,
    run::known::Who,
    secret::MASK,
    step::{Change, Content, Diff, Plan},
};

/// Larger texts are not compared line by line.
const DIFF_LIMIT: usize = 256 * 1024;

/// What is shown of the changes of a plan.
pub(crate) fn changes(plan: &Plan, who: Who, context: &Context<'_>) -> Vec<ChangeShown> {
    plan.changes
        .iter()
        .map(|change| shown(change, who, context))
        .collect()
}

fn shown(change: &Change, who: Who, context: &Context<'_>) -> ChangeShown {
    if context.task.no_log {
        // What stands in backticks may be an argument: the line of a command.
        let what = change.what.split('`').next().unwrap_or_default();
        return ChangeShown {
            what: what.trim_end().to_owned(),
            before: MASK.into(),
            after: MASK.into(),
            diff: None,
        };
    }
    let wanted = context.diff && context.task.diff;
    let diff = change
        .diff
        .as_ref()
        .filter(|_| wanted)
        .and_then(|diff| of(diff, who, context));
    ChangeShown {
        what: context.masking.text(&change.what),
        before: context.masking.json(change.before.to_json()),
        after: context.masking.json(change.after.to_json()),
        diff: diff.map(|diff| context.masking.text(&diff)),
    }
}

fn of(diff: &Diff, who: Who, context: &Context<'_>) -> Option<String> {
    match diff {
        Diff::Texts {
            name,
            before,
            after,
        } => Some(unified(name, before, after)),
        Diff::File { path, after } => {
            let key = AnyProbe::key(&Contents(path.clone()));
            let answer = context.known.get(who, &key)?;
            let before = match crate::probe::downcast::<Contents>(answer) {
                Ok(before) => before.clone().unwrap_or_default(),
                Err(why) => return Some(format!("{path}: no diff: {why}\n")),
            };
            Some(file(path, &before, after))
        }
    }
}

fn file(path: &str, before: &[u8], after: &Content) -> String {
    if before
        .len()
        .max(usize::try_from(after.len()).unwrap_or(usize::MAX))
        > DIFF_LIMIT
    {
        return format!("{path}: too large to be compared\n");
    }
    let Ok(new) = after.read() else {
        return format!("{path}: no diff\n");
    };
    match (std::str::from_utf8(before), std::str::from_utf8(&new)) {
        (Ok(before), Ok(new)) if !before.contains('\0') && !new.contains('\0') => {
            let diff = unified(path, before, new);
            if after.is_secret() {
                masked(&diff)
            } else {
                diff
            }
        }
        _ => format!("{path}: binary contents differ\n"),
    }
}

fn unified(name: &str, before: &str, after: &str) -> String {
    let (old, new) = (format!("{name} (before)"), format!("{name} (after)"));
    TextDiff::from_lines(before, after)
        .unified_diff()
        .context_radius(3)
        .header(&old, &new)
        .to_string()
}

/// Of contents that took a secret a diff shows only which lines differ.
fn masked(diff: &str) -> String {
    let line = |line: &str| match line.as_bytes().first() {
        Some(b'@') => line.to_owned(),
        _ if line.starts_with("--- ") || line.starts_with("+++ ") => line.to_owned(),
        Some(sign @ (b'+' | b'-' | b' ')) => format!("{}{MASK}", char::from(*sign)),
        _ => line.to_owned(),
    };
    diff.lines()
        .map(line)
        .fold(String::new(), |text, line| text + &line + "\n")
}
