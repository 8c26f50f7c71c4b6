//! Why an event cannot be priced: a sentence for the person who has to put it right.

use std::{borrow::Cow, fmt};

/// What a plugin answers for one event: done, or a [`Fault`].
pub type Outcome = Result<(), Fault>;

/// An event this plugin cannot price.
///
/// The host holds the event, shows the message, and goes on with the others. Whatever the plugin had
/// already recorded for the event is dropped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    message: Cow<'static, str>,
}

impl Fault {
    /// A fault with its reason, as a sentence.
    #[cold]
    pub fn new(message: impl Into<Cow<'static, str>>) -> Self {
        Self { message: message.into() }
    }

    /// The reason.
    pub fn message(&self) -> &str {
        &self.message
    }

    pub(crate) fn into_message(self) -> String {
        self.message.into_owned()
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

/// So that `?` turns any error into a fault with the error's own words.
impl<E: std::error::Error> From<E> for Fault {
    #[cold]
    fn from(error: E) -> Self {
        Self { message: error.to_string().into() }
    }
}
