//! `archer score`: how likely a model is to say given utterances, and what its critic thinks of them.

use std::path::Path;
use std::sync::Arc;

use archer::agent::Agent;
use archer_world::{Choices, Game, Start, Worlds};
use pollster::block_on;
use serde::Serialize;

use crate::args;
use crate::device;
use crate::error::Error;
use crate::inspect;
use crate::model;
use crate::output;
use crate::worlds;

/// One utterance: what `archer score` prints, one JSON object a line.
#[derive(Debug, Serialize)]
struct Scored<'a> {
    /// The number of its game in the file, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    game: Option<usize>,
    /// The number of its turn, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    turn: Option<usize>,
    said: &'a str,
    /// The oldest tokens of the text that the actor has no places for, where there are some.
    #[serde(skip_serializing_if = "is_zero")]
    tokens_left_out: usize,
    /// The sum over its tokens, in nats.
    log_prob: f64,
    /// Its tokens in order, the end of its line included.
    tokens: Vec<ScoredToken>,
    /// What the critic thinks, where the model has one.
    #[serde(flatten)]
    values: Option<Values>,
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

#[derive(Debug, Serialize)]
struct ScoredToken {
    id: u32,
    text: String,
    log_prob: f32,
}

/// Discounted returns from here on: of the state, and of saying this in it.
#[derive(Debug, Serialize)]
struct Values {
    q1: f32,
    q2: f32,
    v1: f32,
    v2: f32,
}

/// Scores and prints.
pub fn run(args: &args::Score) -> Result<(), Error> {
    let device = device::open_for(&args.compute)?;
    let agent = model::load_as(&args.model, args.holding.weights, &device.device)?;
    match &args.games {
        Some(file) => score_games(&agent, file),
        None => {
            // A shell writes an end of line only with difficulty.
            let text = args.text.replace("\\n", "\n");
            let choices = (!args.choices.is_empty()).then_some(&args.choices);
            for said in &args.said {
                output::json(&score(&agent, &text, choices, said)?)?;
            }
            Ok(())
        }
    }
}

fn score_games(agent: &Agent, file: &Path) -> Result<(), Error> {
    let games = inspect::games(file)?;
    let named = |number: usize, error: Error| match error {
        Error::Usage(text) => Error::Usage(format!("{}: game {number}: {text}", file.display())),
        other => other,
    };
    let mut opening = None;
    for (number, game) in (1..).zip(&games) {
        let text = match &game.opening {
            Some(text) => text.clone(),
            None => {
                if opening.is_none() {
                    opening = Some(own_opening(agent).map_err(|error| named(number, error))?);
                }
                opening.clone().unwrap_or_default()
            }
        };
        score_game(agent, game, &text, number).map_err(|error| named(number, error))?;
    }
    Ok(())
}

fn score_game(agent: &Agent, game: &Game, opening: &str, number: usize) -> Result<(), Error> {
    let mut transcript = agent.about.transcript(opening);
    let mut choices = game.choices.as_ref();
    for (turn, exchange) in (1..).zip(&game.turns) {
        let mut scored = score(agent, &transcript.text(), choices, &exchange.said)?;
        (scored.game, scored.turn) = (Some(number), Some(turn));
        output::json(&scored)?;
        transcript.push(&exchange.said, &exchange.reply);
        choices = exchange.choices.as_ref();
    }
    Ok(())
}

fn score<'a>(
    agent: &Agent,
    observation: &str,
    choices: Option<&Choices>,
    said: &'a str,
) -> Result<Scored<'a>, Error> {
    let tokens = block_on(agent.token_log_probs(observation, choices, said))?;
    let values = match agent.critic {
        None => None,
        Some(_) => {
            let judged = block_on(agent.judge(observation, &[said]))?;
            let ([q1, q2], [v1, v2]) = (judged.q[0], judged.v);
            Some(Values { q1, q2, v1, v2 })
        }
    };
    let log_prob = tokens.iter().map(|(_, log_prob)| f64::from(*log_prob)).sum();
    let token = |(id, log_prob)| ScoredToken { id, text: agent.tokenizer.decode(&[id]), log_prob };
    let tokens = tokens.into_iter().map(token).collect();
    let tokens_left_out = agent.tokens_left_out(observation);
    Ok(Scored { game: None, turn: None, said, tokens_left_out, log_prob, tokens, values })
}

/// What a player of the model's world reads first, for games that do not say it.
fn own_opening(agent: &Agent) -> Result<String, Error> {
    let unknown = || {
        Error::Usage(
            "it does not say its opening, and the model's world is not there to be asked: add \"opening\" to it"
                .into(),
        )
    };
    let world = &agent.about.world;
    if world.is_empty() || worlds::refused(world).is_some() {
        return Err(unknown());
    }
    let worlds: Arc<dyn Worlds> = worlds::make(world)?;
    let mut batch = block_on(worlds.open(1))?;
    let openings = block_on(batch.start(&[Start::default()]))?;
    openings.into_iter().next().map(|opening| opening.text).ok_or_else(unknown)
}
