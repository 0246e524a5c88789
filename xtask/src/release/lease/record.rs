//! The undo record ([`Undo`]), kept in tags next to the lease: a run that is killed leaves it to the next one.
//!
//! It is compressed, because a tag holds 256 characters and a resource 50 tags (ECS API, Tag).

use std::io::{Read, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use deploy::event::Kind;
use deploy::model::Observed;
use deploy::plan::Undo;
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;

use super::{HeldLease, not_written};
use crate::aws::{Aws, Error, Tags};
use crate::release::{Planned, ReleaseContext};

const KEY: &str = "deploy-undo-";
/// A tag value's longest text, less the count that the first one begins with.
const PART: usize = 250;
/// The cluster's other tags need room, too.
const MOST: usize = 40;
/// No record of a release comes near this.
const LONGEST: u64 = 1 << 20;

fn encode(undo: &Undo) -> Option<Tags> {
    let mut deflate = DeflateEncoder::new(Vec::new(), Compression::best());
    deflate.write_all(&serde_json::to_vec(undo).ok()?).ok()?;
    // Base64 keeps to the characters that a tag value takes: letters, digits and `+ - = . _ : / @` (ECS API, Tag).
    let text = STANDARD.encode(deflate.finish().ok()?);
    let parts: Vec<&str> =
        text.as_bytes().chunks(PART).filter_map(|part| std::str::from_utf8(part).ok()).collect();
    // A record that is cut would restore a part of what was changed, and call that all.
    if parts.len() > MOST {
        return None;
    }
    let tag = |(n, part): (usize, &&str)| {
        let count = if n == 0 { format!("{}:", parts.len()) } else { String::new() };
        (format!("{KEY}{n}"), format!("{count}{part}"))
    };
    Some(parts.iter().enumerate().map(tag).collect())
}

/// The record among a cluster's tags. One that was written in part, or by another version, is none.
fn decode(tags: &Tags) -> Option<Undo> {
    let (count, first) = tags.get(&format!("{KEY}0"))?.split_once(':')?;
    let mut text = first.to_owned();
    // The first tag counts the others: a TagResource that was carried out in part, or a tag that a person deleted, makes the
    // whole record unreadable instead of short.
    for n in 1..count.parse::<usize>().ok()? {
        text.push_str(tags.get(&format!("{KEY}{n}"))?);
    }
    let mut json = Vec::new();
    // Limited: the text is from the account, and a few bytes of DEFLATE can unpack to gigabytes.
    DeflateDecoder::new(&*STANDARD.decode(text).ok()?).take(LONGEST).read_to_end(&mut json).ok()?;
    serde_json::from_slice(&json).ok()
}

fn keys(tags: &Tags) -> Vec<String> {
    tags.keys().filter(|key| key.starts_with(KEY)).cloned().collect()
}

/// What an earlier run left, and what this one finds, written before the first change. Returns the tags' keys.
pub(super) async fn keep(
    context: &ReleaseContext<'_>,
    cluster: &str,
    tags: &Tags,
    planned: &mut Planned,
) -> Vec<String> {
    if let Some(earlier) = decode(tags) {
        planned.undo = std::mem::take(&mut planned.undo).after(earlier, &planned.observed);
    }
    let mut all = keys(tags);
    if planned.undo.is_empty() {
        return all;
    }
    let Some(record) = encode(&planned.undo) else {
        let text = "what this release changes is too much for the cluster's tags: if this run is killed, the next one \
                    cannot restore it";
        context.events.emit(Kind::Warned { text: text.to_owned() });
        return all;
    };
    // A rerun mostly finds the record that its killed run wrote: TagResource allows 10 calls a second.
    if record.iter().any(|(key, part)| tags.get(key) != Some(part)) {
        match context.aws.tag_ecs_resource(cluster, &record).await {
            Ok(()) => all.extend(record.into_keys()),
            Err(error) => not_written(context, "cannot record what this release changes", &error),
        }
    }
    // The keys of an earlier, longer record stay in the list: `forget` deletes them with this one's.
    all.sort();
    all.dedup();
    all
}

/// Whether an earlier run left a record that this one has to deal with. What cannot be read is taken for none.
pub(in crate::release) async fn is_left(context: &ReleaseContext<'_>, observed: &Observed) -> bool {
    match observed.cluster.as_ref().and_then(|cluster| cluster.tags.as_ref()) {
        // Read with the account. A plan that somebody took time to agree to holds the lease, and reads them again.
        Some(tags) => decode(tags).is_some(),
        None => left(context, observed).await.is_some(),
    }
}

/// The record of whoever was killed, by the cluster's name. What cannot be read is taken for none.
pub(in crate::release) async fn of_cluster(aws: &Aws, cluster: &str) -> Option<Undo> {
    let cluster = aws.describe_cluster(cluster).await.ok()??;
    let tags = match cluster.tags {
        Some(tags) => tags,
        None => aws.list_ecs_tags(&cluster.arn).await.ok()?,
    };
    decode(&tags)
}

/// The record that an earlier run left on the cluster, as it is now.
pub(in crate::release) async fn left(context: &ReleaseContext<'_>, observed: &Observed) -> Option<Undo> {
    let cluster = observed.cluster.as_ref().filter(|cluster| cluster.is_active())?;
    decode(&context.aws.list_ecs_tags(&cluster.arn).await.ok()?)
}

impl HeldLease {
    /// Records that the release was undone as far as possible: the next run restores the rest, and does not try again with a
    /// service that stayed and is complete.
    pub(in crate::release) async fn ended(&self, context: &ReleaseContext<'_>, undo: &Undo) {
        let Some(kept) = self.kept.as_ref().filter(|_| !self.is_lost()) else { return };
        let Some(record) = encode(&undo.ended()).filter(|_| !kept.record.borrow().is_empty()) else { return };
        if let Err(error) = context.aws.tag_ecs_resource(&kept.cluster, &record).await {
            not_written(context, "cannot record that the release was undone in part", &error);
        }
    }

    /// The release is proven, or what was before is restored: there is nothing to restore any more.
    pub(in crate::release) async fn forget(&self, context: &ReleaseContext<'_>) {
        let Some(kept) = self.kept.as_ref().filter(|_| !self.is_lost()) else { return };
        let keys = kept.record.take();
        if keys.is_empty() {
            return;
        }
        if let Err(error) = context.aws.untag_ecs_resource(&kept.cluster, &keys).await {
            not_written(context, "cannot delete the record of what this release changed", &error);
        }
    }
}

/// Removes a record from the cluster for a run that holds no lease.
pub(in crate::release) async fn discard(context: &ReleaseContext<'_>, observed: &Observed) {
    let removed = async {
        let Some(cluster) = &observed.cluster else { return Ok(()) };
        let keys = keys(&context.aws.list_ecs_tags(&cluster.arn).await?);
        if keys.is_empty() { Ok(()) } else { context.aws.untag_ecs_resource(&cluster.arn, &keys).await }
    };
    if let Err(error) = removed.await {
        let error: Error = error;
        not_written(context, "cannot delete the record of what the release changed", &error);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_as_it_was_written_and_a_part_of_one_is_none() {
        let undo: Undo = serde_json::from_str(
            r#"{"release":"r-1","services":{},"rules":{"/a":{"before":null,"wrote":[]}},"listeners":{},"target_groups":{},
                "scalable_targets":{},"policies":{}}"#,
        )
        .unwrap();
        let mut tags = encode(&undo).unwrap();
        assert!(tags.values().all(|part| part.len() <= 256));
        tags.insert("app".into(), "x".into());
        assert_eq!(decode(&tags), Some(undo));
        tags.insert(format!("{KEY}0"), "2:AAAA".into());
        assert_eq!(decode(&tags), None);
        assert_eq!(keys(&tags), ["deploy-undo-0"]);
    }
}
