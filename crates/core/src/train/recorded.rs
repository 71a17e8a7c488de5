//! Games that somebody else played, as text, become transitions to learn from.

use std::sync::Arc;

use archer_world::{About, End, Game, Transcript};

use crate::choices::Tries;
use crate::config::Config;
use crate::error::Error;
use crate::rl::text::Text;
use crate::rl::transition::{Trajectory, Transition};
use crate::text::Tokenizer;

/// A game as it would have been played here; `opening` is what the player reads first where the game
/// does not say.
///
/// # Errors
/// If a choice that was listed is longer than what the agent can say, or it cannot write it.
pub fn trajectory(
    game: &Game,
    about: &About,
    opening: &str,
    config: &Config,
    tokenizer: &Tokenizer,
) -> Result<Trajectory, Error> {
    let mut trajectory = Trajectory { won: game.won(), ..Trajectory::default() };
    let opening = game.opening.as_deref().unwrap_or(opening);
    let mut seen = Transcript::new(about.style.clone(), about.memory, opening);
    let (mut tries, mut choices) = (Tries::default(), game.choices.as_ref());
    let mut text = tokenizer.encode_observation(&seen.text());
    // Where texts only grow, all of them are beginnings of the last, which is shared once it is whole.
    let mut lengths = Vec::with_capacity(game.turns.len());
    for (turn, exchange) in game.turns.iter().enumerate() {
        let end = (turn + 1 == game.turns.len()).then(|| game.end.unwrap_or(End::Cut));
        let body = tokenizer.encode(&about.style.utterance(&exchange.said));
        seen.push(&exchange.said, &exchange.reply);
        let (mut observation, mut next) = (Text::default(), Text::default());
        if seen.grows() {
            let before = text.len();
            text.extend(&body);
            text.extend(tokenizer.encode(&about.style.reply(&exchange.reply)));
            lengths.push((before, text.len()));
        } else {
            observation = text.into();
            text = tokenizer.encode_observation(&seen.text());
            next = text.as_slice().into();
        }
        trajectory.transitions.push(Transition {
            observation,
            action: body.into_iter().chain([tokenizer.terminator()]).collect(),
            reward: exchange.reward,
            next_observation: next,
            terminated: matches!(end, Some(End::Won | End::Over)),
            truncated: end == Some(End::Cut),
            mc_return: 0.0,
            log_prob: 0.0,
            choices: tries.of(choices, tokenizer, config.max_new_tokens)?,
            task: game.task.map(|task| task as u32),
        });
        choices = exchange.choices.as_ref();
        trajectory.invalid += usize::from(exchange.invalid);
        trajectory.lines.push((exchange.said.clone(), exchange.reply.clone()));
    }
    let whole: Arc<[u32]> = text.into();
    for (turn, (before, after)) in trajectory.transitions.iter_mut().zip(lengths) {
        turn.observation = Text::beginning(&whole, before);
        turn.next_observation = Text::beginning(&whole, after);
    }
    trajectory.close(config.gamma);
    Ok(trajectory)
}

#[cfg(test)]
mod tests {
    use archer_world::{Exchange, Style};

    use super::*;

    #[test]
    fn a_game_is_read_as_if_it_had_been_played_here() {
        let texts = ["Questions:\nIs it a cat? Yes.\nIs it red? No.\n".to_string()];
        let tokenizer = Tokenizer::train(texts.into_iter(), 280, 8).unwrap();
        let about = About { style: Style::one_line(), ..About::new("questions", 20) };
        let config = Config { gamma: 0.5, ..Config::default() };
        let turns = vec![
            Exchange::new("Is it red?", "No.", 1.0),
            Exchange::new("Is it a cat?", "Yes.", 0.25),
        ];
        let game = Game { turns, end: Some(End::Won), ..Game::default() };
        let read = trajectory(&game, &about, "Questions:\n", &config, &tokenizer).unwrap();
        let [first, second] = &read.transitions[..] else { panic!("two turns") };
        assert_eq!((first.reward, first.mc_return, second.mc_return), (1.0, 1.125, 0.25));
        assert_eq!(first.next_observation, second.observation);
        assert_eq!(tokenizer.decode(&first.observation), "Questions:\n");
        let text = "Questions:\nIs it red? No.\nIs it a cat? Yes.\n";
        assert_eq!(tokenizer.decode(&second.next_observation), text);
        assert!(!first.terminated && second.terminated && !second.truncated && read.won);
        let cut = trajectory(&Game { end: None, ..game }, &about, "Q\n", &config, &tokenizer);
        let cut = cut.unwrap();
        assert!(cut.transitions[1].truncated && !cut.transitions[1].terminated && !cut.won);
    }
}
