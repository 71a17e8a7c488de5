//! The rules that every world keeps, and the sentence for each that is broken.
//!
//! [`Checked`] holds every batch to the rules that can be seen turn by turn; [`try_world`] plays a
//! first game twice before anything is learned, for those that need a whole game. Both name the
//! world, the rule, what was seen and what to do.

use std::collections::HashSet;

use archer_input::shown;

use crate::error::WorldError;
use crate::record::{Exchange, Game};
use crate::transcript::Style;
use crate::world::{About, Choices, Opening, Start, Turn};
use crate::worlds::{Batch, Said, Wait, Worlds};

/// The longest opening or reply, in bytes.
pub const LONGEST_TEXT: usize = 1 << 20;

/// The most choices that a world may list at once.
pub const MOST_CHOICES: usize = 10_000;

/// The most tasks with numbers.
pub const MOST_TASKS: usize = 1 << 24;

/// The largest reward, either way: its square, and sums of those, are still numbers of 32 bits.
pub const LARGEST_REWARD: f32 = 1e9;

/// The longest choice, in bytes.
pub const LONGEST_CHOICE: usize = 1_000;

fn broken(about: &About, rule: &str, seen: &str) -> WorldError {
    WorldError::Broken(format!("the world {} broke a rule: {rule}; {seen}", about.name))
}

/// Holds what is known of a world to the rules.
///
/// # Errors
/// If there is no turn or no task, a weight is out of range, or the best return is below the worst.
pub fn check_about(about: &About) -> Result<(), WorldError> {
    let fault = |rule: &str, seen: String| Err(broken(about, rule, &seen));
    if about.name.trim().is_empty() || about.name.chars().any(char::is_control) {
        return fault("it has a name of one line", format!("its name is {:?}", about.name));
    }
    if matches!(about.style, Style::Chat(_)) {
        let seen = "its style frames them: give { after_utterance, after_reply }, or none";
        return fault("a world joins lines, and the frame of a chat is the model's", seen.into());
    }
    if about.max_turns == 0 {
        return fault("a game has at least 1 turn", "max_turns is 0".into());
    }
    if about.tasks == Some(0) {
        return fault("tasks is at least 1, or null where tasks have no numbers", "it is 0".into());
    }
    if about.tasks.is_some_and(|tasks| tasks > MOST_TASKS) {
        let rule =
            format!("there are at most {MOST_TASKS} tasks, or null where nobody counts them");
        return fault(&rule, format!("tasks is {}", about.tasks.unwrap_or_default()));
    }
    if let Some(weights) = &about.weights {
        let good = |weight: &f64| weight.is_finite() && *weight >= 0.0;
        let some = weights.iter().any(|weight| *weight > 0.0);
        if Some(weights.len()) != about.tasks || !some || !weights.iter().all(good) {
            let rule = "weights has a number of at least 0 for each task, one of them above 0";
            return fault(rule, format!("there are {} for {:?} tasks", weights.len(), about.tasks));
        }
    }
    for (name, value) in [("best", about.best), ("worst", about.worst)] {
        if value.is_some_and(|value| !value.is_finite()) {
            return fault(
                "returns are finite",
                format!("{name} is {}", shown(value.unwrap_or(f64::NAN))),
            );
        }
    }
    match (about.best, about.worst) {
        (Some(best), Some(worst)) if best < worst => fault(
            "the best return is not below the worst",
            format!("{} is below {}", shown(best), shown(worst)),
        ),
        _ => Ok(()),
    }
}

/// Holds an opening to the rules.
///
/// # Errors
/// If it has no text, too much of it, or choices that cannot be told apart.
pub fn check_opening(about: &About, opening: &Opening) -> Result<(), WorldError> {
    if opening.text.is_empty() {
        let seen = "it was empty: begin with what the player sees first";
        return Err(broken(about, "a game begins with some text", seen));
    }
    check_text(about, "its first text", &opening.text)?;
    check_choices(about, opening.choices.as_ref())
}

/// Holds turn number `number` of a game, from 1, to the rules.
///
/// # Errors
/// If its reward is not finite or too large, its reply is too long, its choices cannot be told apart, or the game
/// goes on past the announced number of turns.
pub fn check_turn(about: &About, number: usize, turn: &Turn) -> Result<(), WorldError> {
    if !turn.reward.is_finite() {
        let seen = format!("the reward of turn {number} was {}", shown(turn.reward));
        return Err(broken(about, "a reward is a finite number", &seen));
    }
    if turn.reward.abs() > LARGEST_REWARD {
        let rule = "a reward lies between -1e9 and 1e9";
        let seen =
            format!("the reward of turn {number} was {}: pay in larger units", shown(turn.reward));
        return Err(broken(about, rule, &seen));
    }
    check_text(about, "its reply", &turn.reply)?;
    if turn.end.is_none() && number >= about.max_turns {
        let seen = format!(
            "turn {number} did not end it: announce more turns, or end the game with \"cut\""
        );
        let rule = format!("a game ends within the announced {} turns", about.max_turns);
        return Err(broken(about, &rule, &seen));
    }
    match turn.end {
        None => check_choices(about, turn.choices.as_ref()),
        Some(_) => Ok(()),
    }
}

fn check_text(about: &About, what: &str, text: &str) -> Result<(), WorldError> {
    if text.len() <= LONGEST_TEXT {
        return Ok(());
    }
    let seen = format!("{what} has {}", text.len());
    Err(broken(about, &format!("a text has at most {LONGEST_TEXT} bytes"), &seen))
}

fn check_choices(about: &About, choices: Option<&Choices>) -> Result<(), WorldError> {
    let Some(choices) = choices else { return Ok(()) };
    let fault = |rule: &str, seen: String| Err(broken(about, rule, &seen));
    if choices.is_empty() {
        let seen = "the list was empty: end the game, or leave choices null where anything goes";
        return fault("choices hold at least one utterance", seen.into());
    }
    if choices.len() > MOST_CHOICES {
        let rule = format!("there are at most {MOST_CHOICES} choices");
        return fault(&rule, format!("{} were listed", choices.len()));
    }
    for choice in choices {
        if choice.trim() != choice || choice.is_empty() || choice.contains(['\n', '\r']) {
            let rule = "a choice is one line of text without blanks around it";
            return fault(rule, format!("one was {:?}", shortened(choice)));
        }
        if choice.len() > LONGEST_CHOICE {
            let rule = format!("a choice has at most {LONGEST_CHOICE} bytes");
            return fault(&rule, format!("one begins with {:?}", shortened(choice)));
        }
    }
    let mut listed = HashSet::new();
    match choices.iter().find(|choice| !listed.insert(choice.as_str())) {
        Some(choice) => fault("choices differ", format!("{choice:?} was listed twice")),
        None => Ok(()),
    }
}

/// The first characters of a text, for a message.
pub fn shortened(text: &str) -> String {
    const SHOWN: usize = 60;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_string(),
    }
}

/// A batch that is held to the rules at every turn.
pub struct Checked {
    about: About,
    batch: Box<dyn Batch>,
    /// For each game, the turns that were played; none once it is over.
    played: Vec<Option<usize>>,
}

impl Checked {
    /// Opens a batch of a world and holds it to the rules.
    ///
    /// # Errors
    /// If the world cannot be reached.
    pub async fn open(worlds: &dyn Worlds, games: usize) -> Result<Self, WorldError> {
        let batch = worlds.open(games).await?;
        Ok(Self { about: worlds.about().clone(), batch, played: Vec::new() })
    }
}

impl Batch for Checked {
    fn start<'b>(&'b mut self, starts: &'b [Start]) -> Wait<'b, Vec<Opening>> {
        Box::pin(async move {
            let openings = self.batch.start(starts).await?;
            assert_eq!(openings.len(), starts.len(), "an opening for each start");
            openings.iter().try_for_each(|opening| check_opening(&self.about, opening))?;
            self.played = vec![Some(0); starts.len()];
            Ok(openings)
        })
    }

    /// # Panics
    /// If a game is over or was not started.
    fn act<'b>(&'b mut self, said: &'b [Said<'b>]) -> Wait<'b, Vec<Turn>> {
        Box::pin(async move {
            let turns = self.batch.act(said).await?;
            assert_eq!(turns.len(), said.len(), "a turn for each utterance");
            for (said, turn) in said.iter().zip(&turns) {
                let played = self.played[said.game].expect("only games in play are told something");
                check_turn(&self.about, played + 1, turn)?;
                self.played[said.game] = turn.end.is_none().then_some(played + 1);
            }
            Ok(turns)
        })
    }

    fn task(&self, game: usize) -> Option<usize> {
        self.batch.task(game)
    }
}

/// Plays the game of seed `seed` twice, what is said being chosen by `say` from the number of the turn
/// and the choices, and gives it back: the same seed and the same utterances give the same game.
///
/// # Errors
/// If a rule is broken, or the world cannot be reached.
pub async fn try_world(
    worlds: &dyn Worlds,
    seed: u64,
    say: impl Fn(usize, Option<&Choices>) -> String,
) -> Result<Game, WorldError> {
    let about = worlds.about();
    check_about(about)?;
    let mut batch = Checked::open(worlds, 1).await?;
    let first = play(&mut batch, seed, &say).await?;
    let second = play(&mut batch, seed, &say).await?;
    let rule = "the same seed and the same utterances give the same game";
    if first.opening != second.opening {
        let seen = format!(
            "seed {seed} began with {:?} and then with {:?}: draw all chance from the seed",
            shortened(first.opening.as_deref().unwrap_or_default()),
            shortened(second.opening.as_deref().unwrap_or_default())
        );
        return Err(broken(about, rule, &seen));
    }
    let turns = first.turns.iter().zip(&second.turns);
    if let Some((number, (one, other))) = (1..).zip(turns).find(|(_, (one, other))| one != other) {
        let seen = format!(
            "after seed {seed}, turn {number} ({:?}) brought {:?} worth {} and then {:?} worth {}: draw all chance from the seed",
            shortened(&one.said),
            shortened(&one.reply),
            shown(one.reward),
            shortened(&other.reply),
            shown(other.reward)
        );
        return Err(broken(about, rule, &seen));
    }
    if first.turns.len() != second.turns.len() || first.end != second.end {
        let seen = format!(
            "seed {seed} ended after {} turns and then after {}: draw all chance from the seed",
            first.turns.len(),
            second.turns.len()
        );
        return Err(broken(about, rule, &seen));
    }
    Ok(first)
}

async fn play(
    batch: &mut Checked,
    seed: u64,
    say: &impl Fn(usize, Option<&Choices>) -> String,
) -> Result<Game, WorldError> {
    let opening = batch.start(&[Start { task: None, seed }]).await?.remove(0);
    let mut game = Game {
        world: Some(batch.about.name.clone()),
        task: batch.task(0),
        choices: opening.choices.clone(),
        opening: Some(opening.text),
        ..Game::default()
    };
    let mut choices = opening.choices;
    while game.end.is_none() {
        let said = say(game.turns.len(), choices.as_ref());
        let turn = batch.act(&[Said { game: 0, text: &said }]).await?.remove(0);
        game.end = turn.end;
        choices.clone_from(&turn.choices);
        game.turns.push(Exchange {
            said,
            reply: turn.reply,
            reward: turn.reward,
            invalid: turn.invalid,
            choices: turn.choices,
            imitate: true,
        });
    }
    Ok(game)
}
