//! Folders of fixtures on burn's `ndarray`: what is computed by burn's own operations, without the
//! kernels that `flex` has, comes to the same numbers. It is built with the tests.

use std::path::Path;
use std::process::ExitCode;

use archer_parity::{Fixtures, compare};
use burn::tensor::Device;

fn main() -> ExitCode {
    let mut failed = 0;
    for folder in std::env::args().skip(1) {
        #[allow(deprecated)] // it is offered for as long as burn ships it
        let device = Device::ndarray();
        let report = Fixtures::open(Path::new(&folder))
            .map(|fixtures| pollster::block_on(compare(fixtures, &device, 1)));
        match report {
            Ok(Ok(report)) => {
                for check in report.checks.iter().filter(|check| !check.pass) {
                    let (off, allowed) = (check.max_abs_diff, check.tolerance);
                    println!("{}: off by {off:.1e}, {allowed:.1e} is allowed", check.name);
                }
                println!("{folder}: {} passed, {} failed", report.passed, report.failed);
                failed += report.failed;
            }
            Ok(Err(error)) | Err(error) => {
                println!("{folder}: {error}");
                failed += 1;
            }
        }
    }
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
