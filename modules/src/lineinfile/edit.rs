//! The new text of a file.

use crate::pattern::Pattern;

/// Where a line goes that is not there yet.
#[derive(Clone, Debug)]
pub(super) enum Place {
    Begin,
    End,
    After(Pattern),
    Before(Pattern),
}

/// What is to be done with the lines of a file.
#[derive(Clone, Debug)]
pub(super) struct Edit {
    pub(super) line: Option<Vec<u8>>,
    pub(super) matcher: Option<Pattern>,
    pub(super) place: Place,
    pub(super) backrefs: bool,
    pub(super) firstmatch: bool,
}

/// What the pattern sees of a line.
fn body(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\n").unwrap_or(line)
}

/// What is compared with a whole line.
fn bare(line: &[u8]) -> &[u8] {
    let end = line.iter().rposition(|byte| !matches!(byte, b'\n' | b'\r'));
    &line[..end.map_or(0, |at| at + 1)]
}

fn ended(mut line: Vec<u8>) -> Vec<u8> {
    if !line.ends_with(b"\n") {
        line.push(b'\n');
    }
    line
}

impl Edit {
    /// The text with the line in it; nothing if it stays as it is.
    pub(super) fn present(&self, before: &[u8]) -> Option<Vec<u8>> {
        let line = self.line.as_deref()?;
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let mut lines: Vec<Vec<u8>> = split(before);
        let block = split(&ended(line.to_vec()));
        // More than one line is found as a whole, or it would come again in each run.
        if block.len() > 1 && lines.windows(block.len()).any(|here| here == block) {
            return None;
        }
        if let Some((at, new)) = self.replacement(&lines, line) {
            if lines[at] == new {
                return None;
            }
            lines[at] = new;
            return Some(lines.concat());
        }
        if self.backrefs {
            return None;
        }
        let at = match &self.place {
            Place::Begin => Some(0),
            Place::End => None,
            Place::After(pattern) => self.find(&lines, pattern).map(|at| at + 1),
            Place::Before(pattern) => self.find(&lines, pattern),
        };
        match at {
            Some(at) if at < lines.len() => lines.insert(at, ended(line.to_vec())),
            _ => {
                if let Some(last) = lines.last_mut()
                    && !last.ends_with(b"\n")
                    && !last.ends_with(b"\r")
                {
                    last.push(b'\n');
                }
                lines.push(ended(line.to_vec()));
            }
        }
        Some(lines.concat())
    }

    /// Which line is replaced, and by what: the one that matches, or one that is equal already.
    fn replacement(&self, lines: &[Vec<u8>], line: &[u8]) -> Option<(usize, Vec<u8>)> {
        if let Some(pattern) = &self.matcher
            && let Some(at) = self.find(lines, pattern)
        {
            let new = if self.backrefs {
                pattern.expand(body(&lines[at]), line)?
            } else {
                line.to_vec()
            };
            return Some((at, ended(new)));
        }
        if self.backrefs {
            return None;
        }
        let at = lines.iter().rposition(|known| bare(known) == line)?;
        Some((at, ended(line.to_vec())))
    }

    fn find(&self, lines: &[Vec<u8>], pattern: &Pattern) -> Option<usize> {
        let mut numbered = lines.iter().enumerate();
        let meant = |(_, line): &(usize, &Vec<u8>)| pattern.matches(body(line));
        let found = if self.firstmatch {
            numbered.find(meant)
        } else {
            numbered.rfind(meant)
        };
        found.map(|(at, _)| at)
    }

    /// The text without the lines; nothing if it stays as it is.
    pub(super) fn absent(&self, before: &[u8]) -> Option<Vec<u8>> {
        let lines = split(before);
        let goes = |line: &Vec<u8>| match (&self.matcher, &self.line) {
            (Some(pattern), _) => pattern.matches(body(line)),
            (None, Some(wanted)) => bare(line) == wanted.as_slice(),
            (None, None) => false,
        };
        if !lines.iter().any(goes) {
            return None;
        }
        Some(
            lines
                .iter()
                .filter(|line| !goes(line))
                .flatten()
                .copied()
                .collect(),
        )
    }
}

fn split(text: &[u8]) -> Vec<Vec<u8>> {
    text.split_inclusive(|byte| *byte == b'\n')
        .map(<[u8]>::to_vec)
        .collect()
}
