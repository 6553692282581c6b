// SPDX-License-Identifier: Apache-2.0
//
// Asks the gateway or relay of this machine by its Unix socket: for `tulpar status`, `queue`, `send` and the
// like.
//
// Blocking, a connection for each question; any thread. Knows as much of HTTP as our own server speaks.
#pragma once

#include <string>
#include <string_view>

#include "config/base.hpp"

namespace tulpar::web {

struct ClientAnswer {
  int status = 0;
  std::string body;
};

class Client {
 public:
  // `timeout`: for each read and write.
  explicit Client(const std::string& state_dir, Millis timeout = Millis(10'000));

  // Error: nobody serves the socket, or it may not be opened, in words for an operator. What the server refuses
  // is no Error, but an answer with its status and problem document.
  Result<ClientAnswer> get(std::string_view target) const { return ask("GET", target, {}); }
  Result<ClientAnswer> post(std::string_view target, std::string_view json) const {
    return ask("POST", target, json);
  }
  Result<ClientAnswer> ask(std::string_view method, std::string_view target, std::string_view json) const;

 private:
  std::string path_;
  Millis timeout_;
};

// What a problem document says, else the status' phrase.
std::string problem_text(const ClientAnswer& answer);

}  // namespace tulpar::web
