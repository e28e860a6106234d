//! What a script wrote, until the application takes it.

use std::collections::BTreeMap;

use super::{Place, Session};
use crate::data::Output;

impl Session {
    /// Takes what the script printed and wrote to standard output since it was last asked; what is not UTF-8 is replaced.
    /// Empty where [`Sandbox::on_print`](crate::Sandbox::on_print) or [`Sandbox::on_write`](crate::Sandbox::on_write) takes it.
    pub fn take_output(&mut self) -> String {
        self.take_all_output().text
    }

    /// Takes the bytes that [`take_output`](Self::take_output) takes as text.
    pub fn take_output_bytes(&mut self) -> Vec<u8> {
        self.data().take_output_bytes()
    }

    pub(crate) fn take_all_output(&mut self) -> Output {
        self.data().take_output()
    }

    /// Takes what the script wrote to standard error since it was last asked; empty where
    /// [`Sandbox::on_write_error`](crate::Sandbox::on_write_error) takes that.
    pub fn take_error_output(&mut self) -> Vec<u8> {
        self.data().take_error_output()
    }

    /// Takes the files that the script wrote since it was last asked, by their names. A failed call may have written some.
    pub fn take_files(&mut self) -> BTreeMap<String, Vec<u8>> {
        match &mut self.0 {
            Place::Here(whole) => whole.files.data().take_files(),
            #[cfg(feature = "isolated")]
            Place::Isolated(remote) => remote.take_files(),
        }
    }
}
