// SPDX-License-Identifier: Apache-2.0
//
// Frames: what is read, written and read again is the same, and a fragment says what was put into it.
#include "gateway/link/frame.hpp"

#include "tests/fuzz/fuzz.hpp"

using namespace tulpar;
using namespace tulpar::link;
using tulpar::fuzz::require;

namespace {

// Every item in its one canonical form.
Bytes written(const std::vector<Item>& items) {
  FrameBuilder frame(SIZE_MAX);
  for (const auto& item : items) require(frame.put(item), "an item fits without a limit");
  return frame.take();
}

// As the sending side cuts a batch: pieces of at most `limit` bytes.
void cut(const Fragment& fragment, std::size_t limit) {
  std::size_t at = 0;
  while (at < fragment.bytes.size()) {
    FrameBuilder frame(limit);
    const auto rest = fragment.bytes.subspan(at);
    const auto put = frame.put_fragment(fragment.batch, fragment.offset + at, rest);
    if (put == 0) return require(limit < 40, "a frame has room for a piece");
    const auto bytes = frame.take();
    require(bytes.size() <= limit, "a frame keeps its limit");
    const auto items = decode_frame(bytes);
    require(items.has_value() && items->size() == 1, "a piece is one item");
    const auto& piece = std::get<Fragment>(items->front());
    require(piece.batch == fragment.batch && piece.offset == fragment.offset + at, "a piece knows its place");
    require(std::ranges::equal(piece.bytes, rest.first(put)), "a piece has its bytes");
    require(piece.end == (put == rest.size()), "the last piece ends the batch, no other does");
    at += put;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto items = decode_frame({data, size});
  if (!items) {
    require(!items.error().message.empty(), "an error says what is wrong");
    return 0;
  }
  const Bytes once = written(*items);
  const auto again = decode_frame(once);
  require(again.has_value() && again->size() == items->size(), "what was written is read");
  require(written(*again) == once, "read, written and read again is the same");
  for (const auto& item : *items)
    if (const auto* fragment = std::get_if<Fragment>(&item)) cut(*fragment, 8 + size % 500);
  return 0;
}
