//! Any `deploy.toml` is deployed and proven: no name, number or count of the file is known to the tool or to the embedded
//! cloud.

use deploy::event::ExitCode;

use crate::world::{FILE, World, production, story};

/// Deploys the file to an empty account, proves that it holds what the file says, and gives the world.
async fn proven(text: &str, services: &[&str]) -> World {
    let mut world = World::of(production(text), 0).await;
    let first = world.deploy("v1", "v1").await;
    assert_eq!(first.exit, ExitCode::Done, "{:#?}", first.events);
    assert_eq!(first.rolled(), services);
    let again = world.deploy("v1", "v1").await;
    assert_eq!((again.exit, again.writes), (ExitCode::Done, Vec::new()), "{:#?}", again.events);
    world.forecasts = true;
    let update = world.deploy("v2", "v2").await;
    assert_eq!(update.exit, ExitCode::Done, "{:#?}", update.events);
    assert!(format!("{:?}", update.events).contains("Forecast("), "the rehearsal knows another network");
    world
}

fn frontend() -> &'static str {
    let from = FILE.find("[service.frontend]").unwrap();
    &FILE[from..FILE.find("[env.prod]").unwrap()]
}

#[test]
fn the_owners_account_is_set() {
    story(|| async {
        let world = proven(&FILE.replace("123456789012", "481516234299"), &["backend", "frontend"]).await;
        let service = &world.aws.service_tasks("ielts-prod-cluster", "ielts-backend-service", false).await;
        assert!(service.as_ref().unwrap()[0].task_definition.contains(":481516234299:"));
    });
}

#[test]
fn the_company_is_renamed() {
    story(|| async { drop(proven(&FILE.replace("ielts", "acme"), &["backend", "frontend"]).await) });
}

#[test]
fn the_region_is_another() {
    story(|| async {
        drop(proven(&FILE.replace("ap-southeast-1", "eu-central-1"), &["backend", "frontend"]).await);
    });
}

#[test]
fn the_frontend_is_removed() {
    story(|| async { drop(proven(&FILE.replace(frontend(), ""), &["backend"]).await) });
}

#[test]
fn a_third_service_is_added() {
    story(|| async {
        let admin = frontend()
            .replace("frontend", "admin")
            .replace("priority = 200", "priority = 150")
            .replace("health-route-priority = 20", "health-route-priority = 30")
            .replace("\"/*\"", "\"/admin/*\"")
            .replace("/api/health", "/admin/health")
            .replace("identity = \"admin\"", "identity = \"frontend\"")
            .replace("path = \"/\"", "path = \"/admin/\"");
        let text = FILE.replace("[env.prod]", &format!("{admin}[env.prod]"));
        proven(&text, &["backend", "admin", "frontend"]).await;
    });
}

#[test]
fn the_network_is_named_by_ids_and_the_roles_by_arns() {
    story(|| async {
        let pairs = [
            ("ielts-prod-vpc", "vpc-0aaaaaaaaaaaaaaaa"),
            ("ielts-prod-private-app-1a", "subnet-0aaaaaaaaaaaaaaaa"),
            ("ielts-prod-alb-sg", "sg-0aaaaaaaaaaaaaaaa"),
            ("ecsTaskExecutionRole", "arn:aws:iam::123456789012:role/teams/web/execution"),
        ];
        let text = pairs.iter().fold(FILE.to_owned(), |text, (name, id)| text.replace(name, id));
        proven(&text, &["backend", "frontend"]).await;
    });
}
