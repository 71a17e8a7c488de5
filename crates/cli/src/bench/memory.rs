//! How much memory the process held at most, as far as the system tells.

use std::fs;

/// Starts the peak anew where the system allows it.
pub fn forget_peak() {
    // Linux takes a 5 for "forget the high-water mark"; elsewhere there is no such file.
    let _ = fs::write("/proc/self/clear_refs", "5");
}

/// The most memory resident since then, in MiB.
pub fn peak_mib() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib / 1024.0)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn linux_tells_the_peak() {
        assert!(peak_mib().is_some_and(|mib| mib > 1.0));
    }
}
