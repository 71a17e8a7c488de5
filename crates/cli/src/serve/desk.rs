//! The one place that owns the agent: it carries out calls in their order, and lets the agent speak in
//! many games at once.

use archer::agent::Agent;
use archer::nn::sampling::Sampler;
use archer::rng;
use archer::talk::{self, MOST_SAMPLES, Speaker, Spoken, Turn};
use pollster::block_on;

use super::games::{Bounds, Games, longest};
use super::requests::{
    Answer, Call, Fault, Inspect, Inspection, Judged, Likely, Model, Of, Parameters, Reads, Reply,
    Said, Say, Turns,
};

/// The agent and the games that it plays.
pub struct Desk<'a> {
    agent: &'a Agent,
    speaker: Speaker<'a>,
    games: Games,
}

/// A call to speak that others wait with.
struct Waiting {
    /// The place of its answer.
    place: usize,
    say: Say,
    sampler: Sampler,
}

impl<'a> Desk<'a> {
    /// An agent in no game, whose work so many threads share.
    pub fn new(agent: &'a Agent, threads: usize, bounds: Bounds) -> Self {
        let games = Games::new(bounds, longest(agent));
        Self { agent, speaker: Speaker::new(agent, threads), games }
    }

    /// Drops the games that nobody asked for.
    pub fn drop_idle(&mut self, now: f64) {
        for game in self.games.drop_idle(now) {
            self.speaker.forget(game);
        }
    }

    /// Games that are open.
    pub fn games(&self) -> usize {
        self.games.len()
    }

    /// Carries out calls, each as if those before it had been answered. Utterances of different games are
    /// said together, as long as nothing between them asks for a game that is to be spoken in.
    pub fn answer(&mut self, calls: Vec<Result<Call, Fault>>, now: f64) -> Vec<Answer> {
        let mut answers: Vec<Option<Answer>> = calls.iter().map(|_| None).collect();
        let mut waiting: Vec<Waiting> = Vec::new();
        for (place, call) in calls.into_iter().enumerate() {
            let asks = call.as_ref().ok().and_then(Call::game);
            if waiting.iter().any(|before| Some(before.say.game) == asks) {
                self.speak(std::mem::take(&mut waiting), &mut answers, now);
            }
            match call {
                Ok(Call::Say(say)) => match self.prepare(say, now) {
                    Ok((say, sampler)) => waiting.push(Waiting { place, say, sampler }),
                    Err(fault) => answers[place] = Some(Err(fault)),
                },
                Ok(call) => answers[place] = Some(self.carry_out(call, now)),
                Err(fault) => answers[place] = Some(Err(fault)),
            }
        }
        self.speak(waiting, &mut answers, now);
        let lost = || Err(Fault::new(500, "internal", "the call has no answer"));
        answers.into_iter().map(|answer| answer.unwrap_or_else(lost)).collect()
    }

    /// Carries out anything but speaking.
    fn carry_out(&mut self, call: Call, now: f64) -> Answer {
        Ok(match call {
            Call::Start(start) => {
                let id = self.games.start(self.agent, start, now)?;
                Reply::Game(Box::new(self.games.get(id, now)?.shown(id)))
            }
            Call::Hear(hear) => {
                let game = hear.game;
                let turns = self.games.hear(self.agent, hear, now)?;
                Reply::Turns(Turns { game, turns })
            }
            Call::Inspect(inspect) => Reply::Inspection(self.inspect(&inspect, now)?),
            Call::Game(Of { game }) => {
                Reply::Game(Box::new(self.games.get(game, now)?.shown(game)))
            }
            Call::Close(Of { game }) => {
                let turns = self.games.close(game)?;
                self.speaker.forget(game);
                Reply::Turns(Turns { game, turns })
            }
            Call::Say(say) => {
                let (say, sampler) = self.prepare(say, now)?;
                let mut answers = [None];
                self.speak(vec![Waiting { place: 0, say, sampler }], &mut answers, now);
                let [answer] = answers;
                answer.unwrap_or_else(|| Err(Fault::new(500, "internal", "nothing was said")))?
            }
        })
    }

    /// Whether a call to speak can be carried out, and how the agent is to draw.
    fn prepare(&mut self, mut say: Say, now: f64) -> Result<(Say, Sampler), Fault> {
        /// What a sample may be divided by, as in a configuration.
        const TEMPERATURES: std::ops::RangeInclusive<f64> = 1e-3..=100.0;
        counted("alternatives", say.alternatives)?;
        let mut sampler = self.agent.about.sampler(say.sample);
        match (say.temperature, say.sample) {
            (None, _) => {}
            (Some(_), false) => {
                return Err(Fault::usage(
                    "temperature is that of a sample: add \"sample\": true, or leave it out",
                ));
            }
            (Some(temperature), true) if TEMPERATURES.contains(&temperature) => {
                sampler.temperature = temperature;
            }
            (Some(temperature), true) => {
                return Err(Fault::usage(format!(
                    "temperature = {temperature}: it must be at least 0.001 and at most 100"
                )));
            }
        }
        self.games.may_say(self.agent, say.game, say.choices.take(), now)?;
        Ok((say, sampler))
    }

    /// Lets the agent speak in some different games, in one batch for each way of drawing.
    fn speak(&mut self, waiting: Vec<Waiting>, answers: &mut [Option<Answer>], now: f64) {
        let mut left = waiting;
        while let Some(first) = left.first() {
            let sampler = first.sampler.clone();
            let (now_said, others): (Vec<Waiting>, Vec<Waiting>) =
                left.into_iter().partition(|waiting| waiting.sampler == sampler);
            left = others;
            match self.utter(&now_said, &sampler) {
                Ok(said) => {
                    for (waiting, spoken) in now_said.iter().zip(said) {
                        answers[waiting.place] = Some(self.told(&waiting.say, spoken, now));
                    }
                }
                // What is wrong with one game must not silence the others.
                Err(_) if now_said.len() > 1 => {
                    for waiting in &now_said {
                        let said = self.utter(std::slice::from_ref(waiting), &sampler);
                        let said = said.map(|mut said| said.remove(0));
                        let told = said.and_then(|spoken| self.told(&waiting.say, spoken, now));
                        answers[waiting.place] = Some(told);
                    }
                }
                Err(fault) => {
                    for waiting in &now_said {
                        answers[waiting.place] = Some(Err(fault.clone()));
                    }
                }
            }
        }
    }

    /// One utterance for each game, in one batch.
    fn utter(&mut self, waiting: &[Waiting], sampler: &Sampler) -> Result<Vec<Spoken>, Fault> {
        let games = &self.games;
        let turns = waiting.iter().filter_map(|Waiting { say, .. }| {
            let game = games.peek(say.game)?;
            let seed = say.seed.unwrap_or(game.seed());
            Some(Turn {
                game: say.game,
                transcript: game.transcript(),
                choices: game.choices(),
                // A turn has a generator of its own, as on a page.
                rng: rng::stream(seed, "play", game.turn()),
            })
        });
        let turns: Vec<Turn<'_>> = turns.collect();
        Ok(block_on(self.speaker.say(&turns, sampler))?)
    }

    /// Notes what the agent said, with what else it may have said.
    fn told(&mut self, say: &Say, spoken: Spoken, now: f64) -> Answer {
        let Spoken { text, log_prob } = spoken;
        let game = self.games.get(say.game, now)?;
        let seen = game.transcript().text();
        let alternatives = match say.alternatives {
            0 => Vec::new(),
            n => {
                let likely = self.agent.likely(&seen, game.choices(), &text, n, game.turn());
                block_on(likely)?.1
            }
        };
        let likely = |Spoken { text, log_prob }| Likely { text, log_prob: f64::from(log_prob) };
        game.said(text.clone());
        Ok(Reply::Said(Said {
            game: say.game,
            text,
            log_prob: f64::from(log_prob),
            alternatives: alternatives.into_iter().map(likely).collect(),
            tokens_left_out: self.agent.tokens_left_out(&seen),
        }))
    }

    fn inspect(&mut self, inspect: &Inspect, now: f64) -> Result<Inspection, Fault> {
        counted("samples", inspect.samples)?;
        if inspect.also.len() > MOST_SAMPLES {
            return Err(Fault::too_long(format!("also lists more than {MOST_SAMPLES} utterances")));
        }
        let game = self.games.get(inspect.game, now)?;
        if self.agent.critic.is_none() {
            return Err(Fault::new(
                422,
                "no_critic",
                "the model holds no critic, which alone knows what an utterance is worth: serve one that was trained by an algorithm with a critic",
            ));
        }
        let said = game.open().map(str::to_string);
        let (seen, draws) = (game.transcript().text(), (inspect.samples, game.turn()));
        let seen = block_on(self.agent.inspect(&seen, game.choices(), said, &inspect.also, draws))?;
        let judged = |it: talk::Judged| Judged {
            text: it.text,
            q1: f64::from(it.q[0]),
            q2: f64::from(it.q[1]),
            advantage: f64::from(it.advantage),
            probability: f64::from(it.log_prob).exp(),
        };
        let [v1, v2] = seen.v.map(f64::from);
        let alternatives = seen.alternatives.into_iter().map(judged).collect();
        Ok(Inspection { v1, v2, said: seen.said.map(judged), alternatives })
    }
}

/// What an agent of this name is.
pub fn model(agent: &Agent, name: String) -> Model {
    let Agent { about, actor, tokenizer, .. } = agent;
    let (all, actor_size) = (agent.parameters(), actor.size());
    Model {
        name,
        world: about.world.clone(),
        style: Reads::of(about),
        memory: about.memory,
        parameters: Parameters { actor: actor_size, critic: all - actor_size },
        vocabulary: tokenizer.vocab_size(),
        context: actor.config().positions.saturating_sub(about.max_new_tokens),
        max_new_tokens: about.max_new_tokens,
        temperature: about.temperature,
        retries: about.utterance_tries > 1,
        longest_game: longest(agent),
    }
}

/// Holds a number of draws to what is done at once.
fn counted(name: &str, n: usize) -> Result<(), Fault> {
    match n > MOST_SAMPLES {
        true => Err(Fault::usage(format!("{name} = {n}: it must be at most {MOST_SAMPLES}"))),
        false => Ok(()),
    }
}
