// SPDX-License-Identifier: Apache-2.0
#include "gateway/link/transport/tls_engine.hpp"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <array>

#include "gateway/link/frame.hpp"

namespace tulpar::link {
namespace {

constexpr const char* kSuite = "TLS_AES_128_CCM_8_SHA256";
constexpr std::array<unsigned char, 2> kSuiteId = {0x13, 0x05};
constexpr std::string_view kPskLabel = "tulpar tls-psk 1";

// The key as OpenSSL wants it for TLS 1.3: a session of that suite.
SSL_SESSION* session_for(SSL* ssl, const Enrolment& enrolment) {
  const Secret key = derive_key(enrolment.secret, kPskLabel);
  SSL_SESSION* session = SSL_SESSION_new();
  const SSL_CIPHER* suite = SSL_CIPHER_find(ssl, kSuiteId.data());
  if (suite && SSL_SESSION_set1_master_key(session, key.data(), key.size()) == 1 &&
      SSL_SESSION_set_cipher(session, suite) == 1 &&
      SSL_SESSION_set_protocol_version(session, TLS1_3_VERSION) == 1)
    return session;
  SSL_SESSION_free(session);
  return nullptr;
}

SSL_CTX* new_context() {
  SSL_CTX* context = SSL_CTX_new(TLS_method());
  // Level 0 admits the 8-byte tag; the one suite, the one group and the 256-bit key below are all that is left
  // to choose.
  SSL_CTX_set_security_level(context, 0);
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  SSL_CTX_set_ciphersuites(context, kSuite);
  SSL_CTX_set1_groups_list(context, "X25519");
  SSL_CTX_set_num_tickets(context, 0);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  // Compatibility with boxes that know only TLS 1.2 costs 44 bytes.
  SSL_CTX_clear_options(context, SSL_OP_ENABLE_MIDDLEBOX_COMPAT);
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  return context;
}

}  // namespace

struct TlsCallbacks {
  static TlsEngine& engine(SSL* ssl) { return *static_cast<TlsEngine*>(SSL_get_app_data(ssl)); }

  static int use(SSL* ssl, const EVP_MD*, const unsigned char** id, std::size_t* size, SSL_SESSION** session) {
    const Enrolment& own = *engine(ssl).own_;
    *id = reinterpret_cast<const unsigned char*>(own.key_id.data());
    *size = own.key_id.size();
    *session = session_for(ssl, own);
    return *session ? 1 : 0;
  }

  static int find(SSL* ssl, const unsigned char* id, std::size_t size, SSL_SESSION** session) {
    TlsEngine& self = engine(ssl);
    const auto enrolment = self.find_key_({reinterpret_cast<const char*>(id), size});
    *session = enrolment ? session_for(ssl, *enrolment) : nullptr;
    if (enrolment) self.peer_ = enrolment->name;
    // Unknown: the handshake goes on without a key and fails for want of a certificate.
    return 1;
  }
};

void TlsEngine::Free::operator()(ssl_st* ssl) const { SSL_free(ssl); }
void TlsEngine::Free::operator()(ssl_ctx_st* context) const { SSL_CTX_free(context); }

TlsEngine::TlsEngine() : context_(new_context()) {}
TlsEngine::~TlsEngine() = default;

std::unique_ptr<TlsEngine> TlsEngine::client(const Enrolment& enrolment) {
  std::unique_ptr<TlsEngine> engine(new TlsEngine);
  engine->own_ = enrolment;
  SSL_CTX_set_psk_use_session_callback(engine->context_.get(), TlsCallbacks::use);
  SSL_CTX_set1_sigalgs_list(engine->context_.get(), "ed25519");
  engine->ssl_.reset(SSL_new(engine->context_.get()));
  SSL_set_connect_state(engine->ssl_.get());
  SSL_set_app_data(engine->ssl_.get(), engine.get());
  SSL_set_bio(engine->ssl_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  return engine;
}

std::unique_ptr<TlsEngine> TlsEngine::server(FindKey find_key) {
  std::unique_ptr<TlsEngine> engine(new TlsEngine);
  engine->find_key_ = std::move(find_key);
  SSL_CTX_set_psk_find_session_callback(engine->context_.get(), TlsCallbacks::find);
  engine->ssl_.reset(SSL_new(engine->context_.get()));
  SSL_set_accept_state(engine->ssl_.get());
  SSL_set_app_data(engine->ssl_.get(), engine.get());
  SSL_set_bio(engine->ssl_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  return engine;
}

std::string TlsEngine::problem() const {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  return code ? ERR_reason_error_string(code) : "closed by the peer";
}

Result<void> TlsEngine::received(ByteView bytes) {
  BIO_write(SSL_get_rbio(ssl_.get()), bytes.data(), static_cast<int>(bytes.size()));
  return advance();
}

Result<void> TlsEngine::advance() {
  ERR_clear_error();
  if (!established_) {
    const int result = SSL_do_handshake(ssl_.get());
    if (result != 1) {
      const int why = SSL_get_error(ssl_.get(), result);
      if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) return {};
      return Error{fmt::format("TLS handshake: {}{}", problem(),
                               own_ ? " (is this enrolment still valid at the relay?)" : "")};
    }
    established_ = true;
  }
  return read_plain();
}

Result<void> TlsEngine::read_plain() {
  std::array<std::uint8_t, 4096> buffer;
  for (;;) {
    const int size = SSL_read(ssl_.get(), buffer.data(), buffer.size());
    if (size > 0) {
      plain_.insert(plain_.end(), buffer.begin(), buffer.begin() + size);
      continue;
    }
    const int why = SSL_get_error(ssl_.get(), size);
    if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE || why == SSL_ERROR_ZERO_RETURN) return {};
    return Error{fmt::format("TLS: {}", problem())};
  }
}

Result<std::optional<Bytes>> TlsEngine::next_frame() {
  const ByteView waiting = ByteView(plain_).subspan(plain_used_);
  Reader in(waiting);
  const std::uint64_t size = in.varint();
  const std::size_t head = waiting.size() - in.left();
  if (!in.ok()) {
    if (waiting.size() >= 10) return Error{"a frame's length is malformed"};
    return std::optional<Bytes>{};
  }
  if (size == 0 || size > kMaxFrame)
    return Error{fmt::format("a frame of {} bytes; 1 to {} are allowed", size, kMaxFrame)};
  if (in.left() < size) return std::optional<Bytes>{};
  const ByteView frame = waiting.subspan(head, size);
  Bytes copy(frame.begin(), frame.end());
  plain_used_ += head + size;
  // Also when the next frame has begun: a peer may always cut in the middle of one.
  if (plain_used_ == plain_.size() || plain_used_ > kMaxFrame) {
    plain_.erase(plain_.begin(), plain_.begin() + static_cast<std::ptrdiff_t>(plain_used_));
    plain_used_ = 0;
  }
  return std::optional<Bytes>(std::move(copy));
}

Result<void> TlsEngine::send(ByteView frame) {
  Writer record;
  record.varint(frame.size());
  record.bytes(frame);
  ERR_clear_error();
  if (SSL_write(ssl_.get(), record.view().data(), static_cast<int>(record.size())) > 0) return {};
  return Error{fmt::format("TLS: {}", problem())};
}

void TlsEngine::close_notify() {
  if (established_) SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

Bytes TlsEngine::take_output() {
  BIO* out = SSL_get_wbio(ssl_.get());
  Bytes bytes(BIO_ctrl_pending(out));
  if (!bytes.empty()) BIO_read(out, bytes.data(), static_cast<int>(bytes.size()));
  return bytes;
}

}  // namespace tulpar::link
