// SPDX-License-Identifier: Apache-2.0
#include "gateway/web/connection_table.hpp"

#include <algorithm>

#include "gateway/web/try_limit.hpp"

namespace tulpar::web {

ConnectionTable::Place::Place(ConnectionTable& table, std::string key, std::function<void()> close)
    : table_(&table),
      key_(std::move(key)),
      close_(std::move(close)),
      position_(table.places_.insert(table.places_.end(), this)) {}

ConnectionTable::Place::~Place() { table_->places_.erase(position_); }

std::size_t ConnectionTable::count(const std::string* key) const {
  return static_cast<std::size_t>(std::count_if(places_.begin(), places_.end(), [key](const Place* place) {
    return !place->closing_ && (!key || place->key_ == *key);
  }));
}

bool ConnectionTable::make_room(const std::string* key) {
  for (auto* place : places_) {
    if (place->known_ || place->closing_ || (key && place->key_ != *key)) continue;
    place->closing_ = true;
    place->close_();
    return true;
  }
  return false;
}

std::unique_ptr<ConnectionTable::Place> ConnectionTable::enter(const std::string& address,
                                                               std::function<void()> close) {
  auto key = caller_key(address);
  if (count(&key) >= most_per_address_ && !make_room(&key)) return nullptr;
  if (count(nullptr) >= most_ && !make_room(nullptr)) return nullptr;
  return std::unique_ptr<Place>(new Place(*this, std::move(key), std::move(close)));
}

void ConnectionTable::close_all() {
  for (auto* place : places_) {
    if (place->closing_) continue;
    place->closing_ = true;
    place->close_();
  }
}

std::size_t ConnectionTable::size() const { return count(nullptr); }

}  // namespace tulpar::web
