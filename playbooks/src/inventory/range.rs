//! `web[01:20].example.com`: one line, many hosts.

/// More names than this are an accident.
const LIMIT: usize = 100_000;

/// All names that a pattern stands for, in order.
pub(super) fn expand(pattern: &str) -> Result<Vec<String>, String> {
    let mut done = vec![String::new()];
    let mut rest = pattern;
    while let Some(open) = rest.find('[') {
        let Some(close) = rest[open..].find(']').map(|at| open + at) else {
            return Err("a `[` is never closed".to_owned());
        };
        let inner = &rest[open + 1..close];
        // `[2001:db8::1]` is an address.
        if inner.matches(':').count() > 2 {
            break;
        }
        let parts = range(inner)?;
        if parts.len().saturating_mul(done.len()) > LIMIT {
            return Err(format!("`{pattern}` stands for more than {LIMIT} hosts"));
        }
        done = done
            .iter()
            .flat_map(|start| parts.iter().map(move |part| (start, part)))
            .map(|(start, part)| format!("{start}{}{part}", &rest[..open]))
            .collect();
        rest = &rest[close + 1..];
    }
    for name in &mut done {
        name.push_str(rest);
    }
    Ok(done)
}

fn range(inner: &str) -> Result<Vec<String>, String> {
    let wrong =
        || format!("`[{inner}]` is no range: write `[1:3]`, `[01:20]`, `[a:f]` or `[0:8:2]`");
    let parts: Vec<&str> = inner.split(':').collect();
    let (from, to, step) = match parts.as_slice() {
        [from, to] => (*from, *to, 1),
        [from, to, step] => (*from, *to, step.parse().map_err(|_| wrong())?),
        _ => return Err(wrong()),
    };
    let from = if from.is_empty() { "0" } else { from };
    if step == 0_usize || to.is_empty() {
        return Err(wrong());
    }
    if let (Ok(first), Ok(last)) = (from.parse::<u32>(), to.parse::<u32>()) {
        let padded = from.len() > 1 && from.starts_with('0');
        if padded && from.len() != to.len() {
            return Err(format!(
                "`[{inner}]`: both ends need the same number of digits"
            ));
        }
        if first > last {
            return Err(format!("`[{inner}]` begins after its end"));
        }
        let width = if padded { from.len() } else { 0 };
        if (last - first) as usize / step > LIMIT {
            return Err(format!("`[{inner}]` stands for more than {LIMIT} hosts"));
        }
        return Ok((first..=last)
            .step_by(step)
            .map(|n| format!("{n:0width$}"))
            .collect());
    }
    match (from.as_bytes(), to.as_bytes()) {
        ([first], [last])
            if first.is_ascii_alphabetic()
                && last.is_ascii_alphabetic()
                && first.is_ascii_lowercase() == last.is_ascii_lowercase() =>
        {
            if first > last {
                return Err(format!("`[{inner}]` begins after its end"));
            }
            Ok((*first..=*last)
                .step_by(step)
                .map(|byte| char::from(byte).to_string())
                .collect())
        }
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        assert_eq!(expand("h1").unwrap(), ["h1"]);
        assert_eq!(expand("w[01:03].x").unwrap(), ["w01.x", "w02.x", "w03.x"]);
        assert_eq!(expand("w[8:11:2]").unwrap(), ["w8", "w10"]);
        assert_eq!(expand("[a:c]").unwrap(), ["a", "b", "c"]);
        assert_eq!(
            expand("r[1:2]h[:1]").unwrap(),
            ["r1h0", "r1h1", "r2h0", "r2h1"]
        );
        assert_eq!(expand("[2001:db8::1]").unwrap(), ["[2001:db8::1]"]);
        for wrong in [
            "w[1:",
            "w[3:1]",
            "w[1]",
            "w[a:F]",
            "w[1:2:0]",
            "w[01:100]",
            "w[0:999999999]",
            "w[é:ü]",
        ] {
            assert!(expand(wrong).is_err(), "{wrong}");
        }
    }
}
