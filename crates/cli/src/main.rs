//! The program `archer`.

use std::process::ExitCode;

/// musl's own gives each large block back to the system when it is freed; see `memory.rs`.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    archer_cli::main()
}
