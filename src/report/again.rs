//! A command that goes on from here, as it can be pasted into a shell.

use std::borrow::Cow;

/// An argument as a POSIX shell takes it: as it is, or within quotes where a character of it would be read as something
/// else.
pub fn quoted(argument: &str) -> Cow<'_, str> {
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+:=@%,".contains(c);
    if !argument.is_empty() && argument.chars().all(is_plain) {
        return Cow::Borrowed(argument);
    }
    Cow::Owned(format!("'{}'", argument.replace('\'', "'\\''")))
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_shell_reads_what_was_meant() {
        assert_eq!(quoted("samples/messenger-banking"), "samples/messenger-banking");
        assert_eq!(quoted("my inventory"), "'my inventory'");
        assert_eq!(quoted("it's"), "'it'\\''s'");
        assert_eq!(quoted("$(x)"), "'$(x)'");
        assert_eq!(quoted(""), "''");
    }
}
