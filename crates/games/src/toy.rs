//! Two small worlds, each testing one ability within seconds.
//!
//! [`Bandit`] asks whether the reward of an utterance reaches that utterance: one turn, no state.
//! [`Recall`] asks whether the agent can use what it saw some turns ago. A learner that fails
//! Twenty Questions and passes both is not broken in these ways.

use archer_world::{About, End, Opening, Start, Style, Turn, World};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::guessing::first_line;

/// One turn: say a digit and be paid for it.
///
/// The pay is fixed, so the best answer is the same in every game. Anything but a single digit
/// costs a point.
#[derive(Debug, Default)]
pub struct Bandit {
    playing: bool,
}

impl Bandit {
    /// The observation of every game.
    pub const PROMPT: &'static str = "Digit:\n";
    /// What each digit pays. No neighbourly order, so that nothing but trying finds the best.
    pub const PAY: [f32; 10] = [0.3, 0.1, 0.6, 0.0, 0.2, 0.5, 0.1, 1.0, 0.4, 0.2];
    /// What anything else pays.
    pub const INVALID_PAY: f32 = -1.0;

    /// A world before its first game.
    pub fn new() -> Self {
        Self::default()
    }

    /// The answer that the best player gives.
    pub fn scripted() -> &'static str {
        "7"
    }
}

/// A payment with its one decimal.
fn written(pay: f32) -> String {
    let tenths = (pay.abs() * 10.0).round() as u32;
    let sign = if pay < 0.0 { "-" } else { "" };
    format!("{sign}{}.{}", tenths / 10, tenths % 10)
}

impl World for Bandit {
    fn about(&self) -> About {
        About {
            tasks: Some(1),
            style: Style::one_line(),
            best: Some(1.0),
            worst: Some(f64::from(Self::INVALID_PAY)),
            ..About::new("bandit", 1)
        }
    }

    /// # Panics
    /// Where there is no such task.
    fn start(&mut self, start: &Start) -> Opening {
        assert!(start.task.unwrap_or(0) == 0, "the bandit has one task");
        self.playing = true;
        Opening::new(Self::PROMPT)
    }

    fn act(&mut self, said: &str) -> Turn {
        assert!(self.playing, "act in a bandit game that is not running; start it first");
        self.playing = false;
        let said = first_line(said);
        let digit = Self::PAY.iter().zip('0'..).find(|(_, d)| said.chars().eq([*d]));
        let reward = digit.map_or(Self::INVALID_PAY, |(&pay, _)| pay);
        let end = if said == Self::scripted() { End::Won } else { End::Over };
        Turn { invalid: digit.is_none(), ..Turn::new(written(reward), reward).ending(end) }
    }

    fn task(&self) -> Option<usize> {
        Some(0)
    }
}

/// See a letter, be distracted for some turns by others, then say it.
///
/// Only the last utterance is paid: 1 for the letter, else 0. What is said before does not matter.
#[derive(Debug)]
pub struct Recall {
    distractions: usize,
    game: Option<RecallGame>,
}

#[derive(Debug)]
struct RecallGame {
    letter: char,
    turns: usize,
    chance: ChaCha8Rng,
}

impl Recall {
    /// The letters; each is a task.
    pub const LETTERS: [char; 8] = ['A', 'B', 'C', 'D', 'E', 'F', 'G', 'H'];
    /// Distracting turns where a configuration does not say.
    pub const DISTRACTIONS: usize = 3;
    /// The end of the reply that asks for the letter.
    const QUESTION: &'static str = "Which letter?";

    /// A world with this many distracting turns, 0 or more; one turn more makes the game.
    pub fn new(distractions: usize) -> Self {
        Recall { distractions, game: None }
    }

    /// The utterance that the best player gives to an observation.
    pub fn scripted(observation: &str) -> String {
        if observation.ends_with(&format!("{}\n", Self::QUESTION)) {
            let letter = observation.strip_prefix("Remember ").and_then(|o| o.chars().next());
            letter.map(String::from).unwrap_or_default()
        } else {
            "ok".to_string()
        }
    }

    fn begin(&mut self, letter: usize, chance: ChaCha8Rng) -> Opening {
        let letter = Self::LETTERS[letter];
        let question =
            if self.distractions == 0 { format!(" {}", Self::QUESTION) } else { String::new() };
        self.game = Some(RecallGame { letter, turns: 0, chance });
        Opening::new(format!("Remember {letter}.{question}\n"))
    }
}

impl Default for Recall {
    fn default() -> Self {
        Recall::new(Self::DISTRACTIONS)
    }
}

impl World for Recall {
    fn about(&self) -> About {
        About {
            tasks: Some(Self::LETTERS.len()),
            style: Style::one_line(),
            best: Some(1.0),
            worst: Some(0.0),
            ..About::new("recall", self.distractions + 1)
        }
    }

    /// # Panics
    /// Where there is no such task.
    fn start(&mut self, start: &Start) -> Opening {
        let mut chance = ChaCha8Rng::seed_from_u64(start.seed);
        let letters = Self::LETTERS.len();
        let letter = match start.task {
            Some(task) => {
                assert!(task < letters, "task {task} of a world with {letters} letters");
                task
            }
            None => chance.random_range(0..letters as u32) as usize,
        };
        self.begin(letter, chance)
    }

    fn act(&mut self, said: &str) -> Turn {
        let said = first_line(said);
        let last_turn = self.distractions + 1;
        let game = self.game.as_mut().expect("act needs a start first");
        assert!(game.turns < last_turn, "act in a finished game; start it first");
        game.turns += 1;
        let over = game.turns == last_turn;
        let won = over && said.chars().eq([game.letter]);
        let reply = if over {
            if won { "Right." } else { "Wrong." }.to_string()
        } else {
            let other =
                Self::LETTERS[game.chance.random_range(0..Self::LETTERS.len() as u32) as usize];
            let question = if game.turns + 1 == last_turn {
                format!(" {}", Self::QUESTION)
            } else {
                String::new()
            };
            format!("Ignore {other}.{question}")
        };
        let end = over.then_some(if won { End::Won } else { End::Over });
        Turn { end, invalid: said.is_empty(), ..Turn::new(reply, f32::from(won)) }
    }

    fn task(&self) -> Option<usize> {
        let game = self.game.as_ref()?;
        Self::LETTERS.iter().position(|&letter| letter == game.letter)
    }
}

#[cfg(test)]
mod tests {
    use archer_world::Transcript;

    use super::*;
    use crate::contract;

    #[test]
    fn bandit_keeps_the_contract() {
        contract::check(&mut Bandit::new(), |_| Bandit::scripted().to_string());
        contract::check(&mut Bandit::new(), |_| "seven".to_string());
    }

    #[test]
    fn recall_keeps_the_contract() {
        for distractions in [0, 1, 5] {
            contract::check(&mut Recall::new(distractions), Recall::scripted);
            contract::check(&mut Recall::new(distractions), |_| String::new());
        }
    }

    #[test]
    fn the_bandit_pays_by_the_utterance() {
        let best = Bandit::PAY.iter().copied().fold(f32::MIN, f32::max);
        for (said, reward) in [("7", best), (" 0 \n1", 0.3), ("3", 0.0), ("77", -1.0), ("", -1.0)] {
            let mut bandit = Bandit::new();
            bandit.start(&Start::default());
            let turn = bandit.act(said);
            assert_eq!(turn.reward, reward, "{said:?}");
            assert_eq!(turn.invalid, reward == Bandit::INVALID_PAY);
            assert!(turn.end.is_some());
        }
        assert_eq!(Some(f64::from(best)), Bandit::new().about().best);
    }

    fn on(letter: usize, seed: u64) -> Start {
        Start { task: Some(letter), seed }
    }

    #[test]
    fn a_recall_game_line_by_line() {
        let mut recall = Recall::new(2);
        assert_eq!(recall.start(&on(1, 9)).text, "Remember B.\n");
        let replies = ["hm", "hm", "B"].map(|said| recall.act(said).reply);
        assert!(replies[0].starts_with("Ignore ") && replies[0].ends_with('.'));
        assert!(replies[1].starts_with("Ignore ") && replies[1].ends_with("Which letter?"));
        assert_eq!(replies[2], "Right.");
    }

    #[test]
    fn the_scripted_player_reaches_the_optimum() {
        let mut recall = Recall::default();
        for task in 0..Recall::LETTERS.len() {
            let about = recall.about();
            let opening = recall.start(&on(task, 3)).text;
            let mut seen = Transcript::new(about.style.clone(), about.memory, opening);
            let mut total = 0.0;
            loop {
                let said = Recall::scripted(&seen.text());
                let turn = recall.act(&said);
                total += f64::from(turn.reward);
                if turn.end.is_some() {
                    break;
                }
                seen.push(said, turn.reply);
            }
            assert_eq!(Some(total), about.best);
        }
    }
}
