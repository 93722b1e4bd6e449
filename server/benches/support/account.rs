//! What a piece of work used, from the kernel's own accounts.

use std::time::Instant;

/// As in the program.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

type Failure = Box<dyn std::error::Error>;

/// What was used.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Used {
    /// By the clock on the wall.
    pub(crate) seconds: f64,
    /// User and system time of all threads.
    pub(crate) cpu_seconds: f64,
    /// The highest resident set meanwhile.
    pub(crate) peak_mib: f64,
}

/// Does the work and tells what it used.
pub(crate) fn measure<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<(T, Used), Failure> {
    measured(work, Whose::Own)
}

/// The same of the programs that the work starts and waits for. The highest resident set is that of this process.
#[allow(dead_code, reason = "not every benchmark has such a peer")]
pub(crate) fn measure_children<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<(T, Used), Failure> {
    measured(work, Whose::Children)
}

/// Whose time it is, by the first of its fields behind the name in `/proc/self/stat`.
#[derive(Clone, Copy)]
enum Whose {
    Own = 11,
    Children = 13,
}

fn measured<T>(work: impl FnOnce() -> Result<T, Failure>, whose: Whose) -> Result<(T, Used), Failure> {
    // Forgets the highest resident set so far.
    std::fs::write("/proc/self/clear_refs", "5")?;
    let (begun, before) = (Instant::now(), cpu_seconds(whose)?);
    let made = work()?;
    let used = Used {
        seconds: begun.elapsed().as_secs_f64(),
        cpu_seconds: cpu_seconds(whose)? - before,
        peak_mib: peak_mib()?,
    };
    Ok((made, used))
}

fn cpu_seconds(whose: Whose) -> Result<f64, Failure> {
    const TICKS_PER_SECOND: f64 = 100.0;
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = stat.rsplit_once(')').ok_or("an unexpected form")?.1.split_whitespace().collect();
    let ticks = |field: usize| {
        fields.get(field).and_then(|text| text.parse::<f64>().ok()).ok_or("an unexpected form")
    };
    Ok((ticks(whose as usize)? + ticks(whose as usize + 1)?) / TICKS_PER_SECOND)
}

fn peak_mib() -> Result<f64, Failure> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("an unexpected form")?;
    Ok(peak.trim().trim_end_matches("kB").trim().parse::<f64>()? / 1024.0)
}
