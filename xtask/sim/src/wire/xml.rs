//! A result as XML, in the query dialect (lists of `<member>`) or in EC2's (lists of `<item>`).

use std::io;

use bytes::Bytes;
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};
use serde_json::{Map, Value};

use super::protocol::Protocol;
use super::{ApiError, ApiRequest};

type Xml = Writer<Vec<u8>>;

/// The reply to an operation that succeeded.
pub(super) fn reply(
    protocol: Protocol,
    request: &ApiRequest,
    result: &Value,
    request_id: &str,
) -> Option<Bytes> {
    let operation = &request.operation;
    document(|xml| match protocol {
        Protocol::Ec2 { xmlns, .. } => element(xml, &format!("{operation}Response"), Some(xmlns), |xml| {
            text(xml, "requestId", request_id)?;
            fields(xml, result.as_object(), "item")
        }),
        Protocol::Query { xmlns, .. } => element(xml, &format!("{operation}Response"), Some(xmlns), |xml| {
            element(xml, &format!("{operation}Result"), None, |xml| {
                fields(xml, result.as_object(), "member")
            })?;
            element(xml, "ResponseMetadata", None, |xml| text(xml, "RequestId", request_id))
        }),
        Protocol::Json { .. } => Ok(()),
    })
}

/// The reply to an operation that failed.
pub(super) fn error(protocol: Protocol, error: &ApiError, request_id: &str) -> Option<Bytes> {
    let code = |xml: &mut Xml| text(xml, "Code", error.code);
    let message = |xml: &mut Xml| text(xml, "Message", &error.message);
    document(|xml| match protocol {
        Protocol::Ec2 { .. } => element(xml, "Response", None, |xml| {
            element(xml, "Errors", None, |xml| {
                element(xml, "Error", None, |xml| code(xml).and_then(|()| message(xml)))
            })?;
            text(xml, "RequestID", request_id)
        }),
        Protocol::Query { xmlns, .. } => element(xml, "ErrorResponse", Some(xmlns), |xml| {
            element(xml, "Error", None, |xml| {
                text(xml, "Type", if error.status < 500 { "Sender" } else { "Receiver" })?;
                code(xml)?;
                message(xml)
            })?;
            text(xml, "RequestId", request_id)
        }),
        Protocol::Json { .. } => Ok(()),
    })
}

fn document(content: impl FnOnce(&mut Xml) -> io::Result<()>) -> Option<Bytes> {
    let mut xml = Writer::new(Vec::new());
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None))).ok()?;
    content(&mut xml).ok()?;
    Some(Bytes::from(xml.into_inner()))
}

fn element(
    xml: &mut Xml,
    name: &str,
    xmlns: Option<&str>,
    content: impl FnOnce(&mut Xml) -> io::Result<()>,
) -> io::Result<()> {
    let element = xml.create_element(name).with_attributes(xmlns.map(|xmlns| ("xmlns", xmlns)));
    element.write_inner_content(content).map(|_| ())
}

fn text(xml: &mut Xml, name: &str, content: &str) -> io::Result<()> {
    let content: String =
        content.chars().map(|char| if writable(char) { char } else { '\u{fffd}' }).collect();
    xml.create_element(name).write_text_content(BytesText::new(&content)).map(|_| ())
}

/// The characters of XML 1.0; a parser refuses a document that holds another, even escaped.
fn writable(char: char) -> bool {
    matches!(char, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

fn fields(xml: &mut Xml, members: Option<&Map<String, Value>>, item: &str) -> io::Result<()> {
    members.into_iter().flatten().try_for_each(|(name, content)| value(xml, name, content, item))
}

fn value(xml: &mut Xml, name: &str, content: &Value, item: &str) -> io::Result<()> {
    match content {
        Value::Null => Ok(()),
        Value::Bool(flag) => text(xml, name, if *flag { "true" } else { "false" }),
        Value::Number(number) => text(xml, name, &number.to_string()),
        Value::String(string) => text(xml, name, string),
        Value::Array(items) => {
            element(xml, name, None, |xml| items.iter().try_for_each(|entry| value(xml, item, entry, item)))
        }
        Value::Object(members) => element(xml, name, None, |xml| fields(xml, Some(members), item)),
    }
}
