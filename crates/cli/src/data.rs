//! `archer data`: games of a scripted asker, one JSON object a line.
//!
//! The form is that of [`archer_world::record`]; `--form lines` writes the one that the field's data
//! sets of questions have, so that the file feeds other programs too:
//! `{"lines": ["Is it an animal? Yes.", …], "correct": true, "word": ["cat"]}`.

use std::io::{self, Write};

use archer_games::WorldConfig;
use archer_games::asker::{drawn, play};
use archer_games::guessing::demonstrator::demonstrator;
use archer_world::Game;
use serde::Serialize;

use crate::args;
use crate::askers;
use crate::error::{Error, cannot_write};
use crate::experiment;
use crate::files::PendingFile;
use crate::number::{percent, signed};
use crate::worlds;

/// Plays the games and writes the file, whole or not at all.
pub fn run(args: &args::Data) -> Result<(), Error> {
    if args.out.exists() && !args.force {
        return Err(Error::Usage(format!(
            "{} exists: choose another --out, or replace it with --force",
            args.out.display()
        )));
    }
    let preset = match &args.preset {
        Some(name) => Some(experiment::preset(name)?),
        None => None,
    };
    let mut config = match &preset {
        Some(preset) => worlds::questions(&preset.world)?,
        None => WorldConfig {
            name: args.world.name,
            rules: args.world.rules,
            words: args.world.words,
            ..WorldConfig::default()
        },
    };
    args.people.amend(&mut config);
    let mut world = askers::world(&config)?;
    let mut asker = match &preset {
        Some(_) => demonstrator(&config),
        None => askers::make(&args.asker, world.as_ref(), &config)?,
    };

    let failed = |error: io::Error| cannot_write(&args.out, &error);
    let mut file = PendingFile::create(&args.out).map_err(failed)?;
    let (mut won, mut questions) = (0, 0);
    for start in drawn(args.games, args.seed) {
        for game in play(asker.as_mut(), world.as_mut(), [start]) {
            won += usize::from(game.won());
            questions += game.turns.len();
            let task = game.task.expect("the secrets of a world of questions have numbers");
            let written = match args.form {
                args::Form::Turns => serde_json::to_writer(&mut file, &game),
                args::Form::Lines => serde_json::to_writer(
                    &mut file,
                    &Lines { lines: lines(&game), correct: game.won(), word: world.aliases(task) },
                ),
            };
            written.map_err(|e| failed(e.into()))?;
            file.write_all(b"\n").map_err(failed)?;
        }
    }
    file.commit().map_err(failed)?;
    summarise(args, won, questions);
    Ok(())
}

/// A game in the older form.
#[derive(Serialize)]
struct Lines {
    lines: Vec<String>,
    correct: bool,
    word: Vec<String>,
}

/// One line for each turn: the question, a space, the answer.
fn lines(game: &Game) -> Vec<String> {
    game.turns.iter().map(|turn| format!("{} {}", turn.said, turn.reply)).collect()
}

fn summarise(args: &args::Data, won: usize, questions: usize) {
    let games = args.games as f64;
    let _ = writeln!(
        io::stderr(),
        "{} games of the {} in {}: {} won, {} questions a game",
        args.games,
        match &args.preset {
            Some(preset) => format!("asker that {preset} imitates"),
            None => format!("{} asker", args.asker),
        },
        args.out.display(),
        percent(won as f64 / games),
        signed(questions as f64 / games, 1),
    );
}
