//! The new text of a file.

use std::ops::Range;

use crate::pattern::Pattern;

/// Where a block goes that is not there yet.
#[derive(Clone, Debug)]
pub(super) enum Place {
    Begin,
    End,
    After(Pattern),
    Before(Pattern),
}

/// A block between two lines.
#[derive(Clone, Debug)]
pub(super) struct Block {
    /// The lines that mark it, without their ends.
    pub(super) begin: Vec<u8>,
    pub(super) end: Vec<u8>,
    /// What stands between; nothing if the block is to be gone.
    pub(super) text: Option<Vec<u8>>,
    pub(super) place: Place,
    /// The pattern of the place is one for several lines.
    pub(super) lines: bool,
    pub(super) prepend_newline: bool,
    pub(super) append_newline: bool,
}

/// One of the two lines is there and the other is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Half {
    pub(super) there: Vec<u8>,
    pub(super) missing: Vec<u8>,
}

fn body(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\n").unwrap_or(line)
}

fn split(text: &[u8]) -> Vec<Vec<u8>> {
    let lines = text.split_inclusive(|byte| *byte == b'\n');
    lines.map(<[u8]>::to_vec).collect()
}

impl Block {
    /// The text with the block, or without it.
    pub(super) fn edit(&self, before: &[u8]) -> Result<Vec<u8>, Half> {
        let mut lines = split(before);
        let at = match self.found(&lines)? {
            Some(range) => {
                lines.drain(range.clone());
                range.start
            }
            None => self.line(before, &lines),
        };
        let Some(text) = &self.text else {
            return Ok(lines.concat());
        };
        if let Some(above) = at.checked_sub(1)
            && !lines[above].ends_with(b"\n")
        {
            lines[above].push(b'\n');
        }
        let mut block = vec![[&self.begin, &b"\n"[..]].concat()];
        block.extend(split(text));
        if let Some(last) = block.last_mut()
            && !last.ends_with(b"\n")
        {
            last.push(b'\n');
        }
        block.push([&self.end, &b"\n"[..]].concat());
        if self.prepend_newline && at > 0 && lines[at - 1] != b"\n" {
            block.insert(0, b"\n".to_vec());
        }
        if self.append_newline && lines.get(at).is_some_and(|line| line != b"\n") {
            block.push(b"\n".to_vec());
        }
        lines.splice(at..at, block);
        Ok(lines.concat())
    }

    /// The lines of the block, marks and all; the last of each mark counts, in any order.
    fn found(&self, lines: &[Vec<u8>]) -> Result<Option<Range<usize>>, Half> {
        let find = |mark: &[u8]| lines.iter().rposition(|line| body(line) == mark);
        let half = |there: &[u8], missing: &[u8]| Half {
            there: there.to_vec(),
            missing: missing.to_vec(),
        };
        match (find(&self.begin), find(&self.end)) {
            (Some(begin), Some(end)) => Ok(Some(begin.min(end)..begin.max(end) + 1)),
            (None, None) => Ok(None),
            (Some(_), None) => Err(half(&self.begin, &self.end)),
            (None, Some(_)) => Err(half(&self.end, &self.begin)),
        }
    }

    /// The line before which a new block goes.
    fn line(&self, text: &[u8], lines: &[Vec<u8>]) -> usize {
        let found = match &self.place {
            Place::Begin => return 0,
            Place::End => None,
            Place::After(pattern) => self.matched(pattern, text, lines).map(|found| found.end),
            Place::Before(pattern) => self.matched(pattern, text, lines).map(|found| found.start),
        };
        found.unwrap_or(lines.len()).min(lines.len())
    }

    /// The last line that matches, or the lines of the first match of a pattern for several.
    fn matched(&self, pattern: &Pattern, text: &[u8], lines: &[Vec<u8>]) -> Option<Range<usize>> {
        if !self.lines {
            let found = lines.iter().rposition(|line| pattern.matches(body(line)))?;
            return Some(found..found + 1);
        }
        let whole = pattern.find_at(text, 0).ok()??.whole();
        let newlines = |end: usize| text[..end].split(|byte| *byte == b'\n').count() - 1;
        Some(newlines(whole.start)..newlines(whole.end) + 1)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn block(text: Option<&str>, blank: bool) -> Block {
        Block {
            begin: b"# b".to_vec(),
            end: b"# e".to_vec(),
            text: text.map(|text| text.as_bytes().to_vec()),
            place: Place::After(Pattern::new("insertafter", "^x").unwrap()),
            lines: false,
            prepend_newline: blank,
            append_newline: blank,
        }
    }

    proptest! {
        #[test]
        fn it_is_there_once_and_goes_without_a_trace(
            text in "([xy]{0,2}\r?\n){0,6}[xy]{0,2}", inner in "([xy]{0,2}\n){0,3}[xy]{1,2}", blank: bool,
        ) {
            let put = block(Some(&inner), blank);
            let with = put.edit(text.as_bytes()).unwrap();
            prop_assert_eq!(&put.edit(&with).unwrap(), &with);
            let marked = format!("# b\n{inner}\n# e\n");
            prop_assert!(String::from_utf8_lossy(&with).contains(&marked));
            let gone = block(None, false).edit(&with).unwrap();
            if !blank {
                let mut before = text.into_bytes();
                if !before.is_empty() && !before.ends_with(b"\n") && gone.len() > before.len() {
                    before.push(b'\n');
                }
                prop_assert_eq!(gone, before);
            }
        }
    }
}
