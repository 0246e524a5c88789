//! What a version holds, as CreateSecret and PutSecretValue give it.

use serde::Deserialize;

use super::store::INVALID;
use crate::base::Base;
use crate::secret::Secret;
use crate::wire::ApiError;

/// A secret's text, or its bytes in base64.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Content {
    Text(Secret),
    Binary(Secret),
}

/// The members that bring content.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Given {
    secret_string: Option<Secret>,
    secret_binary: Option<Secret>,
    client_request_token: Option<String>,
}

/// Bytes of a secret's value.
const MOST_BYTES: usize = 65_536;

impl Given {
    /// The content, when there is any.
    pub(super) fn content(&self) -> Result<Option<Content>, ApiError> {
        let content = match (&self.secret_string, &self.secret_binary) {
            (Some(_), Some(_)) => {
                let text = "You can't specify both a binary secret value and a string secret value in the same \
                            secret.";
                return Err(ApiError::new(INVALID, text));
            }
            (Some(text), None) => Content::Text(text.clone()),
            (None, Some(binary)) => Content::Binary(binary.clone()),
            (None, None) => return Ok(None),
        };
        let (Content::Text(secret) | Content::Binary(secret)) = &content;
        if !(1..=MOST_BYTES).contains(&secret.reveal().len()) {
            let text = format!("The secret value must have a length of 1 to {MOST_BYTES} bytes.");
            return Err(ApiError::new(INVALID, text));
        }
        Ok(Some(content))
    }

    /// The id of the version that is made: the caller's token, or one of the account's.
    pub(super) fn version_id(&self, base: &mut Base) -> Result<String, ApiError> {
        match &self.client_request_token {
            None => Ok(base.ids.uuid()),
            Some(token) if (32..=64).contains(&token.len()) => Ok(token.clone()),
            Some(_) => {
                Err(ApiError::new(INVALID, "ClientRequestToken must have a length of 32 to 64 characters."))
            }
        }
    }
}
