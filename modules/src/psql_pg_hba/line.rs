//! Lines of `pg_hba.conf`, read as the server reads them.

use std::{fmt, net::IpAddr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::address::{Net, Source};

/// By what kind of connection one comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// By the socket of the host.
    Local,
    /// By TCP.
    Host,
    /// By TCP, with TLS.
    HostSsl,
    /// By TCP, without TLS.
    HostNoSsl,
    /// By TCP, with the encryption of GSSAPI.
    HostGssEnc,
    /// By TCP, without it.
    HostNoGssEnc,
}

const KINDS: [(&str, Kind); 6] = [
    ("local", Kind::Local),
    ("host", Kind::Host),
    ("hostssl", Kind::HostSsl),
    ("hostnossl", Kind::HostNoSsl),
    ("hostgssenc", Kind::HostGssEnc),
    ("hostnogssenc", Kind::HostNoGssEnc),
];

impl Kind {
    fn parse(text: &str) -> Option<Self> {
        KINDS
            .iter()
            .find(|(word, _)| *word == text)
            .map(|(_, kind)| *kind)
    }

    pub(super) fn word(self) -> &'static str {
        KINDS
            .iter()
            .find(|(_, kind)| *kind == self)
            .map_or("", |(word, _)| word)
    }

    /// Plain, by TLS, by GSSAPI: what it lets in of these.
    fn ways(self) -> u8 {
        match self {
            Self::Local => 0b1000,
            Self::Host => 0b111,
            Self::HostSsl => 0b010,
            Self::HostNoSsl => 0b101,
            Self::HostGssEnc => 0b100,
            Self::HostNoGssEnc => 0b011,
        }
    }

    pub(super) fn overlaps(self, other: Self) -> bool {
        self.ways() & other.ways() != 0
    }

    pub(super) fn covers(self, other: Self) -> bool {
        self.ways() & other.ways() == other.ways()
    }
}

/// A word of a line.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Token {
    pub(super) text: String,
    /// It means only itself, though without quotes it would mean more.
    pub(super) quoted: bool,
}

/// Words that mean more than themselves.
const SPECIAL: [&str; 7] = [
    "all",
    "replication",
    "samegroup",
    "samehost",
    "samenet",
    "samerole",
    "sameuser",
];

impl Token {
    fn new(text: String, quoted: bool) -> Self {
        let special = SPECIAL.contains(&text.as_str()) || text.starts_with(['+', '@']);
        Self {
            quoted: quoted && special,
            text,
        }
    }

    /// As it is said in a playbook: quoted, or to be quoted if it has to be.
    pub(super) fn said(text: &str) -> Self {
        let inner = text
            .strip_prefix('"')
            .and_then(|text| text.strip_suffix('"'));
        match inner {
            Some(inner) => Self::new(inner.replace("\"\"", "\""), true),
            None => Self::new(text.to_owned(), false),
        }
    }

    /// Whether it is a word that means more than itself.
    pub(super) fn is(&self, word: &str) -> bool {
        !self.quoted && self.text == word
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let odd = |c: char| c.is_whitespace() || matches!(c, ',' | '"' | '#');
        if self.quoted || self.text.is_empty() || self.text.contains(odd) {
            write!(f, "\"{}\"", self.text.replace('"', "\"\""))
        } else {
            f.write_str(&self.text)
        }
    }
}

/// A rule: who may log in from where, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    pub(super) kind: Kind,
    pub(super) databases: Vec<Token>,
    pub(super) users: Vec<Token>,
    pub(super) source: Source,
    pub(super) method: String,
    pub(super) options: Vec<Token>,
}

impl Rule {
    /// The columns, as they are written.
    pub(super) fn columns(&self) -> Vec<String> {
        let list = |tokens: &[Token]| {
            tokens
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(",")
        };
        let mut columns = vec![
            self.kind.word().to_owned(),
            list(&self.databases),
            list(&self.users),
        ];
        if self.kind != Kind::Local {
            columns.push(self.source.to_string());
        }
        columns.push(self.method.clone());
        columns.extend(self.options.iter().map(ToString::to_string));
        columns
    }

    /// Whether it does the same as the other, however it is written.
    pub(super) fn same(&self, other: &Self) -> bool {
        let sorted = |tokens: &[Token]| {
            let mut texts: Vec<String> = tokens.iter().map(|token| token.text.clone()).collect();
            texts.sort();
            texts
        };
        self.kind == other.kind
            && self.same_connections(other)
            && self.method == other.method
            && sorted(&self.options) == sorted(&other.options)
    }

    /// Whether it is for the same connections, of whatever kind.
    pub(super) fn same_connections(&self, other: &Self) -> bool {
        self.source == other.source
            && self.databases == other.databases
            && self.users == other.users
    }

    /// Whether nothing that this one lets in, or keeps out, gets to the other behind it.
    pub(super) fn hides(&self, other: &Self) -> bool {
        let any = |mine: &[Token], theirs: &Token| mine.contains(theirs);
        let database = |theirs: &Token| {
            any(&self.databases, theirs)
                || (!theirs.is("replication") && self.databases.iter().any(|mine| mine.is("all")))
        };
        let user = |theirs: &Token| {
            any(&self.users, theirs) || self.users.iter().any(|mine| mine.is("all"))
        };
        self.kind.covers(other.kind)
            && self.source.covers(&other.source)
            && other.databases.iter().all(database)
            && other.users.iter().all(user)
    }
}

/// What a line is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// Blank, or a comment.
    Nothing,
    /// Rules of another file.
    Include,
    /// A rule, and the comment behind it.
    Rule(Rule, Option<String>),
    /// What the server cannot read, and why.
    Wrong(String),
}

/// A line as it stands, with those that go on with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) raw: Vec<u8>,
    /// Its number in the file.
    pub(super) number: usize,
    pub(super) what: What,
}

impl Line {
    /// The lines of a file.
    pub(super) fn all(text: &[u8]) -> Vec<Self> {
        let (mut all, mut number, mut raw) = (Vec::new(), 1, Vec::new());
        let mut begin = 1;
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            raw.extend_from_slice(line);
            number += 1;
            let end = line.strip_suffix(b"\n").unwrap_or(line);
            if end.ends_with(b"\\") && line.ends_with(b"\n") {
                continue;
            }
            all.push(Self::new(std::mem::take(&mut raw), begin));
            begin = number;
        }
        if !raw.is_empty() {
            all.push(Self::new(raw, begin));
        }
        all
    }

    pub(super) fn new(raw: Vec<u8>, number: usize) -> Self {
        let text = String::from_utf8_lossy(&raw);
        let text = text.replace("\\\n", "");
        let what = read(text.trim_end_matches(['\n', '\r']));
        Self { raw, number, what }
    }
}

/// The words of a line in their columns, and the comment behind them.
pub(super) fn columns(text: &str) -> (Vec<Vec<Token>>, Option<String>) {
    let (mut columns, mut goes_on) = (Vec::<Vec<Token>>::new(), false);
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
        if rest.is_empty() {
            return (columns, None);
        }
        if let Some(comment) = rest.strip_prefix('#') {
            return (columns, Some(comment.trim().to_owned()));
        }
        let (token, comma, left) = word(rest);
        rest = left;
        match columns.last_mut().filter(|_| goes_on) {
            Some(column) => column.push(token),
            None => columns.push(vec![token]),
        }
        goes_on = comma;
    }
}

/// The first word, whether a comma ends it, and what follows.
fn word(text: &str) -> (Token, bool, &str) {
    let quoted = text.starts_with('"');
    let (mut word, mut inside, mut was_quote) = (String::new(), false, false);
    for (at, c) in text.char_indices() {
        if !inside && (c.is_whitespace() || c == '#') {
            return (Token::new(word, quoted), false, &text[at..]);
        }
        if !inside && c == ',' {
            return (Token::new(word, quoted), true, &text[at + 1..]);
        }
        // Two quotes within quotes are one.
        if c != '"' || was_quote {
            word.push(c);
        }
        was_quote = inside && c == '"' && !was_quote;
        if c == '"' {
            inside = !inside;
        }
    }
    (Token::new(word, quoted), false, "")
}

fn read(text: &str) -> What {
    let (columns, comment) = columns(text);
    let Some(first) = columns.first() else {
        return What::Nothing;
    };
    if ["include", "include_dir", "include_if_exists"]
        .iter()
        .any(|word| first[0].is(word))
    {
        return What::Include;
    }
    match rule(&columns) {
        Ok(rule) => What::Rule(rule, comment),
        Err(why) => What::Wrong(why),
    }
}

fn rule(columns: &[Vec<Token>]) -> Result<Rule, String> {
    let mut columns = columns.iter();
    let mut next = |what: &str| columns.next().ok_or_else(|| format!("it has no {what}"));
    let one = |column: &[Token], what: &str| match column {
        [token] => Ok(token.clone()),
        _ => Err(format!("it has several {what}")),
    };
    let kind = one(next("type")?, "types")?.text;
    let kind = Kind::parse(&kind).ok_or_else(|| format!("`{kind}` is no type of connections"))?;
    let sorted = |column: &[Token]| {
        let mut column = column.to_vec();
        column.sort();
        column
    };
    let databases = sorted(next("database")?);
    let users = sorted(next("user")?);
    let source = if kind == Kind::Local {
        Source::Socket
    } else {
        let token = one(next("address")?, "addresses")?;
        match token.text.parse::<IpAddr>() {
            Ok(address) => {
                let mask = one(next("netmask")?, "netmasks")?;
                Source::Net(Net::masked(address, &mask.text)?)
            }
            Err(_) if token.quoted => Source::name(&token.text)?,
            Err(_) => Source::parse(&token.text)?,
        }
    };
    let method = one(next("method")?, "methods")?.text;
    let options: Vec<Token> = columns.flatten().cloned().collect();
    if let Some(option) = options.iter().find(|option| !option.text.contains('=')) {
        return Err(format!("`{}` is no option: it has no `=`", option.text));
    }
    Ok(Rule {
        kind,
        databases,
        users,
        source,
        method,
        options,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_one(text: &str) -> (Rule, Option<String>) {
        match Line::new(text.into(), 1).what {
            What::Rule(rule, comment) => (rule, comment),
            what => panic!("{text}: {what:?}"),
        }
    }

    #[test]
    fn a_line_is_read_in_its_columns() {
        let (rule, comment) = read_one(
            "host b, \"a \"\"x\"\",\",\"all\" +u 10.0.0.1 255.0.0.0 ldap ldapserver=h \"p=a, b\"# it's mine \n",
        );
        let texts: Vec<&str> = rule
            .databases
            .iter()
            .map(|token| token.text.as_str())
            .collect();
        assert_eq!(texts, ["a \"x\",", "all", "b"]);
        assert!(rule.databases[1].quoted && rule.users[0].is("+u"));
        assert_eq!(comment.unwrap(), "it's mine");
        let written = rule.columns().join("\t");
        assert_eq!(
            written,
            "host\t\"a \"\"x\"\",\",\"all\",b\t+u\t10.0.0.0/8\tldap\tldapserver=h\t\"p=a, b\""
        );
        assert_eq!(read_one(&written).0, rule);
    }

    #[test]
    fn lines_that_go_on_are_one() {
        let text = b"# a\n\nlocal all all \\\n  peer # x\ninclude other\nlocal all\nhost all all 1.2.3.4 trust\n";
        let lines = Line::all(text);
        assert_eq!(
            lines.iter().map(|line| line.number).collect::<Vec<_>>(),
            [1, 2, 3, 5, 6, 7]
        );
        assert_eq!(lines[0].what, What::Nothing);
        assert_eq!(lines[2].raw, b"local all all \\\n  peer # x\n");
        assert!(matches!(&lines[2].what, What::Rule(rule, _) if rule.method == "peer"));
        assert_eq!(lines[3].what, What::Include);
        assert_eq!(lines[4].what, What::Wrong("it has no user".to_owned()));
        assert!(matches!(&lines[5].what, What::Wrong(why) if why.contains("netmask `trust`")));
        assert_eq!(
            lines
                .iter()
                .flat_map(|line| line.raw.clone())
                .collect::<Vec<_>>(),
            text
        );
    }

    #[test]
    fn the_wider_hides() {
        let hides = |one: &str, other: &str| read_one(one).0.hides(&read_one(other).0);
        assert!(hides("host all all all md5", "hostssl a b 10.0.0.0/8 md5"));
        assert!(hides("host a,b u 0.0.0.0/0 md5", "host a u 10.0.0.0/8 md5"));
        assert!(!hides(
            "host all all all md5",
            "host replication u 10.0.0.0/8 md5"
        ));
        assert!(!hides("host \"all\" all all md5", "host a u all md5"));
        assert!(!hides("hostssl all all all md5", "host a u all md5"));
        assert!(!hides("host all all all md5", "local a u md5"));
    }
}
