//! What a value that the schema refuses was meant to be, where that is plain.

use serde_json::Value;
use toml::de::DeValue;

use super::whole;

/// The text that corrects it, and the advice that goes with it.
pub(super) type Fix = (String, String);

/// For a value of the wrong type. `written` is its text in the file; `package` what the service's image is made of, if
/// it is made of one.
pub(super) fn of_type(
    path: &str,
    wanted: &str,
    value: &DeValue<'_>,
    written: &str,
    package: Option<&str>,
) -> Option<Fix> {
    let fix = |text: String, advice: &str| Some((text, advice.to_owned()));
    match (wanted, value) {
        // What is no account would be refused next.
        ("string", DeValue::Integer(_)) if key(path) == "account" && written.len() != 12 => None,
        ("string", DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_)) => {
            fix(format!("\"{written}\""), "put it in quotes")
        }
        ("integer" | "number", DeValue::String(text)) if text.parse::<f64>().is_ok() => {
            fix(text.to_string(), "remove the quotes")
        }
        ("integer" | "number", DeValue::String(text)) => measured(path, text),
        ("integer", DeValue::Float(number)) => {
            vcpus(path, number.as_str().parse().ok()?).map(|units| (units, VCPUS.to_owned()))
        }
        ("boolean", DeValue::String(text)) if ["true", "false"].contains(&&**text) => {
            fix(text.to_string(), "remove the quotes")
        }
        ("boolean", DeValue::String(text)) => {
            let truth = truth(text)?;
            fix(truth.to_owned(), &format!("did you mean `{truth}`?"))
        }
        ("boolean", DeValue::Integer(number)) if whole(number) == 0.0 || whole(number) == 1.0 => {
            let truth = whole(number) == 1.0;
            fix(truth.to_string(), &format!("did you mean `{truth}`?"))
        }
        ("array", DeValue::String(_)) if path.ends_with("health-check.command") => match package {
            Some(package) => fix(
                format!("[\"CMD\", \"/app/{package}\", \"probe\"]"),
                "the image of a package has no shell and no other program: run the binary's own probe",
            ),
            None => fix(format!("[\"CMD-SHELL\", {written}]"), "name the form first: this is for a shell"),
        },
        ("array", DeValue::String(text)) if ["command", "entry-point"].contains(&key(path)) => {
            command_line(text, package)
        }
        ("object", DeValue::String(name)) if key(path) == "capacity-providers" => fix(
            format!("{{ name = \"{name}\" }}"),
            "an entry is a table: it may have a `weight` and a `base` too",
        ),
        ("object", DeValue::Array(list)) if list.len() == 1 && list[0].get_ref().is_table() => {
            let table = written.strip_prefix('[')?.strip_suffix(']')?.trim().trim_end_matches(',');
            fix(table.trim_end().to_owned(), "it is one table: remove the brackets")
        }
        ("array", DeValue::String(_) | DeValue::Table(_)) if written.starts_with(['"', '\'', '{']) => {
            fix(format!("[{written}]"), "put it in brackets")
        }
        _ => None,
    }
}

/// The key of a table that a list of texts was meant for: the only one that takes such a list.
pub(super) fn list_key<'a>(node: &'a Value, value: &DeValue<'_>) -> Option<&'a str> {
    let list = value.as_array().filter(|list| list.iter().all(|item| item.get_ref().is_str()))?;
    let properties = node.get("properties")?.as_object().filter(|_| !list.is_empty())?;
    let mut lists = properties.iter().filter(|(_, member)| {
        member["type"] == "array" && member.pointer("/items/type").is_some_and(|kind| kind == "string")
    });
    let (key, _) = lists.next()?;
    lists.next().is_none().then_some(key)
}

/// The key of `build` that a text was meant for.
pub(super) fn text_key(path: &str, value: &DeValue<'_>) -> Option<&'static str> {
    let text = value.as_str().filter(|_| key(path) == "build")?;
    Some(if text.contains(['/', '.']) || text == "Dockerfile" { "dockerfile" } else { "cargo" })
}

/// What is said of a value of the wrong type that nothing can be put in place of.
pub(super) fn advice(path: &str) -> Option<&'static str> {
    Some(match key(path) {
        "account" => {
            "12 digits in quotes: `aws sts get-caller-identity --query Account --output text` prints it"
        }
        "tls" => "name the certificate authority: `tls = { issuer = \"arn:aws:acm-pca:…\" }`",
        _ => return None,
    })
}

/// A command line as its words: nothing splits a text. What a shell would read gets one, where the image may have it.
fn command_line(text: &str, package: Option<&str>) -> Option<Fix> {
    let quoted = |word: &str| serde_json::json!(word).to_string();
    if !text.contains(|c: char| "|&;<>()$`*?'\"\\\n".contains(c)) {
        let words: Vec<String> = text.split_whitespace().map(quoted).collect();
        return Some((
            format!("[{}]", words.join(", ")),
            "give each word by itself: no shell reads it".to_owned(),
        ));
    }
    let shell =
        || (format!("[\"sh\", \"-c\", {}]", quoted(text)), "this is for a shell: start one".to_owned());
    package.is_none().then(shell)
}

/// For a number that is too small because it counts something larger.
pub(super) fn of_range(path: &str, number: f64) -> Option<Fix> {
    match key(path) {
        "cpu" => vcpus(path, number).map(|units| (units, VCPUS.to_owned())),
        "memory-mib" if (1.0..=244.0).contains(&number) && number.fract() == 0.0 => Some((
            format!("{}", number * 1024.0),
            format!("it is in MiB: {number} GiB are {}", number * 1024.0),
        )),
        _ => None,
    }
}

const VCPUS: &str = "it is in CPU units: 1024 are one vCPU";

fn vcpus(path: &str, number: f64) -> Option<String> {
    let units = number * 1024.0;
    (key(path) == "cpu" && (256.0..=32768.0).contains(&units) && units.fract() == 0.0)
        .then(|| units.to_string())
}

/// As other languages and tools write a truth.
pub(in crate::config) fn truth(text: &str) -> Option<&'static str> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "y" | "on" | "1" | "enabled" => Some("true"),
        "false" | "no" | "n" | "off" | "0" | "disabled" => Some("false"),
        _ => None,
    }
}

/// A number with a unit, in the unit of the key: `"1GB"` of `memory-mib` is 1024.
fn measured(path: &str, text: &str) -> Option<Fix> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = (text[..end].parse::<f64>().ok()?, text[end..].trim().to_ascii_lowercase());
    let key = key(path);
    let unit = unit.as_str();
    let factor = match key.rsplit('-').next().unwrap_or(key) {
        "mib" => match unit {
            "m" | "mb" | "mi" | "mib" => 1.0,
            "g" | "gb" | "gi" | "gib" => 1024.0,
            _ => return None,
        },
        "gib" => match unit {
            "g" | "gb" | "gi" | "gib" => 1.0,
            "t" | "tb" | "ti" | "tib" => 1024.0,
            _ => return None,
        },
        "secs" => match unit {
            "s" | "sec" | "secs" | "second" | "seconds" => 1.0,
            "m" | "min" | "mins" | "minute" | "minutes" => 60.0,
            "h" | "hour" | "hours" => 3600.0,
            _ => return None,
        },
        "days" => match unit {
            "d" | "day" | "days" => 1.0,
            "w" | "week" | "weeks" => 7.0,
            _ => return None,
        },
        "cpu" if ["vcpu", "vcpus", "cpu", "cpus"].contains(&unit) => 1024.0,
        "percent" | "target" if unit == "%" => 1.0,
        _ => return None,
    };
    let number = number * factor;
    // A fraction has no exact value in the unit of the key, such as half a second: then there is no suggestion.
    (number.fract() == 0.0)
        .then(|| (number.to_string(), "give the number alone; the key says the unit".to_owned()))
}

fn key(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_with_a_unit_becomes_one_in_the_unit_of_the_key() {
        for (path, text, number) in [
            ("service.a.memory-mib", "512MB", Some("512")),
            ("service.a.memory-mib", "1 GiB", Some("1024")),
            ("a.interval-secs", "30s", Some("30")),
            ("a.settle-secs", "1.5m", Some("90")),
            ("a.settle-secs", "500ms", None),
            ("a.retention-days", "2 weeks", Some("14")),
            ("service.a.cpu", "0.5 vCPU", Some("512")),
            ("service.a.ephemeral-storage-gib", "50 GB", Some("50")),
            ("a.minimum-healthy-percent", "50%", Some("50")),
            ("a.port", "8080/tcp", None),
            ("a.cpu", "", None),
        ] {
            assert_eq!(measured(path, text).map(|fix| fix.0).as_deref(), number, "{path} {text}");
        }
    }
}
