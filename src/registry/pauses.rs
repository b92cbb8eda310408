use std::time::Duration;

/// Pauses between tries: random, so that those who meet do not meet again, and longer each time.
#[derive(Default)]
pub(super) struct Pauses {
    /// How many there were.
    pub(super) count: u32,
}

impl Pauses {
    /// The first at most so long, each further one twice, up to that of `MOST` times.
    const FIRST: Duration = Duration::from_millis(20);
    const MOST: u32 = 6;

    pub(super) fn next(&mut self) -> Duration {
        let longest = Self::FIRST * 2_u32.pow(self.count.min(Self::MOST));
        self.count += 1;
        longest.mul_f64(rand::random_range(0.1..1.0))
    }
}
