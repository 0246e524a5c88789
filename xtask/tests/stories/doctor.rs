//! `doctor`: a sound account has no line but OK, and each fault has exactly its own.

mod broken;

use std::collections::BTreeMap;
use std::net::IpAddr;

use deploy::doctor::{Report, State, judge};
use deploy::event::ExitCode;
use deploy::iam::{Place, policy};
use deploy::model::{CapacityProvider, Environment, Listener, Lookup, Protocol, ProviderName};
use serde_json::json;
use sim::ZoneCertificate;
use xtask::aws::operations::needs;
use xtask::host::Host;
use xtask::observe;

use broken::{allow, certificate, close, encoded, endpoint, group, no_way_out, open_to, query, quota};

use crate::schema;
use crate::somebody::api;
use crate::transcripts::shows;
use crate::workers::workers;
use crate::world::{FILE, World, production, story};

const HOST: &str = "app.example.com";
const PARAMETER: &str = "/ielts/prod/db-password";
const CERTIFICATE: &str = "arn:aws:acm:ap-southeast-1:123456789012:certificate/8c0f";

/// A file with all that `doctor` looks at.
fn environment() -> Environment {
    let mut environment = production(FILE);
    environment.load_balancer.host = Some(HOST.to_owned());
    environment.load_balancer.listener = Listener {
        port: 443,
        protocol: Protocol::Https,
        certificate: Some(CERTIFICATE.to_owned()),
        ..Listener::default()
    };
    environment
}

/// An account in which all is well, on a machine whose clock is so many seconds ahead.
async fn sound(ahead: i64) -> World {
    let mut world = World::of(environment(), ahead).await;
    world.rights = None;
    let parameter = json!({ "Name": PARAMETER, "Value": "x", "Type": "SecureString" });
    api(&world.cloud, "AmazonSSM.PutParameter", &parameter).unwrap();
    let key = json!({ "Name": "ielts/key", "SecretString": "x" });
    let key = api(&world.cloud, "secretsmanager.CreateSecret", &key).unwrap();
    let secrets = &mut world.environment.services[0].container.secrets;
    secrets.insert("DB_PASSWORD".to_owned(), PARAMETER.to_owned());
    secrets.insert("API_KEY".to_owned(), key["ARN"].as_str().unwrap().to_owned());
    world
}

async fn looked_by(world: &World, names: BTreeMap<String, Vec<IpAddr>>) -> Report {
    let host = Host { http: world.front_door.http().knowing(names), ..world.host.clone() };
    let report = judge(&world.environment, &observe::doctor(&host, &world.aws, &world.environment).await);
    schema::check("Report", &report);
    report
}

async fn looked(world: &World) -> Report {
    looked_by(world, BTreeMap::new()).await
}

/// The lines that are not OK.
fn wrong(report: &Report) -> Vec<(String, State)> {
    let wrong = report.checks().filter(|check| check.state != State::Ok);
    wrong.map(|check| (check.name.clone(), check.state)).collect()
}

const ROUTES: &str = "from ielts-prod-private-app-1a, ielts-prod-private-app-1b";

/// The first is for `exec` alone.
const ENDPOINTS: [&str; 7] = ["ssmmessages", "ecr.api", "ecr.dkr", "s3", "logs", "ssm", "secretsmanager"];

type Fault = (fn(&mut World), &'static [(&'static str, State)]);

#[test]
fn three_faults_at_once_read_well() {
    story(|| async {
        let mut world = sound(0).await;
        no_way_out(&world);
        let tasks = group(&world, "ielts-prod-ecs-be-sg");
        close(&world, &tasks, 8080);
        open_to(&world, &tasks, 8080, &group(&world, "ielts-prod-alb-sg"));
        world.environment.services[0]
            .container
            .secrets
            .insert("TOKEN".to_owned(), "/ielts/prod/token".to_owned());
        let report = looked(&world).await;
        assert_eq!(report.count(State::Fail), 3, "{:?}", wrong(&report));
        let plain = |_, word: &str| word.to_owned();
        shows("doctor-with-three-faults", |columns| deploy::view::doctor(&report, Some(columns), plain));
    });
}

#[test]
fn each_fault_has_exactly_its_line_with_a_remedy() {
    let faults: &[Fault] = &[
        (|_| {}, &[]),
        (|world| no_way_out(world), &[(ROUTES, State::Fail)]),
        // The public group lets everybody in at port 443.
        (
            |world| {
                no_way_out(world);
                let group = group(world, "ielts-prod-alb-sg");
                ENDPOINTS.into_iter().for_each(|service| endpoint(world, service, &group));
            },
            &[],
        ),
        (
            |world| {
                no_way_out(world);
                let group = group(world, "ielts-prod-alb-sg");
                ENDPOINTS[1..].iter().for_each(|service| endpoint(world, service, &group));
            },
            &[(ROUTES, State::Warn)],
        ),
        // It takes the traffic also beside a NAT gateway.
        (|world| endpoint(world, "ecr.api", &group(world, "ielts-prod-ecs-fe-sg")), &[(ROUTES, State::Fail)]),
        (
            |world| {
                let tasks = group(world, "ielts-prod-ecs-be-sg");
                close(world, &tasks, 8080);
                open_to(world, &tasks, 8080, &group(world, "ielts-prod-ecs-fe-sg"));
            },
            &[("load balancer → backend:8080", State::Fail)],
        ),
        (
            |world| {
                let tasks = group(world, "ielts-prod-ecs-be-sg");
                close(world, &tasks, 8080);
                open_to(world, &tasks, 8080, &group(world, "ielts-prod-alb-sg"));
            },
            &[("frontend → backend:8080", State::Fail)],
        ),
        (
            |world| {
                let trust = json!({ "Statement": [{ "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": { "Service": "ec2.amazonaws.com" } }] });
                let form = format!(
                    "UpdateAssumeRolePolicy&RoleName=ielts-prod-task-role&PolicyDocument={}",
                    encoded(&trust)
                );
                query(world, "iam", &form);
            },
            &[("trust of ielts-prod-task-role", State::Fail)],
        ),
        (
            |world| {
                let all = json!([{ "Effect": "Allow", "Action": ["ecr:*", "logs:*", "secretsmanager:*"], "Resource": "*" }]);
                allow(world, "PutRolePolicy&RoleName=ecsTaskExecutionRole", &all);
            },
            &[(PARAMETER, State::Fail)],
        ),
        (
            |world| {
                let all = json!([{ "Effect": "Allow", "Action": ["ecr:*", "ssm:*", "secretsmanager:*"], "Resource": "*" }]);
                allow(world, "PutRolePolicy&RoleName=ecsTaskExecutionRole", &all);
            },
            &[("rights of ecsTaskExecutionRole", State::Fail)],
        ),
        (
            |world| {
                let place = Place { partition: "aws", account: "123456789012" };
                let printed =
                    policy(&world.environment, place, &needs(&world.environment, false, false, false));
                allow(world, "PutUserPolicy&UserName=deployer", &printed["Statement"]);
            },
            &[],
        ),
        (
            |world| {
                let place = Place { partition: "aws", account: "123456789012" };
                let printed =
                    policy(&world.environment, place, &needs(&world.environment, false, false, false));
                let less = printed["Statement"].to_string().replace("\"ecs:UpdateService\"", "\"ecs:None\"");
                allow(world, "PutUserPolicy&UserName=deployer", &serde_json::from_str(&less).unwrap());
            },
            &[("policy", State::Fail)],
        ),
        (
            |world| {
                drop(api(&world.cloud, "AmazonSSM.DeleteParameter", &json!({ "Name": PARAMETER })).unwrap())
            },
            &[(PARAMETER, State::Fail)],
        ),
        (
            |world| certificate(world, |one| ZoneCertificate { status: "PENDING_VALIDATION".into(), ..one }),
            &[("certificate other", State::Fail)],
        ),
        (
            |world| certificate(world, |one| ZoneCertificate { not_after: Some(1), ..one }),
            &[("certificate other", State::Fail)],
        ),
        (
            |world| {
                certificate(world, |one| ZoneCertificate { names: vec!["*.app.example.com".into()], ..one })
            },
            &[("certificate other", State::Fail)],
        ),
        (
            |world| certificate(world, |one| ZoneCertificate { arn: "arn:gone".into(), ..one }),
            &[("certificate other", State::Fail)],
        ),
        (|world| quota(world, "Fargate On-Demand vCPU resource count", 3), &[("Fargate vCPUs", State::Fail)]),
        (|world| quota(world, "Fargate On-Demand vCPU resource count", 6), &[("Fargate vCPUs", State::Warn)]),
        (
            |world| quota(world, "Target Groups per Application Load Balancer", 1),
            &[("target groups per load balancer", State::Fail)],
        ),
        (|world| world.environment.account = Some("999999999999".into()), &[("credentials", State::Fail)]),
        (
            |world| world.environment.services[0].task_role = Some(Lookup::parse("nobody")),
            &[("IAM role nobody", State::Fail)],
        ),
        (
            |world| drop(world.environment.network.subnets.pop()),
            &[("zones of backend", State::Warn), ("zones of frontend", State::Warn)],
        ),
        (
            |world| {
                let build = &mut world.environment.services[0].build;
                (build.cargo, build.dockerfile) = (None, Some("backend/Dockerfile".into()));
            },
            &[("container engine", State::Fail)],
        ),
    ];
    for (number, (give, lines)) in faults.iter().enumerate() {
        story(|| async move {
            let mut world = sound(0).await;
            give(&mut world);
            let report = looked(&world).await;
            let lines: Vec<_> = lines.iter().map(|(name, state)| ((*name).to_owned(), *state)).collect();
            assert_eq!(wrong(&report), lines, "fault {number}: {report:#?}");
            let without = report.checks().find(|check| check.state != State::Ok && check.remedy.is_none());
            assert_eq!(without, None, "fault {number}");
        });
    }
}

#[test]
fn mixed_spot_capacity_and_workers_are_looked_at_as_what_they_are() {
    story(|| async {
        let mut world = sound(0).await;
        let provider = |name, base, weight| CapacityProvider { name, base, weight };
        world.environment.services[0].capacity_providers =
            vec![provider(ProviderName::Fargate, 1, 1), provider(ProviderName::Spot, 0, 3)];
        let report = looked(&world).await;
        assert_eq!(wrong(&report), [], "{report:#?}");
        for name in ["Fargate vCPUs", "Fargate Spot vCPUs"] {
            assert!(report.checks().any(|check| check.name == name), "{name}: {report:#?}");
        }
        quota(&world, "Fargate Spot vCPU resource count", 0);
        assert_eq!(wrong(&looked(&world).await), [("Fargate Spot vCPUs".to_owned(), State::Fail)]);
    });
    // Nothing of a load balancer is asked for or judged.
    story(|| async {
        let mut world = World::of(workers(), 0).await;
        world.rights = None;
        let report = looked(&world).await;
        assert_eq!(wrong(&report), [], "{report:#?}");
        let text = deploy::view::doctor(&report, None, |_, word: &str| word.to_owned());
        assert!(!text.contains("load balancer") && !text.contains("target group"), "{text}");
        assert!(!world.cloud.calls().iter().any(|call| call.operation.contains("LoadBalancer")), "{text}");
    });
}

#[test]
fn a_clock_that_breaks_signatures_is_a_failure_and_a_small_drift_a_warning() {
    for (ahead, lines) in
        [(0, None), (-90, Some(State::Warn)), (400, Some(State::Fail)), (-400, Some(State::Fail))]
    {
        story(|| async move {
            let world = sound(ahead).await;
            let found = wrong(&looked(&world).await);
            assert_eq!(
                found,
                lines.map(|state| ("clock".to_owned(), state)).into_iter().collect::<Vec<_>>(),
                "{ahead}"
            );
        });
    }
}

#[test]
fn the_public_name_leads_to_the_load_balancer_or_it_is_said_where_else() {
    story(|| async {
        let mut named = production(FILE);
        named.load_balancer.host = Some(HOST.to_owned());
        let mut world = World::of(named, 0).await;
        world.rights = None;
        assert_eq!(world.deploy("v1", "v1").await.exit, ExitCode::Done);
        let balancer = observe::door(&world.aws, &world.environment).await.unwrap().dns_name.unwrap();
        let [ours, other] = [IpAddr::from([198, 51, 100, 1]), IpAddr::from([203, 0, 113, 9])];
        let dns = format!("DNS of {HOST}");
        let cases = [
            (vec![(HOST, ours), (&balancer, ours)], None),
            (vec![(HOST, other), (&balancer, ours)], Some(State::Warn)),
            (vec![(&*balancer, ours)], Some(State::Fail)),
            (vec![(HOST, ours)], Some(State::Unknown)),
        ];
        for (names, state) in cases {
            let names = names.into_iter().map(|(name, address)| (name.to_owned(), vec![address])).collect();
            let report = looked_by(&world, names).await;
            let expected: Vec<_> = state.map(|state| (dns.clone(), state)).into_iter().collect();
            assert_eq!(wrong(&report), expected, "{report:#?}");
        }
    });
}

#[test]
fn what_may_not_be_read_is_unknown_with_its_action_and_never_ok() {
    story(|| async {
        let world = sound(0).await;
        let own = crate::policy::printed(&world.environment);
        world.cloud.add_rule(own);
        let report = looked(&world).await;
        let unknown: Vec<_> = report.checks().filter(|check| check.state == State::Unknown).collect();
        assert_eq!(unknown.len(), wrong(&report).len(), "{report:#?}");
        for action in [
            "ec2:DescribeRouteTables",
            "iam:SimulatePrincipalPolicy",
            "acm:DescribeCertificate",
            "servicequotas:ListServiceQuotas",
        ] {
            let named = unknown.iter().find(|check| check.evidence.contains(&format!("({action})")));
            let remedy = named.unwrap_or_else(|| panic!("{action}: {report:#?}")).remedy.clone().unwrap();
            assert!(remedy.contains(action), "{remedy}");
        }
    });
    // With what `iam policy --for doctor` prints, nothing is unknown.
    story(|| async {
        use xtask::aws::operations::{DEPLOY, DOCTOR, SECRETS};
        let world = sound(0).await;
        let reads = DEPLOY.iter().copied().filter(deploy::iam::Need::reads).chain([DOCTOR, SECRETS].concat());
        world.cloud.add_rule(crate::policy::printed_for(&world.environment, &reads.collect::<Vec<_>>()));
        assert_eq!(wrong(&looked(&world).await), []);
        assert!(
            world
                .cloud
                .calls()
                .iter()
                .all(|call| !call.write || call.access_key.as_deref() != Some("release"))
        );
    });
}
