//! The landing zone as a deployment looks it up.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{is_expired, role_exists};
use crate::account::Account;
use crate::base::{LandingZone, Millis, Named, Settings, ZoneSubnet};
use crate::wire::{Api, ApiError, ApiRequest};

fn call(account: &mut Account, api: Api, operation: &str, form: &str) -> Result<Value, ApiError> {
    account.handle(Millis(0), &ApiRequest::form(api, operation, form))
}

fn names(reply: &Value, set: &str) -> Vec<String> {
    let items = reply[set].as_array().unwrap();
    items.iter().map(|item| item["tagSet"][0]["value"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn everything_is_found_by_name_tag() {
    let mut account = Account::new(Settings::default());
    let cases = [
        ("DescribeVpcs", "vpcSet", "main", vec!["main"]),
        ("DescribeSubnets", "subnetSet", "private-a", vec!["private-a"]),
        ("DescribeSubnets", "subnetSet", "p*-?", vec!["private-a", "private-b", "public-a", "public-b"]),
        ("DescribeSecurityGroups", "securityGroupInfo", "backend", vec!["backend"]),
        ("DescribeSecurityGroups", "securityGroupInfo", "nothing", vec![]),
    ];
    for (operation, set, name, expected) in cases {
        let form = format!("Filter.1.Name=tag:Name&Filter.1.Value.1={name}");
        assert_eq!(names(&call(&mut account, Api::Ec2, operation, &form).unwrap(), set), expected);
    }
}

#[test]
fn several_filters_must_all_hold_and_several_values_are_alternatives() {
    let mut account = Account::new(Settings::default());
    let vpcs = call(&mut account, Api::Ec2, "DescribeVpcs", "").unwrap();
    let vpc = vpcs["vpcSet"][0]["vpcId"].as_str().unwrap().to_owned();
    let form = format!(
        "Filter.1.Name=vpc-id&Filter.1.Value.1={vpc}&Filter.2.Name=cidr-block&Filter.2.Value.1=10.0.1.0/24&Filter.2.Value.2=10.0.2.0/24"
    );
    let reply = call(&mut account, Api::Ec2, "DescribeSubnets", &form).unwrap();
    assert_eq!(names(&reply, "subnetSet"), ["private-a", "private-b"]);
    assert_eq!(reply["subnetSet"][0]["availabilityZone"], "ap-southeast-1a");
    let elsewhere =
        call(&mut account, Api::Ec2, "DescribeSubnets", "Filter.1.Name=vpc-id&Filter.1.Value.1=vpc-9");
    assert_eq!(elsewhere.unwrap()["subnetSet"], json!([]));
}

#[test]
fn ids_and_filters_that_do_not_exist_are_errors_not_empty_lists() {
    let mut account = Account::new(Settings::default());
    let cases = [
        (
            Api::Ec2,
            "DescribeVpcs",
            "VpcId.1=vpc-9",
            400,
            "InvalidVpcID.NotFound",
            "The vpc ID 'vpc-9' does not exist",
        ),
        (
            Api::Ec2,
            "DescribeVpcs",
            "VpcId.1=x",
            400,
            "InvalidVpcId.Malformed",
            "Invalid id: \"x\" (expecting \"vpc-...\")",
        ),
        (
            Api::Ec2,
            "DescribeSubnets",
            "SubnetId.1=subnet-9",
            400,
            "InvalidSubnetID.NotFound",
            "The subnet ID 'subnet-9' does not exist",
        ),
        (
            Api::Ec2,
            "DescribeSecurityGroups",
            "GroupId.1=sg-9",
            400,
            "InvalidGroup.NotFound",
            "The security group 'sg-9' does not exist",
        ),
        (
            Api::Ec2,
            "DescribeSubnets",
            "Filter.1.Name=colour&Filter.1.Value.1=red",
            400,
            "InvalidParameterValue",
            "The filter 'colour' is invalid",
        ),
        (
            Api::Iam,
            "GetRole",
            "RoleName=nobody",
            404,
            "NoSuchEntity",
            "The role with name nobody cannot be found.",
        ),
        (
            Api::Ec2,
            "DescribeInstances",
            "",
            400,
            "InvalidAction",
            "the embedded cloud does not have ec2:DescribeInstances; docs/operations.md lists what it has",
        ),
    ];
    for (api, operation, form, status, code, message) in cases {
        let error = call(&mut account, api, operation, form).unwrap_err();
        assert_eq!((error.status, error.code, error.message.as_str()), (status, code, message));
    }
}

#[test]
fn an_account_without_a_landing_zone_has_none() {
    let mut account = Account::new(Settings { landing_zone: LandingZone::default(), ..Settings::default() });
    assert_eq!(call(&mut account, Api::Ec2, "DescribeVpcs", "").unwrap()["vpcSet"], json!([]));
    assert!(!role_exists(&account.identity, "arn:aws:iam::123456789012:role/ecsTaskExecutionRole"));
}

#[test]
fn roles_and_the_caller_carry_the_accounts_number() {
    let mut account = Account::new(Settings::default());
    let role = call(&mut account, Api::Iam, "GetRole", "RoleName=ecsTaskExecutionRole").unwrap();
    let arn = role["Role"]["Arn"].as_str().unwrap();
    assert_eq!(arn, "arn:aws:iam::123456789012:role/ecsTaskExecutionRole");
    assert!(role_exists(&account.identity, arn));
    assert!(!role_exists(&account.identity, "arn:aws:iam::999999999999:role/ecsTaskExecutionRole"));
    let caller = call(&mut account, Api::Sts, "GetCallerIdentity", "").unwrap();
    assert_eq!(caller["Account"], "123456789012");
}

#[test]
fn a_role_of_the_account_can_be_taken_and_the_session_is_its_caller() {
    let mut account = Account::new(Settings::default());
    let take = |account: &mut Account, key: Option<String>, role: &str, more: &str| {
        let form = format!("RoleArn=arn:aws:iam::{role}&RoleSessionName=run-1{more}");
        let mut request = ApiRequest::form(Api::Sts, "AssumeRole", &form);
        request.access_key = key;
        account.carry_out(Millis(0), &request)
    };
    let reply = take(&mut account, None, "123456789012:role/ci/deploy", "&DurationSeconds=900").unwrap();
    let key = reply["Credentials"]["AccessKeyId"].as_str().unwrap().to_owned();
    assert!(key.starts_with("ASIA"), "{reply}");
    assert_eq!(reply["Credentials"]["Expiration"], "1970-01-01T00:15:00.000Z");
    let mut who = ApiRequest::form(Api::Sts, "GetCallerIdentity", "");
    who.access_key = Some(key.clone());
    let caller = account.carry_out(Millis(0), &who).unwrap();
    assert_eq!(caller["Arn"], "arn:aws:sts::123456789012:assumed-role/deploy/run-1");
    assert!(!is_expired(&account.identity, Millis(899_999), Some(&key)));
    assert!(is_expired(&account.identity, Millis(900_000), Some(&key)));
    // A chain: the next role is taken with the credentials of the first.
    take(&mut account, Some(key.clone()), "123456789012:role/second", "").unwrap();
    for (role, more, code) in [
        ("999999999999:role/deploy", "", "AccessDenied"),
        ("123456789012:role/ecsTaskExecutionRole", "", "AccessDenied"),
        ("123456789012:role/deploy", "&DurationSeconds=60", "ValidationError"),
        ("123456789012:role/deploy", "&DurationSeconds=7200", "ValidationError"),
        ("123456789012:role/deploy", "/", "ValidationError"),
    ] {
        let error = take(&mut account, Some(key.clone()), role, more).unwrap_err();
        assert_eq!(error.code, code, "{role}{more}: {}", error.message);
    }
}

#[test]
fn a_subnet_gives_each_address_once_and_takes_them_back() {
    let mut account = Account::new(Settings::default());
    let subnet = account.identity.subnets[0].id.clone();
    let given: Vec<String> = std::iter::from_fn(|| account.identity.next_ip(&subnet)).collect();
    assert_eq!(given.len(), 251, "256 less the five that EC2 keeps");
    assert_eq!(given.iter().collect::<BTreeSet<_>>().len(), 251);
    assert_eq!((given[0].as_str(), given[250].as_str()), ("10.0.1.4", "10.0.1.254"));
    account.identity.release_ip("10.0.1.77");
    assert_eq!(account.identity.next_ip(&subnet).as_deref(), Some("10.0.1.77"));
    assert_eq!(account.identity.next_ip("subnet-9"), None);
}

#[test]
fn an_address_just_given_back_is_not_given_out_next() {
    let mut account = Account::new(Settings::default());
    let subnet = account.identity.subnets[0].id.clone();
    let first = account.identity.next_ip(&subnet).unwrap();
    account.identity.release_ip(&first);
    assert_ne!(account.identity.next_ip(&subnet), Some(first));
}

fn subnet(named: Named, public: bool) -> ZoneSubnet {
    ZoneSubnet { named, public, zone: None }
}

/// An account furnished with a VPC `main` and these subnets.
fn furnished(subnets: Vec<ZoneSubnet>) -> (Account, LandingZone) {
    let zone = LandingZone { vpc: Some(Named::name("main")), subnets, ..LandingZone::default() };
    (Account::new(Settings { landing_zone: zone.clone(), ..Settings::default() }), zone)
}

#[test]
fn furnishing_again_changes_nothing_and_other_names_are_added() {
    let public = |name| subnet(Named::name(name), true);
    let (mut account, mut zone) = furnished(vec![public("a"), public("b")]);
    let before = format!("{:?}", account.identity);
    account.furnish(&zone);
    assert_eq!(format!("{:?}", account.identity), before);
    zone.subnets = vec![public("new"), public("b")];
    account.furnish(&zone);
    let zone_of = |name: &str| {
        let subnet = account.identity.subnets.iter().find(|subnet| subnet.name == name);
        subnet.map(|subnet| subnet.zone.clone()).unwrap()
    };
    assert_eq!((zone_of("b"), zone_of("new")), ("ap-southeast-1b".into(), "ap-southeast-1a".into()));
}

#[test]
fn what_is_named_by_its_id_has_that_id_in_the_vpc_that_the_zone_names() {
    let id = "subnet-0123456789abcdef0";
    let (mut account, mut zone) = furnished(vec![subnet(Named::Id(id.to_owned()), false)]);
    let form = format!("SubnetId.1={id}");
    let first = call(&mut account, Api::Ec2, "DescribeSubnets", &form).unwrap()["subnetSet"][0].clone();
    zone.vpc = Some(Named::Id("vpc-0123456789abcdef0".to_owned()));
    account.furnish(&zone);
    let moved = call(&mut account, Api::Ec2, "DescribeSubnets", &form).unwrap()["subnetSet"][0].clone();
    assert_eq!(moved["vpcId"], "vpc-0123456789abcdef0");
    assert_eq!(moved["cidrBlock"], first["cidrBlock"]);
    assert_eq!(account.identity.subnets.len(), 1);
}

#[test]
fn a_role_named_by_its_arn_is_found_by_its_name_with_its_path() {
    let arn = "arn:aws:iam::210987654321:role/service/tasks/web";
    let roles = vec![Named::Id(arn.to_owned()), Named::name("web")];
    let landing_zone = LandingZone { roles, ..LandingZone::default() };
    let mut account = Account::new(Settings { landing_zone, ..Settings::default() });
    let role = call(&mut account, Api::Iam, "GetRole", "RoleName=web").unwrap()["Role"].clone();
    assert_eq!((role["Arn"].as_str(), role["Path"].as_str()), (Some(arn), Some("/service/tasks/")));
    assert!(role_exists(&account.identity, arn));
}

#[test]
fn a_user_gets_a_session_of_its_own_and_a_session_does_not() {
    let mut account = Account::new(Settings::default());
    let reply = call(&mut account, Api::Sts, "GetSessionToken", "DurationSeconds=900").unwrap();
    let key = reply["Credentials"]["AccessKeyId"].as_str().unwrap().to_owned();
    assert!(is_expired(&account.identity, Millis(900_000), Some(&key)));
    let mut again = ApiRequest::form(Api::Sts, "GetSessionToken", "");
    again.access_key = Some(key);
    assert_eq!(account.carry_out(Millis(0), &again).unwrap_err().code, "AccessDenied");
}
