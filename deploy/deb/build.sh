#!/bin/sh
# Builds dist/edgeasr_VERSION_ARCH.deb: the wheels of edgeasr and of all it needs, for Python 3.11
# (Debian 12) and 3.13 (Debian 13). The package makes its virtual environment when it is installed,
# from these wheels alone, so installing needs no network.
#   deploy/deb/build.sh [amd64|arm64]
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
python=${PYTHON:-$here/.venv/bin/python}
arch=${1:-$(dpkg --print-architecture)}
case $arch in
    amd64) machine=x86_64 ;;
    arm64) machine=aarch64 ;;
    *) echo "usage: $0 [amd64|arm64]" >&2; exit 2 ;;
esac
version=$(sed -n 's/^__version__ = "\(.*\)"/\1/p' "$here/edgeasr/__init__.py")
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
wheels=$root/usr/share/edgeasr/wheels
umask 022
mkdir -p "$wheels" "$root/DEBIAN" "$root/lib/systemd/system" "$root/usr/lib/systemd/user" \
    "$root/etc/edgeasr" "$root/usr/share/doc/edgeasr"

"$python" -m pip wheel --quiet --no-deps --wheel-dir "$wheels" "$here"
for minor in 11 13; do
    "$python" -m pip download --quiet --only-binary=:all: --dest "$wheels" \
        --python-version "3.$minor" --implementation cp --abi "cp3$minor" --abi abi3 --abi none \
        --platform "manylinux_2_28_$machine" --platform "manylinux_2_27_$machine" \
        --platform "manylinux_2_17_$machine" --platform "manylinux2014_$machine" \
        --platform any "$wheels"/edgeasr-*.whl
done

cp "$here/systemd/edgeasr.service" "$root/lib/systemd/system/"
cp "$here/systemd/user/edgeasr.service" "$root/usr/lib/systemd/user/"
# A service needs a real broker: by default the one on this machine.
sed 's/^host = ""$/host = "localhost"/' "$here/deploy/edgeasr.toml" > "$root/etc/edgeasr/edgeasr.toml"
for page in README.md CHANGELOG.md LICENSE NOTICE docs/MQTT.md; do
    [ ! -f "$here/$page" ] || cp "$here/$page" "$root/usr/share/doc/edgeasr/"
done
for script in postinst prerm postrm; do
    install -m 755 "$here/deploy/deb/$script" "$root/DEBIAN/$script"
done
echo /etc/edgeasr/edgeasr.toml > "$root/DEBIAN/conffiles"
cat > "$root/DEBIAN/control" <<CONTROL
Package: edgeasr
Version: $version
Architecture: $arch
Maintainer: The edgeasr authors <edgeasr@localhost>
Depends: python3 (>= 3.11), python3 (<< 3.14), python3-venv, libportaudio2
Suggests: mosquitto
Section: sound
Priority: optional
Installed-Size: $(du -sk "$root" | cut -f1)
Description: offline voice assistant for the Raspberry Pi
 Wake word, streaming recogniser and translator; results go out over MQTT.
 Nothing leaves the house.
CONTROL
mkdir -p "$here/dist"
# Wheels are compressed already.
package=$here/dist/edgeasr_${version}_${arch}.deb
dpkg-deb -Zgzip -z1 --root-owner-group --build "$root" "$package" >/dev/null
echo "$package"
