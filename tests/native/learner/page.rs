//! A page without a browser: the learner's session and the games' module, joined as
//! `pkg/src/twenty-questions.ts` joins them, and asked by requests as data.

use std::cell::RefCell;
use std::rc::Rc;

use archer_games_web::Games;
use archer_wasm::guest::{self, Answering, Declared, Host};
use archer_wasm::session::Request;
use archer_wasm::{Fault, Session, device};
use archer_world::Settings;
use serde_json::{Value, json};

/// Who plays the games with the learner.
struct GamesHost(RefCell<Games>);

impl Host for GamesHost {
    fn ask(&self, message: String) -> Answering {
        let answer = self.0.borrow_mut().ask(&message);
        Box::pin(std::future::ready(Ok(answer)))
    }

    fn teach(&self, lesson: String) -> Result<String, String> {
        Ok(self.0.borrow().teach(&lesson))
    }
}

/// A loaded model and the game that it plays.
#[derive(Clone)]
pub struct Page {
    pub session: Session,
    /// The games of each world that was asked for, as a page keeps them, with its settings.
    games: Rc<Kept<Rc<Games>>>,
    /// The number of each world that the learner was told of, with its settings.
    worlds: Rc<Kept<u64>>,
}

/// Things by the settings that they were made of.
type Kept<T> = RefCell<Vec<(Value, T)>>;

/// What is kept for these settings, made where nothing is.
fn kept<T: Clone>(
    all: &Kept<T>,
    settings: &Value,
    make: impl FnOnce(&Value) -> Result<T, Fault>,
) -> Result<T, Fault> {
    if let Some((_, made)) = all.borrow().iter().find(|(known, _)| known == settings) {
        return Ok(made.clone());
    }
    let made = make(settings)?;
    all.borrow_mut().push((settings.clone(), made.clone()));
    Ok(made)
}

fn games(settings: &Value) -> Result<Games, Fault> {
    let settings: Settings = serde_json::from_value(settings.clone()).expect("settings are plain");
    Games::new(&settings).map_err(told)
}

fn told(fault: archer_games_web::Fault) -> Fault {
    Fault { code: fault.code, message: fault.message, hint: fault.hint }
}

/// The number of the world of these settings.
pub fn world(settings: &Value) -> Result<u64, Fault> {
    let games = games(settings)?;
    let info = asked(&games, json!({"method": "info"}))?;
    let mut declared = info["about"].clone();
    declared["settings"] = info["settings"].clone();
    declared["teaches"] = json!(true);
    declared["trainsApart"] = info["trainsApart"].clone();
    let declared: Declared = serde_json::from_value(declared).expect("a declaration");
    Ok(guest::register(declared, Rc::new(GamesHost(games.into())))?)
}

fn asked(games: &Games, request: Value) -> Result<Value, Fault> {
    let request = archer_games_web::games::Request::from_text(&request.to_string())
        .map_err(|error| Fault::usage(error, "Compare it with the types."))?;
    let reply = games.call(request).map_err(told)?;
    Ok(serde_json::to_value(reply).expect("a reply is data"))
}

impl Page {
    pub async fn load(file: &[u8]) -> Result<Self, Fault> {
        let device = device::open().await?;
        let session = Session::load(file.to_vec(), device).await?;
        Ok(Self { session, games: Rc::default(), worlds: Rc::default() })
    }

    async fn core(&mut self, request: Value, observe: impl FnMut(&str)) -> Result<Value, Fault> {
        let request: Request = serde_json::from_value(request)
            .map_err(|error| Fault::usage(error.to_string(), "Compare it with the types."))?;
        let reply = self.session.call(request, observe).await?;
        Ok(serde_json::to_value(reply).expect("a reply is data"))
    }

    /// The settings of the model's world after a change; without one, as the model has them.
    fn changed(&self, change: &Value) -> Result<Value, Fault> {
        if *change == json!({}) {
            let info = serde_json::to_value(self.session.info()).expect("data");
            return Ok(info["settings"].clone());
        }
        asked(self.games()?.as_ref(), json!({"method": "changed", "change": change}))
    }

    fn games(&self) -> Result<Rc<Games>, Fault> {
        let info = serde_json::to_value(self.session.info()).expect("data");
        kept(&self.games, &info["settings"], |settings| games(settings).map(Rc::new))
    }

    fn world(&self, settings: &Value) -> Result<u64, Fault> {
        kept(&self.worlds, settings, world)
    }

    /// What an agent knows of a game before this turn.
    fn talk(&self, game: &Value, turn: u64) -> Result<(Value, f64), Fault> {
        let info = serde_json::to_value(self.session.info()).expect("data");
        let ask = json!({"method": "talk", "game": game, "turn": turn, "retries": info["retries"]});
        let mut talk = asked(self.games()?.as_ref(), ask)?;
        let fields = talk.as_object_mut().expect("an object");
        let before = fields.remove("returnBefore").and_then(|value| value.as_f64());
        Ok((talk, before.expect("a number")))
    }

    /// The reply to one request of a page.
    pub async fn call(
        &mut self,
        mut request: Value,
        observe: impl FnMut(&str),
    ) -> Result<Value, Fault> {
        let method = request["method"].as_str().unwrap_or_default().to_string();
        match method.as_str() {
            "info" => {
                let mut info = self.core(request, observe).await?;
                let games = asked(self.games()?.as_ref(), json!({"method": "info"}))?;
                for key in ["things", "guesses", "maxTurns", "sometimes"] {
                    info[key] = games[key].clone();
                }
                info["optimumReturn"] = games["about"]["best"].clone();
                info["worstReturn"] = games["about"]["worst"].clone();
                Ok(info)
            }
            "ask" => {
                let game = request["game"].take();
                let turns = game["turns"].as_array().map_or(0, Vec::len) as u64;
                if game["status"] != "ask" {
                    return asked(
                        self.games()?.as_ref(),
                        json!({"method": "asked", "game": game, "question": "?"}),
                    );
                }
                let (talk, _) = self.talk(&game, turns + 1)?;
                let say = json!({"method": "say", "talk": talk, "sample": request["sample"],
                    "seed": game["seed"], "score": false, "alternatives": 0});
                let said = self.core(say, observe).await?;
                let asks = json!({"method": "asked", "game": game, "question": said["text"]});
                asked(self.games()?.as_ref(), asks)
            }
            "inspect" => {
                let game = request["game"].take();
                let turns = game["turns"].as_array().map_or(0, Vec::len) as u64;
                let turn = request["turn"].as_u64().unwrap_or(turns.max(1));
                let (talk, before) = self.talk(&game, turn)?;
                let said = game["turns"][turn as usize - 1]["question"].clone();
                let inspect = json!({"method": "inspect", "talk": talk, "said": said,
                    "samples": request["samples"], "also": request["also"]});
                let mut seen = self.core(inspect, observe).await?;
                seen["turn"] = turn.into();
                seen["asked"] = seen["said"].take();
                let values =
                    [&seen["v1"], &seen["v2"]].map(|value| value.as_f64().expect("a value"));
                seen["expectedReturn"] = (before + values[0].min(values[1])).into();
                for judged in seen["alternatives"].as_array_mut().expect("a list") {
                    judged["question"] = judged["text"].take();
                }
                Ok(seen)
            }
            "guesses" => {
                let game = request["game"].take();
                let turns = game["turns"].as_array().map_or(0, Vec::len) as u64;
                let open = u64::from(game["status"] == "answer");
                let (talk, _) = self.talk(&game, turns - open + 1)?;
                let info = asked(self.games()?.as_ref(), json!({"method": "info"}))?;
                let score = json!({"method": "score", "talk": talk, "said": info["guesses"]});
                let log_probs = self.core(score, observe).await?;
                asked(
                    self.games()?.as_ref(),
                    json!({"method": "guesses", "game": game, "logProbs": log_probs}),
                )
            }
            "tune" => {
                let change = match request["tune"]["world"].take() {
                    Value::Null => json!({}),
                    change => change,
                };
                let settings = self.changed(&change)?;
                request["tune"]["world"] = self.world(&settings)?.into();
                let new = settings["extra"].as_array().is_some_and(|extra| !extra.is_empty());
                request["tune"]["teachWinning"] = new.into();
                self.core(request, observe).await
            }
            "evaluate" | "playGames" => {
                let change = match request["world"].take() {
                    Value::Null => json!({}),
                    change => change,
                };
                request["world"] = self.world(&self.changed(&change)?)?.into();
                self.core(request, observe).await
            }
            "step" | "keep" | "rollback" | "probe" | "metrics" => self.core(request, observe).await,
            _ => asked(self.games()?.as_ref(), request),
        }
    }
}
