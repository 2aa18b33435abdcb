//! A process that the bench starts, and ends with itself.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, ChildStdout, Command, Stdio},
};

use super::super::Failure;

/// It runs until this is dropped.
pub struct Process {
    child: Child,
    // What it prints further goes nowhere, but a closed pipe would end it.
    _output: BufReader<ChildStdout>,
}

impl Process {
    /// Starts it and waits for the first line that it prints; an empty one where it ended instead.
    pub fn start(command: &mut Command) -> Result<(Self, String), Failure> {
        let mut child = command
            .stdout(Stdio::piped())
            .spawn()
            .map_err(Failure::of_work)?;
        let mut output = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut line = String::new();
        output.read_line(&mut line).map_err(Failure::of_work)?;
        let process = Self {
            child,
            _output: output,
        };
        Ok((process, line))
    }

    /// Its number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Nothing of it is needed any more, however it ended.
        let _ended = self.child.kill();
        let _ended = self.child.wait();
    }
}
