//! `archer reference`: documents that are made of the code, so that they say what the code does. A test
//! holds the files in `docs` to them.

mod keys;
mod metrics;
mod ranges;
mod schema;

use crate::args::{self, Document};
use crate::error::Error;
use crate::output;

/// Prints the document that is asked for.
pub fn run(args: &args::Reference) -> Result<(), Error> {
    let text = match args.what {
        Document::Configuration => keys::page(&schema::whole()),
        Document::Schema => {
            let text = serde_json::to_string_pretty(&schema::whole());
            text.map_err(|e| Error::Failure(format!("the schema cannot be written: {e}")))? + "\n"
        }
        Document::Metrics => metrics::page(),
    };
    output::bytes(text.as_bytes())
}
