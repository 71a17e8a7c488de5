//! The description of all routes by OpenAPI 3.1, made of the table of routes and of the types that are
//! read and written.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::requests::{
    Batch, Exchange, Fault, Game, Health, Hear, Inspect, Inspection, Model, Of, Said, Say, Start,
    Turns,
};
use super::routes::{Does, ROUTES, Route};

/// The faults that any route may answer by.
const FAULTS: [(&str, &str); 7] = [
    ("400", "The request cannot be read or carried out"),
    ("403", "The request comes from where it may not"),
    ("408", "The request came too slowly"),
    ("413", "The body is too long"),
    ("431", "The head is too long"),
    ("500", "The device failed"),
    ("503", "The server is full, or ending"),
];

/// The whole description.
pub fn document() -> Value {
    let mut types = types();
    let mut paths: Map<String, Value> = Map::new();
    for route in &ROUTES {
        let item = paths.entry(route.path).or_insert_with(|| match route.path.contains("{id}") {
            true => json!({"parameters": [{
                "name": "id", "in": "path", "required": true,
                "description": "The number of the game.",
                "schema": {"type": "integer", "minimum": 0},
            }]}),
            false => json!({}),
        });
        item[route.method.to_ascii_lowercase()] = operation(route, &mut types);
    }
    let fault = types.subschema_for::<Fault>().to_value();
    let _ = types.subschema_for::<Exchange>();
    let mut schemas = types.take_definitions(true);
    schemas.insert(
        "Error".into(),
        json!({
            "type": "object", "required": ["error"], "additionalProperties": false,
            "properties": {"error": fault},
        }),
    );
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "archer serve",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "An agent that plays by text: games by number, several in one batch. The same calls go over the WebSocket at /socket.",
            "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {"schemas": schemas},
    })
}

/// A maker of schemas that refer to the components of the description.
fn types() -> SchemaGenerator {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    settings.into_generator()
}

fn operation(route: &Route, types: &mut SchemaGenerator) -> Value {
    let mut operation = json!({
        "summary": route.summary,
        "operationId": name(route),
        "responses": {},
    });
    let (status, reply) = match route.does {
        Does::Health => ("200", schema::<Health>(types)),
        Does::Model => ("200", schema::<Model>(types)),
        Does::OpenApi => ("200", json!({"type": "object"})),
        Does::Batch => ("200", answers(types)),
        Does::Socket => ("101", Value::Null),
        Does::Call("start") => ("201", schema::<Game>(types)),
        Does::Call("say") => ("200", schema::<Said>(types)),
        Does::Call("hear" | "close") => ("200", schema::<Turns>(types)),
        Does::Call("inspect") => ("200", schema::<Inspection>(types)),
        Does::Call(_) => ("200", schema::<Game>(types)),
    };
    let responses = &mut operation["responses"];
    responses[status] = match reply {
        Value::Null => json!({"description": "The connection is a WebSocket from here on"}),
        schema => content("The answer", schema),
    };
    let error = || json!({"$ref": "#/components/schemas/Error"});
    for (status, what) in FAULTS {
        responses[status] = content(what, error());
    }
    if route.path.contains("{id}") {
        responses["404"] = content("There is no such game", error());
    }
    match route.does {
        Does::Call("say" | "hear") => {
            responses["409"] = content("The call comes at the wrong time", error());
        }
        Does::Call("inspect") => {
            responses["422"] = content("The model has no critic", error());
        }
        Does::Socket => {
            responses["426"] = content("The request is for no WebSocket", error());
        }
        _ => {}
    }
    if route.method == "POST" {
        let required = matches!(route.does, Does::Batch | Does::Call("start" | "hear"));
        let schema = match route.does {
            Does::Batch => batch(types),
            Does::Call(method) => without_game(parameters(method, types)),
            _ => json!({"type": "object"}),
        };
        operation["requestBody"] =
            json!({"required": required, "content": {"application/json": {"schema": schema}}});
    }
    operation
}

/// A name that no other route has.
fn name(route: &Route) -> String {
    match (route.does, route.method) {
        (Does::Call("inspect"), "GET") => "inspect_with_defaults".to_string(),
        (Does::Call(method), _) => method.to_string(),
        (does, _) => format!("{does:?}").to_ascii_lowercase(),
    }
}

fn content(what: &str, schema: Value) -> Value {
    json!({"description": what, "content": {"application/json": {"schema": schema}}})
}

fn schema<T: JsonSchema>(types: &mut SchemaGenerator) -> Value {
    types.subschema_for::<T>().to_value()
}

/// The schema of a call's parameters, written out.
fn parameters(method: &str, types: &mut SchemaGenerator) -> Value {
    let schema = match method {
        "start" => Start::json_schema(types),
        "say" => Say::json_schema(types),
        "hear" => Hear::json_schema(types),
        "inspect" => Inspect::json_schema(types),
        _ => Of::json_schema(types),
    };
    schema.to_value()
}

/// The schema of a call whose path already names its game.
fn without_game(mut schema: Value) -> Value {
    if let Some(properties) = schema["properties"].as_object_mut() {
        properties.remove("game");
    }
    if let Some(required) = schema["required"].as_array_mut() {
        required.retain(|name| name != "game");
    }
    schema
}

/// Several calls, each with its method.
fn batch(types: &mut SchemaGenerator) -> Value {
    let calls = ["start", "say", "hear", "inspect", "game", "close"].map(|method| {
        let mut schema = parameters(method, types);
        schema["title"] = method.into();
        schema["properties"]["method"] = json!({"const": method});
        match schema["required"].as_array_mut() {
            Some(required) => required.push("method".into()),
            None => schema["required"] = json!(["method"]),
        }
        schema
    });
    let mut schema = Batch::json_schema(types).to_value();
    schema["properties"]["requests"]["maxItems"] = super::requests::MOST_CALLS.into();
    schema["properties"]["requests"]["items"] = json!({"oneOf": calls});
    schema
}

/// One answer for each call of a batch.
fn answers(types: &mut SchemaGenerator) -> Value {
    let replies = [
        schema::<Game>(types),
        schema::<Said>(types),
        schema::<Turns>(types),
        schema::<Inspection>(types),
    ];
    let result = json!({
        "type": "object", "required": ["result"], "additionalProperties": false,
        "properties": {"result": {"oneOf": replies}},
    });
    let outcome = json!({"oneOf": [result, {"$ref": "#/components/schemas/Error"}]});
    json!({
        "type": "object", "required": ["answers"], "additionalProperties": false,
        "properties": {"answers": {"type": "array", "items": outcome}},
    })
}
