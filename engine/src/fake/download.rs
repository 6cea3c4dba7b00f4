//! What a fake host's controller can download, for runs of tests.

use std::{fmt, io, sync::Arc};

use async_trait::async_trait;

use super::{FakeHost, World};
use crate::{
    download::{Downloads, Got, Order},
    source::Source,
};

impl FakeHost {
    /// A file that this machine can get for the host: see [`crate::download`].
    #[must_use]
    pub fn serves(self, url: &str, bytes: impl AsRef<[u8]>) -> Self {
        let (url, bytes) = (url.to_owned(), bytes.as_ref().to_vec());
        self.with(|world| drop(world.served.insert(url, bytes)))
    }

    /// For [`Options`](crate::run::Options): a run gets what this host [serves](FakeHost::serves).
    pub fn downloads(self: &Arc<Self>) -> Arc<dyn Downloads> {
        Arc::new(Served(Arc::clone(self)))
    }
}

impl World {
    /// What comes of an order.
    pub(super) fn download(&self, order: &Order) -> Result<Got, String> {
        let url = String::from_utf8_lossy(order.url.bytes());
        let bytes = self.served.get(&*url);
        let bytes = bytes.ok_or_else(|| "the server answers `404 Not Found`".to_owned())?;
        let source = Source::inline(order.shown.as_str(), bytes.clone());
        match order.sha256() {
            Some(sha) if sha != source.digest() => Err("its sha256 is another".to_owned()),
            _ => Ok(Got { source, name: None }),
        }
    }
}

struct Served(Arc<FakeHost>);

impl fmt::Debug for Served {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Served")
    }
}

#[async_trait]
impl Downloads for Served {
    async fn get(&self, order: &Order) -> io::Result<Got> {
        let got = self.0.state().world.download(order);
        got.map_err(io::Error::other)
    }
}
