//! Which rights of a role differ, and the statements that close it.

use std::collections::{BTreeMap, BTreeSet};

use evenkeel_engine::{Change, Refusal, Stop};

use super::{
    Args, State, kind,
    places::{Place, Thing},
};
use crate::psql::{Right, quote::ident};

/// What was found so far.
pub(super) struct Grants<'a> {
    pub(super) args: &'a Args,
    pub(super) version: u32,
    /// The role that acts.
    pub(super) me: String,
    pub(super) statements: Vec<String>,
    pub(super) changes: Vec<Change>,
    pub(super) warnings: Vec<String>,
}

/// The rights that are to be given, taken away, and no longer to be passed on.
#[derive(Default)]
struct Differs<'a> {
    grant: Vec<&'a str>,
    revoke: Vec<&'a str>,
    option: Vec<&'a str>,
}

impl Grants<'_> {
    /// The rights of one role on one thing; the list is as it will be then. An empty role is everybody.
    pub(super) fn role(
        &mut self,
        place: &Place,
        thing: &mut Thing<'_>,
        role: &str,
    ) -> Result<(), Stop> {
        let args = self.args;
        let by = self.grantor(thing);
        let mut words: BTreeSet<String> = BTreeSet::new();
        if args.privs.is_empty() || args.privs.iter().any(|word| word == "ALL") {
            words.extend(
                kind::rights(place.letter, self.version)
                    .into_iter()
                    .map(str::to_owned),
            );
            if args.state == State::Absent {
                let held = thing.acl.iter().filter(|right| right.to == role);
                words.extend(held.map(|right| right.what.clone()));
            }
        }
        words.extend(args.privs.iter().filter(|word| *word != "ALL").cloned());

        let mut differs = Differs::default();
        for what in &words {
            self.differs(thing, role, what, by.as_deref(), &mut differs);
        }
        let lists = [
            ("GRANT", &differs.grant),
            ("REVOKE", &differs.revoke),
            ("OPTION", &differs.option),
        ];
        if lists.iter().all(|(_, list)| list.is_empty()) {
            return Ok(());
        }
        let Some(by) = by.filter(|by| may(thing, by, &differs.grant)) else {
            return Err(self.no_grantor(thing, &differs).into());
        };
        let before = shown(thing.acl, role);
        apply(
            thing.acl,
            role,
            &by,
            &differs,
            args.grant_option == Some(true),
        );
        depends(thing, role, &differs)?;
        for (verb, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
            self.statements
                .push(self.statement(place, thing, verb, &list.join(", "), role));
        }
        let what = format!("{} for {}", thing.label, to(role));
        self.changes
            .push(Change::new(what, before, shown(thing.acl, role)));
        Ok(())
    }

    /// In whose name the server grants.
    fn grantor(&self, thing: &Thing<'_>) -> Option<String> {
        let named = |name: &str| thing.by.iter().find(|by| *by == name);
        named(thing.owner)
            .or_else(|| named(&self.me))
            .or_else(|| thing.by.first())
            .cloned()
    }

    fn differs<'w>(
        &mut self,
        thing: &Thing<'_>,
        role: &str,
        what: &'w str,
        by: Option<&str>,
        differs: &mut Differs<'w>,
    ) {
        let held: Vec<&Right> = thing
            .acl
            .iter()
            .filter(|right| right.to == role && right.what == what)
            .collect();
        let own = held.iter().find(|right| Some(right.by.as_str()) == by);
        let may = held.iter().any(|right| right.grant);
        match (self.args.state, self.args.grant_option) {
            (State::Present, Some(true)) if !may => differs.grant.push(what),
            (State::Present, _) if held.is_empty() => differs.grant.push(what),
            (State::Present, Some(false)) | (State::Absent, Some(true))
                if own.is_some_and(|own| own.grant) =>
            {
                differs.option.push(what);
            }
            (State::Absent, None | Some(false)) if own.is_some() => differs.revoke.push(what),
            _ => {}
        }
        let all = self.args.grant_option != Some(true);
        let other = held.iter().find(|right| Some(right.by.as_str()) != by);
        if let (State::Absent, true, Some(other)) = (self.args.state, all, other) {
            self.warnings.push(format!(
                "{}: `{}` has `{what}` from `{}`, and only that role can take it away (`session_role: {}`)",
                thing.label,
                to(role),
                other.by,
                other.by
            ));
        }
    }

    fn no_grantor(&self, thing: &Thing<'_>, differs: &Differs<'_>) -> Refusal {
        let words: Vec<&str> = [&differs.grant, &differs.revoke, &differs.option]
            .into_iter()
            .flatten()
            .copied()
            .collect();
        let what = format!(
            "the role `{}` may neither give nor take `{}` on {}: it has not the rights of its owner `{}`, nor may \
             it pass these on",
            self.me,
            words.join("`, `"),
            thing.label,
            thing.owner
        );
        Refusal::new(what).help(format!("log in as `{}` or as a superuser", thing.owner))
    }

    fn statement(
        &self,
        place: &Place,
        thing: &Thing<'_>,
        verb: &str,
        whats: &str,
        role: &str,
    ) -> String {
        let role = if role.is_empty() {
            "PUBLIC".to_owned()
        } else {
            ident(role)
        };
        let front = &place.front;
        // Members are no rights on something: they have words of their own.
        let (what, option) = if place.letter == 'm' {
            (thing.sql.clone(), "ADMIN")
        } else {
            (format!("{whats} ON {}{}", place.on, thing.sql), "GRANT")
        };
        let with = self.args.grant_option == Some(true);
        match verb {
            "GRANT" if with => format!("{front}GRANT {what} TO {role} WITH {option} OPTION"),
            "GRANT" => format!("{front}GRANT {what} TO {role}"),
            "REVOKE" => format!("{front}REVOKE {what} FROM {role}"),
            _ => format!("{front}REVOKE {option} OPTION FOR {what} FROM {role}"),
        }
    }
}

/// Whether a role may grant these: an owner may, also without a word of it in the list.
fn may(thing: &Thing<'_>, by: &str, whats: &[&str]) -> bool {
    let can = |what: &&str| {
        thing
            .acl
            .iter()
            .any(|right| right.to == by && right.what == **what && right.grant)
    };
    thing.owner == by || whats.iter().all(can)
}

/// The list as it is then.
fn apply(acl: &mut Vec<Right>, role: &str, by: &str, differs: &Differs<'_>, with: bool) {
    let mine = |right: &Right, words: &[&str]| {
        right.to == role && right.by == by && words.contains(&right.what.as_str())
    };
    for what in &differs.grant {
        match acl.iter_mut().find(|right| mine(right, &[what])) {
            Some(right) => right.grant |= with,
            None => acl.push(Right {
                to: role.to_owned(),
                by: by.to_owned(),
                what: (*what).to_owned(),
                grant: with,
            }),
        }
    }
    acl.retain(|right| !mine(right, &differs.revoke));
    for right in acl.iter_mut().filter(|right| mine(right, &differs.option)) {
        right.grant = false;
    }
    acl.sort();
}

/// Refuses to take away what others have from that role: the server would, too.
fn depends(thing: &Thing<'_>, role: &str, differs: &Differs<'_>) -> Result<(), Refusal> {
    if role == thing.owner {
        return Ok(());
    }
    for what in differs.revoke.iter().chain(&differs.option) {
        let of = |right: &&Right| right.what == **what;
        let still = thing
            .acl
            .iter()
            .filter(of)
            .any(|right| right.to == role && right.grant);
        let given = thing.acl.iter().filter(of).find(|right| right.by == role);
        if let (false, Some(given)) = (still, given) {
            let what = format!(
                "{}: `{what}` cannot be taken from `{role}`: it gave it to `{}`",
                thing.label,
                to(&given.to)
            );
            return Err(Refusal::new(what).help(format!(
                "take it from `{}` first (`session_role: {role}`)",
                to(&given.to)
            )));
        }
    }
    Ok(())
}

/// Everybody has a name.
fn to(role: &str) -> &str {
    if role.is_empty() { "PUBLIC" } else { role }
}

/// What a role has, as a text; `*` where it may be passed on.
fn shown(acl: &[Right], role: &str) -> Option<String> {
    let mut all: BTreeMap<&str, bool> = BTreeMap::new();
    for right in acl.iter().filter(|right| right.to == role) {
        *all.entry(&right.what).or_default() |= right.grant;
    }
    let text = |(what, grant): (&str, bool)| format!("{what}{}", if grant { "*" } else { "" });
    let words: Vec<String> = all.into_iter().map(text).collect();
    (!words.is_empty()).then(|| words.join(", "))
}
