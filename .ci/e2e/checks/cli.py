"""The AWS CLI against the running deployment."""

import json
import pathlib

from .. import names
from ..account import WAIT_DEADLINE
from ..verdict import check, expect, expect_that
from .fresh import fresh_deploy


def _task_ids(arns):
    return [arn.rsplit("/", 1)[1] for arn in arns]


@check("word for word: aws ecs list-services, describe-services, list-tasks", needs=[fresh_deploy])
def word_for_word(stage):
    account = stage.account()
    listed = account.word_for_word(f"aws ecs list-services --cluster {names.CLUSTER}")
    expect("list-services", sorted(_task_ids(listed["serviceArns"])), list(names.SERVICES))
    described = account.word_for_word(
        f"aws ecs describe-services --cluster {names.CLUSTER} --services {' '.join(names.SERVICES)}"
    )
    expect("describe-services: failures", described["failures"], [])
    expect("describe-services", [service["serviceName"] for service in described["services"]], list(names.SERVICES))
    tasks = account.word_for_word(
        f"aws ecs list-tasks --cluster {names.CLUSTER} --service-name {names.SERVICES[0]}"
    )
    expect("the number of tasks listed", len(tasks["taskArns"]), 2)


@check("word for word: aws ecs execute-command, and the backend by its Service Connect name from in there", needs=[fresh_deploy])
def execute_command(stage):
    curl = "curl --silent --show-error http://backend.ielts.local:8080/actuator/health; echo\nexit\n"
    said = stage.account().execute(names.SERVICES[1], "frontend", "/bin/sh", curl)
    expect_that('"service":"backend"' in said and "Exiting session with sessionId: ecs-execute-command-" in said,
                "the session", "the backend's health, and an end", said)


@check("ecs describe-services: ACTIVE, 2/2, one deployment, PRIMARY and COMPLETED", needs=[fresh_deploy])
def services(stage):
    for service in stage.account().services():
        name = service["serviceName"]
        expect(f"the status of {name}", service["status"], "ACTIVE")
        counts = (service["runningCount"], service["desiredCount"], service["pendingCount"])
        expect(f"running, desired and pending of {name}", counts, (2, 2, 0))
        deployments = [(entry["status"], entry["rolloutState"]) for entry in service["deployments"]]
        expect(f"the deployments of {name}", deployments, [("PRIMARY", "COMPLETED")])
        expect(f"the launch type of {name}", service["launchType"], "FARGATE")


@check("ecs describe-tasks: RUNNING and HEALTHY from the image that ECR has", needs=[fresh_deploy])
def tasks(stage):
    account = stage.account()
    for key, service, repository in zip(names.KEYS, names.SERVICES, names.REPOSITORIES):
        arns = account.aws(f"aws ecs list-tasks --cluster {names.CLUSTER} --service-name {service}")["taskArns"]
        expect(f"the number of tasks of {service}", len(arns), 2)
        described = account.aws(f"aws ecs describe-tasks --cluster {names.CLUSTER} --tasks {' '.join(arns)}")
        states = [(task["lastStatus"], task["healthStatus"]) for task in described["tasks"]]
        expect(f"the tasks of {service}", states, [("RUNNING", "HEALTHY")] * 2)
        running = {container["imageDigest"] for task in described["tasks"] for container in task["containers"]
                   if container["name"] == key}
        images = account.aws(f"aws ecr describe-images --repository-name {repository}")["imageDetails"]
        held = {image["imageDigest"] for image in images}
        expect_that(len(running) == 1 and running <= held, f"the digests that {service} runs",
                    f"one of {sorted(held)}", sorted(running))


@check("ecs wait services-stable returns", needs=[fresh_deploy])
def wait_stable(stage):
    stage.account().aws(
        f"aws ecs wait services-stable --cluster {names.CLUSTER} --services {' '.join(names.SERVICES)}",
        deadline=WAIT_DEADLINE,
    )


@check("elbv2: both target groups of type ip, two healthy targets each", needs=[fresh_deploy])
def target_health(stage):
    account = stage.account()
    groups = account.aws(f"aws elbv2 describe-target-groups --names {' '.join(names.TARGET_GROUPS)}")["TargetGroups"]
    shown = sorted((group["TargetGroupName"], group["TargetType"], group["Port"], group["HealthCheckPath"])
                   for group in groups)
    expect("the target groups", shown, [
        ("ielts-backend-tg", "ip", 8080, "/actuator/health"), ("ielts-frontend-tg", "ip", 3000, "/api/health"),
    ])
    for group in groups:
        health = account.aws(f"aws elbv2 describe-target-health --target-group-arn {group['TargetGroupArn']}")
        states = [target["TargetHealth"]["State"] for target in health["TargetHealthDescriptions"]]
        expect(f"the targets of {group['TargetGroupName']}", states, ["healthy", "healthy"])


@check("elbv2: the rules route as the target asks", needs=[fresh_deploy])
def rules(stage):
    stage.shape = stage.account().shape()
    found = {path: goes_to for _, paths, goes_to in stage.shape["rules"][0] for path in paths}
    expect("path and target group of each rule", found, {
        "/api/*": ["ielts-backend-tg"], "/*": ["ielts-frontend-tg"],
        "/actuator/health": ["ielts-backend-tg"], "/api/health": ["ielts-frontend-tg"],
    })


@check("application-autoscaling: 2 to 10 tasks each, and the backend's CPU policy", needs=[fresh_deploy])
def scaling(stage):
    account = stage.account()
    described = account.aws("aws application-autoscaling describe-scalable-targets --service-namespace ecs")
    targets = sorted((target["ResourceId"], target["ScalableDimension"], target["MinCapacity"], target["MaxCapacity"])
                     for target in described["ScalableTargets"])
    expect("the scalable targets", targets, [
        (f"service/{names.CLUSTER}/{service}", "ecs:service:DesiredCount", 2, 10) for service in names.SERVICES
    ])
    described = account.aws("aws application-autoscaling describe-scaling-policies --service-namespace ecs")
    policies = [_policy(policy) for policy in described["ScalingPolicies"]]
    expect("the policies", policies, [{
        "resource": f"service/{names.CLUSTER}/{names.SERVICES[0]}", "name": names.POLICY,
        "type": "TargetTrackingScaling", "metric": "ECSServiceAverageCPUUtilization", "target": 70.0,
        "out": 60, "in": 120,
    }])


def _policy(policy):
    tracking = policy["TargetTrackingScalingPolicyConfiguration"]
    return {
        "resource": policy["ResourceId"], "name": policy["PolicyName"], "type": policy["PolicyType"],
        "metric": tracking["PredefinedMetricSpecification"]["PredefinedMetricType"],
        "target": tracking["TargetValue"], "out": tracking["ScaleOutCooldown"], "in": tracking["ScaleInCooldown"],
    }


@check("logs get-log-events: what each task printed", needs=[fresh_deploy])
def logs(stage):
    account = stage.account()
    for key, service in zip(names.KEYS, names.SERVICES):
        arns = account.aws(f"aws ecs list-tasks --cluster {names.CLUSTER} --service-name {service}")["taskArns"]
        for task in _task_ids(arns):
            events = account.aws(
                f"aws logs get-log-events --log-group-name /ecs/ielts-{key} "
                f"--log-stream-name {key}/{key}/{task} --start-from-head"
            )["events"]
            said = [event["message"] for event in events]
            expect_that(any("listening" in line for line in said), f"the log of {key} task {task}",
                        "a line that says it is listening", said[:5])


@check("ssm and secretsmanager: what is put is what is read, and the cloud's log has none of it", needs=[fresh_deploy])
def secrets(stage):
    account, value = stage.account(), f"check-{stage.random.randrange(10**12)}"
    file = stage.home / "secret"
    file.write_text(json.dumps({"password": value}))
    parameter, secret = "/ielts/check/password", "ielts/check"
    try:
        put = account.aws(f"aws ssm put-parameter --type SecureString --name {parameter} --value file://{file}")
        expect("the version of a new parameter", put["Version"], 1)
        closed = account.aws(f"aws ssm get-parameter --name {parameter}")["Parameter"]["Value"]
        expect_that(value not in closed, "a SecureString without --with-decryption", "a ciphertext", closed)
        opened = account.aws(f"aws ssm get-parameter --name {parameter} --with-decryption")["Parameter"]["Value"]
        expect("the parameter", opened, file.read_text())
        arn = account.aws(f"aws secretsmanager create-secret --name {secret} --secret-string file://{file}")["ARN"]
        held = account.aws(f"aws secretsmanager get-secret-value --secret-id {arn}")
        expect("the secret", (held["Name"], held["SecretString"]), (secret, file.read_text()))
        log = pathlib.Path(stage.status()["log"]).read_text()
        expect_that("ssm PutParameter ok" in log and value not in log, "the cloud's log", "the call, not the value", value)
    finally:
        file.unlink()
    account.aws(f"aws ssm delete-parameter --name {parameter}")
    account.aws(f"aws secretsmanager delete-secret --secret-id {arn} --force-delete-without-recovery")
