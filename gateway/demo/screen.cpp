// SPDX-License-Identifier: Apache-2.0
#include "gateway/demo/screen.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>
#include <utility>

#include "gateway/demo/text.hpp"

namespace tulpar::demo {
namespace {

constexpr std::size_t kMinWidth = 40;
constexpr std::size_t kLabel = 13;
// Below this height the ornaments give way to what matters.
constexpr std::size_t kTall = 21;
// From here on the keys have room for more than a word.
constexpr std::size_t kWide = 66;
// A title, a message, and room to breathe.
constexpr std::size_t kFeed = 3;
constexpr Millis kDotStep{120};
constexpr std::size_t kDotGap = 9;

std::string repeat(std::string_view piece, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += piece;
  return out;
}

// In eighths of a character, so that it moves smoothly.
std::string bar(std::uint64_t value, std::uint64_t full, std::size_t width) {
  static constexpr const char* kEighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  if (value == 0 || full == 0) return "";
  const std::size_t eighths = std::max<std::size_t>(1, value * width * 8 / full);
  return repeat("█", eighths / 8) + kEighths[eighths % 8];
}

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

class Page {
 public:
  Page(const DemoState& state, std::size_t width, std::size_t height)
      : state_(state), width_(std::max(width, kMinWidth)), column_((width_ - 3) / 2), tall_(height >= kTall) {}

  std::vector<Line> top() const {
    std::vector<Line> lines{header()};
    if (tall_) lines.emplace_back();
    lines.push_back(two(Line(" Tulpar", Ink::kBold), Line("plain mosquitto bridge", Ink::kBold)));
    if (tall_) {
      lines.push_back(two(Line(" ").add(way(state_.tulpar, Ink::kGreen)), way(state_.bridge, Ink::kYellow)));
    }
    lines.push_back(rule("┼"));
    lines.push_back(
        two(Line(" ").add(waiting(state_.tulpar, Ink::kGreen)), waiting(state_.bridge, Ink::kYellow)));
    lines.push_back(both("delivered", [](const LaneView& lane) { return thousands(lane.delivered); }));
    if (tall_) {
      lines.push_back(both("by people", [](const LaneView& lane) {
        return fmt::format("{} of {}", thousands(lane.human_delivered), thousands(lane.human));
      }));
    }
    lines.push_back(both("superseded", [](const LaneView& lane) {
      return lane.replaced == 0 ? "–" : fmt::format("{}, a newer one went", thousands(lane.replaced));
    }));
    lines.push_back(both("on the wire", [](const LaneView& lane) {
      return fmt::format("{} up, {} down", byte_count(lane.wire_up), byte_count(lane.wire_down));
    }));
    lines.push_back(both(
        "each message", [](const LaneView& lane) { return byte_mean(lane.each()); }, Ink::kBold));
    const std::string label = fmt::format("money, {:.3g}/MB", static_cast<double>(state_.price_per_mb) / 1e9);
    lines.push_back(both(
        label, [this](const LaneView& lane) { return money(lane.cost) + " " + state_.currency; }, Ink::kBold));
    lines.push_back(rule("┴"));
    return lines;
  }

  // In `room` lines: the latest races, and below them what came out lately.
  std::vector<Line> middle(std::size_t room) const {
    std::vector<Line> lines;
    const std::size_t fit = std::min(room / 2, state_.races.size());
    for (std::size_t i = state_.races.size() - fit; i < state_.races.size(); ++i) {
      for (const Line& line : race(state_.races[i])) lines.push_back(line);
    }
    if (lines.size() < room) lines.emplace_back();
    if (tall_ && room >= lines.size() + kFeed) {
      for (const Line& line : feed(room - lines.size() - 1)) lines.push_back(line);
    }
    lines.resize(room);  // what is below stays where it is
    return lines;
  }

  std::vector<Line> bottom() const {
    std::vector<Line> lines;
    if (const std::string text = verdict(); !text.empty()) lines.push_back(Line(" " + text, Ink::kGreen));
    if (tall_ && !state_.note.empty()) lines.push_back(Line(" " + state_.note, Ink::kDim));
    if (!state_.page.empty()) {
      lines.push_back(
          Line(" page: ", Ink::kDim).add(state_.page, Ink::kCyan).add("  " + state_.page_note, Ink::kDim));
    }
    Line keys;
    for (const auto& [key, what] : {std::pair("s", "SOS"),
                                    {"c", state_.link_up ? "cut the satellite" : "mend it"},
                                    {"r", width_ < kWide ? "reply" : "reply from the internet"},
                                    {"q", "quit"}}) {
      if (keys.width() > 0) keys.add(" · ", Ink::kDim);
      keys.add(keys.width() > 0 ? key : fmt::format(" {}", key), Ink::kBold).add(fmt::format(" {}", what));
    }
    lines.push_back(keys);
    return lines;
  }

 private:
  std::vector<Line> race(const RaceView& race) const {
    const bool sos = race.kind == RaceView::Kind::kSos;
    Line title(sos ? " SOS" : " Reply", sos ? Ink::kRed : Ink::kCyan);
    title.add(fmt::format(" sent {}", race.sent_at), Ink::kBold);
    if (!race.words.empty()) title.add((sos ? " by " : ": ") + race.words);
    return {title, two(Line(" ").add(outcome(race.tulpar, race.age, race.tulpar_passed, 0)),
                       outcome(race.bridge, race.age, 0, race.bridge_ahead))};
  }

  // What came out lately, as much of it as `height` lines hold.
  std::vector<Line> feed(std::size_t height) const {
    const std::string title = "on the internet, latest first";
    std::vector<Line> lines{two(Line(" " + title, Ink::kDim), Line(title, Ink::kDim))};
    const auto line = [](const LaneView& lane, std::size_t i) {
      if (i >= lane.latest.size()) return Line();
      const FeedLine& said = lane.latest[i];
      if (said.run == 1) return Line(said.text, said.human ? Ink::kPlain : Ink::kDim);
      return Line(fmt::format("{} from machines, last {}", thousands(said.run), said.text), Ink::kDim);
    };
    for (std::size_t i = 0; i + 1 < height; ++i) {
      lines.push_back(two(Line(" ").add(line(state_.tulpar, i)), line(state_.bridge, i)));
    }
    return lines;
  }

  Line header() const {
    const std::string left = fmt::format(" TULPAR  {} nodes · {} bit/s · {} ms · {:.3g} % lost", state_.nodes,
                                         thousands(state_.rate), state_.delay.count(), state_.loss * 100);
    const std::string right = fmt::format(" {}  {} ", state_.link_up ? "● satellite up" : "✕ SATELLITE CUT",
                                          time_span(state_.running));
    const std::size_t room = width_ - std::min(width_, text_width(right));
    return Line(left, Ink::kBar).fit(room).add(right, Ink::kBar);
  }

  Line two(const Line& left, const Line& right) const {
    return left.fit(column_).add(" │ ", Ink::kDim).add(right);
  }

  Line rule(std::string_view joint) const {
    return Line(repeat("─", column_ + 1) + std::string(joint) + repeat("─", width_ - column_ - 2), Ink::kDim);
  }

  Line row(std::string_view label, std::string value, Ink ink) const {
    return Line(fmt::format("{:<{}} ", label, kLabel), Ink::kDim).add(std::move(value), ink);
  }

  template <class Value>
  Line both(std::string_view label, Value value, Ink ink = Ink::kPlain) const {
    return two(Line(" ").add(row(label, value(state_.tulpar), ink)), row(label, value(state_.bridge), ink));
  }

  Line waiting(const LaneView& lane, Ink ink) const {
    Line line = row("waiting", fmt::format("{:<7}", thousands(lane.waiting)), Ink::kBold);
    const std::uint64_t full = std::max({state_.tulpar.waiting, state_.bridge.waiting, std::uint64_t{50}});
    const std::size_t room = column_ > line.width() + 1 ? column_ - line.width() - 1 : 0;
    return line.add(bar(lane.waiting, full, room), ink);
  }

  // Messages flying from the mesh to the internet, while there are some; they stop where the satellite is cut.
  Line way(const LaneView& lane, Ink ink) const {
    const std::size_t length = column_ > 18 ? column_ - 18 : 4;
    Line line("mesh ", Ink::kDim);
    const auto shift = static_cast<std::size_t>(state_.running / kDotStep) % kDotGap;
    for (std::size_t i = 0; i < length; ++i) {
      if (!state_.link_up) {
        line.add(i == length / 2 ? "✕" : "·", i == length / 2 ? Ink::kRed : Ink::kDim);
      } else {
        const bool dot = lane.flying && (i + kDotGap - shift) % kDotGap == 0;
        line.add(dot ? "●" : "·", dot ? ink : Ink::kDim);
      }
    }
    return line.add(" internet", Ink::kDim);
  }

  static Line outcome(const std::optional<Millis>& took, Millis age, std::uint64_t passed,
                      std::uint64_t ahead) {
    if (took) {
      Line line("✓ ", Ink::kGreen);
      line.add(fmt::format("delivered in {}", time_span(*took)), Ink::kBold);
      return passed > 0 ? line.add(fmt::format(", past {}", thousands(passed)), Ink::kDim) : line;
    }
    Line line("… ", Ink::kYellow);
    line.add(fmt::format("still waiting {}", time_span(age)));
    return ahead > 0 ? line.add(fmt::format(" ({} ahead)", thousands(ahead)), Ink::kDim) : line;
  }

  // What a stranger should take home.
  std::string verdict() const {
    const LaneView &t = state_.tulpar, &b = state_.bridge;
    if (t.wire() == 0 || t.delivered == 0 || b.delivered == 0) return "";
    if (b.each() <= t.each()) return "";
    std::string text = fmt::format("Tulpar so far: {:.1f} times fewer bytes a message", b.each() / t.each());
    for (auto race = state_.races.rbegin(); race != state_.races.rend(); ++race) {
      if (race->kind != RaceView::Kind::kSos || !race->tulpar) continue;
      const Millis other = race->bridge ? *race->bridge : race->age;
      if (other > *race->tulpar) {
        text += fmt::format(", SOS {}{} sooner", race->bridge ? "" : "more than ",
                            time_span(other - *race->tulpar));
      }
      break;
    }
    return text;
  }

  const DemoState& state_;
  std::size_t width_, column_;
  bool tall_;
};

}  // namespace

std::string render(const DemoState& state, std::size_t width, std::size_t height, bool colour) {
  const Page page(state, width, height);
  std::vector<Line> lines = page.top();
  const std::vector<Line> bottom = page.bottom();
  const std::size_t fixed = lines.size() + bottom.size();
  for (const Line& line : page.middle(height - std::min(height, fixed))) lines.push_back(line);
  if (fixed > height) lines.resize(height - std::min(height, bottom.size()));
  lines.insert(lines.end(), bottom.begin(), bottom.end());
  if (lines.size() > height) lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(height));

  std::string out;
  for (const Line& line : lines) {
    if (!out.empty()) out += '\n';
    out += line.fit(width).str(colour);
  }
  return out;
}

std::string repaint(const std::string& text, const std::string& before) {
  const std::vector<std::string> lines = split(text), old = split(before);
  const bool same_height = lines.size() == old.size();
  std::string out;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (same_height && lines[i] == old[i]) continue;
    out += fmt::format("\x1b[{};1H{}\x1b[K", i + 1, lines[i]);
  }
  return same_height ? out : out + "\x1b[J";
}

}  // namespace tulpar::demo
