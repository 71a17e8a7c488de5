//! The page of all numbers in `metrics.jsonl`: names and meanings come from the core's table, and here
//! stands only who reports them.

use archer::rl::metrics::{MetricInfo, table};

/// The page.
pub fn page() -> String {
    let mut page = String::from(INTRODUCTION);
    page.push_str("\n| field | unit | meaning |\n|---|---|---|\n");
    for (name, unit, meaning) in FIELDS {
        page.push_str(&format!("| `{name}` | {unit} | {meaning} |\n"));
    }
    page.push_str(METRICS);
    page.push_str(
        "\n| metric | unit | told by | meaning | a healthy run |\n|---|---|---|---|---|\n",
    );
    for info in table() {
        page.push_str(&row(info));
    }
    page.push_str(ELSEWHERE);
    page
}

fn row(info: &MetricInfo) -> String {
    let unit = if info.unit.is_empty() { "number" } else { info.unit };
    let MetricInfo { name, meaning, healthy, .. } = info;
    format!("| `{name}` | {unit} | {} | {meaning} | {healthy} |\n", told_by(name))
}

/// Who reports a metric: the longest beginning of its name that the table has.
fn told_by(name: &str) -> &'static str {
    let fits = TOLD_BY.iter().filter(|(beginning, _)| name.starts_with(beginning));
    let longest = fits.max_by_key(|(beginning, _)| beginning.len());
    longest.map_or("", |(_, who)| who)
}

/// Beginnings of names and who reports them.
const TOLD_BY: [(&str, &str); 23] = [
    ("bc.", "the warm start"),
    ("rollout.", "archer, chai, distill, filtered_bc, ppo, reinforce"),
    ("q1.", CRITICS),
    ("q2.", CRITICS),
    ("v1.", CRITICS),
    ("v2.", CRITICS),
    ("target_", CRITICS),
    ("critic.", CRITICS),
    ("advantages.", "archer, iql, ppo, reinforce"),
    ("residual_advantages.", "archer, reinforce"),
    ("pg.", ON_POLICY),
    ("baseline.", "ppo; archer and reinforce with `level = \"token\"`"),
    ("imitation.", "filtered_bc, iql"),
    ("weights.", "filtered_bc, iql"),
    ("filter.", "filtered_bc"),
    ("ppo.", "ppo"),
    ("lessons.", "all with `lessons.steps`"),
    ("distill.", "distill"),
    ("actor.", "archer, distill, filtered_bc, iql, ppo, reinforce"),
    ("actor.entropy", "archer"),
    ("actor.kl", ON_POLICY),
    ("actor.log_prob_gap", ON_POLICY),
    ("replay.", "archer, chai, distill, filtered_bc, iql"),
];

const CRITICS: &str = "archer, chai, distill, iql";
const ON_POLICY: &str = "archer, ppo, reinforce";

const INTRODUCTION: &str = "# metrics.jsonl

A run's folder holds `metrics.jsonl`: one JSON object a line, one line for each slice of work.
`archer reference metrics` prints this page from the table that the program itself reports by.

A slice is some gradient steps of the warm start, or one iteration of learning.
Everything outside `timing` depends on the configuration and the seed alone, so that two runs of one experiment agree byte for byte there.
A number that is not finite would be written as `null`.

## The fields of a line
";

/// The fields that are no metrics.
const FIELDS: [(&str, &str, &str); 21] = [
    ("phase", "", "`warm_start` or `learn`"),
    ("step", "steps", "the gradient step of the warm start, or the iteration, that has been done"),
    ("games", "games", "games played in this slice to learn from, evaluations not counted"),
    (
        "games_total",
        "games",
        "games played to learn from since the run began; offline the games that were given",
    ),
    ("tokens", "tokens", "tokens sampled in this slice"),
    ("evaluation", "", "a greedy evaluation, in the slices that have one, with the fields below"),
    ("evaluation.environment", "", "name of the world"),
    ("evaluation.rules", "", "its rules; left out where it has no choice of them"),
    ("evaluation.games", "games", "games played"),
    ("evaluation.mean_return", "reward", "mean undiscounted return"),
    (
        "evaluation.return_ci95",
        "reward",
        "95 % interval of the mean return; `null` for a single game",
    ),
    ("evaluation.win_rate", "share", "games won"),
    (
        "evaluation.mean_turns",
        "turns",
        "mean turns of a game; `evaluation.mean_questions` where a turn is a question",
    ),
    ("evaluation.invalid_rate", "share", "utterances that the world could not read"),
    ("evaluation.repeat_rate", "share", "utterances said before in the same game"),
    (
        "evaluation.optimum_return",
        "reward",
        "the best mean return there is, where it is known, else `null`",
    ),
    (
        "timing",
        "",
        "what the clock said, with the fields below; the only part that differs from run to run",
    ),
    ("timing.at", "seconds", "when the slice ended, since 1970"),
    ("timing.seconds", "seconds", "how long it took"),
    ("timing.games_per_second", "games/s", "games played in a second of the slice"),
    ("timing.tokens_per_second", "tokens/s", "tokens sampled in a second of the slice"),
];

const METRICS: &str = "
## The metrics

They stand in the same object, under their names.
A line holds those that its slice measured: which they are depends on the algorithm and its settings.
";

const ELSEWHERE: &str = r#"
## In other programs

`tensorboard --logdir runs` reads the event files in `tensorboard/`, which hold the same numbers.

In pandas a run is one line:

```python
import pandas; log = pandas.read_json("runs/quickstart-1-1/metrics.jsonl", lines=True)
```

archer does not write into the stores of MLflow or Trackio.
Both keep their runs in databases whose layout belongs to a version of theirs, and both read numbers through their Python interface, so a few lines bring a finished or a growing run there:

```python
import json, mlflow
with mlflow.start_run(run_name="quickstart-1-1"):
    for line in map(json.loads, open("runs/quickstart-1-1/metrics.jsonl")):
        numbers = {name: value for name, value in line.items() if isinstance(value, (int, float))}
        mlflow.log_metrics({f"{line['phase']}/{name}": value for name, value in numbers.items()}, step=line["step"])
```

For Trackio the last line is `trackio.log(…)` between `trackio.init(project=…)` and `trackio.finish()`.
"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_has_somebody_who_reports_it() {
        for info in table() {
            assert!(!told_by(info.name).is_empty(), "{}", info.name);
        }
        for (beginning, _) in TOLD_BY {
            assert!(table().iter().any(|info| info.name.starts_with(beginning)), "{beginning}");
        }
        assert_eq!(told_by("q1.mean"), CRITICS);
    }
}
