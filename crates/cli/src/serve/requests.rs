//! Everything that can be asked of the server, as data: one call, one answer. HTTP and the socket carry
//! the same ones, and the OpenAPI description is made of these types.

use archer::agent::About;
use archer_world::{Choices, End, Settings, Style};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The most calls of a batch.
pub const MOST_CALLS: usize = 256;

/// How many of them may read whole games, whose answers are long.
const MOST_READ: usize = 16;

/// One call; `method` says which.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "method", rename_all = "snake_case")]
pub enum Call {
    /// Begin a game.
    Start(Start),
    /// Let the agent speak.
    Say(Say),
    /// Tell the reply to what was said.
    Hear(Hear),
    /// Ask what the critic thinks.
    Inspect(Inspect),
    /// Read a game.
    Game(Of),
    /// End a game and forget it.
    Close(Of),
}

impl Call {
    /// The game that it asks for.
    pub fn game(&self) -> Option<u64> {
        match self {
            Call::Start(_) => None,
            Call::Say(say) => Some(say.game),
            Call::Hear(hear) => Some(hear.game),
            Call::Inspect(inspect) => Some(inspect.game),
            Call::Game(of) | Call::Close(of) => Some(of.game),
        }
    }
}

/// How a game begins.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Start {
    /// What the agent reads first; an end of line is added where there is none.
    pub opening: String,
    /// What can be said first, where that is limited.
    #[serde(default)]
    pub choices: Option<Choices>,
    /// The seed of what is sampled.
    #[serde(default = "first_seed")]
    pub seed: u64,
    /// Exchanges that lie behind: the game goes on after them.
    #[serde(default)]
    pub exchanges: Vec<Exchange>,
    /// What was said after them and has no reply yet.
    #[serde(default)]
    pub open: Option<String>,
}

/// An utterance and the reply to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Exchange {
    /// What the agent said.
    pub said: String,
    /// What was replied.
    pub reply: String,
    /// The reward that came with the reply; the server only keeps it.
    #[serde(default)]
    pub reward: f64,
}

/// How the agent is to speak.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Say {
    /// The game.
    pub game: u64,
    /// Other choices than those of the game; an empty list lets anything be said.
    #[serde(default)]
    pub choices: Option<Choices>,
    /// Sample as in training, instead of taking the likeliest tokens.
    #[serde(default)]
    pub sample: bool,
    /// The temperature of a sample, above 0 [default: the model's].
    #[serde(default)]
    pub temperature: Option<f64>,
    /// The seed of this utterance [default: the game's].
    #[serde(default)]
    pub seed: Option<u64>,
    /// How many alternatives to list; each takes time.
    #[serde(default)]
    #[schemars(range(min = 0, max = 256))]
    pub alternatives: usize,
}

/// The reply to what was said.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hear {
    /// The game.
    pub game: u64,
    /// The reply.
    pub reply: String,
    /// The reward that came with it; the server only keeps it.
    #[serde(default)]
    pub reward: f64,
    /// How the game ended, where it did.
    #[serde(default)]
    #[schemars(with = "Option<Ended>")]
    pub end: Option<End>,
    /// What can be said next, where that is limited.
    #[serde(default)]
    pub choices: Option<Choices>,
}

/// What is looked at.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Inspect {
    /// The game.
    pub game: u64,
    /// Utterances that are drawn to find alternatives; where there are choices, all of them are. 0 lists
    /// none.
    #[serde(default = "some_samples")]
    #[schemars(range(min = 0, max = 256))]
    pub samples: usize,
    /// Utterances to judge beside these, at most 256.
    #[serde(default)]
    pub also: Vec<String>,
}

/// A game.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Of {
    /// The game.
    pub game: u64,
}

/// Several calls at once.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Batch {
    /// The calls, each with its `method`, at most 256, of which 16 may read games. They are carried out
    /// in their order, and utterances of different games are said in one batch.
    pub requests: Vec<Value>,
}

/// How a game ended: won, over in another way, or cut by a limit.
#[derive(JsonSchema)]
#[serde(rename_all = "snake_case")]
#[allow(dead_code, reason = "it only describes the type of the worlds")]
enum Ended {
    Won,
    Over,
    Cut,
}

fn first_seed() -> u64 {
    1
}

fn some_samples() -> usize {
    16
}

/// The answer to a call that could be carried out.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Reply {
    /// To `start` and `game`.
    Game(Box<Game>),
    /// To `say`.
    Said(Said),
    /// To `hear` and `close`.
    Turns(Turns),
    /// To `inspect`.
    Inspection(Inspection),
}

/// A game as the server holds it.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Game {
    /// Its number, which no other game of this server has had.
    pub id: u64,
    /// What the agent read first.
    pub opening: String,
    /// What can be said now, where that is limited.
    pub choices: Option<Choices>,
    /// The seed of what is sampled.
    pub seed: u64,
    /// What was said and replied, in order.
    pub exchanges: Vec<Exchange>,
    /// What was said and has no reply yet.
    pub open: Option<String>,
    /// How it ended, where a reply said so.
    #[schemars(with = "Option<Ended>")]
    pub end: Option<End>,
    /// What the agent reads before it speaks.
    pub text: String,
}

/// What the agent said.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Said {
    /// The game.
    pub game: u64,
    /// The utterance.
    pub text: String,
    /// Log-probability that the agent says exactly this here, in nats; among the choices where there are
    /// some.
    pub log_prob: f64,
    /// What else it may have said, likeliest first.
    pub alternatives: Vec<Likely>,
    /// The oldest tokens of the text that the agent has no room to read.
    pub tokens_left_out: usize,
}

/// An utterance and how likely it is.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Likely {
    /// The utterance.
    pub text: String,
    /// Log-probability, in nats.
    pub log_prob: f64,
}

/// How far a game has come.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Turns {
    /// The game.
    pub game: u64,
    /// Exchanges in it.
    pub turns: usize,
}

/// What the critic thinks of where a game stands. Values are discounted returns from here on.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Inspection {
    /// The first critic's value of the state.
    pub v1: f64,
    /// The second critic's.
    pub v2: f64,
    /// What was said and has no reply yet.
    pub said: Option<Judged>,
    /// The choices, or what the agent may say, and what was asked about; best first.
    pub alternatives: Vec<Judged>,
}

/// An utterance and what the critic thinks of it.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Judged {
    /// The utterance.
    pub text: String,
    /// The first critic's value of saying it here.
    pub q1: f64,
    /// The second critic's.
    pub q2: f64,
    /// `min(q1, q2) − min(v1, v2)`: better (above 0) or worse than what the agent does on average.
    pub advantage: f64,
    /// Probability that the agent says exactly this.
    pub probability: f64,
}

/// What the model is.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Model {
    /// The name of its file or folder.
    pub name: String,
    /// The settings of the world that it was trained in; empty where nobody says.
    pub world: Settings,
    /// Whether it reads lines or the messages of a chat.
    pub style: Reads,
    /// Exchanges that it reads beside the opening; null for all.
    pub memory: Option<usize>,
    /// Scalars in its networks.
    pub parameters: Parameters,
    /// Tokens in its vocabulary.
    pub vocabulary: usize,
    /// Tokens of a text that it reads before it speaks; of a longer one, the newest.
    pub context: usize,
    /// Tokens after which an utterance is cut.
    pub max_new_tokens: usize,
    /// The temperature of a sample.
    pub temperature: f64,
    /// Whether it says no utterance twice in a game.
    pub retries: bool,
    /// Most bytes of a game's texts, all of them together.
    pub longest_game: usize,
}

/// How the texts of a game are joined.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reads {
    /// As lines of text.
    Lines,
    /// As messages of a chat, framed as the model was trained to read them.
    Chat,
}

impl Reads {
    /// What an agent reads.
    pub fn of(about: &About) -> Self {
        match about.style {
            Style::Lines { .. } => Reads::Lines,
            Style::Chat(_) => Reads::Chat,
        }
    }
}

/// Scalars in the networks of a model.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Parameters {
    /// In the actor, which speaks.
    pub actor: usize,
    /// In the critic, which judges; 0 where there is none, and `inspect` is refused.
    pub critic: usize,
}

/// How the server is.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Health {
    /// `ok`.
    pub status: &'static str,
    /// Games that are open.
    pub games: usize,
    /// The most that may be.
    pub max_games: usize,
    /// The version of archer.
    pub version: &'static str,
}

/// Why a call was not carried out. Nothing was changed by it.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Fault {
    /// The status of HTTP that goes with it.
    #[serde(skip)]
    pub status: u16,
    /// One of a few words, for programs.
    pub code: &'static str,
    /// A sentence that says what to do.
    pub message: String,
}

impl Fault {
    /// A fault by its status, its code and a sentence.
    pub fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    /// What was asked for cannot be.
    pub fn usage(message: impl Into<String>) -> Self {
        Fault::new(400, "usage", message)
    }

    /// A call at the wrong time.
    pub fn conflict(message: impl Into<String>) -> Self {
        Fault::new(409, "conflict", message)
    }

    /// More text than there is room for.
    pub fn too_long(message: impl Into<String>) -> Self {
        Fault::new(413, "too_long", message)
    }
}

impl From<archer::Error> for Fault {
    fn from(error: archer::Error) -> Self {
        match error {
            archer::Error::Config(_) => Fault::usage(error.to_string()),
            _ => Fault::new(500, "internal", error.to_string()),
        }
    }
}

/// What a call came to.
pub type Answer = Result<Reply, Fault>;

/// An answer as the parts of a batch and the messages of a socket have it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was carried out.
    Result(Reply),
    /// It was not.
    Error(Fault),
}

impl From<Answer> for Outcome {
    fn from(answer: Answer) -> Self {
        match answer {
            Ok(reply) => Outcome::Result(reply),
            Err(fault) => Outcome::Error(fault),
        }
    }
}

/// What a client sends at once.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// One call.
    One(Call),
    /// Several, of which some may be none.
    Several(Vec<Result<Call, Fault>>),
}

impl Request {
    /// The request in an object with a `method`.
    ///
    /// # Errors
    /// If it is none.
    pub fn read(mut object: Map<String, Value>) -> Result<Self, Fault> {
        if object.get("method").and_then(Value::as_str) != Some("batch") {
            return call(Value::Object(object)).map(Request::One);
        }
        object.remove("method");
        let batch = serde_json::from_value::<Batch>(Value::Object(object));
        let Batch { requests } = batch.map_err(|error| unreadable("the request", &error))?;
        if requests.len() > MOST_CALLS {
            return Err(Fault::too_long(format!(
                "the batch has {} requests: send at most {MOST_CALLS} at once",
                requests.len()
            )));
        }
        let calls: Vec<Result<Call, Fault>> = requests.into_iter().map(call).collect();
        let read = calls.iter().filter(|call| matches!(call, Ok(Call::Game(_)))).count();
        if read > MOST_READ {
            return Err(Fault::too_long(format!(
                "the batch reads {read} games: read at most {MOST_READ} at once"
            )));
        }
        Ok(Request::Several(calls))
    }
}

fn call(value: Value) -> Result<Call, Fault> {
    match &value {
        Value::Object(object) if object.contains_key("method") => {
            serde_json::from_value(value).map_err(|error| unreadable("the request", &error))
        }
        Value::Object(_) => Err(Fault::usage(
            "the request has no method: it is start, say, hear, inspect, game or close, and of a socket batch, too",
        )),
        _ => Err(Fault::usage(
            "the request is no JSON object: send one such as {\"method\": \"say\", \"game\": 1}",
        )),
    }
}

fn unreadable(what: &str, error: &serde_json::Error) -> Fault {
    Fault::usage(format!("{what} cannot be carried out: {error}"))
}
