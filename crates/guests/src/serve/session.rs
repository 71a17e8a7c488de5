//! One session of our OpenEnv server: a game at a time, message by message.

use archer_world::contract::Checked;
use archer_world::{Batch, Choices, Said, Start, Transcript, Worlds};
use serde_json::{Map, Value, json};

/// The longest name of an episode, in bytes.
const LONGEST_NAME: usize = 255;

/// One game at a time of a world.
pub(super) struct Session<'a> {
    worlds: &'a dyn Worlds,
    batch: Checked,
    game: Option<Transcript>,
    playing: bool,
    episode: Option<String>,
    steps: usize,
}

/// What becomes of a message.
pub(super) enum Outcome {
    /// It is answered.
    Answer(Value),
    /// The client is done.
    Close,
}

/// Why a message was not carried out: a code of OpenEnv, and a sentence.
type Refusal = (&'static str, String);

/// The message of an error.
pub(super) fn error(code: &str, message: &str) -> Value {
    json!({"type": "error", "data": {"message": message, "code": code}})
}

impl<'a> Session<'a> {
    /// A session in which no game has begun.
    ///
    /// # Errors
    /// If the world cannot be opened.
    pub(super) fn open(worlds: &'a dyn Worlds) -> Result<Self, archer_world::WorldError> {
        let batch = pollster::block_on(Checked::open(worlds, 1))?;
        Ok(Self { worlds, batch, game: None, playing: false, episode: None, steps: 0 })
    }

    /// Carries out one message. A reset without a seed is given `seed`.
    pub(super) fn hear(&mut self, text: &str, seed: impl FnOnce() -> u64) -> Outcome {
        let message: Value = match archer_input::json_line(text.as_bytes()) {
            Ok(message) => message,
            Err(fault) => {
                let why = format!("Invalid JSON: the message {fault}");
                return Outcome::Answer(error("INVALID_JSON", &why));
            }
        };
        let empty = Map::new();
        let data = match message.get("data") {
            None => Ok(&empty),
            Some(Value::Object(data)) => Ok(data),
            Some(_) => Err(invalid("data is an object")),
        };
        let answer = match message.get("type").and_then(Value::as_str) {
            Some("close") => return Outcome::Close,
            Some("state") => {
                let data = json!({"episode_id": self.episode, "step_count": self.steps});
                Ok(json!({"type": "state", "data": data}))
            }
            Some("reset") => data.and_then(|data| self.reset(data, seed)),
            Some("step") => data.and_then(|data| self.step(data)),
            Some(other) => Err(unknown(&format!("{other:?}"))),
            None => Err(unknown("without a name")),
        };
        Outcome::Answer(answer.unwrap_or_else(|(code, message)| error(code, &message)))
    }

    fn reset(
        &mut self,
        data: &Map<String, Value>,
        seed: impl FnOnce() -> u64,
    ) -> Result<Value, Refusal> {
        let number = |name: &str| match data.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => match value.as_u64() {
                Some(number) => Ok(Some(number)),
                None => Err(invalid(&format!("{name} is a whole number of at least 0"))),
            },
        };
        let episode = match data.get("episode_id") {
            None | Some(Value::Null) => None,
            Some(Value::String(name)) if name.len() <= LONGEST_NAME => Some(name.clone()),
            Some(_) => {
                let rule = format!("episode_id is a text of at most {LONGEST_NAME} bytes");
                return Err(invalid(&rule));
            }
        };
        let about = self.worlds.about();
        let task = number("task")?.and_then(|task| usize::try_from(task).ok());
        if task.is_some_and(|task| about.tasks.is_none_or(|tasks| task >= tasks)) {
            return Err(invalid("there is no such task; leave task out to let the seed draw it"));
        }
        let seed = number("seed")?.unwrap_or_else(seed);
        (self.playing, self.steps, self.episode) = (false, 0, episode);
        let opening = pollster::block_on(self.batch.start(&[Start { task, seed }]));
        let opening = opening.map_err(|error| ("EXECUTION_ERROR", error.to_string()))?.remove(0);
        let game = Transcript::new(about.style.clone(), about.memory, opening.text);
        let shown = observation(&game, None, opening.choices, Map::new());
        (self.game, self.playing) = (Some(game), true);
        Ok(observed(shown, Value::Null, false))
    }

    fn step(&mut self, data: &Map<String, Value>) -> Result<Value, Refusal> {
        let Some(said) = data.get("message").and_then(Value::as_str) else {
            return Err(invalid("an action is {\"message\": \"…\"}"));
        };
        if let Some(other) =
            data.keys().find(|key| !["message", "metadata"].contains(&key.as_str()))
        {
            return Err(invalid(&format!("an action has no field {other:?}")));
        }
        if said.contains('\n') {
            return Err(invalid("a message is one line"));
        }
        let (Some(game), true) = (&mut self.game, self.playing) else {
            let message = "no game is in play: send a reset";
            return Err(("EXECUTION_ERROR", message.to_string()));
        };
        let turn = pollster::block_on(self.batch.act(&[Said { game: 0, text: said }]));
        let turn = turn.map_err(|error| {
            self.playing = false;
            ("EXECUTION_ERROR", error.to_string())
        })?;
        let turn = turn.into_iter().next().expect("a turn for each utterance");
        self.steps += 1;
        self.playing = turn.end.is_none();
        game.push(said, turn.reply.as_str());
        let mut metadata = Map::new();
        metadata.insert("truncated".into(), (turn.end == Some(archer_world::End::Cut)).into());
        metadata.insert("won".into(), turn.won().into());
        metadata.insert("invalid".into(), turn.invalid.into());
        let shown = observation(game, Some(&turn.reply), turn.choices, metadata);
        // As the shortest decimal number that is this one: 0.1 stays 0.1.
        let reward: f64 = turn.reward.to_string().parse().unwrap_or_else(|_| turn.reward.into());
        Ok(observed(shown, reward.into(), turn.end.is_some()))
    }
}

fn observation(
    game: &Transcript,
    reply: Option<&str>,
    choices: Option<Choices>,
    metadata: Map<String, Value>,
) -> Value {
    json!({"prompt": game.text(), "reply": reply, "choices": choices, "metadata": metadata})
}

fn observed(observation: Value, reward: Value, done: bool) -> Value {
    let metadata = observation["metadata"].clone();
    let mut data = json!({"observation": observation, "reward": reward, "done": done});
    if metadata.as_object().is_some_and(|metadata| !metadata.is_empty()) {
        data["metadata"] = metadata;
    }
    json!({"type": "observation", "data": data})
}

fn invalid(rule: &str) -> Refusal {
    ("VALIDATION_ERROR", format!("Invalid message: {rule}"))
}

fn unknown(kind: &str) -> Refusal {
    let message = format!("Unknown message type {kind}: send reset, step, state or close");
    ("UNKNOWN_TYPE", message)
}

/// The schemas of actions, observations and state.
pub(super) fn schema() -> Value {
    let text = json!({"type": "string"});
    let text_or_null = json!({"anyOf": [{"type": "string"}, {"type": "null"}], "default": null});
    let texts = json!({"type": "array", "items": {"type": "string"}});
    json!({
        "action": {
            "title": "Action", "type": "object", "additionalProperties": false,
            "properties": {"metadata": {"type": "object"}, "message": text},
            "required": ["message"],
        },
        "observation": {
            "title": "Observation", "type": "object", "additionalProperties": false,
            "properties": {
                "done": {"type": "boolean", "default": false},
                "reward": {"anyOf": [{"type": "number"}, {"type": "null"}], "default": null},
                "metadata": {"type": "object"},
                "prompt": text, "reply": text_or_null,
                "choices": {"anyOf": [texts, {"type": "null"}], "default": null},
            },
            "required": ["prompt"],
        },
        "state": {
            "title": "State", "type": "object",
            "properties": {
                "episode_id": text_or_null,
                "step_count": {"type": "integer", "minimum": 0, "default": 0},
            },
        },
    })
}
