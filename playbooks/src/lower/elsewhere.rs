//! Tasks that are done on another machine than their host's (`delegate_to`).

use std::collections::BTreeMap;

use evenkeel_engine::{HostId, Value};

use super::{
    Prepared, Target, body,
    body::Trouble,
    keywords,
    listing::Entry,
    program::{Loop, Program},
    scope,
};
use crate::{
    files::Spanned,
    template::{Fault, Template},
    vars::Scope,
};

/// The machines on which hosts have tasks done: for a host and a name, the entry of the list.
pub(crate) type Elsewhere = BTreeMap<(String, String), HostId>;

/// A turn of a loop that is done elsewhere than others: what says where, and which place this is.
#[derive(Clone, Debug)]
pub(crate) struct Turns {
    word: Spanned<String>,
    place: String,
}

impl Turns {
    /// Whether a turn with these variables is done at this place.
    pub(super) fn has(&self, scope: &Scope) -> Result<bool, Fault> {
        Ok(place(&self.word, scope)? == self.place)
    }
}

/// Where a task is done.
#[derive(Clone, Debug, Default)]
pub(super) struct Place {
    /// Of which machine; nothing: its host.
    pub(super) name: Option<String>,
    /// Of a loop that is done in several places, those turns that are done here.
    pub(super) turns: Option<Turns>,
}

/// What a keyword names; nothing is the host itself.
fn place(word: &Spanned<String>, scope: &Scope) -> Result<String, Fault> {
    let name = keywords::text(word, scope)?;
    let name = name.trim();
    Ok(if name.is_empty() { scope.host() } else { name }.to_owned())
}

/// Whether anything around a task below its play may say where it is done.
fn may_be_elsewhere(entry: &Entry<'_>) -> bool {
    let mut commons = entry.commons.iter().skip(1);
    commons.any(|common| common.delegate_to.is_some() || common.connection.is_some())
}

/// The innermost `delegate_to` around a task. With `connection: local` it is done on the machine that we run on,
/// unless the inventory says how the host is connected: that wins, as in Ansible.
fn word(entry: &Entry<'_>, scope: &Scope) -> Result<Option<Spanned<String>>, Fault> {
    let commons = || entry.commons.iter().rev();
    let delegated = commons().find_map(|common| common.delegate_to.clone());
    let below = entry.commons.len().saturating_sub(1);
    let found = commons()
        .take(below)
        .find_map(|common| common.connection.as_ref());
    let Some(found) = found else {
        return Ok(delegated);
    };
    if scope.is_written("ansible_connection") && delegated.is_none() {
        return Ok(None);
    }
    let of_play = entry.commons.first();
    let of_play = of_play.and_then(|common| common.connection.as_ref());
    match (keywords::text(found, scope)?.as_str(), of_play) {
        ("local", _) => {
            let mut all = scope.groups().iter().flat_map(|(_, hosts)| hosts);
            // By that name the inventory may mean something else.
            let listed = all.any(|host| host == "localhost");
            let name = if listed { "127.0.0.1" } else { "localhost" };
            Ok(Some(Spanned::new(name.to_owned(), found.span)))
        }
        (_, Some(of_play)) if of_play.value == "local" => {
            let what = "below a play with `connection: local`, hosts are not reached otherwise";
            let fault = Fault::new("unsupported", what).help("make two plays of it");
            Err(fault.or_at(found.span))
        }
        _ => Ok(delegated),
    }
}

/// Whether a text reads the variables of a loop.
fn is_of_item(word: &Spanned<String>, found: &Loop) -> bool {
    let template = Template::text(&word.value, word.span);
    template.is_ok_and(|template| {
        let mut names = template.uses().names();
        names.any(|used| found.has(&used.name))
    })
}

/// Where a task of a host is done, in the order of its turns. Never empty.
pub(super) fn places(
    entry: &Entry<'_>,
    program: &Program,
    scope: &Scope,
) -> Result<Vec<Place>, Fault> {
    if !may_be_elsewhere(entry) {
        return Ok(vec![Place::default()]);
    }
    let Some(word) = word(entry, scope)? else {
        return Ok(vec![Place::default()]);
    };
    let word = &word;
    let host = scope.host();
    let of = |name: String| (name != host).then_some(name);
    let Some(found) = program
        .loop_
        .as_ref()
        .filter(|found| is_of_item(word, found))
    else {
        let name = of(place(word, scope)?);
        return Ok(vec![Place { name, turns: None }]);
    };
    let items = body::items_of(found, scope).map_err(|trouble| match trouble {
        Trouble::NotYet(what) => Fault::new(
            "known_too_late",
            format!(
                "where it is done must be known before the run: the loop reads {}",
                what.0
            ),
        )
        .or_at(word.span),
        Trouble::Faults(mut faults) => faults.remove(0),
    })?;
    let mut names: Vec<String> = Vec::new();
    for index in 0..items.len() {
        let own = scope.with_locals(found.locals(index, &items));
        let name = place(word, &own)?;
        if !names.contains(&name) {
            names.push(name);
        }
    }
    if let [_, _, ..] = names[..]
        && program.register.is_some()
    {
        return Err(Fault::new(
            "unsupported",
            "a loop whose turns are done on several machines cannot be registered",
        )
        .help("leave `register` out, or write one task for each machine")
        .or_at(word.span));
    }
    let several = names.len() > 1;
    let turns = |name: &String| {
        several.then(|| Turns {
            word: word.clone(),
            place: name.clone(),
        })
    };
    let places = names.into_iter().map(|name| Place {
        turns: turns(&name),
        name: of(name),
    });
    let places: Vec<Place> = places.collect();
    Ok(if places.is_empty() {
        vec![Place::default()]
    } else {
        places
    })
}

/// All that hosts of a play have done elsewhere: whose tasks, and on which machine. Mistakes are told
/// when the tasks are lowered.
pub(crate) fn all(target: &Target<'_>, prepared: &Prepared<'_>) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (entry, program) in prepared.listing.entries.iter().zip(&prepared.programs) {
        if !may_be_elsewhere(entry) {
            continue;
        }
        let hosts = target.world.play_hosts.iter();
        for host in hosts.filter(|host| entry.levels.has(host)) {
            let places = places(entry, program, &scope(target, entry, host)).unwrap_or_default();
            for name in places.into_iter().filter_map(|place| place.name) {
                let pair = (host.clone(), name);
                if !found.contains(&pair) {
                    found.push(pair);
                }
            }
        }
    }
    found
}

/// Whether what a task finds out about the machine is the machine's (`delegate_facts`).
pub(super) fn gives_facts(entry: &Entry<'_>, scope: &Scope) -> Result<bool, Fault> {
    let mut commons = entry.commons.iter().rev();
    let found = commons.find_map(|common| common.delegate_facts.as_ref());
    Ok(found
        .map(|found| keywords::flag(found, scope))
        .transpose()?
        .unwrap_or(false))
}

/// A value that says how to reach the machine we run on, where nothing else does.
pub(crate) fn here(name: &str) -> Option<Value> {
    ["localhost", "127.0.0.1", "::1"]
        .contains(&name)
        .then(|| "local".into())
}
