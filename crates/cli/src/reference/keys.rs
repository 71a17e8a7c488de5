//! The page of all keys of a configuration, drawn from its schema.

use serde_json::Value;

use super::schema::RANGE;

/// The page.
pub fn page(schema: &Value) -> String {
    let mut page = String::from(INTRODUCTION);
    let none = serde_json::Map::new();
    let keys = schema["properties"].as_object().unwrap_or(&none);
    let is_group = |about: &Value| about["properties"].is_object() || about["anyOf"].is_array();
    let (groups, single): (Vec<_>, Vec<_>) = keys.iter().partition(|(_, about)| is_group(about));
    page.push_str("\n## At the top\n\n");
    page.push_str(&table("", single));
    for (name, about) in groups {
        if about["anyOf"].is_array() {
            page.push_str(&worlds(name, about));
            continue;
        }
        page.push_str(&format!("\n## `[{name}]`\n\n{}\n\n", meaning(about)));
        page.push_str(&table(&format!("{name}."), own(about)));
    }
    page
}

const INTRODUCTION: &str = "# Configuration

Every key that `archer train --config FILE` reads and `--set KEY=VALUE` changes.
`archer reference configuration` prints this page: types, defaults and meanings are those of the code, and a range is what the check of a configuration says when it refuses a value.

A file is TOML and holds only what differs from the defaults; `crates/cli/presets/quickstart.toml` is an example.
Editors check a file that begins with `#:schema` and the path of [configuration.schema.json](configuration.schema.json), as the files in `configs` do; the schema has the same source.
A preset has other values than the defaults here; `archer train --preset NAME --dry-run` prints the whole configuration of a run.
";

/// One section for the worlds, with a table for each.
fn worlds(name: &str, about: &Value) -> String {
    let mut text = format!(
        "\n## `[{name}]`\n\n{} The key `name` says which world it is; each world has keys of its own.\n",
        meaning(about)
    );
    for world in about["anyOf"].as_array().into_iter().flatten() {
        let title = world["title"].as_str().unwrap_or_default();
        text.push_str(&format!("\n### {title}\n\n"));
        if world["required"].is_array() {
            text.push_str(&format!("{}\n\n", meaning(world)));
        }
        let keys = own(world).into_iter().filter(|(_, about)| about.get("const").is_none());
        let (groups, single): (Vec<_>, Vec<_>) =
            keys.partition(|(_, about)| about["properties"].is_object());
        text.push_str(&table(&format!("{name}."), single));
        for (group, about) in groups {
            text.push_str(&format!("\n`[{name}.{group}]`: {}\n\n", meaning(about)));
            text.push_str(&table(&format!("{name}.{group}."), own(about)));
        }
    }
    text
}

/// The keys of a group.
fn own(about: &Value) -> Vec<(&String, &Value)> {
    about["properties"].as_object().map(|keys| keys.iter().collect()).unwrap_or_default()
}

fn table<'a>(prefix: &str, keys: Vec<(&'a String, &'a Value)>) -> String {
    let mut text =
        String::from("| key | type | range | default | meaning |\n|---|---|---|---|---|\n");
    for (name, about) in keys {
        text.push_str(&format!(
            "| `{prefix}{name}` | {} | {} | {} | {} |\n",
            kind(about),
            cell(about[RANGE].as_str().unwrap_or_default()),
            default(about),
            cell(&meaning(about))
        ));
    }
    text
}

/// A text in a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// The type as a person says it.
fn kind(about: &Value) -> String {
    let words = variants(about);
    if !words.is_empty() {
        let words = words.iter().map(|(word, _)| format!("`{word}`"));
        return words.collect::<Vec<_>>().join(", ");
    }
    let name = match &about["type"] {
        Value::String(name) => name.as_str(),
        Value::Array(names) => names[0].as_str().unwrap_or_default(),
        _ => "",
    };
    match name {
        "integer" => "whole number",
        "number" => "number",
        "boolean" => "true or false",
        "string" => "text",
        "array" => "list",
        "object" => "table",
        _ => "text, list or table",
    }
    .to_string()
}

/// The words that a key of a few words takes, each with its meaning.
fn variants(about: &Value) -> Vec<(&str, Option<&str>)> {
    let listed = about["enum"].as_array().into_iter().flatten();
    let listed = listed.filter_map(|word| Some((word.as_str()?, None)));
    let described = about["oneOf"].as_array().into_iter().flatten().flat_map(|one| {
        let words = one["enum"].as_array().into_iter().flatten().chain(one.get("const"));
        words.filter_map(move |word| Some((word.as_str()?, one["description"].as_str())))
    });
    listed.chain(described).collect()
}

fn default(about: &Value) -> String {
    match about.get("default") {
        None | Some(Value::Null) => "left out".to_string(),
        Some(value) => format!("`{value}`"),
    }
}

/// The comment of a key as one line of prose, with what each of its words means.
fn meaning(about: &Value) -> String {
    let mut text = prose(about["description"].as_str().unwrap_or_default());
    for (word, meaning) in variants(about) {
        if let Some(meaning) = meaning {
            text.push_str(&format!(" `{word}`: {}", prose(meaning)));
        }
    }
    text
}

/// A comment without its line ends, and without pointers into the code.
fn prose(comment: &str) -> String {
    let text = comment.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut parts = text.split(" ([`");
    let mut plain = parts.next().unwrap_or_default().to_string();
    for part in parts {
        plain.push_str(part.split_once("`])").map_or(part, |(_, rest)| rest));
    }
    plain
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_row_says_type_range_default_and_meaning() {
        let about = json!({"type": "integer", "default": 3, RANGE: "at least 1",
            "description": "Blocks,\nor none ([`crate::x`]); a | b."});
        let name = "layers".to_string();
        let text = table("model.", vec![(&name, &about)]);
        let row =
            "| `model.layers` | whole number | at least 1 | `3` | Blocks, or none; a \\| b. |";
        assert_eq!(text.lines().last(), Some(row));
        let about = json!({"default": "td", "description": "What.", "oneOf": [
            {"const": "td", "description": "One."}, {"const": "mc", "description": "Two."}]});
        assert_eq!(kind(&about), "`td`, `mc`");
        assert_eq!(meaning(&about), "What. `td`: One. `mc`: Two.");
    }
}
