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
        Ok(all?.into_iter().flatten().collect())
    }
}

/// The items of this rank.
fn own_share<T>(items: Vec<T>, ranks: &dyn Ranks) -> Vec<T> {
    let own = share(items.len(), ranks.rank(), ranks.size());
    items.into_iter().skip(own.start).take(own.len()).collect()
}

/// The items of rank `rank` among `n`.
fn share(n: usize, rank: usize, size: usize) -> Range<usize> {
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
    let slice = |rank| share(scalars, rank, ranks.size());
    let cut = |rank| addends.iter().flat_map(|addend| &addend[slice(rank)]).copied().collect();
    let received = ranks.trade((0..ranks.size()).map(cut).collect());
    let width = slice(ranks.rank()).len();
    let mut slices = received.iter().flat_map(|slices| slices.chunks_exact(width.max(1)));
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
    fn every_item_belongs_to_one_rank() {
        for (n, size) in [(0, 1), (0, 3), (1, 4), (4, 4), (10, 3), (257, 8)] {
            let shares: Vec<usize> = (0..size).flat_map(|rank| share(n, rank, size)).collect();
            assert_eq!(shares, (0..n).collect::<Vec<_>>(), "{n} items on {size} ranks");
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
