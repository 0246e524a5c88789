//! Finding one thing by the name that the file has for it.

use std::collections::BTreeMap;

use deploy::model::Lookup;

use super::error::Missing;

/// Something of a network that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) id: String,
    /// The VPC that it is in; `None` for a VPC itself.
    pub(super) vpc: Option<String>,
    pub(super) zone: Option<String>,
    pub(super) names: Vec<String>,
}

/// The kind of thing that is looked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sought<'a> {
    pub(super) what: &'static str,
    /// The region that is searched.
    pub(super) region: &'a str,
    /// The VPC that it must be in, when that is known.
    pub(super) vpc: Option<&'a str>,
}

/// What was resolved so far: ids by the text that the file has, and what could not be.
#[derive(Debug, Default)]
pub(super) struct Resolved {
    pub(super) ids: BTreeMap<String, String>,
    pub(super) missing: Vec<Missing>,
    pub(super) warnings: Vec<String>,
}

impl Resolved {
    /// Resolves a reference among candidates and keeps the result.
    pub(super) fn resolve(&mut self, reference: &Lookup, candidates: &[Candidate], sought: Sought<'_>) {
        match find(reference, candidates, sought) {
            Ok(id) => self.learn(reference, id, sought.what),
            Err(missing) => self.missing.push(missing),
        }
    }

    /// Keeps an id. One text can name things of two kinds, and a plan only has the text: that must be an error.
    pub(super) fn learn(&mut self, reference: &Lookup, id: String, what: &'static str) {
        let text = reference.text();
        match self.ids.get(text).filter(|known| **known != id) {
            None => drop(self.ids.insert(text.to_owned(), id)),
            Some(known) => self.missing.push(Missing {
                what,
                reference: text.to_owned(),
                problem: format!("is {id}, and {known} has the same name"),
                hint: "name one of the two by its id in deploy.toml".to_owned(),
            }),
        }
    }
}

fn find(reference: &Lookup, candidates: &[Candidate], sought: Sought<'_>) -> Result<String, Missing> {
    let text = reference.text();
    let named = |candidate: &&Candidate| match reference {
        Lookup::Id(id) => candidate.id == *id,
        Lookup::Name(name) => candidate.names.contains(name),
    };
    let within = |candidate: &&Candidate| match (sought.vpc, &candidate.vpc) {
        (Some(wanted), Some(vpc)) => wanted == vpc,
        _ => true,
    };
    let everywhere: Vec<&Candidate> = candidates.iter().filter(named).collect();
    let mut here: Vec<&str> =
        everywhere.iter().copied().filter(within).map(|candidate| candidate.id.as_str()).collect();
    // A group can be found by its own name and by its Name tag, and is one all the same.
    here.sort_unstable();
    here.dedup();
    let problem = match (here.as_slice(), everywhere.as_slice()) {
        ([id], _) => return Ok((*id).to_owned()),
        ([], []) => format!("does not exist in {}", sought.region),
        ([], elsewhere) => {
            let vpcs: Vec<&str> = elsewhere.iter().filter_map(|candidate| candidate.vpc.as_deref()).collect();
            format!("is in {}, not in {}", vpcs.join(" and "), sought.vpc.unwrap_or_default())
        }
        (several, _) => format!("is the name of {}", several.join(" and ")),
    };
    let hint = match here.len() {
        0 => {
            "create what is missing, or correct its name in deploy.toml; the tool makes no networks or roles"
        }
        _ => "name it by its id in deploy.toml",
    };
    Err(Missing { what: sought.what, reference: text.to_owned(), problem, hint: hint.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(id: &str, vpc: &str, name: &str) -> Candidate {
        Candidate { id: id.to_owned(), vpc: Some(vpc.to_owned()), zone: None, names: vec![name.to_owned()] }
    }

    fn picked(reference: &str, candidates: &[Candidate], vpc: Option<&str>) -> Result<String, String> {
        let sought = Sought { what: "subnet", region: "eu-west-1", vpc };
        find(&Lookup::parse(reference), candidates, sought).map_err(|missing| missing.to_string())
    }

    #[test]
    fn a_namesake_in_another_vpc_is_not_taken() {
        let both = [candidate("subnet-1", "vpc-a", "app"), candidate("subnet-2", "vpc-b", "app")];
        assert_eq!(picked("app", &both, Some("vpc-b")), Ok("subnet-2".to_owned()));
        assert_eq!(
            picked("app", &both, None),
            Err("subnet `app` is the name of subnet-1 and subnet-2".to_owned())
        );
        let there = "subnet `app` is in vpc-a and vpc-b, not in vpc-c".to_owned();
        assert_eq!(picked("app", &both, Some("vpc-c")), Err(there));
        assert_eq!(picked("web", &both, None), Err("subnet `web` does not exist in eu-west-1".to_owned()));
    }

    #[test]
    fn something_found_by_its_name_and_by_its_tag_is_still_one() {
        let twice = [candidate("sg-1", "vpc-a", "web"), candidate("sg-1", "vpc-a", "web")];
        assert_eq!(picked("web", &twice, None), Ok("sg-1".to_owned()));
    }

    #[test]
    fn an_id_is_found_by_the_id_and_never_by_a_name() {
        let id = "subnet-0123456789abcdef0";
        assert_eq!(picked(id, &[candidate(id, "vpc-a", "x")], None), Ok(id.to_owned()));
        assert!(picked(id, &[candidate("subnet-1", "vpc-a", id)], None).is_err());
    }

    #[test]
    fn one_name_for_two_things_does_not_put_a_subnet_where_a_group_belongs() {
        let mut resolved = Resolved::default();
        let web = Lookup::parse("web");
        resolved.learn(&web, "subnet-1".to_owned(), "subnet");
        resolved.learn(&web, "subnet-1".to_owned(), "subnet");
        assert_eq!(resolved.missing, []);
        resolved.learn(&web, "sg-1".to_owned(), "security group");
        let picked = resolved.missing[0].to_string();
        assert_eq!(picked, "security group `web` is sg-1, and subnet-1 has the same name");
    }
}
