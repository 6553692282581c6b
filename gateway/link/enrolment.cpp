// SPDX-License-Identifier: Apache-2.0
#include "gateway/link/enrolment.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/rand.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace tulpar::link {
namespace {

namespace fs = std::filesystem;
constexpr std::string_view kMagic = "tulpar1";
constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::size_t kKeyIdBytes = 6;

std::string encode(ByteView bytes) {
  std::string text;
  std::uint32_t bits = 0;
  int count = 0;
  for (const std::uint8_t byte : bytes) {
    bits = bits << 8 | byte;
    for (count += 8; count >= 6; count -= 6) text += kAlphabet[bits >> (count - 6) & 63];
  }
  if (count) text += kAlphabet[bits << (6 - count) & 63];
  return text;
}

std::optional<Bytes> decode(std::string_view text) {
  Bytes bytes;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char character : text) {
    const auto value = kAlphabet.find(character);
    if (value == kAlphabet.npos) return std::nullopt;
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    if ((count += 6) >= 8) bytes.push_back(static_cast<std::uint8_t>(bits >> (count -= 8)));
  }
  return bytes;
}

bool valid_name(std::string_view name) {
  const auto allowed = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' || c == '.';
  };
  return !name.empty() && name.size() <= 63 && name.front() != '.' &&
         std::all_of(name.begin(), name.end(), allowed);
}

Result<void> write_private(const std::string& path, const std::string& text) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return Error{fmt::format("cannot write {}: {}", path, std::strerror(errno))};
  const bool written =
      write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && fsync(fd) == 0;
  const int why = errno;
  close(fd);
  if (written) return {};
  unlink(path.c_str());
  return Error{fmt::format("cannot write {}: {}", path, std::strerror(why))};
}

// `sudo tulpar enrol` writes into the folder of a service that runs as another user, and has to read it.
bool give_to_owner_of(const std::string& folder, const std::string& made) {
  struct stat owner {};
  if (geteuid() != 0) return true;
  return stat(folder.c_str(), &owner) == 0 && lchown(made.c_str(), owner.st_uid, owner.st_gid) == 0;
}

}  // namespace

std::string Enrolment::line() const {
  return fmt::format("{} {} {} {} {}", kMagic, name, address, key_id, encode(secret));
}

Result<Enrolment> parse_enrolment(std::string_view line) {
  std::istringstream words{std::string(line)};
  std::string magic, secret, more;
  Enrolment enrolment;
  words >> magic >> enrolment.name >> enrolment.address >> enrolment.key_id >> secret;
  if (magic != kMagic)
    return Error{fmt::format(
        "not an enrolment: it begins with `{}`; paste the whole line that `tulpar enrol` printed", kMagic)};
  if (words >> more) return Error{"an enrolment has five words; there are more"};
  if (!valid_name(enrolment.name)) return Error{fmt::format("`{}` is not a gateway's name", enrolment.name)};
  if (enrolment.address.rfind(':') == std::string::npos)
    return Error{fmt::format("`{}` is not HOST:PORT", enrolment.address)};
  const auto key_id = decode(enrolment.key_id);
  const auto bytes = decode(secret);
  if (!key_id || key_id->size() != kKeyIdBytes || !bytes || bytes->size() != enrolment.secret.size() ||
      secret.size() != 43)
    return Error{"the key of the enrolment is cut off or mistyped: copy the line again"};
  std::copy(bytes->begin(), bytes->end(), enrolment.secret.begin());
  return enrolment;
}

Result<Enrolment> read_enrolment(const std::string& file) {
  std::ifstream in(file);
  if (!in) return Error{fmt::format("cannot read the enrolment {}: {}", file, std::strerror(errno))};
  std::string line;
  while (std::getline(in, line) && (line.empty() || line.front() == '#')) {
  }
  auto enrolment = parse_enrolment(line);
  if (!enrolment) return Error{fmt::format("{}: {}", file, enrolment.error().message)};
  return enrolment;
}

Secret derive_key(const Secret& secret, std::string_view label) {
  Secret key{};
  std::size_t size = key.size();
  EVP_PKEY_CTX* context = EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, nullptr);
  const bool done = EVP_PKEY_derive_init(context) > 0 && EVP_PKEY_CTX_set_hkdf_md(context, EVP_sha256()) > 0 &&
                    EVP_PKEY_CTX_set1_hkdf_key(context, secret.data(), static_cast<int>(secret.size())) > 0 &&
                    EVP_PKEY_CTX_add1_hkdf_info(context, reinterpret_cast<const unsigned char*>(label.data()),
                                                static_cast<int>(label.size())) > 0 &&
                    EVP_PKEY_derive(context, key.data(), &size) > 0;
  EVP_PKEY_CTX_free(context);
  if (!done) throw std::runtime_error("OpenSSL cannot derive a key (HKDF-SHA256)");
  return key;
}

Result<Enrolment> EnrolmentBook::enrol(const std::string& name, const std::string& address) {
  if (!valid_name(name))
    return Error{fmt::format("`{}` cannot be a gateway's name: letters, digits, - _ . , at most 63", name)};
  std::error_code failed;
  fs::create_directories(dir_, failed);
  if (failed) return Error{fmt::format("cannot make {}: {}", dir_, failed.message())};
  fs::permissions(dir_, fs::perms::owner_all, failed);
  const std::string path = dir_ + "/" + name;
  if (fs::exists(path))
    return Error{fmt::format("`{}` is enrolled already; `tulpar revoke {}` first", name, name)};
  Enrolment enrolment{.name = name, .address = address, .key_id = {}, .secret = {}};
  std::array<std::uint8_t, kKeyIdBytes> id{};
  if (RAND_bytes(id.data(), id.size()) != 1 ||
      RAND_bytes(enrolment.secret.data(), enrolment.secret.size()) != 1)
    return Error{"the system gives no random numbers"};
  enrolment.key_id = encode(id);
  if (auto written = write_private(path, enrolment.line() + "\n"); !written) return written.error();
  if (!give_to_owner_of(fs::path(dir_).parent_path(), dir_) || !give_to_owner_of(dir_, path))
    return Error{fmt::format("{} cannot be given to the relay's user: {}", path, std::strerror(errno))};
  return enrolment;
}

Result<void> EnrolmentBook::revoke(const std::string& name) {
  std::error_code failed;
  if (valid_name(name) && fs::remove(dir_ + "/" + name, failed)) return {};
  return Error{fmt::format("no gateway named `{}` is enrolled", name)};
}

std::optional<Enrolment> EnrolmentBook::find_key(std::string_view key_id) const {
  const auto known = names();
  if (!known) {
    spdlog::error("{}", known.error().message);
    return std::nullopt;
  }
  for (const auto& name : *known) {
    auto enrolment = read_enrolment(dir_ + "/" + name);
    if (!enrolment)
      spdlog::error("{}", enrolment.error().message);
    else if (enrolment->key_id == key_id)
      return *enrolment;
  }
  return std::nullopt;
}

Result<std::vector<std::string>> EnrolmentBook::names() const {
  std::vector<std::string> names;
  std::error_code failed;
  for (fs::directory_iterator file(dir_, failed), end; !failed && file != end; file.increment(failed))
    if (valid_name(file->path().filename().string())) names.push_back(file->path().filename());
  if (failed && failed != std::errc::no_such_file_or_directory)
    return Error{fmt::format("cannot read {}: {}", dir_, failed.message())};
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace tulpar::link
