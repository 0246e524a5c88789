//! An account is 12 digits.

use super::{Diagnostic, Rule, Scope};

pub(super) const RULE: Rule = Rule { code: "account", about: "An account is 12 digits.", check };

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    let Some(account) = &scope.settings.account else { return };
    let digits = account.value.bytes().filter(u8::is_ascii_digit).count();
    if digits == 12 && account.value.len() == 12 {
        return;
    }
    let wrong = Diagnostic::error(RULE.code, "an AWS account is 12 digits");
    found.push(if digits == 12 && account.value.chars().all(|c| c.is_ascii_digit() || c == '-') {
        // The console shows 2109-8765-4321.
        let plain = account.value.replace('-', "");
        wrong.at(account, "the console's spelling").replace(
            account,
            format!("\"{plain}\""),
            "leave the hyphens out",
        )
    } else {
        wrong
            .at(account, format!("{digits} digits in {} characters", account.value.chars().count()))
            .help("`aws sts get-caller-identity --query Account --output text` prints it")
    });
}
