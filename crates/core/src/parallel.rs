//! Independent pieces of work on several threads, results in order.
//!
//! Small networks leave a second core idle: their tensors are too small to split. Micro-batches,
//! games and generations are independent of each other, so they are shared out whole. Each piece
//! computes the same whichever thread takes it, and results come back in the order of the pieces:
//! a run gives the same bytes on any number of threads. In a browser there is one thread and the
//! pieces simply follow each other, which is also right for a device that is no CPU.

use std::future::Future;

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
    if threads <= 1 || items.len() <= 1 {
        return one_by_one(items, job).await;
    }
    let threads = threads.min(items.len());
    let next = std::sync::Mutex::new(items.into_iter().enumerate());
    let take = || next.lock().expect("no thread panics while it takes an item").next();
    let mut results: Vec<(usize, R)> = std::thread::scope(|scope| {
        let work = || {
            let mut done = Vec::new();
            while let Some((index, item)) = take() {
                done.push((index, pollster::block_on(job(item))));
            }
            done
        };
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let mut results = work();
        for other in others {
            results.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        results
    });
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}

/// Runs `job` on each item and returns the results in the items' order.
#[cfg(target_family = "wasm")]
pub async fn map<T, R, F>(_threads: usize, items: Vec<T>, job: impl Fn(T) -> F) -> Vec<R>
where
    F: Future<Output = R>,
{
    one_by_one(items, job).await
}

async fn one_by_one<T, R, F: Future<Output = R>>(items: Vec<T>, job: impl Fn(T) -> F) -> Vec<R> {
    let mut results = Vec::with_capacity(items.len());
    for item in items {
        results.push(job(item).await);
    }
    results
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
}
