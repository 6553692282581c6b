// SPDX-License-Identifier: Apache-2.0
//
// Takes the rows of a damaged store over into a new one: those that have their table's columns, each once, and
// names also from the indexes that repeat them.
//
// Inside one transaction of the new store, which has the same tables and is empty. What the rows mean is not
// looked at: see salvage_mend.hpp. Throws StoreError (of the new store).
#pragma once

#include <set>
#include <string>

#include "queue/salvage_rows.hpp"
#include "queue/sqlite.hpp"

namespace tulpar::queue {

// Row numbers beyond this one are damage: a message a microsecond would need nine years to get there.
inline constexpr std::int64_t kLargestRowId = std::int64_t{1} << 48;
// Message rows that may have stood on lost pages above the highest that is known.
inline constexpr std::int64_t kRowsToSkip = 1 << 20;

// Copies all but history (it begins anew), bodies' times of erasure and meta. Returns the tables of which part
// is missing, or older than it should be.
std::set<std::string> copy_tables(SalvageRows& rows, Database& fresh);

}  // namespace tulpar::queue
