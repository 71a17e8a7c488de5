//! What the tests of the terminal share: running the binary the way a person does.
#![allow(dead_code)] // each test binary uses its part

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// What a run of the binary came to.
pub struct Done {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl From<Output> for Done {
    fn from(output: Output) -> Done {
        Done {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Done {
    /// Standard output as JSON values, one a line.
    pub fn json_lines(&self) -> Vec<serde_json::Value> {
        let parse = |line: &str| {
            serde_json::from_str(line).unwrap_or_else(|e| panic!("{line} is not JSON: {e}"))
        };
        self.stdout.lines().map(parse).collect()
    }

    /// Itself, if the command succeeded.
    pub fn success(self) -> Done {
        assert_eq!(self.code, 0, "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        self
    }
}

/// The binary, to be started in `folder`.
pub fn archer(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_archer"));
    command.current_dir(folder).args(args).stdin(Stdio::null());
    // `cargo test` sets it, and the binary would speak of cargo to a person who does not use it.
    command.env_remove("CARGO");
    command
}

/// Runs the binary in `folder` to its end.
pub fn run(folder: &Path, args: &[&str]) -> Done {
    archer(folder, args).output().expect("the binary starts").into()
}

/// The same, with `input` on standard input.
pub fn run_with_input(folder: &Path, args: &[&str], input: &[u8]) -> Done {
    let mut command = archer(folder, args);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary starts");
    let mut stdin = child.stdin.take().expect("it has a standard input");
    let input = input.to_vec();
    let writer = std::thread::spawn(move || {
        // The binary may rightly end before it has read everything.
        let _ = stdin.write_all(&input);
    });
    let output = child.wait_with_output().expect("the binary ends");
    writer.join().expect("the writer ends");
    output.into()
}

/// The root of the repository.
pub fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.canonicalize().expect("the tests stand in the repository")
}

/// A folder that is removed at the end of the test.
pub fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder can be made")
}

/// The keys of what `archer eval --json` prints.
pub const EVALUATION_KEYS: [&str; 10] = [
    "environment",
    "rules",
    "games",
    "mean_return",
    "return_ci95",
    "win_rate",
    "mean_questions",
    "invalid_rate",
    "repeat_rate",
    "optimum_return",
];
