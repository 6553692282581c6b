// SPDX-License-Identifier: Apache-2.0
//
// Asks the gateway again and again: what its ledger says, and for a link to its page that signs in once.
//
// Thread rule: made, used and destroyed on the executor's one thread. After destruction no coroutine of it
// touches anything. Where an answer fails, the one before stands.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <memory>
#include <string>

#include "gateway/demo/local_api.hpp"

namespace tulpar::demo {

class GatewayWatch {
 public:
  // `socket`: of the gateway; `page`: address of its page.
  GatewayWatch(boost::asio::any_io_executor executor, std::string socket, std::string page);
  ~GatewayWatch();
  GatewayWatch(const GatewayWatch&) = delete;
  GatewayWatch& operator=(const GatewayWatch&) = delete;

  const GatewayFigures& figures() const;
  // The page's address with a one-time code; empty until the gateway has given one.
  const std::string& page() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace tulpar::demo
