"""A hundred ordinary commands of the AWS CLI, each with a member of its reply or the error that AWS gives."""

from concurrent.futures import ThreadPoolExecutor

from .. import names
from ..verdict import Unexpected, check, expect_that
from .fresh import fresh_deploy

# Command and what its reply holds; an error's code begins with "!".
READS = """
ecs list-clusters | clusterArns
ecs describe-clusters --clusters {cluster} --include STATISTICS SETTINGS TAGS CONFIGURATIONS | clusters
ecs describe-clusters --clusters nope | failures
ecs list-services --cluster {cluster} | serviceArns
ecs list-services --cluster {cluster} --launch-type FARGATE --max-items 1 | serviceArns
ecs list-services-by-namespace --namespace ielts.local | serviceArns
ecs describe-services --cluster {cluster} --services {service} --include TAGS | services
ecs describe-services --cluster nope --services x | !ClusterNotFoundException
ecs list-tasks --cluster {cluster} | taskArns
ecs list-tasks --cluster {cluster} --service-name {service} --desired-status RUNNING | taskArns
ecs list-tasks --cluster {cluster} --family {family} | taskArns
ecs list-tasks --cluster {cluster} --desired-status STOPPED | taskArns
ecs describe-tasks --cluster {cluster} --tasks {task} --include TAGS | tasks
ecs describe-tasks --cluster {cluster} --tasks nope | !InvalidParameterException
ecs list-task-definitions | taskDefinitionArns
ecs list-task-definitions --family-prefix {family} --sort DESC | taskDefinitionArns
ecs list-task-definition-families | families
ecs list-task-definition-families --status ACTIVE --family-prefix ielts | families
ecs describe-task-definition --task-definition {family} --include TAGS | taskDefinition
ecs describe-task-definition --task-definition nope | !ClientException
ecs list-tags-for-resource --resource-arn {service_arn} | tags
ecs list-service-deployments --cluster {cluster} --service {service} | serviceDeployments
ecs describe-service-deployments --service-deployment-arns {deployment} | serviceDeployments
ecs describe-service-revisions --service-revision-arns {revision} | serviceRevisions
ecs continue-service-deployment --service-deployment-arn {deployment} --hook-id h | !InvalidParameterException
ecs stop-service-deployment --service-deployment-arn {deployment} | !ConflictException
ecs list-container-instances --cluster {cluster} | containerInstanceArns
ecs describe-capacity-providers | capacityProviders
ecs list-account-settings --effective-settings | settings
ecs list-account-settings --name containerInsights | settings
ecs get-task-protection --cluster {cluster} --tasks {task} | protectedTasks
ecr describe-repositories | repositories
ecr describe-repositories --repository-names nope | !RepositoryNotFoundException
ecr describe-images --repository-name {repository} | imageDetails
ecr list-images --repository-name {repository} --filter tagStatus=TAGGED | imageIds
ecr batch-get-image --repository-name {repository} --image-ids imageDigest={digest} | images
ecr batch-check-layer-availability --repository-name {repository} --layer-digests {digest} | layers
ecr get-authorization-token | authorizationData
ecr get-login-password | ?
ecr get-lifecycle-policy --repository-name {repository} | lifecyclePolicyText
ecr get-repository-policy --repository-name {repository} | !RepositoryPolicyNotFoundException
ecr list-image-referrers --repository-name {repository} --subject-id imageDigest={digest} | referrers
ecr list-tags-for-resource --resource-arn {repository_arn} | tags
elbv2 describe-load-balancers | LoadBalancers
elbv2 describe-load-balancers --names nope | !LoadBalancerNotFound
elbv2 describe-load-balancer-attributes --load-balancer-arn {balancer} | Attributes
elbv2 describe-listeners --load-balancer-arn {balancer} | Listeners
elbv2 describe-listener-attributes --listener-arn {listener} | Attributes
elbv2 describe-listener-certificates --listener-arn {listener} | Certificates
elbv2 describe-rules --listener-arn {listener} | Rules
elbv2 describe-target-groups | TargetGroups
elbv2 describe-target-groups --load-balancer-arn {balancer} | TargetGroups
elbv2 describe-target-group-attributes --target-group-arn {group} | Attributes
elbv2 describe-target-health --target-group-arn {group} | TargetHealthDescriptions
elbv2 describe-tags --resource-arns {balancer} {group} | TagDescriptions
elbv2 describe-ssl-policies | SslPolicies
elbv2 describe-account-limits | Limits
application-autoscaling describe-scalable-targets --service-namespace ecs | ScalableTargets
application-autoscaling describe-scaling-policies --service-namespace ecs | ScalingPolicies
application-autoscaling describe-scaling-activities --service-namespace ecs --resource-id service/{cluster}/{service} | ScalingActivities
application-autoscaling describe-scheduled-actions --service-namespace ecs | ScheduledActions
cloudwatch describe-alarms | MetricAlarms
cloudwatch describe-alarms --alarm-name-prefix TargetTracking --state-value OK | MetricAlarms
cloudwatch describe-alarms-for-metric --namespace AWS/ECS --metric-name CPUUtilization | MetricAlarms
cloudwatch describe-alarm-history | AlarmHistoryItems
cloudwatch list-metrics --namespace AWS/ECS | Metrics
cloudwatch get-metric-statistics --namespace AWS/ECS --metric-name CPUUtilization --dimensions Name=ClusterName,Value={cluster} Name=ServiceName,Value={service} --start-time 2026-01-01T00:00:00Z --end-time 2026-01-01T01:00:00Z --period 60 --statistics Average | Datapoints
cloudwatch get-metric-data --start-time 2026-01-01T00:00:00Z --end-time 2026-01-01T01:00:00Z --metric-data-queries Id=a,MetricStat={{Metric={{Namespace=AWS/ECS,MetricName=CPUUtilization}},Period=60,Stat=Average}} | MetricDataResults
servicediscovery list-namespaces | Namespaces
servicediscovery list-services | Services
servicediscovery discover-instances --namespace-name ielts.local --service-name backend | Instances
servicediscovery get-namespace --id {namespace} | Namespace
logs describe-log-groups | logGroups
logs describe-log-groups --log-group-name-prefix /ecs | logGroups
logs describe-log-streams --log-group-name /ecs/ielts-backend --order-by LastEventTime --descending | logStreams
logs filter-log-events --log-group-name /ecs/ielts-backend --limit 5 | events
logs list-tags-for-resource --resource-arn {log_group} | tags
ssm describe-parameters | Parameters
ssm describe-parameters --parameter-filters Key=Name,Option=BeginsWith,Values=/commands | Parameters
ssm get-parameters-by-path --path /commands --recursive --with-decryption | Parameters
ssm get-parameter --name /commands/a | Parameter
ssm get-parameter --name /nope | !ParameterNotFound
ssm get-parameters --names /commands/a /nope | InvalidParameters
ssm get-parameter-history --name /commands/a | Parameters
ssm list-tags-for-resource --resource-type Parameter --resource-id /commands/a | TagList
secretsmanager list-secrets | SecretList
secretsmanager describe-secret --secret-id commands | Name
secretsmanager get-secret-value --secret-id commands | SecretString
secretsmanager list-secret-version-ids --secret-id commands | Versions
sts get-caller-identity | Account
sts get-session-token | Credentials
sts assume-role --role-arn arn:aws:iam::123456789012:role/ci --role-session-name commands | Credentials
iam get-role --role-name {role} | Role
ec2 describe-vpcs | Vpcs
ec2 describe-subnets | Subnets
ec2 describe-security-groups | SecurityGroups
resourcegroupstaggingapi get-resources --tag-filters Key=commands | ResourceTagMappingList
ecs describe-task-sets --cluster {cluster} --service {service} | !UnknownOperationException
ec2 describe-instances | !InvalidAction
"""

# Each leaves the account as the next check needs it.
WRITES = """
ssm put-parameter --name /commands/a --type String --value one --tags Key=app,Value=a | Version
ssm put-parameter --name /commands/a --type String --value two --overwrite | Version
secretsmanager create-secret --name commands --secret-string one | ARN
"""
AFTER = """
ecs update-cluster-settings --cluster {cluster} --settings name=containerInsights,value=enabled | cluster
ecs put-account-setting --name containerInsights --value enabled | setting
ecs update-task-protection --cluster {cluster} --tasks {task} --protection-enabled | protectedTasks
ecs update-task-protection --cluster {cluster} --tasks {task} --no-protection-enabled | protectedTasks
ecs delete-task-definitions --task-definitions {family}:1 | failures
secretsmanager update-secret --secret-id commands --secret-string two | VersionId
secretsmanager delete-secret --secret-id commands --recovery-window-in-days 7 | DeletionDate
secretsmanager restore-secret --secret-id commands | Name
secretsmanager delete-secret --secret-id commands --force-delete-without-recovery | DeletionDate
ssm delete-parameters --names /commands/a | DeletedParameters
elbv2 modify-listener-attributes --listener-arn {listener} --attributes Key=routing.http.response.server.enabled,Value=true | Attributes
cloudwatch put-metric-alarm --alarm-name commands --namespace AWS/ECS --metric-name CPUUtilization --statistic Average --period 60 --evaluation-periods 1 --threshold 90 --comparison-operator GreaterThanThreshold | ?
cloudwatch disable-alarm-actions --alarm-names commands | ?
cloudwatch delete-alarms --alarm-names commands | ?
"""


def _facts(account):
    """What commands name: ARNs and ids of the deployment."""
    service = account.services()[0]
    tasks = account.aws(f"aws ecs list-tasks --cluster {names.CLUSTER} --service-name {names.SERVICES[0]}")
    deployments = account.aws(f"aws ecs list-service-deployments --cluster {names.CLUSTER} --service {names.SERVICES[0]}")
    deployment = deployments["serviceDeployments"][0]
    balancer = account.aws("aws elbv2 describe-load-balancers")["LoadBalancers"][0]["LoadBalancerArn"]
    repository = account.aws("aws ecr describe-repositories")["repositories"][0]
    images = account.aws(f"aws ecr describe-images --repository-name {repository['repositoryName']}")
    definition = account.aws(f"aws ecs describe-task-definition --task-definition {names.FAMILIES[0]}")
    return {
        "cluster": names.CLUSTER, "service": names.SERVICES[0], "family": names.FAMILIES[0],
        "service_arn": service["serviceArn"], "task": tasks["taskArns"][0],
        "deployment": deployment["serviceDeploymentArn"], "revision": deployment["targetServiceRevisionArn"],
        "balancer": balancer,
        "listener": account.aws(f"aws elbv2 describe-listeners --load-balancer-arn {balancer}")["Listeners"][0]["ListenerArn"],
        "group": account.aws("aws elbv2 describe-target-groups")["TargetGroups"][0]["TargetGroupArn"],
        "repository": repository["repositoryName"], "repository_arn": repository["repositoryArn"],
        "digest": images["imageDetails"][0]["imageDigest"],
        "namespace": account.aws("aws servicediscovery list-namespaces")["Namespaces"][0]["Id"],
        "log_group": account.aws("aws logs describe-log-groups")["logGroups"][0]["logGroupArn"],
        "role": definition["taskDefinition"]["executionRoleArn"].rsplit("/", 1)[1],
    }


def _wrong(account, row, facts):
    """What is wrong with a command's answer; nothing when it is as expected."""
    command, expected = (part.strip() for part in row.split(" | "))
    command = command.format(**facts)
    try:
        reply = account.raw(f"aws {command}") if expected == "?" else account.aws(f"aws {command}")
    except Unexpected as error:
        right = expected.startswith("!") and f"({expected[1:]})" in str(error.found)
        return None if right else f"{command}: {error.found}"
    if expected.startswith("!"):
        return f"{command}: succeeded, where AWS gives {expected[1:]}"
    return None if expected == "?" or expected in reply else f"{command}: no {expected} in {sorted(reply)}"


@check("a hundred commands of the AWS CLI", needs=[fresh_deploy])
def commands(stage):
    account = stage.account()
    facts = _facts(account)
    wrong = []
    rows = 0
    # Reads go four at a time: a command is mostly the start of Python.
    for table, workers in ((WRITES, 1), (READS, 4), (AFTER, 1)):
        table = table.strip().splitlines()
        rows += len(table)
        with ThreadPoolExecutor(workers) as pool:
            wrong += filter(None, pool.map(lambda row: _wrong(account, row, facts), table))
    expect_that(not wrong, "the commands", "the reply or the error of AWS", "\n".join(wrong))
    return f"{rows} commands"
