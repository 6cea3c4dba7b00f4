//! Which edges share a line in the drawing, and where it runs.

use std::collections::BTreeMap;

use super::{super::Picture, family};

/// Edges with an end in common, drawn as one line.
#[derive(Debug)]
pub(super) struct Track {
    pub(super) family: usize,
    /// Whether they hold whatever comes of what is waited for.
    pub(super) loose: bool,
    pub(super) from: Vec<usize>,
    pub(super) to: Vec<usize>,
    /// Positions among the picture's edges.
    pub(super) edges: Vec<usize>,
    /// From the tasks to the left, from 0.
    pub(super) lane: usize,
}

/// All lines. An edge joins those of the end that has more of its kind.
pub(super) fn tracks(picture: &Picture) -> Vec<Track> {
    let mut leaving: BTreeMap<(usize, usize), usize> = BTreeMap::new();
    let mut coming: BTreeMap<(usize, usize), usize> = BTreeMap::new();
    for edge in picture.drawn() {
        *leaving.entry((family(edge.kind()), edge.from)).or_default() += 1;
        *coming.entry((family(edge.kind()), edge.to)).or_default() += 1;
    }
    let mut tracks: BTreeMap<(usize, bool, bool, usize), Track> = BTreeMap::new();
    for (index, edge) in picture.edges.iter().enumerate() {
        if edge.implied {
            continue;
        }
        let (family, loose) = (family(edge.kind()), edge.is_loose());
        let by_source = leaving[&(family, edge.from)] > coming[&(family, edge.to)];
        let end = if by_source { edge.from } else { edge.to };
        let track = tracks
            .entry((family, loose, by_source, end))
            .or_insert_with(|| Track {
                family,
                loose,
                from: Vec::new(),
                to: Vec::new(),
                edges: Vec::new(),
                lane: 0,
            });
        for (ends, row) in [(&mut track.from, edge.from), (&mut track.to, edge.to)] {
            if !ends.contains(&row) {
                ends.push(row);
            }
        }
        track.edges.push(index);
    }
    let mut tracks: Vec<_> = tracks.into_values().collect();
    in_lanes(&mut tracks);
    tracks
}

/// Puts short lines near the tasks, and none over another.
fn in_lanes(tracks: &mut [Track]) {
    let span = |track: &Track| {
        let rows = || track.from.iter().chain(&track.to).copied();
        (rows().min().unwrap_or(0), rows().max().unwrap_or(0))
    };
    tracks.sort_by_key(|track| {
        let (first, last) = span(track);
        (last - first, first, track.family, track.loose)
    });
    let mut lanes: Vec<Vec<(usize, usize)>> = Vec::new();
    for track in tracks {
        let (first, last) = span(track);
        let free =
            |lane: &Vec<(usize, usize)>| lane.iter().all(|(from, to)| last < *from || *to < first);
        let lane = lanes.iter().position(free).unwrap_or_else(|| {
            lanes.push(Vec::new());
            lanes.len() - 1
        });
        lanes[lane].push((first, last));
        track.lane = lane;
    }
}
