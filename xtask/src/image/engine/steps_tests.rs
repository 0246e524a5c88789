//! Builds that fail, as the engines print them: Docker 20.10 and 28.2, buildx 0.13 and later, Podman 4.3.

use super::*;

fn of(text: &str) -> (String, Vec<String>) {
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let Failed { step, last } = failed(&lines);
    (step.unwrap_or_default(), last)
}

const COMMAND: &str = "[2/2] RUN echo starting && sh -c 'echo deep; exit 7'";

#[test]
fn of_buildkit_s_mixed_lines_those_of_the_failing_step_are_shown() {
    let text = "#1 [internal] load build definition from D2
#1 DONE 0.0s

#4 [1/2] FROM docker.io/library/eng-base:1
#4 CACHED

#5 [2/2] RUN echo starting && sh -c 'echo deep; exit 7'
#5 sha256:bdf74efde0d73aaef7688d878076a74ca94b120fe8a8f7a438b7539c0416c933
#5 0.248 starting
#6 [other 2/2] RUN make
#6 0.250 gcc -c a.c
#5 0.250 deep
#5 ERROR: executor failed running [/bin/sh -c echo starting]: exit code: 7
#6 CANCELED
------
 > [2/2] RUN echo starting && sh -c 'echo deep; exit 7':
0.248 starting
0.250 deep
------
";
    let old = format!("{text}executor failed running [/bin/sh -c echo starting]: exit code: 7\n");
    let reason = "executor failed running [/bin/sh -c echo starting]: exit code: 7";
    let shown = ["starting", "deep", reason].map(str::to_owned).to_vec();
    assert_eq!(of(&old), (COMMAND.to_owned(), shown.clone()));
    let new = format!(
        "{text}D2:3\n--------------------\n   2 |     ENV A=b\n   3 | >>> RUN echo starting\n--------------------\nERROR: failed to \
         solve: {reason}\n"
    );
    assert_eq!(of(&new), (format!("{COMMAND} (D2:3)"), shown));
}

#[test]
fn of_builders_that_go_step_by_step_the_last_one_is_shown() {
    let classic = "DEPRECATED: The legacy builder is deprecated and will be removed in a future release.
            BuildKit is currently disabled; enable it by removing the DOCKER_BUILDKIT=0
            environment-variable.

Sending build context to Docker daemon  3.072kB
Step 1/2 : FROM eng-base:1
 ---> ca8513cfc717
Step 2/2 : RUN echo starting && sh -c 'echo deep; exit 7'
 ---> Running in 49180a7dd446
\u{1b}[91mone
\u{1b}[0mdeep
The command '/bin/sh -c echo starting' returned a non-zero code: 7
";
    let shown = ["one", "deep", "The command '/bin/sh -c echo starting' returned a non-zero code: 7"];
    assert_eq!(of(classic), (COMMAND.to_owned(), shown.map(str::to_owned).to_vec()));
    let buildah = "STEP 1/2: FROM localhost/eng-base:1
--> Using cache fde5ab84c8e672ca62579e8f7aff4dffc8c81b6fb6a192756deaedae30cbf793
--> fde5ab84c8e
[2/2] STEP 2/2: RUN echo starting && sh -c 'echo deep; exit 7'
deep
Error: building at STEP \"RUN echo starting\": while running runtime: exit status 7
";
    let shown =
        ["deep", "Error: building at STEP \"RUN echo starting\": while running runtime: exit status 7"];
    assert_eq!(of(buildah), (COMMAND.to_owned(), shown.map(str::to_owned).to_vec()));
}

/// Podman names the step on one stream and the reason on the other.
#[test]
fn a_reason_that_was_read_before_its_step_is_not_lost() {
    let reason = "Error: creating build container: nope:1: no such image";
    let text = format!("{reason}\nSTEP 1/2: FROM nope:1\n");
    assert_eq!(of(&text), ("[1/2] FROM nope:1".to_owned(), vec![reason.to_owned()]));
    let text = format!("STEP 1/2: FROM a\n{reason}\nSTEP 2/2: RUN b\nhalf done\n");
    assert_eq!(of(&text).1, ["half done", reason]);
}

#[test]
fn a_dockerfile_that_cannot_be_read_is_reported_in_one_line() {
    let reason = "dockerfile parse error line 1: unknown instruction: FRM";
    let text = format!(
        "#1 [internal] load build definition from D3\n#1 DONE 0.0s\n\nERROR: failed to solve: rpc error: code = Unknown desc = \
         failed to solve with frontend dockerfile.v0: failed to create LLB definition: {reason}\n"
    );
    assert_eq!(of(&text), (String::new(), vec![reason.to_owned()]));
    let classic = "Sending build context to Docker daemon  6.144kB\nError response from daemon: dockerfile parse error\n";
    assert_eq!(of(classic).1, ["Error response from daemon: dockerfile parse error"]);
    assert_eq!(of("Error: no FROM statement found").1, ["Error: no FROM statement found"]);
}

#[test]
fn a_step_that_says_much_does_not_fill_the_screen() {
    let lines: String = (1..=500).map(|number| format!("#5 {number}.0 line {number}\n")).collect();
    let (step, last) = of(&format!(
        "#5 [2/2] RUN make\n{lines}#5 ERROR: exit code: 2\n------\nERROR: failed to solve: exit code: 2\n"
    ));
    assert_eq!((step.as_str(), last.len()), ("[2/2] RUN make", SHOWN));
    assert_eq!((last[0].as_str(), last[SHOWN - 1].as_str()), ("line 482", "exit code: 2"));
}
