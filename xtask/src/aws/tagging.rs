//! Resource Groups Tagging: what carries tags, over all services of the region.

use serde::Deserialize;
use serde_json::{Value, json};

use super::call::Op;
use super::lite::{self, Api};
use super::{Aws, Error, Tags};

const TARGET: &str = "ResourceGroupsTaggingAPI_20170126";
const RESOURCES: Op = Op::read("tag", "GetResources");

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Reply {
    #[serde(default)]
    pagination_token: String,
    #[serde(default)]
    resource_tag_mapping_list: Vec<Mapping>,
}

#[derive(Deserialize)]
struct Mapping {
    #[serde(rename = "ResourceARN")]
    arn: String,
    #[serde(rename = "Tags", default)]
    tags: Vec<Tag>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tag {
    key: String,
    #[serde(default)]
    value: String,
}

impl Aws {
    /// ARNs and tags of the resources that have this tag. The index behind it lags by some seconds, and names
    /// deleted resources for a while.
    pub async fn get_resources(&self, key: &str, value: &str) -> Result<Vec<(String, Tags)>, Error> {
        let (mut found, mut token) = (Vec::new(), String::new());
        loop {
            let mut members =
                json!({ "TagFilters": [{ "Key": key, "Values": [value] }], "ResourcesPerPage": 100 });
            if !token.is_empty() {
                members["PaginationToken"] = Value::String(token);
            }
            let call = || self.lite.json(Api::Tagging, RESOURCES.name, TARGET, &members);
            let body = self.call(RESOURCES, call).await?;
            let reply: Reply = lite::json(&body).map_err(|why| Error::unreadable(RESOURCES, &body, &why))?;
            let pairs = |tags: Vec<Tag>| tags.into_iter().map(|tag| (tag.key, tag.value)).collect();
            found.extend(reply.resource_tag_mapping_list.into_iter().map(|it| (it.arn, pairs(it.tags))));
            token = reply.pagination_token;
            if token.is_empty() {
                return Ok(found);
            }
        }
    }
}
