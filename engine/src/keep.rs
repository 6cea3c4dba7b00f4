//! Files of hosts that are kept on this machine: the one thing of the controller that a run writes.
//!
//! The engine knows no file system of its own accord: whoever embeds it says where such files may be
//! kept ([`Keep`] in [`Options`](crate::run::Options)); [`LocalFiles`] is the usual answer. What is
//! kept already is a question like any other, [`Kept`]; a run answers it without asking the host.

mod files;

use std::{fmt, io};

pub use files::LocalFiles;

use crate::{
    here::{About, answered_here},
    source::{Sha, Source},
    thing::Thing,
};

/// Where a file of a host is kept: below a directory that a person has named. The name may come
/// from a host, and never leads out of the directory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeptPlace {
    /// The directory.
    pub dir: String,
    /// The file below it: names joined by `/`.
    pub name: String,
}

impl KeptPlace {
    /// As people write it.
    pub fn path(&self) -> String {
        format!("{}/{}", self.dir.trim_end_matches('/'), self.name)
    }

    /// What tasks of one host that write it meet at.
    pub fn thing(&self) -> Thing {
        Thing::Object(format!("{} on this machine", self.path()))
    }
}

/// Keeps files of hosts.
pub trait Keep: fmt::Debug + Send + Sync {
    /// SHA-256 of the file that is kept there; nothing where there is none. An error if none can be
    /// kept there.
    fn digest(&self, place: &KeptPlace) -> io::Result<Option<Sha>>;

    /// The file that is kept there, to be sent to a host; nothing where there is none.
    fn source(&self, place: &KeptPlace) -> io::Result<Option<Source>>;

    /// Begins a file. Nobody sees it before [`Incoming::finish`]; it is for its owner's eyes only if
    /// it is `secret`.
    fn begin(&self, place: &KeptPlace, secret: bool) -> io::Result<Box<dyn Incoming>>;
}

/// A file that is on its way. If it is dropped before its end, nothing of it stays.
pub trait Incoming: Send {
    /// Its next bytes.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// All is there, and is what the host has: it takes its place, at once and for good.
    fn finish(self: Box<Self>) -> io::Result<()>;
}

/// Keeps nothing: what [`Options`](crate::run::Options) begin with.
#[derive(Clone, Copy, Debug, Default)]
pub struct KeepNothing;

impl Keep for KeepNothing {
    fn digest(&self, _: &KeptPlace) -> io::Result<Option<Sha>> {
        Err(io::Error::other(
            "this program keeps no files of hosts (it would say where in `Options::keep`)",
        ))
    }

    fn source(&self, place: &KeptPlace) -> io::Result<Option<Source>> {
        self.digest(place).map(|_| None)
    }

    fn begin(&self, place: &KeptPlace, _: bool) -> io::Result<Box<dyn Incoming>> {
        self.digest(place)?;
        Err(io::Error::other("this program keeps no files of hosts"))
    }
}

impl About for KeptPlace {
    fn operands(&self) -> Vec<Vec<u8>> {
        vec![
            self.dir.clone().into_bytes(),
            self.name.clone().into_bytes(),
        ]
    }

    fn reads(&self) -> Vec<Thing> {
        vec![self.thing()]
    }
}

answered_here! {
    /// SHA-256 of what is kept at a place; nothing where there is no file, or why none can be there.
    Kept(KeptPlace), "kept", Option<Sha>, only_at_its_turn: false
}

answered_here! {
    /// What is kept at a place, to be sent to a host; nothing where there is no file, or why none can be there.
    KeptFile(KeptPlace), "kept_file", Option<Source>, only_at_its_turn: false
}
