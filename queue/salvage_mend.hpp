// SPDX-License-Identifier: Apache-2.0
//
// Makes a whole store of the rows that were saved from a damaged one: what waits has its body, a destination
// and a new number; names that are gone get a stand-in; the books balance.
//
// Inside the transaction that copied the rows (salvage_tables.hpp). Throws StoreError.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "queue/salvage_books.hpp"

namespace tulpar::queue {

struct Mended {
  std::int64_t waiting = 0;  // messages, with their bodies
  LostMessages lost;         // messages that waited and are now counted as dropped, kUnreadable
  bool marks_kept = true;    // of what was received; else every peer begins anew
};

// `missing`: tables of which part was not saved. `classes`: the configured names, most urgent first.
Mended mend(Database& fresh, const std::set<std::string>& missing, const std::vector<std::string>& classes);

}  // namespace tulpar::queue
