//! The resource `talk`: a conversation that asks the agent as it is now.

use std::cell::RefCell;
use std::rc::Rc;

use archer_session::Fault;
use archer_session::session::talk;
use archer_session::session::{Reply, Request};
use archer_world::Choices;

use crate::agent::Held;
use crate::bindings::{self as wit, Error};
use crate::convert::{self, error};
use crate::host::ended;

/// The resource.
pub struct Talk {
    agent: Rc<RefCell<Held>>,
    seed: u64,
    known: RefCell<Known>,
}

/// What was said and replied.
struct Known {
    opening: String,
    exchanges: Vec<(String, String)>,
    /// What was said and not yet answered.
    open: Option<String>,
    choices: Option<Choices>,
}

impl Talk {
    /// A conversation with an agent.
    pub fn new(agent: Rc<RefCell<Held>>, options: wit::TalkOptions) -> Self {
        let known = Known {
            opening: ended(options.opening),
            exchanges: options.exchanges,
            open: None,
            choices: options.choices,
        };
        Self { agent, seed: options.seed, known: RefCell::new(known) }
    }

    /// The conversation as the session reads it.
    fn talk(&self) -> talk::Talk {
        let known = self.known.borrow();
        talk::Talk {
            opening: known.opening.clone(),
            exchanges: known.exchanges.clone(),
            choices: known.choices.clone(),
            unread: Vec::new(),
        }
    }

    /// Takes note of what was said.
    fn said(&self, text: &str) {
        self.known.borrow_mut().open = Some(text.to_string());
    }

    /// Fails where an answer is due.
    fn may_speak(&self) -> Result<(), Error> {
        match &self.known.borrow().open {
            None => Ok(()),
            Some(said) => Err(error(Fault::usage(
                format!("{said:?} was not yet answered"),
                "Tell the reply by hear first.",
            ))),
        }
    }
}

impl wit::GuestTalk for Talk {
    fn say(&self, options: wit::SayOptions) -> Result<wit::Utterance, Error> {
        self.may_speak()?;
        let request = Request::Say {
            talk: self.talk(),
            sample: options.sample,
            seed: self.seed,
            score: options.score,
            alternatives: options.alternatives as usize,
        };
        match self.agent.borrow_mut().call(request)? {
            Reply::Spoken(spoken) => {
                self.said(&spoken.text);
                Ok(convert::utterance(spoken))
            }
            reply => Err(convert::other(reply)),
        }
    }

    fn force(&self, text: String) -> Result<(), Error> {
        self.may_speak()?;
        self.said(&text);
        Ok(())
    }

    fn hear(&self, reply: String, choices: Option<Choices>) -> Result<(), Error> {
        let mut known = self.known.borrow_mut();
        let said = known.open.take().ok_or_else(|| {
            error(Fault::usage(
                "nothing was said that could be answered",
                "Let the agent say something first.",
            ))
        })?;
        known.exchanges.push((said, reply));
        known.choices = choices;
        Ok(())
    }

    fn score(&self, texts: Vec<String>) -> Result<Vec<f64>, Error> {
        match self.agent.borrow_mut().call(Request::Score { talk: self.talk(), said: texts })? {
            Reply::Scores(scores) => Ok(scores),
            reply => Err(convert::other(reply)),
        }
    }

    fn inspect(&self, samples: u32, also: Vec<String>) -> Result<wit::Judgement, Error> {
        if self.agent.borrow().has_no_critic() {
            let hint = "Make the agent with the algorithm archer, which has one.";
            return Err(error(Fault::usage("the agent has no critic", hint)));
        }
        let said = self.known.borrow().open.clone();
        let samples = Some(samples as usize);
        match self.agent.borrow_mut().call(Request::Inspect {
            talk: self.talk(),
            said,
            samples,
            also,
        })? {
            Reply::Inspection(inspection) => Ok(convert::judgement(inspection)),
            reply => Err(convert::other(reply)),
        }
    }
}
