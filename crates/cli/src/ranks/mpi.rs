//! Ranks by the system's MPI.
//!
//! MPI ends all processes where one cannot be reached, so no call here returns an error.

use std::mem;

use archer::ranks::Ranks;
use mpi::Threading;
use mpi::datatype::{Partition, PartitionMut};
use mpi::topology::SimpleCommunicator;
use mpi::traits::{Communicator, CommunicatorCollectives};

use crate::error::Error;

/// MPI, as long as this process takes part. One that ends early does so without a word: the launcher
/// then ends the others.
pub struct Universe(mem::ManuallyDrop<mpi::environment::Universe>);

impl Universe {
    /// Waits for the other ranks to come here too, and parts from them.
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
            "the MPI of this system allows no other threads beside it: take one that was built for threads".into(),
        ));
    }
    let world = universe.world();
    let (rank, size) = (world.rank() as usize, world.size() as usize);
    Ok((Mpi { rank, size }, Universe(mem::ManuallyDrop::new(universe))))
}

/// Counts as MPI wants them. What ranks send each other at once stays far below its limit of 2³¹.
fn counts(lengths: &[usize]) -> Vec<i32> {
    let count = |&length: &usize| i32::try_from(length).expect("a message of less than 2^31 items");
    lengths.iter().map(count).collect()
}

/// Where each part begins.
fn beginnings(counts: &[i32]) -> Vec<i32> {
    let before = |end: usize| counts[..end].iter().sum();
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
    fn all<T: mpi::traits::Equivalence + Copy + Default>(
        &self,
        own: &[T],
        lengths: &[i32],
    ) -> Vec<T> {
        let total = lengths.iter().sum::<i32>() as usize;
        let mut all = vec![T::default(); total];
        let mut parts = PartitionMut::new(&mut all[..], lengths, beginnings(lengths));
        world().all_gather_varcount_into(own, &mut parts);
        all
    }
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
        let mut received = vec![0.0_f32; lengths.iter().sum::<i32>() as usize];
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
