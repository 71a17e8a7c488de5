//! Which fields of an action and of an observation hold text.

use serde_json::{Map, Value};

/// Fields that hold something else in every environment, or the reply beside the text.
const ASIDE: [&str; 6] = ["metadata", "done", "reward", "reply", "answer", "info"];

/// The fields of a schema that hold text.
pub(super) fn text_fields(schema: &Value) -> Vec<String> {
    let properties = schema.get("properties").and_then(Value::as_object);
    let fields = properties.into_iter().flatten();
    fields
        .filter(|(name, field)| !ASIDE.contains(&name.as_str()) && is_text(field))
        .map(|(name, _)| name.clone())
        .collect()
}

/// Whether a field holds a text, or a text or null.
fn is_text(field: &Value) -> bool {
    let text = |field: &Value| match field.get("type") {
        Some(Value::String(kind)) => kind == "string",
        Some(Value::Array(kinds)) => kinds.iter().any(|kind| kind == "string"),
        _ => false,
    };
    let several = field.get("anyOf").and_then(Value::as_array);
    text(field) || several.is_some_and(|kinds| kinds.iter().any(text))
}

/// The fields of an observation that hold text.
pub(super) fn texts_in(observation: &Map<String, Value>) -> Vec<String> {
    let fields = observation.iter();
    fields
        .filter(|(name, value)| !ASIDE.contains(&name.as_str()) && value.is_string())
        .map(|(name, _)| name.clone())
        .collect()
}

/// Names in a sentence.
pub(super) fn listed(names: &[String]) -> String {
    match names {
        [] => "none".to_string(),
        names => names.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_fields_are_found_in_schemas_as_pydantic_writes_them() {
        let schema: Value = serde_json::from_str(
            r#"{"properties":{
                "metadata":{"type":"object"},"message":{"type":"string"},"count":{"type":"integer"},
                "note":{"anyOf":[{"type":"string"},{"type":"null"}]},"reply":{"type":"string"}}}"#,
        )
        .unwrap();
        assert_eq!(text_fields(&schema), ["message", "note"]);
        assert!(text_fields(&Value::Null).is_empty());
    }
}
