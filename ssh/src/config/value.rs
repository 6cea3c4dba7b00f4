//! An option and its value.

use super::{
    host::{AddressFamily, Jump, StrictHostKeyChecking},
    keyword::{Ignored, ignored},
    words,
};

/// A line that sets an option.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Setting {
    AddressFamily(AddressFamily),
    BindAddress(String),
    CertificateFile(String),
    CheckHostIp(bool),
    ConnectTimeout(u64),
    ConnectionAttempts(u32),
    ForwardAgent(String),
    GlobalKnownHostsFile(Vec<String>),
    HashKnownHosts(bool),
    HostKeyAlias(String),
    HostName(String),
    IdentitiesOnly(bool),
    IdentityAgent(String),
    IdentityFile(String),
    IgnoreUnknown(Vec<String>),
    KbdInteractiveAuthentication(bool),
    PasswordAuthentication(bool),
    Port(u16),
    PreferredAuthentications(Vec<String>),
    ProxyCommand(String),
    ProxyJump(String),
    PubkeyAuthentication(bool),
    ServerAliveCountMax(u32),
    ServerAliveInterval(u64),
    StrictHostKeyChecking(StrictHostKeyChecking),
    User(String),
    UserKnownHostsFile(Vec<String>),
    /// One that is not followed.
    Ignored {
        keyword: String,
        value: String,
        means: Ignored,
    },
}

/// Reads what follows `keyword`, which is in small letters.
pub(super) fn parse(keyword: &str, rest: &str) -> Result<Setting, String> {
    // The rest of the line as it is, for a shell.
    if keyword == "proxycommand" && !rest.is_empty() {
        return Ok(Setting::ProxyCommand(rest.to_owned()));
    }
    let words = words::split(rest).ok_or("a quote is not closed")?;
    let value = Words { keyword, words };
    Ok(match keyword {
        "addressfamily" => Setting::AddressFamily(value.address_family()?),
        "bindaddress" => Setting::BindAddress(value.one()?),
        "certificatefile" => Setting::CertificateFile(value.one()?),
        "checkhostip" => Setting::CheckHostIp(value.flag()?),
        "connecttimeout" => Setting::ConnectTimeout(value.time()?),
        "connectionattempts" => Setting::ConnectionAttempts(value.number()?),
        "forwardagent" => Setting::ForwardAgent(value.one()?),
        "globalknownhostsfile" => Setting::GlobalKnownHostsFile(value.many()?),
        "hashknownhosts" => Setting::HashKnownHosts(value.flag()?),
        "hostkeyalias" => Setting::HostKeyAlias(value.one()?),
        "hostname" => Setting::HostName(value.one()?),
        "identitiesonly" => Setting::IdentitiesOnly(value.flag()?),
        "identityagent" => Setting::IdentityAgent(value.one()?),
        "identityfile" => Setting::IdentityFile(value.one()?),
        "ignoreunknown" => Setting::IgnoreUnknown(listed(&value.one()?.to_ascii_lowercase())),
        "kbdinteractiveauthentication"
        | "challengeresponseauthentication"
        | "skeyauthentication"
        | "tisauthentication" => Setting::KbdInteractiveAuthentication(value.flag()?),
        "passwordauthentication" => Setting::PasswordAuthentication(value.flag()?),
        "port" => Setting::Port(value.port()?),
        "preferredauthentications" => Setting::PreferredAuthentications(listed(&value.one()?)),
        "proxycommand" => return Err("`proxycommand` needs a value".into()),
        "proxyjump" => {
            let word = value.one()?;
            jumps(&word)?;
            Setting::ProxyJump(word)
        }
        "pubkeyauthentication" | "dsaauthentication" => {
            let word = value.one()?.to_ascii_lowercase();
            let bound = matches!(word.as_str(), "unbound" | "host-bound");
            Setting::PubkeyAuthentication(bound || value.flag()?)
        }
        "serveralivecountmax" => Setting::ServerAliveCountMax(value.number()?),
        "serveraliveinterval" => Setting::ServerAliveInterval(value.time()?),
        "stricthostkeychecking" => Setting::StrictHostKeyChecking(value.strict()?),
        "user" => Setting::User(value.one()?),
        "userknownhostsfile" => Setting::UserKnownHostsFile(value.many()?),
        _ => Setting::Ignored {
            keyword: keyword.to_owned(),
            value: value.words.join(" "),
            means: ignored(keyword),
        },
    })
}

/// The words after a keyword, as what they must be.
struct Words<'a> {
    keyword: &'a str,
    words: Vec<String>,
}

impl Words<'_> {
    fn many(&self) -> Result<Vec<String>, String> {
        if self.words.is_empty() {
            return Err(format!("`{}` needs a value", self.keyword));
        }
        Ok(self.words.clone())
    }

    fn one(&self) -> Result<String, String> {
        match self.many()?.as_slice() {
            [word] => Ok(word.clone()),
            words => Err(format!(
                "`{}` takes one value, not {}",
                self.keyword,
                words.len()
            )),
        }
    }

    fn wrong(&self, value: &str, wanted: &str) -> String {
        let keyword = self.keyword;
        format!("`{value}` is no value for `{keyword}`, which wants {wanted}")
    }

    fn flag(&self) -> Result<bool, String> {
        match self.one()?.to_ascii_lowercase().as_str() {
            "yes" | "true" => Ok(true),
            "no" | "false" => Ok(false),
            other => Err(self.wrong(other, "`yes` or `no`")),
        }
    }

    fn number(&self) -> Result<u32, String> {
        let word = self.one()?;
        word.parse().map_err(|_| self.wrong(&word, "a number"))
    }

    fn time(&self) -> Result<u64, String> {
        let word = self.one()?;
        seconds(&word).ok_or_else(|| self.wrong(&word, "a time such as `30` or `1m`"))
    }

    fn port(&self) -> Result<u16, String> {
        let word = self.one()?;
        match word.parse() {
            Ok(port) if port != 0 => Ok(port),
            _ => Err(self.wrong(&word, "a number from 1 to 65535")),
        }
    }

    fn address_family(&self) -> Result<AddressFamily, String> {
        match self.one()?.to_ascii_lowercase().as_str() {
            "any" => Ok(AddressFamily::Any),
            "inet" => Ok(AddressFamily::Inet),
            "inet6" => Ok(AddressFamily::Inet6),
            other => Err(self.wrong(other, "`any`, `inet` or `inet6`")),
        }
    }

    fn strict(&self) -> Result<StrictHostKeyChecking, String> {
        match self.one()?.to_ascii_lowercase().as_str() {
            "yes" | "true" => Ok(StrictHostKeyChecking::Yes),
            "no" | "false" | "off" => Ok(StrictHostKeyChecking::No),
            "ask" => Ok(StrictHostKeyChecking::Ask),
            "accept-new" => Ok(StrictHostKeyChecking::AcceptNew),
            other => Err(self.wrong(other, "`yes`, `no`, `ask` or `accept-new`")),
        }
    }
}

fn listed(text: &str) -> Vec<String> {
    let words = text.split(',').filter(|word| !word.is_empty());
    words.map(str::to_owned).collect()
}

/// A time in seconds: `90`, `1m30s`, `1h`; `none` is 0.
fn seconds(text: &str) -> Option<u64> {
    if text == "none" {
        return Some(0);
    }
    let mut total: u64 = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let number: u64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let unit = match rest.bytes().next().map(|unit| unit.to_ascii_lowercase()) {
            None | Some(b's') => 1,
            Some(b'm') => 60,
            Some(b'h') => 3600,
            Some(b'd') => 24 * 3600,
            Some(b'w') => 7 * 24 * 3600,
            Some(_) => return None,
        };
        rest = rest.get(1..).unwrap_or_default();
        total = total.checked_add(number.checked_mul(unit)?)?;
    }
    // What ssh can hold.
    (!text.is_empty() && i32::try_from(total).is_ok()).then_some(total)
}

/// The hosts of a `ProxyJump`; none for `none`.
pub(super) fn jumps(text: &str) -> Result<Vec<Jump>, String> {
    if text.eq_ignore_ascii_case("none") {
        return Ok(Vec::new());
    }
    text.split(',')
        .map(|hop| {
            jump(hop).ok_or_else(|| {
                format!("`{hop}` is no host to go through, which is written `[user@]host[:port]`")
            })
        })
        .collect()
}

fn jump(text: &str) -> Option<Jump> {
    let text = text
        .strip_prefix("ssh://")
        .unwrap_or(text)
        .trim_end_matches('/');
    let (user, host) = match text.rsplit_once('@') {
        Some((user, host)) => (Some(user.to_owned()), host),
        None => (None, text),
    };
    let (host, port) = match host.strip_prefix('[') {
        Some(bracketed) => {
            let (host, after) = bracketed.split_once(']')?;
            match after.strip_prefix(':') {
                Some(port) => (host, Some(port)),
                None if after.is_empty() => (host, None),
                None => return None,
            }
        }
        None => match host.rsplit_once(':') {
            // More than one colon: an address of version 6.
            Some((before, _)) if before.contains(':') => (host, None),
            Some((before, port)) => (before, Some(port)),
            None => (host, None),
        },
    };
    let port = match port.map(str::parse) {
        None => None,
        Some(Ok(port)) if port != 0 => Some(port),
        Some(_) => return None,
    };
    let bad =
        host.is_empty() || host.starts_with('-') || host.contains([' ', '\t', '\'', '"', '`']);
    let no_user = user.as_deref().is_some_and(str::is_empty);
    (!bad && !no_user).then(|| Jump {
        user,
        host: host.to_owned(),
        port,
    })
}

#[cfg(test)]
mod tests {
    use super::{jumps, seconds};

    #[test]
    fn times() {
        for (text, wanted) in [
            ("0", Some(0)),
            ("90", Some(90)),
            ("1m30s", Some(90)),
            ("1m30", Some(90)),
            ("1w2D", Some(9 * 24 * 3600)),
            ("none", Some(0)),
            ("", None),
            ("m", None),
            ("1x", None),
            ("1 m", None),
            ("99999999999999999999", None),
            ("9999999w", None),
        ] {
            assert_eq!(seconds(text), wanted, "{text}");
        }
    }

    #[test]
    fn hosts_to_go_through() {
        let shown = |text: &str| {
            let jumps = jumps(text)?;
            let jumps = jumps
                .iter()
                .map(|jump| (jump.user.clone(), jump.host.clone(), jump.port));
            Ok::<_, String>(jumps.collect::<Vec<_>>())
        };
        assert_eq!(shown("none"), Ok(vec![]));
        assert_eq!(
            shown("me@a:2222,ssh://b:22/,[::1]:23,fe80::1"),
            Ok(vec![
                (Some("me".into()), "a".into(), Some(2222)),
                (None, "b".into(), Some(22)),
                (None, "::1".into(), Some(23)),
                (None, "fe80::1".into(), None),
            ])
        );
        for bad in [
            "",
            "a,,b",
            "@a",
            "a:0",
            "a:x",
            "[a",
            "[a]b",
            "-oProxyCommand=x",
            "a b",
        ] {
            assert!(jumps(bad).is_err(), "{bad}");
        }
    }
}
