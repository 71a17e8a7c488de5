//! The folder of a run.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::{Facts, model_file, size};
use crate::error::Error;
use crate::log::Line;
use crate::run_dir::{self, Kind};

/// What a folder is.
pub fn facts(folder: &Path) -> Result<Facts, Error> {
    let finished = run_dir::is_finished(folder);
    let mut facts = Facts::of(match finished {
        true => "the folder of a finished run",
        false => "the folder of an unfinished run",
    });
    let newest = run_dir::checkpoints(folder).into_iter().find(|path| path.is_file());
    let best = run_dir::checkpoint_path(folder, Kind::Best);
    let mut checkpoints = Map::new();
    for path in newest.iter().chain(best.is_file().then_some(&best)) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        checkpoints.insert(name, json!({ "bytes": size(path)? }));
    }
    let lines = run_dir::lines(folder).unwrap_or_default();
    facts.put("checkpoints", checkpoints);
    if let Some(path) = &newest {
        model_file::tell(&model_file::read(path)?, &mut facts);
    }
    facts.put("lines", lines.len());
    let evaluated = lines.iter().rev().find(|line| line.evaluation.is_some());
    facts.put("last_evaluation", evaluated.map_or(Value::Null, evaluation));
    facts.put("compared", compared(folder));
    let shown = folder.display();
    facts.put(
        "resumes",
        match (&newest, finished) {
            (None, _) => "no: there is no checkpoint to go on from".to_string(),
            (Some(_), true) => format!("by train --resume {shown} with more iterations"),
            (Some(_), false) => format!("by train --resume {shown}, as if it had never stopped"),
        },
    );
    Ok(facts)
}

fn evaluation(line: &Line) -> Value {
    let Some(evaluation) = &line.evaluation else { return Value::Null };
    json!({
        "iteration": line.step,
        "games": evaluation.games,
        "mean_return": evaluation.mean_return,
        "win_rate": evaluation.win_rate,
    })
}

/// Who played how well at the end.
fn compared(folder: &Path) -> Value {
    let rows = run_dir::comparison(folder).unwrap_or_default();
    let row = |row: &crate::report::Row| (row.who.clone(), json!(row.evaluation.mean_return));
    Value::Object(rows.iter().map(row).collect())
}
