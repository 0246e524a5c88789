//! The platform that a service's tasks run on, and whether an image is for it.
//!
//! ECS starts an image of another processor without a word and the task dies with `exec format error`; so
//! the two are compared before anything is registered.

use deploy::model::{Architecture, Platform, ServiceKey};

/// An image that the service's tasks cannot run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the image of {service} is for {}/{}, and its tasks run on {}/{}",
    found.os, found.architecture, wanted.os, wanted.architecture
)]
pub struct Mismatch {
    pub service: ServiceKey,
    pub found: Platform,
    pub wanted: Platform,
}

/// The platform that images for `architecture` have: the OCI name of a task definition's `runtimePlatform`.
pub fn platform(architecture: Architecture) -> Platform {
    let architecture = match architecture {
        Architecture::X86_64 => "amd64",
        Architecture::Arm64 => "arm64",
    };
    Platform { os: "linux".to_owned(), architecture: architecture.to_owned() }
}

/// Whether an image for `found` runs in the tasks of `service`, which have this processor.
///
/// # Errors
/// [`Mismatch`] when it does not.
pub fn check(service: &ServiceKey, architecture: Architecture, found: &Platform) -> Result<(), Mismatch> {
    let wanted = platform(architecture);
    if *found == wanted {
        return Ok(());
    }
    Err(Mismatch { service: service.clone(), found: found.clone(), wanted })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_for_another_processor_is_refused_before_its_tasks_die_of_it() {
        let backend = ServiceKey("backend".to_owned());
        let amd64 = platform(Architecture::X86_64);
        assert_eq!(check(&backend, Architecture::X86_64, &amd64), Ok(()));
        let error = check(&backend, Architecture::Arm64, &amd64).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the image of backend is for linux/amd64, and its tasks run on linux/arm64"
        );
        let windows = Platform { os: "windows".to_owned(), ..amd64 };
        assert!(check(&backend, Architecture::X86_64, &windows).is_err());
    }
}
