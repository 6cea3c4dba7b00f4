//! Masking: no secret is in any event, wherever it came from.

use serde_json::Value as Json;

use crate::{
    reason::Reason,
    secret::{MASK, Secret},
};

/// Secrets that were seen in arguments, to be masked in all that is shown.
#[derive(Clone, Debug, Default)]
pub(super) struct Masking {
    texts: Vec<String>,
}

/// Shorter secrets would mask half of every text, and protect nothing.
const SHORTEST: usize = 3;

impl Masking {
    /// Learns secrets; each line of one is a secret too, and so is what one was made of.
    pub(super) fn learn(&mut self, secrets: impl IntoIterator<Item = Secret>) {
        for secret in secrets {
            for part in secret.parts() {
                self.learn_one(part);
            }
            self.learn_one(&secret);
        }
    }

    fn learn_one(&mut self, secret: &Secret) {
        let Ok(text) = std::str::from_utf8(secret.reveal()) else {
            return;
        };
        let lines = text.lines().map(str::trim);
        for part in lines
            .chain([text.trim()])
            .filter(|part| part.len() >= SHORTEST)
        {
            if !self.texts.iter().any(|known| known == part) {
                self.texts.push(part.to_owned());
                // Longer ones first, so that none shows through another.
                self.texts.sort_by_key(|text| std::cmp::Reverse(text.len()));
            }
        }
    }

    /// The text with every secret masked.
    pub(super) fn text(&self, text: &str) -> String {
        self.texts.iter().fold(text.to_owned(), |text, secret| {
            if text.contains(secret) {
                text.replace(secret, MASK)
            } else {
                text
            }
        })
    }

    /// The reason with every secret masked.
    pub(super) fn reason(&self, reason: Reason) -> Reason {
        let text = |text: String| self.text(&text);
        match reason {
            Reason::ArgumentChanged { field } => Reason::ArgumentChanged { field: text(field) },
            Reason::FileChanged { path } => Reason::FileChanged { path: text(path) },
            Reason::Triggered { by } => Reason::Triggered { by: text(by) },
            Reason::Owed { by, since } => Reason::Owed {
                by: text(by),
                since,
            },
            Reason::WhenFalse { condition } => Reason::WhenFalse {
                condition: text(condition),
            },
            Reason::Blocked { by } => Reason::Blocked { by: text(by) },
            Reason::NotKnown { what } => Reason::NotKnown { what: text(what) },
            plain => plain,
        }
    }

    /// The tree with every secret masked.
    pub(super) fn json(&self, json: Json) -> Json {
        if self.texts.is_empty() {
            return json;
        }
        match json {
            Json::String(text) => self.text(&text).into(),
            Json::Array(items) => items.into_iter().map(|item| self.json(item)).collect(),
            Json::Object(map) => Json::Object(
                map.into_iter()
                    .map(|(key, value)| (self.text(&key), self.json(value)))
                    .collect(),
            ),
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_and_their_lines_are_masked_everywhere() {
        let mut masking = Masking::default();
        masking.learn([
            Secret::new("hunter2"),
            Secret::new("first line\nsecond line\n"),
        ]);
        assert_eq!(masking.text("-p hunter2 second line"), "-p *** ***");
        masking.learn([Secret::new("user:word").made_of(&[Secret::new("word")])]);
        assert_eq!(masking.text("user:word, word, user"), "***, ***, user");
        let json = serde_json::json!({"hunter2": ["a hunter2", 1]});
        assert_eq!(masking.json(json), serde_json::json!({"***": ["a ***", 1]}));
    }
}
