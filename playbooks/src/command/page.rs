//! The file of `--report`: told before the run where it cannot be written, written whole or not at all.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use evenkeel_engine::{Graph, HostId, TaskList, run::RunError};

use super::vault::{private, random};
use crate::report::{
    graph::{self, Picture, Wanted},
    html,
};

/// With more tasks than this, only those of one host are drawn.
const DRAWN: usize = 2_000;

/// Where a page is written.
#[derive(Debug)]
pub(super) struct PageFile {
    path: PathBuf,
}

impl PageFile {
    /// A place where a page can be written: that is tried at once.
    pub(super) fn new(path: &Path) -> io::Result<Self> {
        // Where a link leads, so that it stays one.
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        match fs::metadata(&path) {
            Ok(meta) if meta.is_dir() => return Err(io::Error::other("it is a folder")),
            Ok(meta) if !meta.is_file() => return Err(io::Error::other("it is no file")),
            _ => {}
        }
        if path.file_name().is_none() {
            return Err(io::Error::other("it names no file"));
        }
        let file = Self { path };
        let (beside, _) = file.beside()?;
        fs::remove_file(beside)?;
        Ok(file)
    }

    /// A new file in the same folder that only its owner can read.
    fn beside(&self) -> io::Result<(PathBuf, fs::File)> {
        let path = self.path.with_file_name(format!(".evenkeel-{}", random()?));
        let file = private(&path)?;
        Ok((path, file))
    }

    /// Writes the page: nobody ever sees half of one, and only its owner can read it.
    pub(super) fn write(&self, page: &str) -> io::Result<()> {
        let (beside, mut file) = self.beside()?;
        let written = file
            .write_all(page.as_bytes())
            .and_then(|()| file.sync_all());
        let moved = written.and_then(|()| fs::rename(&beside, &self.path));
        if moved.is_err() {
            drop(fs::remove_file(&beside));
        }
        moved
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

/// The drawing for the page.
pub(super) fn drawing(list: &TaskList, in_order: bool) -> Result<html::Graph, RunError> {
    let ties = evenkeel_engine::run::graph(list, in_order)?;
    let (mut wanted, mut note) = (Wanted::default(), String::new());
    let mut waits = Vec::new();
    if list.tasks.len() <= DRAWN {
        waits = waits_of(list, &ties);
    }
    if list.tasks.len() > DRAWN {
        let mut counts = vec![0_usize; list.hosts.len()];
        for task in &list.tasks {
            counts[list.owner(task.host).index()] += 1;
        }
        let most = (0..)
            .zip(&counts)
            .max_by_key(|(host, count)| (**count, std::cmp::Reverse(*host)));
        let host = HostId(most.map_or(0, |(host, _)| host));
        note = format!(
            "There are {} tasks: only those of {} are drawn. `evenkeel graph --host NAME --format svg` draws another host.",
            list.tasks.len(),
            list.hosts[host.index()].name,
        );
        wanted.host = Some(host);
    }
    let drawing = graph::svg(&Picture::of(list, &ties, &wanted).folded());
    Ok(html::Graph {
        drawing,
        note,
        waits,
    })
}

/// What each task waits for, in an order in which they may run.
fn waits_of(list: &TaskList, ties: &Graph) -> Vec<html::Waits> {
    let mut places = vec![0; list.tasks.len()];
    let mut all = Vec::with_capacity(list.tasks.len());
    for (place, &id) in ties.sequence().iter().enumerate() {
        places[id.index()] = place;
        let task = &list.tasks[id.index()];
        let before = ties.edges_into(id);
        all.push(html::Waits {
            host: list.hosts[task.host.index()].name.clone(),
            id: task
                .id
                .clone()
                .unwrap_or_else(|| format!("task-{}", id.0 + 1)),
            for_these: before
                .iter()
                .map(|edge| places[edge.from.index()])
                .collect(),
        });
    }
    all
}
