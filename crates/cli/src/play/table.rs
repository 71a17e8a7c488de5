//! A world on the screen: a person watches the agent play it, or plays it himself.

use std::io::{BufRead, Write};

use archer::agent::Agent;
use archer::nn::prefix_cache::PrefixCache;
use archer::nn::sampling::Sampler;
use archer::rng;
use archer::talk::State;
use archer_world::contract::Checked;
use archer_world::{Batch, Choices, End, Opening, Said, Settings, Start, Transcript, Turn, Worlds};
use pollster::block_on;

use super::person::Person;
use crate::args;
use crate::error::Error;
use crate::number::signed;
use crate::worlds;

/// Plays games of a world until the person has had enough.
pub fn run(args: &args::Play, agent: Option<&Agent>, settings: &Settings) -> Result<(), Error> {
    let worlds = worlds::make(settings)?;
    let mut person = Person::here();
    person.say(&welcome(worlds.as_ref(), args.me))?;
    let mut seed = args.seed;
    loop {
        let player = match (args.me, agent) {
            (false, Some(agent)) => {
                Player::Agent { agent, sampler: agent.about.sampler(args.sample), seed }
            }
            _ => Player::Person { advice: agent },
        };
        let left = game(worlds.as_ref(), seed, &player, &mut person)?;
        if left || !person.again()? {
            return person.say("Goodbye.");
        }
        seed += 1;
    }
}

fn welcome(worlds: &dyn Worlds, me: bool) -> String {
    let about = worlds.about();
    let best = about.best.map(|best| format!(" The best mean return is {}.", signed(best, 2)));
    let how = match me {
        true => " Type what you say, or the number of a choice; q leaves.",
        false => "",
    };
    let (name, turns) = (&about.name, about.max_turns);
    format!("{name}: up to {turns} turns a game.{}{how}", best.unwrap_or_default())
}

/// Who says something.
enum Player<'a> {
    /// An agent, which draws by this seed.
    Agent { agent: &'a Agent, sampler: Sampler, seed: u64 },
    /// The person; the agent, where there is one, says what it would have said.
    Person { advice: Option<&'a Agent> },
}

/// Plays one game; whether the person left it.
fn game<R: BufRead, W: Write>(
    worlds: &dyn Worlds,
    seed: u64,
    player: &Player<'_>,
    person: &mut Person<R, W>,
) -> Result<bool, Error> {
    let about = worlds.about();
    let mut batch = block_on(Checked::open(worlds, 1))?;
    let start = Start { task: None, seed };
    let Opening { text, mut choices } = block_on(batch.start(&[start]))?.remove(0);
    person.say(&format!("\n{}", text.trim_end()))?;
    let reader = match player {
        Player::Agent { agent, .. } => Some(*agent),
        Player::Person { advice } => *advice,
    };
    let mut seen = match reader {
        Some(agent) => agent.transcript_in(about, &text),
        None => Transcript::new(about.style.clone(), about.memory, text),
    };
    let (mut total, mut prefix) = (0.0, PrefixCache::default());
    for turn in 0.. {
        let observation = &seen.text();
        let state = State { observation, before: &seen, choices: choices.as_ref() };
        let said = match player {
            Player::Agent { agent, sampler, seed } => {
                let said = utter(agent, state, sampler, (*seed, turn), &mut prefix)?;
                person.say(&format!("  > {said}"))?;
                said
            }
            Player::Person { advice } => match ask(person, *advice, state, turn, &mut prefix)? {
                Some(said) => said,
                None => return Ok(true),
            },
        };
        let Turn { reply, reward, end, invalid, choices: next } =
            block_on(batch.act(&[Said { game: 0, text: &said }]))?.remove(0);
        total += f64::from(reward);
        let note = if invalid { ", not understood" } else { "" };
        person.say(&format!("{}    ({}{note})", reply.trim_end(), signed(reward.into(), 2)))?;
        seen.push(said, reply);
        choices = next;
        if let Some(end) = end {
            let how = match end {
                End::Won => "won",
                End::Over => "over",
                End::Cut => "cut by the limit of turns",
            };
            person.say(&format!("\nThe game is {how}: {} in all.", signed(total, 2)))?;
            return Ok(false);
        }
    }
    unreachable!("a game ends within its turns")
}

/// What an agent says in a game, by the draws of this seed and turn.
fn utter(
    agent: &Agent,
    state: State<'_>,
    sampler: &Sampler,
    (seed, turn): (u64, u64),
    prefix: &mut PrefixCache,
) -> Result<String, Error> {
    let mut rng = rng::stream(seed, "play", turn);
    Ok(block_on(agent.say_aloud(state, sampler, &mut rng, prefix, |_| ()))?)
}

/// Lets the person say something; nothing where the person leaves.
fn ask<R: BufRead, W: Write>(
    person: &mut Person<R, W>,
    advice: Option<&Agent>,
    state: State<'_>,
    turn: u64,
    prefix: &mut PrefixCache,
) -> Result<Option<String>, Error> {
    let choices = state.choices;
    if let Some(choices) = choices {
        let listed: Vec<String> =
            choices.iter().enumerate().map(|(n, choice)| format!("{} {choice}", n + 1)).collect();
        person.say(&format!("  [{}]", listed.join(" · ")))?;
    }
    if let Some(agent) = advice {
        let said = utter(agent, state, &Sampler::greedy(), (0, turn), prefix)?;
        person.say(&format!("  (the agent would say: {said})"))?;
    }
    loop {
        let Some(line) = person.line()? else { return Ok(None) };
        let line = line.trim();
        if ["q", "quit", "exit"].contains(&line)
            && choices.is_none_or(|all| !all.iter().any(|c| c == line))
        {
            return Ok(None);
        }
        match chosen(line, choices) {
            Some(said) => return Ok(Some(said)),
            None => person.say("    Please type one of the choices, or its number; q leaves.")?,
        }
    }
}

/// What a line says: one of the choices by its text or its number, or anything where none are listed.
fn chosen(line: &str, choices: Option<&Choices>) -> Option<String> {
    let Some(choices) = choices else {
        return (!line.is_empty()).then(|| line.to_string());
    };
    let by_text = choices.iter().find(|choice| choice.eq_ignore_ascii_case(line));
    let by_number = || choices.get(line.parse::<usize>().ok()?.checked_sub(1)?);
    by_text.or_else(by_number).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_is_named_by_its_text_or_its_number() {
        let choices = ["left", "7", "right"].map(str::to_string).to_vec();
        let chosen = |line| chosen(line, Some(&choices));
        assert_eq!(chosen("LEFT").as_deref(), Some("left"));
        assert_eq!(chosen("3").as_deref(), Some("right"));
        // What stands there itself comes before its number.
        assert_eq!(chosen("7").as_deref(), Some("7"));
        assert_eq!((chosen("0"), chosen("4"), chosen("up"), chosen("")), (None, None, None, None));
        assert_eq!(super::chosen("anything", None).as_deref(), Some("anything"));
        assert_eq!(super::chosen("", None), None);
    }
}
