// SPDX-License-Identifier: Apache-2.0
#include "gateway/demo/display.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <utility>

#include "gateway/demo/screen.hpp"
#include "gateway/demo/summary.hpp"

namespace tulpar::demo {
namespace {

class Screen final : public Display {
 public:
  Screen(boost::asio::any_io_executor executor, std::unique_ptr<RawTerminal> terminal, Keyboard::OnKey on_key)
      : colour_(wants_colour(terminal->fd())),
        terminal_(std::move(terminal)),
        keyboard_(std::move(executor), *terminal_, std::move(on_key)) {}

  void show(const DemoState& state) override {
    const auto size = terminal_size(terminal_->fd());
    if (!size) {
      lost_ = true;
      return;
    }
    // A terminal that does not keep up gets fewer pictures, not a longer queue.
    if (!unsent_.empty()) return send();
    const bool same_size = size_ && size_->width == size->width && size_->height == size->height;
    std::string text = render(state, size->width, size->height, colour_);
    unsent_ = repaint(text, same_size ? shown_ : "");
    shown_ = std::move(text);
    size_ = size;
    send();
  }

  bool lost() const override { return lost_; }

 private:
  void send() {
    const ssize_t sent = write(terminal_->fd(), unsent_.data(), unsent_.size());
    if (sent > 0) unsent_.erase(0, static_cast<std::size_t>(sent));
    if (sent < 0 && errno != EAGAIN && errno != EINTR) lost_ = true;
  }

  bool colour_;
  bool lost_ = false;
  std::string shown_, unsent_;
  std::optional<TerminalSize> size_;
  std::unique_ptr<RawTerminal> terminal_;
  Keyboard keyboard_;
};

class Log final : public Display {
 public:
  Log(int fd, Millis every) : fd_(fd), every_(every) {}

  void show(const DemoState& state) override {
    if (page_.empty() && !state.page.empty()) {
      page_ = state.page;
      line("page: " + page_ + (state.page_note.empty() ? "" : "  " + state.page_note));
    }
    if (note_ != state.note) line(note_ = state.note);
    if (state.running < next_) return;
    line(summary(state));
    next_ = state.running - state.running % every_ + every_;
  }

  bool lost() const override { return lost_; }

 private:
  void line(std::string text) {
    text += '\n';
    std::size_t done = 0;
    while (!lost_ && done < text.size()) {
      const ssize_t sent = write(fd_, text.data() + done, text.size() - done);
      if (sent < 0 && errno != EINTR) lost_ = true;
      if (sent > 0) done += static_cast<std::size_t>(sent);
    }
  }

  int fd_;
  Millis every_, next_{0};
  bool lost_ = false;
  std::string page_, note_;
};

}  // namespace

Result<std::unique_ptr<Display>> make_screen(boost::asio::any_io_executor executor, int fd,
                                             Keyboard::OnKey on_key) {
  auto terminal = RawTerminal::enter(fd);
  if (!terminal) return terminal.error();
  return std::unique_ptr<Display>(new Screen(std::move(executor), std::move(*terminal), std::move(on_key)));
}

std::unique_ptr<Display> make_log(int fd, Millis every) { return std::make_unique<Log>(fd, every); }

}  // namespace tulpar::demo
