//! Hosts whose tasks are the same are drawn once.

use std::collections::{BTreeMap, BTreeSet};

use super::picture::{Edge, Node, Picture, Why, ranked};

/// What makes the tasks of two hosts the same: the tasks, and the edges between them.
type Pattern = (Vec<Node>, Vec<(usize, usize, Vec<Why>)>);

impl Picture {
    /// The same picture with hosts of the same tasks drawn once. Where that cannot be, since the hosts have their turns
    /// one after the other, it stays as it is.
    #[must_use]
    pub fn folded(self) -> Self {
        self.fold().unwrap_or(self)
    }

    fn fold(&self) -> Option<Self> {
        let mut first = vec![usize::MAX; self.hosts.len()];
        for (row, node) in self.nodes.iter().enumerate().rev() {
            first[node.host] = row;
        }
        let mut groups: Vec<(Pattern, Vec<usize>)> = Vec::new();
        let mut found: BTreeMap<String, usize> = BTreeMap::new();
        for (host, first) in first.iter().enumerate() {
            let pattern = self.pattern(host, *first);
            let group = *found.entry(format!("{pattern:?}")).or_insert_with(|| {
                groups.push((pattern, Vec::new()));
                groups.len() - 1
            });
            groups[group].1.push(host);
        }
        if groups.len() == self.hosts.len() {
            return None;
        }
        let group_of: BTreeMap<usize, usize> = (groups.iter().enumerate())
            .flat_map(|(group, (_, hosts))| hosts.iter().map(move |host| (*host, group)))
            .collect();
        // Each group is drawn as its first host.
        let mut at = BTreeMap::new();
        let mut nodes = Vec::new();
        for (row, node) in self.nodes.iter().enumerate() {
            let group = group_of[&node.host];
            if groups[group].1.first() == Some(&node.host) {
                at.insert(row, nodes.len());
                nodes.push(Node {
                    host: group,
                    ..node.clone()
                });
            }
        }
        let drawn = |row: usize| {
            let host = self.nodes[row].host;
            at[&(first[groups[group_of[&host]].1[0]] + row - first[host])]
        };
        let edges = |all: &[Edge]| {
            let mut merged: BTreeMap<(usize, usize), (BTreeSet<Why>, bool)> = BTreeMap::new();
            for edge in all {
                let (why, implied) = merged
                    .entry((drawn(edge.to), drawn(edge.from)))
                    .or_insert_with(|| (BTreeSet::new(), true));
                why.extend(edge.why.iter().cloned());
                *implied &= edge.implied;
            }
            let edges = merged.into_iter().map(|((to, from), (why, implied))| Edge {
                from,
                to,
                why: ranked(why),
                implied,
            });
            edges.collect::<Vec<_>>()
        };
        let folded = Self {
            hosts: groups.iter().map(|(_, hosts)| self.names(hosts)).collect(),
            edges: edges(&self.edges),
            dropped: edges(&self.dropped),
            nodes,
        };
        let forward = |edge: &Edge| folded.nodes[edge.from].turn < folded.nodes[edge.to].turn;
        folded.edges.iter().all(forward).then_some(folded)
    }

    fn pattern(&self, host: usize, first: usize) -> Pattern {
        let nodes = self.nodes.iter().filter(|node| node.host == host);
        let nodes: Vec<_> = nodes
            .map(|node| Node {
                host: 0,
                turn: 0,
                ..node.clone()
            })
            .collect();
        let own = first..first.saturating_add(nodes.len());
        let edges = self
            .edges
            .iter()
            .filter(|edge| own.contains(&edge.from) && own.contains(&edge.to));
        let edges = edges.map(|edge| (edge.from - first, edge.to - first, edge.why.clone()));
        (nodes, edges.collect())
    }

    fn names(&self, hosts: &[usize]) -> String {
        const NAMED: usize = 6;
        let names: Vec<_> = hosts
            .iter()
            .take(NAMED)
            .map(|host| self.hosts[*host].as_str())
            .collect();
        let more = hosts.len() - names.len();
        match more {
            0 => names.join(", "),
            more => format!("{} and {more} more", names.join(", ")),
        }
    }
}
