//! What each rank computes of a list of items, and how all of them come to the whole.

use std::future::Future;
use std::ops::Range;

use burn::tensor::{Device, Tensor};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Ranks, Shown, Workers};
use crate::error::Error;
use crate::nn::params;
use crate::parallel;

/// What a part showed, read from the device.
type Read = Vec<Option<Vec<f32>>>;

impl Workers<'_> {
    /// Runs `job` on each item, shared among threads and ranks, and returns the results in the items'
    /// order.
    ///
    /// # Errors
    /// The first error of a job, of this rank or, where it has none, of another.
    pub(crate) async fn map<T, R, F>(
        self,
        items: Vec<T>,
        job: impl Fn(T) -> F + Sync,
    ) -> Result<Vec<R>, Error>
    where
        T: Send,
        R: Send + Serialize + DeserializeOwned,
        F: Future<Output = Result<R, Error>>,
    {
        self.all(self.own(items, job).await)
    }

    /// Runs `job` on this rank's share of the items.
    ///
    /// # Errors
    /// The first error of a job.
    pub(crate) async fn own<T, R, F>(
        self,
        items: Vec<T>,
        job: impl Fn(T) -> F + Sync,
    ) -> Result<Vec<R>, Error>
    where
        T: Send,
        R: Send,
        F: Future<Output = Result<R, Error>>,
    {
        let items = match self.ranks {
            Some(ranks) => own_share(items, ranks),
            None => items,
        };
        parallel::map(self.threads, items, job).await.into_iter().collect()
    }

    /// The results of all ranks from this rank's, in the items' order.
    ///
    /// # Errors
    /// The error of this rank or, where it has none, of another.
    pub(crate) fn all<R>(self, own: Result<Vec<R>, Error>) -> Result<Vec<R>, Error>
    where
        R: Serialize + DeserializeOwned,
    {
        let Some(ranks) = self.ranks else { return own };
        if let Err(error) = &own {
            // The error is sent, so that the other ranks return too and do not wait.
            gathered(ranks, &Err::<Vec<R>, _>(error.clone()));
            return own;
        }
        let all: Result<Vec<Vec<R>>, Error> = gathered(ranks, &own).into_iter().collect();
        Ok(in_order(all?.into_iter().map(Vec::into_iter).collect()).collect())
    }
}

/// The rank that item number `item` belongs to.
///
/// With three ranks the order is 0, 1, 2, 2, 1, 0, 0, … The parts of a gradient step are sorted by the length
/// of their texts. In this order the rank with the shortest part also has the longest, which balances the work.
fn owner(item: usize, size: usize) -> usize {
    let (lap, place) = (item / size, item % size);
    if lap.is_multiple_of(2) { place } else { size - 1 - place }
}

/// The items of this rank.
fn own_share<T>(items: Vec<T>, ranks: &dyn Ranks) -> Vec<T> {
    let own = |item: &usize| owner(*item, ranks.size()) == ranks.rank();
    let items = items.into_iter().enumerate();
    items.filter(|(item, _)| own(item)).map(|(_, value)| value).collect()
}

/// What all ranks made of their items, in the order of the items.
fn in_order<R>(mut of_ranks: Vec<impl Iterator<Item = R>>) -> impl Iterator<Item = R> {
    let size = of_ranks.len();
    (0..).map_while(move |item| of_ranks[owner(item, size)].next())
}

/// The numbers of a sum that rank `rank` adds up, among `n`.
fn slice(n: usize, rank: usize, size: usize) -> Range<usize> {
    n * rank / size..n * (rank + 1) / size
}

/// The values of every rank, in the order of the ranks.
///
/// # Panics
/// If the ranks are of different programs.
pub(crate) fn gathered<T: Serialize + DeserializeOwned>(ranks: &dyn Ranks, own: &T) -> Vec<T> {
    let bytes = postcard::to_allocvec(own).expect("plain data can be written");
    let read = |bytes: Vec<u8>| postcard::from_bytes(&bytes).expect("all ranks run one program");
    ranks.gather(&bytes).into_iter().map(read).collect()
}

/// What `judge` thinks of each part, in the parts' order: each rank judges its own.
///
/// # Errors
/// If the device fails.
pub(crate) async fn judged<P: Send + Sync, T: Shown>(
    workers: Workers<'_>,
    parts: &[P],
    device: &Device,
    judge: impl Fn(&P) -> T + Sync,
) -> Result<Vec<T>, Error> {
    let judge = &judge;
    let job = |part: &P| {
        let thought = judge(part);
        async { read(thought.into_tensors()).await }
    };
    let thoughts = workers.map(parts.iter().collect(), job).await?;
    Ok(thoughts.into_iter().map(|thought| told(thought, device)).collect())
}

/// The sum of the parts' gradients in the order of the parts, and what each part showed.
/// `sizes` are those of the module's parameters, in scalars.
///
/// # Errors
/// If the device fails.
pub(crate) async fn sum_of_parts<P, S, F>(
    threads: usize,
    ranks: &dyn Ranks,
    parts: Vec<P>,
    (sizes, device): (&[usize], &Device),
    on_part: impl Fn(P) -> F + Sync,
) -> Result<(Vec<Tensor<1>>, Vec<S>), Error>
where
    P: Send,
    S: Shown,
    F: Future<Output = (Vec<Tensor<1>>, S)>,
{
    let read_part = |part| async {
        let (grads, seen) = on_part(part).await;
        let grads = params::read(grads).await?.concat();
        Ok::<_, Error>((grads, read(seen.into_tensors()).await?))
    };
    let done = parallel::map(threads, own_share(parts, ranks), read_part).await;
    let done: Result<Vec<(Vec<f32>, Read)>, Error> = done.into_iter().collect();
    let (grads, seen) = match done {
        Ok(done) => {
            let (grads, seen): (Vec<Vec<f32>>, Vec<Read>) = done.into_iter().unzip();
            (grads, Ok(seen))
        }
        Err(error) => (Vec::new(), Err(error)),
    };
    // First, so that all ranks end where one has failed.
    let seen = Workers { threads, ranks: Some(ranks) }.all(seen)?;
    let sum = ordered_sum(ranks, &grads, sizes.iter().sum());
    let (mut sums, mut rest) = (Vec::with_capacity(sizes.len()), &sum[..]);
    for &size in sizes {
        let (own, others) = rest.split_at(size);
        sums.push(Tensor::from_floats(own, device));
        rest = others;
    }
    Ok((sums, seen.into_iter().map(|read| told(read, device)).collect()))
}

/// The sum of all ranks' addends of `scalars` numbers each, in their order.
fn ordered_sum(ranks: &dyn Ranks, addends: &[Vec<f32>], scalars: usize) -> Vec<f32> {
    let slice = |rank| slice(scalars, rank, ranks.size());
    let cut = |rank| addends.iter().flat_map(|addend| &addend[slice(rank)]).copied().collect();
    let received = ranks.trade((0..ranks.size()).map(cut).collect());
    let width = slice(ranks.rank()).len();
    let of_ranks = received.iter().map(|slices| slices.chunks_exact(width.max(1)));
    let mut slices = in_order(of_ranks.collect());
    let mut sum = slices.next().unwrap_or_default().to_vec();
    for slice in slices {
        sum.iter_mut().zip(slice).for_each(|(sum, addend)| *sum += addend);
    }
    ranks.join(&sum)
}

async fn read(tensors: Vec<Option<Tensor<1>>>) -> Result<Read, Error> {
    let there: Vec<bool> = tensors.iter().map(Option::is_some).collect();
    let mut values = params::read(tensors.into_iter().flatten().collect()).await?.into_iter();
    Ok(there.into_iter().map(|there| if there { values.next() } else { None }).collect())
}

fn told<S: Shown>(read: Read, device: &Device) -> S {
    let tensor = |values: Vec<f32>| Tensor::from_floats(values.as_slice(), device);
    S::from_tensors(read.into_iter().map(|values| values.map(tensor)))
}

#[cfg(test)]
mod tests {
    use std::thread;

    use pollster::block_on;

    use super::*;
    use crate::ranks::threads::{Thread, ranks};

    /// What each of `size` ranks comes to.
    fn on_each<R: Send>(size: usize, job: impl Fn(&Thread) -> R + Sync) -> Vec<R> {
        let (ranks, job) = (ranks(size), &job);
        thread::scope(|scope| {
            let start = |rank| scope.spawn(move || job(rank));
            let started: Vec<_> = ranks.iter().map(start).collect();
            started.into_iter().map(|rank| rank.join().unwrap()).collect()
        })
    }

    #[test]
    fn every_number_is_added_up_by_one_rank() {
        for (n, size) in [(0, 1), (0, 3), (1, 4), (4, 4), (10, 3), (257, 8)] {
            let slices: Vec<usize> = (0..size).flat_map(|rank| slice(n, rank, size)).collect();
            assert_eq!(slices, (0..n).collect::<Vec<_>>(), "{n} numbers on {size} ranks");
        }
    }

    /// Four parts from the shortest to the longest: both ranks have as much to do.
    #[test]
    fn the_order_of_ranks_turns_round_after_each_lap() {
        let owners = |n: usize, size| (0..n).map(|item| owner(item, size)).collect::<Vec<_>>();
        assert_eq!(owners(4, 2), [0, 1, 1, 0]);
        assert_eq!(owners(8, 3), [0, 1, 2, 2, 1, 0, 0, 1]);
        assert_eq!(owners(3, 1), [0, 0, 0]);
        for size in 1..5 {
            for n in 0..13 {
                let of = |rank| (0..n).filter(move |&item| owner(item, size) == rank);
                let ordered: Vec<usize> = in_order((0..size).map(of).collect()).collect();
                assert_eq!(ordered, (0..n).collect::<Vec<_>>(), "{n} items of {size} ranks");
            }
        }
    }

    #[test]
    fn all_ranks_have_all_results_in_order() {
        for size in [1, 2, 3, 5] {
            let squares = on_each(size, |rank| {
                let workers = Workers { threads: 2, ranks: Some(rank) };
                let square = |n: u64| async move { Ok(n * n) };
                block_on(workers.map((0..11).collect(), square)).unwrap()
            });
            let want: Vec<u64> = (0..11).map(|n| n * n).collect();
            assert_eq!(squares, vec![want; size]);
        }
    }

    #[test]
    fn an_error_of_one_rank_reaches_all() {
        let errors = on_each(3, |rank| {
            let workers = Workers { threads: 1, ranks: Some(rank) };
            let job = |n: usize| async move {
                if n == 5 { Err(Error::World("it is closed".into())) } else { Ok(n) }
            };
            block_on(workers.map((0..6).collect(), job)).unwrap_err()
        });
        assert_eq!(errors, vec![Error::World("it is closed".into()); 3]);
    }

    /// Sums of such numbers are others in another order.
    #[test]
    fn gradients_are_added_as_one_process_adds_them() {
        let part = |n: usize| -> Vec<f32> {
            (0..7).map(|i| (0.1 + n as f32) * 1e3_f32.powi((n * 5 + i) as i32 % 7 - 3)).collect()
        };
        for (parts, size) in [(4, 1), (4, 2), (4, 4), (5, 3), (2, 4), (1, 2)] {
            let want = (1..parts).map(part).fold(part(0), |sum, part| {
                sum.iter().zip(&part).map(|(sum, addend)| sum + addend).collect()
            });
            let sums = on_each(size, move |rank| {
                let device = Device::flex();
                // Two parameters, of three numbers and of four.
                let on_part = |n: usize| async move {
                    let device = Device::flex();
                    let tensor = |values: &[f32]| Tensor::<1>::from_floats(values, &device);
                    let values = part(n);
                    let seen = tensor(&[n as f32]);
                    (vec![tensor(&values[..3]), tensor(&values[3..])], seen)
                };
                let sum = sum_of_parts::<_, Tensor<1>, _>(
                    1,
                    rank,
                    (0..parts).collect(),
                    (&[3, 4], &device),
                    on_part,
                );
                let (sum, seen) = block_on(sum).unwrap();
                let read = |tensors| block_on(params::read(tensors)).unwrap().concat();
                (read(sum), read(seen))
            });
            let seen: Vec<f32> = (0..parts).map(|n| n as f32).collect();
            assert_eq!(sums, vec![(want, seen); size], "{parts} parts on {size} ranks");
        }
    }
}
