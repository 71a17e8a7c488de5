//! What can go wrong, as the page tells it: a code to act on, a sentence, and what to do.

use serde::Serialize;

/// One fault.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Fault {
    /// A code of the package's `ErrorCode`.
    pub code: &'static str,
    /// What happened.
    pub message: String,
    /// What to do about it.
    pub hint: &'static str,
}

impl Fault {
    /// A call at the wrong time or with a wrong value.
    pub fn usage(message: impl Into<String>, hint: &'static str) -> Self {
        Self { code: "usage", message: message.into(), hint }
    }
}

impl From<archer::Error> for Fault {
    fn from(error: archer::Error) -> Self {
        use archer::Error as E;
        let (code, hint) = match &error {
            E::Config(_) => ("usage", "Change the setting that the message names."),
            E::World(_) => {
                ("world", "Mend the world as the message says; the model is what it was.")
            }
            E::Model(_) | E::Checkpoint(_) | E::Data(_) => {
                ("bad-model", "Choose another file: one that archer exported, whole and unchanged.")
            }
            E::Version(_) => (
                "version-mismatch",
                "Export the model again with the version of archer that this page comes with.",
            ),
            E::NotFinite(_) => (
                "diverged",
                "Roll back to the model as it was kept, and learn on with lower rates.",
            ),
            E::Device(_) => {
                ("device-lost", "Load the model again, on the CPU if it happens again.")
            }
            _ => ("internal", "This is a fault of archer's; please report it with its message."),
        };
        Self { code, message: error.to_string(), hint }
    }
}

impl From<archer_world::WorldError> for Fault {
    fn from(error: archer_world::WorldError) -> Self {
        Fault::from(archer::Error::from(error))
    }
}
