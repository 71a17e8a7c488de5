//! A helper of the tests: `toy_world lines` serves a corridor by JSON lines, `toy_world hold COMMAND…`
//! opens a world and holds it until it is killed.

mod toy;

use std::io;

use archer_world::{Local, Start};
use toy::Corridor;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.split_first() {
        Some((form, [])) if form == "lines" => {
            let worlds = Local::new(Corridor::default);
            archer_guests::serve_lines(&worlds, io::stdin().lock(), io::stdout().lock())
                .expect("the input is read and the output written");
        }
        Some((form, command)) if form == "hold" => hold(command),
        _ => panic!("say lines, or hold COMMAND…"),
    }
}

fn hold(command: &[String]) {
    let mut settings = archer_world::Settings::new();
    settings.insert("command".into(), command.into());
    let worlds = archer_guests::open(&settings).expect("the world opens");
    let mut batch = pollster::block_on(worlds.open(1)).expect("a batch opens");
    pollster::block_on(batch.start(&[Start::default()])).expect("a game starts");
    println!("held");
    let _ = io::stdin().read_line(&mut String::new());
}
