//! The program `archer`.

use std::process::ExitCode;

fn main() -> ExitCode {
    archer_cli::main()
}
