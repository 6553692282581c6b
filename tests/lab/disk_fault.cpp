// SPDX-License-Identifier: Apache-2.0
//
// A disk that fails on command: preloaded into a program it stands between it and the C library, for the files
// below one folder. For tests only; disk_fault.py steers it.
//
// TULPAR_DISK_FAULT names a file of three 32-bit numbers, looked at with each call: what fails (the bits
// below), with which errno, and how many milliseconds a sync takes. TULPAR_DISK_FAULT_FOLDER names the folder.
// Any thread.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace {

constexpr std::uint32_t kGrow = 1;   // what makes a file larger, or a new one
constexpr std::uint32_t kWrite = 2;  // every write, and opening to write
constexpr std::uint32_t kSync = 4;
constexpr std::uint32_t kRead = 8;

struct Control {
  std::atomic<std::uint32_t> what, error, sync_ms;
};

std::array<std::atomic<bool>, 65'536> below{};  // by descriptor: its file is below the folder

const Control* control() {
  static const Control* const mapped = []() -> const Control* {
    const char* const name = std::getenv("TULPAR_DISK_FAULT");
    // Not through open(), which is below.
    const long fd = name ? syscall(SYS_openat, AT_FDCWD, name, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0) return nullptr;
    void* const at = mmap(nullptr, sizeof(Control), PROT_READ, MAP_SHARED, static_cast<int>(fd), 0);
    return at == MAP_FAILED ? nullptr : static_cast<const Control*>(at);
  }();
  return mapped;
}

template <class Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

bool is_below(const char* path) {
  static const char* const folder = std::getenv("TULPAR_DISK_FAULT_FOLDER");
  return folder && path && std::strncmp(path, folder, std::strlen(folder)) == 0;
}
bool is_below(int fd) { return fd >= 0 && static_cast<std::size_t>(fd) < below.size() && below[fd]; }

// With errno set.
bool fails(std::uint32_t what) {
  const Control* const now = control();
  if (!now || !(now->what & what)) return false;
  errno = static_cast<int>(now->error);
  return true;
}

bool write_fails(int fd, off_t at, std::size_t size) {
  if (!is_below(fd)) return false;
  if (fails(kWrite)) return true;
  struct stat file = {};
  return fstat(fd, &file) == 0 && at + static_cast<off_t>(size) > file.st_size && fails(kGrow);
}

int open_file(const char* path, int flags, mode_t mode) {
  static auto* const real = next<int(int, const char*, int, ...)>("openat");
  if (is_below(path)) {
    struct stat file = {};
    if ((flags & O_ACCMODE) != O_RDONLY && fails(kWrite)) return -1;
    if ((flags & O_CREAT) && stat(path, &file) != 0 && fails(kGrow)) return -1;
  }
  const int fd = real(AT_FDCWD, path, flags, mode);
  if (fd >= 0 && static_cast<std::size_t>(fd) < below.size()) below[fd] = is_below(path);
  return fd;
}

mode_t mode_of(int flags, va_list rest) { return flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0; }

int synced(int fd, const char* name) {
  if (is_below(fd)) {
    if (const Control* const now = control(); now && now->sync_ms > 0) {
      const timespec wait{now->sync_ms / 1000, static_cast<long>(now->sync_ms % 1000) * 1'000'000};
      nanosleep(&wait, nullptr);
    }
    if (fails(kSync)) return -1;
  }
  return next<int(int)>(name)(fd);
}

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = mode_of(flags, rest);
  va_end(rest);
  return open_file(path, flags, mode);
}
int open64(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = mode_of(flags, rest);
  va_end(rest);
  return open_file(path, flags, mode);
}
int close(int fd) {
  static auto* const real = next<int(int)>("close");
  if (fd >= 0 && static_cast<std::size_t>(fd) < below.size()) below[fd] = false;
  return real(fd);
}

ssize_t write(int fd, const void* bytes, size_t size) {
  static auto* const real = next<ssize_t(int, const void*, size_t)>("write");
  return write_fails(fd, lseek(fd, 0, SEEK_CUR), size) ? -1 : real(fd, bytes, size);
}
ssize_t pwrite(int fd, const void* bytes, size_t size, off_t at) {
  static auto* const real = next<ssize_t(int, const void*, size_t, off_t)>("pwrite");
  return write_fails(fd, at, size) ? -1 : real(fd, bytes, size, at);
}
ssize_t pwrite64(int fd, const void* bytes, size_t size, off64_t at) { return pwrite(fd, bytes, size, at); }
ssize_t pread(int fd, void* bytes, size_t size, off_t at) {
  static auto* const real = next<ssize_t(int, void*, size_t, off_t)>("pread");
  return is_below(fd) && fails(kRead) ? -1 : real(fd, bytes, size, at);
}
ssize_t pread64(int fd, void* bytes, size_t size, off64_t at) { return pread(fd, bytes, size, at); }

int ftruncate(int fd, off_t size) noexcept {
  static auto* const real = next<int(int, off_t)>("ftruncate");
  return write_fails(fd, size, 0) ? -1 : real(fd, size);
}
int ftruncate64(int fd, off64_t size) noexcept { return ftruncate(fd, size); }
int unlink(const char* path) noexcept {
  static auto* const real = next<int(const char*)>("unlink");
  return is_below(path) && fails(kWrite) ? -1 : real(path);
}

int fsync(int fd) { return synced(fd, "fsync"); }
int fdatasync(int fd) { return synced(fd, "fdatasync"); }

}  // extern "C"
