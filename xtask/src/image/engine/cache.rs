//! Caches outside the engine, as far as a builder can use them.
//!
//! A cache changes how long a build takes and not what it gives: what a builder cannot use is left out, and said.

use deploy::model::BuildCache;

use super::builder::Kind;

/// The entries that a builder takes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Cache<'a> {
    pub(super) from: Vec<&'a str>,
    pub(super) to: Vec<&'a str>,
    /// Those that it does not.
    pub(super) left: Vec<&'a str>,
}

impl<'a> Cache<'a> {
    pub(super) fn of(kind: Kind, cache: &'a BuildCache) -> Self {
        let all = |entries: &'a [String]| entries.iter().map(String::as_str).collect::<Vec<_>>();
        let (from, to) = (all(&cache.from), all(&cache.to));
        match kind {
            Kind::Buildx => Self { from, to, left: Vec::new() },
            Kind::BuildKit => {
                // It has a client for registries only, and sends nothing but what it builds.
                let (from, mut left): (_, Vec<_>) = from
                    .into_iter()
                    .partition(|entry| entry.starts_with("type=registry,") || !entry.contains('='));
                left.extend(to);
                Self { from, to: Vec::new(), left }
            }
            Kind::Classic | Kind::Buildah => {
                Self { left: from.into_iter().chain(to).collect(), ..Self::default() }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cache_that_a_builder_does_not_know_does_not_fail_the_build() {
        let words = |text: &[&str]| text.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let cache = BuildCache {
            from: words(&["type=gha", "type=registry,ref=example.com/app", "example.com/app:1"]),
            to: words(&["type=gha,mode=max"]),
        };
        let of = |kind| Cache::of(kind, &cache);
        assert_eq!((of(Kind::Buildx).from.len(), of(Kind::Buildx).to.len()), (3, 1));
        assert_eq!(of(Kind::BuildKit).from, ["type=registry,ref=example.com/app", "example.com/app:1"]);
        assert_eq!(of(Kind::BuildKit).left, ["type=gha", "type=gha,mode=max"]);
        assert_eq!((of(Kind::Buildah).from.len(), of(Kind::Classic).left.len()), (0, 4));
    }
}
