// SPDX-License-Identifier: Apache-2.0
#include "queue/store_runner.hpp"

#include <fmt/format.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "config/fail_point.hpp"

namespace tulpar::queue {
namespace {

// Jobs waiting for a thread. Bounded by what the loop submits: it holds back its own producers (MQTT waits for
// its commit).
template <class Job>
class JobQueue {
 public:
  void push(Job job) {
    {
      std::lock_guard lock(mutex_);
      jobs_.push_back(std::move(job));
    }
    wake_.notify_one();
  }
  // Waits for work; empty once closed and drained.
  std::deque<Job> take_all() {
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [this] { return closed_ || !jobs_.empty(); });
    return std::exchange(jobs_, {});
  }
  void close() {
    {
      std::lock_guard lock(mutex_);
      closed_ = true;
    }
    wake_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Job> jobs_;
  bool closed_ = false;
};

using WriteJob = StoreRunner::WriteJob;
using Steady = std::chrono::steady_clock;

bool is_damage(const std::exception& error) {
  const auto* said = dynamic_cast<const StoreError*>(&error);
  return said && said->is_damage();
}

// Not a StoreError: it says nothing new of the file.
void check_sound(const std::atomic<bool>& damaged) {
  if (damaged) throw std::runtime_error("the store's file is damaged: nothing is written to it any more");
}

// Runs the jobs in one transaction. Throws with nothing done.
void run_group(Store& store, std::deque<WriteJob>& jobs, const std::atomic<bool>& damaged) {
  check_sound(damaged);
  try {
    Transaction transaction(store.database());
    for (auto& job : jobs) job.run(store);
    store.flush();
    TULPAR_FAIL_POINT("store.commit");
    // A reader may have met it meanwhile.
    check_sound(damaged);
    transaction.commit();
    TULPAR_FAIL_POINT("store.committed");
  } catch (...) {
    store.forget();
    throw;
  }
}

}  // namespace

StoreHealth StoreHealth::at(Instant now) const {
  StoreHealth judged = *this;
  if (!began || now - *began <= kLongestCommit) return judged;
  judged.ok = false;
  judged.problem = fmt::format("a commit has been running for {} s",
                               std::chrono::duration_cast<std::chrono::seconds>(now - *began).count());
  return judged;
}

struct ThreadedStoreRunner::Impl {
  Impl(std::unique_ptr<Store> the_store, std::unique_ptr<StoreReader> the_reader,
       std::unique_ptr<StoreReader> the_query_reader, std::function<void(std::function<void()>)> post)
      : store(std::move(the_store)),
        reader(std::move(the_reader)),
        query_reader(std::move(the_query_reader)),
        post_to_loop(std::move(post)) {
    writer_thread = std::thread([this] { write_loop(); });
    reader_thread = std::thread([this] { read_loop(reads, *reader, read_problem); });
    query_thread = std::thread([this] { read_loop(queries, *query_reader, query_problem); });
  }

  ~Impl() {
    writes.close();
    reads.close();
    queries.close();
    writer_thread.join();
    reader_thread.join();
    query_thread.join();
  }

  void write_loop() {
    for (auto jobs = writes.take_all(); !jobs.empty(); jobs = writes.take_all()) {
      const auto began = Steady::now();
      note_health([&](StoreHealth& now) { now.began = began; });
      std::vector<std::function<void()>> answers;
      const std::string problem = write_group(jobs, answers);
      // Before the answers: whoever has one finds its group here.
      note_health([&](StoreHealth& now) {
        now.ok = problem.empty();
        now.problem = problem;
        now.last_commit = std::chrono::duration_cast<Millis>(Steady::now() - began);
        ++now.commits;
      });
      for (auto& answer : answers) post_to_loop(std::move(answer));
      tidy();
    }
    if (damaged) store->leave_log();
  }

  // Still part of the group's time: it writes to the same disk, which may hang now.
  void tidy() {
    std::string problem;
    try {
      if (!damaged) store->tidy();
    } catch (const std::exception& error) {
      problem = report(error);
    }
    note_health([&](StoreHealth& now) {
      now.began.reset();
      if (problem.empty()) return;
      now.ok = false;
      now.problem = problem;
    });
  }

  // Its words for the operator.
  std::string report(const std::exception& error) {
    const auto* said = dynamic_cast<const StoreError*>(&error);
    if (!said) return error.what();
    if (said->is_damage()) damaged = true;
    if (failed) failed(*said);
    return said->plain();
  }

  template <class Change>
  void note_health(Change change) {
    std::lock_guard lock(health_mutex);
    change(health);
  }

  // The last failure's words; empty if all were committed.
  std::string write_group(std::deque<WriteJob>& jobs, std::vector<std::function<void()>>& answers) {
    try {
      run_group(*store, jobs, damaged);
      answers.push_back(answer(jobs, ""));
      return "";
    } catch (const std::exception& error) {
      if (jobs.size() == 1 || damaged || is_damage(error)) {
        // First, so that it is noted before anybody hears of it.
        std::string problem = report(error);
        answers.push_back(answer(jobs, error.what()));
        return problem;
      }
    }
    // One bad operation must not fail its neighbours: each alone.
    std::string problem;
    for (auto& job : jobs) {
      std::deque<WriteJob> alone;
      alone.push_back(std::move(job));
      if (auto why = write_group(alone, answers); !why.empty()) problem = std::move(why);
    }
    return problem;
  }

  static std::function<void()> answer(std::deque<WriteJob>& jobs, const std::string& problem) {
    return [done = std::make_shared<std::deque<WriteJob>>(std::move(jobs)), problem] {
      const Error error{problem};
      for (auto& job : *done) job.done(problem.empty() ? nullptr : &error);
    };
  }

  void read_loop(JobQueue<ReadJob>& queue, StoreReader& from, std::string& problem) {
    for (auto jobs = queue.take_all(); !jobs.empty(); jobs = queue.take_all()) {
      for (auto& job : jobs) {
        std::string words, plain;
        try {
          job.run(from);
        } catch (const std::exception& error) {
          words = error.what();
          plain = report(error);
        }
        note_health([&](StoreHealth&) { problem = plain; });
        post_to_loop([done = std::move(job.done), words] {
          const Error error{words};
          done(words.empty() ? nullptr : &error);
        });
      }
    }
  }

  std::unique_ptr<Store> store;
  std::unique_ptr<StoreReader> reader, query_reader;
  std::function<void(std::function<void()>)> post_to_loop;
  std::function<void(const StoreError&)> failed;
  std::atomic<bool> damaged = false;  // the file
  JobQueue<WriteJob> writes;
  JobQueue<ReadJob> reads, queries;
  mutable std::mutex health_mutex;
  StoreHealth health;
  std::string read_problem, query_problem;  // of the last read of either reader
  std::thread writer_thread, reader_thread, query_thread;
};

ThreadedStoreRunner::ThreadedStoreRunner(std::unique_ptr<Store> store, std::unique_ptr<StoreReader> reader,
                                         std::unique_ptr<StoreReader> query_reader,
                                         std::function<void(std::function<void()>)> post_to_loop)
    : impl_(std::make_unique<Impl>(std::move(store), std::move(reader), std::move(query_reader),
                                   std::move(post_to_loop))) {}
ThreadedStoreRunner::~ThreadedStoreRunner() = default;

void ThreadedStoreRunner::submit(WriteJob job) { impl_->writes.push(std::move(job)); }
void ThreadedStoreRunner::submit(ReadJob job) { impl_->reads.push(std::move(job)); }
void ThreadedStoreRunner::submit_query(ReadJob job) { impl_->queries.push(std::move(job)); }

void ThreadedStoreRunner::on_failure(std::function<void(const StoreError&)> f) { impl_->failed = std::move(f); }

StoreHealth ThreadedStoreRunner::health() const {
  std::lock_guard lock(impl_->health_mutex);
  StoreHealth health = impl_->health.at(Steady::now());
  if (health.ok) health.problem = impl_->read_problem.empty() ? impl_->query_problem : impl_->read_problem;
  health.ok = health.problem.empty();
  return health;
}

}  // namespace tulpar::queue
