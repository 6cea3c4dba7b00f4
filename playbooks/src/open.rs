//! Names of which not all is known.

/// What stands for a part of a name that is not known: no name of a file holds it.
pub(crate) const ANY: char = '\0';

/// Whether a file's name fits a part of a pattern.
pub(crate) fn fits(name: &str, part: &str) -> bool {
    if name.starts_with('.') && !part.starts_with('.') {
        return false;
    }
    let mut pieces = part.split(ANY);
    let Some(mut rest) = pieces.next().and_then(|first| name.strip_prefix(first)) else {
        return false;
    };
    let middle: Vec<&str> = pieces.collect();
    let Some((last, middle)) = middle.split_last() else {
        return rest.is_empty();
    };
    for piece in middle {
        let Some((_, after)) = rest.split_once(piece) else {
            return false;
        };
        rest = after;
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_fits_what_is_known_of_it() {
        for (name, part, wanted) in [
            ("Debian.yml", "\0.yml", true),
            ("Debian.yml", "\0.json", false),
            ("os-Debian-12.yml", "os-\0-\0.yml", true),
            ("os-Debian.yml", "os-\0-\0.yml", false),
            (".hidden.yml", "\0.yml", false),
            ("main.yaml", "\0", true),
            ("a.yml", "a\0.yml", true),
            ("aba.yml", "a\0ba\0ba.yml", false),
        ] {
            assert_eq!(fits(name, part), wanted, "{name} {part:?}");
        }
    }
}
