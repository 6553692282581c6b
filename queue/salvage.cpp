// SPDX-License-Identifier: Apache-2.0
#include "queue/salvage.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "queue/salvage_pages.hpp"
#include "queue/salvage_tables.hpp"
#include "queue/schema.hpp"

namespace tulpar::queue {
namespace {

namespace fs = std::filesystem;

// Rows are taken over as version 1 has them: who changes a table says here what becomes of older rows.
static_assert(kSchemaVersion == 1);

constexpr const char* kCompanions[] = {"-wal", "-shm"};

std::string fresh_file(const std::string& path) { return path + ".salvaged"; }
std::string note_file(const std::string& path) { return path + ".suspect"; }
std::string starts_file(const std::string& path) { return path + ".unreadable"; }

// An open file, or none.
struct File {
  explicit File(int opened) : fd(opened) {}
  ~File() {
    if (fd >= 0) close(fd);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int fd;
};

// False: errno says why.
bool sync_folder(const std::string& path) {
  const fs::path folder = fs::path(path).parent_path();
  const File file(open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // Some file systems know no such thing for a folder.
  return file.fd >= 0 && (fsync(file.fd) == 0 || errno == EINVAL || errno == ENOTSUP);
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t wrote = write(fd, text.data(), text.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return true;
}

// The file first: where it is gone, the new one is known to be whole.
std::string move_aside(const std::string& path) {
  const std::string aside = next_damaged_file(path);
  const std::ofstream made(path, std::ios::app);  // it may be gone, and only its log be there
  fs::rename(path, aside);
  begin_age(aside);
  finish_salvage(path);
  return aside;
}

void build(const std::string& path, const std::vector<std::string>& classes, Salvaged& result) {
  remove_store(fresh_file(path));
  const SalvagePages pages(path);
  if (const int version = pages.version(); version > kSchemaVersion)
    throw std::runtime_error(
        fmt::format("it has version {}, this program knows up to {}", version, kSchemaVersion));
  SalvageRows rows(pages);
  Database fresh(fresh_file(path), Database::Mode::kReadWrite);
  fresh.execute(fmt::format("PRAGMA page_size = {}", SalvagePages::kPageSize));
  fresh.execute("PRAGMA auto_vacuum = INCREMENTAL");
  fresh.execute("PRAGMA synchronous = FULL");
  migrate(fresh).value();
  Transaction transaction(fresh);
  const auto missing = copy_tables(rows, fresh);
  result.mended = mend(fresh, missing, classes);
  transaction.commit();
  result.missing.assign(missing.begin(), missing.end());
  if (pages.refused() > pages.pages() / 2) throw StoreError("read " + path, SQLITE_IOERR_READ, EIO);
  result.bad_pages = static_cast<std::int64_t>(rows.bad_pages());
  result.pages = pages.pages();
}

}  // namespace

std::string known_damage(const std::string& path) {
  const SalvagePages pages(path);
  const bool fits = pages.header_fits();
  if (pages.refused() > 0) throw StoreError("read " + path, SQLITE_IOERR_READ, EIO);
  // SQLite would take an empty file for a new one, and delete its log.
  if (!fs::exists(path)) return pages.has_log() ? "it is gone, and its write-ahead log is there" : "";
  // A store's creation that a power cut ended: nothing was in it, and a journal says what to undo.
  if (fs::exists(path + "-journal")) return "";
  if (fs::file_size(path) == 0) return pages.has_log() ? "it is empty, and its write-ahead log is there" : "";
  if (!fits) return "its header is not one of a store";
  if (std::ifstream note(note_file(path)); note) {
    const std::string words{std::istreambuf_iterator<char>(note), {}};
    return words.empty() ? "damage was met while it was in use" : words;
  }
  return pages.log_damage();
}

Result<void> note_damage(const std::string& path, const std::string& why) {
  const std::string note = note_file(path);
  const File file(open(note.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  // One that is empty counts, too, so what it says comes last.
  if (file.fd >= 0 && sync_folder(path) && write_all(file.fd, why) && fsync(file.fd) == 0) return {};
  return Error{fmt::format("{} cannot be written: {}", note, std::strerror(errno))};
}

bool is_worth_salvaging(const std::string& path) {
  const SalvagePages pages(path);
  for (std::uint32_t number = 1; number <= pages.pages(); ++number)
    if (pages.page(number).empty() && pages.refused() > pages.pages() / 2) return false;
  return pages.pages() > 0;
}

bool give_up_reading(const std::string& path) {
  std::ofstream count(starts_file(path), std::ios::app);
  count << '.';
  return count.tellp() >= kStartsToWait && is_worth_salvaging(path);
}

void end_of_trouble(const std::string& path) { fs::remove(starts_file(path)); }

void finish_salvage(const std::string& path) {
  if (fs::exists(path)) return;
  // First, or a power cut could bring the file back without its note.
  sync_folder(path);
  fs::remove(note_file(path));
  if (!fs::exists(fresh_file(path))) return;
  const auto numbers = damaged_files(path);
  for (const auto* suffix : kCompanions)
    if (fs::exists(path + suffix) && !numbers.empty())
      fs::rename(path + suffix, damaged_file(path, *numbers.rbegin()) + suffix);
  sync_folder(path);
  fs::rename(fresh_file(path), path);
  sync_folder(path);
}

Result<Salvaged> salvage(const std::string& path, const std::vector<std::string>& classes,
                         const std::string& why) try {
  Salvaged result{.why = why, .aside = {}, .mended = {}, .missing = {}, .removed = {}};
  for (bool built = false; !built;) {
    try {
      build(path, classes, result);
      built = true;
    } catch (const StoreError& error) {
      // Better a gateway that works than the remains of an older one.
      auto oldest =
          error.is_full() ? remove_oldest(path, 0, "the salvage of a newer one needs room") : std::nullopt;
      if (!oldest) throw;
      result.removed.push_back(std::move(*oldest));
    }
  }
  result.aside = move_aside(path);
  end_of_trouble(path);
  while (auto oldest = remove_oldest(path, kDamagedKept, "newer ones are kept"))
    result.removed.push_back(std::move(*oldest));
  return result;
} catch (const std::exception& error) {
  return Error{
      fmt::format("{} is damaged ({}), and what it holds cannot be saved: {}", path, why, error.what())};
}

std::string Salvaged::words() const {
  std::string text =
      fmt::format("The store's file was damaged: {}. {} waiting messages were saved", why, mended.waiting);
  text += mended.lost.all == 0
              ? ", none is known to be lost."
              : fmt::format(", {} could not be read and are counted as dropped.", mended.lost.all);
  if (mended.lost.emergencies > 0)
    text += fmt::format(" {} of them were emergencies.", mended.lost.emergencies);
  if (!missing.empty()) text += fmt::format(" Incomplete: {}.", fmt::join(missing, ", "));
  return text + fmt::format(" The damaged file is kept as {}.", aside);
}

}  // namespace tulpar::queue
