//! One script while it is written: its text and the data that follows it on stdin.

use std::collections::BTreeMap;

use super::{SetUp, quote::quote};
use crate::{host::HostError, step::Content};

const LOOK: &str = include_str!("look.sh");
const BECOME: &str = include_str!("become.sh");
const LOCK: &str = include_str!("lock.sh");
const STEP: &str = include_str!("step.sh");

/// Data that follows a script.
#[derive(Clone, Debug)]
pub(super) enum Piece {
    /// These bytes.
    Bytes(Vec<u8>),
    /// What a file will hold, read when it is sent.
    Content(Content),
}

impl Piece {
    pub(super) fn len(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Content(content) => content.len(),
        }
    }
}

/// Which functions a script needs.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Needs {
    pub(super) sections: bool,
    pub(super) lock: bool,
    pub(super) steps: bool,
}

/// A script with its data.
#[derive(Debug)]
pub(super) struct Script<'a> {
    pub(super) setup: &'a SetUp,
    probes: BTreeMap<&'static str, &'static str>,
    body: Vec<u8>,
    data: Vec<Piece>,
    data_len: u64,
}

impl<'a> Script<'a> {
    pub(super) fn new(setup: &'a SetUp) -> Self {
        Self {
            setup,
            probes: BTreeMap::new(),
            body: Vec::new(),
            data: Vec::new(),
            data_len: 0,
        }
    }

    /// Text of ours, as it stands.
    pub(super) fn raw(&mut self, text: impl AsRef<str>) -> &mut Self {
        self.body.extend(text.as_ref().as_bytes());
        self
    }

    /// A blank and one quoted word.
    pub(super) fn word(&mut self, word: impl AsRef<[u8]>) -> Result<&mut Self, HostError> {
        self.body.push(b' ');
        if quote(&mut self.body, word.as_ref()) {
            Ok(self)
        } else {
            let shown = String::from_utf8_lossy(word.as_ref()).replace('\0', "\\0");
            Err(HostError::Garbled(format!(
                "a NUL byte cannot be sent: `{shown}`"
            )))
        }
    }

    pub(super) fn words<W: AsRef<[u8]>>(
        &mut self,
        words: impl IntoIterator<Item = W>,
    ) -> Result<&mut Self, HostError> {
        for word in words {
            self.word(word)?;
        }
        Ok(self)
    }

    /// A quoted word without the blank.
    pub(super) fn word_joined(&mut self, word: impl AsRef<[u8]>) -> Result<&mut Self, HostError> {
        let at = self.body.len();
        self.word(word)?;
        self.body.remove(at);
        Ok(self)
    }

    /// A line that sets a variable.
    pub(super) fn assign(&mut self, name: &str, value: &[u8]) -> Result<(), HostError> {
        self.raw(name).raw("=").word_joined(value)?.raw("\n");
        Ok(())
    }

    /// The name of the function that asks this kind of probe.
    pub(super) fn probe(&mut self, kind: &'static str, script: &'static str) -> String {
        self.probes.entry(kind).or_insert(script);
        format!("ek_p_{kind}")
    }

    /// Adds data; where it begins and how long it is.
    pub(super) fn data(&mut self, piece: Piece) -> (u64, u64) {
        let (at, len) = (self.data_len, piece.len());
        self.data_len += len;
        if len > 0 {
            self.data.push(piece);
        }
        (at, len)
    }

    /// Adds a whole script as data: where, how long in all, how long the text alone.
    pub(super) fn nested(&mut self, text: Vec<u8>, data: Vec<Piece>) -> (u64, u64, u64) {
        let text_len = text.len() as u64;
        let (at, mut len) = self.data(Piece::Bytes(text));
        for piece in data {
            len += self.data(piece).1;
        }
        (at, len, text_len)
    }

    /// The body alone, whole or not at all.
    pub(super) fn into_function(self) -> Vec<u8> {
        [b"ek_main() {\n", &self.body[..], b"}\nek_main\n"].concat()
    }

    /// The text and the data. All of it is one function: of a script that was cut off, nothing runs.
    pub(super) fn finish(self, needs: Needs) -> (Vec<u8>, Vec<Piece>) {
        let mut text = format!(
            "set +aefuvx\nek_nonce={}\nek_mark={}\nek_shell={}\nek_half={}\n",
            self.setup.nonce,
            self.setup.mark(),
            self.setup.shell,
            crate::step::OUTPUT_LIMIT / 2
        );
        if let Some(dir) = &self.setup.work_dir {
            let mut word = Vec::new();
            // A path with a NUL byte is none: then it is as if nothing were said.
            quote(&mut word, dir.as_bytes());
            text.extend(["ek_work=", &String::from_utf8_lossy(&word), "\n"]);
        }
        text.push_str(LOOK);
        let parts = [
            (needs.sections, BECOME),
            (needs.lock, LOCK),
            (needs.steps, STEP),
        ];
        for (_, part) in parts.iter().filter(|(needed, _)| *needed) {
            text.push_str(part);
        }
        for (kind, script) in &self.probes {
            text.extend(["ek_p_", kind, "() {\n", script, "\n}\n"]);
        }
        text.push_str("ek_main() {\n");
        let mut text = text.into_bytes();
        text.extend(&self.body);
        text.extend(b"}\nek_main \"$@\"\n");
        (text, self.data)
    }
}
