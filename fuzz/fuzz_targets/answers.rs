//! Answers of hosts to what they are asked.
#![no_main]

use std::sync::Arc;

use evenkeel_engine::{AnyProbe, ask, probes::*};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, &[u8])| {
    let (name, output) = input;
    let name = || name.to_owned();
    let kinds: [Vec<Arc<dyn AnyProbe>>; 8] = [
        vec![ask(Stat(name()))],
        vec![ask(Digest(name()))],
        vec![ask(Contents(name()))],
        vec![ask(Glob(name()))],
        vec![ask(Inode(name()))],
        vec![ask(Times(name()))],
        vec![ask(RealPath(name()))],
        vec![ask(Which(name()))],
    ];
    for batch in kinds {
        // As many answers as questions, or a word that it makes no sense.
        if let Ok(answers) = batch[0].parse(&batch, output) {
            assert_eq!(answers.len(), batch.len());
        }
    }
});
