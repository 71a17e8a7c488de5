//! What there is to be asked for, by method and path: the table by which requests are read, and by which
//! they are described.

use super::requests::{Fault, Request};
use serde_json::{Map, Value};

/// A method, a path and what they are for.
#[derive(Debug)]
pub struct Route {
    /// The method.
    pub method: &'static str,
    /// The path; `{id}` stands for the number of a game.
    pub path: &'static str,
    /// What is done.
    pub does: Does,
    /// In a sentence.
    pub summary: &'static str,
}

/// What a route does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Does {
    /// Hands out how the server is.
    Health,
    /// Hands out what the model is.
    Model,
    /// Hands out this description.
    OpenApi,
    /// Carries out the call of this method.
    Call(&'static str),
    /// Carries out several.
    Batch,
    /// Becomes a socket that carries the same calls.
    Socket,
}

const fn route(
    method: &'static str,
    path: &'static str,
    does: Does,
    summary: &'static str,
) -> Route {
    Route { method, path, does, summary }
}

/// All of them.
pub const ROUTES: [Route; 12] = [
    route("POST", "/games", Does::Call("start"), "Begin a game"),
    route("GET", "/games/{id}", Does::Call("game"), "Read a game"),
    route("DELETE", "/games/{id}", Does::Call("close"), "End a game and forget it"),
    route("POST", "/games/{id}/say", Does::Call("say"), "Let the agent speak"),
    route("POST", "/games/{id}/hear", Does::Call("hear"), "Tell the reply to what was said"),
    route("POST", "/games/{id}/inspect", Does::Call("inspect"), "Ask what the critic thinks"),
    route("GET", "/games/{id}/inspect", Does::Call("inspect"), "The same with the defaults"),
    route(
        "POST",
        "/batch",
        Does::Batch,
        "Several calls at once; utterances of different games are said in one batch",
    ),
    route("GET", "/model", Does::Model, "Read what the model is"),
    route("GET", "/health", Does::Health, "Read how the server is"),
    route("GET", "/openapi.json", Does::OpenApi, "Read this description"),
    route(
        "GET",
        "/socket",
        Does::Socket,
        "A WebSocket. Each message is one JSON object with a method and its parameters, as in a batch, and an id of the client's choice; the answer has the id and a result or an error",
    ),
];

/// Why there is no route, and the methods that the path has.
type Refusal = (Fault, Vec<&'static str>);

/// Finds the route of a request, with the number of the game in its path.
///
/// # Errors
/// With the status 404 if there is no such path, and 405 if it has other methods alone; then with them.
pub fn find(method: &str, path: &str) -> Result<(&'static Route, Option<u64>), Refusal> {
    let mut methods = Vec::new();
    for route in &ROUTES {
        let Some(game) = matches(route.path, path) else { continue };
        if route.method == method {
            return Ok((route, game));
        }
        methods.push(route.method);
    }
    let fault = match methods.is_empty() {
        true => Fault::new(
            404,
            "unknown_path",
            "there is nothing at this path: GET /openapi.json describes what there is",
        ),
        false => Fault::new(
            405,
            "wrong_method",
            format!("this path takes {} alone", methods.join(" or ")),
        ),
    };
    Err((fault, methods))
}

/// Whether a path is that of a route, with the number of a game where it has one.
fn matches(route: &str, path: &str) -> Option<Option<u64>> {
    let (mut route, mut path) = (route.split('/'), path.split('/'));
    let mut game = None;
    loop {
        match (route.next(), path.next()) {
            (None, None) => return Some(game),
            (Some("{id}"), Some(id)) if id.bytes().all(|byte| byte.is_ascii_digit()) => {
                game = Some(id.parse().ok()?);
            }
            (Some(part), Some(same)) if part == same => {}
            _ => return None,
        }
    }
}

/// The request that a route makes of a body; an empty one is an object without fields.
///
/// # Errors
/// If it cannot be carried out.
pub fn request(does: Does, game: Option<u64>, body: &[u8]) -> Result<Request, Fault> {
    let value = match body.trim_ascii().is_empty() {
        true => Value::Object(Map::new()),
        false => archer_input::json_line(body)
            .map_err(|fault| Fault::new(400, "bad_json", format!("the body {fault}")))?,
    };
    let Value::Object(mut object) = value else {
        return Err(Fault::usage("the body is no JSON object: send one such as {}"));
    };
    let method = match does {
        Does::Call(method) => method,
        _ => "batch",
    };
    let given = [("method", Some(Value::from(method))), ("game", game.map(Value::from))];
    for (name, value) in given {
        let Some(value) = value else { continue };
        if object.insert(name.to_string(), value).is_some() {
            return Err(Fault::usage(format!(
                "the body has a field {name}, which the path says already: leave it out"
            )));
        }
    }
    Request::read(object)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_a_route_and_a_game() {
        let (route, game) = find("POST", "/games/17/say").unwrap();
        assert_eq!((route.does, game), (Does::Call("say"), Some(17)));
        let (fault, methods) = find("PUT", "/games/17").unwrap_err();
        assert_eq!((fault.status, methods), (405, vec!["GET", "DELETE"]));
        for path in ["/", "/games/", "/games/x", "/games/1/", "/games/99999999999999999999", ""] {
            assert_eq!(find("GET", path).unwrap_err().0.status, 404, "{path}");
        }
    }
}
