// SPDX-License-Identifier: Apache-2.0
//
// A map of bounded size that forgets what was longest untouched: memory of nodes whose names anyone can make
// up.
//
// Not thread-safe. Ordered, not hashed: the keys come from outside, and nobody shall be able to choose
// collisions.
#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <map>
#include <utility>

namespace tulpar::bridge {

template <class Key, class Value>
class RecentTable {
 public:
  // REQUIRES: capacity > 0.
  explicit RecentTable(std::size_t capacity) : capacity_(capacity) {}

  // The value of `key`, which is now the most recent one; made (and the most idle one forgotten) where there is
  // none. Valid until the next touch.
  template <class K>
  Value& touch(const K& key) {
    if (const auto found = index_.find(key); found != index_.end()) {
      order_.splice(order_.begin(), order_, found->second);
      return order_.front().second;
    }
    if (order_.size() == capacity_) {
      index_.erase(order_.back().first);
      order_.pop_back();
    }
    order_.emplace_front(Key(key), Value{});
    index_.emplace(Key(key), order_.begin());
    return order_.front().second;
  }

  // Does not touch. nullptr: unknown or forgotten.
  template <class K>
  const Value* find(const K& key) const {
    const auto found = index_.find(key);
    return found == index_.end() ? nullptr : &found->second->second;
  }

  std::size_t size() const { return order_.size(); }

 private:
  using Order = std::list<std::pair<Key, Value>>;
  std::size_t capacity_;
  Order order_;  // the most recent first
  std::map<Key, typename Order::iterator, std::less<>> index_;
};

}  // namespace tulpar::bridge
