//! Whether recorded games can be those of a world, where they do not name the one they come from.

use crate::contract::{Checked, shortened};
use crate::error::WorldError;
use crate::record::Game;
use crate::world::{About, Opening, Start};
use crate::worlds::{Batch, Worlds};

/// Games that are begun to learn how a world begins.
const BEGUN: usize = 16;

/// Holds games that do not name their world against how this one begins. Only what is alike in every
/// game of the world decides: its first text, or what can be said first.
///
/// # Errors
/// If a game begins otherwise than every game of the world, or the world cannot be reached.
pub async fn check_openings(games: &[Game], worlds: &dyn Worlds) -> Result<(), WorldError> {
    if games.iter().all(|game| game.world.is_some()) {
        return Ok(());
    }
    let about = worlds.about();
    let openings = openings(worlds).await?;
    for (number, game) in (1..).zip(games).filter(|(_, game)| game.world.is_none()) {
        if let Some(why) = stranger(game, &openings) {
            return Err(WorldError::Settings(format!(
                "game {number} is no game of the world {}: {why}; where it is one all the same, say so in it: \"world\": {:?}",
                about.name, about.name
            )));
        }
    }
    Ok(())
}

/// How some games of a world begin, their tasks spread over all.
async fn openings(worlds: &dyn Worlds) -> Result<Vec<Opening>, WorldError> {
    let About { tasks, .. } = worlds.about();
    let mut batch = Checked::open(worlds, 1).await?;
    let mut openings = Vec::with_capacity(BEGUN);
    for number in 0..BEGUN {
        let task = tasks.map(|tasks| number * tasks / BEGUN);
        openings.extend(batch.start(&[Start { task, seed: number as u64 }]).await?);
    }
    Ok(openings)
}

/// Why a game is none of a world that begins like this, where that is certain.
fn stranger(game: &Game, openings: &[Opening]) -> Option<String> {
    let first = openings.first()?;
    let alike = openings.iter().all(|opening| opening.text == first.text);
    let told = game.opening.as_ref().filter(|text| alike && text.trim() != first.text.trim());
    if let Some(text) = told {
        return Some(format!(
            "it begins with {:?}, and each of its games with {:?}",
            shortened(text),
            shortened(&first.text)
        ));
    }
    let choices = first.choices.as_ref()?;
    let alike = openings.iter().all(|opening| opening.choices.as_ref() == Some(choices));
    let turn = game.turns.first()?;
    (alike && !turn.invalid && !choices.contains(&turn.said)).then(|| {
        format!(
            "its first utterance is {:?}, and what can be said there is {:?}",
            shortened(&turn.said),
            shortened(&choices.join(", "))
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Exchange;

    fn game(opening: Option<&str>, said: &str) -> Game {
        Game {
            opening: opening.map(str::to_string),
            turns: vec![Exchange::new(said, "", 0.0)],
            ..Game::default()
        }
    }

    #[test]
    fn only_what_is_alike_in_every_game_decides() {
        let door = Opening::choosing("A door.\n", ["open", "knock"]);
        let doors = [door.clone(), door.clone()];
        assert_eq!(stranger(&game(Some("A door."), "open"), &doors), None);
        assert_eq!(stranger(&game(None, "open"), &doors), None);
        let why = stranger(&game(Some("Questions:\n"), "open"), &doors).unwrap();
        assert!(why.contains("Questions") && why.contains("A door"), "{why}");
        let why = stranger(&game(None, "Is it red?"), &doors).unwrap();
        assert!(why.contains("Is it red?") && why.contains("open, knock"), "{why}");

        let other = Opening::choosing("Two doors.\n", ["left", "right"]);
        assert_eq!(stranger(&game(Some("Questions:\n"), "left"), &[door, other]), None);
    }
}
