//! Paths that go through links: where they lead, so that two names of one thing are not taken for
//! two things. Pure.
//!
//! What was seen of links is kept until the run removes them: to hold two things for one makes a
//! task wait, or be looked at again; to hold one for two would be an error.

use std::{collections::BTreeMap, iter::successors};

use crate::{
    effects::paths::{below, joined},
    probe::{Answer, AnyProbe, downcast},
    probes::{FileStat, Kind, RealPath, Stat},
    step::Action,
    thing::Thing,
};

/// Links are followed so far, as the kernel does.
const MAX_LINKS: usize = 40;

/// Which paths lead elsewhere.
#[derive(Clone, Debug, Default)]
pub(super) struct Links {
    /// Each with where it leads, and whether that was followed to the end.
    away: BTreeMap<String, (String, bool)>,
    /// Grows with each that is added.
    version: u64,
}

impl Links {
    /// Grows whenever something more is known.
    pub(super) fn version(&self) -> u64 {
        self.version
    }

    /// Learns from an answer.
    pub(super) fn learn(&mut self, probe: &dyn AnyProbe, answer: &Answer) {
        if let Some(RealPath(path)) = probe.as_any().downcast_ref() {
            match downcast::<RealPath>(answer) {
                Ok(real) if *real != joined("/", path) => self.add(path, real, true),
                _ => {}
            }
        } else if let Some(Stat(path)) = probe.as_any().downcast_ref()
            && let Ok(Some(FileStat {
                kind: Kind::Link(target),
                ..
            })) = downcast::<Stat>(answer)
        {
            let whole = |(_, whole): &(String, bool)| *whole;
            if !self.away.get(&joined("/", path)).is_some_and(whole) {
                self.add(path, &joined(path, target), false);
            }
        }
    }

    /// What an action makes of it.
    pub(super) fn act(&mut self, action: &Action) {
        match action {
            Action::Link { path, target } => self.add(path, &joined(path, target), false),
            Action::Remove { path } => self.away.retain(|link, _| !below(link, path)),
            _ => {}
        }
    }

    fn add(&mut self, path: &str, to: &str, whole: bool) {
        let path = joined("/", path);
        // What leads back to itself leads nowhere.
        if below(to, &path) {
            return;
        }
        let old = self.away.insert(path, (to.to_owned(), whole));
        if old.is_none_or(|(old, _)| old != to) {
            self.version += 1;
        }
    }

    /// The other names of a thing on the way that links lead, what they lead to last. `last`: if it
    /// is a link itself, that is followed, too.
    pub(super) fn others(&self, thing: &Thing, last: bool) -> Vec<Thing> {
        if self.away.is_empty() {
            return Vec::new();
        }
        match thing {
            Thing::Path(path) => self.way(path, last).map(Thing::Path).collect(),
            Thing::Tree(path) => self.way(path, last).map(Thing::Tree).collect(),
            _ => Vec::new(),
        }
    }

    fn way(&self, path: &str, last: bool) -> impl Iterator<Item = String> {
        let start = joined("/", path);
        let way = successors(Some(start), move |path| self.step(path, last));
        way.skip(1).take(MAX_LINKS)
    }

    /// Follows the first link on the way.
    fn step(&self, path: &str, last: bool) -> Option<String> {
        let ends = path.match_indices('/').map(|(at, _)| at).skip(1);
        let ends = ends.chain(last.then_some(path.len()));
        let mut ends = ends.filter_map(|end| Some((end, self.away.get(&path[..end])?)));
        let (end, (to, _)) = ends.next()?;
        Some(joined("/", &format!("{to}/{}", &path[end..])))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links(of: &[(&str, &str)]) -> Links {
        let mut links = Links::default();
        for (path, target) in of {
            links.act(&Action::Link {
                path: (*path).to_owned(),
                target: (*target).to_owned(),
            });
        }
        links
    }

    fn real(links: &Links, path: &str, last: bool) -> Option<String> {
        links.way(path, last).last()
    }

    #[test]
    fn links_on_the_way_are_followed() {
        let all = links(&[("/var/run", "/run"), ("/run/a", "../b"), ("/b/l", "/b/l/x")]);
        assert_eq!(real(&all, "/var/run/x", false).unwrap(), "/run/x");
        assert_eq!(real(&all, "/var/run/a/x", false).unwrap(), "/b/x");
        let way = all.others(&Thing::Path("/var/run/a".to_owned()), true);
        assert_eq!(
            way,
            ["/run/a", "/b"].map(|path| Thing::Path(path.to_owned()))
        );
        assert_eq!(real(&all, "/var/run", false), None);
        assert_eq!(real(&all, "/var/run", true).unwrap(), "/run");
        assert_eq!(real(&all, "/var/runs/x", true), None);
        assert_eq!(real(&all, "/b/l/x", true), None);
        assert_eq!(real(&all, "/var//./run/a", true).unwrap(), "/b");
    }

    #[test]
    fn a_ring_of_links_ends() {
        let all = links(&[("/a", "/b"), ("/b", "/a")]);
        assert!(real(&all, "/a/x", true).is_some());
    }

    #[test]
    fn what_is_removed_leads_nowhere() {
        let mut all = links(&[("/a/l", "/b")]);
        all.act(&Action::Remove {
            path: "/a".to_owned(),
        });
        assert_eq!(real(&all, "/a/l/x", true), None);
    }
}
