// SPDX-License-Identifier: Apache-2.0
#include "tests/queue/power_cut_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <unordered_map>

#include "queue/schema.hpp"

namespace tulpar::queue {
namespace {

// Opening takes about as many operations: a cut while the file is recovered.
constexpr std::uint64_t kOpening = 16;

// A start, and again a cut while it mends what it finds; in one of four cases, and again in one of four.
//
// The disk harms nothing beside a write any more. Without powersafe overwrite SQLite fills a commit's last
// sector, so that the next one begins with another, but does not sync all of the filling: where it is torn, the
// log goes on in the middle of a sector, and a second cut that harms this sector takes a commit along.
PowerCutDisk cut_while_opening(PowerCutDisk disk, const Clock& clock, std::uint64_t seed, Tally& tally) {
  disk.set_device({disk.device().sector, disk.device().says_powersafe, true});
  for (; seed % 4 == 0; seed = seed / (4 * kOpening) + 1) {
    CutMachine machine(kCutName, std::move(disk));
    machine.stop_after(seed / 4 % kOpening);
    const auto opened = Store::open(kCutPath, kClassNames, clock);
    if (machine.stopped()) ++tally.second_cuts;
    machine.cut_power(seed);
    disk = machine.disk();
  }
  return disk;
}

}  // namespace

Found::Found(const PowerCutDisk& disk) {
  if (!disk.device().says_powersafe) {
    machine_ = std::make_unique<CutMachine>(kCutName, disk);
    return;
  }
  folder_ = std::make_unique<TempDir>();
  path_ = *folder_ / kCutName;
  for (const auto& [name, file] : disk.names()) {
    const auto content = as_text(disk.content(file));
    std::ofstream(*folder_ / std::filesystem::path(name).filename()).write(content.data(), std::ssize(content));
  }
}

std::string Found::unexpected() const {
  if (!folder_) return "";
  for (const auto& file : std::filesystem::directory_iterator(*folder_ / ""))
    if (const std::string name = file.path().filename();
        name != kCutName && name != kCutName + "-wal" && name != kCutName + "-shm")
      return name;
  return "";
}

Tally& Tally::operator+=(const Tally& other) {
  points += other.points;
  in_commit += other.in_commit;
  in_checkpoint += other.in_checkpoint;
  unsynced += other.unsynced;
  second_cuts += other.second_cuts;
  newer += other.newer;
  one_by_one += other.one_by_one;
  return *this;
}

std::vector<Point> choose_points(const Record& record, std::uint64_t seed, int count) {
  std::mt19937_64 random(seed);
  std::vector<Point> points;
  while (std::ssize(points) < count) {
    const std::size_t commit = 1 + random() % (record.commits.size() - 1);
    const Moment from = record.commits[commit - 1].reported, to = record.commits[commit].reported;
    points.push_back({from + random() % (to - from + 1), random()});
  }
  std::sort(points.begin(), points.end(), [](const Point& a, const Point& b) { return a.cut < b.cut; });
  return points;
}

std::string Checker::check(const Point& point) try {
  for (; at_ < point.cut; ++at_) disk_.apply(record_.journal[at_]);
  ++tally_.points;
  if (disk_.unsynced()) ++tally_.unsynced;
  if (const auto file = disk_.find(kCutPath); file && disk_.unsynced(*file)) ++tally_.in_checkpoint;
  FakeClock clock;
  clock.reboot("after the cut", Millis{0});
  const Found found(cut_while_opening(disk_.after_cut(point.seed), clock, point.seed, tally_));
  auto store = open_store(found.path(), clock);
  if (auto name = found.unexpected(); !name.empty()) return name + " should not be there";
  if (auto wrong = check_file(store->database(), point.cut); !wrong.empty()) return wrong;
  mistake_.after_cut(*store);
  return check_start(*store, point.cut);
} catch (const std::exception& error) {
  return error.what();
}

std::string Checker::check_file(Database& db, Moment cut) {
  Statement integrity(db, "PRAGMA integrity_check");
  integrity.step();
  if (const auto verdict = integrity.text(0); verdict != "ok") return "integrity_check: " + verdict;
  integrity.reset();
  if (db.query_int("PRAGMA user_version") != kSchemaVersion) return "the schema is not this program's";
  if (db.query_int("PRAGMA auto_vacuum") != 2) return "the file cannot shrink";
  if (auto wrong = check_content(db, cut); !wrong.empty()) return wrong;
  if (auto wrong = contradictions(db); !wrong.empty()) return wrong;
  return check_messages(db, cut);
}

std::string Checker::check_content(Database& db, Moment cut) {
  const auto& commits = record_.commits;
  const auto next = std::upper_bound(commits.begin(), commits.end(), cut,
                                     [](Moment at, const Record::Commit& one) { return at < one.reported; });
  const std::uint64_t found = digest(db);
  const bool under_way = next != commits.end() && next->begun <= cut;
  if (under_way) ++tally_.in_commit;
  if (under_way && !next->at_once) ++tally_.one_by_one;
  if (found == std::prev(next)->digest) return "";
  if (under_way && found == next->digest) return ++tally_.newer, "";
  if (under_way && std::find(next->between.begin(), next->between.end(), found) != next->between.end())
    return "";
  const auto other = std::find_if(commits.begin(), commits.end(),
                                  [&](const Record::Commit& one) { return one.digest == found; });
  return fmt::format("the content is not that of commit {} of {}{}, but that of {}", next - commits.begin(),
                     commits.size(), under_way ? ", nor of the next" : "",
                     other == commits.end() ? "none" : std::to_string(other - commits.begin() + 1));
}

std::string Checker::check_messages(Database& db, Moment cut) {
  std::unordered_map<MessageId, std::string> found;
  Statement rows(db, "SELECT id, topic FROM message");
  while (rows.step()) found[rows.integer(0)] = rows.text(1);
  for (const auto& message : record_.messages) {
    if (!message.span.holds(cut)) continue;
    const auto here = found.find(message.id);
    if (here == found.end()) return fmt::format("message {} is gone", message.id);
    if (here->second != message.topic) return fmt::format("message {} is another", message.id);
  }
  return "";
}

// What a program does with its store when it starts, and with the next message.
std::string Checker::check_start(Store& store, Moment cut) {
  for (const auto& name : record_.peers)
    if (auto wrong = check_peer(store, name, cut); !wrong.empty()) return name + ": " + wrong;
  return contradictions(store.database());
}

std::uint64_t Checker::given(PeerId peer, bool batch, Moment cut) const {
  std::uint64_t end = 0;
  for (const auto& one : record_.given)
    if (one.at <= cut && one.peer == peer && one.batch == batch) end = std::max(end, one.end);
  return end;
}

std::string Checker::check_peer(Store& store, const std::string& name, Moment cut) {
  const auto [peer, sends, receives] = commit(store, [&](Store& s) {
    const PeerId id = s.peer(name);
    return std::tuple{id, s.load_send(id), s.load_receive(id)};
  });
  if (sends.next_message < given(peer, false, cut)) return "message numbers are given again";
  if (sends.batch_next < given(peer, true, cut)) return "batch numbers are given again";
  if (sends.batch_floor > sends.batch_next) return "the floor is above the batch numbers";
  for (const auto& known : record_.known) {
    if (known.peer != peer || !known.span.holds(cut)) continue;
    if (!(known.batch ? receives.batches : receives.numbers).contains(known.number))
      return fmt::format("{} {} was answered for and is forgotten", known.batch ? "batch" : "message",
                         known.number);
  }
  for (const auto& part : receives.history)
    if (!receives.batches.contains(part.batch)) return "an open batch is in the history";
  NewMessage next;
  next.peer = peer;
  next.topic = "next";
  const auto accepted = commit(store, [&](Store& s) { return s.accept(std::span(&next, 1)).front(); });
  if (accepted.entry.number < given(peer, false, cut)) return "the next message has a number that was given";
  return "";
}

}  // namespace tulpar::queue
