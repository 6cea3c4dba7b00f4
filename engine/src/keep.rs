//! Files of hosts that are kept on this machine: the one thing of the controller that a run writes.
//!
//! The engine knows no file system of its own accord: whoever embeds it says where such files may be
//! kept ([`Keep`] in [`Options`](crate::run::Options)); [`LocalFiles`] is the usual answer. What is
//! kept already is a question like any other, [`Kept`]; a run answers it without asking the host.

mod files;

use std::{fmt, io};

pub use files::LocalFiles;

use crate::{
    late::NotYet,
    probe::Probe,
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

/// A question about this machine: it is never asked of a host, a run answers it itself.
macro_rules! answered_here {
    ($(#[$about:meta])* $name:ident, $kind:literal, $answer:ty) => {
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub struct $name(pub KeptPlace);

        impl Probe for $name {
            const KIND: &'static str = $kind;
            const SCRIPT: &'static str = "return 1";
            type Answer = Result<Option<$answer>, String>;

            fn operands(&self) -> Vec<Vec<u8>> {
                let KeptPlace { dir, name } = &self.0;
                vec![dir.clone().into_bytes(), name.clone().into_bytes()]
            }

            fn parse(_: &[&Self], _: &[u8]) -> Result<Vec<Result<Self::Answer, NotYet>>, String> {
                Err("BUG: a host was asked what is kept on another machine".to_owned())
            }

            fn expected(&self, _: &Self::Answer) -> Option<Vec<u8>> {
                None
            }

            fn reads(&self) -> Vec<Thing> {
                vec![self.0.thing()]
            }
        }
    };
}

answered_here! {
    /// SHA-256 of what is kept at a place; nothing where there is no file, or why none can be there.
    Kept, "kept", Sha
}

answered_here! {
    /// What is kept at a place, to be sent to a host; nothing where there is no file, or why none can be there.
    KeptFile, "kept_file", Source
}
