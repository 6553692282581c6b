// SPDX-License-Identifier: Apache-2.0
#include "queue/store_runner.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

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

// Runs the jobs in one transaction. Throws with nothing done.
void run_group(Store& store, std::deque<WriteJob>& jobs) {
  try {
    Transaction transaction(store.database());
    for (auto& job : jobs) job.run(store);
    store.flush();
    transaction.commit();
  } catch (...) {
    store.forget();
    throw;
  }
}

}  // namespace

struct ThreadedStoreRunner::Impl {
  Impl(std::unique_ptr<Store> the_store, std::unique_ptr<StoreReader> the_reader,
       std::function<void(std::function<void()>)> post)
      : store(std::move(the_store)), reader(std::move(the_reader)), post_to_loop(std::move(post)) {
    writer_thread = std::thread([this] { write_loop(); });
    reader_thread = std::thread([this] { read_loop(); });
  }

  ~Impl() {
    writes.close();
    reads.close();
    writer_thread.join();
    reader_thread.join();
  }

  void write_loop() {
    for (auto jobs = writes.take_all(); !jobs.empty(); jobs = writes.take_all()) {
      const auto began = std::chrono::steady_clock::now();
      std::vector<std::function<void()>> answers;
      const std::string problem = write_group(jobs, answers);
      {
        // Before the answers: whoever has one finds its group here.
        std::lock_guard lock(health_mutex);
        health.ok = problem.empty();
        health.problem = problem;
        health.last_commit = std::chrono::duration_cast<Millis>(std::chrono::steady_clock::now() - began);
        ++health.commits;
      }
      for (auto& answer : answers) post_to_loop(std::move(answer));
    }
  }

  // The last failure's words; empty if all were committed.
  std::string write_group(std::deque<WriteJob>& jobs, std::vector<std::function<void()>>& answers) {
    try {
      run_group(*store, jobs);
      answers.push_back(answer(jobs, ""));
      return "";
    } catch (const std::exception& error) {
      if (jobs.size() == 1) {
        answers.push_back(answer(jobs, error.what()));
        return error.what();
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

  void read_loop() {
    for (auto jobs = reads.take_all(); !jobs.empty(); jobs = reads.take_all()) {
      for (auto& job : jobs) {
        std::string words;
        try {
          job.run(*reader);
        } catch (const std::exception& error) {
          words = error.what();
        }
        post_to_loop([done = std::move(job.done), words] {
          const Error error{words};
          done(words.empty() ? nullptr : &error);
        });
      }
    }
  }

  std::unique_ptr<Store> store;
  std::unique_ptr<StoreReader> reader;
  std::function<void(std::function<void()>)> post_to_loop;
  JobQueue<WriteJob> writes;
  JobQueue<ReadJob> reads;
  mutable std::mutex health_mutex;
  StoreHealth health;
  std::thread writer_thread, reader_thread;
};

ThreadedStoreRunner::ThreadedStoreRunner(std::unique_ptr<Store> store, std::unique_ptr<StoreReader> reader,
                                         std::function<void(std::function<void()>)> post_to_loop)
    : impl_(std::make_unique<Impl>(std::move(store), std::move(reader), std::move(post_to_loop))) {}
ThreadedStoreRunner::~ThreadedStoreRunner() = default;

void ThreadedStoreRunner::submit(WriteJob job) { impl_->writes.push(std::move(job)); }
void ThreadedStoreRunner::submit(ReadJob job) { impl_->reads.push(std::move(job)); }

StoreHealth ThreadedStoreRunner::health() const {
  std::lock_guard lock(impl_->health_mutex);
  return impl_->health;
}

}  // namespace tulpar::queue
