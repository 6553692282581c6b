// SPDX-License-Identifier: Apache-2.0
//
// The books of a store that was saved from a damaged one: what the old ones say, corrected by the messages that
// are there, so that they balance.
//
// Inside the transaction that saves the rows (salvage_mend.hpp). Throws StoreError.
#pragma once

#include "queue/sqlite.hpp"

namespace tulpar::queue {

struct LostMessages {
  std::int64_t all = 0;
  std::int64_t emergencies = 0;  // among them
};

// A message that waited, as the books have it, and is not there is dropped, kUnreadable. Where the books
// themselves are gone they begin with the stories that are left. `emergency`: row of that class.
LostMessages mend_books(Database& fresh, std::int64_t emergency);

}  // namespace tulpar::queue
