//! Timestamps, wildcards, pages and parameters.

use proptest::prelude::*;
use serde::Deserialize;
use serde_json::json;

use crate::clock::Millis;
use crate::wire::{Api, ApiRequest, iso8601, leaf, list, page, params, wildcard};

#[test]
fn timestamps_of_query_replies_are_iso_8601() {
    let cases = [
        (0, "1970-01-01T00:00:00.000Z"),
        (951_782_400_000, "2000-02-29T00:00:00.000Z"),
        (1_709_251_199_999, "2024-02-29T23:59:59.999Z"),
        (1_795_422_600_120, "2026-11-23T08:30:00.120Z"),
        (4_102_444_800_000, "2100-01-01T00:00:00.000Z"),
    ];
    for (millis, expected) in cases {
        assert_eq!(iso8601(Millis(millis)), expected);
    }
}

#[test]
fn a_star_matches_slashes_and_nothing_and_case_counts() {
    let cases = [
        ("/api/*", "/api/x/y", true),
        ("/api/*", "/api/", true),
        ("/api/*", "/api", false),
        ("/API/*", "/api/x", false),
        ("/*", "/", true),
        ("/img/?.png", "/img/a.png", true),
        ("/img/?.png", "/img/ab.png", false),
        ("*.example.com", "a.b.example.com", true),
        ("*a*b*c", "xxaxxbxxbxxc", true),
        ("*a*b*c", "xxaxxcxxb", false),
        ("", "", true),
        ("", "a", false),
        ("**", "", true),
    ];
    for (pattern, text, expected) in cases {
        assert_eq!(wildcard(pattern, text), expected, "{pattern} on {text}");
    }
}

/// The definition of a match, as slow as it is plain.
fn matches_by_definition(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), _) => (0..=text.len()).any(|taken| matches_by_definition(rest, &text[taken..])),
        (Some((own, rest)), Some((char, after))) => {
            (*own == b'?' || own == char) && matches_by_definition(rest, after)
        }
        _ => false,
    }
}

proptest! {
    #[test]
    fn a_wildcard_matches_what_its_definition_says(pattern in "[ab*?]{0,8}", text in "[ab]{0,8}") {
        prop_assert_eq!(wildcard(&pattern, &text), matches_by_definition(pattern.as_bytes(), text.as_bytes()));
    }
}

#[test]
fn pages_join_to_the_whole_and_a_foreign_token_is_refused() {
    let items: Vec<u32> = (0..7).collect();
    let (mut token, mut seen) = (None, Vec::new());
    loop {
        let (part, next) = page(items.clone(), token.as_deref(), 3).unwrap();
        seen.extend(part);
        token = next;
        if token.is_none() {
            break;
        }
    }
    assert_eq!(seen, items);
    assert!(page(items.clone(), Some("3"), 3).is_none());
    assert_eq!(page(items, None, 7).unwrap().1, None, "a full last page has no token");
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Params {
    target_group_arn: String,
    #[serde(default, deserialize_with = "leaf")]
    port: Option<u16>,
    #[serde(default, deserialize_with = "list")]
    names: Vec<String>,
}

#[test]
fn a_missing_or_malformed_parameter_is_named_in_awss_words() {
    let read = |form: &str| params::<Params>(&ApiRequest::form(Api::Elb, "X", form));
    let good = read("TargetGroupArn=a&Port=80&Names=").unwrap();
    assert_eq!((good.target_group_arn.as_str(), good.port, good.names.len()), ("a", Some(80), 0));
    let cases = [
        (
            "Port=1",
            "1 validation error detected: Value null at 'targetGroupArn' failed to satisfy constraint: Member must not be null",
        ),
        (
            "TargetGroupArn=a&Port=99999",
            "1 validation error detected: '99999': number too large to fit in target type",
        ),
        ("TargetGroupArn=a&Port=x", "1 validation error detected: 'x': invalid digit found in string"),
    ];
    for (form, text) in cases {
        let error = read(form).unwrap_err();
        assert_eq!((error.code, error.message.as_str()), ("ValidationError", text));
    }
    let wrong_shape = ApiRequest::of(Api::Elb, "X", json!({ "TargetGroupArn": ["a"] }));
    assert_eq!(params::<Params>(&wrong_shape).unwrap_err().code, "ValidationError");
}
