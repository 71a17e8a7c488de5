//! The range of a key, asked of the check itself: values that no range allows are offered to it, and
//! its sentences say what the value must be.

use archer::config::Config;
use archer_world::Settings;
use serde_json::{Value, json};

/// Values at the ends of a type and beside the bounds that are usual; nothing where the type has no
/// range.
pub fn probes(kind: &Value) -> Option<Vec<Value>> {
    let is = |name: &str| match kind {
        Value::String(kind) => kind == name,
        Value::Array(kinds) => kinds.iter().any(|kind| kind == name),
        _ => false,
    };
    match (is("integer"), is("number")) {
        (true, _) => Some(vec![json!(0), json!(1), json!(2), json!(i64::MAX)]),
        (_, true) => Some([-1e300, -1.0, 0.0, 1.0, 2.0, 1e300].map(|x| json!(x)).to_vec()),
        _ => None,
    }
}

/// What a key must be, in the words of the check, each once.
pub fn wants(
    key: &str,
    probes: Vec<Value>,
    refuse: &dyn Fn(&str, &Value) -> Option<String>,
) -> Vec<String> {
    let mut said: Vec<String> = Vec::new();
    for want in probes.iter().filter_map(|probe| refuse(key, probe)) {
        if !said.contains(&want) {
            said.push(want);
        }
    }
    said
}

/// Why a configuration with this value at this key, and the defaults elsewhere, is refused for the
/// key's sake.
pub fn of_config(key: &str, value: &Value) -> Option<String> {
    let mut config =
        serde_json::to_value(Config::default()).expect("a configuration is plain data");
    *config.pointer_mut(&format!("/{}", key.replace('.', "/")))? = value.clone();
    let config: Config = serde_json::from_value(config).ok()?;
    let fault = config.validate().err()?.to_string();
    let said = fault.strip_prefix(key)?.strip_prefix(" = ")?;
    said.split_once("it must be ").map(|(_, want)| want.to_string())
}

/// The same of a world that archer ships.
pub fn of_world(world: &str, key: &str, value: &Value) -> Option<String> {
    // Each part of the key but the last is a group.
    let mut parts = key.rsplit('.');
    let name = parts.next()?;
    let mut settings = Settings::from_iter([(name.to_string(), value.clone())]);
    for group in parts {
        settings = Settings::from_iter([(group.to_string(), Value::Object(settings))]);
    }
    settings.insert("name".to_string(), Value::from(world));
    let fault = archer_games::worlds(&settings).err()?.to_string();
    let (_, said) =
        fault.split_once(&format!("{name} = ")).or(fault.split_once(&format!("{name} is ")))?;
    let parted = ["it must be ", "it is a number ", "it is a probability, ", ": "];
    parted.iter().find_map(|mark| said.split_once(mark)).map(|(_, want)| want.to_string())
}

/// The bounds of a number.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Bounds {
    /// The smallest value.
    pub least: Option<f64>,
    /// What every value is larger than.
    pub above: Option<f64>,
    /// The largest value.
    pub most: Option<f64>,
    /// What every value is smaller than.
    pub below: Option<f64>,
}

impl Bounds {
    /// The bounds that some words state; none where they say anything else beside them.
    pub fn of(want: &str) -> Bounds {
        let mut bounds = Bounds::default();
        let range = want.strip_prefix("between ").or_else(|| want.strip_prefix("from "));
        if let Some((low, high)) =
            range.and_then(|r| r.split_once(" and ").or(r.split_once(" to ")))
        {
            return match (low.parse(), high.parse()) {
                (Ok(low), Ok(high)) => Bounds { least: Some(low), most: Some(high), ..bounds },
                _ => bounds,
            };
        }
        for part in want.split(" and ") {
            let (words, bound) = match part.strip_suffix(" or more") {
                Some(bound) => ("at least", bound),
                None => part.rsplit_once(' ').unwrap_or((part, "")),
            };
            let place = match words {
                "at least" => &mut bounds.least,
                "above" | "more than" => &mut bounds.above,
                "at most" => &mut bounds.most,
                "below" | "less than" => &mut bounds.below,
                _ => return Bounds::default(),
            };
            match bound.parse() {
                Ok(bound) => *place = Some(bound),
                Err(_) => return Bounds::default(),
            }
        }
        bounds
    }
}

/// The bounds of several sentences together: the last that speaks of an end is believed, for a check
/// says each end once.
impl FromIterator<Bounds> for Bounds {
    fn from_iter<T: IntoIterator<Item = Bounds>>(all: T) -> Bounds {
        all.into_iter().fold(Bounds::default(), |one, other| Bounds {
            least: other.least.or(one.least),
            above: other.above.or(one.above),
            most: other.most.or(one.most),
            below: other.below.or(one.below),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_become_bounds_only_where_they_are_all_of_the_rule() {
        let of = |want: &str| {
            let Bounds { least, above, most, below } = Bounds::of(want);
            [least, above, most, below]
        };
        assert_eq!(of("at least 1 and at most 4096"), [Some(1.0), None, Some(4096.0), None]);
        assert_eq!(of("above 0 and at most 1"), [None, Some(0.0), Some(1.0), None]);
        assert_eq!(of("above 0 and below 1"), [None, Some(0.0), None, Some(1.0)]);
        assert_eq!(of("at least 0 and less than 1"), [Some(0.0), None, None, Some(1.0)]);
        assert_eq!(of("0 or more"), [Some(0.0), None, None, None]);
        assert_eq!(of("between 0 and 1"), [Some(0.0), None, Some(1.0), None]);
        assert_eq!(of("from 1 to 1000"), [Some(1.0), None, Some(1000.0), None]);
        assert_eq!(of("at least 16, or 0 for as many as the world needs"), [None; 4]);
        assert_eq!(of("a multiple of its 4 heads"), [None; 4]);
        assert_eq!(of("1 or more, or 0"), [None; 4]);
    }

    #[test]
    fn the_check_is_asked() {
        assert_eq!(of_config("tau", &json!(2.0)).as_deref(), Some("above 0 and at most 1"));
        assert_eq!(of_config("tau", &json!(0.5)), None);
        assert_eq!(of_config("seed", &json!(i64::MAX)), None);
        assert_eq!(of_world("maze", "max_turns", &json!(0)).as_deref(), Some("from 1 to 1000"));
        let noise = |key: &str, p: f64| of_world("twenty_questions", key, &json!(p));
        assert_eq!(noise("answer_noise", 2.0).as_deref(), Some("from 0 to 1"));
        assert_eq!(noise("demonstrator.guess_rate", -1.0).as_deref(), Some("between 0 and 1"));
        assert_eq!(noise("demonstrator.guess_rate", 1.0), None);
    }
}
