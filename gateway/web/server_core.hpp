// SPDX-License-Identifier: Apache-2.0
//
// What the connections of one HttpServer share. Internal to this folder.
//
// On the loop thread. Connections keep it alive after the server's end; from then on `stopped` is true, and the
// backend behind `api` must not be touched.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>

#include "gateway/web/api.hpp"
#include "gateway/web/certificate.hpp"
#include "gateway/web/connection_table.hpp"
#include "gateway/web/http_server.hpp"
#include "gateway/web/live_feeds.hpp"

namespace tulpar::web {

struct ServerCore : std::enable_shared_from_this<ServerCore> {
  ServerCore(boost::asio::any_io_executor on, const WebLimits& limits_, const Clock& clock_)
      : executor(std::move(on)), clock(clock_), limits(limits_), push_timer(executor) {}

  // Sees to it that the live feeds are pushed when it is time.
  void arm_push();
  bool may_watch(const std::string& session) const { return !stopped && api->may_watch(session); }

  boost::asio::any_io_executor executor;
  const Clock& clock;
  const WebLimits limits;
  std::shared_ptr<Api> api;
  TlsContext tls;                // none: TCP without TLS
  bool plain_is_served = false;  // on TCP with TLS, too; else it is sent to https
  ConnectionTable remote{limits.connections, limits.per_address};
  ConnectionTable local{limits.local, limits.local};
  LiveFeeds feeds{limits.stall};
  boost::asio::steady_timer push_timer;
  bool push_armed = false;
  std::size_t body_bytes = 0;  // of all requests that are being read or answered
  bool stopped = false;
};

}  // namespace tulpar::web
