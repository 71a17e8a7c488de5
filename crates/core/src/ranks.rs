//! Several processes that compute one run together.
//!
//! Each process is a rank. Every rank holds all of the run: networks, optimisers, replay. Draws are named
//! by the seed and a counter, so all ranks take the same steps. What takes time is shared: the games of an
//! iteration, the fresh actions, and the parts of a gradient step. A rank computes its share, a contiguous
//! range, and receives the others'. Results stand in the order of the items, and gradients are added in
//! the order of the parts, as one process does it:
//!
//! ```text
//! g = ((g_1 + g_2) + g_3) + …      elementwise, over the parts of all ranks
//! ```
//!
//! So the same seed gives the same bytes on any number of ranks. For that sum each rank owns a slice of the
//! gradient: it receives that slice of every part, adds them in order, and all slices are joined. A rank
//! sends `parts · G / ranks` bytes for a gradient of `G` bytes, and receives as many, and then all slices.
//!
//! The replay is not sharded: it is text, some tens of megabytes, and a rank that holds all of it draws
//! without asking anybody.

#[cfg(not(target_family = "wasm"))]
mod sharing;
#[cfg(all(test, not(target_family = "wasm")))]
pub(crate) mod threads;

use std::fmt;
use std::sync::Arc;

use burn::tensor::Tensor;

#[cfg(target_family = "wasm")]
use crate::error::Error;
#[cfg(target_family = "wasm")]
use crate::parallel;

#[cfg(not(target_family = "wasm"))]
pub(crate) use sharing::{gathered, judged, sum_of_parts};

/// The processes of a run, as one of them sees them.
///
/// Each method is a collective: every rank calls it, in the same order. An implementation that cannot
/// reach the other ranks ends the process, for nothing can be computed any more.
pub trait Ranks: Send + Sync {
    /// The number of this process, from 0.
    fn rank(&self) -> usize;

    /// Processes in the run.
    fn size(&self) -> usize;

    /// The bytes of every rank, in the order of the ranks.
    fn gather(&self, own: &[u8]) -> Vec<Vec<u8>>;

    /// Sends `to_each[r]` to rank `r`. Returns what each rank has sent to this one, in their order.
    fn trade(&self, to_each: Vec<Vec<f32>>) -> Vec<Vec<f32>>;

    /// The numbers of all ranks one after the other, in the order of the ranks.
    fn join(&self, own: &[f32]) -> Vec<f32>;
}

/// Who shares the work of a run: threads of this process, and other processes.
#[derive(Clone, Copy)]
pub struct Workers<'a> {
    /// Threads of this process; see [`crate::parallel`].
    pub threads: usize,
    /// The processes of the run, where there are several.
    pub ranks: Option<&'a dyn Ranks>,
}

/// The workers of a run, as the trainer owns them.
#[derive(Clone)]
pub(crate) struct Crew {
    /// Threads of this process.
    pub(crate) threads: usize,
    /// The processes of the run, where there are several.
    pub(crate) ranks: Option<Arc<dyn Ranks>>,
}

impl Default for Crew {
    fn default() -> Self {
        Self { threads: 1, ranks: None }
    }
}

impl Crew {
    /// The workers, borrowed for a call.
    pub(crate) fn workers(&self) -> Workers<'_> {
        Workers { threads: self.threads, ranks: self.ranks.as_deref() }
    }
}

impl Workers<'static> {
    /// So many threads of this process alone.
    pub fn threads(threads: usize) -> Self {
        Self { threads, ranks: None }
    }
}

#[cfg(target_family = "wasm")]
impl Workers<'_> {
    /// Runs `job` on each item and returns the results in the items' order.
    ///
    /// # Errors
    /// The first error of a job.
    pub(crate) async fn map<T, R, F>(
        self,
        items: Vec<T>,
        job: impl Fn(T) -> F,
    ) -> Result<Vec<R>, Error>
    where
        F: Future<Output = Result<R, Error>>,
    {
        self.own(items, job).await
    }

    /// As [`map`](Self::map): without ranks, every item belongs to this process.
    pub(crate) async fn own<T, R, F>(
        self,
        items: Vec<T>,
        job: impl Fn(T) -> F,
    ) -> Result<Vec<R>, Error>
    where
        F: Future<Output = Result<R, Error>>,
    {
        parallel::map(self.threads, items, job).await.into_iter().collect()
    }

    /// The results: there are no other ranks.
    pub(crate) fn all<R>(self, own: Result<Vec<R>, Error>) -> Result<Vec<R>, Error> {
        own
    }
}

impl fmt::Debug for Workers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ranks = self.ranks.map(|ranks| (ranks.rank(), ranks.size()));
        f.debug_struct("Workers").field("threads", &self.threads).field("ranks", &ranks).finish()
    }
}

/// What a part of a step showed: flat tensors, some of which may be missing.
#[cfg_attr(target_family = "wasm", allow(dead_code))]
pub(crate) trait Shown: Send + Sized {
    /// Its tensors, always as many, without autodiff.
    fn into_tensors(self) -> Vec<Option<Tensor<1>>>;

    /// Builds the value from its tensors, in the order of [`into_tensors`](Self::into_tensors).
    ///
    /// # Panics
    /// If there are too few.
    fn from_tensors(tensors: impl Iterator<Item = Option<Tensor<1>>>) -> Self;
}

/// The next tensor, which is never missing.
pub(crate) fn present(tensors: &mut impl Iterator<Item = Option<Tensor<1>>>) -> Tensor<1> {
    tensors.next().flatten().expect("every rank sends all tensors")
}

impl Shown for Tensor<1> {
    fn into_tensors(self) -> Vec<Option<Tensor<1>>> {
        vec![Some(self)]
    }

    fn from_tensors(mut tensors: impl Iterator<Item = Option<Tensor<1>>>) -> Self {
        present(&mut tensors)
    }
}

impl<const N: usize> Shown for [Tensor<1>; N] {
    fn into_tensors(self) -> Vec<Option<Tensor<1>>> {
        self.into_iter().map(Some).collect()
    }

    fn from_tensors(mut tensors: impl Iterator<Item = Option<Tensor<1>>>) -> Self {
        std::array::from_fn(|_| present(&mut tensors))
    }
}
