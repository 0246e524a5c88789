//! Round trips, and what is noticed as foreign.

use aws_sdk_ecs::types::{
    EphemeralStorage, HostEntry, MountPoint, OsFamily, PortMapping, RuntimePlatform, Ulimit, UlimitName,
    Volume,
};

use super::*;

fn spec() -> TaskDefinitionSpec {
    let container = ContainerSpec {
        name: "backend".into(),
        image: "registry/ielts-backend@sha256:aa".into(),
        port: Some(8080),
        port_name: Some("backend".into()),
        app_protocol: Some("http".into()),
        environment: BTreeMap::from([("PORT".into(), "8080".into()), ("EMPTY".into(), String::new())]),
        secrets: BTreeMap::from([("KEY".into(), "arn:aws:ssm:r:1:parameter/key".into())]),
        health_check: Some(HealthCommandSpec {
            command: vec!["CMD".into(), "/app/backend".into(), "probe".into()],
            interval_secs: 10,
            timeout_secs: 5,
            retries: 3,
            start_period_secs: 30,
        }),
        logs: Some(LogSpec { group: "/ecs/backend".into(), region: "r".into(), prefix: "backend".into() }),
        stop_timeout_secs: Some(30),
        readonly_root: true,
        mounts: BTreeMap::from([("/managed-agents".into(), "agents".into())]),
        init_process: true,
        essential: true,
    };
    TaskDefinitionSpec {
        family: "ielts-backend".into(),
        cpu: 256,
        memory_mib: 512,
        architecture: "X86_64".into(),
        operating_system: "LINUX".into(),
        execution_role: Some("arn:aws:iam::1:role/execution".into()),
        task_role: None,
        containers: vec![container],
    }
}

/// What DescribeTaskDefinition shows of a registered spec.
fn described(spec: &TaskDefinitionSpec) -> TaskDefinition {
    let mut containers: Vec<_> =
        spec.containers.iter().map(|container| write_container(container).unwrap()).collect();
    for container in &mut containers {
        container.mount_points.get_or_insert_with(Vec::new);
        container.volumes_from = Some(Vec::new());
        container.system_controls = Some(Vec::new());
        container.privileged = Some(false);
        for mapping in container.port_mappings.iter_mut().flatten() {
            mapping.host_port = mapping.container_port;
        }
    }
    TaskDefinition::builder()
        .task_definition_arn(format!("arn:aws:ecs:r:1:task-definition/{}:7", spec.family))
        .revision(7)
        .family(&spec.family)
        .cpu(spec.cpu.to_string())
        .memory(spec.memory_mib.to_string())
        .network_mode(NetworkMode::Awsvpc)
        .requires_compatibilities(Compatibility::Fargate)
        .compatibilities(Compatibility::Ec2)
        .compatibilities(Compatibility::Fargate)
        .set_execution_role_arn(spec.execution_role.clone())
        .set_task_role_arn(spec.task_role.clone())
        .set_container_definitions(Some(containers))
        .registered_by("arn:aws:iam::1:user/ci")
        .registered_at(aws_smithy_types::DateTime::from_secs(1))
        .set_volumes(write_volumes(spec))
        .set_placement_constraints(Some(Vec::new()))
        .build()
}

fn container(found: &mut TaskDefinition) -> &mut ContainerDefinition {
    found.container_definitions.as_mut().unwrap().first_mut().unwrap()
}

#[test]
fn a_deploy_that_changes_nothing_finds_what_it_registered() {
    assert_eq!(read_task_definition(&described(&spec())), Some(spec()));
}

#[test]
fn awss_defaults_are_written_out() {
    let mut found = described(&spec());
    let health = &mut container(&mut found).health_check.as_mut().unwrap();
    (health.interval, health.timeout, health.retries, health.start_period) = (None, None, None, None);
    container(&mut found).essential = None;
    let read = read_task_definition(&found).unwrap();
    let health = read.containers[0].health_check.as_ref().unwrap();
    assert_eq!(
        (health.interval_secs, health.timeout_secs, health.retries, health.start_period_secs),
        (30, 5, 3, 0)
    );
    assert!(read.containers[0].essential);
}

#[test]
fn the_order_of_containers_means_nothing() {
    let mut two = spec();
    two.containers.insert(0, ContainerSpec { name: "agent".into(), ..spec().containers[0].clone() });
    let mut found = described(&two);
    found.container_definitions.as_mut().unwrap().reverse();
    assert_eq!(read_task_definition(&found), Some(two));
}

#[test]
fn what_somebody_added_by_hand_is_noticed_and_not_lost_silently() {
    type Change = fn(&mut TaskDefinition);
    let foreign: [(&str, Change); 12] = [
        ("volume", |found| found.volumes = Some(vec![Volume::builder().name("data").build()])),
        ("ephemeral storage", |found| {
            found.ephemeral_storage = Some(EphemeralStorage::builder().size_in_gib(50).build());
        }),
        ("fault injection", |found| found.enable_fault_injection = Some(true)),
        ("network mode", |found| found.network_mode = Some(NetworkMode::Bridge)),
        ("EC2 as well", |found| {
            found.requires_compatibilities = Some(vec![Compatibility::Ec2, Compatibility::Fargate])
        }),
        ("mount", |found| container(found).mount_points = Some(vec![MountPoint::builder().build()])),
        ("user", |found| container(found).user = Some("root".into())),
        ("hosts", |found| {
            let entry = HostEntry::builder().hostname("db").ip_address("10.0.0.1").build().unwrap();
            container(found).extra_hosts = Some(vec![entry]);
        }),
        ("limits", |found| {
            let limit =
                Ulimit::builder().name(UlimitName::Nofile).soft_limit(1).hard_limit(1).build().unwrap();
            container(found).ulimits = Some(vec![limit]);
        }),
        ("second port", |found| {
            container(found)
                .port_mappings
                .as_mut()
                .unwrap()
                .push(PortMapping::builder().container_port(1).build());
        }),
        ("log option", |found| {
            let logs = container(found).log_configuration.as_mut().unwrap();
            logs.options.as_mut().unwrap().insert("mode".into(), "blocking".into());
        }),
        ("container memory", |found| container(found).memory = Some(128)),
    ];
    for (what, change) in foreign {
        let mut found = described(&spec());
        change(&mut found);
        assert_eq!(read_task_definition(&found), None, "{what}");
    }
}

#[test]
fn another_platform_is_a_difference_and_not_foreign() {
    let mut found = described(&spec());
    found.runtime_platform =
        Some(RuntimePlatform::builder().operating_system_family(OsFamily::WindowsServer2022Core).build());
    let read = read_task_definition(&found).unwrap();
    assert_eq!(
        (read.architecture.as_str(), read.operating_system.as_str()),
        ("X86_64", "WINDOWS_SERVER_2022_CORE")
    );
}
