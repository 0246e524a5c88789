//! What IAM is asked whether a principal may do it: the statements of a policy, and what ECS does with a role of tasks.

use serde_json::Value;

use super::Place;
use crate::model::{Environment, Lookup, Service};
use crate::secrets::{Store, named};

/// Actions on resources, with the context keys that conditions look at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Question {
    pub actions: Vec<String>,
    pub resources: Vec<String>,
    pub context: Vec<(String, String)>,
}

/// With which an execution role reads secrets.
pub const SECRET_READS: [&str; 3] = ["secretsmanager:GetSecretValue", "ssm:GetParameters", "kms:Decrypt"];

impl Question {
    fn new(actions: &[&str], resources: Vec<String>) -> Self {
        let actions = actions.iter().map(|action| (*action).to_owned()).collect();
        Self { actions, resources, context: Vec::new() }
    }
}

/// The statements of a policy of [`super::policy`].
pub fn of_policy(policy: &Value) -> Vec<Question> {
    let texts = |value: &Value| -> Vec<String> {
        value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let question = |statement: &Value| {
        let operators = statement["Condition"].as_object().into_iter().flatten();
        let keys = operators.flat_map(|(_, keys)| keys.as_object().into_iter().flatten());
        let context = keys.filter_map(|(key, values)| Some((key.clone(), values[0].as_str()?.to_owned())));
        Question {
            actions: texts(&statement["Action"]),
            resources: texts(&statement["Resource"]),
            context: context.collect(),
        }
    };
    policy["Statement"].as_array().into_iter().flatten().map(question).collect()
}

/// What ECS does with a role for tasks of these services: as an execution role it pulls, logs and reads secrets, as a task role it
/// opens the channel of ECS Exec. `key` is the KMS key of a secret.
pub fn of_role(
    environment: &Environment,
    place: Place<'_>,
    role: &Lookup,
    key: impl Fn(&str) -> Option<String>,
) -> Vec<Question> {
    let all = || environment.services.iter();
    let runs: Vec<&Service> = all().filter(|it| it.execution_role() == Some(role)).collect();
    let arn = |service: &str, rest: String| {
        format!("arn:{}:{service}:{}:{}:{rest}", place.partition, environment.region, place.account)
    };
    let mut questions = Vec::new();
    let pulled: Vec<String> = runs
        .iter()
        .filter(|it| it.image.is_none())
        .map(|it| arn("ecr", format!("repository/{}", it.repository.name)))
        .collect();
    if !pulled.is_empty() {
        questions.push(Question::new(&["ecr:GetAuthorizationToken"], vec!["*".to_owned()]));
        questions.push(Question::new(&["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"], pulled));
    }
    let logs = runs
        .iter()
        .filter_map(|it| it.logs())
        // Any stream will do: policies name streams by a pattern, and a simulation wants one ARN.
        .map(|group| arn("logs", format!("log-group:{}:log-stream:{}/x", group.name, group.stream_prefix)));
    questions.push(Question::new(&["logs:CreateLogStream", "logs:PutLogEvents"], logs.collect()));
    let secrets = named(environment);
    for secret in secrets.iter().filter(|it| runs.iter().any(|own| own.key == it.service)) {
        let (action, resource) = match secret.store {
            Store::SecretsManager => (SECRET_READS[0], secret.id.clone()),
            Store::ParameterStore if secret.id.starts_with("arn:") => (SECRET_READS[1], secret.id.clone()),
            Store::ParameterStore => {
                (SECRET_READS[1], arn("ssm", format!("parameter/{}", secret.id.trim_start_matches('/'))))
            }
        };
        questions.push(Question::new(&[action], vec![resource]));
        questions.extend(key(&secret.id).map(|key| Question::new(&[SECRET_READS[2]], vec![key])));
    }
    if all().any(|it| it.enable_execute_command && it.task_role.as_ref() == Some(role)) {
        // The four actions that the agent of ECS Exec needs (ECS developer guide, ECS Exec). It calls with the task role.
        let channel = ["CreateControlChannel", "CreateDataChannel", "OpenControlChannel", "OpenDataChannel"];
        let channel = channel.map(|name| format!("ssmmessages:{name}"));
        questions.push(Question {
            actions: channel.to_vec(),
            resources: vec!["*".to_owned()],
            context: Vec::new(),
        });
    }
    questions.retain(|question| !question.resources.is_empty());
    questions
}
