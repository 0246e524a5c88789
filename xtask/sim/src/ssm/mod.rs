//! SSM: the Parameter Store, parameters with their versions, in memory, and what Session Manager's clients ask about sessions of
//! ECS Exec. Labels, policies and the advanced tier are not served.

mod listing;
mod name;
mod parameters;
mod sessions;
mod store;
mod tags;

pub(crate) use parameters::value;
pub(crate) use store::State;

use crate::account::Operations;

pub(crate) const OPERATIONS: Operations = &[
    ("DeleteParameter", |account, _, request| parameters::delete(account, request)),
    ("AddTagsToResource", tags::add),
    ("DeleteParameters", parameters::delete_many),
    ("DescribeParameters", |account, _, request| listing::describe(account, request)),
    ("GetParameterHistory", |account, _, request| listing::history(account, request)),
    ("GetParametersByPath", |account, _, request| listing::by_path(account, request)),
    ("ListTagsForResource", |account, _, request| tags::list(account, request)),
    ("RemoveTagsFromResource", tags::remove),
    ("GetParameter", |account, _, request| parameters::get(account, request)),
    ("GetParameters", |account, _, request| parameters::get_many(account, request)),
    ("PutParameter", parameters::put),
    ("ResumeSession", sessions::resume),
    ("TerminateSession", |account, _, request| sessions::terminate(account, request)),
];

#[cfg(test)]
mod tests;
