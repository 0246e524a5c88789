//! Images that others build, and one image of two services.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_smithy_types::body::SdkBody;
use deploy::event::{ExitCode, Kind};
use deploy::model::{Architecture, Container, Environment, ServiceKey, Sidecar};
use http::{Request, Response};
use xtask::observe;

use crate::ended::Ended;
use crate::world::{FILE, World, production, story};

/// A registry that gives everybody a token, as Docker Hub, GHCR and ECR Public do.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hub {
    /// Repository and tag, and the digest.
    tags: Arc<Mutex<BTreeMap<String, String>>>,
    /// `METHOD path` of what was asked.
    asked: Arc<Mutex<Vec<String>>>,
}

impl Hub {
    pub(crate) const HOST: &str = "ghcr.io";

    fn tag(&self, name: &str, digit: char) -> String {
        let digest = format!("sha256:{}", digit.to_string().repeat(64));
        self.tags.lock().unwrap().insert(name.to_owned(), digest.clone());
        digest
    }

    fn pulls(&self) -> usize {
        self.asked.lock().unwrap().iter().filter(|line| line.starts_with("GET /v2/acme")).count()
    }

    pub(crate) fn answer(&self, request: &Request<SdkBody>) -> Response<String> {
        let (path, query) = (request.uri().path(), request.uri().query().unwrap_or_default());
        self.asked.lock().unwrap().push(format!("{} {path}", request.method()));
        let reply =
            |status: u16, body: &str| Response::builder().status(status).body(body.to_owned()).unwrap();
        let challenge =
            "Bearer realm=\"https://ghcr.io/token\",service=\"ghcr.io\",scope=\"repository:user/image:pull\"";
        if path == "/token" {
            // Of a repository that is not public, nobody gets a token.
            let public = query == "service=ghcr.io&scope=repository%3Aacme%2Fproxy%3Apull";
            let denied =
                r#"{"errors":[{"code":"DENIED","message":"requested access to the resource is denied"}]}"#;
            return if public { reply(200, r#"{"token":"for-all"}"#) } else { reply(403, denied) };
        }
        let authorization = request.headers().get("authorization");
        if authorization.is_none_or(|value| value != "Bearer for-all") {
            let mut refusal =
                reply(401, r#"{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}"#);
            refusal.headers_mut().insert("www-authenticate", challenge.parse().unwrap());
            return refusal;
        }
        let name = path.trim_start_matches("/v2/").replace("/manifests/", ":");
        let Some(digest) = self.tags.lock().unwrap().get(&name).cloned() else {
            return reply(404, r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}"#);
        };
        let index = r#"{"manifests":[{"platform":{"os":"linux","architecture":"amd64"}},{"platform":{"os":"unknown","architecture":"unknown"}}]}"#;
        let mut found = reply(200, if request.method() == "GET" { index } else { "" });
        found.headers_mut().insert("docker-content-digest", digest.parse().unwrap());
        found
    }
}

/// The frontend's image is somebody else's.
fn with_image(image: &str) -> Environment {
    let mut environment = production(FILE);
    environment.services[1].image = Some(image.to_owned());
    environment
}

/// The image that the frontend's revision names.
async fn runs(world: &World) -> String {
    let family = &world.environment.services[1].family;
    let revision = world.aws.describe_task_definition(family).await.unwrap();
    revision.spec.image().unwrap().to_owned()
}

fn refused(ended: &Ended) -> (String, String) {
    assert_eq!((ended.exit, ended.writes.len()), (ExitCode::Usage, 0), "{:#?}", ended.events);
    let refusal = ended.events.iter().find_map(|event| match event {
        Kind::Failed { error, hint } => Some((error.clone(), hint.clone().unwrap_or_default())),
        _ => None,
    });
    refusal.unwrap()
}

#[test]
fn a_tag_runs_by_the_digest_that_it_had_when_the_release_was_planned() {
    story(async || {
        let mut world = World::of(with_image("ghcr.io/acme/proxy:1.4"), 0).await;
        let hub = world.front_door.hub.clone();
        let first = hub.tag("acme/proxy:1.4", 'a');
        let ended = Box::pin(world.deploy("v1", "v1")).await;
        assert_eq!(
            (ended.exit, &*ended.summary),
            (ExitCode::Done, "deployed and proven"),
            "{:#?}",
            ended.events
        );
        assert_eq!(runs(&world).await, format!("ghcr.io/acme/proxy@{first}"));
        assert_eq!(
            ended.writes.iter().filter(|write| *write == "CreateRepository").count(),
            1,
            "the backend's"
        );

        // What runs is not read again: Docker Hub counts reads, and not HEAD requests.
        assert_eq!(hub.pulls(), 1);
        let again = Box::pin(world.deploy("v1", "v1")).await;
        assert_eq!((again.exit, again.writes), (ExitCode::Done, vec![]), "{:#?}", again.events);
        assert_eq!(hub.pulls(), 1);

        let second = hub.tag("acme/proxy:1.4", 'b');
        let moved = Box::pin(world.deploy("v1", "v1")).await;
        assert_eq!((moved.exit, moved.rolled()), (ExitCode::Done, vec!["frontend"]), "{:#?}", moved.events);
        assert_eq!(runs(&world).await, format!("ghcr.io/acme/proxy@{second}"));

        let back = Box::pin(world.rollback(None)).await.unwrap();
        assert_eq!((back.exit, back.rolled()), (ExitCode::Done, vec!["frontend"]), "{:#?}", back.events);
    });
}

/// With an image of the same inputs on a machine of its own, that machine would neither find the first one nor know that it is there.
#[test]
fn a_new_machine_neither_builds_nor_rolls_what_another_one_built() {
    story(async || {
        for immutable in [true, false] {
            let mut environment = production(FILE);
            environment.services.iter_mut().for_each(|it| it.repository.immutable_tags = immutable);
            let world = World::of(environment, 0).await;
            let inputs = "a1".repeat(32);
            let push = async |content: &str, id: &str| {
                let mut images = world.images(content, content);
                images.values_mut().for_each(|image| image.inputs = Some(inputs.clone()));
                let commit = Some(content.repeat(20));
                let release = world.release(id, commit);
                let ended = Box::pin(world.carry(release, &images)).await;
                assert_eq!(ended.exit, ExitCode::Done, "{:#?}", ended.events);
                let warned = ended.events.iter().any(|event| matches!(event, Kind::Warned { .. }));
                assert!(!warned, "{:#?}", ended.events);
                images[&ServiceKey("backend".to_owned())].digest.clone()
            };
            let other = world.rival().await;
            let made = async |number| {
                let mut release = other.release("other", Some("4e".repeat(20)));
                for service in &other.environment.services {
                    let found = observe::made(&other.aws, &service.repository.name, &inputs).await.unwrap();
                    let (found_number, digest) = found.unwrap();
                    assert_eq!(found_number, number);
                    release.images.insert(service.key.clone(), digest);
                }
                release
            };
            let unknown = observe::made(&other.aws, "ielts/backend", &inputs).await.unwrap();
            assert_eq!(unknown, None);
            let first = push("v1", "first").await;
            let release = made(1).await;
            assert_eq!(release.images[&ServiceKey("backend".to_owned())], first);
            let ended = Box::pin(other.carry(release, &BTreeMap::new())).await;
            assert_eq!((ended.exit, &*ended.summary), (ExitCode::Done, "nothing to change; proven"));
            assert_eq!(ended.writes, [""; 0], "immutable: {immutable}");
            // Built again with --no-cache: the other machine must not put the first one back.
            let second = push("v2", "second").await;
            let release = made(2).await;
            assert_eq!(release.images[&ServiceKey("backend".to_owned())], second);
            let ended = Box::pin(other.carry(release, &BTreeMap::new())).await;
            assert_eq!(ended.writes, [""; 0], "immutable: {immutable}");
            assert_eq!(observe::made(&other.aws, "ielts/backend", &"b2".repeat(32)).await.unwrap(), None);
        }
    });
}

#[test]
fn a_sidecar_s_tag_is_resolved_as_a_service_s_is() {
    story(async || {
        let mut world = World::of(production(FILE), 0).await;
        let hub = world.front_door.hub.clone();
        let container = Container { name: "proxy".to_owned(), readonly_root: false, ..Container::default() };
        let image = Some("ghcr.io/acme/proxy:1.4".to_owned());
        let proxy = Sidecar { image, container, ..Sidecar::default() };
        // Both services name it: one release has one digest of it.
        world.environment.services.iter_mut().for_each(|service| service.sidecars = vec![proxy.clone()]);
        let (what, remedy) = refused(&Box::pin(world.deploy("v1", "v1")).await);
        let prefix = "backend.sidecar.proxy: cannot resolve the image ghcr.io/acme/proxy:1.4: ghcr.io has no";
        assert!(what.starts_with(prefix), "{what}");
        assert_eq!(remedy, "correct `image` of `backend.sidecar.proxy` in deploy.toml");

        let first = hub.tag("acme/proxy:1.4", 'a');
        let ended = Box::pin(world.deploy("v1", "v1")).await;
        assert_eq!(ended.exit, ExitCode::Done, "{:#?}", ended.events);
        let sidecar = async |world: &World| {
            let revision = world.aws.describe_task_definition("ielts-frontend").await.unwrap();
            revision.spec.of_container("proxy", "image").unwrap().as_str().unwrap().to_owned()
        };
        assert_eq!(sidecar(&world).await, format!("ghcr.io/acme/proxy@{first}"));
        let pulls = hub.pulls();
        let again = Box::pin(world.deploy("v1", "v1")).await;
        assert_eq!((again.exit, again.writes), (ExitCode::Done, vec![]), "{:#?}", again.events);
        assert_eq!(hub.pulls(), pulls, "what runs is not read again");

        let second = hub.tag("acme/proxy:1.4", 'b');
        let moved = Box::pin(world.deploy("v1", "v1")).await;
        assert_eq!(
            (moved.exit, moved.rolled()),
            (ExitCode::Done, vec!["backend", "frontend"]),
            "{:#?}",
            moved.events
        );
        assert_eq!(sidecar(&world).await, format!("ghcr.io/acme/proxy@{second}"));
        let changes = moved.events.iter().find_map(|event| match event {
            Kind::Planned { plan, .. } => Some(deploy::view::plan_text(plan)),
            _ => None,
        });
        let changes = changes.unwrap();
        let line = |change: &str| change.contains("proxy.image") && change.contains(&second[..19]);
        assert!(changes.lines().any(line), "{changes}");
    });
}

#[test]
fn what_a_registry_does_not_show_is_refused_before_anything_is_written() {
    story(async || {
        let mut world = World::of(with_image("ghcr.io/acme/proxy:1.5"), 0).await;
        world.front_door.hub.tag("acme/proxy:1.4", 'a');
        let (what, remedy) = refused(&Box::pin(world.deploy("v1", "v1")).await);
        assert_eq!(
            what,
            "frontend: cannot resolve the image ghcr.io/acme/proxy:1.5: ghcr.io has no such image"
        );
        assert_eq!(remedy, "correct `image` of `frontend` in deploy.toml");

        world.environment = with_image("ghcr.io/acme/secret:1");
        let (what, remedy) = refused(&Box::pin(world.deploy("v1", "v1")).await);
        assert!(
            what.contains("ghcr.io shows it to nobody without a password, or does not have it"),
            "{what}"
        );
        assert!(
            remedy.contains("`image = \"ghcr.io/acme/secret@sha256:…\"`: then ECS alone reads it"),
            "{remedy}"
        );

        world.environment = with_image("ghcr.io/acme/proxy:1.4");
        world.environment.services[1].architecture = Architecture::Arm64;
        let (what, _) = refused(&Box::pin(world.deploy("v1", "v1")).await);
        assert!(what.ends_with("it is not made for linux/arm64, only for linux/amd64"), "{what}");
    });
}

#[test]
fn a_digest_is_taken_as_it_is_and_its_registry_is_not_asked() {
    story(async || {
        let image = format!("registry.corp.test/team/proxy:1@sha256:{}", "c".repeat(64));
        let mut world = World::of(with_image(&image), 0).await;
        let ended = Box::pin(world.deploy("v1", "v1")).await;
        assert_eq!(ended.exit, ExitCode::Done, "{:#?}", ended.events);
        assert_eq!(runs(&world).await, image.replace(":1@", "@"));
    });
}

#[test]
fn an_image_of_ecr_takes_the_login_of_whoever_deploys() {
    story(async || {
        let host = "123456789012.dkr.ecr.ap-southeast-1.amazonaws.com";
        let mut world = World::of(production(FILE), 0).await;
        assert_eq!(Box::pin(world.deploy("v1", "v1")).await.exit, ExitCode::Done);
        world.environment = with_image(&format!("{host}/ielts/backend:stable"));
        let (what, _) = refused(&Box::pin(world.deploy("v1", "v1")).await);
        assert!(what.ends_with(&format!("{host} has no such image")), "{what}");

        // Somebody tags what the backend runs.
        let login = world.aws.registry_login(None).await.unwrap();
        let image = world.images("v1", "v1")[&ServiceKey("backend".to_owned())].clone();
        let put = Request::put(format!("{}/v2/ielts/backend/manifests/stable", login.proxy_endpoint))
            .header("authorization", login.authorization.expose())
            .header("content-type", xtask::image::MANIFEST_MEDIA_TYPE)
            .body(image.manifest.clone())
            .unwrap();
        let answer = world.host.http.send(put, Duration::from_secs(30)).await.unwrap();
        assert!(answer.status().is_success(), "{answer:?}");

        let ended = Box::pin(world.deploy("v1", "v1")).await;
        assert_eq!((ended.exit, ended.rolled()), (ExitCode::Done, vec!["frontend"]), "{:#?}", ended.events);
        assert_eq!(runs(&world).await, format!("{host}/ielts/backend@{}", image.digest));
    });
}

#[test]
fn two_services_of_one_image_push_it_once() {
    story(async || {
        let mut environment = production(FILE);
        environment.services[1].build.same_as = Some(ServiceKey("backend".to_owned()));
        environment.services[1].repository = environment.services[0].repository.clone();
        let mut world = World::of(environment, 0).await;
        let ended = Box::pin(world.deploy("v1", "v1")).await;
        assert_eq!(ended.exit, ExitCode::Done, "{:#?}", ended.events);
        assert_eq!(ended.writes.iter().filter(|write| *write == "CreateRepository").count(), 1);
        let pushes = ended.events.iter().filter_map(|event| match event {
            Kind::StepBegan { step, .. } if step.starts_with("push image") => Some(step),
            _ => None,
        });
        assert_eq!(pushes.count(), 1, "{:#?}", ended.events);
        let digest = &world.images("v1", "v1")[&ServiceKey("backend".to_owned())].digest;
        assert!(runs(&world).await.ends_with(&format!("ielts/backend@{digest}")));
        let again = Box::pin(world.deploy("v2", "")).await;
        assert_eq!(again.rolled(), ["backend", "frontend"], "{:#?}", again.events);
    });
}
