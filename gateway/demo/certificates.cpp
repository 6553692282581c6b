// SPDX-License-Identifier: Apache-2.0
#include "gateway/demo/certificates.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <string>

namespace tulpar::demo {
namespace {

constexpr long kDay = 86'400;

struct Free {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(X509_EXTENSION* extension) const { X509_EXTENSION_free(extension); }
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using Key = std::unique_ptr<EVP_PKEY, Free>;
using Certificate = std::unique_ptr<X509, Free>;

struct Identity {
  Key key;
  Certificate certificate;
};

bool mark_as_authority(X509* certificate) {
  const std::unique_ptr<X509_EXTENSION, Free> extension(
      X509V3_EXT_conf_nid(nullptr, nullptr, NID_basic_constraints, "critical,CA:TRUE"));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

// `issuer`: none for the authority itself.
Result<Identity> issue(const char* name, long serial, const Identity* issuer) {
  Identity made{Key(EVP_EC_gen("P-256")), Certificate(X509_new())};
  X509* x = made.certificate.get();
  const auto* bytes = reinterpret_cast<const unsigned char*>(name);
  const bool named =
      made.key && x && X509_set_version(x, X509_VERSION_3) == 1 &&
      ASN1_INTEGER_set(X509_get_serialNumber(x), serial) == 1 &&
      X509_gmtime_adj(X509_getm_notBefore(x), -kDay) && X509_gmtime_adj(X509_getm_notAfter(x), 9 * kDay) &&
      X509_set_pubkey(x, made.key.get()) == 1 &&
      X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC, bytes, -1, -1, 0) == 1;
  if (!named) return Error{fmt::format("certificate {}: OpenSSL could not fill it in", name)};
  const Identity& signer = issuer ? *issuer : made;
  const bool is_signed = X509_set_issuer_name(x, X509_get_subject_name(signer.certificate.get())) == 1 &&
                         (issuer || mark_as_authority(x)) && X509_sign(x, signer.key.get(), EVP_sha256()) > 0;
  if (!is_signed) return Error{fmt::format("certificate {}: OpenSSL could not sign it", name)};
  return made;
}

template <class Write>
Result<void> write_file(const std::filesystem::path& path, Write write) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  const std::unique_ptr<std::FILE, Free> file(fd < 0 ? nullptr : fdopen(fd, "w"));
  if (!file || write(file.get()) != 1 || std::fflush(file.get()) != 0) {
    return Error{fmt::format("{}: cannot be written", path.string())};
  }
  return {};
}

Result<void> write_identity(const Identity& identity, const std::filesystem::path& certificate,
                            const std::filesystem::path& key) {
  const auto written = write_file(
      certificate, [&](std::FILE* file) { return PEM_write_X509(file, identity.certificate.get()); });
  if (!written) return written;
  return write_file(key, [&](std::FILE* file) {
    return PEM_write_PrivateKey(file, identity.key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  });
}

}  // namespace

Result<CertificateFiles> write_certificates(const std::filesystem::path& directory) {
  const CertificateFiles files{directory / "ca.crt", directory / "server.crt", directory / "server.key",
                               directory / "client.crt", directory / "client.key"};
  const auto authority = issue("ca", 1, nullptr);
  if (!authority) return authority.error();
  const auto server = issue("server", 2, &*authority);
  if (!server) return server.error();
  const auto client = issue("client", 3, &*authority);
  if (!client) return client.error();
  const auto ca_written =
      write_file(files.ca, [&](std::FILE* file) { return PEM_write_X509(file, authority->certificate.get()); });
  if (!ca_written) return ca_written.error();
  if (const auto done = write_identity(*server, files.server, files.server_key); !done) return done.error();
  if (const auto done = write_identity(*client, files.client, files.client_key); !done) return done.error();
  return files;
}

}  // namespace tulpar::demo
