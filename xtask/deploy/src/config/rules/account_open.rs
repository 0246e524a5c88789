//! An environment on AWS names the account that it may touch, and a real one.
//!
//! Wrong credentials in the shell must not be able to deploy into somebody else's account.

use crate::model::Kind;

use super::{Diagnostic, Rule, Scope};

pub(super) const RULE: Rule =
    Rule { code: "account-open", about: "An environment on AWS names the account that it may touch.", check };

/// Numbers that AWS's documentation and emulators use and that no customer has.
const EXAMPLES: [&str; 3] = ["123456789012", "000000000000", "111122223333"];

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    if scope.environment.kind == Kind::Local {
        return;
    }
    let env = scope.env();
    let help = "put the number that `aws sts get-caller-identity --query Account --output text` prints";
    match &scope.environment.account {
        None => found.push(
            Diagnostic::warning(
                RULE.code,
                format!("`{env}` may touch any account that the credentials lead to"),
            )
            .at(&scope.env_at, "no `account` here")
            .help(format!("{help}, in quotes, as `account`")),
        ),
        Some(account) if EXAMPLES.contains(&account.as_str()) => found.push(
            Diagnostic::warning(RULE.code, "a placeholder stands where the account should be")
                .at(scope.at("account"), "nobody's account: only emulators answer to it")
                .note(format!(
                    "until it is replaced, `{env}` refuses every real account before writing anything"
                ))
                .help(help),
        ),
        Some(_) => {}
    }
}
