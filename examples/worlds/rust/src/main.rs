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

use archer::{Config, Trainer};
use archer_world::Local;
use corridor::Corridor;

fn main() -> Result<(), Box<dyn Error>> {
    let worlds = Arc::new(Local::new(Corridor::default));
    if std::env::args().nth(1).as_deref() == Some("lines") {
        archer_guests::serve_lines(&*worlds, io::stdin().lock(), io::stdout().lock())?;
        return Ok(());
    }
    let mut trainer = Trainer::new(Config::default(), worlds)?;
    for _ in 0..50 {
        println!("{}", trainer.step()?);
    }
    Ok(())
}
