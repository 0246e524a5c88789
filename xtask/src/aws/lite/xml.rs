//! Reading XML replies, element by element.

use aws_smithy_xml::decode::{Document, ScopedDecoder, XmlDecodeError, try_data};

/// Reads a reply below its root element. Errors are sentences.
pub(in crate::aws) fn read<T>(
    body: &[u8],
    with: impl FnOnce(&mut ScopedDecoder<'_, '_>) -> Result<T, XmlDecodeError>,
) -> Result<T, String> {
    let broken = |error: XmlDecodeError| error.to_string();
    let mut document = Document::try_from(body).map_err(broken)?;
    let mut root = document.root_element().map_err(broken)?;
    with(&mut root).map_err(broken)
}

/// Visits the child elements of one, by name.
pub(in crate::aws) fn children(
    element: &mut ScopedDecoder<'_, '_>,
    mut visit: impl FnMut(&str, &mut ScopedDecoder<'_, '_>) -> Result<(), XmlDecodeError>,
) -> Result<(), XmlDecodeError> {
    while let Some(mut child) = element.next_tag() {
        let name = child.start_el().local().to_owned();
        visit(&name, &mut child)?;
    }
    Ok(())
}

pub(in crate::aws) fn text(element: &mut ScopedDecoder<'_, '_>) -> Result<String, XmlDecodeError> {
    Ok(try_data(element)?.into_owned())
}
