//! Parts of ARNs, and moments as AWS writes them.

use aws_smithy_types::DateTime;
pub use deploy::model::arn_name;

/// The account of an ARN; empty when it names none.
pub fn arn_account(arn: &str) -> &str {
    arn.split(':').nth(4).unwrap_or_default()
}

/// The partition of an ARN, such as `aws-cn`; `aws` for what is no ARN.
pub fn arn_partition(arn: &str) -> &str {
    arn.strip_prefix("arn:").and_then(|rest| rest.split(':').next()).unwrap_or("aws")
}

/// The target group's name in its ARN, `…:targetgroup/<name>/<id>`.
pub(in crate::aws) fn target_group_name(arn: &str) -> &str {
    arn.split_once(":targetgroup/").and_then(|(_, rest)| rest.split('/').next()).unwrap_or(arn)
}

/// The load balancer's name in its ARN, `…:loadbalancer/app/<name>/<id>`, or in one of a listener of it.
pub(in crate::aws) fn load_balancer_name(arn: &str) -> &str {
    let rest =
        arn.split_once(":loadbalancer/").or_else(|| arn.split_once(":listener/")).map(|(_, rest)| rest);
    rest.and_then(|rest| rest.split('/').nth(1)).unwrap_or(arn)
}

/// Milliseconds since the Unix epoch; 0 for none and for a moment before it.
pub(in crate::aws) fn millis(moment: Option<&DateTime>) -> u64 {
    moment.and_then(|moment| moment.to_millis().ok()).and_then(|ms| u64::try_from(ms).ok()).unwrap_or(0)
}

/// A count that AWS sends as a signed number; a negative one, which it never means, counts as 0.
pub(in crate::aws) fn count(number: i32) -> u32 {
    u32::try_from(number).unwrap_or(0)
}

/// A port that AWS sends as a signed number; 0 for one that is none.
pub(in crate::aws) fn port(number: i32) -> u16 {
    u16::try_from(number).unwrap_or(0)
}

/// A number as the wire has it; one too large for the wire is cut off there, and AWS refuses it.
pub(in crate::aws) fn wire(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_out_of_arns() {
        let group = "arn:aws:elasticloadbalancing:r:1:targetgroup/ielts-backend-tg/0123456789abcdef";
        assert_eq!(target_group_name(group), "ielts-backend-tg");
        let balancer = "arn:aws:elasticloadbalancing:r:1:loadbalancer/app/ielts-alb/50dc6c495c0c9188";
        assert_eq!(load_balancer_name(balancer), "ielts-alb");
        let listener =
            "arn:aws:elasticloadbalancing:r:1:listener/app/ielts-alb/50dc6c495c0c9188/f2f7dc8efc522ab2";
        assert_eq!(load_balancer_name(listener), "ielts-alb");
        assert_eq!(arn_account("arn:aws-cn:sts::123456789012:assumed-role/ci/run"), "123456789012");
        assert_eq!(arn_partition("arn:aws-cn:sts::1:x"), "aws-cn");
    }

    #[test]
    fn odd_numbers_from_the_wire_do_not_panic() {
        assert_eq!((count(-1), port(-1), port(70_000), wire(u32::MAX)), (0, 0, 0, i32::MAX));
        assert_eq!(millis(Some(&DateTime::from_secs(-5))), 0);
        assert_eq!(millis(Some(&DateTime::from_millis(1_500))), 1_500);
    }
}
