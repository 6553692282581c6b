// SPDX-License-Identifier: Apache-2.0
//
// One side of a session whose peer is the test: it hears any frame, and its disk answers when it is told to.
#pragma once

#include "tests/gateway/link/memory_host.hpp"

namespace tulpar::link {

struct Victim {
  // `initiator`: the victim is a gateway. The codec is shared, as in the programs.
  explicit Victim(BatchCodec& shared, bool initiator = true)
      : codec(shared), session(outgoing, incoming, initiator) {
    host.serve(outgoing, incoming);
    connect();
  }

  void connect() { session.connected(now, 1, {}); }
  void disconnect() {
    session.disconnected();
    if (!session.must_renew()) return;
    session.renewed();
    host.renew();
  }
  Result<void> hear(ByteView frame) { return session.on_frame(frame, now); }
  // In one frame, however large: it is the transport that would cut it.
  Result<void> hear(const std::vector<Item>& items) {
    FrameBuilder frame(SIZE_MAX);
    for (const auto& item : items) frame.put(item);
    return hear(frame.take());
  }
  // The peer greets as one that was never here, and the disk notes it.
  Result<void> greet() {
    auto done = hear({Greeting{.incarnation = 5, .known = MemoryHost::kOwn, .closed = {}, .partial = {}}});
    host.answer_all(now);
    return done;
  }
  // Our next frame, with what it says held against the disk; empty: there is none.
  Bytes say(std::size_t limit) {
    outgoing.prepare(now);
    Bytes frame = session.next_frame(now, limit);
    if (!frame.empty()) host.inspect(frame);
    return frame;
  }
  void accept(queue::ClassId cls, std::uint32_t bytes) { scheduler.add(host.accept(cls, bytes, now)); }

  MemoryHost host;
  BatchCodec& codec;
  queue::Scheduler scheduler{config::default_classes()};
  Outgoing outgoing{{{"emergency", "message", "normal", "telemetry", "bulk"}, {true, true, true, true, false}},
                    scheduler,
                    codec,
                    host,
                    {.incarnation = MemoryHost::kOwn, .history = {}, .queued = {}}};
  Incoming incoming{
      codec, host,
      queue::ReceiveState{.numbers = queue::NumberSet(), .batches = queue::NumberSet(), .history = {}}};
  Session session;
  BootTime now{std::chrono::hours(1)};
};

}  // namespace tulpar::link
