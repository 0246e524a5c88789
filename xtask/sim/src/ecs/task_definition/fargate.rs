//! What Fargate can run: the table of CPU and memory, and the two ways of writing them.

use serde_json::Value;

use crate::ecs::errors::client;
use crate::wire::ApiError;

/// CPU units and the memory in MiB that goes with them: first, last and step
/// (developer guide, "Task CPU and memory"). 256 and 32768 units have lists of their own.
const TABLE: [(u32, u32, u32, u32); 6] = [
    (512, 1024, 4096, 1024),
    (1024, 2048, 8192, 1024),
    (2048, 4096, 16384, 1024),
    (4096, 8192, 30720, 1024),
    (8192, 16384, 61440, 4096),
    (16384, 32768, 122_880, 8192),
];

/// Members that need an instance of one's own (developer guide, "Task definition differences for Fargate").
const OF_THE_TASK: [&str; 2] = ["ipcMode", "placementConstraints"];
const OF_A_VOLUME: [&str; 2] = ["/host/sourcePath", "/dockerVolumeConfiguration"];
const OF_A_CONTAINER: [&str; 11] = [
    "/disableNetworking",
    "/dnsSearchDomains",
    "/dnsServers",
    "/dockerSecurityOptions",
    "/extraHosts",
    "/linuxParameters/devices",
    "/linuxParameters/maxSwap",
    "/linuxParameters/sharedMemorySize",
    "/linuxParameters/swappiness",
    "/links",
    "/privileged",
];

/// Refuses those members, in the words that users quote (terraform-aws-ecs-alb-service-task#174).
pub(super) fn supports(definition: &Value) -> Result<(), ApiError> {
    let list = |name: &str| definition[name].as_array().into_iter().flatten();
    let of_task = OF_THE_TASK.iter().map(|name| (*name, &definition[*name]));
    let within = |item, paths: &'static [&'static str]| {
        paths.iter().filter_map(move |path| Some((*path, Value::pointer(item, path)?)))
    };
    let of_volumes = list("volumes").flat_map(|volume| within(volume, &OF_A_VOLUME));
    let of_containers = list("containerDefinitions").flat_map(|container| within(container, &OF_A_CONTAINER));
    let is_given = |value: &Value| match value {
        Value::Null | Value::Bool(false) => false,
        Value::Array(items) => !items.is_empty(),
        Value::String(text) => !text.is_empty(),
        _ => true,
    };
    match of_task.chain(of_volumes).chain(of_containers).find(|(_, value)| is_given(value)) {
        Some((path, _)) => {
            let member = path.rsplit('/').next().unwrap_or(path);
            Err(client(format!("Fargate compatible task definitions do not support {member}")))
        }
        None => Ok(()),
    }
}

fn fits(cpu: u32, memory: u32) -> bool {
    match cpu {
        256 => [512, 1024, 2048].contains(&memory),
        32768 => [61440, 122_880, 249_856].contains(&memory),
        _ => TABLE.iter().any(|&(units, first, last, step)| {
            units == cpu && (first..=last).contains(&memory) && (memory - first).is_multiple_of(step)
        }),
    }
}

/// The pair as unit numbers, or the error that RegisterTaskDefinition gives.
pub(in crate::ecs) fn size(cpu: Option<&str>, memory: Option<&str>) -> Result<(u32, u32), ApiError> {
    let missing =
        |what: &str| client(format!("Fargate requires that '{what}' be defined at the task level."));
    let cpu = cpu.ok_or_else(|| missing("cpu"))?;
    let memory = memory.ok_or_else(|| missing("memory"))?;
    let units = amount(cpu, "vcpu").ok_or_else(|| client("Invalid 'cpu' setting for task."))?;
    let mib = amount(memory, "gb").ok_or_else(|| client("Invalid 'memory' setting for task."))?;
    if !fits(units, mib) {
        return Err(client(format!(
            "No Fargate configuration exists for given values: {units} CPU, {mib} memory. \
             See the Amazon ECS documentation for the valid values."
        )));
    }
    Ok((units, mib))
}

/// `"512"`, or with its unit: `".5 vCPU"`, `"1 GB"`; one vCPU is 1024 units, one GB 1024 MiB.
pub(super) fn amount(text: &str, unit: &str) -> Option<u32> {
    let lower = text.trim().to_ascii_lowercase();
    match lower.strip_suffix(unit) {
        Some(number) => {
            let number: f64 = number.trim().parse().ok()?;
            let units = number * 1024.0;
            (units >= 0.0 && units <= f64::from(u32::MAX) && units.fract() == 0.0).then_some(units as u32)
        }
        None => lower.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_needs_an_instance_of_one_s_own_is_refused_and_what_is_empty_is_not() {
        let container = |members: Value| json!({ "containerDefinitions": [members] });
        for (definition, member) in [
            (json!({ "ipcMode": "host" }), "ipcMode"),
            (json!({ "volumes": [{ "name": "v", "host": { "sourcePath": "/var/log" } }] }), "sourcePath"),
            (container(json!({ "privileged": true })), "privileged"),
            (container(json!({ "dnsServers": ["10.0.0.2"] })), "dnsServers"),
            (container(json!({ "linuxParameters": { "maxSwap": 0 } })), "maxSwap"),
        ] {
            let refused = supports(&definition).unwrap_err();
            assert!(refused.message.ends_with(&format!("do not support {member}")), "{}", refused.message);
        }
        let empty =
            json!({ "privileged": false, "links": [], "linuxParameters": { "initProcessEnabled": true } });
        supports(&container(empty)).unwrap();
        supports(&json!({ "volumes": [{ "name": "v", "host": {} }], "ipcMode": null })).unwrap();
    }

    #[test]
    fn fargate_sizes_are_those_of_section_5() {
        for (cpu, memory) in [
            ("256", "512"),
            ("256", "2048"),
            ("512", "4096"),
            ("1024", "8192"),
            ("2048", "16384"),
            ("4096", "30720"),
            ("8192", "61440"),
            ("16384", "122880"),
            (".5 vCPU", "1 GB"),
            ("1 vCPU", "2 GB"),
        ] {
            assert!(size(Some(cpu), Some(memory)).is_ok(), "{cpu}/{memory}");
        }
        for (cpu, memory) in [
            ("256", "4096"),
            ("512", "512"),
            ("1024", "1024"),
            ("1000", "2048"),
            ("8192", "17408"),
            ("4096", "31744"),
        ] {
            let error = size(Some(cpu), Some(memory)).unwrap_err();
            assert!(
                error.message.starts_with("No Fargate configuration exists for given values"),
                "{error:?}"
            );
        }
    }

    #[test]
    fn a_size_that_is_no_number_is_refused() {
        for text in ["", "many", "-1 GB", "1e99 GB", "0.0001 GB"] {
            assert!(size(Some("256"), Some(text)).is_err(), "{text}");
        }
        assert_eq!(
            size(None, Some("512")).unwrap_err().message,
            "Fargate requires that 'cpu' be defined at the task level."
        );
    }
}
