//! The processes of one run, where a launcher such as `mpirun` has started several.
//!
//! They communicate by MPI, in builds with the feature `mpi`. A build without it refuses to be one of
//! several processes: each would train the same run into the same folder.

#[cfg(feature = "mpi")]
mod mpi;

use std::env;
use std::sync::Arc;

use archer::ranks::Ranks;

use crate::error::Error;

#[cfg(feature = "mpi")]
use mpi::Universe;

/// What launchers tell each process of how many there are: Open MPI; MPICH and its relatives.
const SIZES: [&str; 2] = ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE"];

/// What Slurm tells each process of how many one call of `srun` has started.
const STEP_SIZE: &str = "SLURM_STEP_NUM_TASKS";

/// The number of a process among those of all machines.
const RANKS: [&str; 3] = ["OMPI_COMM_WORLD_RANK", "PMI_RANK", "PMIX_RANK"];

/// The number of a process among those of its machine.
const LOCAL_RANKS: [&str; 3] = ["OMPI_COMM_WORLD_LOCAL_RANK", "MPI_LOCALRANKID", "SLURM_LOCALID"];
/// How many processes of the run the machine has.
const LOCAL_SIZES: [&str; 2] = ["OMPI_COMM_WORLD_LOCAL_SIZE", "MPI_LOCALNRANKS"];

fn told(names: &[&str]) -> Option<usize> {
    names.iter().find_map(|name| env::var(name).ok()?.parse().ok())
}

/// The processes that a launcher has started; 1 where there is no launcher.
pub fn launched() -> usize {
    announced().unwrap_or(1)
}

/// The processes that a launcher has started, if it tells their number.
fn announced() -> Option<usize> {
    told(&SIZES).or_else(|| slurm(STEP_SIZE)?.parse().ok())
}

/// What Slurm says of the step in whose processes it has brought up PMIx, which itself says no number. Without
/// PMIx the processes of a step know nothing of each other, and are meant to.
fn slurm(name: &str) -> Option<String> {
    env::var_os("PMIX_RANK").and(env::var(name).ok())
}

/// The processes of this machine, by Slurm.
fn slurm_local_size() -> Option<usize> {
    let node = slurm("SLURM_NODEID")?.parse().ok()?;
    processes_of(&slurm("SLURM_STEP_TASKS_PER_NODE")?, node)
}

/// The processes of a machine by its number, where those of one after another are listed as `4,2(x3)`.
fn processes_of(list: &str, machine: usize) -> Option<usize> {
    let groups = list.split(',').map(|group| {
        let (processes, times) = group.split_once("(x").unwrap_or((group, "1)"));
        let times: usize = times.strip_suffix(')')?.parse().ok()?;
        Some((processes.parse::<usize>().ok()?, times))
    });
    let mut before = 0;
    for group in groups {
        let (processes, times) = group?;
        before += times;
        if machine < before {
            return Some(processes);
        }
    }
    None
}

/// The number of this process among those of its machine.
pub fn local_rank() -> usize {
    told(&LOCAL_RANKS).unwrap_or(0)
}

/// The processes of this machine.
pub fn local_size() -> usize {
    told(&LOCAL_SIZES).or_else(slurm_local_size).unwrap_or(1).max(1)
}

/// The cores of this process among `cores`, which it may use: those of a machine are divided among its
/// processes, unless the launcher has bound each to its own.
pub fn own_cores(cores: usize) -> usize {
    match is_bound() {
        true => cores,
        false => (cores / local_size()).max(1),
    }
}

/// Whether this process may use fewer processors than there are.
#[cfg(target_os = "linux")]
#[allow(unsafe_code, reason = "only the C library knows on which processors a process may run")]
fn is_bound() -> bool {
    // SAFETY: the set is written by the call into a value of its type, of which all bits may be zero.
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), &mut set) == 0
            && i64::from(libc::CPU_COUNT(&set)) < libc::sysconf(libc::_SC_NPROCESSORS_ONLN)
    }
}

#[cfg(not(target_os = "linux"))]
fn is_bound() -> bool {
    false
}

/// Whether another process speaks for the run: this one prints nothing.
pub fn is_silent() -> bool {
    launched() > 1 && told(&RANKS).unwrap_or(0) > 0
}

/// Refuses what one process does alone, where several were started.
///
/// # Errors
/// If there are several.
pub fn refuse_several() -> Result<(), Error> {
    match launched() {
        0 | 1 => Ok(()),
        several => Err(Error::Usage(format!(
            "a launcher has started {several} processes, and this command is for one: only archer train shares its work among several"
        ))),
    }
}

/// The ranks of this run, and what ends their company.
pub struct Company {
    ranks: Arc<dyn Ranks>,
    #[cfg(feature = "mpi")]
    universe: Universe,
}

impl Company {
    /// Joins the other processes, where there are some.
    ///
    /// # Errors
    /// If this build cannot.
    #[cfg(feature = "mpi")]
    pub fn join() -> Result<Option<Company>, Error> {
        // MPI sets some of these itself.
        let announced = announced();
        if announced.is_none() && told(&RANKS).is_none() {
            return Ok(None);
        }
        let (ranks, universe) = mpi::join()?;
        let company = Company { ranks: Arc::new(ranks), universe };
        if let Some(launched) = announced.filter(|&launched| launched != company.ranks.size()) {
            return Err(Error::Failure(format!(
                "the launcher has started {launched} processes, and MPI here knows of {}: start archer with the mpirun of the MPI that it was built with",
                company.ranks.size()
            )));
        }
        Ok(Some(company))
    }

    /// Refuses to run as one of several processes, since this build has no MPI.
    ///
    /// # Errors
    /// If a launcher has started several.
    #[cfg(not(feature = "mpi"))]
    pub fn join() -> Result<Option<Company>, Error> {
        match launched() {
            0 | 1 => Ok(None),
            several => Err(Error::Usage(format!(
                "this archer was built without MPI, so each of the {several} processes that were started would train the same run: build it with `cargo build --release --features mpi`, or start one process"
            ))),
        }
    }

    /// The ranks.
    pub fn ranks(&self) -> &Arc<dyn Ranks> {
        &self.ranks
    }

    /// Leaves the others, once all of them have come to their end.
    pub fn leave(self) {
        #[cfg(feature = "mpi")]
        self.universe.leave();
    }
}

/// Sends bytes of rank 0 to all others, in pieces that any MPI takes. The others give none.
pub fn send_to_all(ranks: &dyn Ranks, own: &[u8]) -> Vec<u8> {
    const PIECE: usize = 1 << 28;
    let pieces = own.len().div_ceil(PIECE) as u64;
    let first = |own: &[u8]| ranks.gather(own).swap_remove(0);
    let count = first(&pieces.to_le_bytes());
    let count = count.try_into().map_or(0, u64::from_le_bytes);
    let mut all = Vec::new();
    let mut own = own.chunks(PIECE);
    (0..count).for_each(|_| all.extend(first(own.next().unwrap_or_default())));
    all
}

#[cfg(test)]
mod tests {
    use super::processes_of;

    #[test]
    fn the_processes_of_a_machine_are_found_in_slurms_list() {
        let of = |list: &str| (0..5).map(|node| processes_of(list, node)).collect::<Vec<_>>();
        assert_eq!(of("2"), [Some(2), None, None, None, None]);
        assert_eq!(of("4,2(x3)"), [Some(4), Some(2), Some(2), Some(2), None]);
        assert_eq!(of("2(x2),1"), [Some(2), Some(2), Some(1), None, None]);
        assert_eq!(of("2(x"), [None; 5]);
        assert_eq!(of(""), [None; 5]);
    }
}
