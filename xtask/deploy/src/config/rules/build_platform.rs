//! An image is built for the processor that its tasks get.
//!
//! Source: ECS RegisterTaskDefinition, runtimePlatform.cpuArchitecture; image-spec v1.1, "Image Index": platform names.

use super::{Diagnostic, Rule, Scope};
use crate::model::Architecture;

pub(super) const RULE: Rule =
    Rule { code: "build-platform", about: "An image is built for the processor that its tasks get.", check };

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    for (service, at) in scope.services() {
        let Some(platform) = &service.build.platform else { continue };
        let place = at.key("build.platform");
        let mut parts = platform.split('/');
        let named = (parts.next(), parts.next(), parts.next(), parts.next());
        let built = match named {
            (Some("linux"), Some("amd64"), None | Some("v1" | "v2" | "v3" | "v4"), None) => {
                Architecture::X86_64
            }
            (Some("linux"), Some("arm64"), None | Some("v8"), None) => Architecture::Arm64,
            _ => {
                found.push(
                    Diagnostic::error(RULE.code, format!("no platform that a task can have: `{}`", platform))
                        .at(&place, "neither `linux/amd64` nor `linux/arm64`")
                        .note("one image is built, and Fargate runs it on one of these")
                        .help("take it out: `architecture` decides"),
                );
                continue;
            }
        };
        if built != service.architecture {
            let wanted = match service.architecture {
                Architecture::X86_64 => "linux/amd64",
                Architecture::Arm64 => "linux/arm64",
            };
            found.push(
                Diagnostic::error(RULE.code, "the image is for another processor than the tasks")
                    .at(&place, "the image's")
                    .at(at.key("architecture"), "the tasks'")
                    .note("such a task dies with `exec format error`")
                    .help(format!("take it out, or say `{wanted}`")),
            );
        }
    }
}
