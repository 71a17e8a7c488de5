//! Long work driven so that others come to their turn.
//!
//! The core takes a breath between two pieces of a step ([`archer::breath`]). Whoever drives the
//! step by [`drive`] is asked at each breath what to do: go on, wait, or give the work up. This is
//! plain Rust; what waiting means (a turn of a browser's event loop) the caller brings along.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

/// Does some work, asking `rest` at each of its breaths: nothing to wait for, or something after
/// which the work goes on where it is true, and is dropped where it is false. `None` if it was
/// dropped.
pub async fn drive<T, R: Future<Output = bool>>(
    work: impl Future<Output = T>,
    mut rest: impl FnMut() -> Option<R>,
) -> Option<T> {
    let mut work = pin!(work);
    let breath = Arc::new(Breath::default());
    let waker = Waker::from(breath.clone());
    loop {
        let done = poll_fn(|context| {
            breath.begin();
            match work.as_mut().poll(&mut Context::from_waker(&waker)) {
                Poll::Ready(done) => Poll::Ready(Some(done)),
                Poll::Pending if breath.taken(context.waker()) => Poll::Ready(None),
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

/// Tells a breath, which wakes its task before it returns, from waiting for a device, which does
/// so later.
#[derive(Default)]
struct Breath(Mutex<Woken>);

#[derive(Default)]
struct Woken {
    already: bool,
    /// Who waits for the work.
    waiting: Option<Waker>,
}

impl Breath {
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

impl Wake for Breath {
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

    use archer::breath::breathe;
    use pollster::block_on;

    use super::*;

    async fn count(done: &mut usize) -> usize {
        for _ in 0..5 {
            *done += 1;
            breathe().await;
        }
        *done
    }

    #[test]
    fn work_goes_on_after_each_breath() {
        let (mut done, mut breaths) = (0, 0);
        let rest = || {
            breaths += 1;
            (breaths % 2 == 0).then(|| ready(true))
        };
        assert_eq!(block_on(drive(count(&mut done), rest)), Some(5));
        assert_eq!(breaths, 5);
    }

    #[test]
    fn work_that_is_given_up_stops_at_its_next_breath() {
        let (mut done, mut breaths) = (0, 0);
        let rest = || {
            breaths += 1;
            Some(ready(breaths < 3))
        };
        assert_eq!(block_on(drive(count(&mut done), rest)), None);
        assert_eq!(done, 3);
    }

    #[test]
    fn waiting_for_something_else_is_no_breath() {
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
