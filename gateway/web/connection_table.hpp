// SPDX-License-Identifier: Apache-2.0
//
// Which connections may stay: a few from each address, so many in all. When there is no room, the oldest of a
// caller who never signed in makes some; those who did are left alone.
//
// Pure; on the loop thread. IPv6 addresses count by their /64.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>

namespace tulpar::web {

class ConnectionTable {
 public:
  ConnectionTable(std::size_t most, std::size_t most_per_address)
      : most_(most), most_per_address_(most_per_address) {}

  // One connection's place; it is free again when this is destroyed. Must not outlive the table.
  class Place {
   public:
    void known() { known_ = true; }  // its caller is signed in
    ~Place();
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

   private:
    friend ConnectionTable;
    Place(ConnectionTable& table, std::string key, std::function<void()> close);
    ConnectionTable* table_;
    std::string key_;
    std::function<void()> close_;
    bool known_ = false;
    bool closing_ = false;  // asked to end; counts no more
    std::list<Place*>::iterator position_;
  };

  // Nothing: there is no room. `close` is called at most once, to make room or by close_all(); it must not
  // destroy a Place.
  std::unique_ptr<Place> enter(const std::string& address, std::function<void()> close);
  void close_all();
  std::size_t size() const;

 private:
  std::size_t count(const std::string* key) const;
  bool make_room(const std::string* key);

  std::size_t most_, most_per_address_;
  std::list<Place*> places_;  // oldest first
};

}  // namespace tulpar::web
