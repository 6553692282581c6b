// SPDX-License-Identifier: Apache-2.0
#include "bridge/managed_broker.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <spdlog/spdlog.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/post.hpp>
#include <utility>

#include "bridge/broker_process.hpp"

namespace tulpar::bridge {

using boost::asio::posix::stream_descriptor;
using boost::system::error_code;
using std::chrono::steady_clock;

Result<std::unique_ptr<ManagedBroker>> ManagedBroker::create(boost::asio::io_context& loop,
                                                             const config::Mqtt& mqtt,
                                                             const std::string& state_dir,
                                                             std::string program) {
  if (access(program.c_str(), X_OK) != 0) {
    return Error{fmt::format("{} is not there: install the package mosquitto, or name a broker as [mqtt] host",
                             program)};
  }
  auto place = open_broker_place(state_dir + "/broker");
  if (!place) return place.error();
  auto files = broker_files(mqtt, *place);
  if (!files) return files.error();
  return std::unique_ptr<ManagedBroker>(
      new ManagedBroker(loop, mqtt, std::move(*place), std::move(*files), std::move(program)));
}

ManagedBroker::ManagedBroker(boost::asio::io_context& loop, config::Mqtt mqtt, BrokerPlace place,
                             BrokerFiles files, std::string program)
    : mqtt_(std::move(mqtt)),
      place_(std::move(place)),
      files_(std::move(files)),
      program_(std::move(program)),
      backoff_(random_uniform()),
      ended_(loop),
      timer_(loop) {}

ManagedBroker::~ManagedBroker() = default;

void ManagedBroker::start() {
  const auto running = find_broker(place_.dir, program_);
  if (!running) return launch();
  if (auto watched = watch(*running); !watched) return launch();
  // Its files are only written while none runs: it runs on what is there.
  if (read_broker_files(place_.dir) == files_) {
    status_.adopted = true;
    spdlog::info("broker: process {} runs already", *running);
    return;
  }
  spdlog::info("broker: process {} runs on an older configuration; replacing it", *running);
  replacing_ = true;
  terminate();
}

void ManagedBroker::launch() {
  if (auto written = write_broker_files(place_.dir, files_); !written) return fail(written.error().message);
  const auto pid = start_broker(place_.dir, program_);
  if (!pid) return fail(pid.error().message);
  if (auto watched = watch(*pid); !watched) return fail(watched.error().message);
  spdlog::info("broker: started as process {}, listening on {}", *pid, mqtt_.listen);
}

Result<void> ManagedBroker::watch(pid_t pid) {
  auto handle = ProcessHandle::open(pid);
  if (!handle) return handle.error();
  error_code ignored;
  ended_.close(ignored);
  ended_.assign(handle->release());
  status_.running = true;
  status_.adopted = false;
  status_.pid = pid;
  started_at_ = steady_clock::now();
  ended_.async_wait(stream_descriptor::wait_read,
                    [this, alive = std::weak_ptr<int>(alive_)](const error_code& ec) {
                      if (!ec && !alive.expired()) on_ended();
                    });
  return {};
}

void ManagedBroker::on_ended() {
  // Not our child if an earlier gateway started it; then there is nothing to reap.
  waitpid(status_.pid, nullptr, WNOHANG);
  timer_.cancel();
  error_code ignored;
  ended_.close(ignored);
  status_.running = status_.adopted = false;
  status_.pid = 0;
  if (stopped_) return std::exchange(stopped_, nullptr)();
  if (std::exchange(replacing_, false)) return launch();
  if (steady_clock::now() - started_at_ >= Backoff::kSuccess) backoff_.reset();
  const std::string complaint = broker_complaint(place_.dir);
  look_for_damage(complaint);
  fail(complaint.empty() ? "mosquitto ended" : fmt::format("mosquitto ended: {}", complaint));
}

// The second time: the first end may have another cause, such as memory that was short for a moment.
void ManagedBroker::look_for_damage(const std::string& complaint) {
  if (complaint.find("Couldn't open database") == std::string::npos) {
    unreadable_ = 0;
    return;
  }
  if (++unreadable_ < 2) return;
  unreadable_ = 0;
  const auto aside = set_damaged_aside(place_.dir);
  if (!aside) {
    spdlog::error("broker: {}", aside.error().message);
  } else if (!aside->empty()) {
    status_.loss = fmt::format("what it kept was damaged and is now {}: it began with nothing", *aside);
    spdlog::error("broker: {}", status_.loss);
  }
}

void ManagedBroker::fail(std::string why) {
  if (why != status_.problem) spdlog::error("broker: {}", why);
  status_.problem = std::move(why);
  after(backoff_.next(), [this] {
    ++status_.restarts;
    start();
  });
}

void ManagedBroker::stop(std::function<void()> done) {
  timer_.cancel();
  if (!status_.running) {
    boost::asio::post(timer_.get_executor(), std::move(done));
    return;
  }
  stopped_ = std::move(done);
  terminate();
}

void ManagedBroker::terminate() {
  send_signal(SIGTERM);
  after(kPatience, [this] {
    spdlog::warn("broker: process {} does not end; killing it", status_.pid);
    send_signal(SIGKILL);
  });
}

// By descriptor: the number may be another process's by now.
void ManagedBroker::send_signal(int number) {
  if (ended_.is_open()) syscall(SYS_pidfd_send_signal, ended_.native_handle(), number, nullptr, 0);
}

void ManagedBroker::after(Millis wait, std::function<void()> work) {
  timer_.expires_after(wait);
  timer_.async_wait([alive = std::weak_ptr<int>(alive_), work = std::move(work)](const error_code& cancelled) {
    if (!cancelled && !alive.expired()) work();
  });
}

}  // namespace tulpar::bridge
