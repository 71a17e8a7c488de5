//! Where a long step can be held up, or given up, by whoever drives it.
//!
//! A step computes for a second or more. In a terminal nobody minds; in a browser's worker no
//! message is heard meanwhile. So the long loops take a breath between two pieces of work: their
//! future is pending once and asks to be polled again at once. A shell that blocks goes on without
//! noticing; one that polls by hand may look round in between, wait as long as it likes, or drop
//! the future. What is computed does not depend on it.

use std::future::poll_fn;
use std::task::Poll;

/// Is pending once, and wakes its task at once.
pub async fn breathe() {
    let mut breathed = false;
    poll_fn(|context| {
        if breathed {
            return Poll::Ready(());
        }
        breathed = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
