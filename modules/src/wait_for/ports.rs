//! Ports, and which addresses stand for the host itself.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr},
};

use evenkeel_engine::Refusal;

use super::probe::Reached;

/// The host itself.
pub(super) const SELF: &str = "127.0.0.1";

/// A port somewhere.
#[derive(Clone, Copy)]
pub(super) struct Target<'a> {
    pub(super) host: &'a str,
    pub(super) port: u16,
}

impl fmt::Display for Target<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// States of TCP by name, as the kernel numbers them.
const STATES: [(&str, &str); 6] = [
    ("ESTABLISHED", "01"),
    ("SYN_SENT", "02"),
    ("SYN_RECV", "03"),
    ("FIN_WAIT1", "04"),
    ("FIN_WAIT2", "05"),
    ("TIME_WAIT", "06"),
];

impl Target<'_> {
    /// A question of `open`, `shut` or `says`.
    pub(super) fn reached(
        self,
        kind: &'static str,
        connect: u64,
        pattern: Option<String>,
    ) -> Reached {
        let last = pattern.unwrap_or_else(|| self.locals());
        let operands = [
            self.host.to_owned(),
            self.port.to_string(),
            connect.to_string(),
            last,
        ];
        Reached {
            kind,
            operands: operands.into(),
        }
    }

    /// The listening addresses that answer at it, if it is this host; empty if it is another.
    fn locals(self) -> String {
        let own: Vec<IpAddr> = match self.host {
            "localhost" => vec![[127, 0, 0, 1].into(), Ipv6Addr::LOCALHOST.into()],
            host => match host.parse::<IpAddr>() {
                Ok(address) if address.is_loopback() => vec![address],
                _ => return String::new(),
            },
        };
        let any = [IpAddr::from([0, 0, 0, 0]), Ipv6Addr::UNSPECIFIED.into()];
        let v4 = own.iter().any(IpAddr::is_ipv4);
        let all = any.into_iter().filter(|one| v4 || one.is_ipv6()).chain(own);
        hex(all)
    }

    /// The question whether nobody is connected to it.
    pub(super) fn drained(self, states: &[String], without: &[String]) -> Result<Reached, Refusal> {
        let address = |text: &str| match text {
            "localhost" => Ok(IpAddr::from([127, 0, 0, 1])),
            text => text.parse::<IpAddr>().map_err(|_| {
                Refusal::new(format!(
                    "`{text}` is no address: connections have addresses, not names"
                ))
                .help("write it as `10.0.0.7` or `fe80::1`")
            }),
        };
        let own = address(self.host)?;
        let own = if own.is_unspecified() {
            String::new()
        } else {
            hex([own].into_iter())
        };
        let numbers = match states {
            [] => STATES.iter().map(|(_, number)| *number).collect::<Vec<_>>(),
            named => named
                .iter()
                .map(|name| number(name))
                .collect::<Result<_, _>>()?,
        };
        let without: Vec<IpAddr> = without
            .iter()
            .map(|one| address(one))
            .collect::<Result<_, _>>()?;
        let operands = [
            self.port.to_string(),
            numbers.join(" "),
            own,
            hex(without.into_iter()),
        ];
        Ok(Reached {
            kind: "drained",
            operands: operands.into(),
        })
    }
}

fn number(name: &str) -> Result<&'static str, Refusal> {
    let found = STATES
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(name));
    found.map(|(_, number)| *number).ok_or_else(|| {
        let known: Vec<_> = STATES.iter().map(|(known, _)| *known).collect();
        Refusal::new(format!(
            "`{name}` is no state of a connection that can be waited for"
        ))
        .help(format!("one of {}", known.join(", ")))
    })
}

/// Addresses as the kernel lists them: words of 32 bits in the machine's order of bytes, which is
/// not known here, so both are given. Of an IPv4 address also as an IPv6 socket has it.
fn hex(addresses: impl Iterator<Item = IpAddr>) -> String {
    let mut all: Vec<String> = Vec::new();
    for address in addresses {
        let mut forms = Vec::new();
        match address {
            IpAddr::V4(address) => {
                forms.push(address.octets().to_vec());
                if !address.is_unspecified() {
                    forms.push(address.to_ipv6_mapped().octets().to_vec());
                }
            }
            IpAddr::V6(address) => forms.push(address.octets().to_vec()),
        }
        for bytes in forms {
            for little in [true, false] {
                let word = |word: &[u8]| {
                    let digits = |byte: &u8| format!("{byte:02X}");
                    if little {
                        word.iter().rev().map(digits).collect::<String>()
                    } else {
                        word.iter().map(digits).collect()
                    }
                };
                let text: String = bytes.chunks(4).map(word).collect();
                if !all.contains(&text) {
                    all.push(text);
                }
            }
        }
    }
    all.join(" ")
}
