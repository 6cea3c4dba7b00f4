//! Sections of a file, of which one is read, put or taken out; all else stays as it is, to the byte.

use evenkeel_engine::Text;

/// A file with sections, by lines.
#[derive(Debug)]
pub(super) struct Sections<'a> {
    lines: Vec<&'a [u8]>,
}

/// The name of the section that a line begins.
fn head(line: &[u8]) -> Option<&[u8]> {
    let line = line.trim_ascii();
    line.strip_prefix(b"[")?.strip_suffix(b"]")
}

fn is_comment(line: &[u8]) -> bool {
    matches!(line.first(), Some(b'#' | b';'))
}

impl<'a> Sections<'a> {
    pub(super) fn new(text: &'a [u8]) -> Self {
        Self {
            lines: text.split_inclusive(|byte| *byte == b'\n').collect(),
        }
    }

    /// Whether there is a section at all.
    pub(super) fn any(&self) -> bool {
        self.lines.iter().any(|line| head(line).is_some())
    }

    /// Where a section begins and ends. Blank lines and comments behind it belong to the next one.
    fn find(&self, name: &str) -> Option<(usize, usize)> {
        let from = self
            .lines
            .iter()
            .position(|line| head(line) == Some(name.as_bytes()))?;
        let rest = &self.lines[from + 1..];
        let mut to = from
            + 1
            + rest
                .iter()
                .position(|line| head(line).is_some())
                .unwrap_or(rest.len());
        while to > from + 1 {
            let line = self.lines[to - 1];
            if !line.trim_ascii().is_empty() && !is_comment(line) {
                break;
            }
            to -= 1;
        }
        Some((from, to))
    }

    /// Whether a section has these settings, and no others, however they are written.
    pub(super) fn has(&self, name: &str, settings: &[(&'static str, Vec<Text>)]) -> bool {
        let Some((from, to)) = self.find(name) else {
            return false;
        };
        let mut found: Vec<(Vec<u8>, Vec<Vec<u8>>)> = Vec::new();
        for line in &self.lines[from + 1..to] {
            if line.trim_ascii().is_empty() || is_comment(line) {
                continue;
            }
            if line.starts_with(b" ") || line.starts_with(b"\t") {
                let Some((_, values)) = found.last_mut() else {
                    return false;
                };
                values.push(line.trim_ascii().to_vec());
                continue;
            }
            let Some(at) = line.iter().position(|byte| *byte == b'=') else {
                return false;
            };
            let (key, value) = (line[..at].trim_ascii(), line[at + 1..].trim_ascii());
            let values = if value.is_empty() {
                Vec::new()
            } else {
                vec![value.to_vec()]
            };
            found.push((key.to_vec(), values));
        }
        let wanted = settings.iter().map(|(key, values)| {
            let values = values.iter().map(|value| value.bytes().to_vec());
            (key.as_bytes().to_vec(), values.collect())
        });
        let mut wanted: Vec<(Vec<u8>, Vec<Vec<u8>>)> = wanted.collect();
        found.sort();
        wanted.sort();
        found == wanted
    }

    /// The file with these settings in the section: in its place, or at the end.
    pub(super) fn with(&self, name: &str, settings: &[(&'static str, Vec<Text>)]) -> Vec<u8> {
        let mut own = format!("[{name}]\n").into_bytes();
        for (key, values) in settings {
            own.extend(key.as_bytes());
            own.extend(b" = ");
            for (at, value) in values.iter().enumerate() {
                if at > 0 {
                    own.extend(b"\t");
                }
                own.extend(value.bytes());
                own.extend(b"\n");
            }
        }
        if let Some((from, to)) = self.find(name) {
            return [self.lines[..from].concat(), own, self.lines[to..].concat()].concat();
        }
        let mut whole = self.lines.concat();
        if !whole.is_empty() {
            if !whole.ends_with(b"\n") {
                whole.push(b'\n');
            }
            whole.push(b'\n');
        }
        whole.extend(own);
        whole
    }

    /// The file without the section; nothing if there is none.
    pub(super) fn without(&self, name: &str) -> Option<Vec<u8>> {
        let (from, to) = self.find(name)?;
        let (mut before, mut after) = (&self.lines[..from], &self.lines[to..]);
        // The blank line between two sections goes with the one.
        if let ([.., last], true) = (before, after.is_empty())
            && last.trim_ascii().is_empty()
        {
            before = &before[..before.len() - 1];
        } else if let [first, ..] = after
            && first.trim_ascii().is_empty()
        {
            after = &after[1..];
        }
        Some([before.concat(), after.concat()].concat())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &[u8] = b"# ours\n[one]\nname=One\nbaseurl=http://a/\n  http://b/\n\n# the other\n[two]\nname = Two\n";

    fn texts(words: &[&str]) -> Vec<Text> {
        words
            .iter()
            .map(|word| Text::Plain((*word).to_owned()))
            .collect()
    }

    #[test]
    fn a_section_is_what_it_says_however_it_is_written() {
        let sections = Sections::new(FILE);
        let one = |name: &str| {
            vec![
                ("baseurl", texts(&["http://a/", "http://b/"])),
                ("name", texts(&[name])),
            ]
        };
        assert!(sections.has("one", &one("One")));
        assert!(!sections.has("one", &one("Other")));
        assert!(!sections.has("one", &one("One")[..1]));
        assert!(!sections.has("three", &[]));
    }

    #[test]
    fn all_else_stays() {
        let sections = Sections::new(FILE);
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let values = [("name", texts(&["New"])), ("baseurl", texts(&["x", "y"]))];
        assert_eq!(
            text(sections.with("one", &values)),
            "# ours\n[one]\nname = New\nbaseurl = x\n\ty\n\n# the other\n[two]\nname = Two\n"
        );
        let three = text(sections.with("three", &values[..1]));
        assert_eq!(
            three,
            format!("{}\n[three]\nname = New\n", String::from_utf8_lossy(FILE))
        );
        assert_eq!(
            text(sections.without("one").unwrap()),
            "# ours\n# the other\n[two]\nname = Two\n"
        );
        assert_eq!(
            text(sections.without("two").unwrap()),
            "# ours\n[one]\nname=One\nbaseurl=http://a/\n  http://b/\n\n# the other\n"
        );
        assert_eq!(sections.without("three"), None);
    }
}
