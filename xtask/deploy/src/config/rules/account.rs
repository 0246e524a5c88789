//! An account is 12 digits.

use super::{Diagnostic, Rule, Scope};

pub(super) const RULE: Rule = Rule { code: "account", about: "An account is 12 digits.", check };

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    let Some(account) = &scope.environment.account else { return };
    let at = scope.at("account");
    let digits = account.bytes().filter(u8::is_ascii_digit).count();
    if digits == 12 && account.len() == 12 {
        return;
    }
    let wrong = Diagnostic::error(RULE.code, "an AWS account is 12 digits");
    found.push(if digits == 12 && account.chars().all(|c| c.is_ascii_digit() || c == '-') {
        // The console shows 2109-8765-4321.
        let plain = account.replace('-', "");
        wrong.at(&at, "the console's spelling").replace(&at, format!("\"{plain}\""), "leave the hyphens out")
    } else {
        wrong
            .at(&at, format!("{digits} digits in {} characters", account.chars().count()))
            .help("`aws sts get-caller-identity --query Account --output text` prints it")
    });
}
