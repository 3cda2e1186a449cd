#!/bin/sh
# Installs, upgrades or removes edgeasr on Debian 12/13 and 64-bit Raspberry Pi OS.
#
#   sudo deploy/install.sh [SOURCE]      SOURCE: a wheel, or this repository (the default)
#   sudo deploy/install.sh --uninstall [--keep-config]
#
# Safe to repeat. Each version has a virtual environment of its own under /opt/edgeasr; a new one
# that fails its check, or whose service does not start, is left and the old one goes on.
set -eu

prefix=/opt/edgeasr
settings=/etc/edgeasr
documents=/usr/share/doc/edgeasr
here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)

say() { echo "edgeasr: $*"; }
fail() { echo "edgeasr: $*" >&2; exit 1; }
has_systemd() { [ -d /run/systemd/system ]; }

uninstall() {
    if has_systemd; then
        systemctl disable --now edgeasr.service 2>/dev/null || true
    fi
    rm -rf "$prefix" "$documents" /usr/local/bin/edgeasr /etc/systemd/system/edgeasr.service \
        /etc/systemd/user/edgeasr.service
    if [ "${1:-}" != --keep-config ]; then
        rm -rf "$settings" /var/lib/edgeasr /var/lib/private/edgeasr
    fi
    if has_systemd; then
        systemctl daemon-reload
    fi
    say "removed"
}

check_system() {
    [ "$(id -u)" = 0 ] || fail "needs root: sudo $0"
    case $(uname -m) in
        x86_64 | aarch64) ;;
        *) fail "$(uname -m) is not served: onnxruntime has wheels for 64-bit only; use a 64-bit OS" ;;
    esac
    missing=""
    for package in python3-venv libportaudio2; do
        dpkg -s "$package" >/dev/null 2>&1 || missing="$missing $package"
    done
    if [ -n "$missing" ]; then
        say "installing$missing"
        apt-get update -qq
        # shellcheck disable=SC2086 - a list
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
    fi
    python3 -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' ||
        fail "Python 3.11 to 3.13 is needed, this is $(python3 --version)"
}

make_environment() {
    python3 -m venv "$1"
    "$1/bin/python" -m pip install --quiet --disable-pip-version-check --no-cache-dir \
        --only-binary=:all: "$2" || return
    # A version keeps its units, so that going back to it brings them back too.
    cp -r "$here/systemd" "$1/systemd"
}

make_settings() {
    install -d -m 755 "$settings"
    # A service needs a real broker: by default the one on this machine, found when it is there.
    if [ ! -f "$settings/edgeasr.toml" ]; then
        sed 's/^host = ""$/host = "localhost"/' "$here/deploy/edgeasr.toml" > "$settings/new.toml"
        chmod 644 "$settings/new.toml"
        mv "$settings/new.toml" "$settings/edgeasr.toml"
    fi
    [ -f "$settings/mqtt-password" ] || install -m 600 /dev/null "$settings/mqtt-password"
}

# Microphone and broker may well be missing now; configuration and models may not.
is_sound() {
    state=$(mktemp -d)
    STATE_DIRECTORY=$state "$1/bin/python" -I - "$settings/edgeasr.toml" <<'PYTHON'
import sys
from pathlib import Path

from edgeasr.check import check
from edgeasr.config_file import load_config
from edgeasr.errors import EdgeasrError

try:
    lines = check(load_config(Path(sys.argv[1])))
except EdgeasrError as error:
    sys.exit(f"edgeasr: {error}")
for line in lines:
    print(f"  {'ok  ' if line.ok else 'FAIL'} {line.name}: {line.message}")
sys.exit(any(not line.ok for line in lines if line.name in ("configuration", "models")))
PYTHON
    verdict=$?
    rm -rf "$state"
    return $verdict
}

use() {
    ln -sfn "$1" "$prefix/venv.new"
    mv -T "$prefix/venv.new" "$prefix/venv"
    ln -sfn "$prefix/venv/bin/edgeasr" /usr/local/bin/edgeasr
    install -d -m 755 /etc/systemd/system /etc/systemd/user
    if [ -d "$1/systemd" ]; then
        install -m 644 "$1/systemd/edgeasr.service" /etc/systemd/system/
        install -m 644 "$1/systemd/user/edgeasr.service" /etc/systemd/user/
    fi
}

install_documents() {
    install -d -m 755 "$documents"
    for page in README.md docs/MQTT.md; do
        [ ! -f "$here/$page" ] || install -m 644 "$here/$page" "$documents/"
    done
}

# Waiting for the microphone counts as started; ending at once does not.
start() {
    has_systemd || return 0
    systemctl daemon-reload
    systemctl enable --quiet edgeasr.service
    systemctl restart --no-block edgeasr.service
    sleep 8
    case $(systemctl is-active edgeasr.service) in
        active | activating | reloading) [ "$(systemctl show -P NRestarts edgeasr.service)" = 0 ] ;;
        *) return 1 ;;
    esac
}

main() {
    if [ "${1:-}" = --uninstall ]; then
        [ "$(id -u)" = 0 ] || fail "needs root: sudo $0"
        uninstall "${2:-}"
        return
    fi
    check_system
    source=${1:-$here}
    old=$(readlink "$prefix/venv" 2>/dev/null || true)
    new=$prefix/versions/$(date +%Y%m%d-%H%M%S)
    install -d -m 755 "$prefix/versions"
    say "installing into $new"
    if ! make_environment "$new" "$source"; then
        rm -rf "$new"
        rmdir -p --ignore-fail-on-non-empty "$prefix/versions"
        fail "could not install $source; nothing has changed"
    fi
    make_settings
    if ! is_sound "$new"; then
        rm -rf "$new"
        fail "the new version fails its check${old:+; the old one stays in use}"
    fi
    use "$new"
    install_documents
    if ! start; then
        [ -n "$old" ] || fail "the service does not start; see: journalctl -u edgeasr"
        use "$old"
        systemctl daemon-reload
        systemctl restart --no-block edgeasr.service
        rm -rf "$new"
        fail "the new version does not start; went back to the old one"
    fi
    for version in "$prefix"/versions/*; do
        [ "$version" = "$new" ] || [ "$version" = "$old" ] || rm -rf "$version"
    done
    version=$("$new/bin/python" -I -c 'import edgeasr; print(edgeasr.__version__)')
    say "installed edgeasr $version; settings: $settings/edgeasr.toml"
}

main "$@"
