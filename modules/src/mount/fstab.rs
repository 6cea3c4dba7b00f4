//! Lines of `/etc/fstab`. All but the entry that is meant stay as they are, byte by byte.

/// An entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) src: String,
    pub(super) path: String,
    pub(super) fstype: String,
    pub(super) opts: String,
    pub(super) dump: u32,
    pub(super) passno: u32,
}

impl Entry {
    fn parse(line: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(line).ok()?;
        let fields: Vec<&str> = text
            .split([' ', '\t', '\n', '\r'])
            .filter(|field| !field.is_empty())
            .collect();
        if fields.first()?.starts_with('#') || !(3..=6).contains(&fields.len()) {
            return None;
        }
        let number = |at: usize| fields.get(at).map_or(Some(0), |text| text.parse().ok());
        Some(Self {
            src: unescape(fields[0]),
            path: unescape(fields[1]),
            fstype: fields[2].to_owned(),
            opts: fields
                .get(3)
                .map_or_else(|| "defaults".to_owned(), |opts| unescape(opts)),
            dump: number(4)?,
            passno: number(5)?,
        })
    }

    fn is_swap(&self) -> bool {
        self.fstype == "swap" || matches!(&*self.path, "none" | "swap")
    }

    /// Whether both speak of the same place, or of the same area of swap.
    fn is_of(&self, other: &Self) -> bool {
        if other.is_swap() {
            return self.is_swap() && self.src == other.src;
        }
        !self.is_swap() && trimmed(&self.path) == trimmed(&other.path)
    }

    /// As people read it.
    pub(super) fn line(&self) -> String {
        let Self {
            src,
            path,
            fstype,
            opts,
            dump,
            passno,
        } = self;
        format!(
            "{} {} {fstype} {} {dump} {passno}",
            escape(src),
            escape(path),
            escape(opts)
        )
    }
}

fn trimmed(path: &str) -> &str {
    if path == "/" {
        path
    } else {
        path.trim_end_matches('/')
    }
}

/// What a field cannot hold as it is.
fn escape(text: &str) -> String {
    let mut field = String::new();
    for c in text.chars() {
        match c {
            ' ' => field.push_str("\\040"),
            '\t' => field.push_str("\\011"),
            '\\' => field.push_str("\\134"),
            '#' if field.is_empty() => field.push_str("\\043"),
            c => field.push(c),
        }
    }
    field
}

fn unescape(field: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), field.as_bytes());
    while let [first, tail @ ..] = rest {
        let digits = tail
            .get(..3)
            .and_then(|three| std::str::from_utf8(three).ok());
        match digits.and_then(|three| u8::from_str_radix(three, 8).ok()) {
            Some(byte) if *first == b'\\' => {
                bytes.push(byte);
                rest = &tail[3..];
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| field.to_owned())
}

/// The new text, and the entry that was there; nothing if it stays as it is.
pub(super) fn edit(text: &[u8], entry: &Entry, keep: bool) -> Option<(Vec<u8>, Option<Entry>)> {
    let (mut lines, mut old): (Vec<Vec<u8>>, Option<Entry>) = (Vec::new(), None);
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let Some(there) = Entry::parse(line).filter(|there| there.is_of(entry)) else {
            lines.push(line.to_vec());
            continue;
        };
        // One line is enough: another one would be mounted over it.
        if keep && old.is_none() {
            let same = Entry {
                path: entry.path.clone(),
                ..there.clone()
            } == *entry;
            lines.push(if same {
                line.to_vec()
            } else {
                format!("{}\n", entry.line()).into_bytes()
            });
        }
        old.get_or_insert(there);
    }
    if keep && old.is_none() {
        if let Some(last) = lines.last_mut().filter(|last| !last.ends_with(b"\n")) {
            last.push(b'\n');
        }
        lines.push(format!("{}\n", entry.line()).into_bytes());
    }
    let after = lines.concat();
    (after != text).then_some((after, old))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn entry(src: &str, path: &str) -> Entry {
        Entry {
            src: src.into(),
            path: path.into(),
            fstype: "ext4".into(),
            opts: "defaults".into(),
            dump: 0,
            passno: 2,
        }
    }

    #[test]
    fn all_else_stays_byte_by_byte() {
        let text = "# a\tb \n\n/dev/a\t/  ext4 defaults 0 1\r\nbroken\n/dev/b /srv ext4 defaults 0  2 # no\n/dev/c  /srv/x/ ext4 ro";
        let (after, old) = edit(text.as_bytes(), &entry("/dev/c", "/srv/x"), true).unwrap();
        let start = text.rsplit_once('\n').unwrap().0;
        assert_eq!(
            String::from_utf8(after.clone()).unwrap(),
            format!("{start}\n/dev/c /srv/x ext4 defaults 0 2\n")
        );
        assert_eq!(old.unwrap().opts, "ro");
        assert_eq!(edit(&after, &entry("/dev/c", "/srv/x"), true), None);
        let (gone, _) = edit(&after, &entry("", "/srv/x"), false).unwrap();
        assert_eq!(String::from_utf8(gone).unwrap(), format!("{start}\n"));
        // Bytes that are no text.
        let odd = b"\xff\xfe\n";
        let (after, _) = edit(odd, &entry("/dev/c", "/srv"), true).unwrap();
        assert!(after.starts_with(odd));
    }

    #[test]
    fn one_line_is_left_and_none_is_added_without_its_newline() {
        let twice = "/dev/a /x ext4 defaults 0 2\n/dev/b /x ext4 defaults 0 2\n";
        let (after, _) = edit(twice.as_bytes(), &entry("/dev/a", "/x"), true).unwrap();
        assert_eq!(after, b"/dev/a /x ext4 defaults 0 2\n");
        let (after, old) = edit(b"/dev/b /y ext4", &entry("/dev/a", "/x"), true).unwrap();
        assert_eq!(after, b"/dev/b /y ext4\n/dev/a /x ext4 defaults 0 2\n");
        assert_eq!(old, None);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(src in "[^\\n\\r\\x00]{1,12}", path in "/[^\\n\\r\\x00]{0,12}") {
            let entry = entry(&src, &path);
            let line = format!("{}\n", entry.line());
            prop_assert_eq!(Entry::parse(line.as_bytes()), Some(entry.clone()));
            let (after, _) = edit(b"", &entry, true).unwrap();
            prop_assert_eq!(edit(&after, &entry, true), None);
        }
    }
}
