// SPDX-License-Identifier: Apache-2.0
#include "tests/catch.hpp"
#include "tests/config/loading.hpp"

using namespace tulpar;
using namespace tulpar::config;
using namespace std::chrono_literals;

TEST_CASE("everything that a gateway can be told arrives") {
  const auto got = gateway(R"(rate = "88kbit/s"
downlink = "after-uplink"
transport = "tls"
[mqtt]
host = "broker.example.org"
port = 8883
username = "u"
password = "p"
topics = ["msh/#", "mesh/#"]
[mqtt.tls]
enabled = true
ca = "/ca.pem"
cert = "/c.pem"
key = "/k.pem"
insecure = true
[[channel]]
name = "LongFast"
psk = "AQ=="
[[channel]]
name = "Open"
psk = ""
[web]
listen = "[::1]:9000"
tls = "off"
[storage]
max_size = "2GB"
keep_delivered = "0s"
keep_story = "7d"
)");
  CHECK(got.links[0].rate == 88'000);
  CHECK(got.links[0].downlink == Downlink::kAfterUplink);
  CHECK((got.mqtt.host == "broker.example.org" && got.mqtt.port == 8883 && !got.mqtt.managed()));
  CHECK((got.mqtt.username == "u" && got.mqtt.password == "p"));
  CHECK(got.mqtt.topics == std::vector<std::string>{"msh/#", "mesh/#"});
  CHECK(got.mqtt.tls == MqttTls{true, "/ca.pem", "/c.pem", "/k.pem", true});
  REQUIRE(got.channels.size() == 2);
  CHECK(got.channels[0] == Channel{"LongFast", {1}});
  CHECK(got.channels[1].psk.empty());
  CHECK((got.web.listen == "[::1]:9000" && got.web.tls == "off"));
  CHECK(got.storage == Storage{2'000'000'000, 0s, 168h});
}

TEST_CASE("a managed broker has users, a foreign one does not") {
  const auto got =
      gateway("[mqtt]\nlisten = \"10.0.0.1:1883\"\n[[mqtt.users]]\nname = \"a\"\npassword = \"p\"\n");
  CHECK(got.mqtt.managed());
  CHECK(got.mqtt.listen == "10.0.0.1:1883");
  REQUIRE(got.mqtt.users.size() == 1);
  CHECK(got.mqtt.users[0] == Mqtt::User{"a", "p", {"#"}});
  const auto out = told_of(
      "[mqtt]\nhost = \"b\"\nlisten = \"10.0.0.1:1883\"\n[[mqtt.users]]\nname = \"a\"\npassword = \"p\"\n");
  CHECK(has(out, "g:7: warning: [mqtt] listen = \"10.0.0.1:1883\": has no effect"));
  CHECK(has(out, "g:8: warning: [mqtt] users: has no effect"));
  CHECK(has(told_of("[mqtt]\nusername = \"u\""), "warning: [mqtt] username = \"u\": has no effect"));
  CHECK(has(told_of("[mqtt.tls]\nenabled = true"), "warning: [mqtt] tls: has no effect"));
}

TEST_CASE("a second link is one clear error") {
  CHECK(told_of("[[link]]\nname = \"b\"\nenrolment_file = \"/x\"\n") ==
        "g:5: [[link]]: only one [[link]] for now; remove this one\n");
  CHECK(has(told_of("[[link]]\nenrolment_file = \"/x\"\n[[link]]\n"), "link: too many; 2 are allowed"));
}

TEST_CASE("a gateway without a link is told what it lacks") {
  CHECK(told(parse_gateway("name = \"a\"", "g").problems) ==
        "g: link: missing; a gateway needs one [[link]] with its enrolment_file\n");
  CHECK(told(parse_gateway("name = \"a\"\n[[link]]", "g").problems) ==
        "g:2: [[link]] enrolment_file: missing; write e.g. enrolment_file = \"/etc/tulpar/NAME.enrolment\"\n");
  CHECK(has(told(parse_gateway("name = \"a\"\n[link]\nrate = \"9600bit/s\"", "g").problems),
            "each written [[link]]"));
  CHECK(has(told(parse_gateway("name = \"a\"\n[[link]]\nenrolment_file = \"\"", "g").problems),
            "`tulpar enrol`"));
}

TEST_CASE("transports that are not served are known by name") {
  CHECK(told_of("transport = \"udp\"") ==
        "g:5: [[link]] transport = \"udp\": known, but not served at the gateway yet; write \"tls\"\n");
  CHECK(has(told_of("transport = \"auto\""), "not served at the gateway yet"));
  CHECK(told_of("transport = \"tcp\"") ==
        "g:5: [[link]] transport = \"tcp\": must be one of \"tls\", \"udp\", \"auto\"\n");
}

TEST_CASE("each value has its bounds") {
  struct Bound {
    const char* text;
    const char* told;  // "": it is fine
  };
  const auto bound = GENERATE(
      Bound{"rate = \"300bit/s\"", ""},
      Bound{"rate = \"299bit/s\"", "out of range; allowed is 300bit/s to 1Gbit/s"},
      Bound{"rate = \"1Gbit/s\"", ""}, Bound{"rate = \"1000000001bit/s\"", "out of range"},
      Bound{"[mqtt]\nhost = \"a\"\nport = 0", "1 to 65535"}, Bound{"[mqtt]\nhost = \"a\"\nport = 65535", ""},
      Bound{"[mqtt]\nhost = \"a:1883\"", "a host without a port"},
      Bound{"[mqtt]\ntopics = []", "must not be empty"},
      Bound{"[mqtt]\ntopics = [\"a#\"]", "topics[1] = \"a#\": not a topic filter"},
      Bound{"[mqtt]\nlisten = \"1883\"", "not HOST:PORT"},
      Bound{"[mqtt]\nhost = \"a\"\npassword = \"p\"", "a password goes with a username"},
      Bound{"[mqtt]\nhost = \"a\"\n[mqtt.tls]\nenabled = true\ncert = \"c\"", "cert and key go together"},
      Bound{"[mqtt]\nhost = \"a\"\n[mqtt.tls]\nca = \"c\"", "warning"},
      Bound{"[[mqtt.users]]\nname = \"a\"\npassword = \"\"", "must not be empty"},
      Bound{"[[mqtt.users]]\nname = \"a\"", "password: missing"},
      Bound{"[[mqtt.users]]\nname = \"a\"\npassword = \"x\"\n[[mqtt.users]]\nname = \"a\"\npassword = \"y\"",
            "given twice"},
      Bound{"[[channel]]\nname = \"a\"", "psk: missing"}, Bound{"[[channel]]\npsk = \"AQ==\"", "name: missing"},
      Bound{"[[channel]]\nname = \"a\"\npsk = \"\"\n[[channel]]\nname = \"a\"\npsk = \"AQ==\"", "given twice"},
      Bound{"[[channel]]\nname = \"a\"\npsk = \"1PG7OiApB1nwvP+rz05pAQ==\"", ""},
      Bound{"[[channel]]\nname = \"a\"\npsk = \"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"", ""},
      Bound{"[[channel]]\nname = \"a\"\npsk = \"AAA=\"", "a key of 2 bytes"}, Bound{"[web]\nlisten = \"\"", ""},
      Bound{"[web]\nlisten = \"0.0.0.0:1\"", ""}, Bound{"[web]\ntls = \"on\"", "must be \"auto\", \"off\" or"},
      Bound{"[web]\ntls = { cert = \"c\" }", "tls.key: missing"},
      Bound{"[web]\nlisten = \"localhost:1\"\ntls = \"off\"", ""},
      Bound{"[storage]\nmax_size = \"9MB\"", "out of range"},
      Bound{"[storage]\nkeep_delivered = \"31d\"", "out of range"},
      Bound{"[storage]\nkeep_story = \"1h\"\nkeep_delivered = \"2h\"",
            "must not be shorter than keep_delivered"});
  CAPTURE(bound.text);
  const auto out = told_of(bound.text);
  CAPTURE(out);
  CHECK((*bound.told == '\0' ? out.empty() : has(out, bound.told)));
}

TEST_CASE("name and state directory are checked") {
  const auto of = [](std::string_view head) {
    return told(parse_gateway(std::string(head) + "\n[[link]]\nenrolment_file = \"/x\"", "g").problems);
  };
  CHECK(of("") == "g: name: missing; write e.g. name = \"almaty-roof\"\n");
  CHECK(has(of("name = \"a/b\""), "g:1: name = \"a/b\": not a name"));
  CHECK(has(of("name = \"a\"\nstate_dir = \"var\""), "g:2: state_dir = \"var\": not an absolute path"));
}
