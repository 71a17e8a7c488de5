//! A secret word in play: the names that win it, and its row in the knowledge table.

use super::rules::{Rules, official_last_token};
use crate::error::UnknownWord;
use crate::knowledge::{ObjectId, Table};
use crate::letters;
use crate::words::words;

/// An object that can be the secret.
#[derive(Debug, Clone)]
pub(super) struct Target {
    /// The name that the oracle is asked about.
    pub name: String,
    /// Every accepted name, in lower case, `name` among them.
    pub aliases: Vec<String>,
    pub object: ObjectId,
}

impl Target {
    /// Finds an object by its name or an alias, whatever the case.
    ///
    /// The 157 words come with the reference's aliases, the table's other objects with the table's.
    pub fn resolve(table: &Table, name: &str) -> Result<Target, UnknownWord> {
        let wanted = letters::lower(name.trim());
        let word = words().iter().find(|w| w.aliases.contains(&wanted.as_str()));
        let name = word.map_or(wanted.as_str(), |w| w.name());
        let Some(object) = table.object(name) else {
            let names = table.objects().iter().map(|o| o.name.as_ref());
            return Err(UnknownWord::among(&wanted, names));
        };
        let row = &table.objects()[object.0];
        let mut aliases: Vec<String> = match word {
            Some(word) => word.aliases.iter().map(|a| a.to_string()).collect(),
            None => row.aliases.iter().map(|a| letters::lower(a)).collect(),
        };
        let name = word.map_or_else(|| row.name.to_string(), |w| w.name().to_string());
        if !aliases.contains(&name) {
            aliases.insert(0, name.clone());
        }
        Ok(Target { name, aliases, object })
    }

    /// Whether `question` guesses this object.
    pub fn is_guessed_by(&self, table: &Table, rules: Rules, question: &str) -> bool {
        match rules {
            Rules::Official => self.aliases.contains(&official_last_token(question)),
            Rules::Fixed => {
                let named = table.guess_phrase(question).is_some_and(|phrase| {
                    self.aliases.contains(&phrase) || table.object(&phrase) == Some(self.object)
                });
                // A guess with an error of typing is one too.
                named || table.guessed_loosely(question) == Some(self.object)
            }
        }
    }

    /// Whether any question can win this object: the official rules compare a single token, so
    /// a name of two words never matches.
    pub fn is_winnable(&self, rules: Rules) -> bool {
        match rules {
            Rules::Official => self.aliases.iter().any(|alias| !alias.contains(' ')),
            Rules::Fixed => true,
        }
    }
}
