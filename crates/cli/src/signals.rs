//! The wish to stop: Ctrl-C, and what a scheduler or a closing terminal sends (SIGTERM, SIGHUP).
//!
//! The first signal asks for a stop. Whoever works looks between two steps, saves and ends. A step may
//! take minutes, or wait for a world that does not answer: so some seconds later the listening side
//! saves what the last whole step left ([`Stop::leave_by`]) and ends the process in the middle of the
//! step. A second signal ends the process at once, unless it is the repetition that some schedulers send.
//!
//! | signal | exit code |
//! |---|---|
//! | Ctrl-C (SIGINT) | 130 |
//! | SIGTERM | 143 |
//! | SIGHUP | 129 |

use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use crate::clock::Stopwatch;
use crate::error::Error;
use crate::progress::Speaker;

/// How long a step in progress may go on after the first signal.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// How long after the first signal a further one may still be the same wish. Slurm sends SIGTERM to every
/// process of a step, and its daemons send it once more; a person who presses Ctrl-C twice means it.
const REPETITION_SECONDS: f64 = 1.0;

/// Time between two attempts to leave, where nothing whole is at hand.
const AGAIN: Duration = Duration::from_millis(200);

/// The exit code of what was stopped by Ctrl-C.
const INTERRUPTED: u8 = 130;

/// The exit code that the first signal asked for; a process is stopped once.
static CODE: AtomicU8 = AtomicU8::new(INTERRUPTED);

/// The exit code of a command that was stopped.
pub fn exit_code() -> u8 {
    CODE.load(Ordering::SeqCst)
}

/// Saves what can be saved and says so; `None` where nothing whole is at hand yet.
type Rescue = Box<dyn FnMut() -> Option<Error> + Send>;

struct Shared {
    requested: AtomicBool,
    /// When the first signal came.
    since: OnceLock<Stopwatch>,
    speaker: Speaker,
    patience: Duration,
    rescue: Mutex<Option<Rescue>>,
}

impl Shared {
    fn rescue(&self) -> MutexGuard<'_, Option<Rescue>> {
        self.rescue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The wish to stop.
#[derive(Clone)]
pub struct Stop(Arc<Shared>);

impl Stop {
    /// Listens from now on. A step in progress may go on for `patience` after the first signal.
    pub fn listen(speaker: Speaker, patience: Duration) -> Stop {
        let (requested, rescue) = (AtomicBool::new(false), Mutex::new(None));
        let since = OnceLock::new();
        let stop = Stop(Arc::new(Shared { requested, since, speaker, patience, rescue }));
        system::listen(stop.clone());
        stop
    }

    /// Whether a signal has come.
    pub fn requested(&self) -> bool {
        self.0.requested.load(Ordering::SeqCst)
    }

    /// Says what saves the work while a step is in progress. It is called on another thread, once the
    /// step has had its time; the process ends after it.
    pub fn leave_by(&self, rescue: impl FnMut() -> Option<Error> + Send + 'static) {
        *self.0.rescue() = Some(Box::new(rescue));
    }

    /// Says that whoever works ends by himself. Where the other thread is saving already, this does not
    /// return, for the process ends.
    pub fn work_is_done(&self) {
        *self.0.rescue() = None;
    }

    /// Takes a signal, whose exit code is `code`.
    fn signalled(&self, code: u8) {
        let since = self.0.since.get_or_init(Stopwatch::start);
        if self.0.requested.swap(true, Ordering::SeqCst) {
            if !repeats(exit_code(), code, since.seconds()) {
                system::leave(code);
            }
            return;
        }
        CODE.store(code, Ordering::SeqCst);
        if !self.0.patience.is_zero() {
            self.0.speaker.say(&format!(
                "stopping: the step in progress has {} seconds, then everything before it is saved; another Ctrl-C leaves at once",
                self.0.patience.as_secs()
            ));
        }
        let stop = self.clone();
        thread::spawn(move || stop.leave_in_time());
    }

    fn leave_in_time(&self) {
        thread::sleep(self.0.patience);
        loop {
            let mut rescue = self.0.rescue();
            if let Some(error) = rescue.as_mut().and_then(|rescue| rescue()) {
                self.0.speaker.finish();
                let _ = writeln!(std::io::stderr(), "{error}");
                // The lock is held to the end: nobody writes any more.
                system::leave(error.code());
            }
            drop(rescue);
            thread::sleep(AGAIN);
        }
    }
}

/// Whether a signal so many seconds after the first one is only the repetition that some schedulers send. It
/// is none where either of them is Ctrl-C, for then a person is there. Two signals at once come in the order of
/// their numbers, so the first may have been sent last.
fn repeats(first: u8, code: u8, seconds: f64) -> bool {
    ![first, code].contains(&INTERRUPTED) && seconds < REPETITION_SECONDS
}

/// Goes on in spite of a signal: another process answers it, saves, and ends the company of all. Where that
/// one does not come to it in `patience`, this process ends as the signal asks.
pub fn outlast(patience: Duration) {
    system::outlast(patience);
}

#[cfg(unix)]
mod system {
    use std::thread;
    use std::time::Duration;

    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;

    use super::Stop;

    /// Listens on a thread. What was ignored when the program began stays ignored, as `nohup` means it;
    /// but for Ctrl-C, which a shell ignores for every command in the background.
    pub fn listen(stop: Stop) {
        let Some(mut signals) = heard() else { return };
        thread::spawn(move || {
            for signal in signals.forever() {
                stop.signalled(128 + signal as u8);
            }
        });
    }

    /// Listens on a thread, and ends the process so long after the first signal.
    pub fn outlast(patience: Duration) {
        let Some(mut signals) = heard() else { return };
        thread::spawn(move || {
            if let Some(signal) = signals.forever().next() {
                thread::sleep(patience);
                leave(128 + signal as u8);
            }
        });
    }

    /// Without a listener a signal simply ends the process, which is no reason not to train.
    fn heard() -> Option<Signals> {
        let heard = [SIGINT, SIGTERM, SIGHUP];
        let heard = heard.into_iter().filter(|&signal| signal == SIGINT || !is_ignored(signal));
        Signals::new(heard).ok()
    }

    #[allow(unsafe_code, reason = "only the C library knows what is done about a signal")]
    fn is_ignored(signal: i32) -> bool {
        // SAFETY: no new action is given, and the present one is written into a value of its type, of
        // which all bits may be zero.
        unsafe {
            let mut present: libc::sigaction = std::mem::zeroed();
            libc::sigaction(signal, std::ptr::null(), &mut present) == 0
                && present.sa_sigaction == libc::SIG_IGN
        }
    }

    /// Ends the process without waiting for the threads that still compute.
    pub fn leave(code: u8) -> ! {
        signal_hook::low_level::exit(i32::from(code))
    }
}

#[cfg(not(unix))]
mod system {
    use std::time::Duration;

    use super::{INTERRUPTED, Stop};

    /// Listens on the thread of the library, to whatever ends a program here.
    pub fn listen(stop: Stop) {
        let _ = ctrlc::set_handler(move || stop.signalled(INTERRUPTED));
    }

    /// Whoever started the processes ends them.
    pub fn outlast(_: Duration) {}

    /// Ends the process.
    pub fn leave(code: u8) -> ! {
        std::process::exit(i32::from(code))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TERMINATED: u8 = 143;
    const HUNG_UP: u8 = 129;

    #[test]
    fn a_scheduler_repeats_itself_and_a_person_does_not() {
        assert!(repeats(TERMINATED, TERMINATED, 0.2));
        assert!(repeats(TERMINATED, HUNG_UP, 0.2));
        assert!(!repeats(TERMINATED, TERMINATED, 1.5));
        assert!(!repeats(INTERRUPTED, TERMINATED, 0.0));
        assert!(!repeats(TERMINATED, INTERRUPTED, 0.0));
        assert!(!repeats(INTERRUPTED, INTERRUPTED, 0.2));
    }
}
