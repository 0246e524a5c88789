//! What is reported while images are made.

use deploy::model::ServiceKey;

/// What happens during a build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BuildEvent<'a> {
    /// A line of a compiler, or of an engine, which works for one service.
    Line {
        /// The service that it is for; `None` for all.
        service: Option<&'a ServiceKey>,
        line: &'a str,
    },
    /// The image that is there was built from the same inputs; the engine was not asked.
    Unchanged { service: &'a ServiceKey },
    /// Something that the person who wrote the settings should know.
    Noted { service: &'a ServiceKey, text: &'a str },
}
