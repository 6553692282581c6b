// SPDX-License-Identifier: Apache-2.0
//
// Throw-away certificates for the demo's plain bridge: an authority, a server and a client, ECDSA P-256, nine
// days.
//
// Pure but for the files it writes (PEM, mode 0600). Not for use outside the demo.
#pragma once

#include <filesystem>

#include "config/base.hpp"

namespace tulpar::demo {

struct CertificateFiles {
  std::filesystem::path ca, server, server_key, client, client_key;
};

// Writes all of them into `directory`. An error names the file or the OpenSSL call.
Result<CertificateFiles> write_certificates(const std::filesystem::path& directory);

}  // namespace tulpar::demo
