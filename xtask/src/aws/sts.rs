//! Who calls.

use aws_sdk_sts::operation::get_caller_identity::GetCallerIdentityOutput;

use super::call::Op;
use super::{Aws, Error};

const IDENTITY: Op = Op::read("sts", "GetCallerIdentity");

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The account, 12 digits.
    pub account: String,
    pub arn: String,
}

impl Aws {
    /// Who calls, asked once for a run: the keys of a run may be renewed, and are the same account's. Needs no permission.
    ///
    /// # Errors
    /// [`crate::aws::Kind::Credentials`] and [`crate::aws::Kind::ExpiredToken`] when nobody usable does.
    pub async fn get_caller_identity(&self) -> Result<Caller, Error> {
        let caller = |reply: GetCallerIdentityOutput| {
            let account = reply.account.ok_or_else(|| "Account".to_owned())?;
            Ok(Caller { account, arn: reply.arn.unwrap_or_default() })
        };
        let asked = || self.call_for(IDENTITY, || self.sts.get_caller_identity().send(), caller);
        self.caller.get_or_try_init(asked).await.cloned()
    }
}
