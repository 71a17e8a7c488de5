//! What a launcher such as `mpirun` tells a process, and its children must not take for themselves.

use std::env;
use std::process::Command;

/// How the names of these variables begin: Open MPI's, MPICH's, and of the protocol between launchers.
const PREFIXES: [&str; 5] = ["OMPI_", "PMIX_", "PMI_", "PRTE_", "MPI_LOCAL"];

/// Keeps from a child what a launcher has told this process: a child that speaks MPI, or is archer again,
/// is a program of its own and not a second process of this run.
pub fn without_launcher(command: &mut Command) {
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(|name| PREFIXES.iter().any(|begin| name.starts_with(begin))) {
            command.env_remove(name);
        }
    }
}
