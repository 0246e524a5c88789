//! Secrets that a release asks for: missing ones are named, and none is ever shown.

use bytes::Bytes;
use deploy::event::{ExitCode, Kind};
use sim::door::cloud::Delivery;

use crate::ended::Ended;
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
