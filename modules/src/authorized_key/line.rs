//! Lines of `authorized_keys`.

/// A public key with what stands around it in its line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key {
    /// What restricts it, as written.
    pub(super) options: Option<String>,
    /// Its kind, as `ssh-ed25519`.
    pub(super) kind: String,
    /// The key itself, in base64: by it keys are told apart.
    pub(super) data: String,
    /// What it is called.
    pub(super) comment: String,
}

const KINDS: [&str; 8] = [
    "ssh-ed25519",
    "ssh-rsa",
    "ssh-dss",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
];

/// Why a text is no line of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    /// Nothing in it is a kind of keys.
    Kind,
    /// The key itself is not whole.
    Data,
}

impl Key {
    /// Reads a line.
    pub(super) fn read(line: &str) -> Result<Self, Wrong> {
        let line = line.trim();
        let (first, rest) = word(line);
        let (options, kind, rest) = if is_kind(first) {
            (None, first, rest)
        } else {
            let (kind, rest) = word(rest);
            (Some(first.to_owned()), kind, rest)
        };
        if !is_kind(kind) {
            return Err(Wrong::Kind);
        }
        let (data, comment) = word(rest);
        let bytes = decoded(data).ok_or(Wrong::Data)?;
        // The key begins with its kind, as a text with its length.
        let (length, rest) = bytes.split_at_checked(4).ok_or(Wrong::Data)?;
        let length = length
            .iter()
            .fold(0_usize, |sum, byte| (sum << 8) | usize::from(*byte));
        let named = rest.get(..length).ok_or(Wrong::Data)?;
        if named != kind.as_bytes() || rest.len() == length {
            return Err(Wrong::Data);
        }
        Ok(Self {
            options,
            kind: kind.to_owned(),
            data: data.to_owned(),
            comment: comment.to_owned(),
        })
    }

    /// The line, without its end.
    pub(super) fn line(&self) -> String {
        let options = self
            .options
            .as_deref()
            .filter(|options| !options.is_empty());
        let comment = Some(self.comment.as_str()).filter(|comment| !comment.is_empty());
        let parts = options
            .into_iter()
            .chain([self.kind.as_str(), &self.data])
            .chain(comment);
        parts.collect::<Vec<_>>().join(" ")
    }

    /// How it is called in reports.
    pub(super) fn name(&self) -> String {
        let tail = &self.data[self.data.len().saturating_sub(8)..];
        if self.comment.is_empty() {
            format!("{} …{tail}", self.kind)
        } else {
            format!("{} …{tail} {}", self.kind, self.comment)
        }
    }
}

fn is_kind(word: &str) -> bool {
    let certified = word.strip_suffix("-cert-v01@openssh.com");
    let plain = certified.map(|kind| KINDS.iter().any(|known| known.starts_with(kind)));
    plain.unwrap_or_else(|| KINDS.contains(&word))
}

/// The first word, quotes and what they hold in it, and the rest.
fn word(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    let (mut quoted, mut escaped) = (false, false);
    for (at, letter) in text.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ' ' | '\t' if !quoted => return (&text[..at], text[at..].trim()),
            _ => {}
        }
    }
    (text, "")
}

fn decoded(text: &str) -> Option<Vec<u8>> {
    let body = text.trim_end_matches('=');
    if !text.len().is_multiple_of(4) || text.len() - body.len() > 2 || body.is_empty() {
        return None;
    }
    let (mut bytes, mut bits, mut held) = (Vec::new(), 0_u32, 0);
    for letter in body.bytes() {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(((bits >> held) & 0xff) as u8);
        }
    }
    Some(bytes)
}

/// What is wanted of the keys of a file.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub(super) keys: Vec<Key>,
    /// They are to be gone.
    pub(super) absent: bool,
    /// Others are to be gone.
    pub(super) exclusive: bool,
}

/// One difference: what it is about, the line before and after.
pub(super) type Told = (String, Option<String>, Option<String>);

impl Wanted {
    /// The new text, and what differs in it. A key keeps its place; comments and blank lines stay.
    pub(super) fn edit(&self, before: &[u8]) -> (Vec<u8>, Vec<Told>) {
        let mut told = Vec::new();
        let mut missing: Vec<&Key> = self.keys.iter().collect();
        let mut lines: Vec<Vec<u8>> = Vec::new();
        for line in before.split_inclusive(|byte| *byte == b'\n') {
            let text = String::from_utf8_lossy(line);
            let text = text.trim();
            let key = Key::read(text).ok();
            let mine = key.as_ref().and_then(|key| {
                let same = |wanted: &&Key| wanted.data == key.data;
                self.keys.iter().find(same)
            });
            let goes = match (&key, mine) {
                (Some(key), Some(_)) if self.absent => Some(key.name()),
                (Some(key), None) if self.exclusive => Some(key.name()),
                // What is no key opens nothing now; that is no reason to keep it.
                (None, _) if self.exclusive && !text.is_empty() && !text.starts_with('#') => {
                    Some("a line that is no key".to_owned())
                }
                _ => None,
            };
            if let Some(name) = goes {
                told.push((name, Some(text.to_owned()), None));
                continue;
            }
            if let (Some(key), Some(mine)) = (key, mine) {
                let at = missing.iter().position(|wanted| wanted.data == mine.data);
                let Some(at) = at else {
                    // The same key again would still open with what this line allows.
                    told.push((key.name(), Some(text.to_owned()), None));
                    continue;
                };
                missing.remove(at);
                if key != *mine {
                    told.push((mine.name(), Some(key.line()), Some(mine.line())));
                    lines.push(format!("{}\n", mine.line()).into_bytes());
                    continue;
                }
            }
            lines.push(line.to_vec());
        }
        if !self.absent {
            for key in missing {
                if let Some(last) = lines.last_mut()
                    && !last.ends_with(b"\n")
                {
                    last.push(b'\n');
                }
                told.push((key.name(), None, Some(key.line())));
                lines.push(format!("{}\n", key.line()).into_bytes());
            }
        }
        (lines.concat(), told)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "AAAAC3NzaC1lZDI1NTE5AAAAIEZFRkZFRkZFRkZFRkZFRkZFRkZFRkZFRkZFRkZFRkZF";

    #[test]
    fn lines_are_read_as_sshd_reads_them() {
        let plain = Key::read(&format!(" ssh-ed25519 {KEY}  me at home ")).unwrap();
        assert_eq!(plain.comment, "me at home");
        assert_eq!(plain.line(), format!("ssh-ed25519 {KEY} me at home"));
        let options = r#"command="echo \"a b\" ssh-rsa",no-pty"#;
        let line = format!("{options} ssh-ed25519 {KEY}");
        let with = Key::read(&line).unwrap();
        assert_eq!(with.options.as_deref(), Some(options));
        assert_eq!(with.line(), line);
    }

    #[test]
    fn what_is_no_key_is_told() {
        assert_eq!(Key::read("nonsense"), Err(Wrong::Kind));
        assert_eq!(Key::read(""), Err(Wrong::Kind));
        assert_eq!(Key::read("ssh-ed25519 AAAA"), Err(Wrong::Data));
        assert_eq!(Key::read(&format!("ssh-rsa {KEY}")), Err(Wrong::Data));
        assert_eq!(
            Key::read(&format!("ssh-ed25519 {}", &KEY[..KEY.len() - 3])),
            Err(Wrong::Data)
        );
    }
}
