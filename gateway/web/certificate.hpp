// SPDX-License-Identifier: Apache-2.0
//
// The page's certificate: one of our own making (ECDSA P-256) in STATE_DIR/web, or files that the operator
// names; and the TLS settings that it is served with.
//
// Any thread; files are read and written at start-up only. An own certificate is trusted by its fingerprint,
// not by its dates: they are fixed, because a machine that has never heard the time makes it, too. TLS 1.2
// and 1.3.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "config/base.hpp"

struct ssl_ctx_st;

namespace tulpar::web {

struct PageCertificate {
  std::filesystem::path cert, key;
  std::string fingerprint;  // SHA-256, as browsers show it: "AB:CD:..."
};

// Makes cert.pem and key.pem where they are missing, or not a pair. `name`: the gateway's, beside the host's
// own.
Result<PageCertificate> own_certificate(const std::string& state_dir, const std::string& name);
// Error: what is wrong with which of the files.
Result<PageCertificate> certificate_from(const std::filesystem::path& cert, const std::filesystem::path& key);

using TlsContext = std::shared_ptr<ssl_ctx_st>;
Result<TlsContext> tls_context(const PageCertificate& certificate);

}  // namespace tulpar::web
