//! Masking: no secret is in any event, wherever it came from.

use serde_json::Value as Json;

use super::walk::NoResults;
use crate::{
    reason::Reason,
    secret::{MASK, Secret, Text},
    task::{Resolved, TaskList},
};

/// Secrets that were seen in arguments, to be masked in all that is shown.
#[derive(Clone, Default)]
pub struct Masking {
    texts: Vec<String>,
}

impl std::fmt::Debug for Masking {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Masking({} secrets)", self.texts.len())
    }
}

/// Shorter secrets would mask half of every text, and protect nothing.
const SHORTEST: usize = 3;

impl Masking {
    /// Knows the secrets of a list's arguments, as far as these are known before any host was asked:
    /// for who shows the list, not a run.
    pub fn of(list: &TaskList) -> Self {
        let mut masking = Self::default();
        for task in &list.tasks {
            masking.learn(task.environment.iter().filter_map(|(_, text)| match text {
                Text::Secret(secret) => Some(secret.clone()),
                Text::Plain(_) => None,
            }));
            let resolved = task.body.resolve(&NoResults);
            match resolved.or_else(|_| task.body.foresee(&NoResults)) {
                Ok(Resolved::One(bound)) => masking.learn(bound.args().secrets()),
                Ok(Resolved::Loop(turns)) => turns
                    .iter()
                    .filter_map(|turn| turn.body.as_ref().ok())
                    .for_each(|bound| masking.learn(bound.args().secrets())),
                Ok(Resolved::Skip(_)) | Err(_) => {}
            }
        }
        masking
    }

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
    pub fn text(&self, text: &str) -> String {
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
