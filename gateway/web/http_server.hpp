// SPDX-License-Identifier: Apache-2.0
//
// The web server: the page and the API on TCP, the API on STATE_DIR/tulpar.sock. Start here: start().
//
// Made, called and destroyed on the executor's one thread; backend and clock must outlive it, the executor's
// context may outlive it: what is under way ends by itself without touching the backend. Passwords are hashed
// on one thread of its own. Sleeps unless somebody is connected.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <memory>
#include <string>

#include "config/types.hpp"
#include "gateway/web/backend.hpp"

namespace tulpar::web {

// What one caller may use of a small machine. Tests have smaller ones.
struct WebLimits {
  std::size_t connections = 64;  // on TCP
  std::size_t per_address =
      32;                  // half: one address alone shuts nobody out (a proxy or an SSH tunnel is one, too)
  std::size_t local = 16;  // on the Unix socket
  std::size_t bodies = 8 << 20;  // bytes of request bodies in memory at a time
  Millis read{15'000};           // from a request's first byte to its last; and for TLS to open
  Millis idle{60'000};           // between two requests of a connection
  Millis stall{30'000};          // a client that takes nothing for so long is gone
};

struct WebSettings {
  std::string name;       // the gateway's, for its certificate
  std::string state_dir;  // must exist
  config::Web web;
  WebLimits limits{};
};

class HttpServer {
 public:
  // Listens when it returns. Error: an address, file or certificate, and what is wrong with it.
  static Result<std::unique_ptr<HttpServer>> start(const boost::asio::any_io_executor& executor,
                                                   const WebSettings& settings, Backend& backend,
                                                   const Clock& clock);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // The status is another now. Cheap: call it at each change.
  void status_changed();
  // Signs in once, within 15 minutes: url() + "#code=" + make_code().
  std::string make_code();

  // Of the page, with / at its end; empty: not served on TCP. Plain http on the loopback, which needs no TLS.
  std::string url() const;
  std::uint16_t port() const;       // as the system chose it; 0: not served on TCP
  std::string fingerprint() const;  // of the certificate; empty: without TLS

 private:
  struct Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace tulpar::web
