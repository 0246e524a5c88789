//! `cargo xtask <Tab>` in real shells. One that is not installed is left out with a message.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up must fail")]
#![expect(clippy::print_stderr, reason = "a shell that is left out is named")]

use std::path::PathBuf;
use std::time::Duration;

use xtask::host::{Env, Program, Shell};

/// Completes `cargo …` with the script `$1`, and prints what is offered.
const BASH: &str = r#"
_old() { COMPREPLY=("old-$2"); }
complete -F _old -o nosort cargo
source "$1"; source "$1"
offer() {
    COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
    local by; by=$(complete -p cargo | sed 's/.* -F \([^ ]*\) .*/\1/')
    "$by" cargo "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
    echo "${COMPREPLY[*]}"
}
offer cargo xtask dep
offer cargo +nightly xtask deploy --take
offer cargo xtask plan --output m
offer cargo xtask local sto
offer cargo bui
"#;

const FISH: &str = r#"
source $argv[1]
for line in "xtask dep" "+nightly xtask deploy --take" "xtask plan --output m" "xtask local sto"
    complete -C "cargo $line" | string replace -r '\t.*' ''
end
"#;

/// What a person sees after Tab, on a terminal of its own.
const ZSH: &str = r#"
zmodload zsh/zpty
offer() {
    zpty -b z "PS1=; PS2=; exec zsh -f -i"
    zpty -w z "PS1=; autoload -U compinit; compinit -u -D; source $script; unsetopt zle_bracketed_paste; echo rea''dy"
    local seen
    zpty -r -m z seen '*ready*'
    zpty -w -n z "$1"$'\t'
    repeat 50; do
        sleep 0.1
        zpty -r -t z part && seen+=$part
        [[ $seen == *"$2"* ]] && { print -r -- "$2"; break }
    done
    zpty -d z
}
script=$1
offer "cargo xtask dep" "cargo xtask deploy"
offer "cargo +nightly xtask deploy --take" "cargo +nightly xtask deploy --take-lease"
offer "cargo xtask plan --output m" "cargo xtask plan --output markdown"
offer "cargo xtask local sto" "cargo xtask local stop"
"#;

async fn offered(shell: &str, options: &[&str], script: &str) -> Option<Vec<String>> {
    let host = Shell::system(&Env::of([("PATH", "/usr/local/bin:/usr/bin:/bin")]));
    let Some(program) = host.find(shell) else {
        eprintln!("left out: {shell} is not installed");
        return None;
    };
    let folder = std::env::temp_dir().join(format!("xtask-completions-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let of = |name: &str, text: &str| {
        let path: PathBuf = folder.join(format!("{name}.{shell}"));
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let asked = Program::new(env!("CARGO_BIN_EXE_xtask"), &["completions", shell]);
    let generated = host.capture(&asked).await.unwrap();
    assert!(generated.exit.success(), "{generated:?}");
    let generated = of("generated", &String::from_utf8(generated.stdout).unwrap());
    let test = of("test", script);
    let home = folder.display().to_string();
    let program = Program::new(program, &[options, &[&test, &generated]].concat()).env("HOME", &home);
    let output =
        tokio::time::timeout(Duration::from_secs(60), host.capture(&program)).await.unwrap().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    Some(said.lines().map(|line| line.trim().to_owned()).collect())
}

const WANTED: [&str; 4] = ["deploy", "--take-lease", "markdown", "stop"];

#[tokio::test]
async fn bash_completes_and_leaves_the_rest_to_what_completed_cargo_before() {
    if let Some(offered) = offered("bash", &["--norc"], BASH).await {
        assert_eq!(offered, [&WANTED[..], &["old-bui"]].concat());
    }
}

#[tokio::test]
async fn fish_completes() {
    if let Some(offered) = offered("fish", &["--no-config"], FISH).await {
        assert_eq!(offered, WANTED);
    }
}

#[tokio::test]
async fn zsh_completes() {
    if let Some(offered) = offered("zsh", &["-f"], ZSH).await {
        let ends: Vec<_> = offered.iter().filter_map(|line| line.split(' ').next_back()).collect();
        assert_eq!(ends, WANTED);
    }
}
