//! Long work driven so that others come to their turn.
//!
//! The core yields between two pieces of a step ([`archer::yielding`]). Whoever drives the step by
//! [`drive`] is asked at each yield what to do: go on, wait, or give the work up. This is plain
//! Rust; the caller decides what waiting means (a turn of a browser's event loop). [`advance`] is for a
//! caller that waits for nothing, and takes a piece at a time.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

/// Does some work, asking `rest` at each of its yields: nothing to wait for, or something after
/// which the work goes on where it is true, and is dropped where it is false. `None` if it was
/// dropped.
pub async fn drive<T, R: Future<Output = bool>>(
    work: impl Future<Output = T>,
    mut rest: impl FnMut() -> Option<R>,
) -> Option<T> {
    let mut work = pin!(work);
    let yielded = Arc::new(YieldWaker::default());
    let waker = Waker::from(yielded.clone());
    loop {
        let done = poll_fn(|context| {
            yielded.begin();
            match work.as_mut().poll(&mut Context::from_waker(&waker)) {
                Poll::Ready(done) => Poll::Ready(Some(done)),
                Poll::Pending if yielded.taken(context.waker()) => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
            }
        })
        .await;
        if done.is_some() {
            return done;
        }
        if let Some(rest) = rest()
            && !rest.await
        {
            return None;
        }
    }
}

/// Does up to so many pieces of some work that waits for nothing but its own yields, and gives what comes
/// of it where it is done. `before` is asked before each piece, and ends it with an error.
///
/// # Errors
/// What `before` says; the work can be dropped or gone on with.
pub fn advance<T, E>(
    mut work: Pin<&mut dyn Future<Output = T>>,
    pieces: usize,
    mut before: impl FnMut() -> Result<(), E>,
) -> Result<Option<T>, E> {
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..pieces {
        before()?;
        if let Poll::Ready(done) = work.as_mut().poll(&mut context) {
            return Ok(Some(done));
        }
    }
    Ok(None)
}

/// Tells a yield, which wakes its task before it returns, from waiting for a device, which does
/// so later.
#[derive(Default)]
struct YieldWaker(Mutex<Woken>);

#[derive(Default)]
struct Woken {
    already: bool,
    /// Who waits for the work.
    waiting: Option<Waker>,
}

impl YieldWaker {
    fn woken(&self) -> std::sync::MutexGuard<'_, Woken> {
        self.0.lock().expect("nothing panics while it holds this")
    }

    fn begin(&self) {
        *self.woken() = Woken::default();
    }

    /// Whether it was woken since it began; if not, this one will be.
    fn taken(&self, waker: &Waker) -> bool {
        let mut woken = self.woken();
        woken.waiting = (!woken.already).then(|| waker.clone());
        woken.already
    }
}

impl Wake for YieldWaker {
    fn wake(self: Arc<Self>) {
        let waiting = {
            let mut woken = self.woken();
            woken.already = true;
            woken.waiting.take()
        };
        waiting.inspect(Waker::wake_by_ref);
    }
}

#[cfg(test)]
mod tests {
    use std::future::{Ready, ready};

    use archer::yielding::yield_now;
    use pollster::block_on;

    use super::*;

    async fn count(done: &mut usize) -> usize {
        for _ in 0..5 {
            *done += 1;
            yield_now().await;
        }
        *done
    }

    #[test]
    fn work_goes_on_after_each_yield() {
        let (mut done, mut yields) = (0, 0);
        let rest = || {
            yields += 1;
            (yields % 2 == 0).then(|| ready(true))
        };
        assert_eq!(block_on(drive(count(&mut done), rest)), Some(5));
        assert_eq!(yields, 5);
    }

    #[test]
    fn work_that_is_given_up_stops_at_its_next_yield() {
        let (mut done, mut yields) = (0, 0);
        let rest = || {
            yields += 1;
            Some(ready(yields < 3))
        };
        assert_eq!(block_on(drive(count(&mut done), rest)), None);
        assert_eq!(done, 3);
    }

    #[test]
    fn work_is_done_some_pieces_at_a_time() {
        let mut done = 0;
        let mut asked = 0;
        let mut before = || {
            asked += 1;
            if asked == 5 { Err("enough") } else { Ok(()) }
        };
        let mut work = pin!(count(&mut done));
        assert_eq!(advance(work.as_mut(), 3, &mut before), Ok(None));
        assert_eq!(advance(work.as_mut(), 2, &mut before), Err("enough"));
        assert_eq!(advance(work.as_mut(), 2, &mut before), Ok(Some(5)));
        assert_eq!(asked, 7);
    }

    #[test]
    fn waiting_for_something_else_is_no_yield() {
        let (tell, told) = std::sync::mpsc::channel::<Waker>();
        let teller = std::thread::spawn(move || told.recv().unwrap().wake());
        let mut asked = false;
        let work = poll_fn(|context| {
            if std::mem::replace(&mut asked, true) {
                return Poll::Ready(7);
            }
            tell.send(context.waker().clone()).unwrap();
            Poll::Pending
        });
        let rest = || -> Option<Ready<bool>> { None };
        assert_eq!(block_on(drive(work, rest)), Some(7));
        teller.join().unwrap();
    }
}
