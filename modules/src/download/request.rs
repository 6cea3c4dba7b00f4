//! What is asked for, and how `curl` and `wget` are told.

use std::fmt::Write as _;

use evenkeel_engine::{Content, MASK, Refusal, Secret, Text, download::Order, hex, sha256};

use super::Hash;

/// A request for something that a server holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Request {
    /// The address.
    pub url: Text,
    /// Headers of the request.
    pub headers: Vec<(String, Text)>,
    /// Who logs in.
    pub user: Option<Text>,
    /// The password.
    pub password: Option<Text>,
    /// How many seconds a connection, and a pause in the answer, may take.
    pub timeout: u32,
    /// Whether the certificate must be good.
    pub verify: bool,
    /// Whether a proxy of the environment is used.
    pub proxy: bool,
    /// What the client calls itself.
    pub agent: Option<String>,
    /// Certificates of authorities, on the host.
    pub authorities: Option<String>,
    /// The client's certificate, on the host.
    pub certificate: Option<String>,
    /// Its key, on the host.
    pub key: Option<String>,
}

impl Request {
    /// A plain request.
    pub fn new(url: impl Into<Text>) -> Self {
        Self {
            url: url.into(),
            headers: Vec::new(),
            user: None,
            password: None,
            timeout: 10,
            verify: true,
            proxy: true,
            agent: None,
            authorities: None,
            certificate: None,
            key: None,
        }
    }

    /// The same for another address.
    #[must_use]
    pub fn to(&self, url: &str) -> Self {
        Self {
            url: url.into(),
            ..self.clone()
        }
    }

    /// Whether something of it must not be shown: then it can be no question.
    pub fn is_secret(&self) -> bool {
        let login = self.user.iter().chain(&self.password);
        let headers = self.headers.iter().map(|(_, value)| value);
        std::iter::once(&self.url)
            .chain(login)
            .chain(headers)
            .any(Text::is_secret)
    }

    /// The address without a login, for messages.
    pub fn shown(&self) -> String {
        without_login(self.url.shown())
    }

    /// The last part of the address's path.
    pub fn name(&self) -> Option<String> {
        let url = std::str::from_utf8(self.url.bytes()).ok()?;
        name_in(url)
    }

    /// What cannot be asked.
    pub(crate) fn check(&self) -> Result<(), Refusal> {
        let url = &self.url;
        if let Text::Plain(text) = url
            && !is_web(text)
        {
            return Err(Refusal::new(format!(
                "`{}` is no address of the web",
                without_login(text)
            ))
            .help("it begins with `https://`, `http://` or `file:///`"));
        }
        if url
            .bytes()
            .iter()
            .any(|byte| *byte <= b' ' || *byte == 0x7f)
        {
            return Err(
                Refusal::new("the address holds a space or a control character")
                    .help("write `%20` for a space"),
            );
        }
        let texts = self
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value));
        let login = [
            ("url_username", &self.user),
            ("url_password", &self.password),
        ];
        let login = login
            .into_iter()
            .filter_map(|(name, text)| Some((name, text.as_ref()?)));
        for (name, text) in texts.chain(login) {
            if text
                .bytes()
                .iter()
                .any(|byte| *byte < b' ' && *byte != b'\t')
            {
                return Err(Refusal::new(format!(
                    "`{name}` holds a line break or a control character"
                )));
            }
        }
        let words = [
            ("http_agent", &self.agent),
            ("ca_path", &self.authorities),
            ("client_cert", &self.certificate),
            ("client_key", &self.key),
        ];
        let breaks = |word: &&(&str, &Option<String>)| {
            let text = word.1.as_deref().unwrap_or_default();
            text.contains(|c: char| c.is_control() && c != '\t')
        };
        if let Some((name, _)) = words.iter().find(breaks) {
            return Err(Refusal::new(format!(
                "`{name}` holds a line break or a control character"
            )));
        }
        let odd = |byte: u8| !(byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte));
        if let Some((name, _)) = self
            .headers
            .iter()
            .find(|(name, _)| name.is_empty() || name.bytes().any(odd))
        {
            return Err(Refusal::new(format!("`{name}` is no name of a header")));
        }
        Ok(())
    }

    /// The same, asked by the machine that runs the playbook: it has not the files of the host.
    pub(crate) fn order(&self, checksum: Option<Hash>, decompress: bool) -> Result<Order, Refusal> {
        let files = [
            ("ca_path", &self.authorities),
            ("client_cert", &self.certificate),
            ("client_key", &self.key),
        ];
        if let Some((name, _)) = files.iter().find(|(_, file)| file.is_some()) {
            return Err(Refusal::new(format!(
                "`{name}` is a file of the host, and the host has neither `curl` nor `wget`"
            ))
            .help("install one of them in a task before"));
        }
        let password = || self.password.clone().unwrap_or_else(|| "".into());
        Ok(Order {
            url: self.url.clone(),
            shown: self.shown(),
            headers: self.headers.clone(),
            login: self.user.clone().map(|user| (user, password())),
            agent: self.agent.clone(),
            timeout: self.timeout,
            verify: self.verify,
            proxy: self.proxy,
            decompress,
            checksum,
        })
    }

    /// Which request this is, among others of a batch.
    pub(crate) fn id(&self) -> String {
        hex(&sha256(&self.input()))[..16].to_owned()
    }

    /// The address, and the configurations of curl and wget.
    pub(crate) fn parts(&self) -> [Vec<u8>; 3] {
        [self.url.bytes().to_vec(), self.curl(), self.wget()]
    }

    /// The same as what a program reads: the address, what is for curl, a line with a dot, what is for wget.
    fn input(&self) -> Vec<u8> {
        let [url, curl, wget] = self.parts();
        [&url[..], b"\n", &curl, b"\n.\n", &wget, b"\n"].concat()
    }

    /// The input of a step.
    pub(crate) fn content(&self) -> Content {
        let input = self.input();
        if self.is_secret() {
            Content::Secret(Secret::new(input))
        } else {
            input.into()
        }
    }

    pub(crate) fn curl(&self) -> Vec<u8> {
        let mut text = Vec::new();
        let mut option = |name: &str, value: &[u8]| {
            text.extend_from_slice(name.as_bytes());
            text.extend_from_slice(b" = \"");
            for byte in value {
                match byte {
                    b'"' | b'\\' => text.extend_from_slice(&[b'\\', *byte]),
                    b'\t' => text.extend_from_slice(b"\\t"),
                    byte => text.push(*byte),
                }
            }
            text.extend_from_slice(b"\"\n");
        };
        option("url", self.url.bytes());
        for (name, value) in &self.headers {
            let line = [name.as_bytes(), b": ", value.bytes()].concat();
            option("header", &line);
        }
        if let Some(user) = &self.user {
            let password = self.password.as_ref().map_or(&b""[..], Text::bytes);
            option("user", &[user.bytes(), b":", password].concat());
        }
        let files = [
            ("cacert", &self.authorities),
            ("cert", &self.certificate),
            ("key", &self.key),
        ];
        for (name, file) in files {
            if let Some(file) = file {
                option(name, file.as_bytes());
            }
        }
        if let Some(agent) = &self.agent {
            option("user-agent", agent.as_bytes());
        }
        if !self.proxy {
            option("noproxy", b"*");
        }
        option("proto", b"=http,https");
        option("proto-redir", b"=http,https");
        let seconds = self.timeout.to_string();
        for name in ["connect-timeout", "speed-time"] {
            option(name, seconds.as_bytes());
        }
        text.extend_from_slice(b"speed-limit = 1\nlocation\nmax-redirs = 10\ngloboff");
        if !self.verify {
            text.extend_from_slice(b"\ninsecure");
        }
        text
    }

    pub(crate) fn wget(&self) -> Vec<u8> {
        let mut text = Vec::new();
        let mut option = |name: &str, value: &[u8]| {
            text.extend_from_slice(name.as_bytes());
            text.extend_from_slice(b" = ");
            text.extend_from_slice(value);
            text.push(b'\n');
        };
        for (name, value) in &self.headers {
            option("header", &[name.as_bytes(), b": ", value.bytes()].concat());
        }
        if let Some(user) = &self.user {
            option("http_user", user.bytes());
            option(
                "http_password",
                self.password.as_ref().map_or(&b""[..], Text::bytes),
            );
            option("auth_no_challenge", b"on");
        }
        let files = [
            ("ca_certificate", &self.authorities),
            ("certificate", &self.certificate),
            ("private_key", &self.key),
        ];
        for (name, file) in files {
            if let Some(file) = file {
                option(name, file.as_bytes());
            }
        }
        if let Some(agent) = &self.agent {
            option("user_agent", agent.as_bytes());
        }
        if !self.proxy {
            option("use_proxy", b"off");
        }
        if !self.verify {
            option("check_certificate", b"off");
        }
        option("timeout", self.timeout.to_string().as_bytes());
        option("netrc", b"off");
        text.pop();
        text
    }
}

/// Whether a text is an address of the web.
pub(crate) fn is_web(text: &str) -> bool {
    let (scheme, rest) = text.split_once("://").unwrap_or((text, ""));
    matches!(scheme.to_ascii_lowercase().as_str(), "http" | "https") && !rest.is_empty()
}

/// The last part of the path of an address.
pub(crate) fn name_in(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    let path = rest.split(['?', '#']).next().unwrap_or(rest);
    let (_, name) = path.rsplit_once('/')?;
    let name = percent(name);
    (!name.is_empty() && name != "." && name != ".." && !name.contains(['/', '\0'])).then_some(name)
}

/// Escapes of an address undone.
fn percent(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let [first, tail @ ..] = rest {
        let escaped = tail.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        match escaped.and_then(|two| u8::from_str_radix(two, 16).ok()) {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

/// An address without its login.
fn without_login(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    match rest[..end].rsplit_once('@') {
        Some((_, host)) => {
            let mut text = String::new();
            write!(text, "{scheme}://{MASK}@{host}{}", &rest[end..]).expect("texts take all");
            text
        }
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        assert_eq!(
            name_in("http://a/b/c%20d.gz?x=/y#z").as_deref(),
            Some("c d.gz")
        );
        for none in [
            "http://a",
            "http://a/",
            "http://a/..",
            "http://a/%2e%2e",
            "http://a/b%2fc",
        ] {
            assert_eq!(name_in(none), None, "{none}");
        }
        assert_eq!(without_login("https://u:p@h/x@y"), "https://***@h/x@y");
        assert_eq!(without_login("https://h/x@y"), "https://h/x@y");
        assert!(is_web("HTTPS://h/") && !is_web("ftp://h/") && !is_web("/etc/passwd"));
    }

    #[test]
    fn what_could_break_out_is_refused() {
        let mut request = Request::new("http://h/a b");
        assert!(request.check().is_err());
        request = Request::new("http://h/");
        request.headers = vec![("X".into(), "a\r\nEvil: b".into())];
        assert!(request.check().is_err());
        request.headers = vec![("X Y".into(), "a".into())];
        assert!(request.check().is_err());
        request.headers = vec![("X-Y".into(), "say \"hi\" \\".into())];
        assert!(request.check().is_ok());
        let curl = String::from_utf8(request.curl()).unwrap();
        assert!(
            curl.contains("header = \"X-Y: say \\\"hi\\\" \\\\\"\n"),
            "{curl}"
        );
    }
}
