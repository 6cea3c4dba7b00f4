//! Sources of packages: lines of `sources.list`, stanzas of `*.sources`.

use evenkeel_engine::Refusal;

/// A source, in the form in which two are compared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Source {
    kind: String,
    /// `[arch=amd64 signed-by=…]`, sorted.
    options: Vec<String>,
    pub(super) uri: String,
    suite: String,
    components: Vec<String>,
}

impl Source {
    /// Reads a line; `None` if it is no source.
    pub(super) fn parse(line: &str) -> Option<Self> {
        let line = line.split('#').next().unwrap_or_default().trim();
        let (kind, rest) = line.split_once(char::is_whitespace)?;
        if kind != "deb" && kind != "deb-src" {
            return None;
        }
        let rest = rest.trim_start();
        let (options, rest) = match rest.strip_prefix('[') {
            Some(rest) => rest.split_once(']')?,
            None => ("", rest),
        };
        let mut options: Vec<String> = options.split_whitespace().map(option).collect();
        options.sort();
        let mut words = rest.split_whitespace();
        let (uri, suite) = (words.next()?, words.next()?);
        let mut components: Vec<String> = words.map(str::to_owned).collect();
        components.sort();
        components.dedup();
        Some(Self {
            kind: kind.to_owned(),
            options,
            uri: uri.trim_end_matches('/').to_owned(),
            suite: suite.to_owned(),
            components,
        })
    }

    /// Whether both are about the same packages, if not by the same key.
    pub(super) fn is_about(&self, other: &Self) -> bool {
        let arch = |source: &Self| {
            let mut options = source.options.iter();
            options.find(|option| option.starts_with("arch=")).cloned()
        };
        self.kind == other.kind
            && self.uri == other.uri
            && self.suite == other.suite
            && self.components == other.components
            && arch(self) == arch(other)
    }

    /// What apt says of a line that it cannot read, before it is written.
    pub(super) fn check(line: &str) -> Result<Self, Refusal> {
        if line.trim_start().starts_with("ppa:") {
            let why = Refusal::new(format!(
                "`{line}` is short for a source that Launchpad knows, and a key"
            ));
            let help = "write the source out: `deb [signed-by=/etc/apt/keyrings/NAME.asc] \
                        https://ppa.launchpadcontent.net/OWNER/NAME/ubuntu CODENAME main`, and bring the key there before";
            return Err(why.help(help));
        }
        let source = Self::parse(line).ok_or_else(|| {
            let why = Refusal::new(format!("`{line}` is no source of packages"));
            why.help("it is `deb [OPTIONS] ADDRESS SUITE COMPONENT…`, or the same with `deb-src`")
        })?;
        let flat = source.suite.ends_with('/');
        if !source.uri.contains(':') {
            return Err(
                Refusal::new(format!("`{}` is no address of a source", source.uri))
                    .help("it begins with a method, such as `https://` or `file:`"),
            );
        }
        if flat != source.components.is_empty() {
            let why = if flat {
                format!(
                    "the suite `{}` is a path: it has no components",
                    source.suite
                )
            } else {
                format!("the suite `{}` has no component", source.suite)
            };
            return Err(Refusal::new(why)
                .help("a suite has components (`main`), but a path, which ends in `/`, has none"));
        }
        Ok(source)
    }
}

fn option(text: &str) -> String {
    match text.split_once('=') {
        Some((key, value)) => format!("{}={value}", key.to_ascii_lowercase()),
        None => text.to_owned(),
    }
}

/// The name of a file for a source, as Ansible would choose it: of its address, without method and
/// password, what are letters and digits.
pub(super) fn file_name(source: &Source) -> String {
    let uri = source
        .uri
        .split_once("://")
        .map_or(source.uri.as_str(), |(_, rest)| rest);
    let uri = uri.rsplit_once('@').map_or(uri, |(_, rest)| rest);
    let words = uri.split(|c: char| !c.is_ascii_alphanumeric());
    words
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join("_")
}

/// Whether a file of stanzas has the source, and has it on.
pub(super) fn in_stanzas(text: &str, source: &Source) -> bool {
    text.split("\n\n").any(|stanza| {
        let value = |key: &str| {
            let mut found: Option<Vec<String>> = None;
            let mut open = false;
            for line in stanza.lines().filter(|line| !line.starts_with('#')) {
                let words = |text: &str| {
                    text.split_whitespace()
                        .map(str::to_owned)
                        .collect::<Vec<_>>()
                };
                match line.split_once(':') {
                    _ if line.starts_with([' ', '\t']) => {
                        if let Some(found) = found.as_mut().filter(|_| open) {
                            found.extend(words(line));
                        }
                    }
                    Some((name, value)) => {
                        open = name.eq_ignore_ascii_case(key);
                        if open {
                            found = Some(words(value));
                        }
                    }
                    None => open = false,
                }
            }
            found.unwrap_or_default()
        };
        let off = value("Enabled")
            .first()
            .is_some_and(|word| ["no", "false", "0"].contains(&word.as_str()));
        let components = value("Components");
        !off && value("Types").contains(&source.kind)
            && value("URIs")
                .iter()
                .any(|uri| uri.trim_end_matches('/') == source.uri)
            && value("Suites").contains(&source.suite)
            && source
                .components
                .iter()
                .all(|component| components.contains(component))
    })
}

/// The lines of a file with the source once, as it is wanted; `None` if the file does not speak of it.
pub(super) fn with(text: &str, source: &Source, line: &str) -> Option<String> {
    let off = |text: &str| {
        let text = text.trim_start().strip_prefix('#')?;
        Source::parse(text.trim_start_matches('#'))
    };
    let at = |found: &dyn Fn(&str) -> Option<Source>| {
        text.lines()
            .position(|line| found(line).is_some_and(|other| other.is_about(source)))
    };
    let place = at(&Source::parse).or_else(|| at(&off))?;
    let lines = text.lines().enumerate();
    let lines = lines.map(|(number, old)| if number == place { line } else { old });
    Some(joined(lines))
}

/// The lines of a file without the source; `None` if it is not there.
pub(super) fn without(text: &str, source: &Source) -> Option<String> {
    let is = |line: &str| Source::parse(line).is_some_and(|other| other.is_about(source));
    text.lines().any(is).then(|| {
        let rest = text.lines().filter(|line| !is(line));
        joined(rest)
    })
}

fn joined<'a>(lines: impl Iterator<Item = &'a str>) -> String {
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// Whether a file has any source, were it one that is off.
pub(super) fn any(text: &str) -> bool {
    text.lines()
        .any(|line| Source::parse(line.trim_start().trim_start_matches('#')).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(line: &str) -> Source {
        Source::check(line).unwrap()
    }

    #[test]
    fn lines_are_compared_by_what_they_say() {
        let one =
            source("deb [arch=amd64 signed-by=/k] https://x.example/a/ stable main  extra # mine");
        assert_eq!(
            one,
            source("deb  [ signed-by=/k  arch=amd64 ] https://x.example/a stable extra main")
        );
        assert_ne!(one, source("deb https://x.example/a stable main extra"));
        assert!(one.is_about(&source(
            "deb [arch=amd64] https://x.example/a stable main extra"
        )));
        assert!(!one.is_about(&source(
            "deb [arch=i386] https://x.example/a stable main extra"
        )));
        assert_eq!(
            file_name(&source("deb https://me:pw@x.example:8/a stable main")),
            "x_example_8_a"
        );
    }

    #[test]
    fn what_apt_cannot_read_is_refused() {
        let odd = [
            "",
            "x",
            "rpm http://x s m",
            "deb http://x",
            "deb /srv s main",
            "deb http://x s",
            "deb http://x ./ main",
            "deb [x http://x s m",
            "ppa:a/b",
        ];
        for line in odd {
            assert!(Source::check(line).is_err(), "{line}");
        }
        assert!(Source::check("deb [trusted=yes] file:/srv/shop ./").is_ok());
    }

    #[test]
    fn stanzas_are_read() {
        let text = "# mine\nTypes: deb deb-src\nURIs: https://x.example/a/\nSuites: stable\n stable-updates\nComponents: main extra\n\n\
                    Types: deb\nURIs: https://off.example\nSuites: stable\nComponents: main\nEnabled: no\n";
        assert!(in_stanzas(
            text,
            &source("deb-src https://x.example/a stable-updates main")
        ));
        assert!(!in_stanzas(
            text,
            &source("deb https://x.example/a stable other")
        ));
        assert!(!in_stanzas(
            text,
            &source("deb https://off.example stable main")
        ));
    }

    #[test]
    fn a_line_that_is_off_is_put_on() {
        let line = "deb http://x s main";
        let wanted = source(line);
        let on = with("# a\n# deb http://x/ s main\nb", &wanted, line);
        assert_eq!(on.as_deref(), Some("# a\ndeb http://x s main\nb\n"));
        assert_eq!(with("# a\n", &wanted, line), None);
        assert_eq!(
            without("deb http://x s  main\n# b\n", &wanted).as_deref(),
            Some("# b\n")
        );
        assert!(any("# deb http://x s main\n") && !any("# b\n"));
    }
}
