//! What a world that shows observations says back, where it does not say it itself.

use archer_world::{End, Start};
use serde_json::{Map, Value};

/// The seed that a world without numbered tasks is given, and the number of the task.
///
/// With `tasks` the world has so many different games: those of the seeds 0 to `tasks` − 1.
pub(crate) fn seed(start: &Start, tasks: Option<usize>) -> (u64, Option<usize>) {
    match tasks {
        None => (start.seed, None),
        Some(tasks) => {
            let drawn = usize::try_from(start.seed % tasks as u64).unwrap_or(0);
            let task = start.task.unwrap_or(drawn);
            (task as u64, Some(task))
        }
    }
}

/// One game as the world shows it.
#[derive(Debug, Default)]
pub(crate) struct Screen {
    shown: String,
    turns: usize,
}

impl Screen {
    /// A game that begins so, and the text that the player reads first.
    pub(crate) fn open(observation: String) -> (Screen, String) {
        let mut text = observation.clone();
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        (Screen { shown: observation, turns: 0 }, text)
    }

    /// The reply in the observation after `said`.
    ///
    /// An observation that begins with the one before it holds the whole game: what is new is the
    /// reply, without the utterance where the world repeats it. Any other observation, and one that did
    /// not change, is the reply itself.
    pub(crate) fn reply(&mut self, said: &str, observation: String) -> String {
        self.turns += 1;
        let new = observation.strip_prefix(&self.shown).filter(|new| {
            let at_line = self.shown.ends_with('\n') || new.starts_with('\n');
            !new.is_empty() && !self.shown.is_empty() && at_line
        });
        let reply = match new {
            None => observation.as_str(),
            Some(new) => {
                let new = new.strip_prefix('\n').unwrap_or(new);
                let after = new.strip_prefix(said).filter(|after| after.starts_with([' ', '\n']));
                after.map_or(new, |after| &after[1..])
            }
        };
        let reply = without_line_end(reply).to_string();
        self.shown = observation;
        reply
    }

    /// How the game goes on: as the world says, but never past `max_turns` turns.
    pub(crate) fn end(&self, end: Option<End>, max_turns: usize) -> Option<End> {
        end.or_else(|| (self.turns >= max_turns).then_some(End::Cut))
    }
}

/// A text without the one end of line that closes it.
pub(crate) fn without_line_end(text: &str) -> &str {
    let text = text.strip_suffix('\n').unwrap_or(text);
    text.strip_suffix('\r').unwrap_or(text)
}

/// Whether additional information about a step says that a limit cut the game.
pub(crate) fn says_truncated(info: &Map<String, Value>) -> bool {
    ["truncated", "TimeLimit.truncated"]
        .iter()
        .any(|key| info.get(*key) == Some(&Value::Bool(true)))
}

/// Whether additional information about a step says that the goal was reached, or was not.
pub(crate) fn says_won(info: &Map<String, Value>) -> Option<bool> {
    ["won", "is_success"].iter().find_map(|key| info.get(*key).and_then(Value::as_bool))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(before: &str, said: &str, after: &str) -> String {
        Screen::open(before.to_string()).0.reply(said, after.to_string())
    }

    #[test]
    fn what_is_new_in_a_growing_text_is_the_reply() {
        assert_eq!(reply("Go.\n", "left", "Go.\nleft wall\n"), "wall");
        assert_eq!(reply("Go.", "left", "Go.\nleft\nwall"), "wall");
        assert_eq!(reply("Go.\n", "left", "Go.\nleftover\n"), "leftover");
    }

    #[test]
    fn another_text_is_the_reply_itself() {
        assert_eq!(reply("at 1", "right", "at 12"), "at 12");
        assert_eq!(reply("@..\n", "left", "@..\n"), "@..");
        assert_eq!(reply("", "left", "wall"), "wall");
        assert_eq!(reply("Go.\n", "left", "wall\r\n"), "wall");
    }

    #[test]
    fn a_game_is_cut_at_its_most_turns_and_no_sooner() {
        let (mut screen, opening) = Screen::open("Go.".into());
        assert_eq!(opening, "Go.\n");
        screen.reply("a", "1".into());
        assert_eq!(screen.end(None, 2), None);
        screen.reply("b", "2".into());
        assert_eq!(screen.end(None, 2), Some(End::Cut));
        assert_eq!(screen.end(Some(End::Won), 2), Some(End::Won));
    }

    #[test]
    fn tasks_are_seeds() {
        let start = |task, seed| Start { task, seed };
        assert_eq!(seed(&start(None, 17), None), (17, None));
        assert_eq!(seed(&start(None, 17), Some(5)), (2, Some(2)));
        assert_eq!(seed(&start(Some(3), 17), Some(5)), (3, Some(3)));
    }
}
