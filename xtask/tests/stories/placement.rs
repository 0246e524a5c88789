//! Where tasks run: on Spot, on demand, and in which zones.

use deploy::event::{ExitCode, Kind};
use deploy::model::{CapacityProvider, Environment, ProviderName};
use serde_json::{Value, json};
use sim::workload::scripted::Script;

use crate::somebody::ecs;
use crate::world::{FILE, World, production, story};

fn on_spot() -> Environment {
    let mut environment = production(FILE);
    environment.services[0].capacity_providers = vec![
        CapacityProvider { base: 1, weight: 0, ..CapacityProvider::default() },
        CapacityProvider { name: ProviderName::Spot, weight: 4, base: 0 },
    ];
    environment
}

/// The providers of the backend's running tasks, sorted.
fn providers(world: &World) -> Vec<Option<String>> {
    let (cluster, name) = (&world.environment.cluster, &world.environment.services[0].name);
    let listed = ecs(&world.cloud, "ListTasks", &json!({ "cluster": cluster, "serviceName": name })).unwrap();
    let body = json!({ "cluster": cluster, "tasks": listed["taskArns"] });
    let tasks = ecs(&world.cloud, "DescribeTasks", &body).unwrap();
    let provider = |task: &Value| task["capacityProviderName"].as_str().map(str::to_owned);
    let mut all: Vec<_> = tasks["tasks"].as_array().unwrap().iter().map(provider).collect();
    all.sort();
    all
}

fn some(names: [&str; 2]) -> Vec<Option<String>> {
    names.map(|name| Some(name.to_owned())).to_vec()
}

#[test]
fn a_service_goes_to_spot_and_back_and_each_plan_names_it() {
    story(async || {
        let mut world = World::of(on_spot(), 0).await;
        let ended = Box::pin(world.deploy("v1", "v1")).await;
        assert_eq!(ended.exit, ExitCode::Done, "{:#?}", ended.events);
        assert_eq!(providers(&world), some(["FARGATE", "FARGATE_SPOT"]));
        let again = Box::pin(world.deploy("v1", "v1")).await;
        assert_eq!((again.exit, again.writes), (ExitCode::Done, vec![]), "{:#?}", again.events);

        // Nothing but the strategy changes, which starts no deployment by itself.
        world.environment = production(FILE);
        let back = Box::pin(world.deploy("v1", "v1")).await;
        assert_eq!((back.exit, back.rolled()), (ExitCode::Done, vec!["backend"]), "{:#?}", back.events);
        let plan = back.events.iter().find_map(|event| match event {
            Kind::Planned { plan } => Some(deploy::view::plan_text(plan)),
            _ => None,
        });
        let plan = plan.unwrap();
        assert!(plan.contains("- capacityProviderStrategy.FARGATE_SPOT (weight: 4, base: 0)"), "{plan}");
        assert_eq!(providers(&world), some(["FARGATE", "FARGATE"]));
        let again = Box::pin(world.deploy("v1", "v1")).await;
        assert_eq!((again.exit, again.writes), (ExitCode::Done, vec![]), "{:#?}", again.events);
    });
}

#[test]
fn a_release_that_fails_on_spot_leaves_tasks_where_they_ran() {
    story(async || {
        let mut world = World::new().await;
        assert_eq!(Box::pin(world.deploy("v1", "v1")).await.exit, ExitCode::Done);
        world.environment = on_spot();
        world.rights = Some(crate::policy::grant(&world.cloud, crate::policy::printed(&world.environment)));
        world.scripts.set("ielts-backend:2", Script::crashes(1_500, 1));
        let ended = Box::pin(world.deploy("v2", "v1")).await;
        assert_eq!(ended.exit, ExitCode::Failed, "{:#?}", ended.events);
        // The cluster, which this tool made, has them from now on.
        assert!(ended.writes.contains(&"PutClusterCapacityProviders".to_owned()), "{:?}", ended.writes);
        assert!(
            providers(&world).iter().all(|it| it.as_deref() != Some("FARGATE_SPOT")),
            "{:?}",
            providers(&world)
        );
        world.environment = production(FILE);
        let again = Box::pin(world.deploy("v1", "v1")).await;
        assert_eq!((again.exit, again.writes), (ExitCode::Done, vec![]), "{:#?}", again.events);
    });
}

#[test]
fn the_capacity_providers_of_a_cluster_of_others_are_theirs() {
    story(async || {
        let mut world = World::of(on_spot(), 0).await;
        let cluster = world.environment.cluster.clone();
        ecs(&world.cloud, "CreateCluster", &json!({ "clusterName": cluster })).unwrap();
        let ended = Box::pin(world.deploy("v1", "v1")).await;
        assert_eq!((ended.exit, ended.writes.len()), (ExitCode::Usage, 0), "{:#?}", ended.events);
        let refusal = ended.events.iter().find_map(|event| match event {
            Kind::Failed { error, hint: Some(hint) } => Some((error.as_str(), hint.as_str())),
            _ => None,
        });
        assert_eq!(
            refusal.unwrap(),
            (
                "cluster ielts-prod-cluster has no capacity provider FARGATE and FARGATE_SPOT, and this tool did not create it",
                "aws ecs put-cluster-capacity-providers --cluster ielts-prod-cluster --capacity-providers FARGATE \
                 FARGATE_SPOT --default-capacity-provider-strategy []"
            )
        );
        let body = json!({ "cluster": cluster, "capacityProviders": ["FARGATE", "FARGATE_SPOT"],
            "defaultCapacityProviderStrategy": [] });
        ecs(&world.cloud, "PutClusterCapacityProviders", &body).unwrap();
        let ended = Box::pin(world.deploy("v1", "v1")).await;
        assert_eq!(ended.exit, ExitCode::Done, "{:#?}", ended.events);
    });
}

#[test]
fn rebalancing_is_as_the_file_says_and_without_a_word_as_it_was() {
    story(async || {
        let mut world = World::new().await;
        let shown = |world: &World| {
            let (cluster, name) = (&world.environment.cluster, &world.environment.services[0].name);
            let body = json!({ "cluster": cluster, "services": [name] });
            ecs(&world.cloud, "DescribeServices", &body).unwrap()["services"][0]["availabilityZoneRebalancing"].clone()
        };
        assert_eq!(Box::pin(world.deploy("v1", "v1")).await.exit, ExitCode::Done);
        assert_eq!(shown(&world), "ENABLED", "AWS's default");
        for (wanted, writes, word) in
            [(Some(false), 1, "DISABLED"), (None, 0, "DISABLED"), (Some(true), 1, "ENABLED")]
        {
            world.environment.services[0].availability_zone_rebalancing = wanted;
            let ended = Box::pin(world.deploy("v1", "v1")).await;
            assert_eq!((ended.exit, ended.rolled().len()), (ExitCode::Done, 0), "{:#?}", ended.events);
            let updates = ended.writes.iter().filter(|write| *write == "UpdateService").count();
            assert_eq!((updates, shown(&world)), (writes, json!(word)), "{wanted:?}");
        }
    });
}
