// SPDX-License-Identifier: Apache-2.0
//
// The store's tables, and how an older file becomes a newer one.
//
// Called once, on open, on the thread that owns the database. Each migration is one transaction; a crash in the
// middle leaves the older version whole. A file of a newer version is refused, never touched.
#pragma once

#include "config/base.hpp"
#include "queue/sqlite.hpp"

namespace tulpar::queue {

inline constexpr int kSchemaVersion = 1;

// Brings the database to kSchemaVersion. Error: newer file, or SQLite's own words.
Result<void> migrate(Database& db);

}  // namespace tulpar::queue
