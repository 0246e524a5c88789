//! What an application could not reach, by the first error of its log.

use super::*;

#[test]
fn the_first_error_of_a_chain_names_what_is_not_reached() {
    let chains = [
        "connecting to db.internal:5432\nError: Connection refused (os error 111)\nstart failed",
        "HikariPool-1 - Connection to db.internal:5432 refused\nCaused by: java.net.ConnectException: Connection refused\n\
         Application run failed",
        "Error: connect ECONNREFUSED db.internal:5432\n    at TCP (node:net) {\n}\n\nNode.js v20.20.2",
        "ERROR could not open a connection to db.internal:5432: lookup db.internal: no such host (refused)\n\
         BeanCreationException: Error creating bean\n\tat a.B(C.java:1)\n\tat a.D(C.java:2)\nShutting down\nApplication run failed",
        "WARN connect to db.internal:5432: connection refused, attempt 1\nINFO waiting\ngiving up after 5 attempts",
    ];
    for chain in chains {
        let exit = stopped("EssentialContainerExited", "Essential container in task exited", Some(1), None);
        let log_tail = chain.lines().map(str::to_owned).collect();
        let evidence = Evidence { stopped: vec![exit.clone(), exit], log_tail, ..Default::default() };
        assert_eq!(found(&evidence), ("dependency-unreachable", true), "{chain}");
        let cause = explain(&evidence).unwrap();
        assert!(cause.cause.contains("cannot reach db.internal:5432; it said: "), "{}", cause.cause);
        assert!(cause.cause.to_lowercase().contains("refused"), "{}", cause.cause);
    }
}

#[test]
fn a_module_or_file_that_is_not_found_is_nothing_that_cannot_be_reached() {
    let code = |line: &str| {
        let exit = stopped("EssentialContainerExited", "Essential container in task exited", Some(1), None);
        let evidence =
            Evidence { stopped: vec![exit], log_tail: vec![line.to_owned()], ..Default::default() };
        explain(&evidence).unwrap().code
    };
    for line in [
        "ModuleNotFoundError: No module named 'flask'",
        "FileNotFoundError: [Errno 2] No such file or directory: '/app/config.yml'",
        "java.io.FileNotFoundException: config.yml",
    ] {
        assert_eq!(code(line), "exits-at-start", "{line}");
    }
    assert_eq!(code("Error: getaddrinfo ENOTFOUND db.internal"), "dependency-unreachable");
}

#[test]
fn what_was_not_reached_and_did_not_end_the_program_is_not_blamed() {
    let exit = stopped("EssentialContainerExited", "Essential container in task exited", Some(1), None);
    let log =
        ["ERROR statsd:8125: connection refused, going on without", "listening on 8080", "no DATABASE_URL"];
    let log_tail = log.map(str::to_owned).to_vec();
    let cause = explain(&Evidence { stopped: vec![exit], log_tail, ..Default::default() }).unwrap();
    assert_eq!(cause.code, "exits-at-start");
    assert!(cause.cause.ends_with("it said: no DATABASE_URL"), "{}", cause.cause);
}

#[test]
fn an_address_of_the_task_itself_has_no_security_group_and_the_embedded_cloud_has_none_at_all() {
    let remedy = |address: &str, embedded| {
        let exit = stopped("EssentialContainerExited", "Essential container in task exited", Some(1), None);
        let log_tail = vec![format!("dial tcp {address}: connect: connection refused")];
        explain(&Evidence { stopped: vec![exit], log_tail, embedded, ..Default::default() }).unwrap().remedy
    };
    for address in ["127.0.0.1:3999", "localhost:3999"] {
        let (here, aws) = (remedy(address, true), remedy(address, false));
        assert!(here.contains("is the task itself") && here.contains("`PORT_3999`"), "{here}");
        assert!(aws.contains("is the task itself") && !aws.contains("PORT_3999"), "{aws}");
        assert!(!here.contains("security group") && !aws.contains("security group"), "{here} {aws}");
    }
    assert!(remedy("db.internal:5432", false).contains("security group"));
    assert!(!remedy("db.internal:5432", true).contains("security group"));
}
