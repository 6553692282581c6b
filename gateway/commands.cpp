// SPDX-License-Identifier: Apache-2.0
#include "gateway/commands.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <termios.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <iostream>
#include <iterator>

#include "config/address.hpp"
#include "config/dump.hpp"
#include "config/load.hpp"
#include "gateway/link/enrolment.hpp"
#include "gateway/plain_text.hpp"
#include "gateway/web/client.hpp"
#include "gateway/web/password.hpp"

namespace tulpar {
namespace {

namespace json = boost::json;

void print_problems(const std::vector<config::Problem>& problems) {
  for (const auto& problem : problems) fmt::print(stderr, "{}\n", config::explain(problem));
}

// The state directory of a gateway's or relay's configuration; nothing, and the problems printed, if it has
// errors.
std::optional<std::string> state_dir(const std::string& config) {
  const auto loaded = config::load_any(config);
  if (!loaded.ok()) {
    print_problems(loaded.problems);
    return std::nullopt;
  }
  return std::visit([](const auto& value) { return value.state_dir; }, *loaded.value);
}

std::optional<config::Relay> relay_config(const std::string& file) {
  auto loaded = config::load_relay(file);
  if (loaded.ok()) return std::move(*loaded.value);
  print_problems(loaded.problems);
  return std::nullopt;
}

int fail(const std::string& words) {
  fmt::print(stderr, "tulpar: {}\n", words);
  return 1;
}

std::string to_base64(const std::string& bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  text.resize(static_cast<std::size_t>(EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                                       reinterpret_cast<const unsigned char*>(bytes.data()),
                                                       static_cast<int>(bytes.size()))));
  return text;
}

std::string read_hidden(const char* prompt) {
  std::string line;
  if (!isatty(STDIN_FILENO)) {
    std::getline(std::cin, line);
    return line;
  }
  fmt::print(stderr, "{}", prompt);
  termios before{};
  tcgetattr(STDIN_FILENO, &before);
  termios hidden = before;
  hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO);
  tcsetattr(STDIN_FILENO, TCSANOW, &hidden);
  std::getline(std::cin, line);
  tcsetattr(STDIN_FILENO, TCSANOW, &before);
  fmt::print(stderr, "\n");
  return line;
}

}  // namespace

int check_command(const std::string& file, bool effective) {
  const auto loaded = config::load_any(file);
  print_problems(loaded.problems);
  if (!loaded.ok()) return 1;
  if (effective)
    fmt::print("{}", std::visit([](const auto& value) { return config::dump(value); }, *loaded.value));
  else
    fmt::print("{}: good\n", file);
  return 0;
}

int enrol_command(const std::string& name, const std::string& config, const std::string& address) {
  const auto relay = relay_config(config);
  if (!relay) return 1;
  if (const auto good = config::parse_host_port(address); !good || good->port == 0)
    return fail(fmt::format("--address {}: not HOST:PORT; write e.g. relay.example.org:7700", address));
  const auto enrolment = link::EnrolmentBook(relay->state_dir).enrol(name, address);
  if (!enrolment) return fail(enrolment.error().message);
  fmt::print("{}\n", enrolment->line());
  return 0;
}

int revoke_command(const std::string& name, const std::string& config) {
  const auto relay = relay_config(config);
  if (!relay) return 1;
  if (auto revoked = link::EnrolmentBook(relay->state_dir).revoke(name); !revoked)
    return fail(revoked.error().message);
  fmt::print("{} is revoked\n", name);
  return 0;
}

int ask_command(const std::string& what, const std::string& config, bool as_json) {
  const auto dir = state_dir(config);
  if (!dir) return 1;
  const std::string path = what == "queue" ? "/api/v1/messages?state=queued&limit=50" : "/api/v1/" + what;
  const auto answer = web::Client(*dir).get(path);
  if (!answer) return fail(answer.error().message);
  if (!as_json && answer->status != 200) return fail(web::problem_text(*answer));
  fmt::print("{}", as_json ? answer->body + "\n" : plain_text(json::parse(answer->body)));
  return answer->status == 200 ? 0 : 1;
}

int send_command(const std::string& config, const std::string& topic, const std::string& cls,
                 const std::string& payload) {
  const auto dir = state_dir(config);
  if (!dir) return 1;
  std::string bytes = payload;
  if (payload.empty() || payload == "-") bytes.assign(std::istreambuf_iterator<char>(std::cin), {});
  json::object request{{"topic", topic}, {"payload_base64", to_base64(bytes)}};
  if (!cls.empty()) request["class"] = cls;
  const auto answer = web::Client(*dir).post("/api/v1/messages", json::serialize(request));
  if (!answer) return fail(answer.error().message);
  if (answer->status != 202) return fail(web::problem_text(*answer));
  fmt::print("{}\n", answer->body);
  return 0;
}

int passwd_command(const std::string& config) {
  const auto dir = state_dir(config);
  if (!dir) return 1;
  const std::string password = read_hidden("New operator password: ");
  if (isatty(STDIN_FILENO) && password != read_hidden("Again: ")) return fail("the two are not the same");
  if (auto set = web::set_password(*dir, password); !set) return fail(set.error().message);
  fmt::print(stderr, "The operator's password is set.\n");
  return 0;
}

}  // namespace tulpar
