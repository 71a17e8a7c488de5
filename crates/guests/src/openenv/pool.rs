//! The sessions of a server: how many there may be, which are free, and that none falls asleep.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use archer_world::WorldError;

use super::session::{Reach, Refused, Session};

/// How often the pings of the server are answered. Servers hang up after tens of seconds.
const ALIVE_EVERY: Duration = Duration::from_secs(5);

/// A session that its user and the keeper share.
pub(super) type Shared = Arc<Mutex<Session>>;

/// The session, to use it.
pub(super) fn held(session: &Shared) -> MutexGuard<'_, Session> {
    session.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Sessions that are open.
pub(super) struct Pool {
    reach: Arc<Reach>,
    sessions: Arc<Mutex<Sessions>>,
    most: usize,
    /// Hangs up on the keeper when the pool goes.
    _keeper: Sender<()>,
}

struct Sessions {
    idle: Vec<Shared>,
    lent: usize,
    all: Vec<Weak<Mutex<Session>>>,
}

impl Pool {
    /// Opens sessions: so many, or as many as the server takes.
    ///
    /// # Errors
    /// If the server takes none.
    pub(super) fn open(reach: &Arc<Reach>, wanted: usize) -> Result<Pool, WorldError> {
        let mut idle: Vec<Shared> = Vec::new();
        while idle.len() < wanted {
            match Session::open(reach) {
                Ok(session) => idle.push(Arc::new(Mutex::new(session))),
                Err(Refused::Full(_)) if !idle.is_empty() => break,
                Err(refused) => return Err(refusal(reach, refused)),
            }
        }
        let all = idle.iter().map(Arc::downgrade).collect();
        let most = idle.len();
        let sessions = Arc::new(Mutex::new(Sessions { idle, lent: 0, all }));
        Ok(Pool { reach: reach.clone(), _keeper: keep_alive(&sessions), sessions, most })
    }

    /// The most games side by side.
    pub(super) fn most(&self) -> usize {
        self.most
    }

    /// Uses a session that is free.
    pub(super) fn with_one<T>(&self, used: impl FnOnce(&mut Session) -> T) -> T {
        let session = self.sessions().idle[0].clone();
        let mut session = held(&session);
        used(&mut session)
    }

    fn sessions(&self) -> MutexGuard<'_, Sessions> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// So many sessions. One that the server closed meanwhile is opened anew.
    ///
    /// # Errors
    /// If they are more than there may be, or one cannot be opened.
    pub(super) fn lend(&self, wanted: usize) -> Result<Vec<Shared>, WorldError> {
        let mut lent = self.take(wanted)?;
        lent.retain(|session| {
            let mut session = held(session);
            session.keep_alive();
            session.is_sound()
        });
        while lent.len() < wanted {
            match Session::open(&self.reach) {
                Ok(session) => {
                    let session = Arc::new(Mutex::new(session));
                    self.sessions().all.push(Arc::downgrade(&session));
                    lent.push(session);
                }
                Err(refused) => {
                    self.sessions().lent -= wanted;
                    return Err(refusal(&self.reach, refused));
                }
            }
        }
        Ok(lent)
    }

    fn take(&self, wanted: usize) -> Result<Vec<Shared>, WorldError> {
        let mut sessions = self.sessions();
        let all = sessions.lent + wanted;
        if all > self.most {
            let what =
                format!("plays at most {} games side by side, and {all} are wanted", self.most);
            let remedy = "raise sessions, let the server take more, or play fewer games";
            return Err(self.reach.lost(&what, remedy));
        }
        sessions.lent += wanted;
        sessions.all.retain(|session| session.strong_count() > 0);
        let kept = sessions.idle.len().saturating_sub(wanted);
        Ok(sessions.idle.split_off(kept))
    }

    /// Takes sessions back; those with which something is wrong end here.
    pub(super) fn give_back(&self, back: impl IntoIterator<Item = Shared>) {
        for session in back {
            let sound = held(&session).is_sound();
            let mut sessions = self.sessions();
            sessions.lent -= 1;
            if sound {
                sessions.idle.push(session);
            }
        }
    }
}

fn refusal(reach: &Reach, refused: Refused) -> WorldError {
    match refused {
        Refused::Lost(error) => error,
        Refused::Full(message) => {
            let what = format!("takes no more sessions (CAPACITY_REACHED: {message})");
            reach.lost(&what, "end its other clients, or let the server take more")
        }
    }
}

/// Answers pings on all sessions, until the sender that is returned is gone.
fn keep_alive(sessions: &Arc<Mutex<Sessions>>) -> Sender<()> {
    let (sender, gone) = channel::<()>();
    let sessions = Arc::downgrade(sessions);
    thread::spawn(move || {
        while let Err(RecvTimeoutError::Timeout) = gone.recv_timeout(ALIVE_EVERY) {
            let Some(sessions) = sessions.upgrade() else { return };
            let all = sessions.lock().unwrap_or_else(PoisonError::into_inner).all.clone();
            for session in all.iter().filter_map(Weak::upgrade) {
                // One that is in use is kept alive by its use.
                if let Ok(mut session) = session.try_lock() {
                    session.keep_alive();
                }
            }
        }
    });
    sender
}
