//! Keys of deploy.toml that name something, each changed in a running environment under load: no request fails, or nothing
//! is written.

use std::collections::BTreeMap;

use deploy::event::{Availability, ExitCode, Kind};
use deploy::model::{Environment, Lookup, OwnedKind, ServiceKey};
use xtask::observe;
use xtask::release::{ReleaseContext, Removal};

use crate::ended::Ended;
use crate::world::{World, story};

type Change = (&'static str, fn(&mut Environment));

/// What works without a failed request.
const ROLLED: [Change; 9] = [
    ("container port", |file| file.services[0].container.port = 8081),
    ("container name", |file| file.services[0].container.name = "web".to_owned()),
    ("family", |file| file.services[0].family = "ielts-api".to_owned()),
    ("repository", |file| file.services[0].repository.name = "ielts/api".to_owned()),
    ("log group", |file| file.services[0].log_group.name = "/ecs/ielts-api".to_owned()),
    ("listener port", |file| file.load_balancer.listener.port = 8080),
    ("subnets", |file| file.network.subnets.truncate(1)),
    ("security groups", |file| {
        file.services[0].security_groups = vec![Lookup::Name("ielts-prod-ecs-fe-sg".to_owned())];
    }),
    ("connect", |file| {
        file.services[0].connect = None;
        file.services[1].container.environment.remove("BACKEND_URL");
    }),
];

/// A change's name, the change, and what refuses it.
type Refused = (&'static str, fn(&mut Environment), &'static str);

/// What is refused, and a part of the sentence.
const REFUSED: [Refused; 8] = [
    (
        "target group",
        |file| file.services[0].target_group.name = "new-tg".to_owned(),
        "is served through target group",
    ),
    ("service", |file| file.services[0].name = "new-service".to_owned(), "no longer in deploy.toml"),
    ("cluster", |file| file.cluster = "new-cluster".to_owned(), "of cluster ielts-prod-cluster"),
    ("load balancer", |file| balancer(file, "new-alb"), "belongs to load balancer ielts-prod-alb"),
    ("namespace", |file| file.namespace = "new.local".to_owned(), "is in namespace ielts.local"),
    ("app", |file| file.app = "acme".to_owned(), "of application `ielts`"),
    ("environment", |file| file.name = "production".to_owned(), "belongs to environment `prod`"),
    (
        "service and target group",
        |file| {
            file.services[0].name = "new-service".to_owned();
            file.services[0].target_group.name = "new-tg".to_owned();
        },
        "new-tg has no targets yet",
    ),
];

fn balancer(file: &mut Environment, to: &str) {
    to.clone_into(&mut file.load_balancer.name);
}

impl World {
    /// As `down` and `prune` do.
    pub(crate) async fn remove(&self, removal: Removal) -> Ended {
        let remove = async |context: &ReleaseContext<'_>| {
            let observed = observe::account(context.aws, context.environment).await.unwrap();
            if let Some((error, _)) = removal.obstacle(context.environment, &observed) {
                context.events.emit(Kind::Failed { error: error.clone(), hint: None });
                return (ExitCode::Usage, error);
            }
            let release = self.release("removal", None);
            let planned = removal.plan(context, release, observed).await.unwrap();
            context.events.emit(Kind::Planned { plan: Box::new(planned.plan.clone()) });
            match planned.plan.is_empty() {
                true => (ExitCode::Done, String::new()),
                false => Box::pin(removal.run(context, &planned)).await,
            }
        };
        self.act(&BTreeMap::new(), true, remove).await
    }
}

async fn running() -> World {
    let mut world = World::new().await;
    assert_eq!(world.deploy("v1", "v1").await.exit, ExitCode::Done);
    world.environment.availability.enable = true;
    // The role is made for the file as it was.
    world.rights = None;
    world
}

fn report(ended: &Ended) -> String {
    format!("{:?}", ended.events)
}

#[test]
fn a_rename_that_can_be_rolled_out_fails_no_request() {
    for (about, change) in ROLLED {
        story(async || {
            let mut world = running().await;
            change(&mut world.environment);
            let ended = world.deploy("v1", "v1").await;
            assert_eq!(ended.exit, ExitCode::Done, "{about}: {}", report(&ended));
            let seen = ended.events.iter().find_map(|event| match event {
                Kind::Availability(seen) => Some(seen.clone()),
                _ => None,
            });
            // A listener is added beside the other, and nothing rolls.
            let seen = seen.unwrap_or_else(|| Availability { requests: 1_000, ..Availability::default() });
            assert_eq!(seen.failed, 0, "{about}: {:?}", seen.misses);
            assert!(seen.requests > 50, "{about}: {}", seen.requests);
        });
    }
}

#[test]
fn a_rename_that_would_fail_requests_is_refused_and_writes_nothing() {
    for (about, change, words) in REFUSED {
        story(async || {
            let mut world = running().await;
            change(&mut world.environment);
            let ended = world.deploy("v1", "v1").await;
            assert_eq!((ended.exit, ended.writes.len()), (ExitCode::Usage, 0), "{about}: {}", report(&ended));
            assert!(report(&ended).contains(words), "{about}: {}", report(&ended));
        });
    }
}

/// What `plan` and `status` list.
async fn orphans(world: &World) -> Vec<String> {
    let observed = observe::account(&world.aws, &world.environment).await.unwrap();
    observed.orphans.iter().map(|owned| format!("{} {}", owned.kind.words(), owned.name)).collect()
}

#[test]
fn a_service_that_is_removed_is_listed_runs_on_and_is_pruned_without_its_data() {
    story(async || {
        let mut world = running().await;
        world.environment.services.retain(|service| service.key.0 == "backend");
        let listed = orphans(&world).await;
        for wanted in [
            "scalable target service/ielts-prod-cluster/ielts-frontend-service",
            "service ielts-frontend-service",
            "rule 200 /* → ielts-frontend-tg",
            "target group ielts-frontend-tg",
            "repository ielts/frontend",
            "log group /ecs/ielts-frontend",
            "task definitions of family ielts-frontend",
        ] {
            assert!(listed.iter().any(|line| line == wanted), "{wanted} is not in {listed:?}");
        }
        let again = world.deploy("v1", "v1").await;
        assert_eq!((again.exit, again.rolled()), (ExitCode::Done, Vec::new()), "{}", report(&again));
        let pruned = world.remove(Removal::Orphans).await;
        assert_eq!(pruned.exit, ExitCode::Done, "{}", report(&pruned));
        let left = orphans(&world).await;
        assert!(
            left.iter().all(|line| !line.starts_with("service ") && !line.starts_with("rule ")),
            "{left:?}"
        );
        assert_eq!(left.len(), 3, "images, logs and revisions are kept: {left:?}");
        let after = world.deploy("v1", "v1").await;
        assert_eq!(after.exit, ExitCode::Done, "what is left still works: {}", report(&after));
    });
}

#[test]
fn a_scaling_section_that_is_removed_leaves_its_target_to_prune() {
    story(async || {
        let mut world = running().await;
        world.environment.services[0].scaling = None;
        let wanted = "scalable target service/ielts-prod-cluster/ielts-backend-service";
        assert_eq!(orphans(&world).await, [wanted]);
        assert_eq!(world.remove(Removal::Orphans).await.exit, ExitCode::Done);
        assert_eq!(orphans(&world).await, Vec::<String>::new());
    });
}

#[test]
fn nothing_is_pruned_before_the_environment_is_proven() {
    story(async || {
        let mut world = running().await;
        world.environment.services[0].scaling = None;
        world.somebody().await.deploys().await;
        let ended = world.remove(Removal::Orphans).await;
        assert_eq!((ended.exit, ended.writes.len()), (ExitCode::Usage, 0), "{}", report(&ended));
    });
}

#[test]
fn a_second_environment_over_the_first_one_s_names_is_refused() {
    story(async || {
        let mut world = running().await;
        world.environment.name = "staging".to_owned();
        world.environment.cluster = "ielts-staging-cluster".to_owned();
        let ended = world.deploy("v1", "v1").await;
        assert_eq!((ended.exit, ended.writes.len()), (ExitCode::Usage, 0));
        for wanted in [
            "target group ielts-backend-tg belongs to environment `prod`",
            "load balancer ielts-prod-alb belongs to",
        ] {
            assert!(report(&ended).contains(wanted), "{wanted}: {}", report(&ended));
        }
    });
}

#[test]
fn down_deletes_nothing_that_was_adopted_and_takes_the_lease() {
    story(async || {
        let world = running().await;
        // As if somebody had made these by hand: they lack the tags.
        let observed = observe::account(&world.aws, &world.environment).await.unwrap();
        let backend = observed.services[&ServiceKey("backend".to_owned())].arn.clone();
        for arn in [backend, observed.cluster.as_ref().unwrap().arn.clone()] {
            world.aws.untag_ecs_resource(&arn, &["managed-by".to_owned()]).await.unwrap();
        }
        let down = world.remove(Removal::Everything).await;
        assert_eq!(down.exit, ExitCode::Done, "{}", report(&down));
        assert!(report(&down).contains("LeaseHeld"), "{}", report(&down));
        for kept in [
            "service ielts-backend-service: kept, not created by this tool",
            "cluster ielts-prod-cluster: kept, not created by this tool",
            "target group ielts-backend-tg: kept, because service ielts-backend-service is in it",
            "namespace ielts.local: kept, because service ielts-backend-service is in it",
        ] {
            assert!(report(&down).contains(kept), "{kept}: {}", report(&down));
        }
        let after = observe::account(&world.aws, &world.environment).await.unwrap();
        assert!(after.cluster.is_some_and(|cluster| cluster.status == "ACTIVE"));
        assert_eq!(after.services[&ServiceKey("backend".to_owned())].status, "ACTIVE");
        assert!(after.orphans.iter().all(|owned| owned.kind != OwnedKind::Cluster));
    });
}
