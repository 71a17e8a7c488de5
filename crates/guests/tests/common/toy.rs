//! A small world for tests: a corridor whose last place is the goal.

use archer_world::{About, End, Opening, Start, Turn, World};

const GOAL: usize = 4;
const MAX_TURNS: usize = 6;

/// Places 0 to 4; the task is the place where the game begins.
#[derive(Default)]
pub struct Corridor {
    place: usize,
    task: usize,
    turns: usize,
}

impl World for Corridor {
    fn about(&self) -> About {
        About {
            tasks: Some(GOAL),
            best: Some(0.875),
            worst: Some(-0.75),
            memory: Some(0),
            ..About::new("corridor", MAX_TURNS)
        }
    }

    fn start(&mut self, start: &Start) -> Opening {
        self.task = start.task.unwrap_or((start.seed % GOAL as u64) as usize);
        (self.place, self.turns) = (self.task, 0);
        Opening::choosing(format!("You are at {}.\n", self.place), ["left", "right"])
    }

    fn act(&mut self, said: &str) -> Turn {
        self.turns += 1;
        let known = ["left", "right"].contains(&said);
        match said {
            "right" => self.place += 1,
            "left" => self.place = self.place.saturating_sub(1),
            _ => {}
        }
        let reply = format!("You are at {}.", self.place);
        let turn = match (self.place, self.turns) {
            (GOAL, _) => Turn::new(reply, 1.0).ending(End::Won),
            (_, MAX_TURNS) => Turn::new(reply, -0.125).ending(End::Cut),
            _ => Turn::new(reply, -0.125).choosing(["left", "right"]),
        };
        if known { turn } else { turn.unreadable() }
    }

    fn task(&self) -> Option<usize> {
        Some(self.task)
    }
}
