//! A kit for tests of the runner as a whole: the real program, on this machine, in a directory of its own.
//!
//! ```
//! use evenkeel_integration_tests::Scratch;
//!
//! let scratch = Scratch::new();
//! scratch.tasks("
//! - name: greet
//!   copy: {dest: '{{ playbook_dir }}/greeting', content: hello}
//! ");
//! scratch.run(&[]).ok().changed(1).reason("greet", "differs");
//! scratch.run(&[]).ok().changed(0).exchanges(1);
//! assert_eq!(scratch.read("greeting"), "hello");
//! ```
#![expect(
    clippy::unwrap_used,
    reason = "all of this is for tests, which may panic"
)]
#![expect(
    clippy::return_self_not_must_use,
    reason = "a check has done its work when it returns"
)]

mod binary;
mod ended;
mod fleet;
mod lab;
mod need;
mod random;
mod running;
mod scratch;

pub use self::{
    binary::binary,
    ended::{Ended, Task},
    fleet::{Fleet, PASSWORD},
    lab::{Host, Lab, Line, MARK, Plan, need_ansible, need_collection},
    need::{need, need_lab, need_root},
    random::Random,
    running::{Running, until},
    scratch::Scratch,
};

/// The blocks of Rust in the README.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

/// The blocks of Rust in the page about modules.
#[cfg(doctest)]
#[doc = include_str!("../../docs/modules.md")]
struct Modules;
