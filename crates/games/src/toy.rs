//! Two small worlds, each testing one ability within seconds.
//!
//! [`Bandit`] asks whether the reward of an utterance reaches that utterance: one turn, no state.
//! [`Recall`] asks whether the agent can use what it saw some turns ago. A learner that fails
//! Twenty Questions and passes both is not broken in these ways.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::environment::{Environment, Step, first_line};

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

impl Environment for Bandit {
    fn reset(&mut self, _seed: u64) -> String {
        self.playing = true;
        Self::PROMPT.to_string()
    }

    fn reset_to(&mut self, task: usize, seed: u64) -> String {
        assert_eq!(task, 0, "the bandit has one task");
        self.reset(seed)
    }

    fn task(&self) -> Option<usize> {
        Some(0)
    }

    fn tasks(&self) -> usize {
        1
    }

    fn step(&mut self, action: &str) -> Step {
        assert!(self.playing, "step in a bandit game that is not running; reset it first");
        self.playing = false;
        let action = first_line(action);
        let digit = Self::PAY.iter().zip('0'..).find(|(_, d)| action.chars().eq([*d]));
        let reward = digit.map_or(Self::INVALID_PAY, |(&pay, _)| pay);
        let reply = format!("{reward:.1}");
        Step {
            observation: format!("{}{action} {reply}\n", Self::PROMPT),
            reply,
            reward,
            terminated: true,
            truncated: false,
            invalid: digit.is_none(),
            won: action == Self::scripted(),
        }
    }

    fn max_turns(&self) -> usize {
        1
    }

    fn optimum_return(&self) -> Option<f64> {
        Some(1.0)
    }

    fn worst_return(&self) -> Option<f64> {
        Some(f64::from(Self::INVALID_PAY))
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
    history: String,
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

    fn start(&mut self, letter: usize, chance: ChaCha8Rng) -> String {
        let letter = Self::LETTERS[letter];
        let question =
            if self.distractions == 0 { format!(" {}", Self::QUESTION) } else { String::new() };
        let history = format!("Remember {letter}.{question}\n");
        self.game = Some(RecallGame { letter, turns: 0, history: history.clone(), chance });
        history
    }
}

impl Default for Recall {
    fn default() -> Self {
        Recall::new(Self::DISTRACTIONS)
    }
}

impl Environment for Recall {
    fn reset(&mut self, seed: u64) -> String {
        let mut chance = ChaCha8Rng::seed_from_u64(seed);
        let letter = chance.random_range(0..Self::LETTERS.len() as u32) as usize;
        self.start(letter, chance)
    }

    fn reset_to(&mut self, task: usize, seed: u64) -> String {
        assert!(task < self.tasks(), "task {task} of a world with {} letters", self.tasks());
        self.start(task, ChaCha8Rng::seed_from_u64(seed))
    }

    fn task(&self) -> Option<usize> {
        let game = self.game.as_ref()?;
        Self::LETTERS.iter().position(|&letter| letter == game.letter)
    }

    fn tasks(&self) -> usize {
        Self::LETTERS.len()
    }

    fn step(&mut self, action: &str) -> Step {
        let action = first_line(action);
        let last_turn = self.max_turns();
        let game = self.game.as_mut().expect("step needs a reset first");
        assert!(game.turns < last_turn, "step in a finished game; reset it first");
        game.turns += 1;
        let terminated = game.turns == last_turn;
        let won = terminated && action.chars().eq([game.letter]);
        let reply = if terminated {
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
        game.history.push_str(&format!("{action} {reply}\n"));
        Step {
            observation: game.history.clone(),
            reply,
            reward: if won { 1.0 } else { 0.0 },
            terminated,
            truncated: false,
            invalid: action.is_empty(),
            won,
        }
    }

    fn max_turns(&self) -> usize {
        self.distractions + 1
    }

    fn optimum_return(&self) -> Option<f64> {
        Some(1.0)
    }

    fn worst_return(&self) -> Option<f64> {
        Some(0.0)
    }
}

#[cfg(test)]
mod tests {
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
        for (action, reward) in [("7", best), (" 0 \n1", 0.3), ("3", 0.0), ("77", -1.0), ("", -1.0)]
        {
            let mut bandit = Bandit::new();
            bandit.reset(0);
            let step = bandit.step(action);
            assert_eq!(step.reward, reward, "{action:?}");
            assert_eq!(step.invalid, reward == Bandit::INVALID_PAY);
            assert!(step.terminated && !step.truncated);
        }
        assert_eq!(f64::from(best), Bandit::new().optimum_return().unwrap());
    }

    #[test]
    fn a_recall_game_line_by_line() {
        let mut recall = Recall::new(2);
        let mut seen = vec![recall.reset_to(1, 9)];
        for action in ["hm", "hm", "B"] {
            let step = recall.step(action);
            assert!(step.observation.starts_with(seen.last().unwrap()));
            seen.push(step.observation);
        }
        let lines: Vec<&str> = seen[3].lines().collect();
        assert_eq!(lines[0], "Remember B.");
        assert!(lines[1].starts_with("hm Ignore ") && lines[1].ends_with('.'));
        assert!(lines[2].starts_with("hm Ignore ") && lines[2].ends_with("Which letter?"));
        assert_eq!(lines[3], "B Right.");
    }

    #[test]
    fn the_scripted_player_reaches_the_optimum() {
        let mut recall = Recall::default();
        for task in 0..recall.tasks() {
            let mut observation = recall.reset_to(task, 3);
            let mut total = 0.0;
            loop {
                let step = recall.step(&Recall::scripted(&observation));
                total += f64::from(step.reward);
                if step.done() {
                    break;
                }
                observation = step.observation;
            }
            assert_eq!(Some(total), recall.optimum_return());
        }
    }
}
