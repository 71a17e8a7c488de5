//! A world in a process, which is told lines of JSON and answers with lines of JSON.
//!
//! It is asked `about` first. A world that answers with `protocol` plays many games at once: each batch
//! borrows a process and tells it one line a turn. Any other world plays one game at a time, by `reset`
//! and `step`: it is run as many processes as there are games side by side.

mod child;
mod guard;
mod launcher;
mod many;
mod simple;

pub use launcher::without_launcher;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use archer_world::messages::{PROTOCOL, Request};
use archer_world::{About, Batch, Wait, WorldError, Worlds};
use serde_json::Value;

use self::child::{Launch, Process};
use self::many::ManyGames;
use self::simple::OneGameEach;
use crate::fault::{self, lost};
use crate::settings::{GuestSettings, Sink};

/// Opens the world of a command.
pub(crate) fn open(
    settings: &GuestSettings,
    sink: Option<Sink>,
) -> Result<Arc<dyn Worlds>, WorldError> {
    let words = settings.words()?;
    let name = settings.name.clone().unwrap_or_else(|| name_of(&words));
    let who = format!("the world {name} ({})", on_one_line(&words.join(" ")));
    let launch = Arc::new(Launch { words, who, timeout: settings.timeout(), sink });
    let mut process = Process::spawn(&launch)?;
    let (form, about) = match asked_about(&mut process)? {
        Some(said) => (Form::Many, about_itself(&mut process, said, settings)?),
        None => {
            if !process.is_sound() {
                process = Process::spawn(&launch)?;
            }
            simple::try_reset(&mut process)?;
            (Form::Simple, settings.about(&name)?)
        }
    };
    let most = match form {
        Form::Many => None,
        Form::Simple => Some(settings.processes.unwrap_or(16)),
    };
    let pool = Pool { launch, most, idle: Mutex::new(Idle { processes: vec![process], lent: 0 }) };
    Ok(Arc::new(Processes { about, form, pool: Arc::new(pool) }))
}

/// A name for the world of a command: that of the last file in it, without its ending.
fn name_of(words: &[String]) -> String {
    let file = words.iter().rev().find(|word| !word.starts_with('-') && word.contains('.'));
    let path = Path::new(file.unwrap_or(&words[0]));
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    stem.filter(|stem| !stem.is_empty()).unwrap_or_else(|| "world".to_string())
}

/// A command as it stands in a sentence: a script within it may have many lines.
fn on_one_line(command: &str) -> String {
    const SHOWN: usize = 120;
    let mut line: String = command
        .chars()
        .take(SHOWN)
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect();
    if command.chars().nth(SHOWN).is_some() {
        line.push('…');
    }
    line
}

/// Which messages a world understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Many,
    Simple,
}

/// Asks a world what it is; none where it does not know the question, of which it may have died.
fn asked_about(process: &mut Process) -> Result<Option<Value>, WorldError> {
    process.send(line(&Request::About))?;
    match process.receive() {
        Ok(said) => {
            let told = ["protocol", "max_turns"].iter().any(|field| said.get(field).is_some());
            Ok(told.then_some(said))
        }
        Err(_) if process.died() => Ok(None),
        Err(error) => Err(error),
    }
}

fn about_itself(
    process: &mut Process,
    said: Value,
    settings: &GuestSettings,
) -> Result<About, WorldError> {
    let form = "answer about with name, max_turns and protocol";
    match said.get("protocol").map(Value::as_u64) {
        None => return Err(process.fault("did not say its protocol when asked about itself", form)),
        Some(Some(version)) if version == u64::from(PROTOCOL) => {}
        Some(_) => {
            let what = format!("speaks protocol {}", said["protocol"]);
            return Err(process.fault(&what, &format!("this program speaks protocol {PROTOCOL}")));
        }
    }
    let said: About = serde_json::from_value(said)
        .map_err(|error| process.fault(&format!("did not say what it is ({error})"), form))?;
    let about = settings.amend(said)?;
    for (setting, given) in [("max_turns", settings.max_turns), ("tasks", settings.tasks)] {
        if given.is_some() {
            let what = format!("is set, but the world {} says it itself", about.name);
            return Err(fault::setting(setting, &what, "leave it out"));
        }
    }
    Ok(about)
}

/// A request as the line that is sent.
fn line(request: &impl serde::Serialize) -> Vec<u8> {
    let mut line = serde_json::to_vec(request).expect("a request is JSON");
    line.push(b'\n');
    line
}

/// A world of processes.
struct Processes {
    about: About,
    form: Form,
    pool: Arc<Pool>,
}

impl Worlds for Processes {
    fn about(&self) -> &About {
        &self.about
    }

    fn open(&self, games: usize) -> Wait<'_, Box<dyn Batch>> {
        Box::pin(async move {
            Ok(match self.form {
                Form::Many => {
                    let process = self.pool.lend(1)?.remove(0);
                    Box::new(ManyGames::new(self.pool.clone(), process)) as Box<dyn Batch>
                }
                Form::Simple => {
                    let processes = self.pool.lend(games)?;
                    let (turns, tasks) = (self.about.max_turns, self.about.tasks);
                    Box::new(OneGameEach::new(self.pool.clone(), processes, turns, tasks))
                }
            })
        })
    }

    fn capacity(&self) -> Option<usize> {
        self.pool.most
    }
}

/// The processes of a world that no batch uses, and how many are lent.
struct Pool {
    launch: Arc<Launch>,
    /// The most processes, over all batches.
    most: Option<usize>,
    idle: Mutex<Idle>,
}

struct Idle {
    processes: Vec<Process>,
    lent: usize,
}

impl Pool {
    fn idle(&self) -> MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// So many processes, idle ones first.
    ///
    /// # Errors
    /// If they are more than there may be, or one cannot be started.
    fn lend(&self, wanted: usize) -> Result<Vec<Process>, WorldError> {
        let mut processes = {
            let mut idle = self.idle();
            if let Some(most) = self.most
                && idle.lent + wanted > most
            {
                let what = format!(
                    "plays at most {most} games side by side, and {} are wanted",
                    idle.lent + wanted
                );
                return Err(lost(&self.launch.who, &what, "raise processes, or play fewer games"));
            }
            idle.lent += wanted;
            let kept = idle.processes.len().saturating_sub(wanted);
            idle.processes.split_off(kept)
        };
        while processes.len() < wanted {
            match Process::spawn(&self.launch) {
                Ok(process) => processes.push(process),
                Err(error) => {
                    self.idle().lent -= wanted;
                    return Err(error);
                }
            }
        }
        Ok(processes)
    }

    /// Takes processes back; those with which something is wrong end here.
    fn give_back(&self, processes: impl IntoIterator<Item = Process>) {
        for process in processes {
            let mut idle = self.idle();
            idle.lent -= 1;
            if process.is_sound() {
                idle.processes.push(process);
            }
        }
    }
}

impl Drop for Pool {
    /// Lets all worlds end at the same time, not one after the other.
    fn drop(&mut self) {
        self.idle().processes.iter_mut().for_each(Process::hang_up);
    }
}
