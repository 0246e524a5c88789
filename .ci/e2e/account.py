"""The account as the real AWS CLI shows it."""

import json
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile

from . import names
from .verdict import Unexpected

PLUGIN = pathlib.Path(__file__).with_name("session_manager_plugin.py")
CALL_DEADLINE = 60
# `aws ecs wait services-stable` asks every 15 s, 40 times.
WAIT_DEADLINE = 660


class Account:
    """The embedded cloud's account, through `aws`."""

    def __init__(self, program, endpoint, home):
        self.program, self.endpoint = program, endpoint
        self.transcript = []
        # Nothing of this machine's own AWS set-up may answer in place of the cloud.
        self._env = {
            "PATH": os.environ["PATH"], "HOME": str(home), "LC_ALL": "C.UTF-8", "AWS_PAGER": "",
            "AWS_ACCESS_KEY_ID": "dummy", "AWS_SECRET_ACCESS_KEY": "dummy", "AWS_DEFAULT_REGION": names.REGION,
            "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true", "AWS_DISABLE_HOST_PREFIX_INJECTION": "true", "NO_PROXY": "127.0.0.1,localhost",
        }

    def aws(self, line, deadline=CALL_DEADLINE):
        """A command as in the AWS documentation, with the endpoint as an option behind `aws`."""
        return self._call(self._there(line), {}, deadline)

    def raw(self, line, deadline=CALL_DEADLINE):
        """What such a command prints, JSON or not."""
        return self._said(self._there(line), {}, deadline, "")

    def _there(self, line):
        args = shlex.split(line)
        return [args[0], "--endpoint-url", self.endpoint, *args[1:]]

    def word_for_word(self, line):
        """A command exactly as a person types it for AWS; the environment names the endpoint."""
        return self._call(shlex.split(line), {"AWS_ENDPOINT_URL": self.endpoint}, CALL_DEADLINE)

    def execute(self, service, container, command, typed=""):
        """What `aws ecs execute-command` shows in the newest task of a service, with something typed."""
        arns = self.aws(f"aws ecs list-tasks --cluster {names.CLUSTER} --service-name {service}")["taskArns"]
        with tempfile.TemporaryDirectory() as folder:
            plugin = pathlib.Path(folder) / "session-manager-plugin"
            plugin.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {shlex.quote(str(PLUGIN))} "$@"\n')
            plugin.chmod(0o755)
            line = (f"aws ecs execute-command --cluster {names.CLUSTER} --task {arns[-1].rsplit('/', 1)[1]} "
                    f"--container {container} --interactive --command {shlex.quote(command)}")
            extra = {"AWS_ENDPOINT_URL": self.endpoint, "PATH": f"{folder}:{self._env['PATH']}"}
            return self._said(shlex.split(line), extra, CALL_DEADLINE, typed).replace("\r", "")

    def _call(self, args, extra, deadline):
        said = self._said([*args, "--output", "json"], extra, deadline, "")
        return json.loads(said) if said.strip() else {}

    def _said(self, args, extra, deadline, typed):
        shown = " ".join(args)
        try:
            done = subprocess.run(
                [self.program, *args[1:]], env={**self._env, **extra}, input=typed,
                capture_output=True, text=True, timeout=deadline, check=False,
            )
        except subprocess.TimeoutExpired:
            raise Unexpected(shown, f"an end within {deadline} s", "none") from None
        except OSError as error:
            raise Unexpected(shown, "the AWS CLI", error) from None
        self.transcript.append(done.stdout + done.stderr)
        if done.returncode != 0:
            raise Unexpected(shown, "exit 0", f"exit {done.returncode}: {done.stderr.strip()}")
        return done.stdout

    def services(self):
        """Both services, in the order of their names."""
        described = self.aws(
            f"aws ecs describe-services --cluster {names.CLUSTER} --services {' '.join(names.SERVICES)}"
        )
        return sorted(described["services"], key=lambda service: service["serviceName"])

    def active_revisions(self):
        """The ARNs of each family's ACTIVE revisions."""
        return {
            family: self.aws(f"aws ecs list-task-definitions --family-prefix {family} --status ACTIVE")
            ["taskDefinitionArns"]
            for family in names.FAMILIES
        }

    def shape(self):
        """What there is, without ids and times: two accounts that were deployed to in any way must have the same."""
        balancers = self.aws("aws elbv2 describe-load-balancers")["LoadBalancers"]
        groups = self.aws("aws elbv2 describe-target-groups")["TargetGroups"]
        listeners = [
            (balancer["LoadBalancerName"], listener)
            for balancer in balancers
            for listener in self.aws(
                f"aws elbv2 describe-listeners --load-balancer-arn {balancer['LoadBalancerArn']}"
            )["Listeners"]
        ]
        group_names = {group["TargetGroupArn"]: group["TargetGroupName"] for group in groups}
        targets = self.aws("aws application-autoscaling describe-scalable-targets --service-namespace ecs")
        policies = self.aws("aws application-autoscaling describe-scaling-policies --service-namespace ecs")
        return {
            "services": [_service(service) for service in self.services()],
            "load balancers": sorted(balancer["LoadBalancerName"] for balancer in balancers),
            "target groups": sorted(group_names.values()),
            "listeners": [(name, listener["Port"], listener["Protocol"]) for name, listener in listeners],
            "rules": [self._rules(listener["ListenerArn"], group_names) for _, listener in listeners],
            "healthy targets": {name: self._healthy(arn) for arn, name in sorted(group_names.items())},
            "scalable targets": sorted(
                (target["ResourceId"], target["MinCapacity"], target["MaxCapacity"])
                for target in targets["ScalableTargets"]
            ),
            "policies": sorted((policy["ResourceId"], policy["PolicyName"]) for policy in policies["ScalingPolicies"]),
            "namespaces": sorted(
                namespace["Name"]
                for namespace in self.aws("aws servicediscovery list-namespaces")["Namespaces"]
            ),
            "repositories": sorted(
                repository["repositoryName"]
                for repository in self.aws("aws ecr describe-repositories")["repositories"]
            ),
            "log groups": sorted(
                group["logGroupName"] for group in self.aws("aws logs describe-log-groups")["logGroups"]
            ),
        }

    def _rules(self, listener, group_names):
        rules = self.aws(f"aws elbv2 describe-rules --listener-arn {listener}")["Rules"]
        return sorted((rule["Priority"], _paths(rule), _goes_to(rule, group_names)) for rule in rules)

    def _healthy(self, target_group):
        health = self.aws(f"aws elbv2 describe-target-health --target-group-arn {target_group}")
        states = [target["TargetHealth"]["State"] for target in health["TargetHealthDescriptions"]]
        # An old target may still be draining; that is no duplicate.
        return sorted(state for state in states if state != "draining")


def _service(service):
    deployments = [(entry["status"], entry["rolloutState"]) for entry in service["deployments"]]
    counts = (service["runningCount"], service["desiredCount"], service["pendingCount"])
    return (service["serviceName"], service["status"], counts, deployments)


def _paths(rule):
    return sorted(
        value
        for condition in rule["Conditions"]
        for value in condition.get("Values") or condition.get("PathPatternConfig", {}).get("Values", [])
    )


def _goes_to(rule, group_names):
    return [
        group_names.get(action["TargetGroupArn"], action["TargetGroupArn"]) if "TargetGroupArn" in action
        else action["Type"]
        for action in rule["Actions"]
    ]
