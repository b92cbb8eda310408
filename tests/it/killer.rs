//! Kills runs at moments spread over all of a run.

use std::{
    process::{Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use crate::support::Project;

/// Kills runs of one command, however long they take when the machine is busy or quiet.
pub struct Killer {
    /// How long a run took lately.
    whole: Duration,
    tries: u32,
    /// How many runs were killed before their end.
    pub cut_off: u32,
}

impl Killer {
    /// Measures a whole run.
    pub fn new(project: &Project, args: &[&str]) -> Self {
        let began = Instant::now();
        project.feastr(args).ok();
        Self { whole: began.elapsed(), tries: 0, cut_off: 0 }
    }

    /// Starts a run and kills it at the next moment, unless it ends sooner.
    pub fn kill(&mut self, command: &mut Command) {
        self.tries += 1;
        assert!(self.tries < 100 + 10 * self.cut_off, "{} of {} were cut off", self.cut_off, self.tries);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let began = Instant::now();
        // Multiples of the golden ratio spread evenly, however many they are.
        let moment = self.whole.mul_f64((f64::from(self.tries) * 0.618_033_988_75).fract());
        while began.elapsed() < moment && child.try_wait().unwrap().is_none() {
            sleep(Duration::from_micros(500));
        }
        let _ = child.kill();
        match child.wait().unwrap().code() {
            Some(code) => {
                assert_eq!(code, 0, "a run that nobody killed");
                self.whole = began.elapsed();
            }
            None => {
                self.cut_off += 1;
                // Runs that became slower are to be killed late, too.
                self.whole = self.whole.mul_f64(1.03);
            }
        }
    }
}
