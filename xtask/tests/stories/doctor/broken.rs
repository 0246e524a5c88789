//! What is done to a sound account, as somebody with the AWS CLI does it.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::{Value, json};
use sim::door::cloud::Delivery;
use sim::{LandingZone, ZoneCertificate};

use super::{CERTIFICATE, HOST};
use crate::world::World;

/// Asks EC2 or IAM as the AWS CLI does. Returns the reply's XML.
pub(super) fn query(world: &World, service: &str, form: &str) -> String {
    let version = if service == "ec2" { "2016-11-15" } else { "2010-05-08" };
    let signed = format!(
        "AWS4-HMAC-SHA256 Credential=somebody/20261128/ap-southeast-1/{service}/aws4_request, SignedHeaders=host, Signature=0"
    );
    let (parts, ()) = http::Request::post("/").header("authorization", signed).body(()).unwrap().into_parts();
    let body = Bytes::from(format!("Version={version}&Action={form}"));
    let Delivery::Reply(reply) = world.cloud.call(world.cloud.clock().millis(), &parts, body) else {
        panic!("no answer");
    };
    let text = String::from_utf8_lossy(reply.body()).into_owned();
    assert_eq!(reply.status(), 200, "{text}");
    text
}

/// The first id of this kind in the reply.
pub(super) fn id(xml: &str, prefix: &str) -> String {
    let at = xml.find(&format!(">{prefix}-")).unwrap() + 1;
    xml[at..].split('<').next().unwrap().to_owned()
}

pub(super) fn encoded(document: &Value) -> String {
    let document = document.to_string();
    document.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

pub(super) fn group(world: &World, name: &str) -> String {
    let found = query(
        world,
        "ec2",
        &format!("DescribeSecurityGroups&Filter.1.Name=group-name&Filter.1.Value.1={name}"),
    );
    id(&found, "sg")
}

/// Takes what the landing zone brought from a group: TCP at one port from the VPC.
pub(super) fn close(world: &World, group_id: &str, port: u16) {
    query(
        world,
        "ec2",
        &format!(
            "RevokeSecurityGroupIngress&GroupId={group_id}&IpPermissions.1.IpProtocol=tcp&IpPermissions.1.FromPort={port}\
             &IpPermissions.1.ToPort={port}&IpPermissions.1.IpRanges.1.CidrIp=10.0.0.0/16"
        ),
    );
}

pub(super) fn open_to(world: &World, group_id: &str, port: u16, peer: &str) {
    query(
        world,
        "ec2",
        &format!(
            "AuthorizeSecurityGroupIngress&GroupId={group_id}&IpPermissions.1.IpProtocol=tcp&IpPermissions.1.FromPort={port}\
             &IpPermissions.1.ToPort={port}&IpPermissions.1.Groups.1.GroupId={peer}"
        ),
    );
}

/// The VPC, and the table of its private subnets.
pub(super) fn main_table(world: &World) -> (String, String) {
    let found =
        query(world, "ec2", "DescribeRouteTables&Filter.1.Name=association.main&Filter.1.Value.1=true");
    (id(&found, "vpc"), id(&found, "rtb"))
}

pub(super) fn no_way_out(world: &World) {
    let (_, table) = main_table(world);
    query(world, "ec2", &format!("DeleteRoute&RouteTableId={table}&DestinationCidrBlock=0.0.0.0/0"));
}

pub(super) fn endpoint(world: &World, service: &str, groups: &str) {
    let (vpc, table) = main_table(world);
    let kind = if service == "s3" {
        format!("VpcEndpointType=Gateway&RouteTableId.1={table}")
    } else {
        format!("VpcEndpointType=Interface&PrivateDnsEnabled=true&SecurityGroupId.1={groups}")
    };
    let name = format!("com.amazonaws.ap-southeast-1.{service}");
    query(world, "ec2", &format!("CreateVpcEndpoint&VpcId={vpc}&ServiceName={name}&{kind}"));
}

/// Lets a user or role do what the statements say, and no more.
pub(super) fn allow(world: &World, of: &str, statements: &Value) {
    let document = encoded(&json!({ "Version": "2012-10-17", "Statement": statements }));
    query(world, "iam", &format!("{of}&PolicyName=own&PolicyDocument={document}"));
}

pub(super) fn furnish(world: &World, zone: LandingZone) {
    world.cloud.with_account(|account| account.furnish(&zone));
}

/// Has the listener use a certificate that is so.
pub(super) fn certificate(world: &mut World, change: impl FnOnce(ZoneCertificate) -> ZoneCertificate) {
    let arn = CERTIFICATE.replace("8c0f", "other");
    let one = change(ZoneCertificate::issued(&arn, &[HOST]));
    furnish(world, LandingZone { certificates: vec![one], ..LandingZone::default() });
    world.environment.load_balancer.listener.certificate = Some(arn);
}

pub(super) fn quota(world: &World, name: &str, value: u32) {
    furnish(
        world,
        LandingZone { quotas: BTreeMap::from([(name.to_owned(), value)]), ..LandingZone::default() },
    );
}
