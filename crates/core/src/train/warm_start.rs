//! The games from which a fresh actor learns to speak, and the tokenizer trained on them.
//!
//! They are the world's own demonstrations, or those of a file. In a world that lists its choices and
//! has no demonstrations, games of random choices show which words there are.

use std::sync::Arc;

use archer_world::contract::Checked;
use archer_world::{About, Batch, Choices, Exchange, Game, Said, Start, Style, Transcript, Worlds};

use super::evaluate::starts;
use crate::algorithms::bc::Demonstration;
use crate::algorithms::common::auxiliary::task::KnownTask;
use crate::config::Config;
use crate::error::Error;
use crate::rng;
use crate::text::Tokenizer;

/// The demonstrated games of a run: every task equally often, or as often as it weighs, drawn by the
/// run's seed. Empty where the world has none.
pub fn demonstrated_games(config: &Config, worlds: &dyn Worlds) -> Vec<Game> {
    let Some(teaching) = worlds.teaching() else { return Vec::new() };
    let starts = starts(worlds.about(), config.warm_start.games, config.seed ^ 0xDE30);
    teaching.demonstrations(&starts)
}

/// Whether there is anybody to imitate in this world.
pub fn has_demonstrations(config: &Config, worlds: &dyn Worlds) -> bool {
    let mut one = config.clone();
    one.warm_start.games = 1;
    !demonstrated_games(&one, worlds).is_empty()
}

/// Games whose replies alone are learned; none where the configuration asks for none.
///
/// # Errors
/// If the world has no such games.
pub fn context_only_games(config: &Config, worlds: &dyn Worlds) -> Result<Vec<Game>, Error> {
    first_context_only_games(config.warm_start.context_only_games, config, worlds)
}

/// Checks before anything is learned that the world has such games, where the configuration asks for
/// some.
///
/// # Errors
/// If it has none.
pub fn check_context_only_games(config: &Config, worlds: &dyn Worlds) -> Result<(), Error> {
    let one = config.warm_start.context_only_games.min(1);
    first_context_only_games(one, config, worlds).map(|_| ())
}

fn first_context_only_games(
    count: usize,
    config: &Config,
    worlds: &dyn Worlds,
) -> Result<Vec<Game>, Error> {
    if count == 0 {
        return Ok(Vec::new());
    }
    let games = config.warm_start.context_only_games;
    let starts = starts(worlds.about(), count, config.seed ^ 0xA51D);
    let none = || {
        Error::Config(format!(
            "warm_start.context_only_games = {games} is out of range: it must be 0 in the world {}, which has no games whose replies alone are learned",
            worlds.about().name
        ))
    };
    let teaching = worlds.teaching().ok_or_else(none)?;
    teaching.context_only_games(&starts).map_err(|_| none())
}

/// Whether these games tell nothing of choices that the world lists.
///
/// # Errors
/// If the world breaks its contract or cannot be reached.
pub async fn leave_out_choices(games: &[Game], worlds: &dyn Worlds) -> Result<bool, Error> {
    let tells = |game: &Game| {
        game.choices.is_some() || game.turns.iter().any(|turn| turn.choices.is_some())
    };
    if games.iter().any(tells) {
        return Ok(false);
    }
    let opening = Checked::open(worlds, 1).await?.start(&[Start::default()]).await?.remove(0);
    Ok(opening.choices.is_some())
}

/// Games in which one of the listed choices is said at random, each as likely as any other.
///
/// # Errors
/// If the world lists no choices at some turn, breaks its contract, or cannot be reached.
pub async fn explored_games(worlds: &dyn Worlds, starts: &[Start]) -> Result<Vec<Game>, Error> {
    let side_by_side = worlds.capacity().unwrap_or(SIDE_BY_SIDE).clamp(1, SIDE_BY_SIDE);
    let mut batch = Checked::open(worlds, side_by_side.min(starts.len().max(1))).await?;
    let mut played = Vec::with_capacity(starts.len());
    for starts in starts.chunks(side_by_side) {
        played.extend(explore(&mut batch, worlds.about(), starts).await?);
    }
    Ok(played)
}

/// Games of random choices that are played side by side.
const SIDE_BY_SIDE: usize = 64;

async fn explore(batch: &mut Checked, about: &About, starts: &[Start]) -> Result<Vec<Game>, Error> {
    let mut chance: Vec<_> =
        starts.iter().map(|start| rng::stream(start.seed, "explore.said", 0)).collect();
    let openings = batch.start(starts).await?;
    let mut games: Vec<Game> = openings
        .into_iter()
        .enumerate()
        .map(|(game, opening)| Game {
            world: Some(about.name.clone()),
            task: batch.task(game),
            opening: Some(opening.text),
            choices: opening.choices,
            ..Game::default()
        })
        .collect();
    loop {
        let mut spoken = Vec::new();
        for (game, record) in games.iter().enumerate().filter(|(_, game)| game.end.is_none()) {
            let listed = latest_choices(record).ok_or_else(|| nothing_to_say(about))?;
            spoken.push((game, listed[rng::below(&mut chance[game], listed.len())].clone()));
        }
        if spoken.is_empty() {
            return Ok(games);
        }
        let said: Vec<Said<'_>> =
            spoken.iter().map(|(game, text)| Said { game: *game, text }).collect();
        let turns = batch.act(&said).await?;
        for ((game, said), turn) in spoken.into_iter().zip(turns) {
            games[game].end = turn.end;
            games[game].turns.push(Exchange {
                said,
                reply: turn.reply,
                reward: turn.reward,
                invalid: turn.invalid,
                choices: turn.choices,
                imitate: false,
            });
        }
    }
}

/// What can be said next in a game.
fn latest_choices(game: &Game) -> Option<&Choices> {
    game.turns.last().map_or(game.choices.as_ref(), |turn| turn.choices.as_ref())
}

fn nothing_to_say(about: &About) -> Error {
    Error::Config(format!(
        "the world {} lists no choices and there are no demonstrations, so a fresh agent has nothing to say: give a file of games with --demonstrations FILE.jsonl, let the world list its choices, or start from a model with --set actor=DIR",
        about.name
    ))
}

/// The pieces of a game's text in order, as the agent meets them: what the world shows first, then
/// utterance and reply of each turn.
pub fn pieces<'a>(game: &'a Game, style: &'a Style) -> impl Iterator<Item = String> + 'a {
    let turns = game.turns.iter().flat_map(|turn| [turn.said.clone(), style.reply(&turn.reply)]);
    game.opening.iter().cloned().chain(turns)
}

/// A game as tokens, every utterance marked; utterance and reply are encoded apart, as the agent
/// will meet them. `facts` are those of each task, or none. Where the world shows only its last
/// screens, each turn is a text of its own.
pub fn demonstrations(
    tokenizer: &Tokenizer,
    about: &About,
    opening: &str,
    game: &Game,
    facts: &[Arc<[f32]>],
) -> Vec<Demonstration> {
    let task = game.task.map(|task| {
        let facts = facts.get(task).cloned().unwrap_or_default();
        KnownTask { task, facts }
    });
    let opening = game.opening.as_deref().unwrap_or(opening);
    if about.memory.is_some() {
        return apart(tokenizer, about, opening, game, &task);
    }
    let tokens = tokenizer.encode_observation(&about.style.opening(opening));
    let mut whole = Demonstration { tokens, task, ..Default::default() };
    for turn in &game.turns {
        append(&mut whole, tokenizer, about, turn);
    }
    vec![whole]
}

/// The turns of a game one by one, each after what the player reads before it.
fn apart(
    tokenizer: &Tokenizer,
    about: &About,
    opening: &str,
    game: &Game,
    task: &Option<KnownTask>,
) -> Vec<Demonstration> {
    let mut seen = Transcript::new(about.style.clone(), about.memory, opening);
    let one = |turn: &Exchange| {
        let tokens = tokenizer.encode_observation(&seen.text());
        let mut one = Demonstration { tokens, task: task.clone(), ..Default::default() };
        append(&mut one, tokenizer, about, turn);
        seen.push(&turn.said, &turn.reply);
        one
    };
    game.turns.iter().map(one).collect()
}

fn append(text: &mut Demonstration, tokenizer: &Tokenizer, about: &About, turn: &Exchange) {
    if !turn.imitate {
        text.context_only.push(text.utterances.len());
    }
    let said = tokenizer.encode(&about.style.utterance(&turn.said));
    text.utterances.push((text.tokens.len(), said.len()));
    text.tokens.extend(said);
    text.tokens.extend(tokenizer.encode(&about.style.reply(&turn.reply)));
}
