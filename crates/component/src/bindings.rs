//! What `wit/archer.wit` is in Rust, made of it by wit-bindgen.
#![allow(unsafe_code, missing_docs, reason = "it reads and writes what crosses the border")]
#![allow(clippy::all, reason = "nobody wrote it")]

use crate::Component;

wit_bindgen::generate!({ world: "embedded", path: "wit" });

pub use self::archer::agents::worlds;

export!(Component);
pub use self::exports::archer::agents::agents::{
    Agent, Algorithm, CreateOptions, Error, ErrorCode, EvaluateOptions, Evaluation,
    FineTuneOptions, Guest as Agents, GuestAgent, GuestTalk, Info, JudgedUtterance, Judgement,
    Likely, Phase, Plan, RecordedGame, SayOptions, Size, Talk, TalkOptions, Update, Utterance,
    WorldDefinition,
};
