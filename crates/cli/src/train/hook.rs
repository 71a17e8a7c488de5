//! `--on-checkpoint`: a command of the person's own after each checkpoint.

use std::path::{Path, absolute};
use std::process::{Command, Stdio};

use crate::progress::Speaker;

/// Where the run lies, as the command reads it.
pub const RUN: &str = "ARCHER_RUN";
/// Which file was written.
pub const CHECKPOINT: &str = "ARCHER_CHECKPOINT";

/// A command that a shell runs after each checkpoint. It comes from the command line alone: no file of
/// a model or a run can bring one.
pub struct Hook {
    command: String,
    speaker: Speaker,
    /// Whether it failed before; that is told once.
    failed: bool,
}

impl Hook {
    /// The hook of this command; `speaker` tells of its failure.
    pub fn new(command: &str, speaker: Speaker) -> Hook {
        Hook { command: command.to_string(), speaker, failed: false }
    }

    /// Runs the command and waits for its end. What it prints goes to standard error, since standard
    /// output holds results alone.
    pub fn call(&mut self, run: &Path, checkpoint: &Path) {
        let full = |path: &Path| absolute(path).unwrap_or_else(|_| path.to_path_buf());
        let (shell, flag) = if cfg!(windows) { ("cmd", "/C") } else { ("sh", "-c") };
        let mut command = Command::new(shell);
        command.args([flag, &self.command]);
        command.env(RUN, full(run)).env(CHECKPOINT, full(checkpoint));
        archer_guests::without_launcher(&mut command);
        command.stdin(Stdio::null()).stdout(Stdio::from(std::io::stderr()));
        let fault = match command.status() {
            Ok(status) if status.success() => return,
            Ok(status) => format!("ended with {status}"),
            Err(error) => format!("could not be started ({error})"),
        };
        if !self.failed {
            self.failed = true;
            self.speaker.say(&format!(
                "warning: the command of --on-checkpoint {fault}; training goes on, and later failures are not told"
            ));
        }
    }
}
