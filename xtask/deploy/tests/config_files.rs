//! Whole files with mistakes: what an operator gets to read, all at once.
//!
//! `tests/fixtures/config/files/*.toml` beside the expected text (`INSTA_UPDATE=always` writes it anew).

#![expect(clippy::unwrap_used, reason = "a test that cannot read its fixture has failed")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use deploy::config::{self, Report};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/config/files")
}

fn read(name: &str) -> String {
    std::fs::read_to_string(fixtures().join(format!("{name}.toml"))).unwrap()
}

fn report(name: &str) -> Report {
    config::load("deploy.toml", &read(name), None).unwrap_err()
}

fn codes(report: &Report) -> Vec<&str> {
    report.diagnostics.iter().map(|found| found.code).collect()
}

fn names() -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(fixtures())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn every_bad_file_reads_as_expected() {
    for name in names().iter().filter(|name| *name != "complete") {
        insta::with_settings!({
            snapshot_path => fixtures(),
            prepend_module_to_snapshot => false,
            omit_expression => true,
        }, {
            insta::assert_snapshot!(name.as_str(), report(name).render(false));
        });
    }
}

#[test]
fn what_is_said_below_a_mistake_is_no_wider_than_the_terminal() {
    for name in names().iter().filter(|name| *name != "complete") {
        let shown = report(name).render_in(false, Some(80));
        // Lines of the file and what is marked in them have a bar.
        for line in shown.lines().filter(|line| line.starts_with(' ') && !line.contains('|')) {
            assert!(line.chars().count() <= 80, "{name}: {line}");
        }
    }
}

#[test]
fn the_file_that_all_others_derive_from_is_without_fault() {
    let loaded =
        config::load("deploy.toml", &read("complete"), None).map_err(|report| report.render(false)).unwrap();
    assert!(loaded.warnings.is_empty(), "{}", loaded.warnings);
}

#[test]
fn three_mistakes_in_one_file_are_shown_at_once() {
    assert_eq!(codes(&report("three-mistakes")), ["unknown-key", "fargate-size", "target-group-name"]);
}

#[test]
fn two_unknown_keys_hide_neither_a_wrong_type_nor_a_broken_rule() {
    let report = report("two-unknown-keys-a-type-error-and-a-rule");
    assert_eq!(codes(&report), ["unknown-key", "unknown-key", "wrong-type", "target-group-name"]);
}

#[test]
fn a_value_that_services_share_is_wrong_once() {
    assert_eq!(codes(&report("shared-mistake-reported-once")), ["fargate-size"]);
}

#[test]
fn of_two_values_that_conflict_the_one_written_later_is_blamed() {
    let both = report("environment-to-blame");
    let half = report("environment-half-to-blame");
    let text = read("environment-half-to-blame");
    let line = |needle: &str| text.lines().position(|line| line.starts_with(needle)).unwrap() + 1;
    assert_eq!(half.findings().map(|found| found.line).collect::<Vec<_>>(), [line("service.backend.cpu")]);
    assert_eq!(both.errors(), 1);
}

#[test]
fn no_report_ever_shows_a_secret() {
    for name in names().iter().filter(|name| *name != "complete") {
        let report = report(name);
        let found: Vec<_> = report.findings().collect();
        for text in [report.render(false), report.render(true), format!("{report:?}"), format!("{found:?}")] {
            assert!(!text.contains("hunter2") && !text.contains("12345,"), "{name}");
        }
    }
}

#[test]
fn findings_carry_what_an_annotation_needs() {
    let report = report("three-mistakes");
    let first = report.findings().next().unwrap();
    assert_eq!((first.file.as_str(), first.line, first.column, first.end_column), ("deploy.toml", 4, 1, 8));
    assert_eq!((first.code, first.message.as_str()), ("unknown-key", "unknown key `clutser`"));
    assert_eq!(
        (first.help.as_deref(), first.fix.as_deref()),
        (Some("did you mean `cluster`?"), Some("cluster"))
    );
    let paths: Vec<_> = report.findings().map(|found| found.path.unwrap()).collect();
    assert_eq!(paths, ["clutser", "service.backend.memory-mib", "service.backend.target-group.name"]);
}

#[test]
fn an_environment_that_is_not_there_is_named_with_the_ones_that_are() {
    let text = read("complete");
    let printed = |env| config::load("deploy.toml", &text, Some(env)).unwrap_err().render(false);
    assert!(printed("locla").contains("did you mean `local`?"), "{}", printed("locla"));
    assert!(printed("production").contains("the file has `local`"), "{}", printed("production"));
    assert_eq!(config::environments(&text), ["local"]);
}

#[test]
fn what_only_another_environment_gets_wrong_is_a_warning_with_its_name() {
    let text = read("complete") + "\n[env.prod]\nregion = \"mars\"\nservice.backend.cpu = 300\n";
    let loaded =
        config::load("deploy.toml", &text, Some("local")).map_err(|report| report.render(false)).unwrap();
    let warnings: Vec<_> =
        loaded.warnings.findings().map(|found| (found.path.unwrap(), found.message)).collect();
    let expected = [
        ("env.prod.region", "in `prod`: not an AWS region"),
        ("env.prod.service.backend.cpu", "in `prod`: Fargate does not offer 300 CPU units"),
    ]
    .map(|(path, message)| (path.to_owned(), message.to_owned()));
    assert_eq!(warnings, expected);
    let wrong =
        config::load("deploy.toml", &text.replace("cpu = 256", "cpu = 300"), Some("local")).unwrap_err();
    // The same mistake in both is reported once, of the one that is used.
    assert_eq!(wrong.errors(), 1, "{wrong}");
}

/// The complete file with a text replaced, read.
fn changed(from: &str, to: &str) -> deploy::model::Environment {
    let text = read("complete");
    assert!(text.contains(from), "{from}");
    config::load("deploy.toml", &text.replacen(from, to, 1), None)
        .map_err(|report| report.render(false))
        .unwrap()
        .environment
}

#[test]
fn what_is_left_out_is_derived_as_ecs_would_derive_it() {
    let service = changed("[env.local]", "[service.backend.connect]\n\n[env.local]").services.remove(0);
    let connect = service.connect.unwrap();
    assert_eq!(service.container.port_name, "backend");
    assert_eq!(
        (connect.own.discovery_name.as_str(), connect.own.alias.dns.as_str(), connect.own.alias.port),
        ("backend", "backend.ielts.local", 8080)
    );
    assert_eq!(service.container.environment["PORT"], "8080");
    let smoke = &service.smoke[0];
    assert_eq!((smoke.path.as_str(), smoke.identity.as_deref()), ("/actuator/health", Some("backend")));
}

#[test]
fn a_health_route_takes_the_first_priority_that_no_route_has() {
    let routes = |text: &str| {
        let service = changed("priority = 100", text).services.remove(0);
        service.routes.into_iter().map(|route| (route.path, route.priority)).collect::<Vec<_>>()
    };
    let health = "/actuator/health".to_owned();
    assert_eq!(routes("priority = 100"), [(health.clone(), 10), ("/*".to_owned(), 100)]);
    assert_eq!(routes("priority = 10"), [("/*".to_owned(), 10), (health, 20)]);
}

#[test]
fn an_existing_load_balancer_is_selected_and_needs_no_subnets() {
    let whole = "name = \"alb\"\nsubnets = [\"public-1a\", \"public-1b\"]\nsecurity-groups = [\"alb-sg\"]";
    let environment = changed(whole, "name = \"alb\"\nexisting = true");
    assert!(environment.load_balancer.existing);
    assert_eq!(environment.load_balancer.name, "alb");
}

#[test]
fn services_come_after_those_they_wait_for_and_not_by_their_names() {
    let second = "[service.aaa]\nname = \"aaa\"\nfamily = \"aaa\"\nbuild.cargo = \"aaa\"\nexecution-role = \"r\"\n\
        security-groups = [\"sg\"]\nrepository.name = \"aaa\"\nlog-group.name = \"/aaa\"\ncontainer = { name = \"aaa\", \
        port = 1 }\ntarget-group = { name = \"aaa\", health.path = \"/aaa\" }\n";
    for (waits, expected) in [("", ["aaa", "backend"]), ("depends-on = [\"backend\"]\n", ["backend", "aaa"])]
    {
        let environment = changed("[env.local]", &format!("{second}{waits}\n[env.local]"));
        let keys: Vec<&str> = environment.services.iter().map(|service| service.key.0.as_str()).collect();
        assert_eq!(keys, expected);
    }
}

/// The file cut off anywhere, and with each line left out, doubled, or robbed of its `=`.
fn damaged(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let with = |at: usize, line: &str| [&lines[..at].concat(), line, &lines[at + 1..].concat()].concat();
    let cut = (0..text.len()).filter(|&end| text.is_char_boundary(end)).map(|end| text[..end].to_owned());
    let each = lines.iter().enumerate();
    let mended = each
        .flat_map(|(at, line)| [with(at, ""), with(at, &line.repeat(2)), with(at, &line.replace('=', " "))]);
    cut.chain(mended).collect()
}

#[test]
fn a_damaged_file_is_explained_and_makes_nothing_panic() {
    let files = ["secret-beside-a-mistake", "secrets-in-their-own-tables"];
    for text in files.iter().flat_map(|name| damaged(&read(name))) {
        if let Err(report) = config::load("deploy.toml", &text, Some("local")) {
            let shown = report.render(false);
            assert!(!shown.is_empty() && !shown.contains("hunter2"), "{text}\n{shown}");
            assert!(report.findings().all(|found| found.line >= 1 && found.column >= 1));
        }
    }
}

/// A file of so many services that are like the backend of the owner's, each with the same mistakes of its own.
fn broken(services: usize) -> String {
    let owners = read_owners();
    let (head, rest) = owners.split_once("[service.backend]").unwrap();
    let (backend, rest) = rest.split_once("[service.frontend]").unwrap();
    let (_, environments) = rest.split_once("[env.prod]").unwrap();
    let each = (0..services).map(|n| {
        let own = backend
            .replace("service.backend", &format!("service.s{n}"))
            .replace(
                "health-route-priority = 10",
                &format!("depends-on = [\"nosuch-{n}\", \"s{}\"]", (n + 1) % services),
            )
            .replace("path = \"/actuator", &format!("path = \"/v{n}/actuator"))
            .replace(
                "# environment = { LOG_LEVEL = \"info\" }",
                &format!("environment = {{ URL = \"http://nosuch-{n}.ielts.local\" }}"),
            );
        format!("[service.s{n}]{own}")
    });
    [head.to_owned(), each.collect(), format!("[env.prod]{environments}")].concat()
}

fn read_owners() -> String {
    std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/ielts.toml")).unwrap()
}

#[test]
fn what_is_reported_of_a_service_does_not_grow_with_the_others() {
    let report = |services| config::load("deploy.toml", &broken(services), Some("prod")).unwrap_err();
    let (few, many) = (report(100), report(400));
    let codes = |report: &Report| report.findings().map(|it| it.code.to_owned()).collect::<BTreeSet<_>>();
    let expected =
        ["alias-clash", "alias-url", "dependency-cycle", "dependency-unknown", "route-clash", "unique-name"];
    assert!(expected.iter().all(|code| codes(&few).contains(*code)), "{:?}", codes(&few));
    assert_eq!(codes(&few), codes(&many));
    // The numbers get a digit longer.
    let each = |report: &Report, services: usize| report.render(false).len() / services;
    assert!(each(&many, 400) * 10 < each(&few, 100) * 11, "{} {}", each(&few, 100), each(&many, 400));
}

/// Half a second alone, and many on a machine that builds meanwhile; where it is not linear, minutes.
#[test]
#[expect(clippy::disallowed_methods, reason = "a test of how long it takes")]
fn the_mistakes_of_three_thousand_services_are_reported_at_once() {
    let services = (0..3_000).map(|n| format!("[service.s{n}]\nname = \"--help\"\n")).collect::<String>();
    let text = format!("[env.prod]\nkind = \"local\"\n{services}");
    let begun = std::time::Instant::now();
    let report = config::load("deploy.toml", &text, Some("prod")).unwrap_err();
    let (found, shown) = (report.findings().count(), report.render(false));
    let took = begun.elapsed();
    assert!(found >= 6_000 && shown.contains("[service.s2999]"), "{found}");
    assert!(took.as_secs() < 60, "{took:?}");
}

/// The renderer reads each line that it is given as a whole.
#[test]
#[expect(clippy::disallowed_methods, reason = "a test of how long it takes")]
fn three_thousand_mistakes_on_one_line_are_reported_at_once_each_at_its_column() {
    let names = (0..3_000).map(|n| format!("\"ä-{n}\" = \"x\"")).collect::<Vec<_>>().join(", ");
    let text = format!(
        "[env.prod]\nkind = \"local\"\n[service.web.container]\nenvironment = {{ {names} }}\npublic = [\"ä-1\", \"no\"]\n"
    );
    let begun = std::time::Instant::now();
    let report = config::load("deploy.toml", &text, Some("prod")).unwrap_err();
    let (found, shown) = (report.findings().collect::<Vec<_>>(), report.render(false));
    let took = begun.elapsed();
    assert!(took.as_secs() < 60, "{took:?}");
    let mut far = 0;
    for name in found.iter().filter(|it| it.code == "variable-name") {
        let place = format!("deploy.toml:{}:{}\n", name.line, name.column);
        assert!(shown.contains(&place), "{place}");
        far = far.max(name.column);
    }
    assert!(far > 40_000, "{far}");
    assert!(report.render(true).contains(&format!("deploy.toml:4:{far}\n")));
    let last = shown.find(&format!(":{far}\n")).unwrap();
    let drawn: Vec<&str> = shown[last..].lines().skip(2).take(2).collect();
    let marked = drawn[0].chars().zip(drawn[1].chars()).filter(|(_, mark)| *mark == '^').map(|(c, _)| c);
    assert_eq!(marked.collect::<String>(), "\"ä-2999\"", "{drawn:#?}");
}
