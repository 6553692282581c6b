// SPDX-License-Identifier: Apache-2.0
//
// The listening side's TLS: bytes of a stranger end in an error or in waiting; between two that know each other
// frames come through whole, cut the stream where it may; and a changed byte ends it.
//
// Input: 0 and a stranger's bytes; or anything else, the frame to send, and where the stream is cut or changed.
#include "gateway/link/transport/tls_engine.hpp"

#include "gateway/link/frame.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace tulpar;
using namespace tulpar::link;
using tulpar::fuzz::Input;
using tulpar::fuzz::require;

namespace {

const Enrolment kEnrolment{.name = "roof", .address = "relay:7700", .key_id = "abcdefgh", .secret = {1, 2, 3}};

std::unique_ptr<TlsEngine> server() {
  return TlsEngine::server(
      [](std::string_view id) { return id == kEnrolment.key_id ? std::optional(kEnrolment) : std::nullopt; });
}

void stranger(Input& in) {
  const auto relay = server();
  while (!in.empty()) {
    const bool goes_on = relay->received(in.bytes(1 + in.u16())).has_value();
    require(!relay->established(), "who has no key does not come in");
    (void)relay->take_output();
    if (!goes_on) return;
    require(relay->waiting() == 0, "a stranger's bytes are kept by nobody");
  }
}

// Hands over what the one has sent; false: the other ended it.
bool pass(TlsEngine& from, TlsEngine& to, Input& cuts, int change) {
  Bytes stream = from.take_output();
  // Behind the first record's head: its version is meant for old boxes and ignored (RFC 8446, 5.1).
  if (stream.size() > 5 && change >= 0)
    stream[5 + static_cast<std::size_t>(change) % (stream.size() - 5)] ^= 0x10;
  for (ByteView rest = stream; !rest.empty();) {
    const auto piece = rest.first(std::min<std::size_t>(rest.size(), 1 + std::size_t{cuts.u8()} * 4));
    if (!to.received(piece)) return false;
    rest = rest.subspan(piece.size());
  }
  return true;
}

void acquainted(Input& in) {
  const auto gateway = TlsEngine::client(kEnrolment), relay = server();
  const int change = in.u8() % 4;  // of which flight a byte is changed: 0 hello, 1 answer, 2 frames, 3 none
  const int at = in.u16();
  const Bytes sent = [&] {
    const auto bytes = in.bytes(1 + in.u16() % kMaxFrame);
    return bytes.empty() ? Bytes{0} : Bytes(bytes.begin(), bytes.end());
  }();
  const auto flight = [&](int number) { return change == number ? at : -1; };
  require(gateway->start().has_value(), "a greeting can be sent");
  if (!pass(*gateway, *relay, in, flight(0)) || !pass(*relay, *gateway, in, flight(1))) {
    require(change < 2, "what is not changed is understood");
    return;
  }
  if (!gateway->established()) return require(change < 2, "the keys fit");
  require(gateway->send(sent).has_value() && gateway->send(sent).has_value(), "a frame can be sent");
  if (!pass(*gateway, *relay, in, flight(2))) return require(change < 3, "a changed byte ends the connection");
  if (!relay->established()) return require(change < 3, "the keys fit");
  require(relay->peer() == kEnrolment.name, "who is there is known");
  int frames = 0;
  for (auto frame = relay->next_frame(); frame && *frame; frame = relay->next_frame(), ++frames)
    require(**frame == sent, "a frame comes through whole or not at all");
  require(frames == 2 ? change == 3 && relay->waiting() == 0 : change == 2, "a changed byte does not pass");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input in(data, size);
  in.u8() == 0 ? stranger(in) : acquainted(in);
  return 0;
}
