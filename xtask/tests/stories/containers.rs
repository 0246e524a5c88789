//! What containers run, and who runs beside them.

use deploy::event::ExitCode;
use serde_json::{Value, json};

use crate::world::{World, story};

fn words<const N: usize>(words: [&str; N]) -> Vec<String> {
    words.map(str::to_owned).to_vec()
}

/// A member of the definition that the backend's family has last, by its path.
async fn registered(world: &World, path: &[&str]) -> Value {
    let state = world.aws.describe_task_definition("ielts-backend").await.unwrap();
    state.spec.members().get(path).cloned().unwrap_or_default()
}

#[test]
fn a_changed_command_rolls_its_own_service_and_is_no_change_the_next_time() {
    story(async || {
        let mut world = World::new().await;
        assert_eq!(Box::pin(world.deploy("v1", "v1")).await.exit, ExitCode::Done);
        let service = &mut world.environment.services[0];
        service.ephemeral_storage_gib = Some(50);
        service.container.command = words(["serve", "--workers", "4"]);
        service.container.user = Some("1000:1000".to_owned());
        let ended = Box::pin(world.deploy("v1", "v1")).await;
        assert_eq!(ended.exit, ExitCode::Done, "{:#?}", ended.events);
        let rolls = ended.writes.iter().filter(|write| *write == "UpdateService").count();
        assert_eq!(rolls, 1, "{:?}", ended.writes);
        let own = ["containerDefinitions", "backend"];
        assert_eq!(
            registered(&world, &[own[0], own[1], "command"]).await,
            json!(["serve", "--workers", "4"])
        );
        assert_eq!(registered(&world, &[own[0], own[1], "user"]).await, json!("1000:1000"));
        assert_eq!(registered(&world, &["ephemeralStorage"]).await, json!({ "sizeInGiB": 50 }));
        let again = Box::pin(world.deploy("v1", "v1")).await;
        assert_eq!((again.exit, again.writes), (ExitCode::Done, vec![]), "{:#?}", again.events);
    });
}
