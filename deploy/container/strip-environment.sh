#!/bin/sh
# Removes from a Python environment what nothing that runs reads:  strip-environment.sh FOLDER
# Licences stay: whoever passes the image on has to pass them on too.
set -eu
packages=$(echo "$1"/lib/python3*/site-packages)
[ -d "$packages" ] || { echo "$1 is no Python environment" >&2; exit 1; }
find "$packages" -depth -type d -name __pycache__ -exec rm -rf {} +
# Tests of the packages, one level below each; what a package imports at run time may be called test or testing.
find "$packages" -mindepth 2 -maxdepth 2 -type d -name tests -exec rm -rf {} +
# Types and sources for those who compile against a package.
find "$packages" -type f \( -name '*.pyi' -o -name '*.pxd' -o -name '*.pyx' -o -name '*.pxi' -o -name '*.c' -o -name '*.h' \) -delete
# botocore describes every service of AWS. These are Amazon IVS's, and those that credentials can come from.
if [ -d "$packages/botocore/data" ]; then
  find "$packages/botocore/data" -mindepth 1 -maxdepth 1 -type d \
    ! -name ivs-realtime ! -name sso ! -name sso-oidc ! -name sts -exec rm -rf {} +
fi
# Scripts that activate the environment in a shell.
rm -f "$1"/bin/activate* "$1"/bin/Activate.ps1
