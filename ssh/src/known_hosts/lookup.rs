//! The names under which a host is looked up.

/// A host to be looked up.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Lookup {
    name: String,
    address: Option<String>,
    port: u16,
}

/// The port that is not written.
const SSH_PORT: u16 = 22;

impl Lookup {
    /// By the name or address that is connected to.
    pub fn new(host: &str, port: u16) -> Self {
        Self {
            name: host.to_ascii_lowercase(),
            address: None,
            port,
        }
    }

    /// By an alias (`HostKeyAlias`), which counts for every port.
    pub fn alias(name: &str) -> Self {
        Self::new(name, SSH_PORT)
    }

    /// Has its address looked at too (`CheckHostIP`). An alias has none.
    #[must_use]
    pub fn address(mut self, address: &str) -> Self {
        self.address = Some(address.to_ascii_lowercase());
        self
    }

    /// How files know it: `[name]:port` where the port is not the usual one.
    pub fn known_as(&self) -> String {
        self.with_port(&self.name)
    }

    /// How files know it that say nothing of the port, if that differs.
    pub(super) fn known_without_port(&self) -> Option<String> {
        (self.port != SSH_PORT).then(|| self.name.clone())
    }

    /// How files know its address, if it has to be looked at beside the name.
    pub(super) fn address_known_as(&self) -> Option<String> {
        let address = self.address.as_deref()?;
        (address != self.name).then(|| self.with_port(address))
    }

    /// What a certificate must be for.
    pub(super) fn principal(&self) -> &str {
        &self.name
    }

    fn with_port(&self, name: &str) -> String {
        if self.port == SSH_PORT {
            name.to_owned()
        } else {
            format!("[{name}]:{}", self.port)
        }
    }
}
