//! How the messages of a chat are framed for a model that was trained on such.

use archer_world::{Chat, Style};
use serde::{Deserialize, Serialize};

use super::ranges::within;
use crate::error::Error;

/// The longest piece, in bytes.
const LONGEST: usize = 1 << 16;
/// The most marks.
const MOST_MARKS: usize = 4096;
/// The longest mark, in bytes.
const LONGEST_MARK: usize = 256;

/// The frame of a chat: opening and replies of the world are the user's messages, utterances the assistant's.
/// A run that starts from a model with a chat template fills it in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct ChatConfig {
    /// Whether a model that comes with a chat template reads messages framed by it; without, it reads the
    /// world's plain text.
    pub use_template: bool,
    /// What stands before the first message.
    pub begin: String,
    /// What stands before a message of the world.
    pub before_user: String,
    /// What follows it.
    pub after_user: String,
    /// What stands before an utterance.
    pub before_assistant: String,
    /// What follows it, the token that ends it included.
    pub after_assistant: String,
    /// The text of the token that ends an utterance; empty for no chat.
    pub stop: String,
    /// Texts of tokens that only the frame may hold.
    pub marks: Vec<String>,
}

impl Default for ChatConfig {
    fn default() -> Self {
        Self { use_template: true, ..Self::of(Chat::default()) }
    }
}

impl ChatConfig {
    /// The frame of a model.
    pub fn of(chat: Chat) -> Self {
        let Chat { begin, before_user, after_user, before_assistant, after_assistant, stop, marks } =
            chat;
        Self {
            use_template: true,
            begin,
            before_user,
            after_user,
            before_assistant,
            after_assistant,
            stop,
            marks,
        }
    }

    /// The same with the pieces of `other` where these are empty.
    pub fn filled_from(&self, other: &Self) -> Self {
        let piece = |own: &String, other: &String| match own.is_empty() {
            true => other.clone(),
            false => own.clone(),
        };
        Self {
            use_template: self.use_template,
            begin: piece(&self.begin, &other.begin),
            before_user: piece(&self.before_user, &other.before_user),
            after_user: piece(&self.after_user, &other.after_user),
            before_assistant: piece(&self.before_assistant, &other.before_assistant),
            after_assistant: piece(&self.after_assistant, &other.after_assistant),
            stop: piece(&self.stop, &other.stop),
            marks: if self.marks.is_empty() { other.marks.clone() } else { self.marks.clone() },
        }
    }

    /// How texts are joined, where they are messages of a chat.
    pub fn style(&self) -> Option<Style> {
        let Self { begin, before_user, after_user, before_assistant, .. } = self.clone();
        let Self { after_assistant, stop, marks, .. } = self.clone();
        let chat =
            Chat { begin, before_user, after_user, before_assistant, after_assistant, stop, marks };
        (self.use_template && !self.stop.is_empty()).then_some(Style::Chat(Box::new(chat)))
    }

    /// Checks every range.
    ///
    /// # Errors
    /// The first fault, as a sentence that names the key.
    pub(crate) fn check(&self) -> Result<(), Error> {
        for (name, piece) in [
            ("chat.begin", &self.begin),
            ("chat.before_user", &self.before_user),
            ("chat.after_user", &self.after_user),
            ("chat.before_assistant", &self.before_assistant),
            ("chat.after_assistant", &self.after_assistant),
            ("chat.stop", &self.stop),
        ] {
            let good = piece.len() <= LONGEST;
            within(name, "a text", good, format_args!("at most {LONGEST} bytes"))?;
        }
        let (count, longest) = (self.marks.len(), self.marks.iter().map(String::len).max());
        let good = count <= MOST_MARKS && longest.unwrap_or(0) <= LONGEST_MARK;
        let want = format_args!("at most {MOST_MARKS} texts of at most {LONGEST_MARK} bytes");
        within("chat.marks", format_args!("{count} texts"), good, want)?;
        let good = self.stop.is_empty() || self.after_assistant.contains(&self.stop);
        let want = "a part of chat.after_assistant";
        within("chat.stop", format_args!("{:?}", self.stop), good, want)
    }
}
