//! Ranks by the system's MPI.
//!
//! MPI ends all processes where one cannot be reached, so no message returns an error.

use std::mem;

use archer::ranks::Ranks;
use mpi::Threading;
use mpi::datatype::{Partition, PartitionMut};
use mpi::topology::SimpleCommunicator;
use mpi::traits::{Communicator, CommunicatorCollectives};

use crate::error::Error;

/// MPI, as long as this process takes part. A process that ends early does not finalize MPI: the launcher
/// then ends the others.
pub struct Universe(mem::ManuallyDrop<mpi::environment::Universe>);

impl Universe {
    /// Finalizes MPI, which waits until all ranks do.
    pub fn leave(self) {
        drop(mem::ManuallyDrop::into_inner(self.0));
    }
}

/// This process among the others.
pub struct Mpi {
    rank: usize,
    size: usize,
}

/// Takes part. The thread that calls this makes all calls to come.
pub fn join() -> Result<(Mpi, Universe), Error> {
    let (universe, threading) = mpi::initialize_with_threading(Threading::Funneled)
        .ok_or_else(|| Error::Failure("MPI has begun twice in this process".into()))?;
    if threading < Threading::Funneled {
        return Err(Error::Failure(
            "this system's MPI does not support programs with several threads: install one with MPI_THREAD_FUNNELED".into(),
        ));
    }
    let world = universe.world();
    let (rank, size) = (world.rank() as usize, world.size() as usize);
    Ok((Mpi { rank, size }, Universe(mem::ManuallyDrop::new(universe))))
}

/// Counts as MPI wants them.
///
/// # Panics
/// If ranks send 2³¹ items or more at once, which MPI does not take.
fn counts(lengths: &[usize]) -> Vec<i32> {
    lengths.iter().map(|&length| count(length)).collect()
}

fn count(length: usize) -> i32 {
    i32::try_from(length).expect("ranks send less than 2^31 items at once")
}

/// The sum of some counts.
fn total(counts: &[i32]) -> i32 {
    count(counts.iter().map(|&count| count as usize).sum())
}

/// Where each part begins.
fn beginnings(counts: &[i32]) -> Vec<i32> {
    let before = |end: usize| total(&counts[..end]);
    (0..counts.len()).map(before).collect()
}

fn world() -> SimpleCommunicator {
    SimpleCommunicator::world()
}

impl Mpi {
    /// The lengths of what each rank sends.
    fn lengths(&self, own: usize) -> Vec<i32> {
        let mut all = vec![0_i32; self.size];
        world().all_gather_into(&counts(&[own])[..], &mut all[..]);
        all
    }

    /// What all ranks have, one after the other.
    fn all<T>(&self, own: &[T], lengths: &[i32]) -> Vec<T>
    where
        T: mpi::traits::Equivalence + Copy + Default,
    {
        let mut all = room(total(lengths));
        let mut parts = PartitionMut::new(&mut all[..], lengths, beginnings(lengths));
        // An empty list of Rust's may lie where MPI's mark for "in place" does.
        let nothing = [T::default()];
        let own = if own.is_empty() { &nothing[..0] } else { own };
        world().all_gather_varcount_into(own, &mut parts);
        all
    }
}

/// A list to receive into, which has a place in memory also where it is empty.
fn room<T: Copy + Default>(length: i32) -> Vec<T> {
    let mut room = Vec::with_capacity(length.max(1) as usize);
    room.resize(length as usize, T::default());
    room
}

/// Cuts a list into parts of these lengths.
fn cut<T: Copy>(all: &[T], lengths: &[i32]) -> Vec<Vec<T>> {
    let mut rest = all;
    let part = |&length: &i32| {
        let (part, others) = rest.split_at(length as usize);
        rest = others;
        part.to_vec()
    };
    lengths.iter().map(part).collect()
}

impl Ranks for Mpi {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.size
    }

    fn gather(&self, own: &[u8]) -> Vec<Vec<u8>> {
        let lengths = self.lengths(own.len());
        cut(&self.all(own, &lengths), &lengths)
    }

    fn trade(&self, to_each: Vec<Vec<f32>>) -> Vec<Vec<f32>> {
        let sent = counts(&to_each.iter().map(Vec::len).collect::<Vec<_>>());
        let mut lengths = vec![0_i32; self.size];
        world().all_to_all_into(&sent[..], &mut lengths[..]);
        let own = to_each.concat();
        let mut received: Vec<f32> = room(total(&lengths));
        let to = Partition::new(&own[..], &sent[..], beginnings(&sent));
        let mut from = PartitionMut::new(&mut received[..], &lengths[..], beginnings(&lengths));
        world().all_to_all_varcount_into(&to, &mut from);
        cut(&received, &lengths)
    }

    fn join(&self, own: &[f32]) -> Vec<f32> {
        let lengths = self.lengths(own.len());
        self.all(own, &lengths)
    }
}
