//! The ways to the hosts of plays, and to the machines on which they have tasks done.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use evenkeel_engine::{HostId, Map, TaskList, Value};

use super::{Connect, HostVars, Read, Request, gate::Gate};
use crate::{
    diagnostic::Diagnostic,
    lower::{
        Elsewhere, Gathering, Login, Logins, Prepared, Store, Target, all_elsewhere, all_logins,
        here, of_play,
    },
    template::Variables as _,
    vars::Scope,
};

/// What a way is opened with.
#[derive(Clone, Copy)]
pub(super) struct Opening<'a> {
    pub(super) request: &'a Request,
    pub(super) connect: &'a Connect<'a>,
    pub(super) store: &'a Store,
}

impl Read {
    /// An empty list on which all machines are, who has tasks done where, and which of the machines is this one.
    pub(super) fn ways(
        &self,
        (targets, prepared, facts): (&[Target<'_>], &[Prepared<'_>], &Gathering),
        opening: Opening<'_>,
        out: &mut Vec<Diagnostic>,
    ) -> (TaskList, Elsewhere, BTreeSet<HostId>, Logins) {
        let logins = all_logins(targets);
        let mut list = TaskList::new(self.project());
        let mut near = BTreeSet::new();
        self.connect_all((targets, facts), opening, (&mut list, &mut near), out);
        let plays = targets.iter().zip(prepared);
        let elsewhere =
            self.connect_elsewhere((plays, &logins), opening, (&mut list, &mut near), out);
        (list, elsewhere, near, logins)
    }

    /// Adds the hosts of all plays, each once, in the order in which plays name them.
    fn connect_all(
        &self,
        (targets, facts): (&[Target<'_>], &Gathering),
        opening: Opening<'_>,
        (list, near): (&mut TaskList, &mut BTreeSet<HostId>),
        out: &mut Vec<Diagnostic>,
    ) {
        for (position, target) in targets.iter().enumerate() {
            let own = target.world.play_hosts.iter();
            for name in own.chain(facts.hosts(position)) {
                if list.hosts.iter().any(|host| host.name == *name) {
                    continue;
                }
                // The first play that is for a host says how it is logged in to.
                let mut all = targets.iter();
                let first = all.find(|target| target.world.play_hosts.contains(name));
                let host = self.way_to(name, (first.unwrap_or(target), None), opening, out);
                match (opening.connect)(&host) {
                    Ok(door) => {
                        let id = list.host(name.as_str(), door);
                        near.extend(is_near(&host).then_some(id));
                    }
                    Err(error) => out.push(error),
                }
            }
        }
    }

    /// Adds the machines on which hosts have tasks done.
    fn connect_elsewhere<'t, 'p: 't>(
        &self,
        (plays, logins): (
            impl Iterator<Item = (&'t Target<'p>, &'t Prepared<'p>)>,
            &Logins,
        ),
        opening: Opening<'_>,
        (list, near): (&mut TaskList, &mut BTreeSet<HostId>),
        out: &mut Vec<Diagnostic>,
    ) -> Elsewhere {
        let mut found = Elsewhere::new();
        let mut doors: BTreeMap<String, Gate> = BTreeMap::new();
        for (target, prepared) in plays {
            for (owner, way) in all_elsewhere(target, prepared, logins) {
                let pair = (owner.clone(), way.clone());
                if found.contains_key(&pair) {
                    continue;
                }
                let (name, login) = way;
                let id = |list: &TaskList, name: &str| {
                    let at = list.hosts.iter().position(|host| host.name == name)?;
                    Some(HostId(u32::try_from(at).ok()?))
                };
                let Some(of) = id(list, &owner) else { continue };
                let mut host = self.way_to(&name, (target, login.as_ref()), opening, out);
                if let (None, Some(here)) = (&host.place, here(&name)) {
                    host.vars.insert("ansible_connection".to_owned(), here);
                }
                match (opening.connect)(&host) {
                    Ok(door) => {
                        let gate = doors.entry(name.clone()).or_default();
                        let at = id(list, &name);
                        let shown = format!("{owner} -> {}{name}", shown(login.as_ref()));
                        let stand_in = list.elsewhere(of, at, shown, gate.before(door));
                        near.extend(is_near(&host).then_some(stand_in));
                        found.insert(pair, stand_in);
                    }
                    Err(error) => out.push(error),
                }
            }
        }
        found
    }

    /// What is known of the way to a host.
    fn way_to(
        &self,
        name: &str,
        (target, login): (&Target<'_>, Option<&Login>),
        Opening { request, store, .. }: Opening<'_>,
        out: &mut Vec<Diagnostic>,
    ) -> HostVars {
        let world = if target.world.hosts.contains_key(name) {
            &target.world
        } else {
            target.last_world()
        };
        let scope = Scope::new(Arc::clone(world), name, Vec::new(), Vec::new());
        let of_play = || {
            of_play(target, name).unwrap_or_else(|fault| {
                out.push(store.with_files(|files| fault.diagnostic(files)));
                Login::default()
            })
        };
        let login = login.cloned().unwrap_or_else(of_play);
        let vars = connection_vars(&scope, &login, request, store, out);
        let at = self.inventory.hosts.get(name).and_then(|entry| entry.at);
        HostVars {
            name: name.to_owned(),
            vars,
            place: at.map(|at| store.with_files(|files| files.place(at))),
        }
    }
}

/// Whether a host is the machine we run on.
fn is_near(host: &HostVars) -> bool {
    match host.vars.get("ansible_connection") {
        Some(Value::Str(name)) => name.trim_start_matches("ansible.builtin.") == "local",
        _ => host.place.is_none() && here(&host.name).is_some(),
    }
}

/// What tells a login from the usual one, before the machine's name.
fn shown(login: Option<&Login>) -> String {
    let user = login.and_then(|login| login.user.as_deref());
    user.map_or_else(String::new, |user| format!("{user}@"))
}

/// A host's variables that speak of its connection, rendered; with what the play and the command
/// line say where the inventory is silent.
fn connection_vars(
    scope: &Scope,
    login: &Login,
    request: &Request,
    store: &Store,
    out: &mut Vec<Diagnostic>,
) -> Map {
    let mut vars = Map::new();
    let magic = ["ansible_check_mode", "ansible_diff_mode", "ansible_version"];
    let ours = |name: &String| {
        name.starts_with("ansible_")
            && !name.starts_with("ansible_play")
            && !magic.contains(&name.as_str())
    };
    for name in scope.names().into_iter().filter(ours) {
        match scope.value(&name) {
            Ok(Some(value)) => {
                vars.insert(name, value);
            }
            Ok(None) => {}
            Err(fault) => out.push(store.with_files(|files| fault.diagnostic(files))),
        }
    }
    let port = login.port.map(|port| Value::from(i64::from(port)));
    let told = |text: &Option<String>| text.as_deref().map(Value::from);
    for (name, value) in [
        (
            "ansible_connection",
            told(&login.connection).or_else(|| told(&request.connection)),
        ),
        (
            "ansible_user",
            told(&login.user).or_else(|| told(&request.user)),
        ),
        ("ansible_port", port),
    ] {
        // What is there without being written gives way.
        if let (false, Some(value)) = (scope.is_written(name), value) {
            vars.insert(name.to_owned(), value);
        }
    }
    vars
}
