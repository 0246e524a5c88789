//! IAM: a role, who may assume it, and what a principal may do. Reads only.

use aws_smithy_xml::decode::{ScopedDecoder, XmlDecodeError};
use deploy::doctor::Decision;
use deploy::iam::Question;
use form_urlencoded::parse;
use serde_json::Value;

use super::call::Op;
use super::error::found;
use super::lite::{Api, children, read, text};
use super::{Aws, Error};

const GET_ROLE: Op = Op::read("iam", "GetRole");
const SIMULATE: Op = Op::read("iam", "SimulatePrincipalPolicy");
const VERSION: &str = "2010-05-08";

/// A role as it was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Role {
    /// Includes the role's path: `role/<path>/<name>`.
    pub arn: String,
    /// The trust policy, decoded: IAM returns it URL-encoded.
    pub trust: Value,
}

impl Aws {
    /// The role of this name; `None` when there is none.
    pub async fn find_role(&self, name: &str) -> Result<Option<Role>, Error> {
        let members = [("RoleName".to_owned(), name.to_owned())];
        let call = || self.lite.query(Api::Iam, GET_ROLE.name, VERSION, &members);
        let Some(body) = found(self.call(GET_ROLE, call).await)? else { return Ok(None) };
        let role = read(&body, role).map_err(|why| Error::unreadable(GET_ROLE, &body, &why))?;
        match role.arn.is_empty() {
            true => Err(Error::incomplete(GET_ROLE, "Arn")),
            false => Ok(Some(role)),
        }
    }

    /// Whether a user or role may do what is asked, one decision for each action and resource.
    pub async fn simulate(&self, principal: &str, question: &Question) -> Result<Vec<Decision>, Error> {
        let mut members = vec![("PolicySourceArn".to_owned(), principal.to_owned())];
        let numbered = |name: &str, all: &[String]| -> Vec<(String, String)> {
            all.iter().zip(1..).map(|(value, n)| (format!("{name}.member.{n}"), value.clone())).collect()
        };
        members.extend(numbered("ActionNames", &question.actions));
        members.extend(numbered("ResourceArns", &question.resources));
        for ((key, value), n) in question.context.iter().zip(1..) {
            let entry = format!("ContextEntries.member.{n}");
            members.push((format!("{entry}.ContextKeyName"), key.clone()));
            members.push((format!("{entry}.ContextKeyType"), "string".to_owned()));
            members.push((format!("{entry}.ContextKeyValues.member.1"), value.clone()));
        }
        let mut found = Vec::new();
        loop {
            let body =
                self.call(SIMULATE, || self.lite.query(Api::Iam, SIMULATE.name, VERSION, &members)).await?;
            let (decisions, marker) =
                read(&body, page).map_err(|why| Error::unreadable(SIMULATE, &body, &why))?;
            found.extend(decisions);
            members.retain(|(name, _)| name != "Marker");
            let Some(marker) = marker else { return Ok(found) };
            members.push(("Marker".to_owned(), marker));
        }
    }
}

/// `<GetRoleResponse><GetRoleResult><Role>`.
fn role(root: &mut ScopedDecoder<'_, '_>) -> Result<Role, XmlDecodeError> {
    let mut found = Role::default();
    children(root, |name, result| match name {
        "GetRoleResult" => children(result, |_, role| {
            children(role, |name, element| {
                match name {
                    "Arn" => found.arn = text(element)?,
                    "AssumeRolePolicyDocument" => found.trust = document(&text(element)?),
                    _ => {}
                }
                Ok(())
            })
        }),
        _ => Ok(()),
    })?;
    Ok(found)
}

/// IAM percent-encodes documents (RFC 3986), in which a plus sign is one.
fn document(encoded: &str) -> Value {
    let encoded = encoded.replace('+', "%2B");
    let decoded = parse(format!("={encoded}").as_bytes()).next().map(|(_, value)| value.into_owned());
    serde_json::from_str(&decoded.unwrap_or_default()).unwrap_or_default()
}

/// `<SimulatePrincipalPolicyResult>`: the decisions, and where the next page begins.
fn page(root: &mut ScopedDecoder<'_, '_>) -> Result<(Vec<Decision>, Option<String>), XmlDecodeError> {
    let (mut found, mut marker) = (Vec::new(), None);
    children(root, |name, result| match name {
        "SimulatePrincipalPolicyResult" => children(result, |name, element| {
            match name {
                "EvaluationResults" => children(element, |_, one| {
                    found.extend(evaluation(one)?);
                    Ok(())
                })?,
                "Marker" => marker = Some(text(element)?),
                _ => {}
            }
            Ok(())
        }),
        _ => Ok(()),
    })?;
    Ok((found, marker))
}

/// One action's result. Of several resources the outer decision is the strictest, and each one's own is within
/// (IAM API reference, EvaluationResult).
fn evaluation(element: &mut ScopedDecoder<'_, '_>) -> Result<Vec<Decision>, XmlDecodeError> {
    let (mut action, mut whole, mut specific) =
        (String::new(), Decision { resource: "*".to_owned(), ..Decision::default() }, Vec::new());
    children(element, |name, element| {
        match name {
            "EvalActionName" => action = text(element)?,
            "EvalResourceName" => whole.resource = text(element)?,
            "EvalDecision" => whole.allowed = text(element)? == "allowed",
            "ResourceSpecificResults" => children(element, |_, one| {
                let mut own = Decision { resource: "*".to_owned(), ..Decision::default() };
                children(one, |name, element| {
                    match name {
                        "EvalResourceName" => own.resource = text(element)?,
                        "EvalResourceDecision" => own.allowed = text(element)? == "allowed",
                        _ => {}
                    }
                    Ok(())
                })?;
                specific.push(own);
                Ok(())
            })?,
            _ => {}
        }
        Ok(())
    })?;
    let found = if specific.is_empty() { vec![whole] } else { specific };
    Ok(found.into_iter().map(|it| Decision { action: action.clone(), ..it }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_resource_of_an_action_has_its_own_decision() {
        let xml = br#"<R><SimulatePrincipalPolicyResult><EvaluationResults><member><EvalActionName>ecs:UpdateService</EvalActionName>
            <EvalResourceName>arn:a</EvalResourceName><EvalDecision>implicitDeny</EvalDecision><MatchedStatements/>
            <ResourceSpecificResults><member><EvalResourceName>arn:a</EvalResourceName><EvalResourceDecision>allowed</EvalResourceDecision></member>
            <member><EvalResourceName>arn:b</EvalResourceName><EvalResourceDecision>implicitDeny</EvalResourceDecision></member></ResourceSpecificResults></member>
            <member><EvalActionName>ecs:CreateCluster</EvalActionName><EvalDecision>allowed</EvalDecision></member>
            </EvaluationResults><Marker>m</Marker></SimulatePrincipalPolicyResult></R>"#;
        let (found, marker) = read(xml, page).unwrap();
        let shown: Vec<_> =
            found.iter().map(|it| (it.action.as_str(), it.resource.as_str(), it.allowed)).collect();
        let update = "ecs:UpdateService";
        assert_eq!(
            shown,
            [(update, "arn:a", true), (update, "arn:b", false), ("ecs:CreateCluster", "*", true)]
        );
        assert_eq!(marker.as_deref(), Some("m"));
    }

    #[test]
    fn a_document_is_read_with_its_plus_signs() {
        assert_eq!(document("%7B%22a%22%3A%22x+y%20z%22%7D")["a"], "x+y z");
    }
}
