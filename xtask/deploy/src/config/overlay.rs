//! Lays one table over another, key by key, as `[env.prod]` lies over the common values.
//!
//! Works on the parsed text and not on types, so that one short function serves every table, and every
//! value keeps the place where it was written: a rule then blames the line that is at fault.

use std::borrow::Cow;

use toml::de::{DeTable, DeValue};

/// Keys whose texts belong to the application or its build: a `{env}` there may be theirs.
const VERBATIM: [&str; 5] = ["environment", "build", "health-check", "command", "entry-point"];

/// Lays `over` on `base`: tables are merged member by member, all else (lists too) is replaced.
pub(super) fn lay<'i>(base: &mut DeTable<'i>, over: DeTable<'i>) {
    for (key, mut value) in over {
        let below = base.get_mut(&key).map(toml::Spanned::get_mut);
        if let (Some(DeValue::Table(below)), DeValue::Table(above)) = (below, value.get_mut()) {
            lay(below, std::mem::take(above));
        } else {
            // Removed first: a map keeps the old key, and with it the old key's place.
            base.remove(&key);
            base.insert(key, value);
        }
    }
}

/// The file as one environment sees it: common values, then the environment's own, and in each service
/// what `[every-service]` says and the service does not.
pub(super) fn environment<'i>(file: &DeTable<'i>, name: &str) -> DeTable<'i> {
    let mut merged = file.clone();
    merged.remove("default-env");
    if let Some(DeValue::Table(mut environments)) = merged.remove("env").map(toml::Spanned::into_inner)
        && let Some(DeValue::Table(own)) = environments.remove(name).map(toml::Spanned::into_inner)
    {
        lay(&mut merged, own);
    }
    let every = merged.remove("every-service").map(toml::Spanned::into_inner);
    if let Some(DeValue::Table(every)) = every
        && let Some(DeValue::Table(services)) = merged.get_mut("service").map(toml::Spanned::get_mut)
    {
        for (_, service) in services.iter_mut() {
            if let DeValue::Table(own) = service.get_mut() {
                let mut complete = every.clone();
                lay(&mut complete, std::mem::take(own));
                *own = complete;
            }
        }
    }
    if let Some(DeValue::Table(services)) = merged.get_mut("service").map(toml::Spanned::get_mut) {
        for (key, service) in services.iter_mut() {
            fill(service.get_mut(), "{service}", key.get_ref());
        }
    }
    for (_, value) in merged.iter_mut() {
        fill(value.get_mut(), "{env}", name);
    }
    merged
}

/// Replaces a placeholder in every text below, so that a second environment is a few lines.
fn fill(value: &mut DeValue<'_>, placeholder: &str, with: &str) {
    match value {
        DeValue::String(text) if text.contains(placeholder) => {
            *text = Cow::Owned(text.replace(placeholder, with));
        }
        DeValue::Array(list) => list.iter_mut().for_each(|entry| fill(entry.get_mut(), placeholder, with)),
        DeValue::Table(table) => {
            for (_, below) in table.iter_mut().filter(|(key, _)| !VERBATIM.contains(&&**key.get_ref())) {
                fill(below.get_mut(), placeholder, with);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_filled_in_and_what_belongs_to_the_application_is_left_verbatim() {
        let text = "cluster = 'c-{env}'\n[every-service]\nname = '{env}-{service}'\n\
                    [service.web]\ncontainer = { secrets = { A = '/{env}/a' }, environment = { B = '{env}' } }\n[env.x]\n";
        let file = DeTable::parse(text).unwrap();
        let filled = format!("{:?}", environment(file.get_ref(), "x"));
        for wanted in ["\"c-x\"", "\"x-web\"", "\"/x/a\"", "\"{env}\""] {
            assert!(filled.contains(wanted), "{wanted} is not in {filled}");
        }
    }
}
