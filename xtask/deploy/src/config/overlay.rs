//! Lays one table over another, key by key, as `[env.prod]` lies over the common values.
//!
//! Works on the parsed text and not on types, so that one short function serves every table, and every
//! value keeps the place where it was written: a rule then blames the line that is at fault.

use toml::de::{DeTable, DeValue};

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
    merged
}
