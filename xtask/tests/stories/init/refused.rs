//! What rules refuse, or no file can say, is named; the file is complete all the same.

use super::*;

#[test]
fn a_file_that_rules_refuse_is_complete_all_the_same_and_names_each_refusal() {
    story(async || {
        let own = json!({ "command": ["serve"], "ulimits": [{ "name": "nofile", "softLimit": 9, "hardLimit": 9 }] });
        let stuck = json!({ "deploymentConfiguration": { "minimumHealthyPercent": 100, "maximumPercent": 100 },
            "availabilityZoneRebalancing": "DISABLED" });
        let world = World::hand_made(own, json!({})).await;
        let Environment { region, cluster, services, .. } = &world.environment;
        let mut update = stuck;
        update["cluster"] = json!(cluster);
        update["service"] = json!(services[0].name);
        ecs(&world.cloud, "UpdateService", &update).unwrap();
        let draft = observe::draft(&world.aws, region, cluster, &[], &[]).await.unwrap();
        let refused = "the file is refused until this is changed: service.backend.deployment.maximum-percent: \
                       no deployment could ever start or stop a task";
        assert!(draft.left.len() == 1 && draft.left[0].starts_with(refused), "{:?}", draft.left);
        assert!(draft.left[0].ends_with("[deployment-deadlock]"), "{:?}", draft.left);
        let text = draft.text();
        for line in
            ["command = [\"serve\"]", "ulimits = [", "maximum-percent = 100", &format!("# - {refused}")]
        {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
    });
}

#[test]
fn services_that_share_what_one_alone_can_have_are_named_and_without_any_there_is_no_file() {
    story(async || {
        let world = World::hand_made(json!({}), json!({})).await;
        worker(&world, "mailer", "jobs").await;
        worker(&world, "sweeper", "jobs").await;
        let (text, left, changes) = written(&world).await;
        let said = "service sweeper: it shares task definition family jobs with service mailer: deploy.toml keeps one for \
                    each service";
        assert_eq!((left, changes), (vec![said.to_owned()], Vec::new()), "{text}");
        let Environment { region, cluster, .. } = &world.environment;
        let groups = world.aws.find_target_groups(&["ielts-backend-tg", "ielts-frontend-tg"]).await.unwrap();
        let bound =
            |arn: &str| json!({ "targetGroupArn": arn, "containerName": "Worker", "containerPort": 9464 });
        let bound: Vec<Value> = groups.iter().map(|group| bound(&group.state.arn)).collect();
        let two = json!({ "cluster": cluster, "service": "sweeper", "loadBalancers": bound });
        ecs(&world.cloud, "UpdateService", &two).unwrap();
        let names = ["sweeper".to_owned()];
        let error = observe::draft(&world.aws, region, cluster, &names, &[]).await.unwrap_err();
        let said = "has no service that deploy.toml can say: service sweeper: it has 2 target groups";
        assert!(error.to_string().contains(said), "{error}");
    });
}

#[test]
fn what_no_file_says_and_a_deploy_leaves_is_listed_with_its_values() {
    story(async || {
        let world = World::hand_made(json!({}), json!({})).await;
        let environment = &world.environment;
        let [backend, frontend] = &environment.services[..] else { unreachable!() };
        let found = world
            .aws
            .find_services(&environment.cluster, &[&backend.name], &Default::default())
            .await
            .unwrap();
        let tag = |arn: &str, key: &str, value: &str| {
            let body = json!({ "resourceArn": arn, "tags": [{ "key": key, "value": value }] });
            ecs(&world.cloud, "TagResource", &body).unwrap();
        };
        tag(&found[0].arn, "owner", "ann");
        tag(&found[0].task_definition, "team", "core");
        let resource = format!("service/{}/{}", environment.cluster, frontend.name);
        let target = json!({ "ServiceNamespace": "ecs", "ResourceId": resource, "ScalableDimension": "ecs:service:DesiredCount",
            "MinCapacity": 2, "MaxCapacity": 10, "SuspendedState": { "DynamicScalingInSuspended": true } });
        asked(&world.cloud, Some("AnyScaleFrontendService.RegisterScalableTarget"), &target.to_string());
        // A rule that leads to two target groups.
        let balancer =
            world.aws.describe_load_balancer(&environment.load_balancer.name).await.unwrap().unwrap();
        let listener = world.aws.describe_listeners(&balancer.state.arn).await.unwrap().remove(0).state;
        let names = [backend, frontend].map(|service| service.group().unwrap().name.clone());
        let groups = world.aws.find_target_groups(&names.each_ref().map(String::as_str)).await.unwrap();
        weighted(&world, &listener.arn, &groups.iter().map(|it| it.state.arn.as_str()).collect::<Vec<_>>());
        let (text, left, changes) = written(&world).await;
        assert_eq!(changes, Vec::<String>::new(), "{text}");
        for said in [
            "service ielts-backend-service: its tags stay: owner=ann",
            "service ielts-backend-service: the tags of its task definition stay: team=core",
            "service ielts-frontend-service: its scalable target has DynamicScalingInSuspended, which stays",
            "rule 79 /both",
        ] {
            assert!(left.iter().any(|line| line.starts_with(said)), "{said}: {left:?}");
            assert!(text.contains(&format!("# - {said}")), "{text}");
        }
        assert_eq!(left.len(), 4, "{left:?}");
    });
}

/// A rule that this tool does not write: a part of the requests each.
fn weighted(world: &World, listener: &str, groups: &[&str]) {
    let mut query = format!(
        "Action=CreateRule&Version=2015-12-01&ListenerArn={listener}&Priority=79&Conditions.member.1.Field=path-pattern\
         &Conditions.member.1.Values.member.1=%2Fboth&Actions.member.1.Type=forward"
    );
    for (at, group) in groups.iter().enumerate() {
        let member = format!("Actions.member.1.ForwardConfig.TargetGroups.member.{}", at + 1);
        query.push_str(&format!("&{member}.TargetGroupArn={group}&{member}.Weight=1"));
    }
    asked(&world.cloud, None, &query);
}
