//! A release is undone as one: one service fails, and those that moved with it go back too.

use deploy::event::{ExitCode, Kind, UndoneService};
use deploy::model::{Endpoint, Undo};
use sim::fault::{Fault, On};
use sim::workload::scripted::Script;

use crate::ended::Ended;
use crate::world::{World, story};

/// What was reported of each service after the undo.
fn standings(ended: &Ended) -> Vec<(&str, bool, Option<&str>)> {
    let undone = ended.events.iter().filter_map(|event| match event {
        Kind::Undone { services } => Some(services),
        _ => None,
    });
    undone.flatten().map(row).collect()
}

fn row(standing: &UndoneService) -> (&str, bool, Option<&str>) {
    (standing.service.0.as_str(), standing.back, standing.before.as_deref())
}

/// A good first release; then one whose frontend crashes at its start, over what is changed between the two.
async fn a_frontend_that_fails(
    prepare: impl FnOnce(&mut World),
    change: impl FnOnce(&mut World),
) -> (World, Ended) {
    let mut world = World::new().await;
    prepare(&mut world);
    assert_eq!(world.deploy("v1", "v1").await.exit, ExitCode::Done);
    change(&mut world);
    world.scripts.set("ielts-frontend:2", Script::crashes(1_500, 1));
    let ended = world.deploy("v2", "v2").await;
    (world, ended)
}

#[test]
fn a_frontend_failure_does_not_leave_the_new_backend_under_the_old_frontend() {
    story(|| async {
        let (mut world, ended) = a_frontend_that_fails(|_| (), |_| ()).await;
        assert_eq!(ended.exit, ExitCode::Failed, "{:#?}", ended.events);
        assert_eq!(ended.rolled(), ["backend", "frontend", "backend"]);
        assert_eq!(
            standings(&ended),
            [("backend", true, Some("ielts-backend:1")), ("frontend", true, Some("ielts-frontend:1"))]
        );
        // Both serve what they served: a deploy of it finds nothing to do.
        let back = world.deploy("v1", "v1").await;
        assert_eq!((back.exit, back.writes), (ExitCode::Done, Vec::new()), "{:#?}", back.events);
    });
}

#[test]
fn a_client_that_ecs_rolled_back_before_its_server_s_endpoint_returned_is_deployed_once_more() {
    story(|| async {
        let (world, ended) = a_frontend_that_fails(
            |_| (),
            |world| {
                world.environment.services[0].connect.as_mut().unwrap().own.alias.port = 9090;
            },
        )
        .await;
        assert_eq!(ended.exit, ExitCode::Failed, "{:#?}", ended.events);
        assert_eq!(ended.rolled(), ["backend", "frontend", "backend", "frontend"]);
        assert_eq!(world.connect_of_backend()["services"][0]["clientAliases"][0]["port"], 8080);
    });
}

#[test]
fn an_endpoint_that_goes_redeploys_no_client() {
    story(|| async {
        let mut world = World::new().await;
        let backend = &mut world.environment.services[0];
        let port_name = backend.container.port_name.clone();
        let connect = backend.connect.as_mut().unwrap();
        let mut own = connect.own.clone();
        own.discovery_name = "legacy".to_owned();
        own.alias.port = 80;
        connect.endpoints.push(Endpoint {
            name: "legacy".to_owned(),
            port_name,
            offer: own,
            ..Endpoint::default()
        });
        assert_eq!(world.deploy("v1", "v1").await.exit, ExitCode::Done);
        world.environment.services[0].connect.as_mut().unwrap().endpoints.clear();
        let gone = world.deploy("v1", "v1").await;
        assert_eq!((gone.exit, gone.rolled()), (ExitCode::Done, vec!["backend"]), "{:#?}", gone.events);
        let again = world.deploy("v1", "v1").await;
        assert_eq!((again.exit, again.writes), (ExitCode::Done, Vec::new()), "{:#?}", again.events);
    });
}

#[test]
fn where_each_service_is_left_to_itself_a_good_backend_stays() {
    story(|| async {
        let (_, ended) = a_frontend_that_fails(|world| world.environment.undo = Undo::Service, |_| ()).await;
        assert_eq!((ended.exit, ended.rolled()), (ExitCode::Failed, vec!["backend", "frontend"]));
        assert_eq!(standings(&ended), [("frontend", true, Some("ielts-frontend:1"))]);
        let stays = "backend: runs ielts-backend:2 of this release, not proven, and stays";
        let is_named = |event: &Kind| matches!(event, Kind::Warned { text } if text == stays);
        assert!(ended.events.iter().any(is_named), "{:#?}", ended.events);
    });
}

#[test]
fn a_service_that_did_not_move_is_not_touched() {
    story(|| async {
        let mut world = World::new().await;
        world.deploy("v1", "v1").await;
        world.scripts.set("ielts-frontend:2", Script::crashes(1_500, 1));
        let ended = world.deploy("v1", "v2").await;
        assert_eq!((ended.exit, ended.rolled()), (ExitCode::Failed, vec!["frontend"]), "{:#?}", ended.events);
        // ECS's own rollback needs no second one, and what it came to is measured.
        assert_eq!(standings(&ended), [("frontend", true, Some("ielts-frontend:1"))]);
    });
}

#[test]
fn a_backend_that_cannot_be_restored_is_named_and_the_release_not_called_recovered() {
    story(|| async {
        let mut world = World::new().await;
        world.deploy("v1", "v1").await;
        world.scripts.set("ielts-frontend:2", Script::crashes(1_500, 1));
        // The second UpdateService of the backend is the way back.
        let refused = On::operation("UpdateService").nth(3..=99).then(Fault::AccessDenied);
        world.cloud.add_rule(refused);
        let ended = world.deploy("v2", "v2").await;
        assert_eq!(ended.exit, ExitCode::NotRecovered, "{:#?}", ended.events);
        assert_eq!(
            standings(&ended),
            [("backend", false, Some("ielts-backend:1")), ("frontend", true, Some("ielts-frontend:1"))]
        );
    });
}

#[test]
fn a_first_release_whose_frontend_fails_has_nothing_to_roll_back_to() {
    story(|| async {
        let mut world = World::new().await;
        world.scripts.set("ielts-frontend", Script::crashes(1_500, 1));
        let ended = world.deploy("v1", "v1").await;
        assert_eq!(ended.exit, ExitCode::NotRecovered, "{:#?}", ended.events);
        assert_eq!(ended.rolled(), ["backend", "frontend"]);
        assert_eq!(standings(&ended), [("backend", false, None), ("frontend", false, None)]);
    });
}

#[test]
fn a_release_over_a_first_one_that_failed_has_nothing_to_roll_back_to_either() {
    story(|| async {
        let mut world = World::new().await;
        world.scripts.set("ielts-frontend", Script::never_listens());
        assert_eq!(Box::pin(world.deploy("v1", "v1")).await.exit, ExitCode::NotRecovered);
        world.scripts.set("ielts-frontend", Script::default());
        world.front_door.answers(500);
        let ended = Box::pin(world.deploy("v1", "v1")).await;
        assert_eq!(ended.exit, ExitCode::NotRecovered, "{}: {:#?}", ended.summary, ended.events);
        assert_eq!(standings(&ended), [("frontend", false, None)]);
        assert!(!ended.summary.contains("previous"), "{}", ended.summary);
    });
}

#[test]
fn a_release_that_settles_and_does_not_answer_is_not_left_serving() {
    story(|| async {
        let mut world = World::new().await;
        world.deploy("v1", "v1").await;
        world.front_door.new_revisions_answer(500);
        let ended = world.deploy("v2", "v1").await;
        assert_eq!(ended.exit, ExitCode::Failed, "{:#?}", ended.events);
        assert_eq!(ended.rolled(), ["backend", "backend"]);
        let back = world.deploy("v1", "v1").await;
        assert_eq!((back.exit, back.writes), (ExitCode::Done, Vec::new()), "{:#?}", back.events);
    });
}

#[test]
fn a_cancelled_release_is_restored_as_one() {
    story(|| async {
        let mut world = World::new().await;
        world.deploy("v1", "v1").await;
        world.environment.services[1].deployment.health_check_grace_secs = 1_200;
        world.scripts.set("ielts-frontend:2", Script::boots_in(900_000));
        world.stop_after = Some(600);
        let ended = world.deploy("v2", "v2").await;
        assert_eq!(ended.exit, ExitCode::Interrupted, "{:#?}", ended.events);
        assert_eq!(ended.rolled(), ["backend", "frontend", "backend"]);
        world.stop_after = None;
        let back = world.deploy("v1", "v1").await;
        assert_eq!((back.exit, back.rolled().len()), (ExitCode::Done, 0), "{:#?}", back.events);
    });
}

#[test]
fn a_setting_that_came_with_the_release_is_restored_with_it() {
    story(|| async {
        let mut world = World::new().await;
        world.deploy("v1", "v1").await;
        let before = world.environment.clone();
        world.environment.services[0].deployment.health_check_grace_secs += 33;
        world.scripts.set("ielts-frontend:2", Script::crashes(1_500, 1));
        let ended = world.deploy("v2", "v2").await;
        assert_eq!(ended.exit, ExitCode::Failed, "{:#?}", ended.events);
        world.environment = before;
        let back = world.deploy("v1", "v1").await;
        assert_eq!((back.exit, back.writes), (ExitCode::Done, Vec::new()), "{:#?}", back.events);
    });
}
