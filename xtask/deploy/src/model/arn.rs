//! Names out of ARNs, and ids as people read them.

/// The last part of an ARN, or a name as it is: `…:service/app/web` and `web` give `web`, `…:task-definition/web:3` gives `web:3`.
pub fn arn_name(arn: &str) -> &str {
    let resource = arn.rsplit_once('/').map_or(arn, |(_, name)| name);
    if resource.starts_with("arn:") { resource.rsplit(':').next().unwrap_or(resource) } else { resource }
}

/// As much of a task's id as a person compares: its first 8 characters of 32.
pub fn short_id(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_last_part_of_an_arn_and_stays_what_it_is() {
        assert_eq!(arn_name("arn:aws:ecs:r:1:service/cluster/web"), "web");
        assert_eq!(arn_name("arn:aws:ecs:r:1:task-definition/web:3"), "web:3");
        assert_eq!(arn_name("arn:aws:logs:r:1:group"), "group");
        assert_eq!(arn_name("web"), "web");
    }
}
