//! A world in Rust, trained on in the same program.
//!
//! ```text
//! cargo run --release --manifest-path examples/worlds/rust/Cargo.toml
//! ```
//!
//! With the argument `lines` it is a world for any program that speaks JSON lines:
//!
//! ```text
//! archer train --world "examples/worlds/rust/target/release/corridor lines"
//! ```

mod corridor;

use std::error::Error;
use std::io;
use std::sync::Arc;

use archer::{Config, Device, Phase, Trainer};
use archer_world::{Local, Worlds};
use corridor::Corridor;
use pollster::block_on;

fn main() -> Result<(), Box<dyn Error>> {
    let worlds = Arc::new(Local::new(Corridor::default));
    if std::env::args().nth(1).as_deref() == Some("lines") {
        archer_guests::serve_lines(&*worlds, io::stdin().lock(), io::stdout().lock())?;
        return Ok(());
    }
    let best = worlds.about().best.unwrap_or_default();
    let config = Config { iterations: 20, eval_freq: 5, ..Config::new_world() };
    let mut trainer = block_on(Trainer::new(config, worlds, &Device::flex()))?;
    while trainer.progress().phase != Phase::Finished {
        let report = block_on(trainer.step())?;
        if let Some(evaluation) = report.evaluation {
            let (step, reached) = (report.step, evaluation.mean_return);
            println!("iteration {step}: mean return {reached:.3} of {best:.3}");
        }
    }
    Ok(())
}
