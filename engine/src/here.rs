//! Questions about this machine, of which no host is ever asked: a run answers them itself.

use crate::thing::Thing;

/// What such a question is about.
pub(crate) trait About {
    /// What tells it from others.
    fn operands(&self) -> Vec<Vec<u8>>;

    /// What it reads.
    fn reads(&self) -> Vec<Thing>;
}

/// Makes a question about this machine. Its answer may be why there is none.
macro_rules! answered_here {
    ($(#[$about:meta])* $name:ident($of:ty), $kind:literal, $answer:ty, only_at_its_turn: $late:literal) => {
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub struct $name(pub $of);

        impl $crate::probe::Probe for $name {
            const KIND: &'static str = $kind;
            const SCRIPT: &'static str = "return 1";
            type Answer = Result<$answer, String>;

            fn operands(&self) -> Vec<Vec<u8>> {
                $crate::here::About::operands(&self.0)
            }

            fn parse(
                _: &[&Self],
                _: &[u8],
            ) -> Result<Vec<Result<Self::Answer, $crate::late::NotYet>>, String> {
                Err("BUG: a host was asked about another machine".to_owned())
            }

            fn expected(&self, _: &Self::Answer) -> Option<Vec<u8>> {
                None
            }

            fn reads(&self) -> Vec<$crate::thing::Thing> {
                $crate::here::About::reads(&self.0)
            }

            fn only_at_its_turn(&self) -> bool {
                $late
            }
        }
    };
}
pub(crate) use answered_here;
