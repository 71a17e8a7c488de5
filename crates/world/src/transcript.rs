//! How opening, utterances and replies become the text that the agent reads.
//!
//! A world returns only what it says back, and this is the one place that joins: no world can break
//! the text, and nobody parses what was said back out of it.

use serde::{Deserialize, Serialize};

/// What stands between the parts of a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Style {
    /// Lines of text.
    Lines {
        /// What follows an utterance: a blank, or an end of line.
        after_utterance: String,
        /// What follows a reply, as a rule an end of line.
        after_reply: String,
    },
}

impl Default for Style {
    /// A command and the answer to it, each on a line of its own.
    fn default() -> Self {
        Style::Lines { after_utterance: "\n".to_string(), after_reply: "\n".to_string() }
    }
}

impl Style {
    /// Utterance and reply on one line.
    pub fn one_line() -> Self {
        Style::Lines { after_utterance: " ".to_string(), after_reply: "\n".to_string() }
    }

    /// What stands in the text after an utterance: the reply between its separators.
    pub fn reply(&self, reply: &str) -> String {
        let Style::Lines { after_utterance, after_reply } = self;
        format!("{after_utterance}{reply}{after_reply}")
    }

    /// What follows an utterance in the text, whatever is replied.
    pub fn after_utterance(&self) -> &str {
        let Style::Lines { after_utterance, .. } = self;
        after_utterance
    }
}

/// A game as text.
///
/// With a memory of `n` the text is the opening and the last `n` exchanges. With a memory of 0 it is
/// what the world showed last: the opening before the first utterance, the present reply afterwards,
/// each with the end of line of a reply.
///
/// ```
/// use archer_world::{Style, Transcript};
///
/// let mut game = Transcript::new(Style::one_line(), None, "Questions:\n");
/// game.push("Is it alive?", "No.");
/// assert_eq!(game.text(), "Questions:\nIs it alive? No.\n");
///
/// let mut screen = Transcript::new(Style::default(), Some(0), "You are at 1, 1.\n");
/// screen.push("move left", "You are at 1, 2.");
/// assert_eq!(screen.text(), "You are at 1, 2.\n");
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Transcript {
    style: Style,
    memory: Option<usize>,
    opening: String,
    exchanges: Vec<(String, String)>,
}

impl Transcript {
    /// A game before its first utterance.
    pub fn new(style: Style, memory: Option<usize>, opening: impl Into<String>) -> Self {
        Self { style, memory, opening: opening.into(), exchanges: Vec::new() }
    }

    /// Adds an utterance and the reply to it.
    pub fn push(&mut self, said: impl Into<String>, reply: impl Into<String>) {
        self.exchanges.push((said.into(), reply.into()));
    }

    /// The exchanges so far, utterance and reply.
    pub fn exchanges(&self) -> &[(String, String)] {
        &self.exchanges
    }

    /// How its parts are joined.
    pub fn style(&self) -> &Style {
        &self.style
    }

    /// Whether the text only grows: each exchange adds to what was there.
    pub fn grows(&self) -> bool {
        self.memory.is_none()
    }

    /// Whether this was said before in the game, by the project's one rule: but for case and for
    /// blanks around it.
    pub fn said_before(&self, said: &str) -> bool {
        let said = spelled(said);
        self.exchanges.iter().any(|(before, _)| spelled(before) == said)
    }

    /// Whether something that was said begins like this, likewise.
    pub fn may_repeat(&self, begun: &str) -> bool {
        let begun = spelled(begun);
        self.exchanges.iter().any(|(before, _)| spelled(before).starts_with(&begun))
    }

    /// The text that the agent reads now.
    pub fn text(&self) -> String {
        let Style::Lines { after_reply, .. } = &self.style;
        if let (Some(0), Some((_, reply))) = (self.memory, self.exchanges.last()) {
            return format!("{reply}{after_reply}");
        }
        let first = self.memory.map_or(0, |n| self.exchanges.len().saturating_sub(n));
        let mut text = self.opening.clone();
        for (said, reply) in &self.exchanges[first..] {
            text.push_str(said);
            text.push_str(&self.style.reply(reply));
        }
        text
    }
}

/// An utterance as it is compared with others of its game.
pub fn spelled(said: &str) -> String {
    said.trim().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn played(memory: Option<usize>) -> Transcript {
        let mut game = Transcript::new(Style::default(), memory, "Go.\n");
        game.push("left", "wall");
        game.push("right", "free");
        game
    }

    #[test]
    fn memory_bounds_what_is_read() {
        assert_eq!(played(None).text(), "Go.\nleft\nwall\nright\nfree\n");
        assert_eq!(played(Some(1)).text(), "Go.\nright\nfree\n");
        assert_eq!(played(Some(7)).text(), played(None).text());
        assert_eq!(played(Some(0)).text(), "free\n");
        assert_eq!(Transcript::new(Style::default(), Some(0), "Go.\n").text(), "Go.\n");
    }

    #[test]
    fn an_utterance_is_the_same_but_for_case_and_blanks_around_it() {
        let game = played(None);
        assert!(game.said_before(" LEFT ") && !game.said_before("le ft"));
    }
}
