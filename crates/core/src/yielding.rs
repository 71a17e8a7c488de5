//! Cooperative yields: where a long step can be held up, or given up, by whoever drives it.
//!
//! A step computes for a second or more. A browser's worker handles no message meanwhile. So the
//! long loops yield between two pieces of work: their future is pending once and asks to be polled
//! again at once. A shell that blocks continues without noticing. A shell that polls by hand may
//! handle messages in between, wait as long as it likes, or drop the future. What is computed does
//! not depend on it.

use std::future::poll_fn;
use std::task::Poll;

/// Is pending once, and wakes its task at once.
pub async fn yield_now() {
    let mut yielded = false;
    poll_fn(|context| {
        if yielded {
            return Poll::Ready(());
        }
        yielded = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
