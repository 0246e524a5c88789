//! Holds the table of AWS's members, by which `aws` tables of deploy.toml are checked, to the SDK that is locked.
//!
//! The table is read out of the SDK's own source. After an update of the SDK write it anew:
//! `XTASK_WRITE=1 cargo test -p xtask --test aws_members`.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up must fail")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;
use xtask::host::{Env, Shell};

/// The requests that `aws` tables are merged into.
const REQUESTS: [(&str, &str); 2] = [
    ("RegisterTaskDefinition", "operation/register_task_definition/_register_task_definition_input.rs"),
    ("UpdateService", "operation/update_service/_update_service_input.rs"),
];

/// Members of a structure and their types: a scalar's name or a structure's, `[…]` for a list, `{…}` for a map of texts.
type Structure = BTreeMap<String, String>;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// The folder `src` of an SDK that Cargo.lock names.
fn sdk(name: &str) -> PathBuf {
    let env = Env::system();
    let args = ["metadata", "--format-version", "1", "--offline", "--locked"];
    let metadata = Shell::system(&env).read_in(root(), "cargo", &args).unwrap();
    let metadata: Value = serde_json::from_str(&metadata).unwrap();
    let package = metadata["packages"].as_array().unwrap().iter().find(|it| it["name"] == name).unwrap();
    Path::new(package["manifest_path"].as_str().unwrap()).with_file_name("src")
}

/// The first structure of a generated file, and its name; `None` where the file has an enumeration.
fn structure(source: &str) -> Option<(String, Structure)> {
    let (name, body) = source.split_once("\npub struct ")?.1.split_once("\n}")?.0.split_once(" {")?;
    let plain = |name: &str| name.replace(['_', '#'], "").to_lowercase();
    // `ShapeId::from_parts("com.amazonaws.ecs#Ulimit$softLimit", …)` has the member's name on the wire.
    let names: Vec<&str> = source
        .split('"')
        .filter_map(|text| text.strip_prefix("com.amazonaws.ecs")?.split_once('$'))
        .map(|it| it.1)
        .collect();
    let fields =
        body.lines().filter_map(|line| line.strip_prefix("    pub ")?.strip_suffix(',')?.split_once(": "));
    let member = |(field, kind): (&str, &str)| {
        let field = plain(field.strip_prefix("r#").unwrap_or(field));
        let name = names.iter().find(|name| plain(name) == field);
        ((*name.unwrap_or_else(|| panic!("{field} has no name on the wire"))).to_owned(), kind_of(kind))
    };
    Some((name.trim().to_owned(), fields.map(member).collect()))
}

fn kind_of(rust: &str) -> String {
    let inner = |prefix: &str| rust.strip_prefix(prefix)?.strip_suffix('>');
    if let Some(inner) = inner("::std::option::Option<") {
        return kind_of(inner);
    }
    if let Some(inner) = inner("::std::vec::Vec<") {
        return format!("[{}]", kind_of(inner));
    }
    if let Some(inner) = inner("::std::collections::HashMap<::std::string::String, ") {
        return format!("{{{}}}", kind_of(inner));
    }
    match rust {
        "::std::string::String" => "string".to_owned(),
        "bool" => "boolean".to_owned(),
        "i32" | "i64" => "integer".to_owned(),
        "f32" | "f64" => "number".to_owned(),
        // Seconds since the Unix epoch.
        "::aws_smithy_types::DateTime" => "number".to_owned(),
        "::aws_smithy_types::Document" => "any".to_owned(),
        other => other.strip_prefix("crate::types::").unwrap_or(other).to_owned(),
    }
}

/// The SDK's structures by name, and the requests.
fn structures(sdk: &Path) -> BTreeMap<String, Structure> {
    let read = |path: &Path| structure(&std::fs::read_to_string(path).unwrap());
    let types = std::fs::read_dir(sdk.join("types")).unwrap().map(|file| file.unwrap().path());
    let mut found = BTreeMap::new();
    for path in types.filter(|path| path.extension().is_some()) {
        found.extend(read(&path));
    }
    for (name, file) in REQUESTS {
        found.insert(name.to_owned(), read(&sdk.join(file)).unwrap().1);
    }
    found
}

/// Every structure that the requests reach.
fn table(sdk: &Path) -> BTreeMap<String, Structure> {
    let all = structures(sdk);
    let mut table = BTreeMap::new();
    let mut left: Vec<String> = REQUESTS.map(|(name, _)| name.to_owned()).into();
    while let Some(name) = left.pop() {
        let mut members = all[&name].clone();
        for kind in members.values_mut() {
            assert!(!kind.contains("::"), "{name} has a member of an unknown type, {kind}");
            let of = kind.trim_matches(['[', ']', '{', '}']).to_owned();
            if all.contains_key(&of) {
                left.extend((of != name && !table.contains_key(&of)).then_some(of));
            } else if of.starts_with(char::is_uppercase) {
                // An enumeration: a text on the wire.
                *kind = kind.replace(&of, "string");
            }
        }
        table.insert(name, members);
    }
    table
}

#[test]
fn the_table_of_members_is_that_of_the_locked_sdk() {
    let file = root().join("xtask/deploy/src/config/aws/members.json");
    let current = format!("{:#}\n", serde_json::to_value(table(&sdk("aws-sdk-ecs"))).unwrap());
    if Env::system().get("XTASK_WRITE").is_some() {
        std::fs::write(&file, &current).unwrap();
    }
    let checked_in = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(checked_in == current, "write it anew: XTASK_WRITE=1 cargo test -p xtask --test aws_members");
    // Guards the reading of the source: a table of nothing would be current, too.
    let table: Value = serde_json::from_str(&checked_in).unwrap();
    assert_eq!(table["Ulimit"]["softLimit"], "integer");
    assert_eq!(table["RegisterTaskDefinition"]["containerDefinitions"], "[ContainerDefinition]");
    assert_eq!(table["LogConfiguration"]["options"], "{string}");
    assert_eq!(table["Volume"]["efsVolumeConfiguration"], "EfsVolumeConfiguration");
    assert_eq!(table["PortMapping"]["protocol"], "string");
}

/// The names of attributes in a generated file's list of those that a kind of load balancer supports.
fn documented(file: &str, ours: &[&str]) -> Vec<String> {
    let source =
        std::fs::read_to_string(sdk("aws-sdk-elasticloadbalancingv2").join("types").join(file)).unwrap();
    let text = source.split("pub key:").next().unwrap();
    let lists = text.split("/// <p>The following attribute").skip(1);
    let ours = lists.filter(|list| ours.iter().any(|words| list.lines().next().unwrap().contains(words)));
    let names = ours.flat_map(|list| list.split("/// <p><code>").skip(1));
    let names = names.filter_map(|rest| rest.split("</code>").next()).filter(|name| name.contains('.'));
    let mut names: Vec<String> = names.map(str::to_owned).collect();
    names.sort();
    names
}

#[test]
fn the_attributes_of_load_balancers_and_target_groups_are_those_that_the_locked_sdk_documents() {
    let [balancer, group] = deploy::config::attribute_names();
    let lists = ["by all load balancers", "by both Application", "by only Application"];
    assert_eq!(documented("_load_balancer_attribute.rs", &lists), balancer);
    let lists =
        ["by all load balancers", "by Application Load Balancers and", "is an instance or an IP address"];
    assert_eq!(documented("_target_group_attribute.rs", &lists), group);
}
