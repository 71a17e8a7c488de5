//! A world written in Rust, learned and played inside the component by wasmtime.
//!
//! ```sh
//! cargo run --release -- ../../../crates/component/dist/archer.wasm
//! ```
//! The host grants the games of one world and 64 MB of memory, and nothing else. After a call that fails with
//! an error the agent is what it was; after a trap an instance is of no more use, and another one goes on with
//! the file that was saved.

use std::collections::HashMap;
use std::error::Error;

use wasmtime::component::{Component, HasSelf, Linker, ResourceAny};
use wasmtime::{Config, Engine, Store, StoreLimits, StoreLimitsBuilder};

use archer::agents::worlds::{End, GameStart, Host, Opening, Played};
use exports::archer::agents::agents::{
    Algorithm, CreateOptions, EvaluateOptions, FineTuneOptions, Guest, SayOptions, Size, TalkOptions,
    WorldDefinition,
};

wasmtime::component::bindgen!({ world: "embedded", path: "../../../crates/component/wit" });

const MEMORY: usize = 64 << 20;

/// What the host keeps: a corridor with a key, in which "take" and then "open" wins.
struct Doors {
    /// Whether the key is taken, for each game.
    games: HashMap<u64, bool>,
    limits: StoreLimits,
}

fn choices() -> Option<Vec<String>> {
    Some(["open", "take", "wait"].map(String::from).to_vec())
}

fn opening() -> String {
    "A locked door. A key lies here.".to_string()
}

/// What an utterance brings about; `key` is whether the player has it.
fn act(key: &mut bool, said: &str) -> Played {
    let (reply, reward, end) = match (said, *key) {
        ("take", false) => {
            *key = true;
            ("You have the key.", 0.0, None)
        }
        ("open", true) => ("It opens.", 1.0, Some(End::Won)),
        _ => ("Nothing happens.", -0.1, None),
    };
    Played { reply: reply.to_string(), reward, end, invalid: false, choices: choices() }
}

impl Host for Doors {
    fn start(&mut self, start: GameStart) -> Result<Opening, String> {
        self.games.insert(start.game, false);
        Ok(Opening { text: opening(), choices: choices(), task: None })
    }

    fn act(&mut self, game: u64, said: String) -> Result<Played, String> {
        let key = self.games.get_mut(&game).ok_or("there is no such game")?;
        Ok(act(key, &said))
    }

    fn close(&mut self, game: u64) {
        self.games.remove(&game);
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let file = arguments.next().ok_or("say where archer.wasm is")?;
    let iterations = arguments.next().map_or(Ok(20), |text| text.parse())?;
    let engine = Engine::new(&Config::new())?;
    let component = Component::from_file(&engine, file)?;
    let mut linker = Linker::new(&engine);
    Embedded::add_to_linker::<_, HasSelf<_>>(&mut linker, |doors: &mut Doors| doors)?;
    let limits = StoreLimitsBuilder::new().memory_size(MEMORY).build();
    let mut store = Store::new(&engine, Doors { games: HashMap::new(), limits });
    store.limiter(|doors| &mut doors.limits);
    let embedded = Embedded::instantiate(&mut store, &component, &linker)?;
    let agents = embedded.archer_agents_agents();

    let agent = create(agents, &mut store)?;
    let calls = agents.agent();
    let tune = FineTuneOptions {
        world: None,
        iterations,
        games: None,
        seed: 1,
        resume: None,
        set: Vec::new(),
    };
    calls.call_fine_tune(&mut store, agent, &tune)??;
    loop {
        // Twenty pieces a call, between which the host could do something else.
        let Some(update) = calls.call_step(&mut store, agent, Some(20))?? else { continue };
        if update.iteration % 5 == 0 {
            println!("iteration {}: return {:.2}", update.iteration, update.mean_return);
        }
        if update.finished {
            break;
        }
    }
    play(agents, &mut store, agent)?;
    let evaluate = EvaluateOptions { games: 20, seed: 7, sample: false, world: None };
    let evaluation = calls.call_evaluate(&mut store, agent, &evaluate)??;
    println!("trained: return {:.2}", evaluation.mean_return);
    Ok(())
}

fn create(agents: &Guest, store: &mut Store<Doors>) -> Result<ResourceAny, Box<dyn Error>> {
    let world = WorldDefinition {
        name: "door".to_string(),
        max_turns: 5,
        memory: None,
        one_line: false,
        tasks: None,
        best: Some(1.0),
        worst: None,
        settings: None,
    };
    let options = CreateOptions {
        world,
        demonstrations: Vec::new(),
        size: Size::Tiny,
        seed: 1,
        algorithm: Algorithm::Ppo,
        set: Vec::new(),
    };
    Ok(agents.agent().call_create(store, &options)??)
}

fn play(agents: &Guest, store: &mut Store<Doors>, agent: ResourceAny) -> Result<(), Box<dyn Error>> {
    let options =
        TalkOptions { opening: opening(), choices: choices(), seed: 1, exchanges: Vec::new() };
    let talk = agents.agent().call_start(&mut *store, agent, &options)?;
    let mut key = false;
    println!("{}", opening());
    for _ in 0..5 {
        let say = SayOptions { sample: false, score: false, alternatives: 0 };
        let said = agents.talk().call_say(&mut *store, talk, say)??.text;
        let turn = act(&mut key, &said);
        println!("> {said}\n{}", turn.reply);
        if turn.end.is_some() {
            break;
        }
        agents.talk().call_hear(&mut *store, talk, &turn.reply, turn.choices.as_deref())??;
    }
    Ok(talk.resource_drop(store)?)
}
