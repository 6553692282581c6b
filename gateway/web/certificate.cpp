// SPDX-License-Identifier: Apache-2.0
#include "gateway/web/certificate.hpp"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <array>

#include "config/check.hpp"
#include "gateway/web/secrets.hpp"

namespace tulpar::web {
namespace {

// The day that this project's first release cannot precede, and "no well-defined end" (RFC 5280, 4.1.2.5).
constexpr const char* kNotBefore = "20260101000000Z";
constexpr const char* kNotAfter = "99991231235959Z";
constexpr std::size_t kSerialBytes = 16;

struct Free {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(X509_EXTENSION* extension) const { X509_EXTENSION_free(extension); }
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(BIGNUM* number) const { BN_free(number); }
};
using Key = std::unique_ptr<EVP_PKEY, Free>;
using Certificate = std::unique_ptr<X509, Free>;
using Bio = std::unique_ptr<BIO, Free>;

std::string reason() {
  std::array<char, 256> text{};
  ERR_error_string_n(ERR_peek_last_error(), text.data(), text.size());
  ERR_clear_error();
  return text.data();
}

std::string host_name() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

std::string alternative_names(const std::string& name) {
  std::string names = "DNS:localhost,IP:127.0.0.1,IP:::1";
  for (const auto& host : {name, host_name()})
    if (config::check_name(host)) names += fmt::format(",DNS:{},DNS:{}.local", host, host);
  return names;
}

bool add_extension(X509* certificate, int nid, const char* value) {
  const std::unique_ptr<X509_EXTENSION, Free> extension(X509V3_EXT_conf_nid(nullptr, nullptr, nid, value));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool add_serial(X509* certificate) {
  const auto bytes = random_bytes(kSerialBytes);
  const std::unique_ptr<BIGNUM, Free> number(BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr));
  return number && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate));
}

Certificate make_certificate(EVP_PKEY* key, const std::string& name) {
  Certificate made(X509_new());
  X509* x = made.get();
  if (!x || X509_set_version(x, X509_VERSION_3) != 1 || !add_serial(x) || X509_set_pubkey(x, key) != 1)
    return nullptr;
  auto* subject = X509_get_subject_name(x);
  const auto* common = reinterpret_cast<const unsigned char*>(name.c_str());
  const bool filled = ASN1_TIME_set_string(X509_getm_notBefore(x), kNotBefore) == 1 &&
                      ASN1_TIME_set_string(X509_getm_notAfter(x), kNotAfter) == 1 &&
                      X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, common, -1, -1, 0) == 1 &&
                      X509_set_issuer_name(x, subject) == 1 &&
                      add_extension(x, NID_basic_constraints, "critical,CA:FALSE") &&
                      add_extension(x, NID_key_usage, "critical,digitalSignature") &&
                      add_extension(x, NID_ext_key_usage, "serverAuth") &&
                      add_extension(x, NID_subject_alt_name, alternative_names(name).c_str()) &&
                      X509_sign(x, key, EVP_sha256()) > 0;
  return filled ? std::move(made) : nullptr;
}

template <class Write>
std::string pem(Write write) {
  const Bio bio(BIO_new(BIO_s_mem()));
  char* text = nullptr;
  if (!bio || write(bio.get()) != 1) return {};
  const auto size = BIO_get_mem_data(bio.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

Result<void> write_own(const PageCertificate& files, const std::string& name) {
  const Key key(EVP_EC_gen("P-256"));
  const auto certificate = key ? make_certificate(key.get(), name) : nullptr;
  if (!certificate) return Error{fmt::format("{}: cannot be made: {}", files.cert.string(), reason())};
  const auto key_text = pem([&](BIO* bio) {
    return PEM_write_bio_PrivateKey(bio, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  });
  // The key first: a certificate without its key is made anew at the next start, one with another's is not a
  // pair.
  if (const auto written = write_private(files.key, key_text); !written) return written;
  return write_private(files.cert, pem([&](BIO* bio) { return PEM_write_bio_X509(bio, certificate.get()); }));
}

Result<std::string> fingerprint_of(const std::filesystem::path& cert) {
  const Bio file(BIO_new_file(cert.c_str(), "r"));
  const Certificate certificate(file ? PEM_read_bio_X509(file.get(), nullptr, nullptr, nullptr) : nullptr);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (!certificate || X509_digest(certificate.get(), EVP_sha256(), digest.data(), &size) != 1)
    return Error{fmt::format("{}: not a certificate in PEM: {}", cert.string(), reason())};
  std::string text;
  for (unsigned i = 0; i < size; ++i) text += fmt::format("{}{:02X}", i ? ":" : "", digest[i]);
  return {boost::system::in_place_value, std::move(text)};
}

}  // namespace

Result<PageCertificate> certificate_from(const std::filesystem::path& cert, const std::filesystem::path& key) {
  const auto fingerprint = fingerprint_of(cert);
  if (!fingerprint) return fingerprint.error();
  PageCertificate found{cert, key, *fingerprint};
  if (const auto usable = tls_context(found); !usable) return usable.error();
  return found;
}

Result<PageCertificate> own_certificate(const std::string& state_dir, const std::string& name) {
  const auto folder = web_dir(state_dir);
  const PageCertificate files{folder / "cert.pem", folder / "key.pem", {}};
  if (auto there = certificate_from(files.cert, files.key)) return there;
  if (const auto written = write_own(files, name); !written) return written.error();
  return certificate_from(files.cert, files.key);
}

Result<TlsContext> tls_context(const PageCertificate& certificate) {
  const TlsContext context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  SSL_CTX* c = context.get();
  if (!c || SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION) != 1) return Error{"TLS: " + reason()};
  SSL_CTX_set_options(c, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  // 34 kB less for each connection that waits.
  SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS);
  if (SSL_CTX_use_certificate_chain_file(c, certificate.cert.c_str()) != 1)
    return Error{fmt::format("{}: not a certificate in PEM: {}", certificate.cert.string(), reason())};
  // A key with a passphrase would ask for it at the terminal: an empty one is given instead, and it fails.
  SSL_CTX_set_default_passwd_cb(c, [](char*, int, int, void*) { return 0; });
  if (SSL_CTX_use_PrivateKey_file(c, certificate.key.c_str(), SSL_FILETYPE_PEM) != 1)
    return Error{fmt::format("{}: not the key of {}: {}", certificate.key.string(), certificate.cert.string(),
                             reason())};
  return context;
}

}  // namespace tulpar::web
