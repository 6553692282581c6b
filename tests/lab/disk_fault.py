# SPDX-License-Identifier: Apache-2.0
"""Makes the disk of a program fail: steers the library of disk_fault.cpp, which is preloaded into it.

    disk = DiskFault(library, folder, control)     # folder: whose files; control: a file to steer by
    process = Popen(..., env=disk.environment())
    disk.set("full"); ...; disk.clear()

On most file systems a full disk refuses only what makes a file larger ("no growth"); where they copy on write, every
write ("full").
"""
import errno
import mmap
import os
import pathlib
import struct

_GROW, _WRITE, _SYNC, _READ = 1, 2, 4, 8
# What fails, with which error, and how many milliseconds a sync takes.
FAULTS = {
    "full": (_WRITE, errno.ENOSPC, 0),
    "no growth": (_GROW, errno.ENOSPC, 0),
    "read-only": (_WRITE, errno.EROFS, 0),
    "write error": (_WRITE, errno.EIO, 0),
    "sync error": (_SYNC, errno.EIO, 0),
    "read error": (_READ, errno.EIO, 0),
    "slow": (0, 0, 2000),
}


class DiskFault:
    def __init__(self, library, folder, control):
        self._library, self._folder, self._control = library, folder, pathlib.Path(control)
        self._control.write_bytes(bytes(12))
        with open(self._control, "r+b") as file:
            self._map = mmap.mmap(file.fileno(), 12)

    def environment(self):
        return {**os.environ, "LD_PRELOAD": str(self._library), "TULPAR_DISK_FAULT": str(self._control),
                "TULPAR_DISK_FAULT_FOLDER": f"{self._folder}/"}

    def set(self, fault):
        self._map[:] = struct.pack("=III", *FAULTS[fault])

    def clear(self):
        self._map[:] = bytes(12)
