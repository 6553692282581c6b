// SPDX-License-Identifier: Apache-2.0
//
// One connection from its first byte to its last: TLS or not, requests and answers, at the end perhaps the live
// feed. Internal to this folder.
//
// A coroutine on the loop thread. It ends by itself at the deadlines of WebLimits, or when its stream is
// closed.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>

#include "gateway/web/server_core.hpp"
#include "gateway/web/stream.hpp"

namespace tulpar::web {

boost::asio::awaitable<void> serve_connection(std::shared_ptr<ServerCore> core, Stream stream, Caller caller,
                                              std::unique_ptr<ConnectionTable::Place> place);

}  // namespace tulpar::web
