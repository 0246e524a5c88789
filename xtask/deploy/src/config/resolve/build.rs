//! `build` → [`Build`].

use super::Needs;
use crate::config::raw;
use crate::config::setting::Setting;
use crate::model::{Build, BuildCache, BuildSecret, Dockerfile};

pub(super) fn build(build: &raw::Build, needs: &mut Needs) -> Build {
    let text = |setting: &Setting<String>| setting.value.clone();
    let Some(file) = build.dockerfile.as_ref().map(text) else {
        return Build::Cargo { package: needs.take("build.cargo", &build.cargo) };
    };
    // A Dockerfile at the top of the workspace has no folder in its path.
    let own = file.rsplit_once('/').map_or(".", |(folder, _)| folder).to_owned();
    let cache = &build.cache.value;
    Build::Dockerfile(Dockerfile {
        context: build.context.as_ref().map(text).unwrap_or(own),
        target: build.target.as_ref().map(text),
        args: build.args.iter().map(|(name, value)| (text(name), text(value))).collect(),
        secrets: build.secrets.iter().map(|(id, secret)| (text(id), self::secret(&secret.value))).collect(),
        platform: build.platform.as_ref().map(text),
        cache: BuildCache {
            from: cache.from.iter().map(text).collect(),
            to: cache.to.iter().map(text).collect(),
        },
        engine: build.engine.as_ref().map(|engine| engine.value),
        file,
    })
}

/// That it has one source is the rule `build-secret`'s matter.
fn secret(secret: &raw::BuildSecret) -> BuildSecret {
    match (&secret.env, &secret.file) {
        (Some(name), _) => BuildSecret::Env(name.value.clone()),
        (None, file) => BuildSecret::File(file.as_ref().map(|file| file.value.clone()).unwrap_or_default()),
    }
}
