"""Adoption: services that were made with the AWS CLI, as they were before there was a tool, lose nothing."""

import json
import os
import time

from .. import names
from ..stage import deployed
from ..tool import WARM_DEADLINE
from ..verdict import check, expect, expect_that
from .fresh import fresh_deploy

PORTS = {"backend": 8080, "frontend": 3000}
HEALTH = {"backend": "/actuator/health", "frontend": "/api/health"}
RULES = ((10, HEALTH["backend"], "backend"), (20, HEALTH["frontend"], "frontend"), (100, "/api/*", "backend"), (200, "/*", "frontend"))
# Members that only DescribeTaskDefinition has.
SHOWN = ("taskDefinitionArn", "revision", "status", "requiresAttributes", "compatibilities", "registeredAt", "registeredBy")
LIMITS = [{"name": "nofile", "softLimit": 4096, "hardLimit": 8192}]
SCALING = "--service-namespace ecs --scalable-dimension ecs:service:DesiredCount"


def _network(aws):
    """A balancer with a target group for each service and the rules of both; the target groups' ARNs."""
    vpc = aws("aws ec2 describe-vpcs --filters Name=tag:Name,Values=ielts-prod-vpc")["Vpcs"][0]["VpcId"]
    subnets = " ".join(_subnets(aws, "ielts-prod-public-1a", "ielts-prod-public-1b"))
    made = aws(f"aws elbv2 create-load-balancer --name ielts-prod-alb --subnets {subnets} --security-groups {_group(aws, 'ielts-prod-alb-sg')}")
    groups = {}
    for key, name in zip(names.KEYS, names.TARGET_GROUPS):
        group = aws(
            f"aws elbv2 create-target-group --name {name} --protocol HTTP --port {PORTS[key]} --vpc-id {vpc} "
            f"--target-type ip --health-check-path {HEALTH[key]}"
        )
        groups[key] = group["TargetGroups"][0]["TargetGroupArn"]
    listener = aws(
        f"aws elbv2 create-listener --load-balancer-arn {made['LoadBalancers'][0]['LoadBalancerArn']} --protocol HTTP "
        "--port 80 --default-actions Type=fixed-response,FixedResponseConfig={StatusCode=404}"
    )["Listeners"][0]["ListenerArn"]
    for priority, path, key in RULES:
        aws(
            f"aws elbv2 create-rule --listener-arn {listener} --priority {priority} "
            f"--conditions Field=path-pattern,Values='{path}' --actions Type=forward,TargetGroupArn={groups[key]}"
        )
    return groups


def _subnets(aws, *wanted):
    return [aws(f"aws ec2 describe-subnets --filters Name=tag:Name,Values={name}")["Subnets"][0]["SubnetId"] for name in wanted]


def _group(aws, name):
    return aws(f"aws ec2 describe-security-groups --filters Name=group-name,Values={name}")["SecurityGroups"][0]["GroupId"]


def _service(stage, aws, key, group):
    """The service as a person makes it, with what the console adds to a definition."""
    family = names.FAMILIES[names.KEYS.index(key)]
    definition = aws(f"aws ecs describe-task-definition --task-definition {family}")["taskDefinition"]
    for member in SHOWN:
        definition.pop(member, None)
    container = definition["containerDefinitions"][0]
    container["ulimits"] = LIMITS
    container["environment"] = [it for it in container["environment"] if it["name"] != "APP_COMMIT"]
    container["logConfiguration"]["options"]["mode"] = "non-blocking"
    file = stage.home / f"{key}.json"
    file.write_text(json.dumps(definition), encoding="utf-8")
    aws(f"aws ecs register-task-definition --cli-input-json file://{file}")
    network = json.dumps({"awsvpcConfiguration": {
        "subnets": _subnets(aws, "ielts-prod-private-app-1a", "ielts-prod-private-app-1b"),
        "securityGroups": [_group(aws, f"ielts-prod-ecs-{key[0]}e-sg")], "assignPublicIp": "DISABLED",
    }})
    connect = json.dumps({"enabled": True, "namespace": "ielts.local", "services": [{
        "portName": key, "discoveryName": key, "clientAliases": [{"port": PORTS[key], "dnsName": f"{key}.ielts.local"}],
    }]})
    name = names.SERVICES[names.KEYS.index(key)]
    aws(
        f"aws ecs create-service --cluster {names.CLUSTER} --service-name {name} --task-definition {family} "
        f"--desired-count 2 --launch-type FARGATE --network-configuration '{network}' --health-check-grace-period-seconds 60 "
        f"--load-balancers targetGroupArn={group},containerName={key},containerPort={PORTS[key]} "
        f"--service-connect-configuration '{connect}'"
    )
    aws(
        f"aws application-autoscaling register-scalable-target {SCALING} --min-capacity 2 --max-capacity 10 "
        f"--resource-id service/{names.CLUSTER}/{name}"
    )


def _settled(account):
    for _ in range(120):
        deployments = [service["deployments"] for service in account.services()]
        if all(len(it) == 1 and it[0]["rolloutState"] == "COMPLETED" for it in deployments):
            return
        time.sleep(0.5)
    expect_that(False, "the services made by hand", "one COMPLETED deployment each", deployments)


@check("services made with the AWS CLI: a first release that would drop a setting is refused with its lines", needs=[fresh_deploy])
def refused(stage):
    # Images and task definitions outlive `down`.
    deployed(stage.tool.deploy())
    expect("the exit code of down", stage.tool.run("down", "--yes", deadline=WARM_DEADLINE).exit, 0)
    account = stage.account()
    account.aws(f"aws ecs create-cluster --cluster-name {names.CLUSTER}")
    account.aws("aws servicediscovery create-http-namespace --name ielts.local")
    groups = _network(account.aws)
    for key in names.KEYS:
        _service(stage, account.aws, key, groups[key])
    tracking = json.dumps({
        "TargetValue": 70.0, "ScaleOutCooldown": 60, "ScaleInCooldown": 120,
        "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"},
    })
    account.aws(
        f"aws application-autoscaling put-scaling-policy {SCALING} --policy-name {names.POLICY} --policy-type TargetTrackingScaling "
        f"--resource-id service/{names.CLUSTER}/{names.SERVICES[0]} --target-tracking-scaling-policy-configuration '{tracking}'"
    )
    _settled(account)
    run = stage.tool.deploy()
    expect("the exit code of a first release onto them", run.exit, 2)
    expect("API calls that write", run.writes(), [])
    expect_that("ulimits = [{" in run.text and "non-blocking" in run.text, "what it prints", "the lines that keep them", run.story())


@check("init writes a deploy.toml for them, and a plan of it changes nothing", needs=[refused])
def written(stage):
    cloud = stage.cloud()
    env = {
        **os.environ, "AWS_ENDPOINT_URL": cloud.endpoint, "AWS_ACCESS_KEY_ID": "dummy", "AWS_SECRET_ACCESS_KEY": "dummy",
        "AWS_REGION": names.REGION, "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }
    file = stage.root / "target" / "ci" / "adopted.toml"
    file.unlink(missing_ok=True)
    config = str(file.relative_to(stage.root))
    made = stage.tool.run("init", "--cluster", names.CLUSTER, env=env, config=config)
    expect_that(made.exit == 0 and file.exists(), "init", "a file", made.story())
    plan = stage.tool.run("plan", "--env", "prod", env=env, config=config)
    expect_that(plan.exit == 0 and "nothing to change" in plan.text, "the plan", "nothing to change", plan.story())
    stage.stop()
