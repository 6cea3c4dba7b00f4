//! The step that sends a request.

use evenkeel_engine::{Content, Done, Refusal, Run, Secret, Step};

use super::{Args, body::Body};
use crate::download::{self, Request, name_in};

/// Whatever is answered after that is of no use.
const LIMIT: u64 = 3600;

/// The status with which the script says that `dest` was already as it should be.
const IDLE: i32 = 3;

const SCRIPT: &str = include_str!("ask.sh");

/// A request, with what is known now.
pub(super) struct Sent<'a> {
    pub(super) args: &'a Args,
    pub(super) request: &'a Request,
    pub(super) body: Option<&'a Body>,
    pub(super) src: Option<&'a str>,
    pub(super) dest: Option<&'a str>,
}

impl Sent<'_> {
    pub(super) fn step(&self) -> Step {
        let request = self.whole_request();
        let (curl, wget) = (self.curl(&request), [&request.wget()[..], b"\n"].concat());
        let none = Vec::new();
        let body = self.body.map_or(&none, |body| &body.bytes);
        let url = request.url.bytes();
        let input = [&curl[..], &wget, url, body].concat();
        let secret = request.is_secret() || self.body.is_some_and(|body| body.secret);
        let input = if secret {
            Content::Secret(Secret::new(input))
        } else {
            input.into()
        };
        let codes = if self.args.status_code.is_empty() {
            "200".to_owned()
        } else {
            self.args.status_code.join(" ")
        };
        let shown = request.shown();
        let name = name_in(&shown).unwrap_or_else(|| "index.html".to_owned());
        let mode = self.args.mode.as_ref().map(|mode| mode.text().to_owned());
        let words = [
            curl.len().to_string(),
            wget.len().to_string(),
            url.len().to_string(),
            body.len().to_string(),
            shown,
            codes,
            if self.args.return_content { "1" } else { "" }.to_owned(),
            if self.follows() { "10" } else { "0" }.to_owned(),
            self.args.unix_socket.clone().unwrap_or_default(),
            self.dest.unwrap_or_default().to_owned(),
            name,
            self.args.owner.clone().unwrap_or_default(),
            self.args.group.clone().unwrap_or_default(),
            mode.unwrap_or_default(),
            self.args.method(),
            self.data().unwrap_or_default().to_owned(),
        ];
        let (argv, stdin) = download::script("uri", SCRIPT, words, &input);
        let to_file = self.dest.is_some();
        Run {
            stdin,
            seconds: Some(LIMIT),
            env: vec![("LC_ALL".to_owned(), "C".into())],
            ok: if to_file { vec![0, IDLE] } else { vec![0] },
            idle: to_file.then_some(IDLE),
            explain: Some(explain),
            ..Run::new(argv)
        }
        .into()
    }

    fn follows(&self) -> bool {
        self.args.follows()
    }

    /// With the header that says what the body is.
    fn whole_request(&self) -> Request {
        let mut request = self.request.clone();
        let said = request
            .headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        if let (Some(kind), false) = (self.body.and_then(|body| body.kind.as_deref()), said) {
            request
                .headers
                .push(("Content-Type".to_owned(), kind.into()));
        }
        request
    }

    /// Where the body is: the script writes it into a file of this name.
    fn data(&self) -> Option<&str> {
        self.src.or(self.body.map(|_| "data"))
    }

    fn curl(&self, request: &Request) -> Vec<u8> {
        let mut text = request.curl();
        let method = self.args.method();
        let mut line = |line: String| text.extend(format!("\n{line}").into_bytes());
        let quoted = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
        if !self.follows() {
            line("no-location".to_owned());
        }
        if let Some(data) = self.data() {
            line(format!("data-binary = \"@{}\"", quoted(data)));
            // A server need not be asked whether it wants a body.
            line("header = \"Expect:\"".to_owned());
        }
        match (method.as_str(), self.data()) {
            ("HEAD", _) => line("head".to_owned()),
            // Redirected, what curl knows as a GET or a POST becomes what it must.
            ("GET", None) | ("POST", Some(_)) => {}
            ("POST", None) => line("data-binary = \"\"".to_owned()),
            (method, _) => line(format!("request = \"{method}\"")),
        }
        if let Some(socket) = &self.args.unix_socket {
            line(format!("unix-socket = \"{}\"", quoted(socket)));
        }
        line(String::new());
        text
    }
}

/// The script says in whole sentences why it failed.
fn explain(done: &Done) -> Option<Refusal> {
    let said = String::from_utf8_lossy(&done.stderr);
    let said = said.trim();
    (done.status == 1 && !said.is_empty()).then(|| Refusal::new(said))
}
