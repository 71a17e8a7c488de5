//! The model card: what a person who finds a model folder wants to know first.

use archer_world::Style;

use super::Agent;

/// What a card says beside what the agent itself knows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Card {
    /// The terms it may be used under, as an SPDX expression; empty where nobody said.
    pub licence: String,
    /// The revision of the sources that made it; empty where nobody said.
    pub commit: String,
    /// How it was made, a sentence; empty where that is not known.
    pub made: String,
    /// How well it plays, where that was measured.
    pub measured: Option<Measured>,
}

/// The mean return of some games.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    /// Games, played greedily.
    pub games: usize,
    /// Mean return.
    pub mean_return: f64,
    /// Its 95 % interval; not numbers where a single game was played.
    pub ci95: [f64; 2],
}

impl Card {
    /// The card of an agent, as Markdown with the head that model hubs read.
    pub fn text(&self, agent: &Agent) -> String {
        // Hubs know a licence by its name in small letters, and several as a list.
        let licences: Vec<String> =
            self.licence.split(" OR ").map(|name| name.trim().to_lowercase()).collect();
        let licence = match &licences[..] {
            [one] if one.is_empty() => String::new(),
            [one] => format!("license: {one}\n"),
            several => format!("license:\n- {}\n", several.join("\n- ")),
        };
        let shape = agent.actor.config();
        let critic = match &agent.critic {
            Some(_) => {
                " `critic/` holds the critic that learned with it, in a layout of archer's own: other programs do not read it, and do not need it."
            }
            None => "",
        };
        let mut text = format!(
            "---\nlibrary_name: transformers\npipeline_tag: text-generation\n{licence}tags:\n- archer\n- reinforcement-learning\n---\n\n\
             # An agent for {world}\n\n\
             A language model of {parameters} parameters in the layout of {layout} ({layers} blocks of width {width}, {tokens} tokens, texts of up to {positions} tokens). It reads the text of a game{chat} and writes the next utterance, which ends with its line.{critic}\n",
            world = self.world(agent),
            parameters = agent.actor.size(),
            layout = shape.layout.name(),
            chat = match &agent.about.style {
                Style::Chat(_) => " as a chat, by the template in `tokenizer_config.json`,",
                Style::Lines { .. } => "",
            },
            layers = shape.layers,
            width = shape.width,
            tokens = shape.vocab_size,
            positions = shape.positions,
        );
        let facts = [
            ("Licence", self.licence.clone()),
            ("Made", self.made.clone()),
            ("Sources", self.commit.clone()),
            ("Return", self.measured.map(|measured| measured.text()).unwrap_or_default()),
        ];
        let known: Vec<String> = facts
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| format!("- {name}: {value}\n"))
            .collect();
        if !known.is_empty() {
            text.push('\n');
            text.push_str(&known.concat());
        }
        text.push_str(USE);
        text
    }

    fn world(&self, agent: &Agent) -> String {
        match agent.about.world.get("name").and_then(|name| name.as_str()) {
            Some(name) => format!("the world `{name}`"),
            None => "a world of text".into(),
        }
    }
}

impl Measured {
    fn text(self) -> String {
        let [low, high] = self.ci95;
        let interval = match low.is_finite() && high.is_finite() {
            true => format!(" ({low:.2} to {high:.2}, 95 % interval)"),
            false => String::new(),
        };
        format!("{:.2}{interval}, greedily over {} games", self.mean_return, self.games)
    }
}

/// How to load the folder.
const USE: &str = r#"
`archer.json` says which world the agent was trained in and how it speaks there.

## With archer

```sh
archer eval --model FOLDER
archer play --model FOLDER
```

## With transformers

```python
from transformers import AutoModelForCausalLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("FOLDER")
model = AutoModelForCausalLM.from_pretrained("FOLDER")
text = tokenizer("the text of a game so far", return_tensors="pt")
said = model.generate(**text)[0, text["input_ids"].shape[1]:]
print(tokenizer.decode(said, skip_special_tokens=True))
```
"#;
