//! Why a command ends without its result.

use std::fmt::Display;

use crate::base::visible::visible;

/// The exit code of invalid input and of invalid arguments.
pub const INVALID: u8 = 2;

/// Ends a command: the exit code, and what is printed to standard error. Nothing has been printed yet,
/// so that whoever passes it on with `?` can still put it in context.
#[derive(Debug)]
pub struct Stop {
    code: u8,
    text: String,
}

impl Stop {
    /// Invalid input or arguments. Every line of the message is made visible; `error: ` is put before it.
    pub fn error(message: impl Display) -> Self {
        let text = format!("error: {message}");
        Stop::printing(text.lines().map(visible).collect::<Vec<_>>().join("\n"))
    }

    /// Invalid input or arguments, with a text that is complete and whose inputs are visible.
    pub fn printing(text: String) -> Self {
        Stop { code: INVALID, text }
    }

    /// Prints this text first, on lines of its own.
    pub fn after(mut self, text: &str) -> Self {
        self.text = format!("{text}\n{}", self.text);
        self
    }

    /// The exit code, and the text to print.
    pub fn into_parts(self) -> (u8, String) {
        (self.code, self.text)
    }
}

impl<E: Into<anyhow::Error>> From<E> for Stop {
    fn from(error: E) -> Self {
        Stop::error(format_args!("{:#}", error.into()))
    }
}

/// Returns from a function with [`Stop::error`] of a formatted message.
macro_rules! stop {
    ($($message:tt)*) => {
        return Err($crate::cli::stop::Stop::error(format_args!($($message)*)))
    };
}
pub(crate) use stop;
