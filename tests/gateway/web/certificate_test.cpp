// SPDX-License-Identifier: Apache-2.0
#include "gateway/web/certificate.hpp"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <fstream>
#include <regex>

#include "tests/catch.hpp"
#include "tests/gateway/web/fakes.hpp"

using namespace tulpar;
using namespace tulpar::web;

namespace {

using Certificate = std::unique_ptr<X509, void (*)(X509*)>;

Certificate read(const std::filesystem::path& file) {
  BIO* bio = BIO_new_file(file.c_str(), "r");
  Certificate certificate(PEM_read_bio_X509(bio, nullptr, nullptr, nullptr), X509_free);
  BIO_free(bio);
  return certificate;
}

}  // namespace

TEST_CASE("an own certificate is made once") {
  const TempDir dir;
  const auto made = own_certificate(dir.text(), "almaty-roof");
  REQUIRE(made.has_value());
  CHECK(std::regex_match(made->fingerprint, std::regex("([0-9A-F]{2}:){31}[0-9A-F]{2}")));
  const auto again = own_certificate(dir.text(), "almaty-roof");
  CHECK(again->fingerprint == made->fingerprint);
  CHECK((std::filesystem::status(made->key).permissions() & std::filesystem::perms::all) ==
        (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
  CHECK(tls_context(*made).has_value());
}

TEST_CASE("it is one that browsers take once they are told to") {
  const TempDir dir;
  const auto x = read(own_certificate(dir.text(), "almaty-roof")->cert);
  REQUIRE(x);
  CHECK(X509_check_host(x.get(), "almaty-roof", 0, 0, nullptr) == 1);
  CHECK(X509_check_host(x.get(), "almaty-roof.local", 0, 0, nullptr) == 1);
  CHECK(X509_check_host(x.get(), "localhost", 0, 0, nullptr) == 1);
  CHECK(X509_check_host(x.get(), "elsewhere", 0, 0, nullptr) == 0);
  CHECK(X509_check_ip_asc(x.get(), "127.0.0.1", 0) == 1);
  CHECK(X509_check_ip_asc(x.get(), "::1", 0) == 1);
  CHECK(X509_check_ca(x.get()) == 0);
  CHECK(X509_verify(x.get(), X509_get0_pubkey(x.get())) == 1);
  CHECK(EVP_PKEY_is_a(X509_get0_pubkey(x.get()), "EC") == 1);
  // Valid also where it was made by a machine that believes in 1970.
  CHECK(X509_cmp_current_time(X509_get0_notBefore(x.get())) < 0);
  CHECK(X509_cmp_current_time(X509_get0_notAfter(x.get())) > 0);
}

TEST_CASE("each has its own key and serial number") {
  const TempDir one, two;
  const auto a = read(own_certificate(one.text(), "a")->cert), b = read(own_certificate(two.text(), "a")->cert);
  CHECK(ASN1_INTEGER_cmp(X509_get0_serialNumber(a.get()), X509_get0_serialNumber(b.get())) != 0);
  CHECK(EVP_PKEY_eq(X509_get0_pubkey(a.get()), X509_get0_pubkey(b.get())) != 1);
}

TEST_CASE("a damaged pair is made anew, a strange name does no harm") {
  const TempDir dir, other;
  const auto first = own_certificate(dir.text(), "a,DNS:evil.example");
  REQUIRE(first.has_value());
  CHECK(X509_check_host(read(first->cert).get(), "evil.example", 0, 0, nullptr) == 0);
  std::ofstream(first->cert) << "rubbish";
  const auto second = own_certificate(dir.text(), "a");
  REQUIRE(second.has_value());
  CHECK(second->fingerprint != first->fingerprint);
  std::filesystem::copy_file(own_certificate(other.text(), "a")->key, second->key,
                             std::filesystem::copy_options::overwrite_existing);
  const auto third = own_certificate(dir.text(), "a");
  REQUIRE(third.has_value());
  CHECK(third->fingerprint != second->fingerprint);
}

TEST_CASE("files that the operator names: what is wrong is said, and nothing is written") {
  const TempDir dir, other;
  const auto good = own_certificate(dir.text(), "a");
  CHECK(certificate_from(good->cert, good->key)->fingerprint == good->fingerprint);
  const auto said = [](const std::filesystem::path& cert, const std::filesystem::path& key) {
    const auto found = certificate_from(cert, key);
    REQUIRE_FALSE(found.has_value());
    return found.error().message;
  };
  CHECK_THAT(said(dir / "none.pem", good->key), Contains("none.pem"));
  CHECK_THAT(said(good->key, good->key), Contains("not a certificate"));
  CHECK_THAT(said(good->cert, good->cert), Contains("not the key of"));
  CHECK_THAT(said(good->cert, own_certificate(other.text(), "a")->key), Contains("not the key of"));
}
