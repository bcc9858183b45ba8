#!/bin/sh
# SPDX-License-Identifier: MIT
# The bill of materials of a source tree, SPDX 2.3 in tag-value form, on standard output: its files
# with their sums and licenses, and the libraries that lullcp is linked with.
#
#   sbom.sh [DIRECTORY [SECONDS]]   DIRECTORY (the tree that this file is in) made at SECONDS since
#                                   1970 (those of its last commit)
set -eu
tree=${1:-$(cd "$(dirname "$0")/.." && pwd)}
seconds=${2:-$(git -C "$tree" log -1 --format=%ct)}
cd "$tree"
version=$(sed -n "s/^ *version : '\(.*\)',/\1/p" meson.build | head -n 1)
files=$(if [ -d .git ] || [ -f .git ]; then git ls-files; else find . -type f ! -name lullcp.spdx | sed 's,^\./,,'; fi | LC_ALL=C sort)
sums=$(echo "$files" | tr '\n' '\0' | xargs -0 sha1sum)
code=$(echo "$sums" | cut -d' ' -f1 | LC_ALL=C sort | tr -d '\n' | sha1sum | cut -d' ' -f1)
cat <<END
SPDXVersion: SPDX-2.3
DataLicense: CC0-1.0
SPDXID: SPDXRef-DOCUMENT
DocumentName: lullcp-$version
DocumentNamespace: urn:sha1:$code
Creator: Organization: lullcp authors
Created: $(date -u -d "@$seconds" +%Y-%m-%dT%H:%M:%SZ)

PackageName: lullcp
SPDXID: SPDXRef-Package-lullcp
PackageVersion: $version
PackageDownloadLocation: NOASSERTION
FilesAnalyzed: true
PackageVerificationCode: $code
PackageLicenseConcluded: MIT
PackageLicenseInfoFromFiles: MIT
PackageLicenseDeclared: MIT
PackageCopyrightText: Copyright (c) 2026 the lullcp authors
Relationship: SPDXRef-DOCUMENT DESCRIBES SPDXRef-Package-lullcp
END
echo "$sums" | while read -r sum name; do
  id=$(echo "$name" | sed 's/[^A-Za-z0-9.]/-/g')-$(echo "$name" | cksum | cut -d' ' -f1)
  cat <<END

FileName: ./$name
SPDXID: SPDXRef-File-$id
FileChecksum: SHA1: $sum
LicenseConcluded: MIT
LicenseInfoInFile: $(if grep -q 'SPDX-License-Identifier: MIT' "$name"; then echo MIT; else echo NONE; fi)
FileCopyrightText: NOASSERTION
END
done
# The libraries come from the system; these are the licenses that they declare.
sed -n "s/^ *'[a-z]*' : dependency('\([^']*\)'.*/\1/p" meson.build | grep -v '^threads$' | while read -r library; do
  case $library in
  jansson) license=MIT ;;
  uuid) license=BSD-3-Clause ;;
  *) license=LGPL-2.1-or-later ;;
  esac
  cat <<END

PackageName: $library
SPDXID: SPDXRef-Library-$library
PackageDownloadLocation: NOASSERTION
FilesAnalyzed: false
PackageLicenseConcluded: $license
PackageLicenseDeclared: $license
PackageCopyrightText: NOASSERTION
Relationship: SPDXRef-Package-lullcp DYNAMIC_LINK SPDXRef-Library-$library
END
done
