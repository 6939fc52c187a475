#!/bin/sh
# Creates .venv with everything that the project, its tests and `make check` use.
# `make setup` runs it; PYTHON=/path/to/python3.11 chooses the interpreter.
set -eu
cd "$(dirname "$0")"

fail() {
    printf '\nCannot set up here: %s\n' "$1" >&2
    printf 'The container runs anywhere that Docker does: docker compose --profile cpu up --build\n' >&2
    exit 1
}

machine="$(uname -s) $(uname -m)"
[ "$machine" = "Linux x86_64" ] || fail "Triton's pip wheel runs on Linux x86_64, this is $machine."

# numpy 1, which that wheel's Python backend was built against, has no build for Python 3.13
suitable='import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 12))'
python=
for candidate in ${PYTHON:-python3 python3.12 python3.11 python3.10}; do
    if "$candidate" -c "$suitable" 2>/dev/null; then
        python=$candidate
        break
    fi
done
[ -n "$python" ] || fail "it needs Python 3.10, 3.11 or 3.12, and ${PYTHON:-python3} is $(
    "${PYTHON:-python3}" --version 2>/dev/null || echo missing
). Install one of them (Debian, Ubuntu: apt-get install python3.12 python3.12-venv; or pyenv, uv, conda) and name it: PYTHON=python3.12 make setup."

if ! .venv/bin/python -c "$suitable" 2>/dev/null; then
    echo "Creating .venv with $("$python" --version)"
    "$python" -m venv --clear .venv || fail "$python has no venv module (Debian, Ubuntu: apt-get install python3-venv)."
fi
.venv/bin/python -m pip install --disable-pip-version-check -r requirements.txt
touch .venv/.installed
