//! What tasks read beside their images: volumes, and files of variables.

use super::{Findings, Place, Rule};
use crate::config::suggest;
use crate::model::{Container, Service, Volume};

pub(super) const RULES: &[Rule] =
    &[Rule::EachService("volume", volume), Rule::EachContainer("environment-file", environment_file)];

/// A volume is mounted at a path of its own, and is what its keys say.
///
/// Source: ECS API, EFSVolumeConfiguration and MountPoint. RegisterTaskDefinition refuses a folder beside an access point.
fn volume(service: &Service, at: &Place<'_>, found: &mut Findings) {
    for volume in &service.volumes {
        let at = at.key("volume").key(&volume.name);
        if volume.is_efs() {
            file_system(volume, &at, found);
        } else if let Some(key) =
            ["path", "access-point", "iam"].into_iter().find(|key| at.key(key).written())
            && !at.key("efs").written()
        {
            found
                .error(format!("`{key}` is about a file system, and there is none"))
                .at(at.key(key), "without an `efs`")
                .help("name the file system: `efs = \"fs-…\"`");
        }
        let used = service.containers().any(|(_, it)| service.mounts(&it.name).any(|it| it.0 == volume));
        if !used {
            found
                .error(format!("no container has the volume `{}`", volume.name))
                .at(at.name(), "mounted nowhere")
                .help("give it a `mount`, or name it in the `mounts` of a sidecar");
        }
    }
    for sidecar in &service.sidecars {
        let at = at.key("sidecar").key(&sidecar.container.name).key("mounts");
        for name in sidecar.mounts.keys().filter(|name| service.volumes.iter().all(|it| it.name != **name)) {
            let known = service.volumes.iter().map(|volume| volume.name.as_str());
            let wrong = found
                .error(format!("there is no volume `{name}`"))
                .at(at.key(name).name(), "no such volume in this service");
            match suggest::closest(name, known) {
                Some(meant) => wrong.help(format!("did you mean `{meant}`?")),
                None => wrong.help(format!("describe it in `[service.{}.volume.{name}]`", service.key)),
            };
        }
    }
    for (_, container) in service.containers() {
        let tmp = (container.tmp && container.readonly_root).then_some("/tmp");
        let mut taken: Vec<&str> = tmp.into_iter().collect();
        for (volume, path) in service.mounts(&container.name) {
            let own = container.name == service.container.name;
            let at = match own {
                true => at.key("volume").key(&volume.name).key("mount"),
                false => at.key("sidecar").key(&container.name).key("mounts").key(&volume.name),
            };
            if !path.starts_with('/') || path == "/" {
                found.error("a mount is an absolute path below the root").at(&at, "such as `/data`");
            } else if taken.contains(&path.trim_end_matches('/')) {
                found
                    .error(format!("two volumes are at `{path}` of `{}`", container.name))
                    .at(&at, "there is one already")
                    .help("give each a path of its own; `tmp = true` is one at `/tmp`");
            }
            taken.push(path.trim_end_matches('/'));
        }
    }
}

fn file_system(volume: &Volume, at: &Place<'_>, found: &mut Findings) {
    for (id, prefix, key) in
        [(Some(&volume.efs), "fs-", "efs"), (volume.access_point.as_ref(), "fsap-", "access-point")]
    {
        let hexadecimal = |id: &str| !id.is_empty() && id.chars().all(|c| c.is_ascii_hexdigit());
        let is_arn = |id: &str| id.starts_with("arn:");
        if let Some(id) = id.filter(|id| !id.strip_prefix(prefix).is_some_and(hexadecimal)) {
            let wrong = found.error(format!("not an id of EFS: `{id}`")).at(at.key(key), "no such form");
            match is_arn(id) {
                true => wrong.help(format!("give the last part of the ARN, `{prefix}…`")),
                false => wrong.help(format!("it looks like `{prefix}0123456789abcdef0`")),
            };
        }
    }
    if volume.access_point.is_some() && volume.path.as_ref().is_some_and(|path| path != "/") {
        found
            .error("an access point has a folder of its own")
            .at(at.key("access-point"), "an access point")
            .at(at.key("path"), "another folder")
            .note("ECS refuses a folder beside an access point")
            .help("leave one of the two out");
    }
}

/// Files of variables are objects in S3 whose names end in `.env` (ECS API, EnvironmentFile).
fn environment_file(container: &Container, at: &Place<'_>, found: &mut Findings) {
    for (file, at) in container.environment_files.iter().zip(at.key("environment-files").entries()) {
        let parts: Vec<&str> = file.splitn(6, ':').collect();
        let object = match parts.as_slice() {
            ["arn", partition, "s3", "", "", object] if partition.starts_with("aws") => {
                object.split_once('/').map(|(_, key)| key)
            }
            _ => None,
        };
        let wrong = match object {
            None => "no ARN of an object in S3",
            Some(key) if !key.ends_with(".env") => "its name does not end in `.env`",
            Some(_) => continue,
        };
        found
            .error("ECS reads variables from files in S3 only")
            .at(at, wrong)
            .help("upload it, and give its ARN: `arn:aws:s3:::BUCKET/NAME.env`");
    }
}
