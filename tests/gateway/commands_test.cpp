// SPDX-License-Identifier: Apache-2.0
#include "gateway/commands.hpp"

#include <fmt/format.h>

#include "config/load.hpp"
#include "gateway/link/enrolment.hpp"
#include "tests/gateway/captured.hpp"
#include "tests/gateway/web/server_bench.hpp"

namespace tulpar {
namespace {

std::string written(const std::string& path, const std::string& text) {
  std::ofstream(path) << text;
  return path;
}

std::string gateway_text(const std::string& state_dir) {
  return fmt::format("name = \"roof\"\nstate_dir = \"{}\"\n[[link]]\nenrolment_file = \"/etc/tulpar/roof\"\n",
                     state_dir);
}

// A command, ended: what it returned and printed.
struct Ran {
  int code;
  std::string out, error;
};
template <class Command>
Ran run(Command command, const std::string& input = "") {
  Captured captured(input);
  const int code = command();
  return {code, captured.out(), captured.error()};
}

// Configurations in a directory that is their state directory as well.
struct Files {
  queue::TempDir dir;
  std::string gateway = written(dir / "gateway.toml", gateway_text(dir / ""));
  std::string relay =
      written(dir / "relay.toml",
              fmt::format("name = \"r\"\nstate_dir = \"{}\"\n[[sink]]\naudience = \"private\"\n", dir / ""));
  std::string broken = written(dir / "broken.toml", gateway_text(dir / "") + "speed = 5\n[web]\nlisten = 7\n");
};

// A gateway that answers on its socket, and its configuration.
struct Running : web::ServerBench {
  std::string config = written(dir / "gateway.toml", gateway_text(dir.text()));
  std::optional<web::SendRequest> sent() {
    return on_loop([this] { return backend.sent; });
  }
};

}  // namespace

TEST_CASE_METHOD(Files, "tulpar check: a good file is said to be good") {
  const auto ran = run([&] { return check_command(gateway, false); });
  CHECK(ran.code == 0);
  CHECK(ran.out == gateway + ": good\n");
  CHECK(run([&] { return check_command(relay, false); }).code == 0);
}

TEST_CASE_METHOD(Files, "tulpar check: every problem is a line with its place, and the exit code is 1") {
  const auto ran = run([&] { return check_command(broken, false); });
  CHECK(ran.code == 1);
  CHECK(ran.out.empty());
  CHECK_THAT(ran.error, Contains("broken.toml") && Contains("speed") && Contains("listen"));
  CHECK(std::count(ran.error.begin(), ran.error.end(), '\n') == 2);
  const auto none = run([&] { return check_command(dir / "none.toml", true); });
  CHECK(none.code == 1);
  CHECK(none.out.empty());
  CHECK_THAT(none.error, Contains("none.toml"));
}

TEST_CASE_METHOD(Files, "tulpar check --effective: what is printed is the configuration in effect") {
  for (const auto& file : {gateway, relay}) {
    const auto ran = run([&] { return check_command(file, true); });
    CHECK(ran.code == 0);
    CHECK_THAT(ran.out, Contains("telemetry"));  // a default that the file does not name
    const auto again = config::load_any(written(dir / "again.toml", ran.out));
    REQUIRE(again.ok());
    CHECK((*again.value == *config::load_any(file).value));
  }
}

TEST_CASE_METHOD(Files, "tulpar enrol: the line that is printed is the one that the relay knows") {
  const auto ran = run([&] { return enrol_command("roof", relay, "relay.example:7700"); });
  CHECK(ran.code == 0);
  const auto line = link::parse_enrolment(ran.out);
  REQUIRE(line.has_value());
  CHECK(line->name == "roof");
  CHECK(line->address == "relay.example:7700");
  const link::EnrolmentBook book(dir / "");
  CHECK(book.find_key(line->key_id)->secret == line->secret);

  const auto twice = run([&] { return enrol_command("roof", relay, "relay.example:7700"); });
  CHECK(twice.code == 1);
  CHECK(twice.out.empty());
  CHECK_THAT(twice.error, StartsWith("tulpar: ") && Contains("enrolled already"));
  CHECK(run([&] { return enrol_command("../roof", relay, "r:1"); }).code == 1);

  const auto revoked = run([&] { return revoke_command("roof", relay); });
  CHECK(revoked.code == 0);
  CHECK(revoked.out == "roof is revoked\n");
  CHECK(book.names().value().empty());
  CHECK(run([&] { return revoke_command("roof", relay); }).code == 1);
}

TEST_CASE_METHOD(Files,
                 "tulpar enrol: an address that no gateway could reach is refused, and nobody enrolled") {
  const auto* address =
      GENERATE("relay.example", "relay.example:", "relay.example:0", ":7700", "a b:1", "r:70000");
  const auto ran = run([&] { return enrol_command("roof", relay, address); });
  CHECK(ran.code == 1);
  CHECK(ran.out.empty());
  CHECK_THAT(ran.error, StartsWith("tulpar: ") && Contains("HOST:PORT"));
  CHECK(run([&] { return enrol_command("roof", relay, "[2001:db8::1]:7700"); }).code == 0);
}

TEST_CASE_METHOD(Files, "tulpar enrol: only a relay's configuration will do") {
  for (const auto& file : {gateway, broken, dir / "none.toml"}) {
    CHECK(run([&] { return enrol_command("roof", file, "r:1"); }).code == 1);
    const auto ran = run([&] { return revoke_command("roof", file); });
    CHECK(ran.code == 1);
    CHECK_FALSE(ran.error.empty());
  }
  CHECK_FALSE(std::filesystem::exists(dir / "enrolments"));
}

TEST_CASE_METHOD(Files,
                 "tulpar status and send: where nobody runs they say so, where the file is bad they say what") {
  const auto ask = run([&] { return ask_command("status", gateway, false); });
  CHECK(ask.code == 1);
  CHECK(ask.out.empty());
  CHECK_THAT(ask.error, StartsWith("tulpar: ") && Contains("is tulpar running"));
  const auto send = run([&] { return send_command(gateway, "a", "", "x"); });
  CHECK(send.code == 1);
  CHECK_THAT(send.error, Contains("is tulpar running"));
  for (const auto& ran :
       {run([&] { return ask_command("plan", broken, true); }),
        run([&] { return send_command(broken, "a", "", "x"); }), run([&] { return passwd_command(broken); })}) {
    CHECK(ran.code == 1);
    CHECK_THAT(ran.error, Contains("speed"));
  }
}

TEST_CASE_METHOD(Running, "tulpar status: a table for people, the API's answer with --json") {
  const auto table = run([&] { return ask_command("status", config, false); });
  CHECK(table.code == 0);
  CHECK_THAT(table.out, Contains("name: almaty-roof\n"));
  const auto text = run([&] { return ask_command("status", config, true); });
  CHECK(text.code == 0);
  CHECK_THAT(text.out, StartsWith("{\"name\":\"almaty-roof\"") && EndsWith("}\n"));
}

TEST_CASE_METHOD(Running, "tulpar queue: what waits") {
  on_loop([&] { backend.list = {web::a_message(7)}; });
  const auto ran = run([&] { return ask_command("queue", config, false); });
  CHECK(ran.code == 0);
  CHECK_THAT(ran.out, Contains("mesh/a/text"));
  CHECK(on_loop([&] { return backend.asked; })->state == queue::State::kQueued);
}

TEST_CASE_METHOD(Running, "tulpar queue and send: a refusal is told in words, on standard error") {
  on_loop([&] { backend.failure = {web::Failure::Kind::kUnavailable, "the disk fails"}; });
  const auto ask = run([&] { return ask_command("queue", config, false); });
  CHECK(ask.code == 1);
  CHECK(ask.out.empty());
  CHECK(ask.error == "tulpar: the disk fails\n");
  const auto send = run([&] { return send_command(config, "a", "", "x"); });
  CHECK(send.code == 1);
  CHECK(send.out.empty());
  CHECK(send.error == "tulpar: the disk fails\n");
  const auto text = run([&] { return ask_command("queue", config, true); });
  CHECK(text.code == 1);
  CHECK_THAT(text.out, Contains("\"detail\":\"the disk fails\""));
}

TEST_CASE_METHOD(Running, "tulpar send: any bytes, as an argument or from standard input") {
  const auto carried = [&](const std::string& payload, const std::string& input = "") {
    const auto ran = run([&] { return send_command(config, "mesh/a", "bulk", payload); }, input);
    CHECK(ran.code == 0);
    CHECK(ran.out == "{\"id\":43}\n");
    const auto request = sent();
    CHECK(request->topic == "mesh/a");
    CHECK(request->cls == "bulk");
    return std::string(as_text(request->payload));
  };
  const std::string bytes("\0\xff\n\"\xd1\x81", 6);
  CHECK(carried("help") == "help");
  CHECK(carried("-", bytes) == bytes);
  CHECK(carried("", bytes) == bytes);
  CHECK(carried("", "").empty());
  CHECK(carried("-", std::string(100'000, 'x')).size() == 100'000);
  run([&] { return send_command(config, "mesh/a", "", "x"); });
  CHECK(sent()->cls.empty());
}

TEST_CASE_METHOD(Running, "tulpar send: what the API does not take ends with 1") {
  const auto topic = run([&] { return send_command(config, "mesh/#", "", "x"); });
  CHECK(topic.code == 1);
  CHECK_THAT(topic.error, Contains("must not hold +, #"));
  const auto cls = run([&] { return send_command(config, "mesh", "urgent", "x"); });
  CHECK(cls.code == 1);
  CHECK_THAT(cls.error, Contains("class"));
  const auto large = run([&] { return send_command(config, "mesh", "", "-"); }, std::string(3'000'000, 'x'));
  CHECK(large.code == 1);
  CHECK_FALSE(large.error.empty());
  CHECK_FALSE(sent());
}

TEST_CASE_METHOD(Files, "tulpar passwd: from a pipe, without a prompt") {
  const auto set = run([&] { return passwd_command(gateway); }, "a long sentence\nmore\n");
  CHECK(set.code == 0);
  CHECK(set.out.empty());
  CHECK(set.error == "The operator's password is set.\n");
  CHECK(web::check_password(dir / "", "a long sentence").value());
  const auto bad = run([&] { return passwd_command(gateway); }, "short\n");
  CHECK(bad.code == 1);
  CHECK_THAT(bad.error, StartsWith("tulpar: "));
  CHECK(run([&] { return passwd_command(gateway); }).code == 1);
  CHECK(web::check_password(dir / "", "a long sentence").value());
}

}  // namespace tulpar
