//! No process is left behind: a world and its children are one process group, which is killed when the
//! world is dropped, and by a guard when this process dies without dropping anything.

use std::process::{Child, Command};

/// Makes a command the leader of a process group of its own: what the terminal sends to ours on
/// Ctrl-C does not reach it, so a world lives until the trainer has saved.
#[cfg(unix)]
pub(super) fn lead_group(command: &mut Command) {
    use std::os::unix::process::CommandExt;
    command.process_group(0);
}

/// Process groups are a Unix notion; elsewhere a world is killed alone.
#[cfg(not(unix))]
pub(super) fn lead_group(_: &mut Command) {}

/// Kills a group leader and the processes that it started. It must not have been waited for: until then
/// nobody else has its number.
pub(super) fn kill_group(leader: &mut Child) {
    #[cfg(unix)]
    {
        use rustix::process::{Pid, Signal, kill_process_group};
        if let Some(group) = i32::try_from(leader.id()).ok().and_then(Pid::from_raw) {
            // It fails where the group is gone already, which is what was wanted.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
    let _ = leader.kill();
}

/// A shell that kills a process group as soon as this process is gone, however it went. It waits for
/// the end of a pipe that only we hold open.
pub(super) struct Guard(Option<Child>);

impl Guard {
    /// Watches over a group leader. Where there is no shell, nothing is watched: a world that ends at
    /// the end of its input ends by itself.
    #[cfg(unix)]
    pub(super) fn over(leader: &Child) -> Guard {
        use std::process::Stdio;
        const SCRIPT: &str = "read -r _; kill -s KILL -- \"-$1\"";
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", SCRIPT, "archer-guard", &leader.id().to_string()]);
        shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        lead_group(&mut shell);
        Guard(shell.spawn().ok())
    }

    /// There is no guard here.
    #[cfg(not(unix))]
    pub(super) fn over(_: &Child) -> Guard {
        Guard(None)
    }

    /// Ends the guard. It is called before its charge is waited for: afterwards the number of the group
    /// could be somebody else's.
    pub(super) fn dismiss(&mut self) {
        if let Some(mut shell) = self.0.take() {
            let _ = shell.kill();
            let _ = shell.wait();
        }
    }
}
