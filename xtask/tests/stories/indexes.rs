//! A release by the digest of an index, of which each task runs the image for its platform.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use deploy::event::{ExitCode, Kind};
use deploy::model::{Desired, ImageDigest, Release, ServiceKey};
use xtask::report::{Recorder, Screen};
use xtask::verify::{Door, Wanted, running};

use crate::world::{World, story};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// Pushes an index that lists `image` for a processor, as another tool would.
async fn index(world: &World, image: &ImageDigest, processor: &str) -> ImageDigest {
    let repository = &world.environment.services[0].repository.name;
    let login = world.aws.registry_login(None).await.unwrap();
    let content = format!(
        r#"{{"schemaVersion":2,"mediaType":"{INDEX}","manifests":[{{"digest":"{image}","size":1,"platform":{{"os":"linux","architecture":"{processor}"}}}}]}}"#
    );
    let request =
        http::Request::put(format!("{}/v2/{repository}/manifests/{processor}", login.proxy_endpoint))
            .header("authorization", login.authorization.expose())
            .header("content-type", INDEX)
            .body(Bytes::from(content))
            .unwrap();
    let answer = world.host.http.send(request, Duration::from_secs(30)).await.unwrap();
    assert!(answer.status().is_success(), "{answer:?}");
    ImageDigest(answer.headers()["docker-content-digest"].to_str().unwrap().to_owned())
}

/// Whether the running backend is proven to be of this image, and the errors if not.
async fn proven(world: &World, image: ImageDigest) -> (bool, Vec<String>) {
    let release = Release {
        id: "index".to_owned(),
        actor: "story".to_owned(),
        images: [(ServiceKey("backend".to_owned()), image)].into(),
        ..Release::default()
    };
    let desired = Desired { environment: world.environment.clone(), release };
    let events = Recorder::new(world.host.clock.clone(), Screen::silent());
    let door = Door { target_groups: vec![None; desired.environment.services.len()], front: None };
    let revisions = BTreeMap::new();
    let wanted = Wanted {
        desired: &desired,
        door: &door,
        settled: &[],
        revisions: &revisions,
        parked: &[],
        bakes: &[],
    };
    let proven = running(&world.aws, &events, wanted, None).await.unwrap();
    let errors = events.events().into_iter().filter_map(|event| match event.kind {
        Kind::Failed { error, .. } => Some(error),
        _ => None,
    });
    (matches!(proven, xtask::verify::Running::Complete { .. }), errors.collect())
}

#[test]
fn a_task_that_names_its_own_image_of_an_index_runs_what_was_released() {
    story(|| async {
        let mut world = World::new().await;
        assert_eq!(world.deploy("v1", "v1").await.exit, ExitCode::Done);
        let image = world.images("v1", "v1")[&ServiceKey("backend".to_owned())].digest.clone();
        let ours = index(&world, &image, "amd64").await;
        assert_eq!(proven(&world, ours).await, (true, Vec::new()));
        let foreign = index(&world, &image, "arm64").await;
        let (proven, errors) = proven(&world, foreign.clone()).await;
        assert!(!proven, "an image for another processor is not the tasks'");
        assert_eq!(errors.len(), 2, "{errors:?}");
        assert!(errors[0].ends_with(&format!("runs {image}, not {foreign}")), "{errors:?}");
    });
}
