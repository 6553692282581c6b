// SPDX-License-Identifier: Apache-2.0
#include "tests/queue/power_cut_record.hpp"

#include <fmt/format.h>

#include <future>

namespace tulpar::queue {
namespace {

void mix(std::uint64_t& hash, std::uint64_t value) {
  hash = (hash ^ value) * 0x9E3779B97F4A7C15u;
  hash ^= hash >> 29;
}

void mix_row(std::uint64_t& hash, sqlite3_stmt* row) {
  for (int column = 0; column < sqlite3_column_count(row); ++column) {
    const int type = sqlite3_column_type(row, column);
    mix(hash, static_cast<std::uint64_t>(type));
    if (type == SQLITE_INTEGER) mix(hash, static_cast<std::uint64_t>(sqlite3_column_int64(row, column)));
    if (type != SQLITE_TEXT && type != SQLITE_BLOB) continue;
    const auto* data = static_cast<const char*>(sqlite3_column_blob(row, column));
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(row, column));
    mix(hash, std::hash<std::string_view>{}(data ? std::string_view(data, size) : std::string_view()));
  }
}

}  // namespace

std::uint64_t digest(Database& db) {
  std::vector<std::string> tables;
  Statement names(db, "SELECT name FROM sqlite_master WHERE type = 'table' AND name != 'boot' ORDER BY name");
  while (names.step()) tables.push_back(names.text(0));
  std::uint64_t hash = 0;
  for (const auto& table : tables) {
    mix(hash, std::hash<std::string>{}(table));
    sqlite3_stmt* row = nullptr;
    if (sqlite3_prepare_v2(db.handle(), fmt::format("SELECT * FROM {}", table).c_str(), -1, &row, nullptr))
      db.fail("digest of " + table);
    while (sqlite3_step(row) == SQLITE_ROW) mix_row(hash, row);
    if (sqlite3_finalize(row)) db.fail("digest of " + table);
  }
  return hash;
}

Recorder::Recorder(Record& record, Mistake mistake)
    : record_(record), mistake_(std::move(mistake)), machine_(kCutName, PowerCutDisk(record.device)) {
  machine_.record(record.journal);
}

Recorder::~Recorder() { release_view(); }

void Recorder::start() {
  auto store = open_store(kCutPath, clock);
  store_ = store.get();
  mistake_.always(*store);
  runner_ = std::make_unique<ThreadedStoreRunner>(
      std::move(store), std::make_unique<StoreReader>(kCutPath), std::make_unique<StoreReader>(kCutPath),
      // Answered where it was committed: no moment passes in between.
      [](const std::function<void()>& answer) { answer(); });
}

void Recorder::end(End how) {
  if (how == End::kKilled) machine_.kill_process();
  release_view();
  runner_.reset();
}

void Recorder::hold_view() {
  release_view();
  view_ = std::make_unique<Database>(kCutPath, Database::Mode::kReadOnly);
  held_ = std::make_unique<Statement>(*view_, "SELECT id FROM class");
  held_->step();
}

void Recorder::release_view() {
  held_.reset();
  view_.reset();
}

void Recorder::wait_for_writer() {
  auto idle = std::make_shared<std::promise<void>>();
  runner_->submit(StoreRunner::WriteJob{[](Store&) {}, [idle](const Error*) { idle->set_value(); }});
  idle->get_future().wait();
}

void Recorder::commit(const std::vector<Job>& jobs) {
  auto held = std::make_shared<std::promise<void>>(), gate = std::make_shared<std::promise<void>>();
  runner_->post([held, gate](Store&) {
    held->set_value();
    gate->get_future().wait();
  });
  held->get_future().wait();
  group_ = {};
  for (const auto& job : jobs) group_.at_once = group_.at_once && !job.fails;
  for (const auto& job : jobs) runner_->submit(watched(job, &job == &jobs.front(), &job == &jobs.back()));
  gate->set_value();
  wait_for_writer();
  if (!problem_.empty()) throw std::logic_error(problem_);
}

StoreRunner::WriteJob Recorder::watched(const Job& job, bool first, bool last) {
  return {[this, run = job.run, first, last](Store& store) {
            if (group_.begun == 0) group_.begun = now();
            // The second time that it begins, each is alone.
            if (first) group_.between.clear();
            if (!group_.at_once) group_.between.push_back(digest(store.database()));
            run(store);
            if (last && mistake_.acknowledges_early) group_.reported = now();
          },
          [this, job, last](const Error* error) {
            if (!mistake_.acknowledges_early) group_.reported = now();
            if ((error != nullptr) != job.fails)
              problem_ = error ? error->message : "a failure was reported as done";
            if (!error) job.done();
            if (!last) return;
            group_.digest = digest(store_->database());
            record_.commits.push_back(group_);
          }};
}

}  // namespace tulpar::queue
