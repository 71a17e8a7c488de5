//! `archer completions` and `archer man`: what a shell and a manual say of the commands, made from the
//! same table that reads the command line.

use std::io;

use clap::CommandFactory;

use crate::args::{self, Cli};
use crate::error::{Error, cannot_write};
use crate::files;
use crate::output;

/// The program's name in scripts and pages.
const NAME: &str = "archer";

/// Prints the completion script of a shell.
pub fn completions(args: &args::Completions) -> Result<(), Error> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), NAME, &mut script);
    output::bytes(&script)
}

/// Writes one page for the program and one for each command.
pub fn man(args: &args::Man) -> Result<(), Error> {
    let pages = pages().map_err(|e| Error::Failure(format!("a page cannot be made: {e}")))?;
    let taken = pages.iter().map(|(name, _)| args.dir.join(name)).find(|path| path.exists());
    if let (Some(path), false) = (taken, args.force) {
        return Err(Error::Usage(format!(
            "{} exists: choose another folder, or replace the pages with --force",
            path.display()
        )));
    }
    std::fs::create_dir_all(&args.dir).map_err(|e| cannot_write(&args.dir, &e))?;
    for (name, page) in &pages {
        let path = args.dir.join(name);
        files::write_atomic(&path, page).map_err(|e| cannot_write(&path, &e))?;
    }
    output::line(&format!("{} pages in {}", pages.len(), args.dir.display()))
}

/// Every page with the name of its file.
fn pages() -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut program = Cli::command();
    program.build();
    let commands: Vec<clap::Command> = program.get_subcommands().cloned().collect();
    let page = |name: String, command: clap::Command| {
        let mut page = Vec::new();
        clap_mangen::Man::new(command).title(name.clone()).render(&mut page)?;
        Ok((format!("{name}.1"), page))
    };
    let named =
        commands.into_iter().filter(|command| command.get_name() != "help").map(|command| {
            let name = format!("{NAME}-{}", command.get_name());
            page(name.clone(), command.display_name(name))
        });
    std::iter::once(page(NAME.to_string(), program)).chain(named).collect()
}
