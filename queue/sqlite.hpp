// SPDX-License-Identifier: Apache-2.0
//
// A thin, owning layer over SQLite's C interface: database, prepared statement, transaction.
//
// Not thread-safe: a Database and what was made from it belong to one thread. Failures throw StoreError (the
// store's callers turn them into values at the thread's edge: see store_runner.hpp).
#pragma once

#include <sqlite3.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "config/base.hpp"

namespace tulpar::queue {

// SQLite's answer: what was tried, and its words. `code` is the extended result code (sqlite.org/rescode.html),
// `system` what the operating system said (errno), 0 where it was not asked.
struct StoreError : std::runtime_error {
  StoreError(const std::string& what, int error_code, int system_code = 0)
      : std::runtime_error(what), code(error_code), system(system_code) {}
  int code, system;

  // The file itself is damaged, not the disk.
  bool is_damage() const;
  // The disk cannot read it, now or for good.
  bool is_unreadable() const;
  bool is_full() const;
  // What an operator can act on; what() where there is nothing simpler to say.
  std::string plain() const;
};

class Database {
 public:
  enum class Mode { kReadWrite, kReadOnly };
  // Milliseconds. The reader may meet the writer in a checkpoint's last moment; this is far beyond that.
  static constexpr int kBusyTimeout = 10'000;
  // Opens or creates. Throws StoreError.
  Database(const std::string& path, Mode mode);

  // One or more statements without results.
  void execute(const std::string& sql);
  std::int64_t query_int(const std::string& sql);
  std::int64_t last_id() const { return sqlite3_last_insert_rowid(db_.get()); }
  std::int64_t changes() const { return sqlite3_changes64(db_.get()); }
  sqlite3* handle() const { return db_.get(); }
  [[noreturn]] void fail(std::string_view what) const;
  // What the operating system said when it last refused something of this file or its log (errno); 0: never.
  int disk_error() const;

 private:
  struct Close {
    void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
  };
  std::unique_ptr<sqlite3, Close> db_;
};

// A prepared statement, used again and again:  insert.bind(1, "x").run();   for (auto& row = find(7);
// row.step();) ...
class Statement {
 public:
  Statement(Database& db, std::string_view sql);

  // Resets, then binds the arguments to ?1, ?2, ...
  template <class... Args>
  Statement& operator()(const Args&... args) {
    reset();
    int index = 0;
    (bind(++index, args), ...);
    return *this;
  }
  template <class... Args>
  void run(const Args&... args) {
    (*this)(args...);
    while (step()) {
    }
  }
  // One argument, ?index, where their number is known only at run time; after reset().
  template <class T>
  void set(int index, const T& value) {
    bind(index, value);
  }
  // True while there is a row.
  bool step();
  void reset();

  std::int64_t integer(int column) const { return sqlite3_column_int64(statement_.get(), column); }
  std::uint64_t number(int column) const { return static_cast<std::uint64_t>(integer(column)); }
  bool is_null(int column) const { return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL; }
  std::string text(int column) const;
  ByteView blob(int column) const;  // valid until the next step or reset

 private:
  void bind(int index, std::int64_t value);
  void bind(int index, std::uint64_t value) { bind(index, static_cast<std::int64_t>(value)); }
  void bind(int index, int value) { bind(index, static_cast<std::int64_t>(value)); }
  void bind(int index, unsigned value) { bind(index, static_cast<std::int64_t>(value)); }
  void bind(int index, std::string_view value);
  void bind(int index, const std::string& value) { bind(index, std::string_view(value)); }
  void bind(int index, const char* value) { bind(index, std::string_view(value)); }
  void bind(int index, ByteView value);
  void bind(int index, const Bytes& value) { bind(index, ByteView(value)); }
  void bind(int index, std::nullopt_t);
  template <class T>
  void bind(int index, const std::optional<T>& value) {
    value ? bind(index, *value) : bind(index, std::nullopt);
  }
  void check(int result) const;

  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  Database* db_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

// BEGIN IMMEDIATE ... COMMIT; rolled back when it goes out of scope uncommitted.
class Transaction {
 public:
  explicit Transaction(Database& db);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit();

 private:
  Database* db_;
};

}  // namespace tulpar::queue
