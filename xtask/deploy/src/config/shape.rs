//! Checks a parsed file against the schema, all at once: unknown keys, wrong types, values out of range.
//!
//! Nothing is taken out: a mistyped key's value is read under the key that was meant, and a wrong value is
//! replaced by a stand-in whose place is remembered. So the rest can be read and judged by the rules, a
//! typing mistake hides no other mistake, and no key is reported as missing that is merely wrong.

mod fix;
mod repair;

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::Value;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::diagnostic::{Diagnostic, Findings};
use super::place::Span;
use super::schema::follow;
use super::suggest;
pub(super) use fix::truth;
use repair::stand_in;

pub(super) struct Checked {
    pub(super) found: Findings,
    /// Places of values that are stand-ins: what a rule says of them is not worth hearing.
    pub(super) doubtful: Vec<Span>,
}

/// Reports everything in `file` that the schema does not allow, and puts something readable in its place.
///
/// `text` is what messages quote from.
pub(super) fn check(schema: &Value, text: &str, file: &mut DeTable<'_>) -> Checked {
    let packages = packages(file);
    let mut walk =
        Walk { schema, text, packages: &packages, found: Findings::default(), doubtful: Vec::new() };
    walk.table(schema, "", file);
    Checked { found: walk.found, doubtful: walk.doubtful }
}

struct Walk<'a> {
    schema: &'a Value,
    text: &'a str,
    /// What the images of services are made of, where that is a package.
    packages: &'a BTreeMap<String, String>,
    found: Findings,
    doubtful: Vec<Span>,
}

/// A schema node with the name of what it describes.
struct Place<'a> {
    node: &'a Value,
    /// The key, or `an entry of KEY` in a list.
    name: &'a str,
    path: &'a str,
    /// The key's own explanation, also where the node behind a `$ref` has another.
    about: Option<&'a str>,
}

impl<'a> Walk<'a> {
    fn table(&mut self, node: &Value, path: &str, table: &mut DeTable<'_>) {
        let node = follow(self.schema, node);
        let entries = std::mem::take(table);
        let given: Vec<String> = entries.keys().map(|key| key.get_ref().to_string()).collect();
        for (key, mut value) in entries {
            let name = key.get_ref().to_string();
            let member = node.get("properties").and_then(|properties| properties.get(&name));
            let member = member.or_else(|| node.get("additionalProperties").filter(|any| any.is_object()));
            if let Some(refused) = member.filter(|member| member.get("not").is_some()) {
                self.owned_member(refused, &name, key.span());
                continue;
            }
            if let Some(member) = member {
                self.member(member, path, &name, &mut value);
                table.insert(key, value);
                continue;
            }
            let meant =
                self.unknown_key(node, path, &name, key.span()).filter(|meant| !given.contains(meant));
            if let Some((member, meant)) =
                meant.and_then(|meant| Some((node.get("properties")?.get(&meant)?, meant)))
            {
                // The key is a guess: what would be wrong with its value is not reported on top.
                let mut guess = Walk { found: Findings::default(), doubtful: Vec::new(), ..*self };
                guess.member(member, path, &meant, &mut value);
                self.doubtful.append(&mut guess.doubtful);
                self.meant_value(&meant, key.span().start, &value.span(), &guess.found);
                table.insert(Spanned::new(key.span(), Cow::Owned(meant)), value);
            }
        }
    }

    fn member(&mut self, member: &Value, path: &str, name: &str, value: &mut Spanned<DeValue<'_>>) {
        let place = Place {
            node: follow(self.schema, member),
            name: &format!("`{name}`"),
            path: &if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") },
            about: member.get("description").and_then(Value::as_str),
        };
        self.value(&place, value);
    }

    /// A corrected key would be refused next where its value is wrong too: then both are corrected, or none.
    fn meant_value(&mut self, meant: &str, line: usize, value: &Span, wrong: &Findings) {
        let of_value = wrong.all.iter().find(|wrong| wrong.labels.iter().any(|label| label.span == *value));
        let (Some(next), Some(wrong)) = (of_value, self.found.all.last_mut()) else { return };
        let help = format!("did you mean `{meant}`?");
        match next.edit.as_ref().zip(next.help.as_ref()) {
            Some((edit, why)) if edit.span == *value => {
                wrong.replace(line..value.end, format!("{meant} = {}", edit.text), format!("{help} {why}"));
            }
            _ => {
                wrong.edit = None;
                wrong.help(format!("{help} {}", next.message));
            }
        }
    }

    fn value(&mut self, place: &Place<'_>, value: &mut Spanned<DeValue<'_>>) {
        let span = value.span();
        let options = options(place.node);
        let fits = match (kind(place.node), value.get_mut()) {
            ("object", DeValue::Table(table)) => {
                self.table(place.node, place.path, table);
                true
            }
            ("array", DeValue::Array(list)) => {
                self.list(place, &span, list);
                true
            }
            ("string", DeValue::String(text)) if !options.is_empty() => {
                self.choice(place, &span, text, &options)
            }
            ("string", DeValue::String(text)) => self.length(place, &span, text.chars().count(), TEXT),
            ("integer" | "number", DeValue::Integer(number)) => self.range(place, &span, whole(number)),
            // Infinity and NaN are in no range.
            ("number", DeValue::Float(number)) => {
                self.range(place, &span, number.as_str().replace('_', "").parse().unwrap_or(f64::NAN))
            }
            ("boolean", DeValue::Boolean(_)) => true,
            (wanted, value) => {
                self.wrong_type(place, wanted, &span, value);
                false
            }
        };
        if !fits {
            let key = fix::list_key(place.node, value.get_ref());
            let stand_in = match key.or_else(|| fix::text_key(place.path, value.get_ref())) {
                Some(key) => {
                    let list = std::mem::replace(value.get_mut(), DeValue::Boolean(false));
                    let key = Spanned::new(span.clone(), Cow::Owned(key.to_owned()));
                    let mut table = DeTable::new();
                    table.insert(key, Spanned::new(span.clone(), list));
                    DeValue::Table(table)
                }
                None => stand_in(kind(place.node), &options, value.get_ref()),
            };
            *value.get_mut() = stand_in;
            self.doubtful.push(span);
        }
    }

    fn list(&mut self, place: &Place<'_>, span: &Span, list: &mut DeArray<'_>) {
        if !self.length(place, span, list.len(), LIST) {
            self.doubtful.push(span.clone());
        }
        let Some(items) = place.node.get("items") else { return };
        let entry = Place {
            node: follow(self.schema, items),
            name: &format!("an entry of {}", place.name),
            path: place.path,
            about: place.about,
        };
        let entries = std::mem::replace(list, DeArray::new());
        for mut item in entries {
            self.value(&entry, &mut item);
            list.push(item);
        }
    }

    fn choice(&mut self, place: &Place<'_>, span: &Span, text: &str, options: &[&str]) -> bool {
        if options.contains(&text) {
            return true;
        }
        let message = format!("{} must be {}", place.name, suggest::either(options.iter().copied()));
        let wrong = self.found.of("unknown-value").error(message).at(span, "no such choice");
        if let Some(meant) = suggest::choice(text, options) {
            wrong.meant(span, meant);
        }
        false
    }

    fn range(&mut self, place: &Place<'_>, span: &Span, number: f64) -> bool {
        let Some((bounds, excess)) = beyond(place.node, number, "minimum", "maximum") else { return true };
        let message = format!("{} must be {bounds}", place.name);
        let wrong = self.found.of("out-of-range").error(message).at(span, excess);
        if let Some((text, advice)) = fix::of_range(place.path, number) {
            wrong.replace(span, text, advice);
        }
        explain(wrong, place);
        false
    }

    fn length(&mut self, place: &Place<'_>, span: &Span, length: usize, of: Length) -> bool {
        let Some((bounds, _)) = beyond(place.node, length as f64, of.min, of.max) else { return true };
        let message = format!("{} must have {bounds} {}", place.name, of.unit);
        let wrong = self.found.of("out-of-range").error(message).at(span, format!("this has {length}"));
        explain(wrong, place);
        false
    }

    fn wrong_type(&mut self, place: &Place<'_>, wanted: &str, span: &Span, value: &DeValue<'_>) {
        let message = format!("{} must be {}", place.name, expected(wanted));
        let wrong = self.found.of("wrong-type").error(message).at(span, format!("this is {}", given(value)));
        let written = self.text.get(span.clone()).unwrap_or_default();
        let mut path = place.path.split('.').skip_while(|part| *part != "service");
        // What a sidecar's image is made of is not looked for.
        let service = path.nth(1).filter(|_| path.next() != Some("sidecar"));
        let package = service.and_then(|service| self.packages.get(service)).map(String::as_str);
        let in_table = || {
            let list = fix::list_key(place.node, value);
            let key = list.or_else(|| fix::text_key(place.path, value))?;
            let what = if list.is_some() { "list" } else { "text" };
            Some((format!("{{ {key} = {written} }}"), format!("the {what} is `{key}` of a table")))
        };
        if let Some((text, advice)) =
            fix::of_type(place.path, wanted, value, written, package).or_else(in_table)
        {
            wrong.replace(span, text, advice);
        } else if let Some(advice) = fix::advice(place.path) {
            wrong.help(advice);
        }
        explain(wrong, place);
    }

    /// Reports a member of AWS that the tool decides.
    fn owned_member(&mut self, refused: &Value, name: &str, span: Span) {
        let wrong = self.found.of("owned-member").error(format!("`{name}` is not for an `aws` table"));
        wrong.at(&span, "the tool sets it").help(refused["description"].as_str().unwrap_or_default());
    }

    /// Reports the key; returns the one that was meant, if it can be guessed.
    fn unknown_key(&mut self, node: &Value, path: &str, key: &str, span: Span) -> Option<String> {
        let here = if path.is_empty() { "the top of the file".to_owned() } else { format!("`{path}`") };
        let known = allowed(node);
        let names = || known.iter().map(|(name, _)| name.as_str());
        let tables = self.tables(&known, key, path);
        let wrong = self.found.of("unknown-key").error(format!("unknown key `{key}`"));
        wrong.at(&span, format!("there is no such key in {here}"));
        if let Some(answer) = suggest::answer(key).filter(|_| tables.is_empty()) {
            wrong.help(answer);
            return None;
        }
        // The `aws` tables have so many words that each typing mistake is one of them.
        let elsewhere = tables.iter().any(|table| !table.contains(".aws."));
        // A key that lacks its last letter is nearer than the same word of another table.
        let plural = |meant: &str| meant.strip_suffix('s') == Some(key);
        let near = suggest::closest(key, names()).filter(|meant| !elsewhere || plural(meant));
        let meant = suggest::another_word(key, names()).or(near);
        match (meant, tables.as_slice()) {
            (Some(meant), _) => wrong.replace(&span, meant, format!("did you mean `{meant}`?")),
            (None, []) => wrong.note(format!("its keys are {}", suggest::all(names()))),
            (None, tables) => wrong
                .help(format!("`{key}` is a key of {}", suggest::either(tables.iter().map(String::as_str)))),
        };
        meant.map(str::to_owned)
    }

    /// The tables that have the key: below this one; else in the service that this one belongs to; else the file itself.
    fn tables(&self, known: &[(&String, &Value)], key: &str, path: &str) -> Vec<String> {
        let below = self.deeper(known, key, path);
        if !below.is_empty() {
            return below;
        }
        let parts: Vec<&str> = path.split('.').collect();
        let of_service = parts.iter().position(|part| *part == "service").filter(|at| parts.len() > at + 2);
        if let Some(at) = of_service {
            let service = parts[..=at + 1].join(".");
            let keys = self.schema.pointer("/definitions/Service").map(allowed).unwrap_or_default();
            let own = keys.iter().any(|(name, _)| *name == key).then(|| format!("[{service}]"));
            return own.into_iter().chain(self.deeper(&keys, key, &service)).collect();
        }
        Vec::new()
    }

    /// The tables below these properties that have the key.
    fn deeper(&self, properties: &[(&String, &Value)], key: &str, path: &str) -> Vec<String> {
        let mut tables = Vec::new();
        for (name, member) in properties {
            let below = allowed(follow(self.schema, member));
            let path = if path.is_empty() { (*name).clone() } else { format!("{path}.{name}") };
            if below.iter().any(|(name, _)| *name == key) {
                tables.push(format!("[{path}]"));
            }
            tables.extend(self.deeper(&below, key, &path));
        }
        tables
    }
}

/// The keys that a table may have.
fn allowed(node: &Value) -> Vec<(&String, &Value)> {
    let all = node.get("properties").and_then(Value::as_object).into_iter().flatten();
    all.filter(|(_, member)| member.get("not").is_none()).collect()
}

/// The packages that the services' images are made of, as the common part of the file has them.
fn packages(file: &DeTable<'_>) -> BTreeMap<String, String> {
    let services = file.get("service").and_then(|services| services.get_ref().as_table());
    let package = |service: &Spanned<DeValue<'_>>| {
        let build = service.get_ref().as_table()?.get("build")?.get_ref().as_table()?;
        Some(build.get("cargo")?.get_ref().as_str()?.to_owned())
    };
    let named = services.into_iter().flatten();
    named.filter_map(|(key, service)| Some((key.get_ref().to_string(), package(service)?))).collect()
}

/// A length and the schema's words for its bounds.
#[derive(Clone, Copy)]
struct Length {
    unit: &'static str,
    min: &'static str,
    max: &'static str,
}

const TEXT: Length = Length { unit: "characters", min: "minLength", max: "maxLength" };
const LIST: Length = Length { unit: "entries", min: "minItems", max: "maxItems" };

/// The node's bounds in words, and how the number breaks them; `None` where it does not.
fn beyond(node: &Value, number: f64, min: &str, max: &str) -> Option<(String, String)> {
    let bound = |keyword: &str| node.get(keyword).and_then(Value::as_f64);
    let (low, high) = (bound(min), bound(max));
    let excess = match (low, high) {
        (_, _) if number.is_nan() => "not a number".to_owned(),
        (Some(low), _) if number < low => format!("less than {low}"),
        (_, Some(high)) if number > high => format!("more than {high}"),
        _ => return None,
    };
    let bounds = match (low, high) {
        (Some(low), Some(high)) => format!("{low} to {high}"),
        (Some(low), None) => format!("at least {low}"),
        (None, Some(high)) => format!("at most {high}"),
        (None, None) => "a number".to_owned(),
    };
    Some((bounds, excess))
}

/// TOML's integers have signs, underscores and radixes; one too long for `i128` is beyond every range.
fn whole(number: &toml::de::DeInteger<'_>) -> f64 {
    i128::from_str_radix(&number.as_str().replace('_', ""), number.radix())
        .map_or(f64::INFINITY, |whole| whole as f64)
}

fn explain(wrong: &mut Diagnostic, place: &Place<'_>) {
    if let Some(about) = place.about {
        wrong.note(about.replace('\n', " "));
    }
}

/// The node's type; a node of alternatives holds texts, for all our enumerations are texts.
fn kind(node: &Value) -> &str {
    node.get("type").and_then(Value::as_str).unwrap_or("string")
}

/// The texts that an enumeration allows; empty for anything else.
fn options(node: &Value) -> Vec<&str> {
    // Choices with a description are alternatives of their own; those without share one.
    let alternatives = entries(node, "oneOf");
    let consts = alternatives.clone().filter_map(|option| option.get("const"));
    let shared = alternatives.flat_map(|option| entries(option, "enum"));
    consts.chain(shared).chain(entries(node, "enum")).filter_map(Value::as_str).collect()
}

fn entries<'a>(node: &'a Value, list: &str) -> std::iter::Flatten<std::option::IntoIter<&'a Vec<Value>>> {
    node.get(list).and_then(Value::as_array).into_iter().flatten()
}

fn expected(kind: &str) -> &'static str {
    match kind {
        "object" => "a table",
        "array" => "a list",
        "integer" => "a whole number",
        "number" => "a number",
        "boolean" => "`true` or `false`",
        _ => "a text in quotes",
    }
}

fn given(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "`true` or `false`",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
