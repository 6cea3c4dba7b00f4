//! Tasks that are done on another machine than their host's (`delegate_to`).

use std::{collections::BTreeMap, sync::Arc};

use evenkeel_engine::{HostId, NotYet, TaskId, Value};

use super::{
    Prepared, Target,
    acts::Part,
    body,
    body::Trouble,
    keywords,
    listing::Entry,
    login::{self, Login, Logins},
    program::{Loop, Program},
    scope,
};
use crate::{
    ast::Common,
    files::{Span, Spanned},
    template::{Fault, Template},
    vars::{Scope, Share},
};

/// The machines on which hosts have tasks done, and other logins to them: for a host and a way, the entry of the list.
pub(crate) type Elsewhere = BTreeMap<(String, Way), HostId>;

/// A way that is not that of a host itself: to a machine, with a login of its own if there is one.
pub(crate) type Way = (String, Option<Login>);

/// A task, or a turn of its loop, that may be done elsewhere: what says where, and which place this is.
#[derive(Clone, Debug)]
pub(crate) struct Turns {
    word: Spanned<String>,
    place: String,
    /// Which they are, where that is known before the run.
    known: Vec<usize>,
    /// Where only the run tells where it is done: all places that may be meant.
    late: Option<Arc<[String]>>,
}

/// Of so many machines, for all hosts of a play, one may be meant that only the run tells.
const MOST_MEANT: usize = 4096;

/// The condition of a task that stands at each place that may be meant: that it is this one. Of the others nothing is
/// said.
pub(crate) const HERE: &str = "its `delegate_to` means this machine";

impl Turns {
    /// Whether a turn with these variables is done at this place.
    pub(super) fn has(&self, scope: &Scope) -> Result<bool, Trouble> {
        let name = match place(&self.word, scope) {
            Err(fault) if fault.code == keywords::LATE && self.late.is_some() => {
                return Err(self.not_yet().into());
            }
            found => found?,
        };
        let listed = |meant: &Arc<[String]>| meant.contains(&name);
        if !self.late.as_ref().is_none_or(listed) {
            return if !self.is_spare() {
                let message = format!("there is no host `{name}` in the inventory");
                let help = "where only the run tells where a task is done, it is a host of the inventory, or `localhost`";
                let fault = Fault::new("unknown_host", message).help(help);
                Err(fault.or_at(self.word.span).into())
            } else {
                Ok(false)
            };
        }
        Ok(name == self.place)
    }

    /// Whether only the run tells where it is done.
    pub(super) fn is_late(&self) -> bool {
        self.late.is_some()
    }

    /// Whether it is one more of those that stand for one task.
    pub(super) fn is_spare(&self) -> bool {
        self.late
            .as_ref()
            .is_some_and(|meant| meant.first() != Some(&self.place))
    }

    /// What is waited for; of one more than the first nothing is said.
    fn not_yet(&self) -> NotYet {
        NotYet::new(if self.is_spare() {
            crate::expand::MORE
        } else {
            "where it is done"
        })
    }
}

/// Where a task is done.
#[derive(Clone, Debug, Default)]
pub(super) struct Place {
    /// Of which machine; nothing: its host.
    pub(super) name: Option<String>,
    /// Logged in to in another way than by the first play that is for the host.
    pub(super) login: Option<Login>,
    /// Of a loop that is done in several places, those turns that are done here.
    pub(super) turns: Option<Turns>,
    /// Of a loop whose turns differ in as whom they are done, those of one of them.
    pub(super) part: Option<Part>,
}

impl Place {
    /// Which turns of its loop a task has that is done here; nothing: all.
    pub(super) fn share(&self, of: TaskId) -> Option<Share> {
        let part = self.part.as_ref().map(|part| &part.turns);
        let known = self.turns.as_ref().filter(|turns| !turns.is_late());
        let turns = part.or_else(|| Some(&known?.known))?.clone();
        Some(Share { of, turns })
    }

    /// The way to it; nothing is that of the host itself.
    pub(super) fn way(&self, host: &str) -> Option<Way> {
        if self.name.is_none() && self.login.is_none() {
            return None;
        }
        let name = self.name.as_deref().unwrap_or(host);
        Some((name.to_owned(), self.login.clone()))
    }
}

/// What a keyword names; nothing is the host itself.
fn place(word: &Spanned<String>, scope: &Scope) -> Result<String, Fault> {
    let name = keywords::text_unless_omitted(word, scope)?.unwrap_or_default();
    let name = name.trim();
    Ok(if name.is_empty() { scope.host() } else { name }.to_owned())
}

/// Whether anything around a task may say where it is done, or how that is logged in to.
fn may_be_elsewhere(entry: &Entry<'_>) -> bool {
    let says = |common: &Common| {
        common.delegate_to.is_some()
            || common.connection.is_some()
            || common.remote_user.is_some()
            || common.port.is_some()
    };
    entry.commons.iter().any(|common| says(common))
}

/// Whether nothing is said of a task that could be otherwise than for its host: what the first play that is for it says,
/// another does not.
fn is_usual(entry: &Entry<'_>, login: Option<&Login>) -> bool {
    !may_be_elsewhere(entry) && login.is_none_or(|login| *login == Login::default())
}

/// Where a task is done that its host does elsewhere, and how it is logged in to there.
fn word(
    target: &Target<'_>,
    entry: &Entry<'_>,
    (scope, logins): (&Scope, &Logins),
) -> Result<(Option<Spanned<String>>, Option<Login>), Fault> {
    let host = scope.host().to_owned();
    let said = login::of_task(target, entry, &host)?;
    let usual = logins.get(&host).cloned().unwrap_or_default();
    let commons = || entry.commons.iter().rev();
    let local = |common: &Common| common.connection.clone();
    if let Some(delegated) = commons().find_map(|common| common.delegate_to.clone()) {
        let below = entry.commons.len().saturating_sub(1);
        let found = commons().take(below).find_map(|common| local(common));
        let below = &entry.commons[entry.commons.len().min(1)..];
        let mut own = Login::of(below, scope)?;
        if let (true, Some(found)) = (own.is_here(), found) {
            return Ok((Some(this_machine(scope, found.span)), None));
        }
        own.connection = None;
        let own = (own != Login::default()).then_some(own);
        return Ok((Some(delegated), own));
    }
    if said.is_like(&usual) {
        return Ok((None, None));
    }
    match commons().find_map(|common| local(common)) {
        // Whoever logs in there is whoever we are.
        Some(_) if said.is_here() && usual.is_here() => Ok((None, None)),
        Some(found) if said.is_here() => Ok((Some(this_machine(scope, found.span)), None)),
        _ => Ok((None, Some(said))),
    }
}

/// The machine that we run on, by a name that the inventory does not use for something else.
fn this_machine(scope: &Scope, at: Span) -> Spanned<String> {
    let mut all = scope.groups().iter().flat_map(|(_, hosts)| hosts);
    let listed = all.any(|host| host == "localhost");
    let name = if listed { "127.0.0.1" } else { "localhost" };
    Spanned::new(name.to_owned(), at)
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
    target: &Target<'_>,
    entry: &Entry<'_>,
    program: &Program,
    (scope, logins): (&Scope, &Logins),
) -> Result<Vec<Place>, Fault> {
    if is_usual(entry, logins.get(scope.host())) {
        return Ok(vec![Place::default()]);
    }
    let (word, login) = word(target, entry, (scope, logins))?;
    let Some(word) = word else {
        return Ok(vec![Place {
            login,
            ..Place::default()
        }]);
    };
    let word = &word;
    let host = scope.host();
    let of = |name: String| (name != host).then_some(name);
    let Some(found) = program
        .loop_
        .as_ref()
        .filter(|found| is_of_item(word, found))
    else {
        let name = match place(word, scope) {
            Err(fault) if fault.code == keywords::LATE => {
                return late(target, word, (program, host), login.as_ref());
            }
            name => of(name?),
        };
        return Ok(vec![Place {
            name,
            login,
            ..Place::default()
        }]);
    };
    let items = match body::items_of(found, scope) {
        Ok(items) => items,
        Err(Trouble::NotYet(_)) => return late(target, word, (program, host), login.as_ref()),
        Err(Trouble::Faults(mut faults)) => return Err(faults.remove(0)),
    };
    let mut names: Vec<String> = Vec::new();
    let mut of_name: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for index in 0..items.len() {
        let own = found.turn(scope, index, &items);
        let name = match place(word, &own) {
            Err(fault) if fault.code == keywords::LATE => {
                return late(target, word, (program, host), login.as_ref());
            }
            name => name?,
        };
        of_name.entry(name.clone()).or_default().push(index);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let several = names.len() > 1;
    let turns = |name: &String| {
        several.then(|| Turns {
            word: word.clone(),
            place: name.clone(),
            known: of_name.get(name).cloned().unwrap_or_default(),
            late: None,
        })
    };
    let places = names.into_iter().map(|name| Place {
        turns: turns(&name),
        login: login.clone(),
        name: of(name),
        part: None,
    });
    let places: Vec<Place> = places.collect();
    Ok(if places.is_empty() {
        vec![Place::default()]
    } else {
        places
    })
}

/// Each machine that may be meant where only the run tells where a task is done: the host itself first.
fn late(
    target: &Target<'_>,
    word: &Spanned<String>,
    (program, host): (&Program, &str),
    login: Option<&Login>,
) -> Result<Vec<Place>, Fault> {
    let refused = |what: String, help: &str| {
        let fault = Fault::new(keywords::LATE, what).help(help);
        Err(fault.or_at(word.span))
    };
    if program.loop_.is_some() && program.register.is_some() {
        return refused(
            "where the turns of a loop that is registered are done must be known before the run"
                .to_owned(),
            "leave `register` out, or loop over what the inventory, the play or the command line says",
        );
    }
    let listed = target.last_world().hosts.keys().map(String::as_str);
    let mut meant = vec![host.to_owned()];
    for name in listed.chain(["localhost"]) {
        if !meant.iter().any(|other| other == name) {
            meant.push(name.to_owned());
        }
    }
    let ways = meant.len() * target.world.play_hosts.len();
    if ways > MOST_MEANT {
        return refused(
            format!(
                "where it is done must be known before the run: {} machines may be meant for each of {} hosts",
                meant.len(),
                target.world.play_hosts.len()
            ),
            "write a host, or a variable of the inventory, the play or the command line",
        );
    }
    let meant: Arc<[String]> = meant.into();
    let place = |name: &String| Place {
        name: (name != host).then(|| name.clone()),
        login: login.cloned(),
        turns: Some(Turns {
            word: word.clone(),
            place: name.clone(),
            known: Vec::new(),
            late: Some(Arc::clone(&meant)),
        }),
        part: None,
    };
    Ok(meant.iter().map(place).collect())
}

/// All that hosts of a play have done elsewhere: whose tasks, and on which machine. Mistakes are told
/// when the tasks are lowered.
pub(crate) fn all(
    target: &Target<'_>,
    prepared: &Prepared<'_>,
    logins: &Logins,
) -> Vec<(String, Way)> {
    let mut found = Vec::new();
    for (entry, program) in prepared.listing.entries.iter().zip(&prepared.programs) {
        let hosts = target.world.play_hosts.iter();
        for host in hosts.filter(|host| entry.levels.has(host)) {
            if is_usual(entry, logins.get(host)) {
                continue;
            }
            let scope = scope(target, entry, host);
            let found_places = places(target, entry, program, (&scope, logins));
            let places = found_places.unwrap_or_else(|_| {
                // It may read what earlier tasks leave behind: that is known when it is lowered.
                let said = entry.commons.iter().rev();
                let word = said.clone().find_map(|common| common.delegate_to.as_ref());
                let below = &entry.commons[entry.commons.len().min(1)..];
                let login = Login::of(below, &scope).unwrap_or_default();
                let login = (login != Login::default()).then_some(login);
                word.and_then(|word| late(target, word, (program, host), login.as_ref()).ok())
                    .unwrap_or_default()
            });
            for way in places.into_iter().filter_map(|place| place.way(host)) {
                let pair = (host.clone(), way);
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
