//! `archer bench`: how fast the parts are, in fixed shapes that others can repeat.
//!
//! Every case is warmed up, then timed a few times; median, slowest and fastest are told, with the
//! share of what the machine's matrix products reach in the same run, so that a number from a busy
//! or a slow machine can be read. What is computed is in `cases`, what it costs in `shapes`.

mod cases;
mod language;
pub mod memory;
mod shapes;

use archer::config::Held;
use archer::parallel;
use burn::tensor::{Device, Tensor};
use serde::Serialize;

use self::cases::Case;
use self::shapes::Size;
use crate::args;
use crate::clock::{Stopwatch, spoken};
use crate::device;
use crate::error::Error;
use crate::experiment::did_you_mean;
use crate::number::{brief, percent};
use crate::output;
use crate::progress::Screen;

/// What all cases need to know.
pub struct Setup {
    /// Where to compute, without autodiff.
    pub device: Device,
    /// Threads that share the work.
    pub threads: usize,
    /// Folder of the model that `iter` starts from.
    pub model: Option<std::path::PathBuf>,
    /// How that model's weights are held.
    pub held: Option<Held>,
}

/// One line of the result.
#[derive(Debug, Serialize)]
struct Line {
    case: &'static str,
    /// Name of the shape; none for a case that has none.
    size: Option<&'static str>,
    threads: usize,
    median: f64,
    min: f64,
    max: f64,
    unit: &'static str,
    runs: usize,
    /// Most memory that the process held in this case; only Linux tells.
    peak_rss_mib: Option<f64>,
    /// Floating-point work of the median run as a share of `gemm_gflops`; none where the work is
    /// not fixed beforehand.
    gemm_share: Option<f64>,
}

/// The whole result.
#[derive(Debug, Serialize)]
struct Report {
    device: String,
    /// What matrix products reach on all threads together, in 10⁹ floating-point operations a second.
    gemm_gflops: f64,
    cases: Vec<Line>,
}

/// Measures and prints.
pub fn run(args: &args::Bench) -> Result<(), Error> {
    let chosen = choose(args)?;
    let opened = device::open(&args.device)?;
    let setup = Setup {
        device: opened.device,
        threads: args.threads.unwrap_or(opened.threads),
        model: args.model.clone(),
        held: args.holding.weights,
    };
    parallel::share_products(setup.threads);
    let screen = Screen::new(args.quiet);
    let gemm_gflops = gemm_gflops(&setup);
    screen.say(&format!("matrix products reach {} GFLOP/s", brief(gemm_gflops)));
    let mut report = Report { device: opened.name, gemm_gflops, cases: Vec::new() };
    for (case, size) in chosen {
        let watch = Stopwatch::start();
        let line = measure(case, size, &setup, args.runs, gemm_gflops)?;
        let took = spoken(watch.seconds());
        screen.say(&format!("{}, in {took}", sentence(&line)));
        report.cases.push(line);
    }
    screen.finish();
    match args.json {
        true => output::json(&report),
        false => output::line(&text(&report)),
    }
}

/// The cases that were asked for, each with its size.
fn choose(args: &args::Bench) -> Result<Vec<(Case, Option<Size>)>, Error> {
    let cases = match &args.case {
        None => cases::ALL.to_vec(),
        Some(name) => vec![find("case", name, &cases::ALL, Case::name)?],
    };
    let sizes = match args.size.as_deref() {
        None => vec![Size::S, Size::M],
        Some("all") => shapes::ALL.to_vec(),
        Some(name) => vec![find("size", name, &shapes::ALL, Size::name)?],
    };
    let mut chosen = Vec::new();
    for case in cases {
        match case.fixed_size() {
            _ if args.case.is_none() && case.only_by_name() => {}
            _ if args.case.is_none() && case.needs_model() && args.model.is_none() => {}
            Some(size) if sizes.contains(&size) || args.case.is_some() => {
                chosen.push((case, Some(size)));
            }
            Some(_) => {}
            None if case.has_sizes() => chosen.extend(sizes.iter().map(|&size| (case, Some(size)))),
            None => chosen.push((case, None)),
        }
    }
    Ok(chosen)
}

fn find<T: Copy>(
    what: &str,
    name: &str,
    all: &[T],
    name_of: fn(&T) -> &'static str,
) -> Result<T, Error> {
    all.iter().copied().find(|item| name_of(item) == name).ok_or_else(|| {
        let names: Vec<&str> = all.iter().map(name_of).collect();
        Error::Usage(format!(
            "there is no {what} {name}{}; choose {}",
            did_you_mean(name, &names),
            names.join(", ")
        ))
    })
}

fn measure(
    case: Case,
    size: Option<Size>,
    setup: &Setup,
    runs: usize,
    gemm_gflops: f64,
) -> Result<Line, Error> {
    memory::forget_peak();
    let mut job = case.prepare(size, setup)?;
    job.seconds()?;
    let mut seconds = Vec::with_capacity(runs);
    for _ in 0..runs {
        job.reset()?;
        seconds.push(job.seconds()?);
    }
    let work = job.work();
    let mut values: Vec<f64> = seconds.iter().map(|&seconds| work.value(seconds)).collect();
    values.sort_by(f64::total_cmp);
    seconds.sort_by(f64::total_cmp);
    let (median, middle) = (median(&values), self::median(&seconds));
    Ok(Line {
        case: case.name(),
        size: size.map(|size| size.name()),
        threads: setup.threads,
        median,
        min: values[0],
        max: values[values.len() - 1],
        unit: work.unit,
        runs,
        peak_rss_mib: memory::peak_mib(),
        gemm_share: work.flops.map(|flops| flops / middle / (gemm_gflops * 1e9)),
    })
}

/// The middle of sorted values, of which there must be one.
fn median(sorted: &[f64]) -> f64 {
    let middle = sorted.len() / 2;
    match sorted.len() % 2 {
        1 => sorted[middle],
        _ => (sorted[middle - 1] + sorted[middle]) / 2.0,
    }
}

/// The best of some matrix products of a size that fits the cache and keeps the units busy, one
/// stream of them on each thread.
fn gemm_gflops(setup: &Setup) -> f64 {
    const SIDE: usize = 512;
    const PRODUCTS: usize = 12;
    const ROUNDS: usize = 8;
    let round = || {
        let matrices = vec![Tensor::<2>::ones([SIDE, SIDE], &setup.device); setup.threads];
        let watch = Stopwatch::start();
        let products = archer::parallel::map(setup.threads, matrices, |matrix| async move {
            let mut product = matrix.clone();
            for _ in 0..PRODUCTS {
                product = matrix.clone().matmul(product);
            }
            product.narrow(0, 0, 1).into_data_async().await.is_ok()
        });
        pollster::block_on(products);
        watch.seconds()
    };
    round();
    let best = (0..ROUNDS).map(|_| round()).fold(f64::INFINITY, f64::min);
    let flops = 2.0 * (SIDE * SIDE * SIDE * PRODUCTS * setup.threads) as f64;
    flops / best / 1e9
}

fn sentence(line: &Line) -> String {
    let size = line.size.map(|size| format!(" {size}")).unwrap_or_default();
    format!("{}{size}: {} {}", line.case, brief(line.median), line.unit)
}

fn text(report: &Report) -> String {
    let heading = ["case", "size", "median", "min", "max", "unit", "of gemm", "peak MiB"];
    let absent = || "–".to_string();
    let rows: Vec<Vec<String>> = report
        .cases
        .iter()
        .map(|line| {
            vec![
                line.case.to_string(),
                line.size.unwrap_or("–").to_string(),
                brief(line.median),
                brief(line.min),
                brief(line.max),
                line.unit.to_string(),
                line.gemm_share.map_or_else(absent, percent),
                line.peak_rss_mib.map_or_else(absent, |mib| format!("{mib:.0}")),
            ]
        })
        .collect();
    let threads = report.cases.first().map_or(1, |line| line.threads);
    format!(
        "{}, {threads} thread{}, matrix products {} GFLOP/s\n\n{}",
        report.device,
        if threads == 1 { "" } else { "s" },
        brief(report.gemm_gflops),
        output::table(&heading, &rows, 2)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_some_values() {
        assert_eq!(median(&[1.0, 2.0, 9.0]), 2.0);
        assert_eq!(median(&[1.0, 2.0, 4.0, 9.0]), 3.0);
    }

    #[test]
    fn matrix_products_are_measured() {
        let setup = Setup { device: Device::flex(), threads: 1, model: None, held: None };
        assert!(gemm_gflops(&setup) > 0.1);
    }
}
