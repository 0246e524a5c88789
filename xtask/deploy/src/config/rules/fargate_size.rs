//! Fargate has tasks of certain sizes only.
//!
//! Source: ECS developer guide, task definition differences for Fargate (CPU and memory).
//! RegisterTaskDefinition refuses others with "No Fargate configuration exists for given values".

use super::{Diagnostic, Rule, Scope};

pub(super) const RULE: Rule =
    Rule { code: "fargate-size", about: "CPU and memory are a size that Fargate has.", check };

/// CPU units, and for each the memory in MiB: least, most, step.
const SIZES: [(u32, u32, u32, u32); 7] = [
    // 256 units take 512, 1024 and 2048, which is no even step: see `memories`.
    (256, 512, 2048, 512),
    (512, 1024, 4096, 1024),
    (1024, 2048, 8192, 1024),
    (2048, 4096, 16384, 1024),
    (4096, 8192, 30720, 1024),
    (8192, 16384, 61440, 4096),
    (16384, 32768, 122_880, 8192),
];

/// 32 vCPU come with 60, 120 or 244 GiB.
const LARGEST: (u32, [u32; 3]) = (32768, [61440, 122_880, 249_856]);

/// The memory sizes in MiB for so many CPU units; empty when Fargate has no such CPU size.
fn memories(cpu: u32) -> Vec<u32> {
    if cpu == LARGEST.0 {
        return LARGEST.1.to_vec();
    }
    let Some(&(_, least, most, step)) = SIZES.iter().find(|(units, ..)| *units == cpu) else {
        return Vec::new();
    };
    (least..=most).step_by(step as usize).filter(|&memory| (cpu, memory) != (256, 1536)).collect()
}

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    for (service, at) in scope.services() {
        let (cpu, memory) = (service.cpu, service.memory_mib);
        let (cpu_at, memory_at) = (at.key("cpu"), at.key("memory-mib"));
        let sizes = memories(cpu);
        if sizes.is_empty() {
            let units: Vec<String> = SIZES.iter().map(|(units, ..)| units.to_string()).collect();
            found.push(
                Diagnostic::error(RULE.code, format!("Fargate has no tasks with {} CPU units", cpu))
                    .at(cpu_at, "no such size")
                    .note(format!("the sizes are {} and {}", units.join(", "), LARGEST.0)),
            );
        } else if !sizes.contains(&memory) {
            let fits =
                sizes.iter().find(|&&size| size >= memory).or(sizes.last()).copied().unwrap_or_default();
            found.push(
                Diagnostic::error(
                    RULE.code,
                    format!("Fargate has no tasks with {} CPU units and {} MiB", cpu, memory),
                )
                .at(cpu_at, format!("`cpu` is {}", cpu))
                .at(&memory_at, format!("`memory-mib` is {}", memory))
                .note(format!("with {} CPU units it has {}", cpu, spelled(&sizes)))
                .replace(
                    &memory_at,
                    fits.to_string(),
                    format!("the nearest size is `memory-mib = {fits}`"),
                ),
            );
        }
    }
}

fn spelled(sizes: &[u32]) -> String {
    match sizes {
        [first, second, .., last] if sizes.len() > 4 => format!("{first}, {second} … {last} MiB"),
        _ => format!("{} MiB", sizes.iter().map(u32::to_string).collect::<Vec<_>>().join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_awss() {
        assert_eq!(memories(256), [512, 1024, 2048]);
        assert_eq!(memories(512), [1024, 2048, 3072, 4096]);
        for (cpu, least, most, count) in [
            (1024, 2048, 8192, 7),
            (2048, 4096, 16384, 13),
            (4096, 8192, 30720, 23),
            (8192, 16384, 61440, 12),
            (16384, 32768, 122_880, 12),
            (32768, 61440, 249_856, 3),
        ] {
            let sizes = memories(cpu);
            assert_eq!(
                (sizes.first(), sizes.last(), sizes.len()),
                (Some(&least), Some(&most), count),
                "{cpu}"
            );
        }
        assert!(memories(1000).is_empty());
    }
}
