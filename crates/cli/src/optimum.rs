//! `archer optimum`: the best that anyone can do in a world.
//!
//! A world of the catalogue knows its own. In a world of questions four numbers frame every learning curve: the bound for a player who may split the secrets as he
//! likes, the exact optimum over the questions there are where it can be computed, what greedy
//! information gain reaches, and the worst return there is.

use archer_games::asker::{TreeAsker, each_task, mean_return, play};
use archer_games::catalogue;
use archer_games::optimum::{MAX_SOLVER_WORDS, Solver, perfect_split_optimum};
use archer_games::question_pool::QuestionPool;
use archer_games::{Answer, GuessingGame, WorldConfig, WorldName};
use archer_world::{About, Start};
use serde::Serialize;

use crate::args;
use crate::askers;
use crate::error::Error;
use crate::number::signed;
use crate::output;
use crate::worlds;

/// What is known of the best mean return.
#[derive(Debug, Serialize)]
struct Optimum {
    environment: String,
    rules: String,
    /// Secrets, each equally likely.
    words: usize,
    /// Those that some question wins under these rules.
    winnable: usize,
    /// Questions about properties that tell some of them apart.
    questions: usize,
    max_turns: usize,
    /// What no player can beat, whatever the table knew.
    bound_return: f64,
    /// The best over the questions of the table; null where the search would take too long.
    exact_return: Option<f64>,
    /// What the greedy asker reaches.
    greedy_return: f64,
    /// The line that evaluations and learning curves show.
    optimum_return: Option<f64>,
    /// Nobody does worse.
    worst_return: Option<f64>,
}

/// Computes and prints.
pub fn run(args: &args::Optimum) -> Result<(), Error> {
    let settings = args.world.settings()?;
    if archer_guests::is_guest(&settings) {
        return Err(Error::Usage(
            "nobody knows the optimum of a world of your own; it may say its \"best\" itself"
                .into(),
        ));
    }
    if let Some(entry) = archer_games::entry(&settings) {
        let known = (entry.optimum)(&archer_games::without_name(&settings))?;
        let about = worlds::make(&settings)?.about().clone();
        return known_optimum(&known, &about, args.json);
    }
    let config = worlds::questions(&settings)?;
    if config.guessing()?.is_none() {
        let about = archer_games::make_one(&config)?.about();
        let known = catalogue::Optimum {
            exact: about.best,
            note: "the rules tell it".into(),
            ..Default::default()
        };
        return known_optimum(&known, &about, args.json);
    }
    let mut world = askers::world(&config)?;
    let optimum = compute(&config, world.as_mut());
    match args.json {
        true => output::json(&optimum),
        false => output::line(&text(&optimum, config.name)),
    }
}

/// What is known of a world of the catalogue.
#[derive(Debug, Serialize)]
struct Known {
    environment: String,
    /// Tasks; null where they have no numbers.
    tasks: Option<usize>,
    max_turns: usize,
    /// The best mean return, where it was computed.
    exact_return: Option<f64>,
    /// What no player exceeds in the mean.
    bound_return: Option<f64>,
    /// What the best scripted player reaches.
    scripted_return: Option<f64>,
    /// Nobody does worse.
    worst_return: Option<f64>,
    note: String,
}

fn known_optimum(known: &catalogue::Optimum, about: &About, json: bool) -> Result<(), Error> {
    if json {
        return output::json(&Known {
            environment: about.name.clone(),
            tasks: about.tasks,
            max_turns: about.max_turns,
            exact_return: known.exact,
            bound_return: known.bound,
            scripted_return: known.scripted,
            worst_return: about.worst,
            note: known.note.clone(),
        });
    }
    let row = |name: &str, what: &str, value: Option<f64>| {
        value.map(|value| vec![name.to_string(), what.to_string(), signed(value, 4)])
    };
    let rows: Vec<Vec<String>> = [
        row("exact", "the best that any player reaches", known.exact),
        row("bound", "no player exceeds it", known.bound),
        row("scripted", "the best scripted player", known.scripted),
        row("worst", "nobody does worse", about.worst),
    ]
    .into_iter()
    .flatten()
    .collect();
    let tasks = about.tasks.map_or(String::new(), |tasks| format!("{tasks} tasks, "));
    output::line(&format!(
        "{}: {tasks}{} turns at most\n\n{}\n\n{}",
        about.name,
        about.max_turns,
        output::table(&["", "", "mean return"], &rows, 2),
        known.note
    ))
}

fn compute(config: &WorldConfig, world: &mut dyn GuessingGame) -> Optimum {
    let pool = world.question_pool();
    let about = world.about();
    let (words, max_turns) = (world.names().len(), about.max_turns);
    let winnable = winnable(world, &pool);
    let lost = (words - winnable) as f64 * -(max_turns as f64);
    let over_all = |mean: f64| (mean * winnable as f64 + lost) / words as f64;
    let bound = match winnable {
        0 => 0.0,
        _ => perfect_split_optimum(
            winnable,
            max_turns,
            if config.knows(Answer::Sometimes) { 3 } else { 2 },
        ),
    };
    let questions = pool.properties().len();
    // With secrets that cannot be won, the search over the pool would count their guesses as wins.
    let searched = (words <= MAX_SOLVER_WORDS && winnable == words)
        .then(|| Solver::new(&pool, max_turns).mean_return());
    let starts = each_task(words, 1, 0);
    let greedy = mean_return(&play(&mut TreeAsker::greedy(pool), world, starts));
    let bound = over_all(bound);
    // A player who reaches what none can beat has found the optimum.
    let exact = searched.or_else(|| (greedy >= bound - 1e-9).then_some(greedy));
    Optimum {
        environment: config.name.to_string(),
        rules: match config.rules {
            archer_games::Rules::Fixed => "fixed".to_string(),
            archer_games::Rules::Official => "official".to_string(),
        },
        words,
        winnable,
        questions,
        max_turns,
        bound_return: bound,
        exact_return: exact,
        greedy_return: greedy,
        optimum_return: about.best,
        worst_return: about.worst,
    }
}

/// The secrets that are won by a guess at one of their names.
fn winnable(world: &mut dyn GuessingGame, pool: &QuestionPool) -> usize {
    let mut winnable = 0;
    for task in 0..world.names().len() {
        let aliases = world.aliases(task);
        let guesses = aliases.iter().map(|alias| format!("Is it a {alias}?"));
        let canonical = pool.questions()[pool.guess_of(task)].text.clone();
        let won = std::iter::once(canonical).chain(guesses).any(|guess| {
            world.start(&Start { task: Some(task), seed: 0 });
            world.act(&guess).won()
        });
        winnable += usize::from(won);
    }
    winnable
}

fn text(optimum: &Optimum, name: WorldName) -> String {
    let o = optimum;
    let row = |name: &str, value: Option<f64>, what: &str| {
        let value = value.map_or("not known".to_string(), |value| signed(value, 2));
        vec![name.to_string(), what.to_string(), value]
    };
    let too_long = format!("searched for up to {MAX_SOLVER_WORDS} secrets only");
    let exact_note = match (o.exact_return, o.winnable == o.words) {
        (Some(_), _) => "the best over the questions there are",
        (None, true) => too_long.as_str(),
        (None, false) => "not searched where some cannot be won",
    };
    let mut rows = vec![
        row("bound", Some(o.bound_return), "yes-or-no questions that split as one likes"),
        row("exact", o.exact_return, exact_note),
        row("greedy", Some(o.greedy_return), "the tree asker: the most informative question"),
        row("worst", o.worst_return, "never to win"),
    ];
    if name == WorldName::GuessMyCity {
        rows.insert(0, row("optimum", o.optimum_return, "with questions that have free answers"));
    }
    let lost = match o.words - o.winnable {
        0 => String::new(),
        n => format!(" ({n} of them cannot be won)"),
    };
    format!(
        "{}, {} rules: {} secrets{lost}, {} questions about them, {} turns\n\n{}",
        o.environment,
        o.rules,
        o.words,
        o.questions,
        o.max_turns,
        output::table(&["", "", "mean return"], &rows, 2)
    )
}
