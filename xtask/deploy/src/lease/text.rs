//! The lease as a tag's value: `id=… until=… release=… by=… run=… pid=… taken=…`, which a person reads in the console.
//!
//! A tag value holds at most 256 letters, digits, spaces and `+-=._:/@` (ECS API, Tag).

use std::fmt;
use std::str::FromStr;

use super::{Holder, Lease};
use crate::model::tag_text;

/// The longest tag value, in characters.
const LONGEST: usize = 256;
/// What an owner, a run's page and a release may take of it.
const OWNER: usize = 48;
const RUN: usize = 96;
const RELEASE: usize = 32;
/// A note that is cut shorter than this says nothing.
const SHORTEST_NOTE: usize = 8;

/// A tag value that is no lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Illegible;

impl fmt::Display for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Holder { owner, run, process } = legible(&self.holder);
        let release = word(&self.release, RELEASE);
        let mut text = format!("id={} until={} release={release} by={owner}", self.id, self.until);
        if let Some(run) = run {
            text.push_str(&format!(" run={run}"));
        }
        if let Some(process) = process {
            text.push_str(&format!(" pid={process}"));
        }
        if let Some(taken) = &self.taken {
            // The note comes last and is cut: id, time and holder are what others decide by.
            let room = LONGEST.saturating_sub(text.chars().count() + " taken=".len());
            if room >= SHORTEST_NOTE {
                text.push_str(&format!(" taken={}", tag_text(taken, room)));
            }
        }
        f.write_str(text.trim_end())
    }
}

impl FromStr for Lease {
    type Err = Illegible;

    fn from_str(text: &str) -> Result<Self, Illegible> {
        // The note is the only part with spaces, and the last.
        let (parts, taken) = match text.split_once(" taken=") {
            Some((parts, taken)) => (parts, Some(taken.to_owned())),
            None => (text, None),
        };
        let pairs: Vec<(&str, &str)> = parts.split(' ').filter_map(|part| part.split_once('=')).collect();
        let find = |name: &str| {
            let pair = pairs.iter().find(|(key, _)| *key == name);
            pair.map(|(_, value)| (*value).to_owned()).filter(|value| !value.is_empty())
        };
        let number = |name| find(name).and_then(|value| value.parse().ok());
        Ok(Self {
            id: find("id").ok_or(Illegible)?,
            until: number("until").ok_or(Illegible)?,
            release: find("release").ok_or(Illegible)?,
            holder: Holder {
                owner: find("by").ok_or(Illegible)?,
                run: find("run"),
                process: find("pid").and_then(|value| value.parse().ok()),
            },
            taken,
        })
    }
}

/// The holder as a tag can hold it.
pub(super) fn legible(holder: &Holder) -> Holder {
    Holder {
        owner: word(&holder.owner, OWNER),
        run: holder.run.as_ref().map(|run| word(run, RUN)),
        process: holder.process,
    }
}

/// One word of legal characters; never empty.
fn word(text: &str, most: usize) -> String {
    let word = tag_text(text, most).replace(' ', "_");
    if word.is_empty() { "unknown".to_owned() } else { word }
}
