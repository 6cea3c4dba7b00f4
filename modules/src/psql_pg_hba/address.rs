//! From where somebody comes.

use std::{fmt, net::IpAddr};

/// Addresses of one kind that begin alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Net {
    first: IpAddr,
    length: u8,
}

fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits()),
        IpAddr::V6(address) => address.to_bits(),
    }
}

/// The bits in which all addresses of a net are alike.
fn mask(width: u8, length: u8) -> u128 {
    let all = u128::MAX >> (128 - u32::from(width));
    all & !all.checked_shr(u32::from(length)).unwrap_or(0)
}

impl Net {
    /// The net that an address is in.
    fn new(address: IpAddr, length: u8) -> Self {
        let kept = bits(address) & mask(width(address), length);
        let first = match address {
            IpAddr::V4(_) => IpAddr::V4(u32::try_from(kept).unwrap_or_default().into()),
            IpAddr::V6(_) => IpAddr::V6(kept.into()),
        };
        Self { first, length }
    }

    /// One address.
    pub(super) fn one(address: IpAddr) -> Self {
        Self::new(address, width(address))
    }

    /// `10.0.0.0/8`; what goes beyond the length counts as nothing, as for the server.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (address, length) = text
            .split_once('/')
            .ok_or_else(|| format!("`{text}` has no `/`"))?;
        let address: IpAddr = address
            .parse()
            .map_err(|_| format!("`{address}` in `{text}` is no IP address"))?;
        let digits = !length.is_empty() && length.bytes().all(|byte| byte.is_ascii_digit());
        let length = length
            .parse::<u8>()
            .ok()
            .filter(|length| digits && *length <= width(address));
        let wide = width(address);
        length
            .map(|length| Self::new(address, length))
            .ok_or_else(|| {
                format!("what follows the `/` in `{text}` is no number from 0 to {wide}")
            })
    }

    /// An address and a mask as `255.255.255.0`.
    pub(super) fn masked(address: IpAddr, text: &str) -> Result<Self, String> {
        let wrong = |why: &str| format!("the netmask `{text}` {why}");
        let given: IpAddr = text.parse().map_err(|_| wrong("is no IP address"))?;
        let wide = width(address);
        if width(given) != wide {
            return Err(wrong("is of the other kind of IP than the address"));
        }
        let length = u8::try_from(bits(given).count_ones()).unwrap_or(wide);
        if mask(wide, length) != bits(given) {
            return Err(wrong("has gaps: its ones do not all come first"));
        }
        Ok(Self::new(address, length))
    }

    /// Whether all of the other are its.
    fn covers(self, other: Self) -> bool {
        self.first.is_ipv4() == other.first.is_ipv4()
            && self.length <= other.length
            && Self::new(other.first, self.length) == self
    }
}

impl fmt::Display for Net {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.length)
    }
}

/// Where connections of a rule come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// By the socket of the host.
    Socket,
    /// From any address.
    All,
    /// From addresses of the host, or of its networks.
    Same(&'static str),
    /// From a net.
    Net(Net),
    /// From what has this name, or one that ends so.
    Name(String),
}

impl Source {
    /// The word, address or name of a rule, not quoted; an address without a length is for a mask.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        match text {
            "all" => return Ok(Self::All),
            "samehost" => return Ok(Self::Same("samehost")),
            "samenet" => return Ok(Self::Same("samenet")),
            _ => {}
        }
        if text.contains('/') {
            return Net::parse(text).map(Self::Net);
        }
        Self::name(text)
    }

    /// The name of a host.
    pub(super) fn name(text: &str) -> Result<Self, String> {
        let plain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
        let number = text.chars().all(|c| c.is_ascii_digit() || c == '.');
        if text.is_empty() || number || !text.chars().all(plain) {
            return Err(format!(
                "`{text}` is no IP address, network, name of a host, `all`, `samehost` or `samenet`"
            ));
        }
        Ok(Self::Name(text.to_lowercase()))
    }

    /// Whether everything that comes from the other comes from it too.
    pub(super) fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Socket, _) | (_, Self::Socket) => self == other,
            (Self::All, _) => true,
            (Self::Net(one), Self::Net(other)) => one.covers(*other),
            _ => self == other,
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Socket => Ok(()),
            Self::All => f.write_str("all"),
            Self::Same(word) => f.write_str(word),
            Self::Net(net) => net.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn net(text: &str) -> Net {
        Net::parse(text).unwrap()
    }

    #[test]
    fn nets_are_read_as_the_server_reads_them() {
        assert_eq!(net("10.1.2.3/8").to_string(), "10.0.0.0/8");
        assert_eq!(net("0.0.0.0/0").to_string(), "0.0.0.0/0");
        assert_eq!(net("2001:DB8::1/32").to_string(), "2001:db8::/32");
        assert_eq!(net("::1/128").to_string(), "::1/128");
        for wrong in [
            "10.0.0.0/33",
            "10.0.0/8",
            "10.0.0.0/",
            "10.0.0.0/+8",
            "::/129",
            "a/8",
        ] {
            assert!(Net::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn masks_are_lengths() {
        let of = |address: &str, mask: &str| Net::masked(address.parse().unwrap(), mask);
        assert_eq!(of("10.1.2.3", "255.255.255.0").unwrap(), net("10.1.2.0/24"));
        assert_eq!(of("10.1.2.3", "0.0.0.0").unwrap(), net("0.0.0.0/0"));
        assert_eq!(of("fe80::1", "ffff::").unwrap(), net("fe80::/16"));
        assert!(of("10.1.2.3", "255.0.255.0").unwrap_err().contains("gaps"));
        assert!(of("10.1.2.3", "ffff::").unwrap_err().contains("other kind"));
    }

    #[test]
    fn the_wider_covers() {
        let source = |text: &str| Source::parse(text).unwrap();
        assert!(source("all").covers(&source("::1/128")));
        assert!(source("10.0.0.0/8").covers(&source("10.2.0.0/16")));
        assert!(!source("10.2.0.0/16").covers(&source("10.0.0.0/8")));
        assert!(!source("0.0.0.0/0").covers(&source("::/0")));
        assert!(!source("0.0.0.0/0").covers(&source("samenet")));
        assert!(!source("all").covers(&Source::Socket));
        assert!(Source::parse("10.0.0").is_err());
        assert!(Source::parse("a b").is_err());
        assert_eq!(source(".Example.org").to_string(), ".example.org");
    }
}
