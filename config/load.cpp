// SPDX-License-Identifier: Apache-2.0
#include "config/load.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "config/sections.hpp"

namespace tulpar::config {
namespace {

namespace fs = std::filesystem;

std::shared_ptr<const Origin> origin_of(const fs::path& file) {
  std::error_code ignored;
  return std::make_shared<Origin>(Origin{file.string(), fs::absolute(file, ignored).parent_path()});
}

// Where STATE_DIR is, which must be known before anything is read for good.
template <class T>
fs::path state_dir_of(const Node& document) {
  const Node* given = document.find("state_dir");
  const bool usable = given && given->kind == Node::Kind::kString && check_absolute(given->text);
  return usable ? given->text : T{}.state_dir;
}

// One loading: the documents, and what is wrong with them.
class Loading {
 public:
  Loading(const fs::path& file, const ReadFile& read) : name_(file.string()), read_(read) {
    document_ = open(file, true);
  }

  const std::optional<Node>& document() const { return document_; }

  template <class T>
  Loaded<T> finish() {
    T value;
    if (document_) {
      const auto state_dir = state_dir_of<T>(*document_);
      overlay_settings(state_dir / "settings.toml");
      TableReader reader(*document_, "", "", context_);
      read_root(reader, {state_dir / "plans", read_}, value);
      reader.finish();
    }
    Loaded<T> loaded;
    if (!context_.problems.has_errors()) loaded.value = std::move(value);
    loaded.problems = context_.problems.take(name_);
    return loaded;
  }

 private:
  std::optional<Node> open(const fs::path& file, bool required) {
    const auto origin = origin_of(file);
    const auto text = read_(file);
    if (text && *text) return parse_document(**text, origin, context_.problems);
    if (!text || required)
      context_.problems.add({.file = origin->name, .message = text ? "no such file" : text.error().message});
    return std::nullopt;
  }

  void overlay_settings(const fs::path& file) {
    auto settings = open(file, false);
    if (!settings) return;
    if (const Node* misplaced = settings->find("state_dir")) {
      context_.problems.add({.file = file.string(),
                             .line = misplaced->line,
                             .key = "state_dir",
                             .message = "not allowed here: these settings were found by it"});
      return;
    }
    document_ = overlay(*std::move(document_), *std::move(settings));
  }

  static void read_root(TableReader& reader, const PlanFolder& plans, Gateway& out) {
    read_gateway(reader, out, plans);
  }
  static void read_root(TableReader& reader, const PlanFolder&, Relay& out) { read_relay(reader, out); }

  std::string name_;
  const ReadFile& read_;
  Context context_;
  std::optional<Node> document_;
};

bool is_relay(const Node& document) {
  const auto has = [&](std::string_view key) { return document.find(key) != nullptr; };
  return (has("listen") || has("sink") || has("source")) && !has("link") && !has("mqtt");
}

template <class T>
Loaded<AnyConfig> to_any(Loaded<T> loaded) {
  Loaded<AnyConfig> any{.value = std::nullopt, .problems = std::move(loaded.problems)};
  if (loaded.value) any.value = *std::move(loaded.value);
  return any;
}

ReadFile only(const fs::path& file, std::string_view text) {
  return [file, text = std::string(text)](const fs::path& wanted) -> Result<std::optional<std::string>> {
    return wanted == file ? std::optional(text) : std::nullopt;
  };
}

}  // namespace

Result<std::optional<std::string>> read_file(const fs::path& path) {
  const auto failure = [&](int error) -> Result<std::optional<std::string>> {
    if (error == ENOENT) return std::optional<std::string>();
    return Error{fmt::format("cannot be read: {}", std::generic_category().message(error))};
  };
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return failure(errno);
  // One byte more than allowed tells a file that is too large from one that just fits.
  std::string text(kMaxFile + 1, '\0');
  std::size_t size = 0;
  ssize_t got = 0;
  do {
    got = ::read(fd, text.data() + size, text.size() - size);
    if (got > 0) size += static_cast<std::size_t>(got);
  } while ((got > 0 && size < text.size()) || (got < 0 && errno == EINTR));
  const int error = errno;
  ::close(fd);
  if (got < 0) return failure(error);
  if (size > kMaxFile) return Error{fmt::format("larger than {} bytes: no configuration", kMaxFile)};
  text.resize(size);
  return std::optional(std::move(text));
}

Loaded<Gateway> load_gateway(const fs::path& file, const ReadFile& read) {
  return Loading(file, read).finish<Gateway>();
}
Loaded<Relay> load_relay(const fs::path& file, const ReadFile& read) {
  return Loading(file, read).finish<Relay>();
}

Loaded<AnyConfig> load_any(const fs::path& file, const ReadFile& read) {
  Loading loading(file, read);
  if (loading.document() && is_relay(*loading.document())) return to_any(loading.finish<Relay>());
  return to_any(loading.finish<Gateway>());
}

Loaded<Gateway> parse_gateway(std::string_view text, std::string_view name) {
  return load_gateway(name, only(name, text));
}
Loaded<Relay> parse_relay(std::string_view text, std::string_view name) {
  return load_relay(name, only(name, text));
}

}  // namespace tulpar::config
