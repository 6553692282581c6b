// SPDX-License-Identifier: Apache-2.0
#include "queue/store.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <random>

#include "config/fail_point.hpp"
#include "queue/store_statements.hpp"

namespace tulpar::queue {
namespace {

// Nodes remembered by name in memory; beyond it the cache starts anew (the table keeps them).
constexpr std::size_t kNodeCache = 4096;
// A mesh has hundreds of nodes; invented names beyond this share one account.
constexpr std::int64_t kMostNodes = 65'536;
// Finished stories kept at most, whatever the clock says.
constexpr std::int64_t kMostStories = 200'000;
// Packets remembered, whatever the clock says: 30 days of 23 a minute, more than a LoRa channel carries; about
// 50 MB of disk.
constexpr std::int64_t kMostSeen = 1'000'000;
// How much usage is kept, by resolution in seconds; months stay. Counted in slots that hold something, newest
// first, so that no jump of the clock loses a row. Five minutes: the longest cycle and a day, since a cycle may
// begin at any minute. Looked at hourly: few slots can be too many by then.
constexpr std::pair<int, std::int64_t> kKeepSlots[] = {{300, 33 * 288}, {3600, 62 * 24}, {86'400, 800}};
constexpr Millis kPruneUsageEvery = std::chrono::hours(1);
// Empty pages that stay (4 MiB): the queue breathes. Beyond it 1 MiB is given back at a time.
constexpr std::int64_t kSparePages = 1024;
constexpr int kPagesAtATime = 256;
// A believed clock may be up to a day early (a battery clock that keeps local time): what it then takes for the
// future is not. One day more, as whole days are looked at.
constexpr Millis kMayBeAhead = std::chrono::days(2);
// Before this program there was no usage: a clock that says so is wrong, however steady and disciplined (GPS
// receivers whose week number has rolled over).
constexpr WallTime kFirstUsage{std::chrono::sys_days{std::chrono::year{2026} / 11 / 1}};
// What a clock that was just set wrong, or right, may still do is waited for.
constexpr Millis kSteadyFor = std::chrono::hours(1);
constexpr Millis kClockStep = std::chrono::minutes(1);
// How often the running boot's time is noted, for ages after a reboot: a TTL is hours, a minute is exact
// enough.
constexpr Millis kNoteBootEvery = std::chrono::minutes(1);

std::uint64_t random_incarnation() {
  std::random_device device;
  // 62 bits: SQLite's integers are signed, and 0 means "none".
  const std::uint64_t value = (std::uint64_t{device()} << 32 | device()) >> 2;
  return value ? value : 1;
}

}  // namespace

Store::~Store() = default;

// Asked once for each write group: whether its clock is right takes the kernel longer to say than an insert
// takes. Without a believable clock `day` is the last that one was believed, so that a copy is remembered too
// long rather than not.
const Store::Moment& Store::moment() {
  constexpr std::int64_t kDay = 86'400'000;
  if (moment_) return *moment_;
  if (clock_->trusted()) {
    const WallTime wall = clock_->wall();
    return moment_.emplace(Moment{wall, wall.time_since_epoch().count() / kDay});
  }
  return moment_.emplace(Moment{{}, db_.query_int("SELECT coalesce(max(last_wall), 0) FROM boot") / kDay});
}

std::optional<WallTime> Store::wall() { return moment().wall; }

std::optional<std::int64_t> Store::wall_ms() {
  const auto now = wall();
  return now ? std::optional(static_cast<std::int64_t>(now->time_since_epoch().count())) : std::nullopt;
}

std::int64_t Store::today() { return moment().day; }

void Store::note_boot() {
  const BootTime now = clock_->now();
  if (boot_noted_ != BootTime{} && now - boot_noted_ < kNoteBootEvery) return;
  boot_noted_ = now;
  // Without a believable clock the wall's time of this boot goes on by the boot's, once it was known.
  Statement(
      db_, "UPDATE boot SET last_boot = ?2, last_wall = coalesce(?3, last_wall + ?2 - last_boot) WHERE id = ?1")
      .run(boot_row_, now.time_since_epoch().count(), wall_ms());
}

// What to add to a time of that boot to get the same instant in this boot's time. With a believable clock in
// both, the wall tells how long the machine was off; else that time counts as zero, so a message lives longer,
// never shorter.
Millis Store::boot_offset(std::int64_t boot_row) {
  if (boot_row == boot_row_) return Millis{0};
  if (auto known = boot_offsets_.find(boot_row); known != boot_offsets_.end()) return known->second;
  Statement later(db_, "SELECT id, last_boot, last_wall FROM boot WHERE id >= ?1 AND id < ?2 ORDER BY id DESC");
  Millis offset{0};
  for (later(boot_row, boot_row_); later.step();) {
    offset -= Millis{later.integer(1)};
    if (!later.is_null(2)) {
      if (const auto now = wall_ms()) {
        const Millis then_on_wall{later.integer(2) - later.integer(1)};
        const Millis now_on_wall{*now - clock_->now().time_since_epoch().count()};
        offset = std::min(offset, then_on_wall - now_on_wall);
      }
    }
  }
  // What was found without a believable clock is too short: asked again once there is one.
  if (clock_->trusted()) boot_offsets_[boot_row] = offset;
  return offset;
}

std::uint64_t Store::renew_incarnation(PeerId peer) {
  const std::uint64_t incarnation = random_incarnation();
  sql_->own_incarnation.run(peer, incarnation);
  sql_->clear_history.run(peer, 1);
  return incarnation;
}

PeerId Store::peer(const std::string& name) {
  // The only one whose name was lost with its page (salvage_mend.cpp).
  Statement(db_, "UPDATE OR IGNORE peer SET name = ?1 WHERE name = ''").run(name);
  sql_->add_peer.run(name, random_incarnation());
  sql_->find_peer(name).step();
  const auto id = static_cast<PeerId>(sql_->find_peer.integer(0));
  sql_->find_peer.reset();
  return id;
}

std::int64_t Store::link(const std::string& name) {
  Statement(db_, "INSERT OR IGNORE INTO link(name) VALUES(?1)").run(name);
  Statement find(db_, "SELECT id FROM link WHERE name = ?1");
  find(name).step();
  return find.integer(0);
}

std::vector<int> Store::set_sinks(const std::vector<std::string>& names, GoneSinks* gone) {
  if (names.size() > 63)
    throw StoreError(fmt::format("{} sinks: at most 63 are possible", names.size()), SQLITE_TOOBIG);
  std::map<std::string, int> known;
  std::uint64_t left = 0, kept = 0;
  for (Statement rows(db_, "SELECT bit, name FROM sink"); rows.step();) {
    const int bit = static_cast<int>(rows.integer(0));
    const bool stays = std::find(names.begin(), names.end(), rows.text(1)) != names.end();
    (stays ? kept : left) |= std::uint64_t{1} << bit;
    if (stays || names.empty()) known[rows.text(1)] = bit;
  }
  // With nobody to take them over the debts stay, and so do the names.
  if (names.empty()) {
    if (gone) gone->stay = db_.query_int("SELECT count(*) FROM message WHERE peer = 0 AND state < 2");
    return {};
  }
  Statement forget(db_, "DELETE FROM sink WHERE ?1 >> bit & 1");
  forget.run(left);
  std::vector<int> bits;
  std::uint64_t taken = kept;
  for (const auto& name : names) {
    auto [found, is_new] = known.emplace(name, std::countr_one(taken));
    if (is_new) Statement(db_, "INSERT INTO sink(bit, name) VALUES(?1, ?2)").run(found->second, name);
    taken |= std::uint64_t{1} << found->second;
    bits.push_back(found->second);
  }
  const GoneSinks moved = pass_on(left, kept, taken & ~kept);
  if (gone) *gone = moved;
  return bits;
}

// A sink that came in the same start is taken for the one that left, under its right name: it gets all of that
// one's debts. Without such a one the others get what no sink has had yet.
Store::GoneSinks Store::pass_on(std::uint64_t left, std::uint64_t kept, std::uint64_t fresh) {
  struct Debt {
    MessageId id;
    std::uint64_t owed;
    std::int64_t given;
  };
  std::vector<Debt> debts;
  Statement rows(db_, "SELECT id, owed, given FROM message WHERE peer = 0 AND state < 2 AND owed & ?1");
  for (rows(left); rows.step();) debts.push_back({rows.integer(0), rows.number(1), rows.integer(2)});
  GoneSinks result;
  for (const auto& [id, owed, given] : debts) {
    std::uint64_t next = (owed & kept) | fresh;
    if (next == 0 && given == 0) next = kept;
    if (next == 0) {
      finish_row(*unfinished(id), State::kDelivered, DropReason::kNone);
      ++result.elsewhere;
    } else {
      sql_->owed.run(id, next, given);
      if ((owed & kept) != next) ++result.moved;
    }
  }
  return result;
}

NodeId Store::node(const std::string& name) {
  if (name.empty()) return 0;
  if (auto known = nodes_.find(name); known != nodes_.end()) return known->second;
  Statement find(db_, "SELECT id FROM node WHERE name = ?1");
  NodeId id = 0;
  if (find(name).step()) {
    id = static_cast<NodeId>(find.integer(0));
  } else if (db_.query_int("SELECT coalesce(max(id), 0) FROM node") < kMostNodes) {
    Statement(db_, "INSERT INTO node(name) VALUES(?1)").run(name);
    id = static_cast<NodeId>(db_.last_id());
  }
  if (nodes_.size() >= kNodeCache) nodes_.clear();
  return nodes_[name] = id;
}

ClassId Store::class_id(std::int64_t row) const {
  const auto found = std::find(class_rows_.begin(), class_rows_.end(), row);
  // A class that is no longer configured: its messages go with the last one.
  return static_cast<ClassId>(
      std::min<std::ptrdiff_t>(found - class_rows_.begin(), std::ssize(class_rows_) - 1));
}

void Store::flush() {
  spread_wire();
  ledger_->flush(boot_row_, clock_->now(), wall());
  note_boot();
  moment_.reset();
}

void Store::forget() {
  ledger_->forget();
  nodes_.clear();
  boot_offsets_.clear();
  // What the failed group gave is not given again in this life; the block that it may have reserved is reserved
  // anew.
  for (auto& [peer, block] : numbers_) block.end = block.next;
  received_.clear();
  settled_.clear();
  booked_.clear();
  boot_noted_ = {};
  moment_.reset();
}

bool Store::is_steady(WallTime now) {
  const BootTime boot = clock_->now();
  if (!steady_since_ ||
      std::chrono::abs((now - steady_since_->second) - (boot - steady_since_->first)) > kClockStep)
    steady_since_ = {boot, now};
  return boot - steady_since_->first >= kSteadyFor;
}

std::int64_t Store::date_usage() {
  const auto now = wall();
  if (!now) {
    steady_since_.reset();
    return 0;
  }
  std::vector<std::int64_t> boots;
  Statement undated(db_, "SELECT DISTINCT boot FROM undated");
  while (undated.step()) boots.push_back(undated.integer(0));
  for (const auto boot : boots) ledger_->date(boot, clock_->now() - boot_offset(boot), *now);
  return is_steady(*now) && *now >= kFirstUsage ? ledger_->bring_back(*now + kMayBeAhead, *now) : 0;
}

std::int64_t Store::erase_old(Millis keep, Millis keep_story, std::int64_t limit) {
  std::int64_t rows = 0;
  std::vector<std::int64_t> boots;
  Statement known(db_, "SELECT DISTINCT boot FROM erasure");
  while (known.step()) boots.push_back(known.integer(0));
  Statement due(db_, "SELECT id FROM erasure WHERE boot = ?1 AND finished_boot <= ?2 LIMIT ?3");
  Statement done(db_, "DELETE FROM erasure WHERE id = ?1");
  for (const auto boot : boots) {
    std::vector<MessageId> ids;
    const BootTime before = clock_->now() - keep - boot_offset(boot);
    for (due(boot, before.time_since_epoch().count(), limit - rows); due.step();) ids.push_back(due.integer(0));
    for (const auto id : ids) {
      sql_->delete_body.run(id);
      done.run(id);
    }
    rows += std::ssize(ids);
    erased_ = erased_ || !ids.empty();
  }
  tidy_due_ = true;
  return rows + prune(keep_story, std::max<std::int64_t>(limit - rows, 0));
}

// Looks only at the oldest finished rows, so that the cost does not grow with the tables. What ended before the
// clock was believable counts from the first look that finds it.
std::int64_t Store::prune(Millis keep_story, std::int64_t limit) {
  const auto now = wall_ms();
  Statement(db_,
            "UPDATE message SET finished_wall = ?1 WHERE ?1 IS NOT NULL AND finished_wall IS NULL AND id IN "
            "(SELECT id FROM message WHERE state >= 2 ORDER BY id LIMIT ?2)")
      .run(now, limit);
  Statement(db_,
            "DELETE FROM message WHERE id IN (SELECT id FROM (SELECT id, finished_wall FROM message "
            "WHERE state >= 2 ORDER BY id LIMIT ?3) WHERE finished_wall <= ?1 OR "
            "id < (SELECT max(id) FROM message) - ?2)")
      .run(now ? *now - keep_story.count() : 0, kMostStories, limit);
  const std::int64_t rows = db_.changes();
  prune_usage();
  return rows + prune_seen(limit);
}

std::int64_t Store::prune_seen(std::int64_t limit) {
  Statement(db_,
            "DELETE FROM seen WHERE id IN (SELECT id FROM seen WHERE id <= (SELECT max(id) FROM seen) - ?1 "
            "ORDER BY id LIMIT ?2)")
      .run(kMostSeen, limit);
  const std::int64_t rows = db_.changes();
  if (!wall()) return rows;
  const std::int64_t day = today();
  Statement(db_,
            "UPDATE seen SET day = ?1 WHERE id IN (SELECT id FROM seen ORDER BY id LIMIT ?2) AND "
            "(day = 0 OR day > ?1)")
      .run(day, limit);
  Statement(db_, "DELETE FROM seen WHERE id IN (SELECT id FROM seen ORDER BY id LIMIT ?2) AND day < ?1 - 30")
      .run(day, limit);
  return rows + db_.changes();
}

void Store::prune_usage() {
  const BootTime now = clock_->now();
  if (usage_pruned_ && now - *usage_pruned_ < kPruneUsageEvery) return;
  usage_pruned_ = now;
  // Steps from slot to slot by the key: one look-up each, however many rows a slot has.
  Statement prune(db_,
                  "DELETE FROM usage WHERE resolution = ?1 AND start <= ("
                  "WITH RECURSIVE slot(start) AS (SELECT max(start) FROM usage WHERE resolution = ?1 UNION ALL "
                  "SELECT (SELECT max(u.start) FROM usage u WHERE u.resolution = ?1 AND u.start < slot.start) "
                  "FROM slot WHERE slot.start IS NOT NULL) SELECT start FROM slot LIMIT 1 OFFSET ?2)");
  for (const auto& [resolution, slots] : kKeepSlots) prune.run(resolution, slots);
}

// A checkpoint that may not wait: a reader's long query must not become the writer's.
void Store::tidy() {
  if (!std::exchange(tidy_due_, false)) return;
  TULPAR_FAIL_POINT("store.tidy");
  if (db_.query_int("PRAGMA freelist_count") > kSparePages)
    db_.execute(fmt::format("PRAGMA incremental_vacuum({})", kPagesAtATime));
  if (!erased_) return;
  struct Impatient {
    explicit Impatient(sqlite3* its_handle) : handle(its_handle) { sqlite3_busy_timeout(handle, 0); }
    ~Impatient() { sqlite3_busy_timeout(handle, Database::kBusyTimeout); }
    sqlite3* handle;
  } impatient(db_.handle());
  TULPAR_FAIL_POINT("store.checkpoint");
  erased_ = db_.query_int("PRAGMA wal_checkpoint(TRUNCATE)") != 0;
  TULPAR_FAIL_POINT("store.checkpointed");
}

}  // namespace tulpar::queue
