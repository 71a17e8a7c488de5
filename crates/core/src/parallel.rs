//! Independent pieces of work on several threads, results in order.
//!
//! Small networks leave a second core idle: their tensors are too small to split. Micro-batches,
//! games and generations are independent of each other, so they are shared out whole. Each piece
//! computes the same whichever thread takes it, and results come back in the order of the pieces:
//! a run gives the same bytes on any number of threads. In a browser there is one thread and the
//! pieces simply follow each other, which is also right for a device that is no CPU.

#[cfg(not(target_family = "wasm"))]
use std::collections::BTreeMap;
use std::future::Future;

#[cfg(not(target_family = "wasm"))]
use archer_kernels::team;
use burn::tensor::Device;

use crate::nn::fused;

/// Whether several threads may share independent work on this device: it computes where it is asked,
/// and there is more than one thread to ask from.
pub fn shares(device: &Device) -> bool {
    cfg!(not(target_family = "wasm")) && fused::computes_here(device)
}

/// Lets so many threads share the large matrix products of a thread that has no others beside it.
#[cfg(not(target_family = "wasm"))]
pub fn share_products(threads: usize) {
    team::set_members(threads);
}

/// Runs `job` on each item and returns the results in the items' order.
///
/// With one thread the jobs are awaited one after another; with more, each thread waits for its
/// own, so more than one is for devices that compute where they are asked (a CPU).
#[cfg(not(target_family = "wasm"))]
pub async fn map<T, R, F>(threads: usize, items: Vec<T>, job: impl Fn(T) -> F + Sync) -> Vec<R>
where
    T: Send,
    R: Send,
    F: Future<Output = R>,
{
    let results = Vec::with_capacity(items.len());
    fold(threads, items, job, results, |mut results, result| {
        results.push(result);
        results
    })
    .await
}

/// Runs `job` on each item and folds the results in the items' order. A result is held no longer
/// than those before it take.
#[cfg(not(target_family = "wasm"))]
pub async fn fold<T, R, A, F>(
    threads: usize,
    items: Vec<T>,
    job: impl Fn(T) -> F + Sync,
    first: A,
    add: impl Fn(A, R) -> A + Sync,
) -> A
where
    T: Send,
    R: Send,
    A: Send,
    F: Future<Output = R>,
{
    if threads <= 1 || items.len() <= 1 {
        return one_by_one(items, job, first, add).await;
    }
    let threads = threads.min(items.len());
    let next = std::sync::Mutex::new(items.into_iter().enumerate());
    let take = || next.lock().expect("no thread panics while it takes an item").next();
    let folded =
        std::sync::Mutex::new(InOrder { done: 0, early: BTreeMap::new(), sum: Some(first) });
    std::thread::scope(|scope| {
        // The other threads have items of their own: nobody helps with a product.
        let work = || {
            team::alone(|| {
                while let Some((index, item)) = take() {
                    let result = pollster::block_on(job(item));
                    let mut folded = folded.lock().expect("no thread panics while it adds");
                    folded.take(index, result, &add);
                }
            });
        };
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        work();
        for other in others {
            other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        }
    });
    folded.into_inner().expect("no thread panicked").sum.expect("it is put back")
}

/// Awaits `here` while a thread of its own awaits what `job` begins.
#[cfg(not(target_family = "wasm"))]
pub async fn beside<R: Send, S, F: Future<Output = R>>(
    job: impl FnOnce() -> F + Send,
    here: impl Future<Output = S>,
) -> (R, S) {
    std::thread::scope(|scope| {
        let there = scope.spawn(|| team::alone(|| pollster::block_on(job())));
        let here = pollster::block_on(here);
        (there.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)), here)
    })
}

/// Awaits `here`, and before it what `job` begins: there is one thread.
#[cfg(target_family = "wasm")]
pub async fn beside<R, S, F: Future<Output = R>>(
    job: impl FnOnce() -> F,
    here: impl Future<Output = S>,
) -> (R, S) {
    (job().await, here.await)
}

/// Results as they come, folded in their order.
#[cfg(not(target_family = "wasm"))]
struct InOrder<R, A> {
    /// Results that were folded.
    done: usize,
    /// Those that came before others that precede them.
    early: BTreeMap<usize, R>,
    sum: Option<A>,
}

#[cfg(not(target_family = "wasm"))]
impl<R, A> InOrder<R, A> {
    fn take(&mut self, index: usize, result: R, add: &impl Fn(A, R) -> A) {
        self.early.insert(index, result);
        while let Some(result) = self.early.remove(&self.done) {
            let sum = self.sum.take().expect("it is put back");
            self.sum = Some(add(sum, result));
            self.done += 1;
        }
    }
}

/// Runs `job` on each item and returns the results in the items' order.
#[cfg(target_family = "wasm")]
pub async fn map<T, R, F>(_threads: usize, items: Vec<T>, job: impl Fn(T) -> F) -> Vec<R>
where
    F: Future<Output = R>,
{
    let results = Vec::with_capacity(items.len());
    fold(1, items, job, results, |mut results, result| {
        results.push(result);
        results
    })
    .await
}

/// Runs `job` on each item and folds the results in the items' order.
#[cfg(target_family = "wasm")]
pub async fn fold<T, R, A, F>(
    _threads: usize,
    items: Vec<T>,
    job: impl Fn(T) -> F,
    first: A,
    add: impl Fn(A, R) -> A,
) -> A
where
    F: Future<Output = R>,
{
    one_by_one(items, job, first, add).await
}

async fn one_by_one<T, R, A, F: Future<Output = R>>(
    items: Vec<T>,
    job: impl Fn(T) -> F,
    first: A,
    add: impl Fn(A, R) -> A,
) -> A {
    let mut sum = first;
    for item in items {
        sum = add(sum, job(item).await);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_stand_in_the_order_of_the_items() {
        for threads in [1, 2, 3, 100] {
            let squares =
                pollster::block_on(map(threads, (0..50u64).collect(), |n| async move { n * n }));
            assert!(squares.iter().enumerate().all(|(i, square)| *square == (i * i) as u64));
        }
    }

    /// Halving and adding is another number in another order.
    #[test]
    fn results_are_folded_in_the_order_of_the_items() {
        let halved = |threads| {
            let job = |n: u64| async move { n as f64 };
            pollster::block_on(fold(threads, (0..50).collect(), job, 0.0, |sum, n| sum / 2.0 + n))
        };
        let want = (0..50).fold(0.0, |sum, n| sum / 2.0 + f64::from(n));
        assert!([1, 2, 3, 100].into_iter().all(|threads| halved(threads) == want));
    }
}
