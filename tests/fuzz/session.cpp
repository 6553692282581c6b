// SPDX-License-Identifier: Apache-2.0
//
// A session whose peer holds the keys and means harm: the input is a script of what it says, of what the disk
// answers and of our own side's work. Nothing crashes, nothing is acknowledged that is not on disk, no number
// has two contents, no batch is stored twice, no message of ours is lost or doubled.
#include "tests/fuzz/fuzz.hpp"
#include "tests/gateway/link/victim.hpp"

using namespace tulpar;
using namespace tulpar::link;
using tulpar::fuzz::Input;
using tulpar::fuzz::require;

namespace {

// Making its contexts takes longer than a script; they remember nothing.
BatchCodec& codec = *new BatchCodec;

struct Script {
  explicit Script(bool initiator) : victim(codec, initiator) {}
  Victim victim;
  History mirror{kBaseWindow};  // what the peer believes that its victim holds

  void hear(const Item& item) { (void)victim.hear({item}); }
  void say(std::size_t limit) {
    require(victim.say(limit).size() <= std::max(limit, kMaxFrame), "a frame keeps its limit");
  }
};

Ack ack_from(Input& in) {
  Ack ack{.cumulative = in.number(), .runs = {}};
  for (int runs = in.u8() % 4; runs > 0; --runs) {
    const auto gap = in.number();
    ack.runs.emplace_back(gap, in.number());
  }
  return ack;
}

Greeting greeting_from(Input& in, std::uint64_t known) {
  const std::uint8_t form = in.u8();
  Greeting greeting{.incarnation = 5 + form % 2u, .closed = ack_from(in), .partial = {}};
  greeting.known = form & 2 ? known : form & 4 ? in.number() : 0;
  greeting.known_life = (form >> 3) % 3u;  // none, its only one, another
  greeting.session = in.number();
  for (int partial = form / 64; partial > 0; --partial) {
    const auto batch = in.number();
    greeting.partial.emplace_back(batch, in.number());
  }
  greeting.floor = 1 + in.number();
  greeting.void_count = in.number();
  greeting.next = greeting.floor + greeting.void_count + in.number();
  greeting.settled = 1 + in.number();
  greeting.next_message = 1 + in.number();
  return greeting;
}

// A batch as the format asks for it, but for what the input says of number, base and contents.
Bytes batch_from(Input& in, Script& peer, std::uint64_t number) {
  const std::uint8_t form = in.u8();
  const std::uint64_t settled = 1 + in.number();
  std::vector<LinkMessage> messages;
  std::uint64_t at = settled;
  for (int count = 1 + form % 4; count > 0; --count) {
    at += in.number();
    const auto topic = in.block();
    messages.push_back({.number = at++, .cls = form & 32 ? "weather" : "normal", .topic = "t", .payload = {}});
    messages.back().topic.append(as_text(topic));
    // One length in four is that of a bomb.
    messages.back().payload.assign(std::size_t{in.u8()} * (form & 16 ? 1 : 1000), 'x');
  }
  BatchCodec::Options options{.number = number, .settled = settled, .urgent = form % 8 == 7};
  Base base = empty_base();
  if (form & 64)
    if ((options.base = peer.mirror.name({})) && options.base->newest < number)
      base = peer.mirror.base(*options.base);
  if (base.text.empty()) options.base.reset();
  const auto plain = encode_plain(messages, settled);
  auto encoded = codec.encode(plain, base, options);
  if (encoded.enters_history) peer.mirror.add(number, plain);
  return std::move(encoded.bytes);
}

void send_batch(Input& in, Script& peer) {
  const std::uint64_t number = 1 + in.number();
  Bytes batch = batch_from(in, peer, number);
  if (const std::uint8_t change = in.u8()) batch[in.u16() % batch.size()] ^= change;
  const std::size_t cut = in.u16() % batch.size();
  const ByteView all(batch);
  const std::uint8_t order = in.u8();
  const Fragment first{number, 0, cut == 0, cut ? all.first(cut) : all},
      second{number, cut, true, all.subspan(cut)};
  if (order % 4 == 3) peer.hear(second);
  if (order % 4 != 2) peer.hear(first);
  if (order % 4 != 3) peer.hear(second);
}

void peer_speaks(Input& in, Script& peer) {
  switch (in.u8() % 12) {
    case 0:
      return (void)peer.victim.hear(in.block());
    case 1:
    case 2:
      return peer.hear(greeting_from(in, peer.victim.host.own()));
    case 3:
      return peer.hear(ack_from(in));
    case 4: {
      const auto first = in.number();
      return peer.hear(Void{first, in.number()});
    }
    case 5:
      return peer.hear(Lost{in.number()});
    case 6:
      return peer.hear(Refused{in.number()});
    case 7: {
      const auto batch = in.number(), offset = in.number() * 16;
      const bool end = in.u8() % 2;
      return peer.hear(Fragment{batch, offset, end, in.block()});
    }
    case 8:
      return peer.hear(Bye{static_cast<ByeReason>(in.u8())});
    case 9:
      return peer.hear(Hold{{"message", "x"}});
    default:
      return send_batch(in, peer);
  }
}

void turn(Input& in, Script& peer) {
  Victim& victim = peer.victim;
  const std::uint8_t what = in.u8();
  switch (what % 8) {
    case 0:
      for (int jobs = 1 + what / 8; jobs > 0 && victim.host.answer(true, victim.now); --jobs) continue;
      break;
    case 1:
      if (what >= 0xF0) victim.host.answer(false, victim.now);
      victim.now += Millis(in.u16());
      break;
    case 2: {
      const auto cls = static_cast<queue::ClassId>(what / 8 % 5);
      victim.accept(cls, what >= 0xE0 ? 300'000 : in.u8());
      break;
    }
    case 3:
      peer.say(what >= 0xF0 ? kMaxFrame : 256 + what * 4);
      break;
    case 4:
      if (what < 0xF0 && victim.session.up() && !victim.session.peer_bye()) break;
      victim.disconnect();
      victim.connect();
      break;
    default:
      peer_speaks(in, peer);
  }
  (void)victim.session.overdue(victim.now);
  (void)victim.session.next_wake();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input in(data, size);
  Script peer(in.u8() % 2);
  Victim& victim = peer.victim;
  while (!in.empty()) turn(in, peer);
  victim.disconnect();
  victim.host.answer_all(victim.now);
  victim.host.renew();  // what is open goes back
  require(victim.host.accepted == victim.scheduler.size() + victim.host.finished,
          "each message is in one place");
  return 0;
}
