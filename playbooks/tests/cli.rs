//! The program as its users see it: whole output, status, and what it leaves behind.

mod cli {
    pub(crate) mod case;
    mod help;
}
