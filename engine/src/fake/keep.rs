//! What is kept of a fake host on the machine of the controller, for runs of tests.

use std::{fmt, io, sync::Arc};

use super::FakeHost;
use crate::{
    keep::{Incoming, Keep, KeptPlace},
    source::{Sha, Source, sha256},
};

impl FakeHost {
    /// For [`Options`](crate::run::Options): a run keeps its files where [`World::kept`] finds them.
    ///
    /// [`World::kept`]: super::World::kept
    pub fn keeper(self: &Arc<Self>) -> Arc<dyn Keep> {
        Arc::new(Keeper(Arc::clone(self)))
    }
}

struct Keeper(Arc<FakeHost>);

impl fmt::Debug for Keeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keeper")
    }
}

impl Keep for Keeper {
    fn digest(&self, place: &KeptPlace) -> io::Result<Option<Sha>> {
        Ok(self.0.state().world.kept(place).map(sha256))
    }

    fn source(&self, place: &KeptPlace) -> io::Result<Option<Source>> {
        let state = self.0.state();
        let bytes = state.world.kept(place).map(<[u8]>::to_vec);
        Ok(bytes.map(|bytes| Source::inline(place.path(), bytes)))
    }

    fn begin(&self, place: &KeptPlace, _: bool) -> io::Result<Box<dyn Incoming>> {
        Ok(Box::new(Coming {
            host: Arc::clone(&self.0),
            place: place.clone(),
            bytes: Vec::new(),
        }))
    }
}

struct Coming {
    host: Arc<FakeHost>,
    place: KeptPlace,
    bytes: Vec<u8>,
}

impl Incoming for Coming {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn finish(self: Box<Self>) -> io::Result<()> {
        let Self { host, place, bytes } = *self;
        host.change(|world| drop(world.kept.insert(place, bytes)));
        Ok(())
    }
}
