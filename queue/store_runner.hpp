// SPDX-License-Identifier: Apache-2.0
//
// Runs store operations away from the loop: one writer thread with group commit, and two reader threads that no
// commit delays: one for the link's bodies, one for the page, whose queries may take long.
//
// Called on the loop thread. A write's `done` runs on the loop thread after the transaction that holds it is
// committed (or failed); a group is everything that was waiting when the last commit ended, so a slow disk
// makes groups larger, not the loop slower. If an operation of a group throws, the group is rolled back and
// each is run alone: operations are run again, so they must not consume what they capture. Writes and their
// answers keep their order. From the first error that says that the file is damaged nothing more is written to
// it, not even its log at the end: every write fails, so that nothing is acknowledged that the salvage might
// miss. A COMMIT that was under way at that moment counts as one before it.
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "config/base.hpp"
#include "queue/store.hpp"
#include "queue/store_reader.hpp"

namespace tulpar::queue {

class StoreRunner {
 public:
  struct WriteJob {
    std::function<void(Store&)> run;
    std::function<void(const Error*)> done;  // nullptr: committed
  };
  struct ReadJob {
    std::function<void(StoreReader&)> run;
    std::function<void(const Error*)> done;
  };
  virtual ~StoreRunner() = default;
  virtual void submit(WriteJob job) = 0;
  virtual void submit(ReadJob job) = 0;
  // Apart from the reads, where there are two readers.
  virtual void submit_query(ReadJob job) { submit(std::move(job)); }

  // write([..](Store& store) { return store.x(); }, [..](Result<X> result) { ... });
  template <class Run, class Done>
  void write(Run run, Done done) {
    submit(make_job<WriteJob, Store>(std::move(run), std::move(done)));
  }
  // A write whose answer nobody waits for; a failure is reported by the runner's health.
  template <class Run>
  void post(Run run) {
    submit(WriteJob{std::move(run), [](const Error*) {}});
  }
  template <class Run, class Done>
  void read(Run run, Done done) {
    submit(make_job<ReadJob, StoreReader>(std::move(run), std::move(done)));
  }
  // A read that may take long and that no message waits for: the page's and the plan's figures.
  template <class Run, class Done>
  void query(Run run, Done done) {
    submit_query(make_job<ReadJob, StoreReader>(std::move(run), std::move(done)));
  }

 private:
  template <class Job, class On, class Run, class Done>
  static Job make_job(Run run, Done done) {
    using Value = std::invoke_result_t<Run&, On&>;
    if constexpr (std::is_void_v<Value>) {
      return Job{std::move(run), [done = std::move(done)](const Error* error) mutable {
                   error ? done(Result<void>(*error)) : done(Result<void>());
                 }};
    } else {
      auto value = std::make_shared<std::optional<Value>>();
      return Job{[run = std::move(run), value](On& on) mutable { *value = run(on); },
                 [done = std::move(done), value](const Error* error) mutable {
                   error ? done(Result<Value>(*error)) : done(Result<Value>(std::move(**value)));
                 }};
    }
  }
};

// What the writer thread is doing, for /healthz and the page. Any thread.
struct StoreHealth {
  using Instant = std::chrono::steady_clock::time_point;
  // A slow card takes seconds for a commit; one that takes longer than this does not work.
  static constexpr Millis kLongestCommit{10'000};

  bool ok = true;
  std::string problem;    // why the last commit or read failed, plainly, or that a commit hangs; empty when ok
  Millis last_commit{0};  // how long the last commit took
  std::optional<Instant> began = {};  // of the group that is being written
  std::uint64_t commits = 0;

  // The same, judged at `now`: a commit that hangs is a problem, too.
  StoreHealth at(Instant now) const;
};

// The real one. `post_to_loop` hands a function to the loop thread; it must stay valid until the runner is
// destroyed, which finishes what was submitted (but see above) and drops the answers.
class ThreadedStoreRunner : public StoreRunner {
 public:
  ThreadedStoreRunner(std::unique_ptr<Store> store, std::unique_ptr<StoreReader> reader,
                      std::unique_ptr<StoreReader> query_reader,
                      std::function<void(std::function<void()>)> post_to_loop);
  ~ThreadedStoreRunner() override;
  void submit(WriteJob job) override;
  void submit(ReadJob job) override;
  void submit_query(ReadJob job) override;
  StoreHealth health() const;
  // Called with what SQLite answered to a write or a read that failed, on the thread that made it. To be set
  // before anything is submitted.
  void on_failure(std::function<void(const StoreError&)> f);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tulpar::queue
