//! Versions of RPM packages.

use std::cmp::Ordering;

/// Epoch, version and release. An empty release fits any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evr {
    /// Epoch; 0 where there is none.
    pub epoch: u64,
    /// Version.
    pub version: String,
    /// Release.
    pub release: String,
}

impl Evr {
    /// Reads `1:2.0-3.el9`, `2.0-3.el9` or `2.0`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (epoch, rest) = match text.split_once(':') {
            Some((epoch, rest)) => (epoch.parse().ok()?, rest),
            None => (0, text),
        };
        let (version, release) = rest.rsplit_once('-').unwrap_or((rest, ""));
        (!version.is_empty()).then(|| Self {
            epoch,
            version: version.to_owned(),
            release: release.to_owned(),
        })
    }

    /// How it stands to another; the release counts only if both have one.
    pub(super) fn compare(&self, other: &Self) -> Ordering {
        let releases = if self.release.is_empty() || other.release.is_empty() {
            Ordering::Equal
        } else {
            compare(&self.release, &other.release)
        };
        self.epoch
            .cmp(&other.epoch)
            .then_with(|| compare(&self.version, &other.version))
            .then(releases)
    }
}

impl std::fmt::Display for Evr {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.epoch > 0 {
            write!(f, "{}:", self.epoch)?;
        }
        f.write_str(&self.version)?;
        if !self.release.is_empty() {
            write!(f, "-{}", self.release)?;
        }
        Ok(())
    }
}

/// RPM's order: runs of digits and runs of letters, `~` before everything, `^` after the end.
pub(super) fn compare(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.as_bytes(), b.as_bytes());
    loop {
        let plain = |byte: &u8| !byte.is_ascii_alphanumeric() && *byte != b'~' && *byte != b'^';
        a = &a[a.iter().take_while(|c| plain(c)).count()..];
        b = &b[b.iter().take_while(|c| plain(c)).count()..];
        match (a.first(), b.first()) {
            (Some(b'~'), Some(b'~')) | (Some(b'^'), Some(b'^')) => {
                (a, b) = (&a[1..], &b[1..]);
                continue;
            }
            (Some(b'~'), _) => return Ordering::Less,
            (_, Some(b'~')) => return Ordering::Greater,
            (Some(b'^'), None) => return Ordering::Greater,
            (None, Some(b'^')) => return Ordering::Less,
            (Some(b'^'), _) => return Ordering::Less,
            (_, Some(b'^')) => return Ordering::Greater,
            (None, None) => return Ordering::Equal,
            (None, _) => return Ordering::Less,
            (_, None) => return Ordering::Greater,
            _ => {}
        }
        let digits = a[0].is_ascii_digit();
        if digits != b[0].is_ascii_digit() {
            return if digits {
                Ordering::Greater
            } else {
                Ordering::Less
            };
        }
        let (head_a, rest_a) = run(a, digits);
        let (head_b, rest_b) = run(b, digits);
        let order = if digits {
            let (x, y) = (trim_zeros(head_a), trim_zeros(head_b));
            x.len().cmp(&y.len()).then_with(|| x.cmp(y))
        } else {
            head_a.cmp(head_b)
        };
        if order != Ordering::Equal {
            return order;
        }
        (a, b) = (rest_a, rest_b);
    }
}

fn run(text: &[u8], digits: bool) -> (&[u8], &[u8]) {
    let fits = |byte: &&u8| {
        if digits {
            byte.is_ascii_digit()
        } else {
            byte.is_ascii_alphabetic()
        }
    };
    text.split_at(text.iter().take_while(fits).count())
}

fn trim_zeros(digits: &[u8]) -> &[u8] {
    &digits[digits.iter().take_while(|byte| **byte == b'0').count()..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered_as_rpm_orders_them() {
        // Pairs of RPM's own test suite.
        let cases = [
            ("1.0", "1.0", '='),
            ("1.0", "2.0", '<'),
            ("2.0.1", "2.0.1a", '<'),
            ("5.5p1", "5.5p2", '<'),
            ("5.5p10", "5.5p1", '>'),
            ("10xyz", "10.1xyz", '<'),
            ("xyz10", "xyz10.1", '<'),
            ("xyz.4", "8", '<'),
            ("8", "xyz.4", '>'),
            ("5.5p2", "5.6p1", '<'),
            ("6.0.rc1", "6.0", '>'),
            ("10b2", "10a1", '>'),
            ("1.0aa", "1.0a", '>'),
            ("10.0001", "10.1", '='),
            ("10.0001", "10.0039", '<'),
            ("4.999.9", "5.0", '<'),
            ("20101121", "20101122", '<'),
            ("2_0", "2.0", '='),
            ("a+", "a_", '='),
            ("1.0~rc1", "1.0", '<'),
            ("1.0~rc1", "1.0~rc2", '<'),
            ("1.0~rc1~git123", "1.0~rc1", '<'),
            ("1.0^", "1.0", '>'),
            ("1.0^git1", "1.0^git2", '<'),
            ("1.0^git1", "1.01", '<'),
            ("1.0^20160101", "1.0.1", '<'),
            ("1.0~rc1^git1", "1.0~rc1", '>'),
            ("1.0^git1~pre", "1.0^git1", '<'),
        ];
        for (a, b, wanted) in cases {
            let order = match wanted {
                '<' => Ordering::Less,
                '>' => Ordering::Greater,
                _ => Ordering::Equal,
            };
            assert_eq!(compare(a, b), order, "{a} {b}");
            assert_eq!(compare(b, a), order.reverse(), "{b} {a}");
        }
    }

    #[test]
    fn an_epoch_comes_first_and_a_missing_release_fits() {
        let evr = |text| Evr::parse(text).unwrap();
        assert_eq!(evr("1:1.0-1").compare(&evr("2.0-1")), Ordering::Greater);
        assert_eq!(evr("1.0-7").compare(&evr("1.0")), Ordering::Equal);
        assert_eq!(evr("1:1.0-1.el9").to_string(), "1:1.0-1.el9");
    }
}
