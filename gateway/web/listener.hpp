// SPDX-License-Identifier: Apache-2.0
//
// Accepts connections, on TCP or on a Unix socket, and hands each to serve_connection. Internal to this folder.
//
// On the loop thread. After its destruction none is accepted; those that were go on. Errors name the address.
#pragma once

#include <memory>
#include <string>

#include "config/address.hpp"
#include "gateway/web/server_core.hpp"

namespace tulpar::web {

class Listener {
 public:
  static Result<std::unique_ptr<Listener>> tcp(const std::shared_ptr<ServerCore>& core,
                                               const config::HostPort& address);
  // Mode 0660. A socket that an ended process left is replaced; one that somebody serves is an error.
  static Result<std::unique_ptr<Listener>> local(const std::shared_ptr<ServerCore>& core,
                                                 const std::string& path);
  virtual ~Listener() = default;
  virtual std::uint16_t port() const { return 0; }
};

}  // namespace tulpar::web
