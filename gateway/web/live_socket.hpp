// SPDX-License-Identifier: Apache-2.0
//
// The live feed's end of a connection: a WebSocket that brings the status as it changes. Internal to this
// folder.
//
// A coroutine on the loop thread; ends when the page goes, answers no ping, takes nothing for WebLimits::stall,
// or when its session ends.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>

#include "gateway/web/server_core.hpp"
#include "gateway/web/stream.hpp"

namespace tulpar::web {

// `request` is the upgrade that the API granted, with that session.
boost::asio::awaitable<void> serve_live(std::shared_ptr<ServerCore> core, Stream stream, Request request,
                                        std::string session);

}  // namespace tulpar::web
