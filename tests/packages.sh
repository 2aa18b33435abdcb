# What tests/run and tests/console share: installing what is missing. Sourced; whoever sources it has a `say`.
# shellcheck shell=bash

fail() {
    say "$*"
    exit 1
}

# Runs a command as root, if this user may.
as_root() {
    if [[ $EUID -eq 0 ]]; then
        "$@"
    elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
        sudo -n "$@"
    else
        return 1
    fi
}

# Installs Debian packages, or says which ones to install.
install_packages() {
    local what=$1
    shift
    if command -v apt-get >/dev/null && as_root true; then
        say "no $what found: installing $* with apt-get"
        as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq >&2 || true
        if as_root env DEBIAN_FRONTEND=noninteractive \
            apt-get install -y -qq --no-install-recommends "$@" >&2; then
            return
        fi
    fi
    fail "no $what found and none could be installed: install it (on Debian and Ubuntu: apt-get install $*)"
}
