// SPDX-License-Identifier: Apache-2.0
#include "gateway/web/password.hpp"

#include <fmt/format.h>
#include <malloc.h>
#include <openssl/evp.h>

#include <array>
#include <charconv>
#include <optional>
#include <stdexcept>

#include "config/text.hpp"
#include "gateway/web/secrets.hpp"

namespace tulpar::web {
namespace {

struct Cost {
  std::uint64_t n = 0, r = 0, p = 0;
  std::uint64_t memory() const { return 128 * r * (n + p + 2); }
};

// 8 MiB, so that a sign-in does not triple the resident size of a 20 MB process; p makes up for it. OWASP's
// password storage cheat sheet (2024) counts this as equal to N = 2^17, r = 8, p = 1, which takes 128 MiB.
constexpr Cost kCost{.n = 1 << 13, .r = 8, .p = 10};
// What a file may ask for: somebody may have restored it from a machine with other settings.
constexpr std::uint64_t kMaxMemory = 64 << 20;
constexpr std::uint64_t kMaxRounds = 100;
constexpr std::size_t kSaltBytes = 16;
constexpr std::size_t kHashBytes = 32;

// Nothing iff OpenSSL finds the cost invalid (N no power of two) or has no memory.
std::optional<Bytes> scrypt(std::string_view password, ByteView salt, const Cost& cost) {
  Bytes hash(kHashBytes);
  const int done = EVP_PBE_scrypt(password.data(), password.size(), salt.data(), salt.size(), cost.n, cost.r,
                                  cost.p, kMaxMemory, hash.data(), hash.size());
#ifdef __GLIBC__
  // glibc would keep the 8 MiB for the next time, and there may be none for a month.
  malloc_trim(0);
#endif
  return done == 1 ? std::optional(std::move(hash)) : std::nullopt;
}

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

struct Stored {
  Cost cost;
  Bytes salt, hash;
};

std::optional<Stored> parse(std::string_view line) {
  while (line.ends_with('\n')) line.remove_suffix(1);
  std::array<std::string_view, 6> parts;
  for (auto& part : parts) {
    const auto colon = line.find(':');
    part = line.substr(0, colon);
    line.remove_prefix(colon == std::string_view::npos ? line.size() : colon + 1);
  }
  const auto n = number(parts[1]), r = number(parts[2]), p = number(parts[3]);
  const auto salt = config::parse_base64(parts[4]), hash = config::parse_base64(parts[5]);
  if (parts[0] != "scrypt" || !line.empty() || !n || !r || !p || !salt || !hash) return std::nullopt;
  // Bounded one by one first: their product must not wrap.
  if (*n > kMaxMemory || *r == 0 || *r > kMaxRounds || *p == 0 || *p > kMaxRounds) return std::nullopt;
  const Cost cost{.n = *n, .r = *r, .p = *p};
  if (cost.memory() > kMaxMemory || salt->empty() || hash->size() != kHashBytes) return std::nullopt;
  return Stored{cost, *salt, *hash};
}

}  // namespace

std::string hash_password(std::string_view password) {
  const auto salt = random_bytes(kSaltBytes);
  const auto hash = scrypt(password, salt, kCost);
  if (!hash) throw std::runtime_error("OpenSSL cannot compute scrypt");
  return fmt::format("scrypt:{}:{}:{}:{}:{}", kCost.n, kCost.r, kCost.p, config::format_base64(salt),
                     config::format_base64(*hash));
}

bool matches(std::string_view password, std::string_view line) {
  const auto stored = parse(line);
  if (!stored || password.size() > kMaxPassword) return false;
  const auto hash = scrypt(password, stored->salt, stored->cost);
  return hash && same_secret(as_text(*hash), as_text(stored->hash));
}

Result<void> set_password(const std::string& state_dir, std::string_view password) {
  if (password.size() < kMinPassword || password.size() > kMaxPassword)
    return Error{fmt::format("a password has {} to {} bytes", kMinPassword, kMaxPassword)};
  return write_private(web_dir(state_dir) / "password", hash_password(password) + '\n');
}

Result<bool> check_password(const std::string& state_dir, std::string_view password) {
  const auto line = read_private(web_dir(state_dir) / "password");
  if (!line) return line.error();
  if (!*line) return Error{"no password is set; on the machine itself, `tulpar passwd` sets one"};
  return matches(password, **line);
}

}  // namespace tulpar::web
