// SPDX-License-Identifier: Apache-2.0
//
// Store: opening a file, sound or not.
#include <fmt/format.h>

#include <cerrno>
#include <filesystem>

#include "queue/salvage.hpp"
#include "queue/salvage_pages.hpp"
#include "queue/schema.hpp"
#include "queue/store.hpp"
#include "queue/store_statements.hpp"

namespace tulpar::queue {
namespace {

// SQLite's words; empty: nothing is wrong.
std::string failed_check(Database& db, const char* pragma) {
  Statement check(db, fmt::format("PRAGMA {}", pragma));
  check.step();
  const std::string verdict = check.text(0);
  if (verdict != "ok" && db.disk_error() == EIO) throw StoreError(pragma, SQLITE_IOERR_READ, EIO);
  // Its first line says only which database.
  return verdict == "ok" ? "" : verdict.substr(verdict.rfind('\n') + 1);
}

// The quick check reads all of the file, but does not compare indexes with their tables. Where that costs
// nothing it is done: a page of names that was written to the wrong place would change every message's class or
// peer.
std::string failed_names(Database& db) {
  std::string verdict;
  for (const char* table : {"class", "peer", "sink", "link"})
    if (verdict.empty()) verdict = failed_check(db, fmt::format("integrity_check({})", table).c_str());
  return verdict;
}

}  // namespace

Store::Store(const std::string& path, const Clock& clock)
    : db_(path, Database::Mode::kReadWrite), clock_(&clock) {}

std::optional<BelievedTime> Store::last_believed(const std::string& path) try {
  if (!std::filesystem::exists(path)) return std::nullopt;
  // Read-only, so that a damaged log is left as it is: see salvage.hpp.
  Database db(path, Database::Mode::kReadOnly);
  Statement last(
      db, "SELECT name, last_boot, last_wall FROM boot WHERE last_wall IS NOT NULL ORDER BY id DESC LIMIT 1");
  if (!last.step()) return std::nullopt;
  return BelievedTime{last.text(0), BootTime{Millis{last.integer(1)}}, WallTime{Millis{last.integer(2)}}};
} catch (const StoreError&) {
  return std::nullopt;
}

Result<std::unique_ptr<Store>> Store::open(const std::string& path, const std::vector<std::string>& classes,
                                           const Clock& clock, std::optional<Salvaged>* salvaged) try {
  finish_salvage(path);
  std::string damage;
  try {
    damage = known_damage(path);
    if (auto store = damage.empty() ? open_sound(path, classes, clock, damage) : nullptr) {
      end_of_trouble(path);
      return store;
    }
  } catch (const StoreError& error) {
    if (!error.is_unreadable() || !give_up_reading(path)) throw;
    damage = error.plain();
  }
  auto saved = salvage(path, classes, damage);
  if (!saved) return saved.error();
  if (salvaged) *salvaged = std::move(*saved);
  if (auto store = open_sound(path, classes, clock, damage)) return store;
  return Error{fmt::format("{} is damaged ({}) as soon as it is written: is the disk sound?", path, damage)};
} catch (const StoreError& error) {
  return Error{fmt::format("cannot open the store {}: {}", path, error.plain())};
} catch (const std::exception& error) {
  return Error{fmt::format("cannot open the store {}: {}", path, error.what())};
}

void Store::leave_log() { sqlite3_db_config(db_.handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr); }

std::unique_ptr<Store> Store::open_sound(const std::string& path, const std::vector<std::string>& classes,
                                         const Clock& clock, std::string& damage) try {
  std::unique_ptr<Store> store(new Store(path, clock));
  auto& db = store->db_;
  // Until it is known to be sound nothing moves from its log into it.
  store->leave_log();
  db.execute(fmt::format("PRAGMA page_size = {}", SalvagePages::kPageSize));
  db.execute("PRAGMA auto_vacuum = INCREMENTAL");
  db.execute("PRAGMA journal_mode = WAL");
  db.execute("PRAGMA synchronous = FULL");
  db.execute("PRAGMA secure_delete = ON");
  db.execute("PRAGMA temp_store = MEMORY");
  db.execute("PRAGMA cache_size = -2048");
  // More than the log holds between two checkpoints (1,000 pages, and a large group): where it is cut back and
  // grows anew, each commit waits for the file system's own journal as well; measured, four times as long.
  db.execute("PRAGMA journal_size_limit = 16777216");
  damage = failed_check(db, "quick_check(1)");
  if (!damage.empty()) return nullptr;
  if (auto done = migrate(db); !done) throw std::runtime_error(done.error().message);
  damage = failed_names(db);
  if (!damage.empty()) return nullptr;
  sqlite3_db_config(db.handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, nullptr);
  Transaction transaction(db);
  store->setup(classes);
  transaction.commit();
  return store;
} catch (const StoreError& error) {
  if (!error.is_damage()) throw;
  damage = error.what();
  return nullptr;
}

void Store::setup(const std::vector<std::string>& classes) {
  ledger_ = std::make_unique<Ledger>(db_);
  sql_ = std::make_unique<Statements>(db_);
  Statement add(db_, "INSERT OR IGNORE INTO class(name) VALUES(?1)");
  Statement find(db_, "SELECT id FROM class WHERE name = ?1");
  for (const auto& name : classes) {
    add.run(name);
    find(name).step();
    class_rows_.push_back(find.integer(0));
  }
  find.reset();

  Statement add_boot(db_, "INSERT OR IGNORE INTO boot(name, last_boot) VALUES(?1, ?2)");
  add_boot.run(clock_->boot_id(), clock_->now().time_since_epoch().count());
  Statement find_boot(db_, "SELECT id FROM boot WHERE name = ?1");
  find_boot(clock_->boot_id()).step();
  boot_row_ = find_boot.integer(0);
  find_boot.reset();
  // A message lives 14 days at most by default: what boots came before the last 1000 no longer matters to any
  // age.
  Statement(db_, "DELETE FROM boot WHERE id < ?1 - 1000").run(boot_row_);
  boot_noted_ = {};
  note_boot();
  moment_.reset();
}

}  // namespace tulpar::queue
