//! From what was typed to what is meant: a whole, checked configuration.
//!
//! Layers lie on top of each other, the later over the earlier: the defaults of the code, a preset,
//! a file, each `--set key=value`, and the flags that have a name of their own. A layer may hold
//! only keys that exist and only values of their type; each key is tried by itself, so that an
//! error names the key, where it stands, and what would have been accepted.

mod differences;

use std::cell::OnceCell;
use std::path::Path;

use archer::config::{Algorithm, Config, older};
use archer_world::Settings;
use archer_world::contract::shortened;
use toml::{Table, Value};

use crate::error::Error;
use crate::input;
use crate::worlds;
pub use differences::differences;

mod changes;
mod refusals;
mod tables;

pub use changes::{changed_keys, done, extend, other_rates};
use tables::{WORD_OR_LIST, fitting, flat, get, insert, list_keys, parse_value, type_name};

/// The presets by name, as they stand in `crates/cli/presets`.
pub const PRESETS: [(&str, &str); 5] = [
    ("quickstart", include_str!("../presets/quickstart.toml")),
    ("twenty-questions", include_str!("../presets/twenty-questions.toml")),
    ("people", include_str!("../presets/people.toml")),
    ("lm", include_str!("../presets/lm.toml")),
    (NEW_WORLD, include_str!("../presets/new-world.toml")),
];

/// The preset for a world of which nothing is known.
const NEW_WORLD: &str = "new-world";

/// Groups whose keys are names of things.
const NAMED: [&str; 2] = ["world.weights", "world.answers"];

/// Keys that a configuration leaves out where they say nothing.
const ABSENT: [&str; 9] = [
    "world.weights",
    "world.answers",
    "world.extra",
    "world.knowledge",
    "world.max_turns",
    "world.oracle",
    "world.people.unknown",
    "world.people.sometimes",
    "world.people.wrong",
];

/// The settings of a world that say which world it is; the others depend on them.
const IDENTITY: [&str; 3] = ["name", "command", "url"];

/// What was typed.
#[derive(Debug, Default)]
pub struct Request<'a> {
    /// A name out of [`PRESETS`].
    pub preset: Option<&'a str>,
    /// A file in the form of the presets.
    pub config: Option<&'a Path>,
    /// What `--world` names.
    pub world: Option<&'a str>,
    /// A file of games to imitate.
    pub demonstrations: Option<&'a Path>,
    /// `key=value` each, in the order given.
    pub set: &'a [String],
    /// The flag of this name.
    pub algorithm: Option<&'a str>,
    /// The flag of this name.
    pub seed: Option<u64>,
}

/// What is meant.
#[derive(Debug)]
pub struct Experiment {
    /// The preset or the file's stem: what a run folder is called after.
    pub name: String,
    /// Complete and checked.
    pub config: Config,
}

/// Resolves a request; with neither preset nor file it is the `quickstart`, or `new-world` where a world
/// is named.
pub fn resolve(request: &Request<'_>) -> Result<Experiment, Error> {
    let preset = match (request.preset, request.config) {
        (None, None) => Some(if request.world.is_some() { NEW_WORLD } else { "quickstart" }),
        (preset, _) => preset,
    };
    let preset = preset.map(|name| Ok::<_, Error>((name, preset_text(name)?))).transpose()?;
    lay(&Config::default(), preset, request)
}

/// Checks the text of a configuration; `origin` says where it stands.
pub fn checked(text: &str, origin: &str) -> Result<(), Error> {
    let mut layers = Layers::over(&Config::default())?;
    layers.add_text(text, origin)?;
    layers.finish().map(|_| ())
}

/// The configuration of a preset as it stands.
pub fn preset(name: &str) -> Result<Config, Error> {
    let request = Request { preset: Some(name), ..Request::default() };
    Ok(resolve(&request)?.config)
}

/// The same over another configuration than the defaults, and over a preset that is not for
/// everyone: its name and text.
pub fn resolve_over(
    base: &Config,
    preset: (&'static str, &'static str),
    request: &Request<'_>,
) -> Result<Experiment, Error> {
    lay(base, Some(preset), request)
}

fn lay(
    base: &Config,
    preset: Option<(&str, &str)>,
    request: &Request<'_>,
) -> Result<Experiment, Error> {
    let mut layers = Layers::over(base)?;
    if let Some((name, text)) = preset {
        layers.add_text(text, &format!("the preset {name}"))?;
    }
    if let Some(path) = request.config {
        let text = input::text(path, input::CONFIG)?;
        layers.add_text(&text, &path.display().to_string())?;
    }
    if let Some(world) = request.world {
        layers.replace_world(worlds::named(world)?)?;
    }
    if let Some(file) = request.demonstrations {
        let file = Value::String(file.display().to_string());
        layers.put("warm_start.demonstrations", file, "--demonstrations")?;
    }
    for assignment in request.set {
        layers.assign(assignment)?;
    }
    if let Some(algorithm) = request.algorithm {
        layers.put("algorithm", Value::String(algorithm.to_string()), "--algorithm")?;
    }
    if let Some(seed) = request.seed {
        let seed = i64::try_from(seed).map_err(|_| {
            Error::Usage(format!("--seed {seed} is too large: the largest is {}", i64::MAX))
        })?;
        layers.put("seed", Value::Integer(seed), "--seed")?;
    }
    if layers.config.algorithm == Algorithm::Distill {
        // A student imitates its teacher and nobody else, whatever its teacher was told.
        layers.config.warm_start.steps = 0;
    }
    let config = layers.finish()?;
    refusals::shapes(&config, request.set)?;
    refusals::giants(&config)?;
    let stem = request.config.and_then(Path::file_stem).and_then(|stem| stem.to_str());
    let name = stem.or(preset.map(|(name, _)| name)).unwrap_or("run").to_string();
    Ok(Experiment { name, config })
}

/// The configuration `base` with `--set` assignments over it.
pub fn amend(base: &Config, set: &[String]) -> Result<Config, Error> {
    let mut layers = Layers::over(base)?;
    for assignment in set {
        layers.assign(assignment)?;
    }
    layers.finish()
}

/// The settings of a world with `--set` assignments over them, each of which names a key of the world.
pub fn world(base: &Settings, set: &[String]) -> Result<Settings, Error> {
    if let Some(other) = set.iter().find(|set| !set.trim_start().starts_with("world.")) {
        return Err(Error::Usage(format!(
            "--set {other}: only keys of the world can change here, as in --set world.weights.dog=8"
        )));
    }
    let mut layers = Layers::over(&Config { world: base.clone(), ..Config::default() })?;
    for assignment in set {
        layers.assign(assignment)?;
    }
    let mut settings = layers.config.world;
    // The rates at which people answered go with them, unless they are named here.
    let of_people = |settings: &Settings| settings.get("oracle").is_some_and(|who| who == "people");
    let named = set.iter().any(|set| set.trim_start().starts_with("world.people"));
    if of_people(base) && !of_people(&settings) && !named {
        settings.remove("people");
    }
    Ok(worlds::resolved(&settings)?)
}

/// Whether a key exists and can have a value.
#[cfg(test)]
pub fn check_assignment(assignment: &str) -> Result<(), Error> {
    Layers::over(&Config::default())?.assign(assignment)
}

/// What `--world` takes to name a world outside, quoted for a shell; nothing of a world that archer
/// ships.
pub fn reached(settings: &Settings) -> Option<String> {
    let words = match settings.get("command").or_else(|| settings.get("url"))? {
        serde_json::Value::Array(words) => {
            words.iter().filter_map(|word| word.as_str()).collect::<Vec<_>>().join(" ")
        }
        other => other.as_str()?.to_string(),
    };
    Some(format!("\"{words}\""))
}

/// A configuration as the text of a TOML file.
pub fn to_text(config: &Config) -> Result<String, Error> {
    toml::to_string(config)
        .map_err(|e| Error::Failure(format!("the configuration cannot be written as TOML: {e}")))
}

fn preset_text(name: &str) -> Result<&'static str, Error> {
    let found = PRESETS.iter().find(|(preset, _)| *preset == name);
    found.map(|(_, text)| *text).ok_or_else(|| {
        let names = PRESETS.map(|(preset, _)| preset);
        Error::Usage(format!(
            "there is no preset {name}{}; the presets are {} (a file of your own goes with \
             --config)",
            did_you_mean(name, &names),
            names.join(" and ")
        ))
    })
}

/// A configuration under construction, in both its forms. The settings of its world are those that
/// were given; what the world adds to them comes in the end.
struct Layers {
    table: Table,
    config: Config,
    /// The table with all that the world adds to its own part, once somebody asks.
    known: OnceCell<Table>,
}

impl Layers {
    fn over(base: &Config) -> Result<Layers, Error> {
        let table = Table::try_from(base).map_err(|error| unlayered(&error))?;
        Ok(Layers { table, config: base.clone(), known: OnceCell::new() })
    }

    /// The whole configuration, checked. The world has its own say on its settings, and is asked
    /// before anything is begun.
    fn finish(self) -> Result<Config, Error> {
        let mut config = self.config;
        config.world = worlds::resolved(&config.world)?;
        config.validate()?;
        if !archer_guests::is_guest(&config.world) {
            worlds::make(&config.world)?;
        }
        Ok(config)
    }

    /// Takes another world, with nothing set of it.
    fn replace_world(&mut self, world: Settings) -> Result<(), Error> {
        self.config.world = world;
        *self = Layers::over(&self.config)?;
        Ok(())
    }

    /// Adds a whole TOML document; `origin` says where it stands.
    fn add_text(&mut self, text: &str, origin: &str) -> Result<(), Error> {
        let document: Table = text.parse().map_err(|e: toml::de::Error| {
            let line = e.span().map(|span| 1 + text[..span.start].matches('\n').count());
            let place = line.map(|line| format!(", line {line}")).unwrap_or_default();
            Error::Usage(format!("{origin}{place} is not valid TOML: {}", e.message().trim()))
        })?;
        self.add_table(&document, origin)
    }

    fn add_table(&mut self, layer: &Table, origin: &str) -> Result<(), Error> {
        // Which world it is comes before what is set in it.
        let world = layer.get("world").and_then(Value::as_table);
        for key in IDENTITY {
            if let Some(value) = world.and_then(|world| world.get(key)) {
                self.put(&format!("world.{key}"), value.clone(), origin)?;
            }
        }
        let mut others = flat(self.known()?, "", layer);
        others.retain(|(key, _)| key.strip_prefix("world.").is_none_or(|k| !IDENTITY.contains(&k)));
        self.add_all(&others, origin)
    }

    /// Adds these keys, as many at once as go together: a layer without a fault costs one reading, and
    /// the first fault of another is found by halving.
    fn add_all(&mut self, mut layer: &[(String, Value)], origin: &str) -> Result<(), Error> {
        loop {
            if let Some(all) = self.with_all(layer) {
                *self = all;
                return Ok(());
            }
            // The first so many keys go together, and one more does not.
            let (mut good, mut bad) = (0, layer.len());
            while bad - good > 1 {
                let middle = good.midpoint(bad);
                match self.with_values(&layer[..middle]) {
                    Some(_) => good = middle,
                    None => bad = middle,
                }
            }
            if let Some(all) = self.with_all(&layer[..good]) {
                *self = all;
            }
            let (key, value) = &layer[good];
            // By itself it is refused with a reason.
            self.put(key, value.clone(), origin)?;
            layer = &layer[bad..];
        }
    }

    /// The layers with these keys, if all of them exist and have values that they can have.
    fn with_all(&self, layer: &[(String, Value)]) -> Option<Layers> {
        Layers::over(&self.with_values(layer)?).ok()
    }

    /// The configuration with these keys, likewise.
    fn with_values(&self, layer: &[(String, Value)]) -> Option<Config> {
        let known = self.known().ok()?;
        let mut table = self.table.clone();
        for (key, value) in layer {
            let key = older::present_name(key);
            let value = fitting(key, get(known, key), value.clone()).ok()?;
            insert(&mut table, key, value).then_some(())?;
        }
        let config = table.try_into::<Config>().ok()?;
        worlds::resolved(&config.world).ok()?;
        Some(config)
    }

    /// Adds one `key=value`, its value read as the type that the key has now.
    fn assign(&mut self, assignment: &str) -> Result<(), Error> {
        let (key, text) = assignment.split_once('=').ok_or_else(|| {
            Error::Usage(format!(
                "--set {assignment} has no value: write --set key=value, for example \
                 --set iterations=50"
            ))
        })?;
        let (key, text) = (older::present_name(key.trim()), text.trim());
        let is_list = WORD_OR_LIST.contains(&key) && text.starts_with('[');
        let value = match get(self.known()?, key) {
            // A bare word is what people type; quotes are allowed, as in a file.
            Some(Value::String(_)) if !is_list && !text.starts_with('"') => {
                Value::String(text.to_string())
            }
            _ => parse_value(text).unwrap_or_else(|| Value::String(text.to_string())),
        };
        self.put(key, value, "--set")
    }

    /// Sets one key, if it exists and the value is one that it can have.
    fn put(&mut self, key: &str, value: Value, origin: &str) -> Result<(), Error> {
        let key = older::present_name(key);
        let shown = value.to_string();
        let present = get(self.known()?, key);
        if let (Some(Value::Table(inner)), false) = (present, value.is_table()) {
            let keys: Vec<String> = inner.keys().map(|k| format!("{key}.{k}")).collect();
            return Err(Error::Usage(format!(
                "{origin}: {key} is a group of keys; set one of them: {}",
                keys.join(", ")
            )));
        }
        let value = fitting(key, present, value).map_err(|old| {
            Error::Usage(format!(
                "{origin}: {key} = {shown} is of the wrong type: it must be {}, such as {old}",
                type_name(old)
            ))
        })?;
        let mut table = self.table.clone();
        if !insert(&mut table, key, value) {
            return Err(self.unknown_key(key, origin)?);
        }
        let tried = match table.try_into::<Config>() {
            // The world has its say on its own settings.
            Ok(config) if key.split('.').next() == Some("world") => {
                worlds::resolved(&config.world).map(|_| config).map_err(|e| e.to_string())
            }
            Ok(config) => Ok(config),
            Err(fault) => Err(fault.message().trim().to_string()),
        };
        match tried {
            Ok(config) => {
                // Both forms from one: what was written as a whole number may be kept as a fraction.
                *self = Layers::over(&config)?;
                Ok(())
            }
            Err(fault) if fault.starts_with("unknown field") => Err(self.unknown_key(key, origin)?),
            Err(fault) => {
                Err(Error::Usage(format!("{origin}: {key} = {shown} cannot be used: {fault}")))
            }
        }
    }

    /// The table with all that the world adds to its own part.
    fn known(&self) -> Result<&Table, Error> {
        if let Some(known) = self.known.get() {
            return Ok(known);
        }
        let world = worlds::resolved(&self.config.world)?;
        let mut known = self.table.clone();
        let world = Value::try_from(&world).map_err(|error| unlayered(&error))?;
        known.insert("world".to_string(), world);
        Ok(self.known.get_or_init(|| known))
    }

    fn unknown_key(&self, key: &str, origin: &str) -> Result<Error, Error> {
        let (known, mut keys) = (self.known()?, Vec::new());
        list_keys("", known, &mut keys);
        keys.extend(ABSENT.map(str::to_string).into_iter().filter(|key| get(known, key).is_none()));
        let mut meant = keys.clone();
        // The keys of these groups are names: who mistypes the group means the same name in it.
        if let [world, group, name] = key.splitn(3, '.').collect::<Vec<_>>()[..] {
            let typed = format!("{world}.{group}");
            let near =
                NAMED.into_iter().filter(|&group| !did_you_mean(&typed, &[group]).is_empty());
            meant.extend(near.map(|group| format!("{group}.{name}")));
        }
        let meant: Vec<&str> = meant.iter().map(String::as_str).collect();
        let mut hint = did_you_mean(key, &meant);
        if hint.is_empty() {
            hint = format!("; the keys are {}", keys.join(", "));
        }
        let key = shortened(key);
        Ok(Error::Usage(format!("{origin}: there is no key {key}{hint}")))
    }
}

fn unlayered(error: &toml::ser::Error) -> Error {
    Error::Failure(format!("the configuration cannot be layered: {error}"))
}

/// `", did you mean X?"` where something known is spelled much like `word`, else nothing.
pub fn did_you_mean(word: &str, known: &[&str]) -> String {
    // What is longer than all of them by half is near to none, and takes long to compare.
    let longest = known.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    if word.chars().count() > 2 * longest + 2 {
        return String::new();
    }
    let last = |name: &str| name.rsplit('.').next().unwrap_or(name).to_string();
    let nearest = known
        .iter()
        .map(|name| {
            // A nested key typed without its group is near by its own name.
            let whole = strsim::damerau_levenshtein(word, name);
            let own = 1 + strsim::damerau_levenshtein(&last(word), &last(name));
            let is_near = |distance: &usize, word: &str| *distance <= 1 + word.chars().count() / 3;
            let whole_is_near = is_near(&whole, word).then_some(whole);
            let own_is_near = is_near(&own, &last(word)).then_some(own);
            (whole_is_near.into_iter().chain(own_is_near).min(), whole, name)
        })
        .filter_map(|(distance, whole, name)| Some((distance?, whole, name)))
        .min();
    nearest.map_or(String::new(), |(_, _, name)| format!(", did you mean {name}?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(pairs: &[&str]) -> Result<Config, String> {
        let set: Vec<String> = pairs.iter().map(|pair| pair.to_string()).collect();
        amend(&Config::default(), &set).map_err(|e| e.to_string())
    }

    #[test]
    fn a_value_takes_the_type_of_its_key() {
        let config = set(&["iterations=7", "gamma=1", "world.words=subset", "actor=a b"]).unwrap();
        assert_eq!((config.iterations, config.gamma), (7, 1.0));
        assert_eq!(config.world["words"], "subset");
        assert_eq!(config.actor, "a b");
        let listed = set(&["world.words=[\"cat\", \"dog\"]", "world.words=all"]).unwrap();
        assert_eq!(listed.world["words"], "all");
        let listed = set(&["world.words=[\"cat\", \"dog\"]"]).unwrap();
        assert_eq!(listed.world["words"], serde_json::json!(["cat", "dog"]));
        // A key that is absent by default can be set all the same.
        assert_eq!(set(&["world.max_turns=12"]).unwrap().world["max_turns"], 12);
    }

    #[test]
    fn a_fault_names_the_key_and_the_way_out() {
        for (pair, parts) in [
            ("iteration=7", &["there is no key iteration", "did you mean iterations?"][..]),
            ("warm_start.step=7", &["warm_start.step", "did you mean warm_start.steps?"]),
            ("guess_rate=0.1", &["did you mean world.demonstrator.guess_rate?"]),
            ("xyzzyxyzzy=1", &["the keys are", "actor_model.layers"]),
            ("nogroup.x=1", &["there is no key nogroup.x"]),
            ("world.weight.dog=2", &["world.weight.dog", "did you mean world.weights.dog?"]),
            ("world.max_turn=2", &["did you mean world.max_turns?"]),
            ("world.qqqqq.dog=2", &["world.qqqqq.dog", "the keys are", "world.weights"]),
            ("iterations", &["has no value", "--set key=value"]),
            ("iterations=many", &["a whole number", "such as 100"]),
            ("iterations=-3", &["iterations = -3"]),
            ("iterations=1.5", &["a whole number"]),
            ("gamma=high", &["gamma", "a number"]),
            ("normalize_advantage=1", &["true or false"]),
            ("level=word", &["level", "`utterance`", "`token`"]),
            ("world=subset", &["group of keys", "world.words"]),
            ("world.words=some", &["world.words", "some", "`subset`"]),
            ("world.words=[7]", &["world.words", "7", "a string"]),
            ("world.words=7", &["world.words", "7", "`subset`"]),
            ("world.people.wrong=often", &["world.people.wrong", "often", "f64"]),
            ("world.people.wrogn=0.1", &["did you mean world.people.wrong?"]),
            ("world.oracle=peple", &["world.oracle", "peple", "`people`"]),
            ("world.knowledge=absent.txt", &["world.knowledge", "absent.txt"]),
            ("gamma=2", &["gamma = 2", "at most 1"]),
        ] {
            let fault = set(&[pair]).unwrap_err();
            assert!(parts.iter().all(|part| fault.contains(part)), "{pair}: {fault}");
        }
    }

    #[test]
    fn the_rates_of_people_go_with_people() {
        let of_people = ["world.oracle=people".to_string(), "world.people.wrong=0.05".to_string()];
        let people = world(&Settings::new(), &of_people).unwrap();
        let table = world(&people, &["world.oracle=table".to_string()]).unwrap();
        assert!(people.contains_key("people") && !table.contains_key("people"), "{table:?}");
        let both = ["world.oracle=table".to_string(), "world.people.wrong=0.1".to_string()];
        let refused = worlds::make(&world(&people, &both).unwrap()).err().unwrap().to_string();
        assert!(refused.contains("the table answers"), "{refused}");
    }

    #[test]
    fn a_weight_may_be_a_whole_number_in_one_layer_and_a_fraction_in_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("mine.toml");
        std::fs::write(&file, "[world.weights]\ndog = 8\n").unwrap();
        let over = ["world.weights.dog=2.5".to_string(), "world.weights.cat=3".to_string()];
        let request = Request { config: Some(&file), set: &over, ..Request::default() };
        let world = resolve(&request).unwrap().config.world;
        let weights = archer_games::WorldConfig::of(&world).unwrap().weights;
        assert_eq!(
            weights.into_iter().collect::<Vec<_>>(),
            [("cat".into(), 3.0), ("dog".into(), 2.5)]
        );
        let twice = set(&["world.weights.dog=8", "world.weights.dog=0.5"]).unwrap();
        assert_eq!(twice.world["weights"]["dog"], 0.5);
    }

    #[test]
    fn later_layers_win() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("mine.toml");
        std::fs::write(&file, "seed = 5\niterations = 11\ngamma = 0.5\n").unwrap();
        let set = ["iterations=12".to_string()];
        let request = Request {
            config: Some(&file),
            set: &set,
            algorithm: Some("bc"),
            seed: Some(9),
            ..Request::default()
        };
        let experiment = resolve(&request).unwrap();
        assert_eq!(experiment.name, "mine");
        assert_eq!((experiment.config.seed, experiment.config.iterations), (9, 12));
        assert_eq!(experiment.config.gamma, 0.5);
        assert_eq!(experiment.config.algorithm, archer::config::Algorithm::Bc);
    }

    #[test]
    fn a_student_has_no_warm_start_whatever_is_set() {
        let over = ["distill.teacher=model".to_string(), "warm_start.steps=7".to_string()];
        let request = Request { algorithm: Some("distill"), set: &over, ..Request::default() };
        assert_eq!(resolve(&request).unwrap().config.warm_start.steps, 0);
    }

    #[test]
    fn the_preset_of_a_new_world_is_the_cores() {
        let config = preset(NEW_WORLD).unwrap();
        let own = Config { world: config.world.clone(), ..Config::new_world() };
        assert_eq!(config, own);
    }

    #[test]
    fn every_preset_is_whole_and_survives_its_own_text() {
        for (name, _) in PRESETS {
            let request = Request { preset: Some(name), ..Request::default() };
            let config = resolve(&request).unwrap().config;
            let mut again = Layers::over(&Config::default()).unwrap();
            again.add_text(&to_text(&config).unwrap(), "text").unwrap();
            assert_eq!(again.config, config);
        }
    }

    #[test]
    fn a_file_that_is_no_toml_is_told_by_its_line() {
        let mut layers = Layers::over(&Config::default()).unwrap();
        let fault = layers.add_text("seed = 1\nseed = = 2\n", "x.toml").unwrap_err().to_string();
        assert!(fault.contains("x.toml, line 2 is not valid TOML"), "{fault}");
    }
}
