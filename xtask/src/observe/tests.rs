//! Observation of an embedded cloud: what an empty account shows, and what is refused before anything is written.

use deploy::config;
use deploy::model::{Environment, Lookup};
use sim::LandingZone;
use sim::Settings;
use sim::fault::{Fault, On};

use super::*;
use crate::aws::Kind;
use crate::aws::tests::Rehearsal;
use crate::local::landing_zone;

fn environment() -> Environment {
    let file = include_str!("../../deploy/tests/fixtures/ielts.toml");
    let mut environment = config::load("deploy.toml", file, Some("prod")).unwrap().environment;
    environment.account = Some(Settings::default().account);
    environment
}

/// An account with what the environment looks up and nothing else.
async fn furnished() -> Rehearsal {
    let landing_zone = landing_zone(&environment());
    Rehearsal::with(Settings { landing_zone, ..Settings::default() }, 1).await
}

#[tokio::test(start_paused = true)]
async fn an_empty_account_shows_its_landing_zone_and_nothing_else() {
    let rehearsal = furnished().await;
    let start = rehearsal.aws.now_ms();
    let observed = account(&rehearsal.aws, &environment()).await.unwrap();
    let prefix = |id: &str| id.split('-').next().unwrap_or_default().to_owned();
    assert_eq!(prefix(&observed.ids["ielts-prod-vpc"]), "vpc");
    assert_eq!(prefix(&observed.ids["ielts-prod-private-app-1a"]), "subnet");
    assert_eq!(prefix(&observed.ids["ielts-prod-ecs-be-sg"]), "sg");
    assert!(observed.ids["ecsTaskExecutionRole"].ends_with(":role/ecsTaskExecutionRole"));
    assert_eq!(observed.warnings, Vec::<String>::new());
    let nothing = deploy::model::Observed {
        read_at_ms: observed.read_at_ms,
        account: observed.account.clone(),
        caller: observed.caller.clone(),
        ids: observed.ids.clone(),
        made: Some(Default::default()),
        ..Default::default()
    };
    assert_eq!(observed, nothing);
    let records = rehearsal.records();
    assert!(records.iter().all(|record| !record.write), "observation only reads");
    let calls: Vec<&str> = records.iter().map(|record| record.operation).collect();
    assert_eq!(calls.len(), 22, "{calls:?}");
    // Three reads that need each other at most, of 20 ms each, and who calls beside them.
    assert!(rehearsal.aws.now_ms() - start <= 80, "{} ms", rehearsal.aws.now_ms() - start);
}

#[tokio::test(start_paused = true)]
async fn another_account_is_refused_whatever_was_read_beside_the_question() {
    let rehearsal = furnished().await;
    let environment = Environment { account: Some("999999999999".to_owned()), ..environment() };
    let error = account(&rehearsal.aws, &environment).await.unwrap_err();
    assert!(matches!(&error, Error::Account { wanted, .. } if wanted == "999999999999"), "{error:?}");
    assert!(error.to_string().contains("but deploy.toml expects 999999999999"), "{error}");
    assert!(rehearsal.records().iter().all(|record| !record.write), "observation only reads");
    // Also where nothing that the file names is there.
    let rehearsal =
        Rehearsal::with(Settings { landing_zone: LandingZone::default(), ..Settings::default() }, 1).await;
    let error = account(&rehearsal.aws, &environment).await.unwrap_err();
    assert!(matches!(error, Error::Account { .. }), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn everything_that_is_missing_is_reported_in_one_go() {
    let rehearsal =
        Rehearsal::with(Settings { landing_zone: LandingZone::default(), ..Settings::default() }, 1).await;
    let error = account(&rehearsal.aws, &environment()).await.unwrap_err();
    let Error::Landing(missing) = &error else { panic!("{error:?}") };
    let reported: Vec<String> =
        missing.iter().map(|missing| format!("{} {}", missing.what, missing.reference)).collect();
    let expected = [
        "IAM role ecsTaskExecutionRole",
        "IAM role ielts-prod-task-role",
        "VPC ielts-prod-vpc",
        "security group ielts-prod-alb-sg",
        "security group ielts-prod-ecs-be-sg",
        "security group ielts-prod-ecs-fe-sg",
        "subnet ielts-prod-private-app-1a",
        "subnet ielts-prod-private-app-1b",
        "subnet ielts-prod-public-1a",
        "subnet ielts-prod-public-1b",
    ];
    assert_eq!(reported, expected);
    assert!(error.hint().is_some_and(|hint| hint.contains("correct its name in deploy.toml")));
}

#[tokio::test(start_paused = true)]
async fn a_selected_load_balancer_that_does_not_exist_is_missing_and_not_created() {
    let rehearsal = furnished().await;
    let mut environment = environment();
    environment.load_balancer.name = "theirs".to_owned();
    environment.load_balancer.existing = true;
    let error = account(&rehearsal.aws, &environment).await.unwrap_err();
    assert_eq!(error.to_string(), "load balancer `theirs` does not exist in ap-southeast-1");
}

#[tokio::test(start_paused = true)]
async fn load_balancer_subnets_in_one_zone_are_refused_before_anything_is_made() {
    let mut landing_zone = landing_zone(&environment());
    landing_zone.subnets.iter_mut().for_each(|subnet| subnet.zone = Some('a'));
    let rehearsal = Rehearsal::with(Settings { landing_zone, ..Settings::default() }, 1).await;
    let error = account(&rehearsal.aws, &environment()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "subnet `ielts-prod-public-1b` is in ap-southeast-1a, as ielts-prod-public-1a is: a load balancer takes one \
         subnet of each zone"
    );
}

#[tokio::test(start_paused = true)]
async fn a_network_can_be_named_by_ids_and_names_at_once() {
    let rehearsal = furnished().await;
    let by_name = account(&rehearsal.aws, &environment()).await.unwrap().ids;
    let mut mixed = environment();
    let id = |name: &str| by_name[name].clone();
    mixed.network.vpc = Lookup::parse(&id("ielts-prod-vpc"));
    mixed.network.subnets[0] = Lookup::parse(&id("ielts-prod-private-app-1a"));
    mixed.services[0].security_groups = vec![Lookup::parse(&id("ielts-prod-ecs-be-sg"))];
    let ids = account(&rehearsal.aws, &mixed).await.unwrap().ids;
    assert_eq!(ids["ielts-prod-private-app-1b"], id("ielts-prod-private-app-1b"));
    let group = id("ielts-prod-ecs-be-sg");
    assert_eq!(ids[&group], group);
    mixed.network.subnets[0] = Lookup::parse("subnet-00000000000000000");
    let error = account(&rehearsal.aws, &mixed).await.unwrap_err();
    assert_eq!(error.to_string(), "subnet `subnet-00000000000000000` does not exist in ap-southeast-1");
}

#[tokio::test(start_paused = true)]
async fn a_role_that_may_not_be_looked_up_costs_a_warning() {
    let rehearsal = furnished().await;
    rehearsal.cloud.add_rule(On::operation("GetRole").then(Fault::AccessDenied));
    let observed = account(&rehearsal.aws, &environment()).await.unwrap();
    assert_eq!(observed.ids["ecsTaskExecutionRole"], "arn:aws:iam::123456789012:role/ecsTaskExecutionRole");
    assert_eq!(observed.warnings.len(), 2, "{:?}", observed.warnings);
    assert!(observed.warnings[0].contains("could not be looked up"), "{:?}", observed.warnings);
}

#[tokio::test(start_paused = true)]
async fn an_expired_token_ends_the_observation_with_its_own_sentence() {
    let rehearsal = furnished().await;
    rehearsal.cloud.add_rule(On::any().then(Fault::ExpiredToken));
    let error = account(&rehearsal.aws, &environment()).await.unwrap_err();
    assert!(matches!(&error, Error::Aws(error) if error.kind == Kind::ExpiredToken), "{error:?}");
    assert!(error.to_string().starts_with("the AWS credentials have expired"), "{error}");
    let mut asked: Vec<_> = rehearsal.cloud.calls().into_iter().map(|call| call.operation).collect();
    asked.retain(|operation| operation == "GetCallerIdentity");
    assert_eq!(asked.len(), 1, "it is not asked again with the same token");
}

#[tokio::test(start_paused = true)]
async fn a_throttled_account_is_read_all_the_same() {
    let rehearsal = furnished().await;
    let undisturbed = account(&rehearsal.aws, &environment()).await.unwrap();
    let rehearsal = furnished().await;
    let mut count = 0;
    rehearsal.cloud.add_rule(move |_: &sim::fault::Call<'_>| {
        count += 1;
        (count % 3 == 0).then_some(Fault::Throttle)
    });
    let mut throttled = account(&rehearsal.aws, &environment()).await.unwrap();
    assert!(!rehearsal.waits().is_empty());
    throttled.read_at_ms = undisturbed.read_at_ms;
    assert_eq!(throttled, undisturbed);
}

#[tokio::test(start_paused = true)]
async fn an_unreadable_lifecycle_policy_is_left_as_it_is() {
    let rehearsal = furnished().await;
    let environment = environment();
    let service = &environment.services[0];
    let spec = deploy::model::spec::RepositorySpec {
        name: service.repository.name.clone(),
        immutable_tags: true,
        keep_images: None,
    };
    rehearsal.aws.create_repository(&spec, &Default::default()).await.unwrap();
    let keep = |observed: &deploy::model::Observed| observed.repositories[&spec.name].spec.keep_images;
    let observed = account(&rehearsal.aws, &environment).await.unwrap();
    assert_eq!(keep(&observed), None);
    rehearsal.cloud.add_rule(On::operation("GetLifecyclePolicy").then(Fault::AccessDenied));
    let mut observed = account(&rehearsal.aws, &environment).await.unwrap();
    assert_eq!(keep(&observed), Some(service.repository.keep_images));
    assert_eq!(observed.warnings.len(), 1);

    rehearsal.cloud.add_rule(On::operation("BatchGetImage").then(Fault::AccessDenied));
    let images =
        [(service.key.clone(), deploy::model::ImageDigest(format!("sha256:{}", "a".repeat(64))))].into();
    let warnings = held(&rehearsal.aws, &environment, &mut observed, &images).await.unwrap();
    assert_eq!(observed.repositories[&spec.name].holds, None);
    assert_eq!(warnings.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_environment_without_a_load_balancer_has_no_door() {
    let rehearsal = furnished().await;
    let reach = door(&rehearsal.aws, &environment()).await.unwrap();
    assert_eq!(reach, Reach { dns_name: None, target_groups: vec![None, None] });
}
