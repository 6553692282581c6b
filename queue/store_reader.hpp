// SPDX-License-Identifier: Apache-2.0
//
// Reads from the store for the link (bodies) and for the page (lists, stories, figures), on a connection of its
// own.
//
// On the reader's thread only (store_runner.hpp). Sees what is committed; never waits for a commit that is
// under way (WAL). Throws StoreError.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "queue/ledger.hpp"
#include "queue/message.hpp"
#include "queue/sqlite.hpp"

namespace tulpar::queue {

// A message as the page shows it; times in milliseconds since 1970, empty while the clock was not believable.
struct Story {
  MessageId id = 0;
  bool edge = false;  // for the sinks here, not for the link
  std::uint64_t number = 0;
  std::string cls, node, topic, peer;
  std::uint32_t kind = 0;
  State state = State::kQueued;
  DropReason reason = DropReason::kNone;
  std::uint32_t bytes = 0;
  bool flagged = false;
  std::optional<std::int64_t> accepted_wall, sent_wall, finished_wall;
  std::int64_t frame_bytes = 0, wire_bytes = 0;
};

struct StoryFilter {
  std::optional<State> state;  // kQueued includes those in flight
  std::string cls, node;       // empty: all
  MessageId after = 0;         // only ids below this one; 0: from the newest
  int limit = 50;              // 1..1000
};

// The stable id of a message that came over the link: where it was numbered first.
struct Origin {
  std::uint64_t incarnation = 0, number = 0;
};

// A body with what a sink needs to publish it.
struct EdgeBody {
  Body body;
  Origin origin;
  std::string peer;  // who sent it over the link; empty: accepted here
};

struct BookRow {
  bool edge = false;
  std::string cls;
  Book book;
};

struct UsageRow {
  std::int64_t start = 0;  // unix seconds, UTC
  std::string label;       // class, node or link, as asked
  Usage usage;
};

class StoreReader {
 public:
  explicit StoreReader(const std::string& path);
  ~StoreReader();

  // In the order asked; those that are gone are left out.
  std::vector<Body> bodies(const std::vector<MessageId>& ids);
  std::vector<EdgeBody> edge_bodies(const std::vector<MessageId>& ids);
  std::vector<Story> list(const StoryFilter& filter);
  std::optional<Story> story(MessageId id);
  std::vector<BookRow> books();
  std::vector<std::pair<std::string, LinkBytes>> links();
  // Wire bytes of a link (up + down) since `from` (unix seconds) by class, "" for what no class caused; exact
  // to 5 minutes for the last 33 days.
  std::map<std::string, std::int64_t> used_since(const std::string& link, std::int64_t from);
  // Counted, but not dated yet (the clock was not believable), of all boots; the same sum.
  std::int64_t used_undated(const std::string& link);
  // When the first byte was counted on this link (unix seconds); 0: none yet.
  std::int64_t counted_since(const std::string& link);
  // resolution: 300, 3600, 86400 or 0 (month); by: "class", "node" or "link".
  std::vector<UsageRow> usage(int resolution, std::int64_t from, std::int64_t to, const std::string& by);
  // Bytes of the file's pages in use.
  std::int64_t size();

 private:
  struct Statements;
  Story story_from(Statement& row);
  Database db_;
  std::unique_ptr<Statements> sql_;
};

}  // namespace tulpar::queue
