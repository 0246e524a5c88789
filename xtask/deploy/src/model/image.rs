//! The name of an image that somebody else builds: which registry has it, and under which tag or digest.

use std::fmt;

use super::ImageDigest;

/// Docker Hub, as ECS and every engine assume where a name has no registry.
const HUB: &str = "docker.io";
/// Where Docker Hub's registry answers; `docker.io` itself is a web site.
const HUB_REGISTRY: &str = "registry-1.docker.io";

/// Such as `public.ecr.aws/nginx/nginx:1.27` or `nginx@sha256:…`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageName {
    /// As it is written, without tag and digest: a task definition takes it so.
    pub written: String,
    /// The registry's host, with its port where it has one.
    pub host: String,
    /// The repository in the registry.
    pub repository: String,
    pub tag: Option<String>,
    pub digest: Option<ImageDigest>,
}

impl ImageName {
    /// Reads a reference; `Err` says what is wrong with it.
    ///
    /// # Errors
    /// A clause, such as `names neither a tag nor a digest`.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (text, None),
        };
        // A colon before the last slash is a port's.
        let name_from = rest.rfind('/').map_or(0, |slash| slash + 1);
        let (written, tag) = match rest[name_from..].split_once(':') {
            Some((name, tag)) => (&rest[..name_from + name.len()], Some(tag)),
            None => (rest, None),
        };
        let hex = |text: &str| {
            text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        match (tag, digest) {
            (None, None) => return Err("names neither a tag nor a digest"),
            (_, Some(digest)) if !digest.strip_prefix("sha256:").is_some_and(hex) => {
                return Err("has a digest that is not `sha256:` and 64 hexadecimal digits");
            }
            (Some(""), _) => return Err("has an empty tag"),
            _ => {}
        }
        let (host, path) = match written.split_once('/') {
            Some((first, path)) if first.contains(['.', ':']) || first == "localhost" => (first, path),
            _ => (HUB, written),
        };
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-/".contains(c);
        if path.is_empty() || !path.chars().all(allowed) || path.split('/').any(str::is_empty) {
            return Err("has a repository that is not of lowercase letters, digits, `.`, `_`, `-` and `/`");
        }
        let official = host == HUB && !path.contains('/');
        Ok(Self {
            written: written.to_owned(),
            host: if host == HUB { HUB_REGISTRY } else { host }.to_owned(),
            repository: if official { format!("library/{path}") } else { path.to_owned() },
            tag: tag.map(str::to_owned),
            digest: digest.map(|digest| ImageDigest(digest.to_owned())),
        })
    }

    /// Account and region, where the registry is an ECR.
    pub fn ecr(&self) -> Option<(&str, &str)> {
        let (account, rest) = self.host.split_once(".dkr.")?;
        let rest = rest.strip_prefix("ecr.").or_else(|| rest.strip_prefix("ecr-fips."))?;
        let region =
            rest.strip_suffix(".amazonaws.com").or_else(|| rest.strip_suffix(".amazonaws.com.cn"))?;
        let digits = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
        digits.then_some((account, region))
    }
}

impl fmt::Display for ImageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.digest, &self.tag) {
            (Some(digest), _) => write!(f, "{}@{digest}", self.written),
            (None, tag) => write!(f, "{}:{}", self.written, tag.as_deref().unwrap_or_default()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_as_ecs_and_the_engines_read_it() {
        let cases = [
            ("nginx:1.27", "nginx", "registry-1.docker.io", "library/nginx"),
            ("grafana/grafana:11", "grafana/grafana", "registry-1.docker.io", "grafana/grafana"),
            ("public.ecr.aws/nginx/nginx:1", "public.ecr.aws/nginx/nginx", "public.ecr.aws", "nginx/nginx"),
            ("localhost:5000/app:v1", "localhost:5000/app", "localhost:5000", "app"),
        ];
        for (text, written, host, repository) in cases {
            let name = ImageName::parse(text).unwrap();
            assert_eq!((&*name.written, &*name.host, &*name.repository), (written, host, repository));
            assert_eq!(name.to_string(), text);
        }
    }

    #[test]
    fn what_can_move_or_is_no_name_is_refused() {
        for text in ["nginx", "nginx:", "nginx@sha256:12", "Nginx:1", "a//b:1", "ghcr.io/:1"] {
            assert!(ImageName::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_ecr_of_another_account_or_region_is_known_by_its_host() {
        let of = |host: &str| ImageName::parse(&format!("{host}/a/b:1")).unwrap();
        let other = of("111122223333.dkr.ecr.eu-west-1.amazonaws.com");
        assert_eq!(other.ecr(), Some(("111122223333", "eu-west-1")));
        assert_eq!(of("ghcr.io").ecr(), None);
        assert_eq!(of("1.dkr.ecr.eu-west-1.amazonaws.com").ecr(), None);
    }
}
