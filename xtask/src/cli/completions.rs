//! Completions of what people type, `cargo xtask`: a shell completes `cargo` by cargo's own completions, which must hand over.
//!
//! What is generated completes a command `cargo-xtask` (bash: `cargo_xtask`). Below it comes, for each shell, how `cargo xtask` leads there: zsh's completion
//! of cargo calls a function of that name, bash's is wrapped, and fish takes completions of one command from several files.

use clap::CommandFactory;
use clap_complete::Shell;

use super::args::Cli;

/// The words after `xtask`, as those of `cargo-xtask`. A toolchain (`+nightly`) may stand before it. What completed `cargo` before, and
/// what bash-completion would load for it later, completes the rest.
const BASH: &str = r#"
if declare -F _comp_load >/dev/null; then _comp_load cargo; elif declare -F _completion_loader >/dev/null; then _completion_loader cargo; fi
__cargo_xtask_before=$(complete -p cargo 2>/dev/null | sed -n 's/.* -F \([^ ]*\) .*/\1/p')
[[ $__cargo_xtask_before == __cargo_xtask_first ]] && __cargo_xtask_before=$__cargo_xtask_own
__cargo_xtask_own=$__cargo_xtask_before
__cargo_xtask_first() {
    local at=1
    while [[ ${COMP_WORDS[at]} == +* ]]; do ((at++)); done
    if [[ ${COMP_WORDS[at]} == xtask && $COMP_CWORD -gt $at ]]; then
        COMP_WORDS=(cargo_xtask "${COMP_WORDS[@]:at+1}")
        COMP_CWORD=$((COMP_CWORD - at))
        _cargo_xtask cargo_xtask "$2" "$3"
    elif [[ -n $__cargo_xtask_own ]]; then
        "$__cargo_xtask_own" "$@"
    fi
}
complete -F __cargo_xtask_first -o bashdefault -o default cargo
"#;

/// Where nothing completes cargo, this does, for `xtask` alone.
const ZSH: &str = r#"
if [ "$funcstack[1]" != "_cargo-xtask" ] && (( ! $+_comps[cargo] )); then
    _cargo_xtask_alone() {
        local at=2
        while [[ $words[at] == +* ]]; do ((at++)); done
        if [[ $words[at] == xtask && $CURRENT -gt $at ]]; then
            shift $((at - 1)) words
            ((CURRENT -= at - 1))
            _cargo-xtask
        else
            _default
        fi
    }
    compdef _cargo_xtask_alone cargo
fi
"#;

const FISH: &str = r#"
function __cargo_xtask_words
    set -l words (commandline -opc)
    set -e words[1]
    while string match -q -- '+*' $words[1]
        set -e words[1]
    end
    test "$words[1]" = xtask
    or return 1
    set -e words[1]
    string join -- \n $words
    return 0
end
complete -c cargo -n '__cargo_xtask_words >/dev/null' -f -a '(complete -C "cargo-xtask "(string join -- " " (__cargo_xtask_words) (commandline -ct)))'
"#;

/// The script for a shell.
pub(super) fn script(shell: Shell) -> String {
    let mut text = Vec::new();
    // In bash's script a hyphen in the name is spelled in two ways, and verbs are then not found.
    let name = if shell == Shell::Bash { "cargo_xtask" } else { "cargo-xtask" };
    clap_complete::generate(shell, &mut Cli::command(), name, &mut text);
    let hands_over = match shell {
        Shell::Bash => BASH,
        Shell::Zsh => ZSH,
        Shell::Fish => FISH,
        _ => "",
    };
    format!("{}\n{}", String::from_utf8_lossy(&text).trim_end(), hands_over.trim_end())
}
