//! What can be compared without a network: token ids, returns, the replay ring, cut texts.

use std::sync::Arc;

use archer::algorithms::common::OFFICIAL_LIMIT;
use archer::nn::batch;
use archer::rl::replay_buffer::ReplayBuffer;
use archer::rl::transition::{Trajectory, Transition};
use archer::text::official;
use archer::text::prompt::{critic_sequence, newest};
use burn::tensor::{Int, Tensor};

use super::bench::{Bench, read_one};
use super::fixtures::Node;
use super::ledger::{Kind, Ledger};
use crate::error::Error;

/// `tokens.json`.
pub async fn tokens(bench: &Bench, ledger: &mut Ledger) -> Result<(), Error> {
    let file = bench.fixtures.json("tokens.json")?;
    let texts = file.root().get("texts")?.list()?;
    let (words, critic) = (&bench.words, &bench.critic_words);
    let whole =
        |ids: Vec<u32>, limit: usize| critic_sequence(&ids, critic.start, critic.end, limit);
    type Read<'a> = &'a dyn Fn(&str) -> Vec<u32>;
    let readings: [(&str, Read<'_>); 4] = [
        ("actor_ids", &|text| words.encode(text)),
        ("actor_ids_512", &|text| newest(&words.encode(text), OFFICIAL_LIMIT).to_vec()),
        ("critic_ids", &|text| whole(critic.encode(text), usize::MAX)),
        ("critic_ids_512", &|text| whole(critic.encode(text), OFFICIAL_LIMIT)),
    ];
    for (key, read) in readings {
        let (mut reference, mut ours) = (Vec::new(), Vec::new());
        for text in &texts {
            let (node, read) = (text.get(key)?, read(text.get("text")?.text()?));
            // Of a long text only the number of its tokens is written down.
            match node.find("len") {
                Some(len) => {
                    reference.push(vec![len.count()? as u32]);
                    ours.push(vec![read.len() as u32]);
                }
                None => {
                    reference.push(node.ids()?);
                    ours.push(read);
                }
            }
        }
        ledger.same(format!("tokens/texts/{key}"), &reference, &ours);
    }
    let (mut reference, mut ours) = (Vec::new(), Vec::new());
    for text in &texts {
        let Some(decoded) = text.find("actor_decoded") else { continue };
        reference.push(decoded.text()?.to_string());
        ours.push(bench.decode(&words.encode(text.get("text")?.text()?)));
    }
    ledger.same("tokens/texts/actor_decoded", &reference, &ours);
    let batches = file.root().get("batches")?;
    for name in batches.keys()? {
        for part in batches.get(&name)?.keys()? {
            token_batch(bench, ledger, &name, &part, &batches.get(&name)?.get(&part)?).await?;
        }
    }
    Ok(())
}

/// The padded ids and masks of one column of a batch.
async fn token_batch(
    bench: &Bench,
    ledger: &mut Ledger,
    name: &str,
    part: &str,
    node: &Node<'_>,
) -> Result<(), Error> {
    let rows = &bench.case(name)?.rows;
    let texts: Option<Vec<&String>> = rows
        .iter()
        .map(|row| match part {
            "observation" => Some(&row.observation),
            "action" => Some(&row.action),
            "pi_action" => Some(&row.pi_action),
            "next_observation" => Some(&row.next_observation),
            _ => None,
        })
        .collect();
    let Some(texts) = texts else {
        ledger.skip(format!("tokens/{name}/{part}"), "the batches have no such column");
        return Ok(());
    };
    let limit = OFFICIAL_LIMIT;
    let actor: Vec<Vec<u32>> =
        texts.iter().map(|text| newest(&bench.words.encode(text), limit).to_vec()).collect();
    let critic: Vec<Vec<u32>> = texts.iter().map(|text| bench.critic_ids(text)).collect();
    for (who, rows, pad) in
        [("actor", actor, bench.words.pad), ("critic", critic, bench.critic_words.pad)]
    {
        let laid = batch::texts(&rows, pad, &bench.device.clone().inner());
        let [n, time] = laid.tokens.dims();
        let ids: Tensor<1, Int> = laid.tokens.reshape([n * time]);
        let ids = read_one(ids.float()).await?;
        let open = |cell: usize| laid.mask.is_open(cell / time, 0, cell % time);
        let mask = (0..n * time).map(|cell| f64::from(u8::from(open(cell)))).collect();
        for (key, ours) in [("ids", ids), ("mask", mask)] {
            let key = format!("{who}_{key}");
            let reference = node.get(&key)?.rows()?.concat();
            ledger.compare(format!("tokens/{name}/{part}.{key}"), Kind::Exact, &reference, &ours);
        }
    }
    Ok(())
}

/// A transition of which only the reward matters, and a number to know it by.
fn rewarded(number: u32, reward: f64) -> Transition {
    let tokens: Arc<[u32]> = [number].into();
    Transition {
        observation: tokens.clone().into(),
        action: tokens.clone(),
        reward: reward as f32,
        next_observation: tokens.into(),
        terminated: false,
        truncated: false,
        mc_return: 0.0,
        log_prob: 0.0,
        choices: None,
        task: None,
    }
}

/// `returns.json`.
pub fn returns(bench: &Bench, ledger: &mut Ledger) -> Result<(), Error> {
    let file = bench.fixtures.json("returns.json")?;
    for (i, row) in file.root().get("rows")?.list()?.iter().enumerate() {
        let rewards = row.get("rewards")?.numbers()?;
        let mut game = Trajectory {
            transitions: rewards.iter().map(|&reward| rewarded(0, reward)).collect(),
            ..Trajectory::default()
        };
        game.close(row.get("gamma")?.number()?);
        let ours: Vec<f64> =
            game.transitions.iter().map(|turn| f64::from(turn.mc_return)).collect();
        let reference = row.get("mc_returns")?.numbers()?;
        // Sums of numbers that cancel are as exact as what is summed.
        let size = |values: &[f64]| values.iter().fold(0.0f64, |top, value| top.max(value.abs()));
        let size = size(&rewards).max(size(&reference));
        let allowed = vec![super::ledger::tolerance(Kind::Return, size); reference.len()];
        let name = format!("returns/{i}/mc_returns");
        ledger.compare_within(name, &allowed, &reference, &ours);
        let total = row.get("trajectory_reward")?.number()?;
        let sum: f64 = rewards.iter().map(|reward| reward.abs()).sum();
        let allowed = [super::ledger::tolerance(Kind::Return, sum)];
        let name = format!("returns/{i}/trajectory_reward");
        ledger.compare_within(name, &allowed, &[total], &[game.total_reward()]);
    }
    Ok(())
}

/// `replay_buffer.json`: the reference's ring, and beside it what ours keeps.
pub fn replay_buffer(bench: &Bench, ledger: &mut Ledger) -> Result<(), Error> {
    let file = bench.fixtures.json("replay_buffer.json")?;
    for (i, case) in file.root().get("cases")?.list()?.iter().enumerate() {
        let capacity = case.get("capacity")?.count()?.max(1);
        let inserted = case.get("inserted_rewards")?;
        let rewards = inserted.numbers()?;
        let whole = inserted.list()?.first().is_some_and(Node::is_whole);
        let (mut theirs, mut ours) =
            (ReplayBuffer::compat(capacity, whole), ReplayBuffer::new(capacity));
        for (number, &reward) in rewards.iter().enumerate() {
            theirs.insert(rewarded(number as u32, reward));
            ours.insert(rewarded(number as u32, reward));
        }
        let name = |quantity: &str| format!("replay_buffer/{i}/{quantity}");
        let len = case.get("len")?.number()?;
        ledger.compare_one(name("len"), Kind::Exact, len, theirs.inserted() as f64);
        let slots: Vec<String> =
            theirs.places().iter().map(|turn| format!("o{}", turn.observation[0])).collect();
        let reference: Vec<String> =
            case.get("slots_observation")?.texts()?.into_iter().map(str::to_string).collect();
        ledger.same(name("slots_observation"), &reference, &slots);
        let kept: Vec<f64> = theirs.places().iter().map(|turn| f64::from(turn.reward)).collect();
        let reference = case.get("slots_reward")?.numbers()?;
        ledger.compare(name("slots_reward"), Kind::Exact, &reference, &kept);
        let dtype = if whole { "int64" } else { "float64" };
        ledger.same(name("reward_dtype"), &[case.get("reward_dtype")?.text()?], &[dtype]);
        // By default the newest are kept as they came.
        let newest: Vec<f64> = rewards[rewards.len().saturating_sub(capacity)..].to_vec();
        let kept: Vec<f64> = ours.iter().map(|turn| f64::from(turn.reward)).collect();
        ledger.compare(name("fixed.rewards"), Kind::Exact, &newest, &kept);
    }
    Ok(())
}

/// The texts of `generation.json` that are cut without a network.
pub fn postprocess(node: &Node<'_>, ledger: &mut Ledger) -> Result<(), Error> {
    let (mut reference, mut ours) = (Vec::new(), Vec::new());
    for row in node.list()? {
        reference.push(row.get("action")?.text()?);
        ours.push(official::utterance(row.get("raw")?.text()?));
    }
    ledger.same("generation/postprocess/action", &reference, &ours);
    Ok(())
}

/// `generation.json`.
pub async fn generation(bench: &Bench, ledger: &mut Ledger) -> Result<(), Error> {
    let file = bench.fixtures.json("generation.json")?;
    let root = file.root();
    let prompts = root.get("prompts")?.texts()?;
    let prompts: Vec<Vec<u32>> = prompts
        .into_iter()
        .map(|text| newest(&bench.words.encode(text), OFFICIAL_LIMIT).to_vec())
        .collect();
    let lengths: Vec<f64> = prompts.iter().map(|prompt| prompt.len() as f64).collect();
    let reference = root.get("prompt_tokens")?.numbers()?;
    ledger.compare("generation/prompts/tokens", Kind::Exact, &reference, &lengths);
    let alone: Vec<Vec<Vec<u32>>> = prompts.iter().map(|prompt| vec![prompt.clone()]).collect();
    let together = vec![prompts];
    for (key, batches, padded) in [
        ("alone", &alone, false),
        ("batched_left_padding", &together, false),
        ("batched_right_padding", &together, true),
    ] {
        let Some(node) = root.find(key) else {
            ledger.skip(format!("generation/{key}"), "generation.json has no such part");
            continue;
        };
        let rows = node.list()?;
        let end = bench.words.end;
        let mut reference = Vec::new();
        let mut actions = Vec::new();
        let mut limit = 0;
        for row in &rows {
            let ids = row.get("new_ids")?.ids()?;
            limit = limit.max(ids.len());
            // What follows the end in a batch is padding.
            let length = ids.iter().position(|&id| id == end).map_or(ids.len(), |at| at + 1);
            reference.push(ids[..length].to_vec());
            actions.push(row.get("action")?.text()?.to_string());
        }
        let mut ours = Vec::new();
        for batch in batches {
            ours.extend(write(bench, batch, padded, limit).await?);
        }
        let said: Vec<String> =
            ours.iter().map(|ids| official::utterance(&bench.decode(ids)).to_string()).collect();
        ledger.same(format!("generation/{key}/new_ids"), &reference, &ours);
        ledger.same(format!("generation/{key}/action"), &actions, &said);
    }
    postprocess(&root.get("postprocess")?, ledger)
}

/// Greedy utterances after some prompts, in one batch.
async fn write(
    bench: &Bench,
    prompts: &[Vec<u32>],
    padded: bool,
    limit: usize,
) -> Result<Vec<Vec<u32>>, Error> {
    use archer::nn::generate::Decoder;
    use archer::nn::sampling::Sampler;
    use archer::rng::stream;
    use burn::module::Module;

    let actor = bench.actor.valid();
    let mut decoder = Decoder::new(&actor, prompts.len());
    if padded {
        decoder.read_padded(prompts, bench.words.pad);
    } else {
        decoder.read(prompts);
    }
    // The likeliest token needs no chance.
    let mut rngs: Vec<_> = prompts.iter().map(|_| stream(0, "parity", 0)).collect();
    let ends = |token| token == bench.words.end;
    let written = decoder.generate(&Sampler::greedy(), &mut rngs, limit, ends).await?;
    Ok(written.into_iter().map(|utterance| utterance.tokens).collect())
}
