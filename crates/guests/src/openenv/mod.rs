//! A world behind an OpenEnv server. One connection is one session, which plays one game at a time: k
//! games side by side are k connections.

mod address;
mod batch;
mod fields;
mod pool;
mod session;

use std::sync::Arc;

use archer_world::{About, Batch, Wait, WorldError, Worlds};
use serde_json::{Map, Value};

use self::address::Address;
use self::batch::Connected;
use self::fields::{listed, text_fields, texts_in};
use self::pool::Pool;
use self::session::{Reach, Session};
use crate::fault::json;
use crate::settings::GuestSettings;

/// Connections where the settings do not say how many.
const SESSIONS: usize = 16;

/// Opens the world of an address.
pub(crate) fn open(settings: &GuestSettings) -> Result<Arc<dyn Worlds>, WorldError> {
    let url = settings.url.as_deref().unwrap_or_default();
    let address = Address::read(url)?;
    let mut reach =
        Reach { who: format!("the world at {url}"), address, timeout: settings.timeout() };
    let name = named(&reach).unwrap_or_else(|| "openenv".to_string());
    let about = settings.about(&name)?;
    reach.who = format!("the world {} at {url}", about.name);
    let reach = Arc::new(reach);
    // A server that serves one client at a time is asked for documents before it is held.
    let schema = match (&settings.action_field, &settings.observation_field) {
        (Some(_), Some(_)) => Ok(Value::Null),
        _ => document(&reach, "schema"),
    };
    let pool = Pool::open(&reach, settings.sessions.unwrap_or(SESSIONS))?;
    let fields = pool.with_one(|session| Fields::find(&reach, settings, &schema, session))?;
    Ok(Arc::new(Server { about, fields: Arc::new(fields), pool: Arc::new(pool) }))
}

/// A document of the server.
fn document(reach: &Reach, name: &str) -> Result<Value, String> {
    let stream = reach.address.connect(reach.timeout).map_err(|error| error.to_string())?;
    let path = reach.address.beside(name);
    let body = archer_http::get(stream, &reach.address.place(), &path)
        .map_err(|error| error.to_string())?;
    json(&body).map_err(|what| format!("it sends a document {what}"))
}

/// The name of the environment, where the server says it.
fn named(reach: &Reach) -> Option<String> {
    let metadata = document(reach, "metadata").ok()?;
    let name = metadata.get("name")?.as_str()?.trim().to_string();
    (!name.is_empty() && name.len() < 100 && !name.contains(char::is_control)).then_some(name)
}

/// The fields of actions and observations that hold text.
struct Fields {
    action: String,
    observation: String,
}

impl Fields {
    fn find(
        reach: &Reach,
        settings: &GuestSettings,
        schema: &Result<Value, String>,
        session: &mut Session,
    ) -> Result<Fields, WorldError> {
        Ok(Fields {
            action: match &settings.action_field {
                Some(field) => field.clone(),
                None => only_action(reach, schema)?,
            },
            observation: match &settings.observation_field {
                Some(field) => field.clone(),
                None => only_observation(schema.as_ref().ok(), session)?,
            },
        })
    }
}

/// The one text field of an action.
fn only_action(reach: &Reach, schema: &Result<Value, String>) -> Result<String, WorldError> {
    let remedy = "set action_field to the field that holds the text";
    let schema = schema.as_ref().map_err(|why| {
        reach.lost(
            &format!("does not say what an action is, for GET /schema failed ({why})"),
            remedy,
        )
    })?;
    let names = schema.get("action").map(text_fields).unwrap_or_default();
    match names.as_slice() {
        [name] => Ok(name.clone()),
        names => {
            let what = format!("has several or no text fields in an action: {}", listed(names));
            Err(reach.lost(&what, remedy))
        }
    }
}

/// The one text field of an observation: by the schema, or by what a first game shows.
fn only_observation(schema: Option<&Value>, session: &mut Session) -> Result<String, WorldError> {
    let schema = schema.and_then(|schema| schema.get("observation"));
    if let [name] = schema.map(text_fields).unwrap_or_default().as_slice() {
        return Ok(name.clone());
    }
    session.send_reset(0, "first")?;
    let data = session.observation("reset")?;
    let names =
        data.get("observation").and_then(Value::as_object).map(texts_in).unwrap_or_default();
    match names.as_slice() {
        [name] => Ok(name.clone()),
        names => {
            let what =
                format!("has several or no text fields in an observation: {}", listed(names));
            Err(session.fault(&what, "set observation_field to the field that holds the text"))
        }
    }
}

/// Additional information about a step, wherever a server puts it.
fn asides(data: &Map<String, Value>) -> impl Iterator<Item = &Map<String, Value>> {
    let inner = data.get("observation").and_then(Value::as_object);
    [Some(data), inner]
        .into_iter()
        .flatten()
        .flat_map(|place| ["metadata", "info"].map(|key| place.get(key).and_then(Value::as_object)))
        .flatten()
}

/// A world of sessions.
struct Server {
    about: About,
    fields: Arc<Fields>,
    pool: Arc<Pool>,
}

impl Worlds for Server {
    fn about(&self) -> &About {
        &self.about
    }

    fn open(&self, games: usize) -> Wait<'_, Box<dyn Batch>> {
        Box::pin(async move {
            let sessions = self.pool.lend(games)?;
            let (turns, tasks) = (self.about.max_turns, self.about.tasks);
            let (pool, fields) = (self.pool.clone(), self.fields.clone());
            Ok(Box::new(Connected::new(pool, fields, sessions, turns, tasks)) as Box<dyn Batch>)
        })
    }

    fn capacity(&self) -> Option<usize> {
        Some(self.pool.most())
    }
}

/// The fields of a schema, and of an observation, that hold text.
pub(crate) fn fields_of(value: &Value) -> Vec<String> {
    let shown = value.as_object().map(fields::texts_in).unwrap_or_default();
    [fields::text_fields(value), shown].concat()
}
