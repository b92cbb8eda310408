//! Processor and memory of the process in percent, as Linux tells them; elsewhere there are none.

use std::{
    fmt, fs,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric as _},
    metrics::{MetricType, gauge::ConstGauge},
};

/// Linux counts the time of processes in hundredths of a second, whatever the kernel's own clock is (`USER_HZ`).
const TICKS: f64 = 100.0;

/// Between looks that are closer to each other, the processor's share would be that of a moment.
const SHORTEST: Duration = Duration::from_secs(1);

/// What is seen of the process.
#[derive(Debug, Default)]
pub(super) struct Process(Mutex<Option<Look>>);

/// What somebody saw who looked.
#[derive(Debug, Clone, Copy)]
struct Look {
    at: Instant,
    /// Time on processors until then, in seconds.
    used: f64,
    /// The share of a processor since the look before, in percent.
    cpu: f64,
}

/// One of the two numbers.
#[derive(Debug)]
pub(super) struct Number {
    process: Arc<Process>,
    what: What,
}

/// A number: its name, its help, and how it is found.
type What = (&'static str, &'static str, fn(&Process) -> Option<f64>);

/// The processor.
pub(super) const CPU: What =
    ("feast_feature_server_cpu_usage", "Processor of the server's process in percent of one", Process::cpu);

/// Memory.
pub(super) const MEMORY: What = (
    "feast_feature_server_memory_usage",
    "Memory of the server's process in percent of the machine's",
    Process::memory,
);

impl Process {
    /// One of its numbers.
    pub(super) fn of(self: &Arc<Self>, what: What) -> Number {
        Number { process: Arc::clone(self), what }
    }

    fn cpu(&self) -> Option<f64> {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, used) = (Instant::now(), used()?);
        let cpu = match *last {
            Some(look) if at.duration_since(look.at) < SHORTEST => return Some(look.cpu),
            Some(look) => (used - look.used) / at.duration_since(look.at).as_secs_f64() * 100.0,
            None => 0.0,
        };
        *last = Some(Look { at, used, cpu });
        Some(cpu)
    }

    fn memory(&self) -> Option<f64> {
        let kilobytes = |file: &str, name: &str| {
            let text = fs::read_to_string(file).ok()?;
            let line = text.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim().strip_suffix("kB")?.trim().parse::<f64>().ok()
        };
        Some(kilobytes("/proc/self/status", "VmRSS:")? / kilobytes("/proc/meminfo", "MemTotal:")? * 100.0)
    }
}

/// Time on processors, in seconds.
fn used() -> Option<f64> {
    let text = fs::read_to_string("/proc/self/stat").ok()?;
    // The name of the program may have spaces and parentheses.
    let (_, after) = text.rsplit_once(')')?;
    // The state of the process is the third field of all; user and system time are the 14th and 15th.
    let mut ticks = after.split_whitespace().skip(11).map(str::parse::<f64>);
    Some((ticks.next()?.ok()? + ticks.next()?.ok()?) / TICKS)
}

impl Collector for Number {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let (name, help, find) = self.what;
        let Some(value) = find(&self.process) else { return Ok(()) };
        let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
        let labels = [("pid", std::process::id().to_string())];
        ConstGauge::new(value).encode(family.encode_family(&labels)?)
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_works_uses_a_processor_and_memory() {
        let process = Process::default();
        assert_eq!(process.cpu(), Some(0.0), "nobody has looked before");
        let memory = process.memory().unwrap();
        assert!(memory > 0.0 && memory < 100.0, "{memory}");
        let before = used().unwrap();
        let mut sum = 0_u64;
        while used().unwrap() < before + 0.05 {
            sum = std::hint::black_box(sum.wrapping_mul(31) + 1);
        }
        // As if the first look was a while ago.
        process.0.lock().unwrap().as_mut().unwrap().at -= 2 * SHORTEST;
        assert!(process.cpu().unwrap() > 0.0);
    }
}
