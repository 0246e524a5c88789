//! Why a task before the roll was not over in time.

use super::Cause;
use crate::model::Service;
use crate::rollout::TaskSnapshot;

/// `late` is the task when its time was over, `printed` its last line.
pub fn overdue(late: &TaskSnapshot, service: &Service, secs: u64, printed: Option<&str>) -> Cause {
    let own = &service.container.name;
    let status = |name: &String| {
        let found = late.containers.iter().find(|container| container.name == *name);
        found.map_or("PENDING", |container| container.last_status.as_str())
    };
    let key = &service.key;
    let longer = format!("raise `timeout-secs` of `[service.{key}.before-roll]`");
    let cause = if status(own) == "RUNNING" {
        let printed = match printed {
            Some(line) => format!("the last line that it printed is: {line}"),
            None => "it printed nothing".to_owned(),
        };
        Cause::open(
            format!("the command of `before-roll` still ran after {secs} s; {printed}"),
            format!(
                "find out what it waits for, such as a lock or an address that does not answer, or {longer}"
            ),
        )
    } else if late.started_ms.is_none() && late.containers.iter().all(|it| it.last_status == "PENDING") {
        let task = if late.last_status.is_empty() { "not to be found" } else { &late.last_status };
        Cause::open(
            format!("the task did not start within {secs} s: it is {task}"),
            format!(
                "see `aws ecs describe-tasks` for what ECS waits for, such as a large image, or {longer}"
            ),
        )
    } else {
        let waits = service.container.depends_on.iter().map(|(name, condition)| {
            let condition = format!("{condition:?}").to_uppercase();
            format!("`{name}` ({condition}), which is {}", status(name))
        });
        let waits: Vec<String> = waits.collect();
        Cause::open(
            format!("container `{own}` did not start within {secs} s: it waits for {}", waits.join(" and ")),
            format!("correct `depends-on` of `[service.{key}.container]`, or {longer}"),
        )
    };
    Cause { code: "before-roll-overdue", ..cause }
}
