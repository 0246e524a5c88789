//! Bodies that AWS answers with: errors of every protocol, and JSON.

use aws_smithy_xml::decode::Document;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::xml::{children, text};

/// An error as it is written in a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::aws) struct Fault {
    /// Without the namespace that may stand before it or the URL that may stand after it.
    pub(in crate::aws) code: String,
    pub(in crate::aws) message: String,
    /// The request's id, where the body has it.
    pub(in crate::aws) request_id: Option<String>,
}

/// Reads an error of the JSON, the query or the EC2 protocol; `None` when the body is none of them.
pub(in crate::aws) fn error_of(body: &[u8]) -> Option<Fault> {
    of_json(body).or_else(|| of_xml(body))
}

fn of_json(body: &[u8]) -> Option<Fault> {
    #[derive(Deserialize)]
    struct Shape {
        #[serde(rename = "__type")]
        kind: Option<String>,
        code: Option<String>,
        message: Option<String>,
        #[serde(rename = "Message")]
        capital: Option<String>,
    }
    let shape: Shape = serde_json::from_slice(body).ok()?;
    let code = shape.kind.or(shape.code)?;
    let code = code.rsplit('#').next().unwrap_or(&code);
    let code = code.split(':').next().unwrap_or(code).to_owned();
    Some(Fault { code, message: shape.message.or(shape.capital).unwrap_or_default(), request_id: None })
}

/// `<ErrorResponse><Error>…</Error><RequestId>`, or EC2's `<Response><Errors><Error>…</Error></Errors><RequestID>`.
fn of_xml(body: &[u8]) -> Option<Fault> {
    let mut document = Document::try_from(body).ok()?;
    let mut root = document.root_element().ok()?;
    let (mut code, mut message, mut request_id) = (None, String::new(), None);
    while let Some(mut level) = root.next_tag() {
        match level.start_el().local() {
            "RequestId" | "RequestID" => request_id = Some(text(&mut level).ok()?),
            "Error" => read_error(&mut level, &mut code, &mut message)?,
            "Errors" => {
                if let Some(mut error) = level.next_tag() {
                    read_error(&mut error, &mut code, &mut message)?;
                }
            }
            _ => {}
        }
    }
    Some(Fault { code: code?, message, request_id })
}

fn read_error(
    element: &mut aws_smithy_xml::decode::ScopedDecoder<'_, '_>,
    code: &mut Option<String>,
    message: &mut String,
) -> Option<()> {
    children(element, |name, child| {
        match name {
            "Code" => *code = Some(text(child)?),
            "Message" => *message = text(child)?,
            _ => {}
        }
        Ok(())
    })
    .ok()
}

pub(in crate::aws) fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(body: &str) -> Option<(String, String)> {
        error_of(body.as_bytes()).map(|fault| (fault.code, fault.message))
    }

    #[test]
    fn an_error_is_read_in_every_protocol() {
        let cases = [
            (
                r#"{"__type":"com.amazonaws.logs#ResourceNotFoundException","message":"gone"}"#,
                "ResourceNotFoundException",
                "gone",
            ),
            (
                r#"{"__type":"ThrottlingException","Message":"Rate exceeded"}"#,
                "ThrottlingException",
                "Rate exceeded",
            ),
            (
                "<ErrorResponse><Error><Type>Sender</Type><Code>NoSuchEntity</Code><Message>no role</Message></Error><RequestId>r1</RequestId></ErrorResponse>",
                "NoSuchEntity",
                "no role",
            ),
            (
                "<?xml version=\"1.0\"?>\n<Response><Errors><Error><Code>InvalidVpcID.NotFound</Code><Message>a &amp; b</Message></Error></Errors><RequestID>r2</RequestID></Response>",
                "InvalidVpcID.NotFound",
                "a & b",
            ),
        ];
        for (body, code, message) in cases {
            assert_eq!(parsed(body), Some((code.to_owned(), message.to_owned())), "{body}");
        }
        let id =
            error_of(b"<R><Error><Code>C</Code></Error><RequestId>r1</RequestId></R>").unwrap().request_id;
        assert_eq!(id.as_deref(), Some("r1"));
    }

    #[test]
    fn a_proxys_page_is_no_aws_error() {
        for body in
            ["", "<html><body><h1>403 Forbidden</h1><br></body></html>", "upstream error", "{}", "[]", "<"]
        {
            assert_eq!(parsed(body), None, "{body}");
        }
    }
}
