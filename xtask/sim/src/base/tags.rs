//! Tags of all the account's resources, by ARN.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, json};

use crate::wire::{Api, ApiError};

/// Tags per resource, in all of these APIs.
pub(crate) const MOST: usize = 50;

/// One tag, in ECS's spelling; the others' `Key` and `Value` are read too. The value may be left out.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Tag {
    #[serde(alias = "Key")]
    pub(crate) key: String,
    #[serde(default, alias = "Value")]
    pub(crate) value: String,
}

/// The tags of the account's resources, by ARN and key.
#[derive(Debug, Default)]
pub(crate) struct Tags(BTreeMap<String, BTreeMap<String, String>>);

impl Tags {
    /// The resource's tags in the order of their keys.
    pub(crate) fn of(&self, arn: &str) -> Vec<Tag> {
        let tags = self.0.get(arn).into_iter().flatten();
        tags.map(|(key, value)| Tag { key: key.clone(), value: value.clone() }).collect()
    }

    /// Adds tags, replacing those of the same keys.
    pub(crate) fn put(&mut self, arn: &str, tags: Vec<Tag>) {
        if !tags.is_empty() {
            let stored = self.0.entry(arn.to_owned()).or_default();
            stored.extend(tags.into_iter().map(|tag| (tag.key, tag.value)));
        }
    }

    #[cfg(test)]
    pub(crate) fn arns(&self) -> impl Iterator<Item = &String> {
        self.0.keys()
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = (&String, &BTreeMap<String, String>)> {
        self.0.iter()
    }

    /// The resource's tags as a map.
    pub(crate) fn map(&self, arn: &str) -> BTreeMap<String, String> {
        self.0.get(arn).cloned().unwrap_or_default()
    }

    pub(crate) fn remove(&mut self, arn: &str, keys: &[String]) {
        let tags = self.0.entry(arn.to_owned()).or_default();
        tags.retain(|key, _| !keys.contains(key));
    }

    pub(crate) fn forget(&mut self, arn: &str) {
        self.0.remove(arn);
    }
}

/// Reads the tags of a request: a list, a map in CloudWatch Logs and Application Auto Scaling, an empty
/// text in an empty form.
pub(crate) fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Tag>, D::Error> {
    let tags = match Value::deserialize(deserializer)? {
        Value::Object(map) => {
            map.into_iter().map(|(key, value)| json!({ "key": key, "value": value })).collect()
        }
        Value::String(text) if text.is_empty() => json!([]),
        list => list,
    };
    serde_json::from_value(tags).map_err(serde::de::Error::custom)
}

/// Refuses what no resource can be tagged with; creating calls ask before they create.
pub(crate) fn check(api: Api, tags: &[Tag]) -> Result<(), ApiError> {
    let code = match api {
        Api::Ecr => "InvalidTagParameterException",
        api => api.invalid(),
    };
    if tags.len() > MOST {
        return Err(too_many(api));
    }
    // `[\p{L}\p{Z}\p{N}_.:/=+\-@]`: letters are no combining marks, of which these are the common ones.
    let mark = |c: char| matches!(c, '\u{300}'..='\u{36f}' | '\u{900}'..='\u{903}' | '\u{93a}'..='\u{94f}' | '\u{20d0}'..='\u{20ff}');
    let fits = |c: char| c.is_alphanumeric() && !mark(c) || " +-=._:/@".contains(c);
    for (index, Tag { key, value }) in tags.iter().enumerate() {
        if !(1..=128).contains(&key.chars().count()) || value.chars().count() > 256 {
            return Err(ApiError::new(code, "Tag key or value has an invalid length."));
        }
        if [key, value].iter().any(|it| it.to_ascii_lowercase().starts_with("aws:")) {
            return Err(ApiError::new(
                code,
                "Tag keys and values that start with aws: are reserved for system use.",
            ));
        }
        if !key.chars().chain(value.chars()).all(fits) {
            let text = "Some tags contain invalid characters. Valid characters: UTF-8 letters, spaces, numbers and _ . / = + - : @";
            return Err(ApiError::new(code, text));
        }
        if tags[..index].iter().any(|other| other.key == *key) {
            let code = if api == Api::Elb { "DuplicateTagKeys" } else { code };
            return Err(ApiError::new(code, "Duplicate keys found in tags."));
        }
    }
    Ok(())
}

pub(crate) fn too_many(api: Api) -> ApiError {
    let code = match api {
        Api::Ecs => api.invalid(),
        Api::Elb => "TooManyTags",
        _ => "TooManyTagsException",
    };
    ApiError::new(code, "Tags can not be more than 50.")
}

/// As APIs in XML, Secrets Manager and Systems Manager spell it; ECS writes `key` and `value`.
pub(crate) fn pascal(tag: &Tag) -> Value {
    json!({ "Key": tag.key, "Value": tag.value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tag_limits_are_those_of_the_fact_sheet_section_12() {
        let tag = |key: &str, value: &str| Tag { key: key.to_owned(), value: value.to_owned() };
        let check = |tags: &[Tag]| check(Api::Ecs, tags);
        assert!(check(&[tag("deploy:commit", "4f2a9c1 + dirty=yes @main/x_-.")]).is_ok());
        for bad in [
            tag("", "x"),
            tag("aws:owner", "x"),
            tag("owner", "AWS:x"),
            tag("a!", "x"),
            tag("a", &"v".repeat(257)),
            tag(&"k".repeat(129), ""),
        ] {
            assert_eq!(check(&[bad]).unwrap_err().code, "InvalidParameterException");
        }
        assert!(check(&[tag("a", "1"), tag("a", "2")]).is_err());
        let many: Vec<Tag> = (0..51).map(|n| tag(&n.to_string(), "")).collect();
        assert!(check(&many).is_err());
    }
}
