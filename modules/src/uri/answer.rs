//! What came of a request.

use evenkeel_engine::{Done, Map, Value};

/// What the script prints: a line about the answer, one with the address, the headers of all answers, the body.
struct Answer<'a> {
    status: i64,
    redirects: u32,
    url: &'a str,
    headers: String,
    size: i64,
    body: Option<&'a [u8]>,
}

impl<'a> Answer<'a> {
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let (first, rest) = line(bytes)?;
        let (url, rest) = line(rest)?;
        let words: Vec<&str> = first.split(' ').collect();
        let [status, redirects, head, size, whole] = words[..] else {
            return None;
        };
        let (head, body) = rest.split_at_checked(head.parse().ok()?)?;
        Some(Self {
            status: status.parse().ok()?,
            redirects: redirects.parse().ok()?,
            url,
            headers: String::from_utf8_lossy(head).into_owned(),
            size: size.parse().ok()?,
            body: (whole == "1").then_some(body),
        })
    }

    /// The headers of the last answer, by names in lower case; of several of one name all, with commas.
    fn headers(&self) -> Vec<(String, String)> {
        let mut found: Vec<(String, String)> = Vec::new();
        for line in self.headers.lines().map(|line| line.trim_end_matches('\r')) {
            if line.starts_with("HTTP/") {
                found.clear();
            }
            let Some((name, value)) = line.split_once(':') else {
                continue;
            };
            let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
            match found.iter_mut().find(|(known, _)| *known == name) {
                Some((_, all)) => {
                    all.push_str(", ");
                    all.push_str(value);
                }
                None => found.push((name, value.to_owned())),
            }
        }
        found
    }

    /// What the server calls the status: `404 Not Found`.
    fn reason(&self) -> Option<&str> {
        let mut lines = self.headers.lines().rev();
        let line = lines.find(|line| line.starts_with("HTTP/"))?;
        let (_, rest) = line.trim().split_once(' ')?;
        Some(rest.split_once(' ')?.1)
    }

    /// Cookies that were set.
    fn cookies(&self) -> Map {
        let mut found = Map::new();
        for line in self.headers.lines() {
            let Some((name, value)) = line.split_once(':') else {
                continue;
            };
            if !name.trim().eq_ignore_ascii_case("set-cookie") {
                continue;
            }
            if let Some((name, value)) = value
                .split(';')
                .next()
                .and_then(|pair| pair.split_once('='))
            {
                found.insert(
                    name.trim().to_owned(),
                    value.trim().trim_matches('"').into(),
                );
            }
        }
        found
    }
}

fn line(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    Some((std::str::from_utf8(&bytes[..end]).ok()?, &bytes[end + 1..]))
}

/// Names that the runner has a meaning for.
const OURS: &[&str] = &[
    "changed", "failed", "skipped", "rc", "stdout", "stderr", "results", "item", "content", "json",
];

/// The result of a request: headers, then what they must not hide.
pub(super) fn result(done: &Done) -> Map {
    let mut map = Map::new();
    let Some(answer) = Answer::read(&done.stdout) else {
        map.insert("status".to_owned(), Value::Int(-1));
        return map;
    };
    let headers = answer.headers();
    let is_json = headers.iter().any(|(name, value)| {
        let kind = value
            .split(';')
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase();
        name == "content-type"
            && kind
                .split_once('/')
                .is_some_and(|(_, kind)| kind.contains("json"))
    });
    for (name, value) in headers {
        let name = name.replace('-', "_");
        if !OURS.contains(&name.as_str()) {
            map.insert(name, value.into());
        }
    }
    let mut set = |name: &str, value: Value| {
        map.insert(name.to_owned(), value);
    };
    set("url", answer.url.into());
    set("status", Value::Int(answer.status));
    set("redirected", (answer.redirects > 0).into());
    set(
        "elapsed",
        Value::Int(i64::try_from(done.millis / 1000).unwrap_or(i64::MAX)),
    );
    set("cookies", Value::Map(answer.cookies()));
    let size = match answer.size {
        0 => "unknown bytes".to_owned(),
        size => format!("{size} bytes"),
    };
    let msg = match answer.reason() {
        _ if done.status == 1 => String::from_utf8_lossy(&done.stderr).trim().to_owned(),
        Some(reason) => format!("{reason} ({size})"),
        None => format!("{} ({size})", answer.status),
    };
    set("msg", msg.into());
    if let Some(body) = answer.body {
        set("content", String::from_utf8_lossy(body).into_owned().into());
        if let (true, Ok(json)) = (is_json, serde_json::from_slice::<Value>(body)) {
            set("json", json);
        }
    }
    map
}

#[cfg(test)]
mod tests {
    use super::*;

    fn done(headers: &str, body: &str) -> Done {
        let first = format!(
            "200 1 {} {} 1\nhttp://h/x\n{headers}{body}",
            headers.len(),
            body.len()
        );
        Done {
            stdout: first.into_bytes(),
            millis: 2500,
            ..Done::default()
        }
    }

    #[test]
    fn headers_of_the_last_answer() {
        let headers = "HTTP/1.1 302 Found\r\nLocation: /x\r\nX-Old: 1\r\n\r\nHTTP/1.1 200 OK\r\n\
                       Content-Type: application/vnd.x+json; charset=utf-8\r\nX-A: 1\r\nx-a: 2\r\n\
                       Set-Cookie: a=b; Path=/\r\nfailed: yes\r\n\r\n";
        let map = result(&done(headers, "{\"a\": [1, \"b\"]}"));
        let text = Value::Map(map).to_json().to_string();
        let wanted = r#"{"content_type":"application/vnd.x+json; charset=utf-8","cookies":{"a":"b"},"content":"{\"a\": [1, \"b\"]}"}"#;
        let (text, wanted): (serde_json::Value, serde_json::Value) = (
            serde_json::from_str(&text).unwrap(),
            serde_json::from_str(wanted).unwrap(),
        );
        for (name, value) in wanted.as_object().unwrap() {
            assert_eq!(text[name], *value, "{name}");
        }
        assert_eq!(text["x_a"], "1, 2");
        assert_eq!(text["json"]["a"][1], "b");
        assert_eq!(text["msg"], "OK (15 bytes)");
        assert_eq!(text["elapsed"], 2);
        assert_eq!(text["redirected"], true);
        assert!(text.get("x_old").is_none() && text.get("failed").is_none());
    }

    #[test]
    fn no_answer() {
        let map = result(&Done {
            status: 1,
            ..Done::default()
        });
        assert_eq!(map["status"], Value::Int(-1));
    }
}
