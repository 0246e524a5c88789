//! The JSON schema of what `--output json` prints: lines of events, and the objects of verbs that read.
//!
//! Made of the types that are printed, so that it cannot say anything else; stories check what they print by it.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Serialize;
use serde_json::{Value, json};

use crate::doctor::Report;
use crate::event::{Event, Forecast, ServiceRow};
use crate::history::Past;
use crate::lease::Lease;
use crate::model::Owned;
use crate::plan::Plan;
use crate::secrets::SecretState;
use crate::status::{Detail, Problem};

/// What `plan` prints.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Preview<'a> {
    #[serde(flatten)]
    pub plan: &'a Plan,
    pub forecast: Option<&'a Forecast>,
}

/// What `history` prints.
#[derive(Debug, Serialize, JsonSchema)]
pub struct History<'a> {
    pub environment: &'a str,
    pub releases: &'a [Past],
}

/// What `status` prints.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Status<'a> {
    pub environment: &'a str,
    pub url: Option<&'a str>,
    pub services: &'a [ServiceRow],
    pub problems: &'a [Problem],
    pub secrets: &'a [SecretState],
    pub lease: Option<&'a Lease>,
    pub orphans: &'a [Owned],
    /// Of the service that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<&'a Detail>,
}

/// The schema as it is checked in at `xtask/deploy/output.schema.json`: each kind of output by its name in `definitions`.
pub fn schema() -> String {
    format!("{:#}\n", document())
}

/// The schema as a value.
pub fn document() -> Value {
    let mut generator = SchemaSettings::draft07().for_serialize().into_generator();
    let any = [
        generator.subschema_for::<Event>(),
        generator.subschema_for::<Preview<'_>>(),
        generator.subschema_for::<History<'_>>(),
        generator.subschema_for::<Status<'_>>(),
        generator.subschema_for::<Report>(),
    ];
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "cargo xtask --output json",
        "description": "Verbs that act print an Event a line; plan prints a Preview, history a History, status a Status and doctor a Report.",
        "anyOf": any,
        "definitions": generator.take_definitions(true),
    })
}
