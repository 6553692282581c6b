// SPDX-License-Identifier: Apache-2.0
#include "queue/sqlite.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>

namespace tulpar::queue {

bool StoreError::is_damage() const {
  const int primary = code & 0xff;
  return primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB;
}

bool StoreError::is_unreadable() const { return code == SQLITE_IOERR_CORRUPTFS || code == SQLITE_IOERR_READ; }

bool StoreError::is_full() const {
  return (code & 0xff) == SQLITE_FULL || code == SQLITE_IOERR_SHMSIZE || system == ENOSPC || system == EDQUOT;
}

std::string StoreError::plain() const {
  const int primary = code & 0xff;
  if (is_full()) return "no space left on the disk";
  if (system == EROFS || primary == SQLITE_READONLY) return "the disk is read-only";
  if (is_damage()) return "the store's file is damaged";
  if (primary != SQLITE_IOERR) return what();
  return fmt::format("the disk reports: {}", std::strerror(system ? system : EIO));
}

Database::Database(const std::string& path, Mode mode) {
  const int flags =
      SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
      (mode == Mode::kReadOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  sqlite3* db = nullptr;
  const int result = sqlite3_open_v2(path.c_str(), &db, flags, nullptr);
  db_.reset(db);
  if (result != SQLITE_OK) fail(fmt::format("open {}", path));
  sqlite3_busy_timeout(db, kBusyTimeout);
}

void Database::fail(std::string_view what) const {
  int code = sqlite3_extended_errcode(db_.get());
  const int system = disk_error();
  // SQLite calls it a damaged file when the disk cannot read it: that may pass.
  if ((code & 0xff) == SQLITE_CORRUPT && system == EIO) code = SQLITE_IOERR_CORRUPTFS;
  throw StoreError(fmt::format("{}: {}", what, sqlite3_errmsg(db_.get())), code,
                   (code & 0xff) == SQLITE_IOERR ? system : 0);
}

// Not sqlite3_system_errno(): that is what errno happens to be when the error has reached the connection.
int Database::disk_error() const {
  int log_error = 0, error = 0;
  sqlite3_file* log = nullptr;
  sqlite3_file_control(db_.get(), "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
  if (log && log->pMethods) log->pMethods->xFileControl(log, SQLITE_FCNTL_LAST_ERRNO, &log_error);
  sqlite3_file_control(db_.get(), "main", SQLITE_FCNTL_LAST_ERRNO, &error);
  return log_error ? log_error : error;
}

void Database::execute(const std::string& sql) {
  if (sqlite3_exec(db_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
    fail(sql.substr(0, sql.find('\n', 1)));
}

std::int64_t Database::query_int(const std::string& sql) {
  Statement statement(*this, sql);
  return statement.step() ? statement.integer(0) : 0;
}

Statement::Statement(Database& db, std::string_view sql) : db_(&db) {
  sqlite3_stmt* statement = nullptr;
  const int result = sqlite3_prepare_v3(db.handle(), sql.data(), static_cast<int>(sql.size()),
                                        SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (result != SQLITE_OK) db.fail(sql);
  statement_.reset(statement);
}

bool Statement::step() {
  const int result = sqlite3_step(statement_.get());
  if (result == SQLITE_ROW) return true;
  if (result != SQLITE_DONE) {
    const std::string sql = sqlite3_sql(statement_.get());
    sqlite3_reset(statement_.get());
    db_->fail(sql);
  }
  sqlite3_reset(statement_.get());
  return false;
}

void Statement::reset() { sqlite3_reset(statement_.get()); }

std::string Statement::text(int column) const {
  const auto* text = sqlite3_column_text(statement_.get(), column);
  return text ? std::string(reinterpret_cast<const char*>(text), sqlite3_column_bytes(statement_.get(), column))
              : std::string();
}

ByteView Statement::blob(int column) const {
  const auto* data = static_cast<const std::uint8_t*>(sqlite3_column_blob(statement_.get(), column));
  return {data, static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

void Statement::check(int result) const {
  if (result != SQLITE_OK) db_->fail(sqlite3_sql(statement_.get()));
}

void Statement::bind(int index, std::int64_t value) {
  check(sqlite3_bind_int64(statement_.get(), index, value));
}

void Statement::bind(int index, std::string_view value) {
  check(
      sqlite3_bind_text64(statement_.get(), index, value.data(), value.size(), SQLITE_TRANSIENT, SQLITE_UTF8));
}

void Statement::bind(int index, ByteView value) {
  // An empty view has no address, which SQLite would take for NULL.
  if (value.empty()) return check(sqlite3_bind_zeroblob(statement_.get(), index, 0));
  check(sqlite3_bind_blob64(statement_.get(), index, value.data(), value.size(), SQLITE_TRANSIENT));
}

void Statement::bind(int index, std::nullopt_t) { check(sqlite3_bind_null(statement_.get(), index)); }

Transaction::Transaction(Database& db) : db_(&db) { db.execute("BEGIN IMMEDIATE"); }

Transaction::~Transaction() {
  // SQLite rolls back by itself after some errors (disk full); then there is nothing left to do.
  if (db_ && !sqlite3_get_autocommit(db_->handle()))
    sqlite3_exec(db_->handle(), "ROLLBACK", nullptr, nullptr, nullptr);
}

void Transaction::commit() {
  db_->execute("COMMIT");
  db_ = nullptr;
}

}  // namespace tulpar::queue
