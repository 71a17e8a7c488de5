//! Values of the session as values of the interface, and the other way.

use archer_session::Fault;
use archer_session::session::learn::{Plan, Summary, Update};
use archer_session::session::talk::{Inspection, Judged, Spoken};
use archer_session::session::{Info, Reply};
use archer_world::{End, Exchange, Game};

use crate::bindings::{self as wit, worlds};
use crate::host::ended;

pub fn error(fault: Fault) -> wit::Error {
    use wit::ErrorCode as C;
    let code = match fault.code {
        "usage" => C::Usage,
        "world" => C::World,
        "bad-model" => C::BadModel,
        "version-mismatch" => C::VersionMismatch,
        "diverged" => C::Diverged,
        "out-of-memory" => C::OutOfMemory,
        _ => C::Internal,
    };
    wit::Error { code, message: fault.message, hint: fault.hint.to_string() }
}

/// A reply of another kind than was asked for.
pub fn other(reply: Reply) -> wit::Error {
    let message = format!("the session replied with something else: {reply:?}");
    error(Fault {
        code: "internal",
        message,
        hint: "This is a fault of archer's; please report it.",
    })
}

pub fn end(end: worlds::End) -> End {
    match end {
        worlds::End::Won => End::Won,
        worlds::End::Over => End::Over,
        worlds::End::Cut => End::Cut,
    }
}

pub fn game(game: wit::RecordedGame) -> Game {
    let turns = game.turns.into_iter().map(|turn| Exchange {
        choices: turn.choices,
        imitate: turn.imitate,
        ..Exchange::new(turn.said, turn.reply, turn.reward)
    });
    Game {
        world: None,
        task: game.task.map(|task| task as usize),
        opening: Some(ended(game.opening)),
        choices: game.choices,
        turns: turns.collect(),
        end: game.end.map(end),
    }
}

pub fn info(info: Info) -> wit::Info {
    wit::Info {
        world: info.world,
        settings: serde_json::Value::Object(info.settings).to_string(),
        max_turns: whole(info.max_turns),
        gamma: info.gamma,
        optimum_return: info.optimum_return,
        worst_return: info.worst_return,
        actor_parameters: info.parameters.actor as u64,
        critic_parameters: info.parameters.critic as u64,
        vocabulary: whole(info.vocabulary),
        iterations: info.trained.iterations as u64,
        games: info.trained.games,
        resumable: info.resumable,
        changed: info.changed,
    }
}

pub fn plan(plan: Plan) -> wit::Plan {
    wit::Plan {
        iterations: whole(plan.iterations),
        warmup: whole(plan.warmup),
        games: whole(plan.games),
        seed: plan.seed,
    }
}

pub fn update(update: Update) -> wit::Update {
    let metrics = update.metrics.into_iter().map(|(name, value)| (name.to_string(), value));
    wit::Update {
        phase: if update.phase == "imitate" { wit::Phase::Imitate } else { wit::Phase::Learn },
        iteration: whole(update.iteration),
        iterations: whole(update.iterations),
        mean_return: update.r#return.mean,
        low: update.r#return.low,
        high: update.r#return.high,
        metrics: metrics.collect(),
        games: whole(update.games),
        tokens: whole(update.tokens),
        warmup: update.warmup,
        finished: update.finished,
    }
}

pub fn evaluation(summary: Summary) -> wit::Evaluation {
    wit::Evaluation {
        games: whole(summary.games),
        mean_return: summary.mean_return,
        return_ci95: summary.return_ci95.map(|[low, high]| (low, high)),
        win_rate: summary.win_rate,
        mean_turns: summary.mean_turns,
        invalid_rate: summary.invalid_rate,
        repeat_rate: summary.repeat_rate,
    }
}

pub fn utterance(spoken: Spoken) -> wit::Utterance {
    let likely = spoken.alternatives.into_iter();
    let likely = likely.map(|likely| wit::Likely { text: likely.text, log_prob: likely.log_prob });
    let alternatives = likely.collect();
    wit::Utterance { text: spoken.text, log_prob: spoken.log_prob, alternatives }
}

pub fn judgement(inspection: Inspection) -> wit::Judgement {
    wit::Judgement {
        v1: inspection.v1,
        v2: inspection.v2,
        said: inspection.said.map(judged),
        alternatives: inspection.alternatives.into_iter().map(judged).collect(),
    }
}

fn judged(judged: Judged) -> wit::JudgedUtterance {
    wit::JudgedUtterance {
        text: judged.text,
        q1: judged.q1,
        q2: judged.q2,
        advantage: judged.advantage,
        probability: judged.probability,
    }
}

/// A count as the interface has it; more than four thousand million of anything do not fit into memory here.
fn whole(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
