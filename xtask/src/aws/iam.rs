//! IAM: the ARN of a role. Reads only.

use aws_smithy_xml::decode::{ScopedDecoder, XmlDecodeError};

use super::call::Op;
use super::error::found;
use super::lite::{Api, children, read, text};
use super::{Aws, Error};

const GET_ROLE: Op = Op::read("iam", "GetRole");
const VERSION: &str = "2010-05-08";

impl Aws {
    /// The ARN of the role of this name, path included; `None` when there is none.
    pub async fn find_role(&self, name: &str) -> Result<Option<String>, Error> {
        let members = [("RoleName".to_owned(), name.to_owned())];
        let call = || self.lite.query(Api::Iam, GET_ROLE.name, VERSION, &members);
        let Some(body) = found(self.call(GET_ROLE, call).await)? else { return Ok(None) };
        let arn = read(&body, arn).map_err(|why| Error::unreadable(GET_ROLE, &body, &why))?;
        arn.map(Some).ok_or_else(|| Error::incomplete(GET_ROLE, "Arn"))
    }
}

/// `<GetRoleResponse><GetRoleResult><Role><Arn>`.
fn arn(root: &mut ScopedDecoder<'_, '_>) -> Result<Option<String>, XmlDecodeError> {
    let mut arn = None;
    children(root, |name, result| match name {
        "GetRoleResult" => children(result, |_, role| {
            children(role, |name, element| {
                if name == "Arn" {
                    arn = Some(text(element)?);
                }
                Ok(())
            })
        }),
        _ => Ok(()),
    })?;
    Ok(arn)
}
