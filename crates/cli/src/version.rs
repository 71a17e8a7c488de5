//! Which archer this is: what it was built from, for what, and with which features.

use std::fmt::Write;
use std::sync::OnceLock;

use serde::Serialize;

/// The version of the package.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What a build says of itself. What is not known is `None`: a source archive knows no commit.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Build {
    /// The version of the package.
    pub version: &'static str,
    /// The revision of the sources.
    pub commit: Option<&'static str>,
    /// The day of that revision.
    pub date: Option<&'static str>,
    /// The cargo features that add a backend; `flex` is always there.
    pub features: Vec<&'static str>,
    /// The target triple.
    pub target: &'static str,
}

/// This build.
pub fn build() -> Build {
    let known = |text: &'static str| Some(text).filter(|text| !text.is_empty());
    let features = [
        ("flex", true),
        ("ndarray", cfg!(feature = "ndarray")),
        ("wgpu", cfg!(feature = "wgpu")),
        ("cuda", cfg!(feature = "cuda")),
        ("remote", cfg!(feature = "remote")),
    ];
    Build {
        version: VERSION,
        commit: known(env!("ARCHER_BUILD_COMMIT")),
        date: known(env!("ARCHER_BUILD_DATE")),
        features: features.iter().filter(|(_, built)| *built).map(|(name, _)| *name).collect(),
        target: env!("ARCHER_BUILD_TARGET"),
    }
}

/// What `--version` prints after the program's name; `-V` prints the version alone.
pub fn long() -> &'static str {
    static LONG: OnceLock<String> = OnceLock::new();
    LONG.get_or_init(|| {
        let build = build();
        let unknown = "unknown: built without git";
        let features = build.features.join(", ");
        let mut text = build.version.to_string();
        for (name, value) in [
            ("commit", build.commit.unwrap_or(unknown)),
            ("date", build.date.unwrap_or(unknown)),
            ("features", features.as_str()),
            ("target", build.target),
        ] {
            let _ = write!(text, "\n{name}: {value}");
        }
        text
    })
}
