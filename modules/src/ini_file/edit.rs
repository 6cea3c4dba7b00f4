//! One option of an INI file set or taken out, and nothing else.

use std::ops::Range;

use super::text::{self, Entry, Ini, Kind, Setting};

/// How options are found and written.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Style {
    /// `a=b` instead of `a = b`.
    pub(super) tight: bool,
    /// A line that says the same with other spaces is left.
    pub(super) ignore_spaces: bool,
    /// A commented-out line of the option is taken for it.
    pub(super) inactive: bool,
    /// Other lines of the option go.
    pub(super) exclusive: bool,
}

/// Something that a section has.
#[derive(Clone, Debug)]
pub(super) struct Condition {
    pub(super) option: Vec<u8>,
    /// One of these, or any if there are none.
    pub(super) values: Vec<Vec<u8>>,
}

/// Where an option stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    /// The section; before all sections if there is none.
    pub(super) section: Option<&'a [u8]>,
    /// Which of several sections of the name.
    pub(super) conditions: &'a [Condition],
}

/// The edit would change how other lines are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entangled;

/// A value as it is read: its lines without space around them, none empty at the end.
pub(super) fn normal(value: &[u8]) -> Vec<u8> {
    let lines: Vec<&[u8]> = value.split(|byte| *byte == b'\n').map(text::trim).collect();
    text::trim_end(&lines.join(&b'\n')).to_vec()
}

/// Whether a line that begins with a name is read as this name.
pub(super) fn is_name(name: &[u8], bare: bool) -> bool {
    let line = if bare {
        name.to_vec()
    } else {
        [name, b" = x"].concat()
    };
    let plain = !name.is_empty() && !text::is_comment(name) && !name.contains(&b'\n');
    plain && name[0] != b'[' && Entry::read(&line).name == name && text::trim(name) == name
}

/// Whether a value can be read back: no line but the first may look like a comment.
pub(super) fn is_value(value: &[u8]) -> bool {
    let mut more = value.split(|byte| *byte == b'\n').skip(1);
    !more.any(|line| text::is_comment(text::trim(line))) && !value.contains(&0)
}

/// A new line, and what it sets.
type Edit = (Range<usize>, Option<Vec<Vec<u8>>>);

impl Ini {
    /// The sections of a name that fulfil the conditions.
    fn regions(&self, place: Place<'_>) -> Vec<Range<usize>> {
        let mut starts: Vec<(usize, Option<&[u8]>)> = vec![(0, None)];
        for (at, line) in self.lines.iter().enumerate() {
            if let Kind::Header(name) = &line.kind {
                starts.push((at, Some(name)));
            }
        }
        let ends: Vec<usize> = starts.iter().skip(1).map(|start| start.0).collect();
        let ends = ends.into_iter().chain([self.lines.len()]);
        let named = starts
            .into_iter()
            .zip(ends)
            .filter(|(start, _)| start.1 == place.section);
        let ranges = named.map(|(start, end)| start.0..end);
        ranges
            .filter(|range| self.has(range, place.conditions))
            .collect()
    }

    fn has(&self, region: &Range<usize>, conditions: &[Condition]) -> bool {
        conditions.iter().all(|wanted| {
            let fits = |at: &usize| {
                let value = self
                    .value(*at)
                    .map(|value| normal(&value))
                    .unwrap_or_default();
                wanted.values.is_empty() || wanted.values.iter().any(|one| normal(one) == value)
            };
            self.active(region, &wanted.option).iter().any(fits)
        })
    }

    /// The lines that set an option.
    fn active(&self, region: &Range<usize>, option: &[u8]) -> Vec<usize> {
        let sets = |at: &usize| match &self.lines[*at].kind {
            Kind::Entry(entry) => entry.name == option,
            _ => false,
        };
        region.clone().filter(sets).collect()
    }

    /// The comments that would set an option if they were none, with its value. One that names it
    /// alone may be prose: it counts only where a name alone is wanted.
    fn inactive(&self, region: &Range<usize>, option: &[u8], bare: bool) -> Vec<(usize, Entry)> {
        let mut found = Vec::new();
        for at in region.clone() {
            if self.lines[at].kind != Kind::Comment {
                continue;
            }
            let inner = text::trim(&text::trim(&self.lines[at].bytes)[1..]);
            let entry = Entry::read(inner);
            let meant = entry.name == option && (bare || entry.value.is_some());
            // What stands amid a value must not cut it in two.
            if meant && !self.is_within(at) {
                found.push((at, entry));
            }
        }
        found
    }

    /// The section for it, and whether its header is new.
    fn section(&mut self, place: Place<'_>, style: Style) -> Range<usize> {
        if let Some(region) = self.regions(place).into_iter().next() {
            return region;
        }
        let end = self.newline();
        self.end_last_line();
        let start = self.lines.len();
        let name = place.section.unwrap_or_default();
        let mut bytes = [b"[", name, b"]", end].concat();
        for wanted in place.conditions {
            for value in &wanted.values {
                for line in rendered(b"", &wanted.option, Some(value), style, end) {
                    bytes.extend(line);
                }
            }
            if wanted.values.is_empty() {
                bytes.extend([&wanted.option, end].concat());
            }
        }
        self.reparse_with(self.lines.len(), bytes);
        start..self.lines.len()
    }

    fn end_last_line(&mut self) {
        let end = self.newline();
        if let Some(last) = self.lines.last_mut()
            && !last.bytes.ends_with(b"\n")
        {
            last.bytes.extend_from_slice(end);
        }
    }

    fn reparse_with(&mut self, at: usize, bytes: Vec<u8>) {
        self.lines.insert(
            at,
            text::Line {
                bytes,
                kind: Kind::Blank,
            },
        );
        *self = Self::parse(&self.print());
    }

    /// Sets an option to these values, one line each; `None` is the name alone. Without an option
    /// the section is there.
    pub(super) fn set(
        &mut self,
        place: Place<'_>,
        option: Option<&[u8]>,
        values: &[Option<Vec<u8>>],
        style: Style,
    ) -> Result<(), Entangled> {
        let region = self.section(place, style);
        let Some(option) = option else {
            return Ok(());
        };
        let before = self.settings();
        let number = self.number(&region);
        let edits = self.edits(&region, option, values, style);
        self.apply(edits);
        let others = |all: Vec<Setting>| -> Vec<Setting> {
            let other = |one: &Setting| one.section.0 != number || one.name != option;
            all.into_iter().filter(other).collect()
        };
        let after = self.settings();
        let is_set = |wanted: &Option<Vec<u8>>| {
            let wanted = wanted.as_deref().map(normal);
            after.iter().any(|one| {
                let value = one.value.as_deref().map(normal);
                one.section.0 == number && one.name == option && value == wanted
            })
        };
        let all_set = values.iter().all(is_set);
        (all_set && others(before) == others(after.clone()))
            .then_some(())
            .ok_or(Entangled)
    }

    /// The number of a section, as settings have it.
    fn number(&self, region: &Range<usize>) -> usize {
        let headers = &self.lines[..self.lines.len().min(region.start + 1)];
        headers
            .iter()
            .filter(|line| matches!(line.kind, Kind::Header(_)))
            .count()
    }

    fn edits(
        &self,
        region: &Range<usize>,
        option: &[u8],
        values: &[Option<Vec<u8>>],
        style: Style,
    ) -> Vec<Edit> {
        let mut missing: Vec<Option<&[u8]>> = Vec::new();
        for value in values.iter().map(Option::as_deref) {
            if !missing.iter().any(|known| same(*known, value)) {
                missing.push(value);
            }
        }
        let mut edits = Vec::new();
        let mut rest = Vec::new();
        let active = self.active(region, option);
        // First those that say it already.
        for at in &active {
            let value = self.value(*at);
            match missing
                .iter()
                .position(|wanted| same(*wanted, value.as_deref()))
            {
                Some(found) => {
                    let wanted = missing.remove(found);
                    edits.extend(self.rewrite(*at, option, wanted, style));
                }
                None => rest.push(*at),
            }
        }
        if style.exclusive {
            for at in rest {
                if missing.is_empty() {
                    edits.push((at..self.end_of(at), None));
                } else {
                    edits.extend(self.rewrite(at, option, missing.remove(0), style));
                }
            }
        }
        if style.inactive {
            let bare = missing.iter().any(Option::is_none);
            let mut rest = Vec::new();
            for (at, entry) in self.inactive(region, option, bare) {
                match missing
                    .iter()
                    .position(|wanted| same(*wanted, entry.value.as_deref()))
                {
                    Some(found) => {
                        let wanted = missing.remove(found);
                        edits.push((
                            at..at + 1,
                            Some(self.fresh(region, at, option, wanted, style)),
                        ));
                    }
                    None => rest.push(at),
                }
            }
            if style.exclusive && active.is_empty() {
                for at in rest.into_iter().take(missing.len()) {
                    let wanted = missing.remove(0);
                    edits.push((
                        at..at + 1,
                        Some(self.fresh(region, at, option, wanted, style)),
                    ));
                }
            }
        }
        let mut lines = Vec::new();
        let at = self.end_of_section(region);
        for wanted in missing {
            lines.extend(self.fresh(region, at, option, wanted, style));
        }
        if !lines.is_empty() {
            edits.push((at..at, Some(lines)));
        }
        edits
    }

    /// Behind the last line of a section that says something.
    fn end_of_section(&self, region: &Range<usize>) -> usize {
        let says = |at: &usize| !matches!(self.lines[*at].kind, Kind::Blank | Kind::Comment);
        region
            .clone()
            .rev()
            .find(says)
            .map_or(region.start, |at| at + 1)
    }

    /// A line that sets an option with another value; nothing if it stays as it is.
    fn rewrite(
        &self,
        at: usize,
        option: &[u8],
        value: Option<&[u8]>,
        style: Style,
    ) -> Option<Edit> {
        let old = &self.lines[at].bytes;
        let end = match text::ending(old) {
            b"" => self.newline(),
            end => end,
        };
        let new = rendered(&old[..text::indent(old)], option, value, style, end);
        let range = at..self.end_of(at);
        let stays = if style.ignore_spaces {
            same(self.value(at).as_deref(), value)
        } else {
            let lines = self.lines[range.clone()].iter();
            let lines = lines.filter(|line| line.kind != Kind::Comment);
            lines
                .map(|line| content(&line.bytes))
                .eq(new.iter().map(|line| content(line)))
        };
        (!stays).then_some((range, Some(new)))
    }

    /// Lines for an option that none sets at this place: as deep as those around it, or it would be
    /// taken for a part of them.
    fn fresh(
        &self,
        region: &Range<usize>,
        at: usize,
        option: &[u8],
        value: Option<&[u8]>,
        style: Style,
    ) -> Vec<Vec<u8>> {
        let is_entry = |line: &&text::Line| matches!(line.kind, Kind::Entry(_));
        let above = self.lines[region.start..at].iter().rev().find(is_entry);
        let says = |line: &&text::Line| matches!(line.kind, Kind::Entry(_) | Kind::Header(_));
        let near = above.or_else(|| self.lines[at..].iter().find(says));
        let depth = near.map_or(&b""[..], |line| &line.bytes[..text::indent(&line.bytes)]);
        rendered(depth, option, value, style, self.newline())
    }

    /// Comments within lines that go stay.
    fn apply(&mut self, mut edits: Vec<Edit>) {
        edits.sort_by_key(|(range, _)| std::cmp::Reverse(range.start));
        for (range, lines) in edits {
            if range.start == self.lines.len() {
                self.end_last_line();
            }
            let mut new = lines.unwrap_or_default();
            // A comment that is taken for the option is replaced; others only stand between.
            let skipped = usize::from(!range.is_empty());
            let kept = self.lines[range.clone()].iter().skip(skipped);
            let kept = kept.filter(|line| line.kind == Kind::Comment);
            new.extend(kept.map(|line| line.bytes.clone()));
            let new = new.into_iter().map(|bytes| text::Line {
                bytes,
                kind: Kind::Blank,
            });
            self.lines.splice(range, new);
        }
        *self = Self::parse(&self.print());
    }

    /// Takes an option out of all sections of the name, or these sections as a whole.
    pub(super) fn remove(
        &mut self,
        place: Place<'_>,
        option: Option<&[u8]>,
        values: &[Option<Vec<u8>>],
        exclusive: bool,
    ) -> Result<(), Entangled> {
        let mut edits = Vec::new();
        for region in self.regions(place) {
            let Some(option) = option else {
                edits.push((region, None));
                continue;
            };
            for at in self.active(&region, option) {
                let value = self.value(at);
                if exclusive
                    || values
                        .iter()
                        .any(|wanted| same(wanted.as_deref(), value.as_deref()))
                {
                    edits.push((at..self.end_of(at), None));
                }
            }
        }
        if edits.is_empty() {
            return Ok(());
        }
        let goes = |at: usize| edits.iter().any(|(range, _)| range.contains(&at));
        let mut wanted = self.settings_where(|at| !goes(at));
        if option.is_some() {
            self.apply(edits);
        } else {
            for (range, _) in edits.into_iter().rev() {
                self.lines.drain(range);
            }
            *self = Self::parse(&self.print());
        }
        let mut after = self.settings();
        for one in wanted.iter_mut().chain(&mut after) {
            one.section.0 = 0;
        }
        (wanted == after).then_some(()).ok_or(Entangled)
    }

    /// The values that an option has in the first section that fits, joined.
    pub(super) fn shown(&self, place: Place<'_>, option: Option<&[u8]>) -> Option<String> {
        let regions = self.regions(place);
        let Some(option) = option else {
            let there = !regions.is_empty();
            return there.then(|| "there".to_owned());
        };
        let mut found = Vec::new();
        for region in regions {
            for at in self.active(&region, option) {
                let value = self
                    .value(at)
                    .map(|value| normal(&value))
                    .unwrap_or_default();
                found.push(String::from_utf8_lossy(&value).into_owned());
            }
        }
        (!found.is_empty()).then(|| found.join(", "))
    }

    /// Names in the section that differ from an option in the case of letters only.
    pub(super) fn alike(&self, place: Place<'_>, option: &[u8]) -> Option<String> {
        for region in self.regions(place) {
            for at in region {
                if let Kind::Entry(entry) = &self.lines[at].kind
                    && entry.name != option
                    && entry.name.eq_ignore_ascii_case(option)
                {
                    return Some(String::from_utf8_lossy(&entry.name).into_owned());
                }
            }
        }
        None
    }
}

/// Whether two values are read alike.
fn same(one: Option<&[u8]>, other: Option<&[u8]>) -> bool {
    one.map(normal) == other.map(normal)
}

/// A line without its end; nothing if it is blank.
fn content(line: &[u8]) -> &[u8] {
    let line = &line[..line.len() - text::ending(line).len()];
    if text::trim(line).is_empty() {
        b""
    } else {
        line
    }
}

fn rendered(
    depth: &[u8],
    option: &[u8],
    value: Option<&[u8]>,
    style: Style,
    end: &[u8],
) -> Vec<Vec<u8>> {
    let Some(value) = value else {
        return vec![[depth, option, end].concat()];
    };
    let sign: &[u8] = if style.tight { b"=" } else { b" = " };
    // Blank lines at the end, as a block of YAML has one, are none of the value.
    let mut lines: Vec<&[u8]> = value.split(|byte| *byte == b'\n').map(unix).collect();
    while lines.len() > 1 && lines.last().is_some_and(|line| text::trim(line).is_empty()) {
        lines.pop();
    }
    let first = lines.first().copied().unwrap_or_default();
    let mut all = vec![[depth, option, sign, first, end].concat()];
    for line in &lines[1..] {
        all.push(if text::trim(line).is_empty() {
            end.to_vec()
        } else {
            [depth, b"\t", line, end].concat()
        });
    }
    all
}

/// Without the `\r` of a line of Windows.
fn unix(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}
