//! Secrets that a release asks for: missing ones are named, and none is ever shown.

use bytes::Bytes;
use deploy::event::{ExitCode, Kind};
use deploy::model::{Observed, Service};
use serde_json::json;
use sim::door::cloud::Delivery;
use sim::fault::{Fault, On};
use xtask::aws::operations::needs;
use xtask::host::Secret;
use xtask::observe;

use crate::ended::Ended;
use crate::somebody::api;
use crate::world::{World, story};

const NAME: &str = "/ielts/prod/signing-key";
const VALUE: &str = "correct horse battery staple";

/// Puts the parameter, as somebody with the AWS CLI does.
async fn put_parameter(world: &World) {
    let scope = "AWS4-HMAC-SHA256 Credential=somebody/20261128/ap-southeast-1/ssm/aws4_request, SignedHeaders=host, \
                 Signature=0";
    let (parts, ()) = http::Request::post("/")
        .header("x-amz-target", "AmazonSSM.PutParameter")
        .header("authorization", scope)
        .body(())
        .unwrap()
        .into_parts();
    let body = format!(r#"{{"Name":"{NAME}","Value":"{VALUE}","Type":"SecureString"}}"#);
    let Delivery::Reply(reply) = world.cloud.exchange(&parts, Bytes::from(body)).await else {
        panic!("no answer");
    };
    assert_eq!(reply.status(), 200, "{reply:?}");
}

fn asks_for_the_secret(world: &mut World) {
    let secrets = &mut world.environment.services[0].container.secrets;
    secrets.insert("SIGNING_KEY".to_owned(), NAME.to_owned());
}

fn shows_the_value(ended: &Ended) -> bool {
    format!("{:?} {:?}", ended.events, ended.files).contains(VALUE)
}

#[test]
fn a_release_with_a_missing_secret_is_refused_with_its_name_and_how_to_make_it() {
    story(|| async {
        let mut world = World::new().await;
        assert_eq!(world.deploy("v1", "v1").await.exit, ExitCode::Done);
        asks_for_the_secret(&mut world);
        let failed = world.deploy("v2", "v1").await;
        assert_eq!(failed.exit, ExitCode::Failed, "{:#?}", failed.events);
        let causes = failed.events.iter().filter_map(|event| match event {
            Kind::Diagnosed { diagnosis, .. } => diagnosis.cause.as_ref(),
            _ => None,
        });
        let [cause] = causes.collect::<Vec<_>>()[..] else { panic!("{:#?}", failed.events) };
        assert_eq!(cause.code, "secret-missing");
        assert!(
            cause.cause.starts_with(&format!("Parameter Store does not have `{NAME}`")),
            "{}",
            cause.cause
        );
        assert!(cause.remedy.contains("aws ssm put-parameter"), "{}", cause.remedy);

        put_parameter(&world).await;
        let done = world.deploy("v3", "v1").await;
        assert_eq!(done.exit, ExitCode::Done, "{:#?}", done.events);
        assert!(!shows_the_value(&failed) && !shows_the_value(&done));
    });
}

#[test]
fn a_forecast_does_not_wait_for_secrets_that_its_own_account_lacks() {
    story(|| async {
        let mut world = World::new().await;
        world.forecasts = true;
        asks_for_the_secret(&mut world);
        put_parameter(&world).await;
        let done = world.deploy("v1", "v1").await;
        assert_eq!(done.exit, ExitCode::Done, "{:#?}", done.events);
        assert!(done.events.iter().any(|event| matches!(event, Kind::Forecast(_))), "{:#?}", done.events);
    });
}

#[test]
fn tasks_that_started_before_a_new_value_are_named_until_they_are_restarted() {
    story(|| async {
        let mut world = World::new().await;
        asks_for_the_secret(&mut world);
        world.rights = None;
        let rights = needs(&world.environment, false, true, false);
        world.rights =
            Some(crate::policy::grant(&world.cloud, crate::policy::printed_for(&world.environment, &rights)));
        let states = async |world: &World| {
            let service = &world.environment.services[0];
            let tasks = world.aws.service_tasks(&world.environment.cluster, &service.name, false).await;
            let tasks = tasks.unwrap_or_default();
            let (states, unread) = observe::secrets(&world.aws, &world.environment, |_| tasks.clone()).await;
            assert_eq!((states.len(), unread), (1, Vec::<String>::new()));
            states.into_iter().next().unwrap()
        };
        let missing = states(&world).await;
        assert_eq!(missing.changed_ms, None);
        assert!(missing.note().unwrap().contains(NAME));
        world.aws.put_parameter(NAME, &Secret::new(VALUE)).await.unwrap();
        assert_eq!(world.deploy("v1", "v1").await.exit, ExitCode::Done);
        let fresh = states(&world).await;
        assert_eq!((fresh.behind, fresh.note()), ((0, 2), None));

        world.host.clock.sleep(std::time::Duration::from_secs(60)).await;
        world.aws.put_parameter(NAME, &Secret::new("another horse")).await.unwrap();
        assert_eq!(states(&world).await.behind, (2, 2));
        let restart = |observed: &Observed, services: &[Service]| {
            deploy::plan::restart(observed, &[&services[0]], "ana".to_owned())
        };
        let ended = world.again(restart).await;
        assert_eq!(ended.exit, ExitCode::Done, "{:#?}", ended.events);
        assert_eq!(states(&world).await.behind, (0, 2));
        assert!(!shows_the_value(&ended));
    });
}

#[test]
fn a_new_value_keeps_the_key_that_encrypts_the_parameter() {
    story(|| async {
        let mut world = World::new().await;
        world.rights = None;
        let key = "arn:aws:kms:ap-southeast-1:123456789012:key/ours";
        let made = json!({ "Name": NAME, "Value": "old", "Type": "SecureString", "KeyId": key });
        api(&world.cloud, "AmazonSSM.PutParameter", &made).unwrap();
        world.aws.put_parameter(NAME, &Secret::new(VALUE)).await.unwrap();
        assert_eq!(world.aws.find_parameter(NAME).await.unwrap().unwrap().key.as_deref(), Some(key));
        // A key that is not known is no reason to encrypt with another one.
        world.cloud.add_rule(On::operation("DescribeParameters").then(Fault::AccessDenied));
        let denied = world.aws.put_parameter(NAME, &Secret::new("third")).await.unwrap_err();
        assert!(denied.to_string().contains("ssm:DescribeParameters"), "{denied}");
        let kept = json!({ "Name": NAME, "WithDecryption": true });
        let kept = api(&world.cloud, "AmazonSSM.GetParameter", &kept).unwrap();
        assert_eq!(kept["Parameter"]["Value"], VALUE);
    });
}

#[test]
fn a_parameter_of_another_region_is_looked_up_there() {
    story(|| async {
        let mut world = World::new().await;
        world.rights = None;
        let there = format!("arn:aws:ssm:eu-west-1:123456789012:parameter{NAME}");
        // One of the same name in the environment's own region.
        put_parameter(&world).await;
        let secrets = &mut world.environment.services[0].container.secrets;
        secrets.insert("SIGNING_KEY".to_owned(), there.clone());
        let states =
            async |world: &World| observe::secrets(&world.aws, &world.environment, |_| Vec::new()).await;
        assert_eq!(states(&world).await.0[0].changed_ms, None);
        world.aws.put_parameter(&there, &Secret::new("of there")).await.unwrap();
        let (found, unread) = states(&world).await;
        assert!(
            found[0].changed_ms.is_some() && found[0].named.id == there && unread.is_empty(),
            "{found:?}"
        );
        let here = json!({ "Name": NAME, "WithDecryption": true });
        let here = api(&world.cloud, "AmazonSSM.GetParameter", &here).unwrap();
        assert_eq!(here["Parameter"]["Value"], VALUE);

        world.environment.services[0].container.secrets =
            [("SIGNING_KEY".to_owned(), there.replace("123456789012", "999999999999"))].into();
        let (found, unread) = states(&world).await;
        assert!(found.is_empty() && unread[0].contains("another account"), "{unread:?}");
    });
}
