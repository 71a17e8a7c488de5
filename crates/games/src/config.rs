//! A world described by data, as a configuration file does, and made from it.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use archer_input::shown;
use serde::{Deserialize, Serialize};

use archer_world::{About, Batch, Settings, Teaching, Wait, World, WorldError, Worlds};

use crate::error::GameError;
use crate::guess_my_city::GuessMyCity;
use crate::guessing::GuessingGame;
use crate::guessing::demonstrator::DemonstratorConfig;
use crate::guessing::shaping::ShapingForm;
use crate::guessing::teaching::GuessTeaching;
use crate::knowledge::{self, Table};
use crate::people::{OracleName, PeopleConfig};
use crate::toy::{Bandit, Recall};
use crate::twenty_questions::{Answer, Answers, Options, Rules, TwentyQuestions};

mod lists;

pub use lists::{MOST_WORDS, WordList, Words};

/// The worlds by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum WorldName {
    /// Find the secret word by yes-or-no questions.
    #[default]
    TwentyQuestions,
    /// Find the home town by any questions.
    GuessMyCity,
    /// Say a digit, be paid: one turn.
    Bandit,
    /// Say the letter that was shown some turns ago.
    Recall,
}

impl WorldName {
    /// All of them.
    pub(crate) const ALL: [WorldName; 4] =
        [WorldName::TwentyQuestions, WorldName::GuessMyCity, WorldName::Bandit, WorldName::Recall];

    /// The name in configurations and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            WorldName::TwentyQuestions => "twenty_questions",
            WorldName::GuessMyCity => "guess_my_city",
            WorldName::Bandit => "bandit",
            WorldName::Recall => "recall",
        }
    }
}

impl FromStr for WorldName {
    type Err = GameError;

    fn from_str(name: &str) -> Result<Self, GameError> {
        let found = Self::ALL.into_iter().find(|world| world.name() == name);
        found.ok_or_else(|| GameError::UnknownWorld(name.to_string()))
    }
}

impl fmt::Display for WorldName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Everything that says which world it is. What a world does not have must be left at its default
/// there.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct WorldConfig {
    /// Which world.
    pub name: WorldName,
    /// Twenty Questions and Guess My City: whose rules.
    pub rules: Rules,
    /// Twenty Questions: which secret words: `all` 157, the `subset` of ten, the `own` ones of
    /// `knowledge`, or a list of names that the table knows, at most 5,000.
    pub words: Words,
    /// Twenty Questions: a file with objects, facts and questions of one's own, which lie over the
    /// table's (docs/your-table.md). Read by the terminal only.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub knowledge: String,
    /// Turns after which a game is over, at least 1. Left out: 20 in Twenty Questions and Guess My
    /// City, 4 in recall. A bandit has one turn in any case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_turns: Option<usize>,
    /// Twenty Questions: who answers; the table if left out. `people` need the fixed rules, and
    /// "Sometimes." and "I don't know." are answers of theirs.
    #[serde(skip_serializing_if = "OracleName::is_table")]
    pub oracle: OracleName,
    /// Twenty Questions with the oracle `people`: how often they do not know, are vague or wrong, on
    /// average over the secrets and the properties that part them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "PeopleConfig"))]
    pub people: Option<PeopleConfig>,
    /// Twenty Questions, fixed rules: whether "Sometimes." is an answer.
    pub sometimes: bool,
    /// Twenty Questions: probability, 0 to 1, that a Yes or No to a property is flipped.
    pub answer_noise: f64,
    /// Twenty Questions with `sometimes`: probability, 0 to 1, that a Yes or No to a property
    /// becomes "Sometimes.".
    pub sometimes_noise: f64,
    /// Twenty Questions: how likely some words are beside 1 for the others, by name; 0 for never.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub weights: BTreeMap<String, f64>,
    /// Twenty Questions: what is answered otherwise than in the table: for a question about a
    /// property (in any wording) the objects, each with `yes`, `no` or `sometimes`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub answers: Answers,
    /// Twenty Questions: secret words beside those of the list, by names that the table knows.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub extra: Vec<String>,
    /// Twenty Questions: probability that a yes or no is false in the last of the games played for
    /// learning, where `answer_noise` (or, where people answer, `people.wrong`) is lower: an agent that has met false answers doubts them in
    /// time. It grows from none with the square of the training done, for the plain game is learned
    /// first. Evaluations are games of the world as it is. 0 for none.
    pub rollout_noise: f64,
    /// Worlds of questions: points of reward, in what is learned from, for each bit by which an answer
    /// narrows the secrets down ([`crate::guessing::shaping`]). With `shaping_form` `potential` it is a
    /// potential, so the best policy stays what it is. Values then are those of the shaped game;
    /// evaluations are the plain game's. 0 for none.
    pub shaping_coef: f64,
    /// Which bits `shaping_coef` pays for. Averaged ones leave Q less chance to average out.
    pub shaping_form: ShapingForm,
    /// Worlds of questions: the player that is imitated in the warm start.
    pub demonstrator: DemonstratorConfig,
}

/// What makes a world another than it was: the keys of [`WorldConfig`] that a person may change
/// where an agent learns on. What is left out stays.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WorldChange {
    /// As [`WorldConfig::weights`].
    pub weights: Option<BTreeMap<String, f64>>,
    /// As [`WorldConfig::answers`].
    pub answers: Option<Answers>,
    /// As [`WorldConfig::extra`].
    pub extra: Option<Vec<String>>,
}

impl WorldConfig {
    /// This world with a change.
    pub fn changed(&self, change: &WorldChange) -> WorldConfig {
        let WorldChange { weights, answers, extra } = change.clone();
        let mut world = self.clone();
        world.weights = weights.unwrap_or(world.weights);
        world.answers = answers.unwrap_or(world.answers);
        world.extra = extra.unwrap_or(world.extra);
        world
    }

    /// The options of Twenty Questions.
    pub fn options(&self) -> Options {
        let default = Options::default();
        Options {
            rules: self.rules,
            max_turns: self.max_turns.unwrap_or(default.max_turns),
            sometimes: self.sometimes,
            answer_noise: self.answer_noise as f32,
            sometimes_noise: self.sometimes_noise as f32,
            people: self.answered_by_people(),
        }
    }

    /// The rates of people, where they answer.
    fn answered_by_people(&self) -> Option<PeopleConfig> {
        (self.oracle == OracleName::People).then(|| self.people.unwrap_or_default())
    }

    /// Whether an answer is one that a game of Twenty Questions has here, and so one that an agent of
    /// this world has learned from.
    pub fn knows(&self, answer: Answer) -> bool {
        self.options().knows(answer)
    }

    /// The knowledge that the answers come from.
    ///
    /// # Errors
    /// If `knowledge` names a file that nobody has [provided](crate::knowledge::provide).
    pub fn table(&self) -> Result<&'static Table, GameError> {
        if self.knowledge.is_empty() {
            return Ok(knowledge::table());
        }
        #[cfg(feature = "own")]
        let own = knowledge::own_table(&self.knowledge);
        #[cfg(not(feature = "own"))]
        let own: Option<&'static Table> = None;
        own.ok_or_else(|| {
            GameError::BadSetting(format!(
                "world.knowledge = \"{}\" is a file that was not read: only the terminal reads files \
                 of one's own",
                self.knowledge
            ))
        })
    }

    /// Twenty Questions as this configuration has it.
    pub(crate) fn twenty_questions(&self) -> Result<TwentyQuestions, GameError> {
        self.people.map_or(Ok(()), |people| people.check())?;
        if self.oracle == OracleName::Table && self.people.is_some() {
            return Err(GameError::BadSetting(
                "world.people is set, but the table answers; set world.oracle to people as well"
                    .to_string(),
            ));
        }
        let table = self.table()?;
        TwentyQuestions::over(table, &self.secrets(table)?, self.options())?
            .with_weights(&self.weights)?
            .with_answers(&self.answers)
    }

    /// Refuses what only Twenty Questions knows.
    fn check_unchanged(&self) -> Result<(), GameError> {
        if self.weights.is_empty() && self.answers.is_empty() && self.extra.is_empty() {
            return Ok(());
        }
        Err(GameError::BadSetting(format!(
            "the world {} has no weights, answers or extra; leave them out",
            self.name
        )))
    }

    /// Guess My City as this configuration has it.
    pub(crate) fn guess_my_city(&self) -> Result<GuessMyCity, GameError> {
        self.check_unchanged()?;
        let WorldConfig { rules, shaping_coef, shaping_form, .. } = *self;
        let plain = WorldConfig { rules, shaping_coef, shaping_form, ..self.plain() };
        if *self != plain {
            return Err(GameError::BadSetting(format!(
                "the world {} has no words, knowledge, oracle, people, sometimes, answer_noise, \
                 sometimes_noise or rollout_noise; leave them out",
                self.name
            )));
        }
        GuessMyCity::new(self.rules, self.max_turns.unwrap_or(Options::default().max_turns))
    }

    /// This world where every answer is the table's: what it is for a person who asks.
    pub fn truthful(&self) -> WorldConfig {
        WorldConfig {
            oracle: OracleName::Table,
            people: None,
            answer_noise: 0.0,
            sometimes_noise: 0.0,
            ..self.clone()
        }
    }

    /// This world with everything but its number of turns left out.
    fn plain(&self) -> WorldConfig {
        WorldConfig {
            name: self.name,
            max_turns: self.max_turns,
            demonstrator: self.demonstrator,
            ..WorldConfig::default()
        }
    }

    /// Refuses a toy world with settings that would be ignored.
    fn check_toy(&self) -> Result<(), GameError> {
        self.check_unchanged()?;
        if *self == self.plain() {
            return Ok(());
        }
        Err(GameError::BadSetting(format!(
            "the world {} has no rules, words, knowledge, oracle, people, sometimes, answer_noise, \
             sometimes_noise, rollout_noise or shaping; leave them out",
            self.name
        )))
    }
}

impl WorldConfig {
    /// Reads the settings of a world; what is left out has its default.
    ///
    /// # Errors
    /// A key that there is not, or a value of the wrong type.
    pub fn of(settings: &Settings) -> Result<Self, GameError> {
        if let Some(name) = settings.get("name").and_then(|name| name.as_str()) {
            name.parse::<WorldName>()?;
        }
        let value = serde_json::Value::Object(settings.clone());
        let mut world: Self =
            archer_input::from_value(value).map_err(|e| GameError::BadSetting(e.to_string()))?;
        // What a run has learned from stands in its settings, whatever later defaults are.
        world.people = world.answered_by_people().or(world.people);
        Ok(world)
    }

    /// All of it as settings.
    pub fn settings(&self) -> Settings {
        match serde_json::to_value(self) {
            Ok(serde_json::Value::Object(settings)) => settings,
            _ => unreachable!("a configuration is plain data"),
        }
    }

    /// The world, if it is one where a secret is found by asking.
    ///
    /// # Errors
    /// A setting that is out of its range or does not belong to the world.
    pub fn guessing(&self) -> Result<Option<Box<dyn GuessingGame>>, GameError> {
        Ok(match self.name {
            WorldName::TwentyQuestions => Some(Box::new(self.twenty_questions()?)),
            WorldName::GuessMyCity => Some(Box::new(self.guess_my_city()?)),
            WorldName::Bandit | WorldName::Recall => None,
        })
    }

    /// The world in which the games are played that are learned from, at this share of the training.
    fn in_training(&self, progress: f64) -> WorldConfig {
        let grown = progress.clamp(0.0, 1.0);
        let noise = self.rollout_noise * grown * grown;
        let mut world = self.clone();
        match self.oracle {
            OracleName::Table => world.answer_noise = self.answer_noise.max(noise),
            OracleName::People => {
                let people = self.people.unwrap_or_default();
                let most = (1.0 - people.unknown - people.sometimes) / 2.0;
                let wrong = people.wrong.max(noise.min(most));
                world.people = Some(PeopleConfig { wrong, ..people });
            }
        }
        world
    }
}

/// The most turns of a game of these worlds.
const MOST_TURNS: usize = 1000;

/// Refuses a game of no turn, or of so many that it hardly ends.
pub(crate) fn check_turns(turns: usize) -> Result<(), GameError> {
    match turns {
        1..=MOST_TURNS => Ok(()),
        _ => Err(GameError::BadSetting(format!(
            "max_turns is {turns}; a game has at least 1 turn and at most {MOST_TURNS}"
        ))),
    }
}

/// One game of the world that a configuration describes.
///
/// # Errors
/// A setting that is out of its range or does not belong to the world.
///
/// ```
/// use archer_games::{WorldConfig, make_one};
/// use archer_world::{Start, World};
///
/// let mut world = make_one(&WorldConfig::default()).unwrap();
/// assert_eq!(world.start(&Start { task: None, seed: 7 }).text, "Questions:\n");
/// let turn = world.act("Is it an animal?");
/// assert_eq!(turn.reward, -1.0);
/// ```
pub fn make_one(config: &WorldConfig) -> Result<Box<dyn World>, GameError> {
    config.demonstrator.check()?;
    match config.name {
        WorldName::TwentyQuestions => Ok(Box::new(config.twenty_questions()?)),
        WorldName::GuessMyCity => Ok(Box::new(config.guess_my_city()?)),
        WorldName::Bandit => {
            config.check_toy()?;
            match config.max_turns {
                None | Some(1) => Ok(Box::new(Bandit::new())),
                Some(turns) => Err(GameError::BadSetting(format!(
                    "max_turns is {turns}; a bandit has 1 turn, so leave it out"
                ))),
            }
        }
        WorldName::Recall => {
            config.check_toy()?;
            let turns = config.max_turns.unwrap_or(Recall::DISTRACTIONS + 1);
            check_turns(turns)?;
            Ok(Box::new(Recall::new(turns - 1)))
        }
    }
}

/// The world that a configuration describes, for any number of games.
struct Shipped {
    config: WorldConfig,
    about: About,
    teaching: GuessTeaching,
}

impl Worlds for Shipped {
    fn about(&self) -> &About {
        &self.about
    }

    fn open(&self, games: usize) -> Wait<'_, Box<dyn Batch>> {
        let worlds: Result<Vec<_>, _> = (0..games).map(|_| make_one(&self.config)).collect();
        let row = worlds.map(|worlds| Box::new(archer_world::worlds::Row::new(worlds)) as _);
        Box::pin(std::future::ready(row.map_err(WorldError::from)))
    }

    fn teaching(&self) -> Option<&dyn Teaching> {
        Some(&self.teaching)
    }

    fn in_training(&self, progress: f64) -> Result<Option<Arc<dyn Worlds>>, WorldError> {
        match self.config.rollout_noise {
            0.0 => Ok(None),
            _ => Ok(Some(self.config.in_training(progress).worlds()?)),
        }
    }
}

impl WorldConfig {
    /// The world as the trainer holds it.
    ///
    /// # Errors
    /// A setting that is out of its range or does not belong to the world.
    pub fn worlds(&self) -> Result<Arc<dyn Worlds>, GameError> {
        if !(0.0..=1.0).contains(&self.rollout_noise) {
            return Err(GameError::BadSetting(format!(
                "world.rollout_noise = {} is out of range: it must be between 0 and 1",
                shown(self.rollout_noise)
            )));
        }
        let about = make_one(self)?.about();
        let teaching = GuessTeaching::new(self)?;
        Ok(Arc::new(Shipped { config: self.clone(), about, teaching }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<WorldConfig, String> {
        serde_json::from_str(json).map_err(|e| e.to_string())
    }

    #[test]
    fn what_is_left_out_has_a_default() {
        assert_eq!(read("{}"), Ok(WorldConfig::default()));
        let config =
            read(r#"{"name": "twenty_questions", "words": "subset", "rules": "official"}"#);
        let config = config.unwrap();
        assert_eq!(
            (config.words.clone(), config.rules),
            (WordList::Subset.into(), Rules::Official)
        );
        let written = serde_json::to_string(&config).unwrap();
        assert_eq!(read(&written), Ok(config));
    }

    #[test]
    fn a_wrong_config_is_named_with_what_is_accepted() {
        for (json, parts) in [
            (r#"{"nmae": "bandit"}"#, ["nmae", "`name`"]),
            (r#"{"name": "chess"}"#, ["chess", "`recall`"]),
            (r#"{"words": "some"}"#, ["some", "`subset`"]),
            (r#"{"max_turns": -3}"#, ["-3", "usize"]),
        ] {
            let error = read(json).unwrap_err();
            assert!(parts.iter().all(|part| error.contains(part)), "{error}");
        }
        assert_eq!(
            "chess".parse::<WorldName>().unwrap_err().to_string(),
            format!(
                "there is no world named \"chess\"; choose one of {}",
                crate::names().join(", ")
            )
        );
    }

    #[test]
    fn every_world_is_made() {
        for (name, tasks, turns) in [
            (WorldName::TwentyQuestions, 157, 20),
            (WorldName::GuessMyCity, 91, 20),
            (WorldName::Bandit, 1, 1),
            (WorldName::Recall, 8, 4),
        ] {
            let config = WorldConfig { name, ..Default::default() };
            let about = make_one(&config).unwrap().about();
            assert_eq!((about.tasks, about.max_turns), (Some(tasks), turns));
            assert_eq!(name.to_string().parse(), Ok(name));
        }
    }

    #[test]
    fn settings_out_of_range_are_refused_in_a_sentence() {
        for (json, message) in [
            (r#"{"max_turns": 0}"#, "max_turns is 0; a game has at least 1 turn and at most 1000"),
            (r#"{"answer_noise": 1.5}"#, "answer_noise is 1.5; it is a probability, from 0 to 1"),
            (
                r#"{"rules": "official", "sometimes": true}"#,
                "sometimes is true, but the official rules know only Yes, No and Invalid \
                 Question; set it to false or choose the fixed rules",
            ),
            (
                r#"{"name": "bandit", "max_turns": 2}"#,
                "max_turns is 2; a bandit has 1 turn, so leave it out",
            ),
            (
                r#"{"name": "recall", "words": "subset"}"#,
                "the world recall has no rules, words, knowledge, oracle, people, sometimes, \
                 answer_noise, sometimes_noise, rollout_noise or shaping; leave them out",
            ),
            (
                r#"{"name": "guess_my_city", "answer_noise": 0.1}"#,
                "the world guess_my_city has no words, knowledge, oracle, people, sometimes, \
                 answer_noise, sometimes_noise or rollout_noise; leave them out",
            ),
            (
                r#"{"name": "guess_my_city", "max_turns": 0}"#,
                "max_turns is 0; a game has at least 1 turn and at most 1000",
            ),
            (
                r#"{"sometimes_noise": 0.1}"#,
                "sometimes_noise is 0.1, but \"Sometimes.\" is no answer here; set sometimes to \
                 true as well",
            ),
            (
                r#"{"sometimes": true, "answer_noise": 0.6, "sometimes_noise": 0.6}"#,
                "answer_noise 0.6 and sometimes_noise 0.6 are probabilities that must add up to \
                 at most 1",
            ),
            (
                r#"{"name": "recall", "max_turns": 0}"#,
                "max_turns is 0; a game has at least 1 turn and at most 1000",
            ),
        ] {
            let error = make_one(&read(json).unwrap()).err().unwrap().to_string();
            assert_eq!(error, message);
        }
    }
}
