//! Moments that nobody chose.
#![expect(
    clippy::print_stdout,
    reason = "a test that fails tells its seed, to be run again"
)]

use std::time::SystemTime;

/// Numbers from a seed, which is printed, so that a test that failed can be run again.
#[derive(Debug)]
pub struct Random(u64);

impl Default for Random {
    fn default() -> Self {
        Self::new()
    }
}

impl Random {
    /// From the clock, or from `EVENKEEL_SEED`.
    pub fn new() -> Self {
        let now = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap();
        let given = std::env::var("EVENKEEL_SEED").ok();
        let seed: u64 = given.map_or(now.subsec_nanos().into(), |seed| seed.parse().unwrap());
        println!("EVENKEEL_SEED={seed}");
        Self(seed | 1)
    }

    /// Between 0 and 1.
    pub fn share(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        f64::from(u32::try_from(self.0 >> 32).unwrap()) / f64::from(u32::MAX)
    }
}
