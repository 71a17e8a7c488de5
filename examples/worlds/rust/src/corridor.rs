//! A corridor of seven places: a door at one end, a wall at the other.

use archer_world::{About, End, Opening, Start, Turn, World};

const DOOR: usize = 6;
const MAX_TURNS: usize = 12;

/// Walk to the door. Each step costs 0.05, the door is worth 1.
#[derive(Default)]
pub struct Corridor {
    start: usize,
    place: usize,
    turns: usize,
}

impl Corridor {
    fn shown(&self) -> String {
        let row = (0..=DOOR).map(|place| match place {
            here if here == self.place => '@',
            DOOR => 'D',
            _ => '.',
        });
        row.collect()
    }

    fn steps() -> [&'static str; 2] {
        ["left", "right"]
    }
}

impl World for Corridor {
    fn about(&self) -> About {
        // The mean over the six starts of 1 less the steps before the last.
        let best = (0..DOOR).map(|start| 1.0 - 0.05 * (DOOR - 1 - start) as f64).sum::<f64>();
        About {
            tasks: Some(DOOR),
            memory: Some(0),
            best: Some(best / DOOR as f64),
            worst: Some(-0.05 * MAX_TURNS as f64),
            ..About::new("corridor", MAX_TURNS)
        }
    }

    fn start(&mut self, start: &Start) -> Opening {
        self.start = start.task.unwrap_or((start.seed % DOOR as u64) as usize);
        (self.place, self.turns) = (self.start, 0);
        Opening::choosing(self.shown() + "\n", Self::steps())
    }

    fn act(&mut self, said: &str) -> Turn {
        self.turns += 1;
        match said {
            "left" => self.place = self.place.saturating_sub(1),
            "right" => self.place += 1,
            _ => {}
        }
        match (self.place, self.turns) {
            (DOOR, _) => Turn::new("The door opens.", 1.0).ending(End::Won),
            (_, MAX_TURNS) => Turn::new(self.shown(), -0.05).ending(End::Cut),
            _ => Turn::new(self.shown(), -0.05).choosing(Self::steps()),
        }
    }

    fn task(&self) -> Option<usize> {
        Some(self.start)
    }
}
