//! An address with the network around it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, ip_mask_to_prefix};
use minijinja::value::Value as Jinja;

/// An address, and how long the prefix of its network is.
#[derive(Clone, Debug)]
pub(super) struct Address {
    pub(super) bits: u128,
    pub(super) v6: bool,
    pub(super) len: u8,
    /// Whether it was written without a prefix.
    pub(super) bare: bool,
    /// As it was written.
    pub(super) text: String,
}

impl Address {
    /// What a text or a number means.
    pub(super) fn of(value: &Jinja) -> Option<Self> {
        if let Some(text) = value.as_str() {
            return Self::read(text.trim());
        }
        let number = u128::try_from(value.clone())
            .ok()
            .filter(|_| value.is_integer())?;
        Some(Self::numbered(number))
    }

    fn numbered(bits: u128) -> Self {
        let v6 = u32::try_from(bits).is_err();
        let mut address = Self {
            bits,
            v6,
            len: if v6 { 128 } else { 32 },
            bare: true,
            text: String::new(),
        };
        address.text = address.with_len();
        address
    }

    fn read(text: &str) -> Option<Self> {
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            return text.parse().ok().map(Self::numbered);
        }
        let (ip, len) = match text.split_once('/') {
            None => (text.parse::<IpAddr>().ok()?, None),
            Some((ip, len)) => {
                let ip: IpAddr = ip.parse().ok()?;
                let len = match len.parse::<u8>() {
                    Ok(len) => len,
                    Err(_) => mask(len.parse().ok()?)?,
                };
                (ip, Some(IpNet::new(ip, len).ok()?.prefix_len()))
            }
        };
        let (bits, width) = match ip {
            IpAddr::V4(ip) => (u128::from(ip.to_bits()), 32),
            IpAddr::V6(ip) => (ip.to_bits(), 128),
        };
        Some(Self {
            bits,
            v6: ip.is_ipv6(),
            len: len.unwrap_or(width),
            bare: len.is_none(),
            text: text.to_owned(),
        })
    }

    pub(super) fn width(&self) -> u8 {
        if self.v6 { 128 } else { 32 }
    }

    /// All bits set.
    pub(super) fn all(&self) -> u128 {
        if self.v6 {
            u128::MAX
        } else {
            u128::from(u32::MAX)
        }
    }

    /// The bits of the hosts of the network.
    pub(super) fn hosts(&self) -> u128 {
        let bits = u32::from(self.width() - self.len);
        1_u128.checked_shl(bits).map_or(u128::MAX, |size| size - 1)
    }

    pub(super) fn first(&self) -> u128 {
        self.bits & !self.hosts()
    }

    pub(super) fn last(&self) -> u128 {
        self.bits | self.hosts()
    }

    /// The first and the last that a host may have.
    pub(super) fn usable(&self) -> (u128, u128) {
        if self.hosts() <= 1 {
            (self.first(), self.last())
        } else {
            (self.first() + 1, self.last() - 1)
        }
    }

    pub(super) fn contains(&self, other: &Self) -> bool {
        self.v6 == other.v6 && self.first() <= other.first() && other.last() <= self.last()
    }

    pub(super) fn network(&self) -> Self {
        self.moved(self.first())
    }

    pub(super) fn moved(&self, bits: u128) -> Self {
        Self {
            bits,
            ..self.clone()
        }
    }

    /// An address of the network, counted from its first, or from its last.
    pub(super) fn at(&self, index: i64) -> Option<Self> {
        let by = u128::from(index.unsigned_abs());
        let bits = if index < 0 {
            self.last().checked_sub(by - 1)
        } else {
            self.first().checked_add(by)
        };
        let bits = bits.filter(|bits| (self.first()..=self.last()).contains(bits))?;
        Some(self.moved(bits))
    }

    pub(super) fn address(&self) -> IpAddr {
        match u32::try_from(self.bits) {
            Ok(bits) if !self.v6 => Ipv4Addr::from_bits(bits).into(),
            _ => Ipv6Addr::from_bits(self.bits).into(),
        }
    }

    pub(super) fn ip(&self) -> String {
        self.address().to_string()
    }

    pub(super) fn with_len(&self) -> String {
        format!("{}/{}", self.ip(), self.len)
    }
}

/// How long the prefix of a mask is, also if the mask is that of the hosts.
fn mask(mask: Ipv4Addr) -> Option<u8> {
    let prefix = |mask: Ipv4Addr| ip_mask_to_prefix(mask.into()).ok();
    prefix(mask).or_else(|| prefix(Ipv4Addr::from_bits(!mask.to_bits())))
}
