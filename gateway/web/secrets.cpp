// SPDX-License-Identifier: Apache-2.0
#include "gateway/web/secrets.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace tulpar::web {
namespace {

constexpr std::size_t kMaxFile = 64 * 1024;
constexpr std::size_t kTokenBytes = 32;

class File {
 public:
  explicit File(int fd) : fd_(fd) {}
  ~File() {
    if (fd_ >= 0) close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int fd() const { return fd_; }

 private:
  int fd_;
};

Error failed(std::string_view what, const std::filesystem::path& file) {
  return Error{fmt::format("{}: cannot be {}: {}", file.string(), what, std::strerror(errno))};
}

bool write_all(int fd, std::string_view content) {
  while (!content.empty()) {
    const auto written = write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return fsync(fd) == 0;
}

// `tulpar passwd` runs as root, the daemon that reads the file does not: what root makes belongs to the
// folder's owner.
bool give_to_owner_of(const std::filesystem::path& folder, const std::filesystem::path& made) {
  struct stat owner {};
  if (geteuid() != 0) return true;
  return stat(folder.c_str(), &owner) == 0 && lchown(made.c_str(), owner.st_uid, owner.st_gid) == 0;
}

Result<void> make_folder(const std::filesystem::path& folder) {
  if (mkdir(folder.c_str(), 0700) != 0) return errno == EEXIST ? Result<void>() : failed("made", folder);
  return give_to_owner_of(folder.parent_path(), folder) ? Result<void>() : failed("given to its owner", folder);
}

}  // namespace

Bytes random_bytes(std::size_t count) {
  Bytes bytes(count);
  if (RAND_bytes(bytes.data(), static_cast<int>(count)) != 1)
    throw std::runtime_error("no random numbers from OpenSSL");
  return bytes;
}

std::string random_hex(std::size_t bytes) {
  std::string text;
  for (const auto byte : random_bytes(bytes)) text += fmt::format("{:02x}", byte);
  return text;
}

bool same_secret(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::filesystem::path web_dir(const std::string& state_dir) { return std::filesystem::path(state_dir) / "web"; }

Result<void> write_private(const std::filesystem::path& file, std::string_view content) {
  if (const auto made = make_folder(file.parent_path()); !made) return made;
  const auto fresh = file.string() + ".new";
  // One that an earlier crash left could have a reader, or another owner.
  unlink(fresh.c_str());
  const File out(open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (out.fd() < 0 || !write_all(out.fd(), content)) return failed("written", fresh);
  if (!give_to_owner_of(file.parent_path(), fresh)) return failed("given to its owner", fresh);
  if (rename(fresh.c_str(), file.c_str()) != 0) return failed("written", file);
  const File folder(open(file.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.fd() < 0 || fsync(folder.fd()) != 0) return failed("written", file);
  return {};
}

Result<std::optional<std::string>> read_private(const std::filesystem::path& file) {
  const File in(open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (in.fd() < 0 && errno == ENOENT) return std::optional<std::string>();
  if (in.fd() < 0) return failed("read", file);
  std::string content(kMaxFile + 1, '\0');
  std::size_t size = 0;
  while (size < content.size()) {
    const auto got = read(in.fd(), content.data() + size, content.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed("read", file);
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  if (size > kMaxFile) return Error{fmt::format("{}: is larger than {} bytes", file.string(), kMaxFile)};
  content.resize(size);
  return std::optional(std::move(content));
}

Result<std::string> load_or_make_token(const std::string& state_dir) {
  const auto file = web_dir(state_dir) / "token";
  const auto there = read_private(file);
  if (!there) return there.error();
  if (*there) {
    std::string token = **there;
    while (!token.empty() && (token.back() == '\n' || token.back() == '\r')) token.pop_back();
    if (token.size() >= 2 * kTokenBytes) return {boost::system::in_place_value, std::move(token)};
  }
  auto token = random_hex(kTokenBytes);
  if (const auto written = write_private(file, token + '\n'); !written) return written.error();
  return {boost::system::in_place_value, std::move(token)};
}

}  // namespace tulpar::web
