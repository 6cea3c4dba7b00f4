//! Probes: typed questions about a host, asked in batches. The set is open.

use std::{
    any::Any,
    fmt::{self, Debug},
    sync::Arc,
};

use crate::{late::NotYet, thing::Thing};

/// What an operand begins with that must not be shown; the script takes it off.
pub const SECRET_OPERAND: u8 = 1;

/// A typed question about a host.
///
/// All probes of one kind and identity are one call of the sh function whose body is
/// [`Probe::SCRIPT`]; the operands of the whole batch are its `"$@"`. It only reads.
pub trait Probe: Clone + Ord + Debug + Send + Sync + 'static {
    /// Stable name: letters, digits and `_`. No two types may share it.
    const KIND: &'static str;
    /// Body of a constant sh function that holds in dash and bash and needs nothing but coreutils
    /// (and the programs it is about). It must end by itself and must not read stdin.
    const SCRIPT: &'static str;
    /// The typed answer.
    type Answer: Clone + PartialEq + Debug + Send + Sync + 'static;

    /// The operands of this question; any byte but NUL may be in them. One that begins with
    /// [`SECRET_OPERAND`] is masked wherever the question is shown.
    fn operands(&self) -> Vec<Vec<u8>>;

    /// One answer for each probe of the batch, matched by what the output says, never by position.
    /// `Err` in the list: this one cannot be known now (a program is missing); `Err` of the whole:
    /// the output makes no sense, with the reason.
    fn parse(batch: &[&Self], output: &[u8]) -> Result<Vec<Result<Self::Answer, NotYet>>, String>;

    /// What [`Probe::SCRIPT`] prints for this one operand set when the answer is `answer`, so that
    /// the host itself can check that it still holds. `None` where that has no normal form: then a
    /// chain of steps ends before a task that was planned on it. Law: `parse(expected(a)) == a`.
    fn expected(&self, answer: &Self::Answer) -> Option<Vec<u8>>;

    /// What it reads.
    fn reads(&self) -> Vec<Thing>;

    /// Whether asking runs code of the user's (`unless:`, `onlyif:`). Such a probe is asked at the task's turn; before
    /// it only where the task says what it reads and its condition is known to be true.
    fn runs_user_code(&self) -> bool {
        false
    }

    /// Whether it is asked only at the task's turn, whatever that says.
    fn only_at_its_turn(&self) -> bool {
        false
    }
}

/// An answer of any type, or why there is none yet.
pub type Answer = Result<Arc<dyn Any + Send + Sync>, NotYet>;

/// Identity of a question: kind and operands, so that equal questions of many tasks are asked once.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(pub &'static str, pub Vec<Vec<u8>>);

impl Key {
    /// Whether it can be asked of no host: no path, name or argument has a NUL byte in it.
    pub(crate) fn has_nul(&self) -> bool {
        self.1.iter().any(|operand| operand.contains(&0))
    }
}

impl Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)?;
        for operand in &self.1 {
            if operand.first() == Some(&SECRET_OPERAND) {
                write!(f, " {}", crate::secret::MASK)?;
            } else {
                write!(f, " {}", String::from_utf8_lossy(operand))?;
            }
        }
        Ok(())
    }
}

/// A probe whose type is erased. Implemented for every [`Probe`].
pub trait AnyProbe: Debug + Send + Sync {
    /// [`Probe::KIND`].
    fn kind(&self) -> &'static str;
    /// [`Probe::SCRIPT`].
    fn script(&self) -> &'static str;
    /// Kind and operands.
    fn key(&self) -> Key;
    /// [`Probe::reads`].
    fn reads(&self) -> Vec<Thing>;
    /// [`Probe::runs_user_code`].
    fn runs_user_code(&self) -> bool;
    /// [`Probe::only_at_its_turn`].
    fn only_at_its_turn(&self) -> bool;
    /// [`Probe::parse`] of a batch of this kind; `self` only says the type.
    fn parse(&self, batch: &[Arc<dyn AnyProbe>], output: &[u8]) -> Result<Vec<Answer>, String>;
    /// [`Probe::expected`].
    fn expected(&self, answer: &Answer) -> Option<Vec<u8>>;
    /// Whether two answers are equal.
    fn same(&self, a: &Answer, b: &Answer) -> bool;
    /// For messages.
    fn show(&self, answer: &Answer) -> String;
    /// The probe itself.
    fn as_any(&self) -> &dyn Any;
}

pub(crate) fn downcast<P: Probe>(answer: &Answer) -> Result<&P::Answer, NotYet> {
    let any = answer.as_ref().map_err(Clone::clone)?;
    Ok(any
        .downcast_ref()
        .unwrap_or_else(|| panic!("BUG: two types of probes are called `{}`", P::KIND)))
}

impl<P: Probe> AnyProbe for P {
    fn kind(&self) -> &'static str {
        P::KIND
    }
    fn script(&self) -> &'static str {
        P::SCRIPT
    }
    fn key(&self) -> Key {
        Key(P::KIND, Probe::operands(self))
    }
    fn reads(&self) -> Vec<Thing> {
        Probe::reads(self)
    }
    fn runs_user_code(&self) -> bool {
        Probe::runs_user_code(self)
    }
    fn only_at_its_turn(&self) -> bool {
        Probe::only_at_its_turn(self)
    }
    fn parse(&self, batch: &[Arc<dyn AnyProbe>], output: &[u8]) -> Result<Vec<Answer>, String> {
        let typed: Vec<&P> = batch
            .iter()
            .filter_map(|p| p.as_any().downcast_ref())
            .collect();
        assert!(
            typed.len() == batch.len(),
            "BUG: two types of probes are called `{}`",
            P::KIND
        );
        let answers = P::parse(&typed, output)?;
        if answers.len() != typed.len() {
            return Err(format!(
                "{} answers to {} questions",
                answers.len(),
                typed.len()
            ));
        }
        Ok(answers
            .into_iter()
            .map(|answer| answer.map(|value| Arc::new(value) as Arc<dyn Any + Send + Sync>))
            .collect())
    }
    fn expected(&self, answer: &Answer) -> Option<Vec<u8>> {
        Probe::expected(self, downcast::<P>(answer).ok()?)
    }
    fn same(&self, a: &Answer, b: &Answer) -> bool {
        downcast::<P>(a) == downcast::<P>(b)
    }
    fn show(&self, answer: &Answer) -> String {
        match downcast::<P>(answer) {
            Ok(answer) => format!("{answer:?}"),
            Err(why) => why.to_string(),
        }
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// Questions, types erased.
pub type Probes = Vec<Arc<dyn AnyProbe>>;

/// Erases the type of one probe, to be put into [`Probes`].
pub fn ask<P: Probe>(probe: P) -> Arc<dyn AnyProbe> {
    Arc::new(probe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secret_operands_are_masked() {
        let key = Key("psql", vec![b"a".to_vec(), b"\x01hunter2".to_vec()]);
        assert_eq!(format!("{key:?}"), "psql a ***");
    }
}
