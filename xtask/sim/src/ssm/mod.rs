//! SSM: the Parameter Store, parameters with their versions, in memory, and what Session Manager's clients ask about sessions of
//! ECS Exec. Labels, policies and the advanced tier are not served.

mod listing;
mod name;
mod parameters;
mod store;
mod tags;

pub(crate) use parameters::value;
pub(crate) use store::State;

use crate::base::{Base, Millis};
use crate::identity;
use crate::wire::{ApiRequest, Operations, Outcome};

type Operation = fn(&mut Base, &mut State, &identity::State, Millis, &ApiRequest) -> Outcome;

pub(crate) const OPERATIONS: Operations<Operation> = &[
    ("DeleteParameter", |base, ssm, _, _, request| parameters::delete(base, ssm, request)),
    ("AddTagsToResource", |base, ssm, _, _, request| tags::add(base, ssm, request)),
    ("DeleteParameters", |_, ssm, _, _, request| parameters::delete_many(ssm, request)),
    ("DescribeParameters", |base, ssm, identity, _, request| listing::describe(base, ssm, identity, request)),
    ("GetParameterHistory", |base, ssm, _, _, request| listing::history(base, ssm, request)),
    ("GetParametersByPath", |base, ssm, _, _, request| listing::by_path(base, ssm, request)),
    ("ListTagsForResource", |base, ssm, _, _, request| tags::list(base, ssm, request)),
    ("RemoveTagsFromResource", |base, ssm, _, _, request| tags::remove(base, ssm, request)),
    ("GetParameter", |base, ssm, _, _, request| parameters::get(base, ssm, request)),
    ("GetParameters", |base, ssm, _, _, request| parameters::get_many(base, ssm, request)),
    ("PutParameter", |base, ssm, _, now, request| parameters::put(base, ssm, now, request)),
];

#[cfg(test)]
mod tests;
