//! The settings of a world that lives outside.

use std::sync::Arc;
use std::time::Duration;

use archer_world::contract::MOST_TASKS;
use archer_world::{About, Settings, Style, WorldError, Worlds};
use serde::Deserialize;
use serde_json::Value;

use crate::fault::setting;
use crate::{openenv, process};

/// Is given each line that a world writes to its standard error, without its end. It is called from
/// threads of this crate.
pub type Sink = Arc<dyn Fn(&str) + Send + Sync>;

/// The longest name of a world, in bytes.
const LONGEST_NAME: usize = 100;

/// How a world outside is reached, and what it cannot say of itself.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct GuestSettings {
    /// The program and its arguments: a list of texts, or one text that is split as a shell does.
    pub command: Option<Value>,
    /// The address of an OpenEnv server: `ws://host:port/ws`.
    pub url: Option<String>,
    /// The most processes of a world that plays one game at a time, 1 to 256; 16 if left out.
    pub processes: Option<usize>,
    /// The time limit for one answer in seconds, above 0 and at most 86400; 60 if left out.
    pub timeout_seconds: Option<f64>,
    /// The name of the world in reports, where it does not say one.
    pub name: Option<String>,
    /// The most turns of a game, 1 to 1000000, where the world does not say it; 100 if left out. A game
    /// that lasts longer is cut there.
    pub max_turns: Option<usize>,
    /// Exchanges that the player reads beside the opening; all if left out.
    pub memory: Option<usize>,
    /// The best mean return, where it is known.
    pub best: Option<f64>,
    /// The lowest return of a game, where there is one.
    pub worst: Option<f64>,
    /// The number of different games of a world that does not number its tasks, 1 to 16777216: the games
    /// of the seeds 0 to `tasks` − 1.
    pub tasks: Option<usize>,
    /// How utterances and replies are joined: `{ after_utterance = "\n", after_reply = "\n" }`.
    pub style: Option<Value>,
    /// The field of an OpenEnv action that holds the utterance; found by itself where there is one.
    pub action_field: Option<String>,
    /// The field of an OpenEnv observation that holds the text; found by itself where there is one.
    pub observation_field: Option<String>,
    /// The most OpenEnv connections, 1 to 1024; 16 if left out.
    pub sessions: Option<usize>,
}

/// Whether these settings speak of a world outside: they hold a `command` or a `url`.
pub fn is_guest(settings: &Settings) -> bool {
    ["command", "url"].iter().any(|name| settings.get(*name).is_some_and(|value| !value.is_null()))
}

/// The settings of a world that is named on a command line: an address where it holds `://`, and
/// otherwise a command.
pub fn reached_by(text: &str) -> Settings {
    let name = if text.contains("://") { "url" } else { "command" };
    Settings::from_iter([(name.to_string(), Value::from(text))])
}

/// Opens the world of these settings: starts its process, or connects to its server.
///
/// # Errors
/// [`WorldError::Settings`] if a setting cannot be; [`WorldError::Lost`] if the world cannot be
/// reached or does not answer as it must.
pub fn open(settings: &Settings) -> Result<Arc<dyn Worlds>, WorldError> {
    open_with(settings, None)
}

/// Opens the world of these settings; what its process writes to standard error goes to `sink`.
///
/// # Errors
/// See [`open`].
pub fn open_with(settings: &Settings, sink: Option<Sink>) -> Result<Arc<dyn Worlds>, WorldError> {
    let settings = GuestSettings::read(settings)?;
    match (&settings.command, &settings.url) {
        (Some(_), Some(_)) => {
            let remedy = "keep the one that leads to the world";
            Err(setting("command and url", "are both set", remedy))
        }
        (None, None) => {
            Err(setting("command", "is missing", "set it, or url, to say where the world is"))
        }
        (Some(_), None) => process::open(&settings, sink),
        (None, Some(_)) => openenv::open(&settings),
    }
}

impl GuestSettings {
    /// Reads settings and holds each to its range.
    ///
    /// # Errors
    /// If a name is not known, or a value is of the wrong kind or out of range.
    pub fn read(settings: &Settings) -> Result<GuestSettings, WorldError> {
        let read: GuestSettings = serde_json::from_value(Value::Object(settings.clone()))
            .map_err(|error| WorldError::Settings(format!("[world]: {error}")))?;
        read.check_ranges()?;
        read.check_door()?;
        Ok(read)
    }

    fn check_ranges(&self) -> Result<(), WorldError> {
        within("processes", self.processes, 256)?;
        within("sessions", self.sessions, 1024)?;
        within("max_turns", self.max_turns, 1_000_000)?;
        within("tasks", self.tasks, MOST_TASKS)?;
        if let Some(seconds) = self.timeout_seconds
            && !(seconds > 0.0 && seconds <= 86_400.0)
        {
            let remedy = "give seconds above 0, at most 86400";
            return Err(setting("timeout_seconds", &format!("is {seconds}"), remedy));
        }
        self.style().map(|_| ())
    }

    /// Refuses settings that belong to the other door, which to ignore would hide a mistake.
    fn check_door(&self) -> Result<(), WorldError> {
        let of_url = [
            ("action_field", self.action_field.is_some()),
            ("observation_field", self.observation_field.is_some()),
            ("sessions", self.sessions.is_some()),
        ];
        let stray = match (&self.command, &self.url) {
            (Some(_), None) => {
                of_url.into_iter().find(|(_, set)| *set).map(|(name, _)| (name, "url"))
            }
            (None, Some(_)) if self.processes.is_some() => Some(("processes", "command")),
            _ => None,
        };
        match stray {
            None => Ok(()),
            Some((name, door)) => {
                let what = format!("belongs to a world that is reached by {door}");
                Err(setting(name, &what, "leave it out"))
            }
        }
    }

    /// The program and its arguments.
    ///
    /// # Errors
    /// If there is none, or the text cannot be split.
    pub fn words(&self) -> Result<Vec<String>, WorldError> {
        let fault = |what| setting("command", what, "give for example \"python3 my_world.py\"");
        let words = match &self.command {
            Some(Value::String(text)) => {
                shlex::split(text).ok_or_else(|| fault("has a quote that is not closed"))?
            }
            Some(Value::Array(words)) => words
                .iter()
                .map(|word| word.as_str().map(str::to_string))
                .collect::<Option<Vec<String>>>()
                .ok_or_else(|| fault("holds something that is not a text"))?,
            _ => return Err(fault("is neither a text nor a list of texts")),
        };
        match words.first() {
            Some(program) if !program.is_empty() => {}
            _ => return Err(fault("is empty")),
        }
        match words.iter().any(|word| word.contains('\0')) {
            true => Err(fault("holds a zero byte")),
            false => Ok(words),
        }
    }

    /// The time limit for one answer.
    pub fn timeout(&self) -> Duration {
        Duration::from_secs_f64(self.timeout_seconds.unwrap_or(60.0))
    }

    /// What is known of a world that says nothing of itself, whose name is `name` by default.
    pub(crate) fn about(&self, name: &str) -> Result<About, WorldError> {
        let name = self.name.clone().unwrap_or_else(|| name.to_string());
        let unsaid = About::new(name, self.max_turns.unwrap_or(100));
        self.amend(About { tasks: self.tasks, ..unsaid })
    }

    /// What a world says of itself, with what these settings say better.
    pub(crate) fn amend(&self, said: About) -> Result<About, WorldError> {
        let about = About {
            name: self.name.clone().unwrap_or(said.name),
            memory: self.memory.or(said.memory),
            best: self.best.or(said.best),
            worst: self.worst.or(said.worst),
            style: self.style()?.unwrap_or(said.style),
            ..said
        };
        if about.name.len() > LONGEST_NAME {
            let what = format!("has {} bytes", about.name.len());
            return Err(setting("name", &what, &format!("give at most {LONGEST_NAME}")));
        }
        archer_world::contract::check_about(&about)?;
        Ok(about)
    }

    fn style(&self) -> Result<Option<Style>, WorldError> {
        let Some(style) = &self.style else { return Ok(None) };
        serde_json::from_value(style.clone()).map(Some).map_err(|_| {
            let remedy = "give { after_utterance = \"\\n\", after_reply = \"\\n\" }";
            setting("style", "cannot be read", remedy)
        })
    }
}

fn within(name: &str, value: Option<usize>, most: usize) -> Result<(), WorldError> {
    match value {
        Some(value) if value == 0 || value > most => {
            let remedy = match most {
                usize::MAX => "give at least 1".to_string(),
                most => format!("give a number from 1 to {most}"),
            };
            Err(setting(name, &format!("is {value}"), &remedy))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<GuestSettings, String> {
        let settings: Settings = serde_json::from_str(json).unwrap();
        GuestSettings::read(&settings).map_err(|error| error.to_string())
    }

    #[test]
    fn a_command_is_a_text_or_a_list() {
        let words = |json| read(json).unwrap().words();
        let split = vec!["python3".to_string(), "my world.py".to_string()];
        assert_eq!(words(r#"{"command":"python3 'my world.py'"}"#).unwrap(), split);
        assert_eq!(words(r#"{"command":["python3","my world.py"]}"#).unwrap(), split);
        for bad in
            [r#"{"command":"a 'b"}"#, r#"{"command":[]}"#, r#"{"command":""}"#, r#"{"command":3}"#]
        {
            let error = words(bad).unwrap_err();
            assert!(error.is_usage() && error.to_string().contains("command"), "{error}");
        }
    }

    #[test]
    fn a_setting_that_cannot_be_is_refused_by_name() {
        for (json, name) in [
            (r#"{"command":"x","procesess":3}"#, "procesess"),
            (r#"{"command":"x","processes":0}"#, "processes is 0"),
            (r#"{"command":"x","processes":257}"#, "1 to 256"),
            (r#"{"command":"x","timeout_seconds":0}"#, "timeout_seconds is 0"),
            (
                r#"{"command":"x","sessions":3}"#,
                "sessions belongs to a world that is reached by url",
            ),
            (r#"{"url":"ws://x","processes":3}"#, "processes belongs"),
            (r#"{"command":"x","style":"chatty"}"#, "style cannot be read"),
            (r#"{"command":"x","tasks":0}"#, "tasks is 0"),
        ] {
            let error = read(json).unwrap_err();
            assert!(error.contains(name), "{json}: {error}");
        }
    }

    #[test]
    fn a_guest_is_a_command_or_a_url() {
        let guest = |json: &str| is_guest(&serde_json::from_str(json).unwrap());
        assert!(guest(r#"{"command":"x"}"#) && guest(r#"{"url":"x"}"#));
        assert_eq!(reached_by("ws://x")["url"], "ws://x");
        assert_eq!(reached_by("python3 x.py")["command"], "python3 x.py");
        assert!(!guest(r#"{"name":"maze"}"#) && !guest(r#"{"command":null}"#));
    }
}
